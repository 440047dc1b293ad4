"""What a video frame shows, what has changed in it, and what stands out from the background."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import ops

from ostinato.layers.attention import Tensor
from ostinato.layers.image_encoder import ImageEncoder

PARTS = ("appearance", "change", "foreground")


@keras.saving.register_keras_serializable(package="ostinato")
class FrameEncoder(keras.layers.Layer):
    """Reads video frames into feature vectors, each made of up to three parts.

        appearance = mean over regions of places
        change     = max over regions of |places - previous places|
        foreground = max over regions of places - background, and of background - places

    where places are an image network's features of each region of the image. The background is their running average,
    of all frames at first, then of about the last `1 / background_rate`: what a camera that stands still sees all the
    time. Differences are taken region by region, before regions are pooled, and of each feature the greatest one
    counts: a person in a corner would drown in the mean over the image. Both are 0 at the first frame of a stream.

    Args:
      network: image network, as `ImageEncoder` takes it; EfficientNet-Lite without its head.
      weights: as `ImageEncoder` takes them.
      image_size: pixels of the square frames.
      parts: which of `PARTS` the features have; they come in that order.
      background_rate: how much of the newest frame the background takes in.
      folded: as `ImageEncoder` takes it; the features are the same.

    Attributes:
      feature_size: size of the features, D for appearance, D for change, 2 * D for foreground.

    Call arguments:
      frames: uint8 or float [B, F, H, W, 3], RGB in 0..255.

    Returns:
      features float32 [B, F, feature_size].

    Raises:
      ValueError: no part, or one of another name.
    """

    def __init__(
        self,
        network: str = "efficientnet_lite0",
        weights: str | None = None,
        image_size: int = 224,
        parts: Sequence[str] = PARTS,
        background_rate: float = 0.001,
        folded: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not parts or not set(parts) <= set(PARTS):
            raise ValueError(f"parts are some of {', '.join(PARTS)}, not {list(parts)}")
        self.autocast = False  # frames are integers, and the change between two is lost in bfloat16
        self.image_size = image_size
        self.parts = [part for part in PARTS if part in parts]
        self.background_rate = background_rate
        self.folded = folded
        self.image_encoder = ImageEncoder(network, weights, head=False, folded=folded, dtype=self.dtype_policy)
        _, self.num_places, self.depth = self.image_encoder.compute_output_shape((None, image_size, image_size, 3))
        self.feature_size = sum(2 * self.depth if part == "foreground" else self.depth for part in self.parts)

    def build(self, frames_shape):
        if not self.image_encoder.built:
            self.image_encoder.build((None, self.image_size, self.image_size, 3))
        self.built = True

    def state_spec(self) -> dict[str, tuple[tuple[int, ...], str]]:
        """Returns shape (without batch) and dtype of each tensor of the state by name, in order."""
        places = ((self.num_places, self.depth), "float32")
        spec = {}
        if "change" in self.parts:
            spec["previous_places"] = places
        if "foreground" in self.parts:
            spec["background"] = places
        return {**spec, "num_frames": ((1,), "float32")} if spec else {}

    def initial_state(self, batch: int | Tensor) -> dict[str, Tensor]:
        """Returns the state before the first frame of B streams: zeros, by the names of `state_spec`."""
        return {name: ops.zeros((batch, *shape), dtype) for name, (shape, dtype) in self.state_spec().items()}

    def steps(self, frames: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Reads frames [B, F, H, W, 3] of B streams; returns features float32 [B, F, feature_size], next state."""
        batch, num_frames, *sizes = ops.shape(frames)
        places = self.image_encoder(ops.reshape(frames, (batch * num_frames, *sizes)))  # -> [B * F, S, D]
        places = ops.reshape(places, (batch, num_frames, self.num_places, self.depth))
        places = ops.cast(places, "float32")
        features, following = [], {}
        if "appearance" in self.parts:
            features.append(ops.mean(places, axis=2))
        if "change" in self.parts:
            is_first = state["num_frames"][:, :, None] == 0  # -> [B, 1, 1]
            previous = ops.where(is_first, places[:, 0], state["previous_places"])
            previous = ops.concatenate([previous[:, None], places[:, :-1]], axis=1)
            features.append(ops.max(ops.abs(places - previous), axis=2))
            following["previous_places"] = places[:, -1]
        if "foreground" in self.parts:
            foreground, following["background"] = self._foreground(places, state)
            features.append(foreground)
        if following:
            following["num_frames"] = state["num_frames"] + ops.cast(num_frames, "float32")
        return ops.concatenate(features, axis=-1), following

    def _foreground(self, places, state):
        """Returns how much places stand out [B, F, 2 * D], and the background after them [B, S, D].

        The running average b <- b + w * (x - b) of all frames at once: with k = product of (1 - w) so far, a frame j
        counts k_f / k_j * w_j in the background after frame f. No loop runs, on none of the backends.
        """
        count = state["num_frames"] + ops.arange(1, ops.shape(places)[1] + 1, dtype="float32")  # -> [B, F]
        # A stream's first frame is its background from the start, and has no more to add to it.
        rate = ops.where(count == 1, 0.0, ops.maximum(1 / count, self.background_rate))
        first = ops.where(state["num_frames"][:, :, None] == 0, places[:, 0], state["background"])  # -> [B, S, D]
        if places.shape[1] == 1:  # a step of a stream, which should cost next to nothing
            after = first[:, None] + rate[:, :, None, None] * (places - first[:, None])
        else:
            kept = ops.cumsum(ops.log1p(-rate), axis=1)  # -> [B, F], log k
            shares = ops.exp(kept[:, :, None] - kept[:, None, :]) * rate[:, None, :]  # -> [B, F, F]
            shares = ops.tril(shares)
            after = ops.einsum("bfj,bjsd->bfsd", shares, places) + ops.exp(kept)[:, :, None, None] * first[:, None]
        before = ops.concatenate([first[:, None], after[:, :-1]], axis=1)  # -> [B, F, S, D]
        difference = places - before
        foreground = ops.concatenate([ops.max(difference, axis=2), ops.max(-difference, axis=2)], axis=-1)
        return foreground, after[:, -1]

    def call(self, frames):
        return self.steps(frames, self.initial_state(ops.shape(frames)[0]))[0]

    def compute_output_shape(self, frames_shape):
        return (*frames_shape[:2], self.feature_size)

    def get_config(self):
        return {
            **super().get_config(),
            "network": self.image_encoder.network_name,
            "image_size": self.image_size,
            "parts": list(self.parts),
            "background_rate": self.background_rate,
            "folded": self.folded,
        }
