"""What a video frame shows, and what has changed in it."""

from __future__ import annotations

import keras
from keras import ops

from ostinato.layers.attention import Tensor
from ostinato.layers.image_encoder import ImageEncoder


@keras.saving.register_keras_serializable(package="ostinato")
class FrameEncoder(keras.layers.Layer):
    """Reads video frames into feature vectors: what is seen, and what has changed since the frame before.

    The change is taken at each region of the image before regions are pooled, and of each feature the greatest one
    counts: two people who fight in a corner would drown in the mean over the image.

        appearance = mean over regions of places
        change     = max over regions of |places - previous places|, 0 at the first frame of a stream

    Args:
      network: image network, as `ImageEncoder` takes it.
      weights: as `ImageEncoder` takes them.
      image_size: pixels of the square frames.

    Attributes:
      feature_size: 2 * D.

    Call arguments:
      frames: uint8 or float [B, F, H, W, 3], RGB in 0..255.

    Returns:
      features float32 [B, F, 2 * D].
    """

    def __init__(
        self, network: str = "efficientnet_lite0", weights: str | None = None, image_size: int = 224, **kwargs
    ):
        super().__init__(**kwargs)
        self.autocast = False  # frames are integers, and the change between two is lost in bfloat16
        self.image_size = image_size
        self.image_encoder = ImageEncoder(network, weights, dtype=self.dtype_policy)
        _, self.num_places, depth = self.image_encoder.compute_output_shape((None, image_size, image_size, 3))
        self.feature_size = 2 * depth

    def build(self, frames_shape):
        if not self.image_encoder.built:
            self.image_encoder.build((None, self.image_size, self.image_size, 3))
        self.built = True

    def state_spec(self) -> dict[str, tuple[tuple[int, ...], str]]:
        """Returns shape (without batch) and dtype of each tensor of the state by name, in order."""
        return {
            "previous_places": ((self.num_places, self.feature_size // 2), "float32"),
            "has_previous": ((1,), "float32"),
        }

    def steps(self, frames: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Reads frames [B, F, H, W, 3] of each stream; returns features float32 [B, F, 2 * D] and the next state."""
        batch, num_frames, *sizes = ops.shape(frames)
        places = self.image_encoder(ops.reshape(frames, (batch * num_frames, *sizes)))  # -> [B * F, S, D]
        places = ops.cast(ops.reshape(places, (batch, num_frames, *ops.shape(places)[1:])), "float32")
        has_previous = state["has_previous"][:, :, None] > 0  # -> [B, 1, 1]
        first = ops.where(has_previous, state["previous_places"], places[:, 0])
        before = ops.concatenate([first[:, None], places[:, :-1]], axis=1)  # -> [B, F, S, D]
        change = ops.max(ops.abs(places - before), axis=2)
        features = ops.concatenate([ops.mean(places, axis=2), change], axis=-1)
        return features, {
            "previous_places": places[:, -1],
            "has_previous": ops.ones_like(state["has_previous"]),
        }

    def initial_state(self, batch: int | Tensor) -> dict[str, Tensor]:
        """Returns the state before the first frame of B streams: zeros, by the names of `state_spec`."""
        return {name: ops.zeros((batch, *shape), dtype) for name, (shape, dtype) in self.state_spec().items()}

    def call(self, frames):
        return self.steps(frames, self.initial_state(ops.shape(frames)[0]))[0]

    def compute_output_shape(self, frames_shape):
        return (*frames_shape[:2], self.feature_size)

    def get_config(self):
        return {**super().get_config(), "network": self.image_encoder.network_name, "image_size": self.image_size}
