"""Vectors of any sensors to features: brought to one scale, and beside them in which direction points go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from ostinato.config import check
from ostinato.layers.standardisation import Standardisation

Tensor = Any
State = dict[str, Tensor]

_LAG = 4  # frames over which a direction is measured: from one to the next, sensors tremble as much as hands move
# In standard deviations: what goes less far has no direction, and is as good as still.
_STEADY, _STILL = 0.1, 0.04
_MEAN_LOGARITHM = -1.5  # of distances, about


@keras.saving.register_keras_serializable(package="ostinato_gesture")
class VectorEncoder(keras.layers.Layer):
    """Standardises vectors, and says of points in which direction they went in the last four frames, and how far.

    People make a movement larger or smaller, but in the same direction.

    Args:
      points: columns of the coordinates of each point, two or three.

    Attributes:
      standardisation: of the vectors; to be adapted to the training data.
      feature_size: once built, of the vectors and for each point one number more than it has coordinates.

    Call arguments:
      vectors: float [B, F, D].

    Returns:
      float32 [B, F, `feature_size`].

    Raises:
      ConfigError: a point names a column that the vectors do not have.
    """

    def __init__(self, points: Sequence[Sequence[int]], **kwargs: Any):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.autocast = False
        self.points = [list(columns) for columns in points]
        self.standardisation = Standardisation(name="standardisation")
        self.feature_size = 0

    def build(self, vectors_shape: Any) -> None:
        size = vectors_shape[-1]
        for column in self._columns:
            check(column < size, f"points: there is no column {column} among {size}, of which the first is 0")
        self.standardisation.build(vectors_shape)
        self.feature_size = size + sum(len(columns) + 1 for columns in self.points)
        self.built = True

    def state_spec(self) -> dict[str, tuple[tuple[int, ...], str]]:
        """Returns shape (without batch) and dtype of each tensor of the state by name, in order.

        `trail` is where the points were in the last frames, the oldest first; `begun` is 0 before the first frame.
        """
        return {"trail": ((_LAG, len(self._columns)), "float32"), "begun": ((1,), "float32")}

    def initial_state(self, batch: int | Tensor) -> State:
        """Returns the state before the first frame of B streams: zeros, by the names of `state_spec`."""
        return {name: ops.zeros((batch, *shape), dtype) for name, (shape, dtype) in self.state_spec().items()}

    def steps(self, vectors: Tensor, state: State) -> tuple[Tensor, State]:
        """Reads frames of B streams; returns features float32 [B, F, feature_size] and the next state."""
        vectors = self.standardisation(vectors)
        places = ops.take(vectors, self._columns, axis=-1)  # -> [B, F, P]
        trail = ops.where(state["begun"][..., None] > 0, state["trail"], places[:, :1])  # before the first: still
        course = ops.concatenate([trail, places], axis=1)  # -> [B, _LAG + F, P]
        travelled = places - course[:, :-_LAG]
        parts, first = [vectors], 0
        for columns in self.points:
            part = travelled[..., first : first + len(columns)]
            distance = ops.sqrt(ops.sum(part * part, axis=-1, keepdims=True) + 1e-12)  # with a gradient at 0 too
            parts += [part / (distance + _STEADY), ops.log(distance + _STILL) - _MEAN_LOGARITHM]
            first += len(columns)
        trail = ops.reshape(course[:, -_LAG:], (-1, _LAG, len(self._columns)))  # whose shape is known in a graph too
        after = {"trail": trail, "begun": ops.ones_like(state["begun"])}
        return ops.concatenate(parts, axis=-1), after

    def call(self, vectors: Tensor) -> Tensor:
        return self.steps(vectors, self.initial_state(ops.shape(vectors)[0]))[0]

    def compute_output_shape(self, vectors_shape: Any) -> tuple[Any, ...]:
        return (*vectors_shape[:2], vectors_shape[-1] + sum(len(columns) + 1 for columns in self.points))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "points": self.points}

    @property
    def _columns(self) -> list[int]:
        return [column for columns in self.points for column in columns]
