"""What an exported model says of itself: all that reading it needs, without Keras."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

# Of `ostinato_gesture.model`, which starts Keras.
LANDMARKS = "landmarks"
FRAME_SHAPE = (2, 21, 3)


@dataclasses.dataclass(frozen=True)
class ModelFacts:
    """What whoever uses a model has to know: the metadata of its `interface.json`."""

    labels: tuple[str, ...]
    """in the order of all scores"""
    none: str | None
    """the label of what is no gesture; None where there is none"""
    kind: str
    """what it reads: `landmarks`, or `features` of any other kind"""
    frame_shape: tuple[int, ...]
    """of one frame: (2, 21, 3) of landmarks, (D,) of features"""
    frame_rate: float
    """frames/s that it has learned from"""
    num_hands: int
    """how many hands are looked for in an image"""

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> ModelFacts:
        """Takes them from the metadata of a model."""
        return cls(
            labels=tuple(metadata["labels"]),
            none=metadata["none"],
            kind=metadata["kind"],
            frame_shape=tuple(metadata["frame_shape"]),
            frame_rate=float(metadata["frame_rate"]),
            num_hands=int(metadata["num_hands"]),
        )

    @property
    def reads_images(self) -> bool:
        """Whether images will do: it reads landmarks of hands, which can be found in them."""
        return self.kind == LANDMARKS

    def to_metadata(self) -> dict[str, Any]:
        """Returns them as JSON has them."""
        return dataclasses.asdict(self) | {"labels": list(self.labels), "frame_shape": list(self.frame_shape)}
