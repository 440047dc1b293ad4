"""The network of gestures: the classifier of streams, which reads landmarks through their features."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from ostinato.layers import SequenceClassifier
from ostinato.sequences.training import make_classifier
from ostinato_gesture.augmentation_config import parse_points
from ostinato_gesture.config import TrainConfig
from ostinato_gesture.features import LandmarkFeatures, State, Tensor
from ostinato_gesture.vector_features import VectorEncoder

LANDMARKS, FEATURES = "landmarks", "features"  # what sequences are made of
FRAME_SHAPE = (2, 21, 3)
FRAME_SIZE = 2 * 21 * 3


@keras.saving.register_keras_serializable(package="ostinato_gesture")
class LandmarkEncoder(keras.layers.Layer):
    """`LandmarkFeatures` as the encoder of a `SequenceClassifier`.

    Args:
      num_hands: 2, or 1 for the leading hand alone.

    Call arguments:
      frames: float [B, F, 2, 21, 3], or [B, F, 126] as a store holds them; zeros for a hand that is not there.

    Returns:
      float32 [B, F, `feature_size`].
    """

    def __init__(self, num_hands: int = 2, **kwargs: Any):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.autocast = False
        self.num_hands = num_hands
        self.features = LandmarkFeatures(num_hands, name="features")
        self.feature_size = self.features.feature_size

    def build(self, frames_shape: Any) -> None:
        self.features.build((None, None, *FRAME_SHAPE))
        self.built = True

    def state_spec(self) -> dict[str, tuple[tuple[int, ...], str]]:
        """Returns shape (without batch) and dtype of each tensor of the state by name, in order."""
        return self.features.state_spec()

    def initial_state(self, batch: int | Tensor) -> State:
        """Returns the state before the first frame of B streams: zeros, by the names of `state_spec`."""
        return self.features.initial_state(batch)

    def steps(self, frames: Tensor, state: State) -> tuple[Tensor, State]:
        """Reads frames of B streams; returns features float32 [B, F, feature_size] and the next state."""
        if len(frames.shape) == 3:
            batch, length = ops.shape(frames)[:2]
            frames = ops.reshape(frames, (batch, length, *FRAME_SHAPE))
        if frames.shape[1] == 1:  # without a loop over frames: a step takes a third of the time
            features, state = self.features.step(frames[:, 0], None, state)
            return features[:, None], state
        return self.features.steps(frames, None, state)

    def call(self, frames: Tensor) -> Tensor:
        return self.steps(frames, self.initial_state(ops.shape(frames)[0]))[0]

    def compute_output_shape(self, frames_shape: Any) -> tuple[Any, ...]:
        return (*frames_shape[:2], self.feature_size)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_hands": self.num_hands}


def network_options(config: TrainConfig, kind: str, num_hands: int = 2) -> dict[str, Any]:
    """Returns the arguments of `SequenceClassifier` that are those of gestures.

    Args:
      config: settings.
      kind: `landmarks`, or `features` of any other kind, which are standardised instead.
      num_hands: of landmarks, how many hands the network sees.
    """
    if kind == LANDMARKS:
        return {"differences": config.differences, "standardise": False, "encoder": LandmarkEncoder(num_hands)}
    if config.points:
        encoder = VectorEncoder(parse_points(config.points))
        return {"differences": config.differences, "standardise": False, "encoder": encoder}
    return {"differences": config.differences, "standardise": True}


def make_gesture_classifier(
    config: TrainConfig, num_labels: int, kind: str, feature_size: int = FRAME_SIZE, num_hands: int = 2
) -> SequenceClassifier:
    """Returns a built network for sequences of one kind, in which a frame has `feature_size` numbers."""
    return make_classifier(config, num_labels, feature_size, **network_options(config, kind, num_hands))
