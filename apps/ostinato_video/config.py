"""Every setting of video, once: the fields are the flags of the command line and the keys of a TOML file."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal  # noqa: F401  # in the inherited fields, whose types the command line looks up here

from ostinato.config import check
from ostinato.sequences.config import StreamConfig

__all__ = ["PrepareConfig", "TimelineConfig", "TrainConfig"]

_PARTS = ("appearance", "change", "foreground")  # those of FrameEncoder, which would start TensorFlow


@dataclasses.dataclass(frozen=True)
class PrepareConfig:
    """How videos become features of frames, and which are kept for validation."""

    frame_rate: float = 10.0
    """frames/s that the network sees, whatever rate a video has"""
    network: str = "efficientnet_lite0"
    """image network: efficientnet_lite0, 1 or 2, or a name of keras.applications (downloads its weights)"""
    image_size: int = 224
    """pixels of the square that every frame is resized to"""
    parts: tuple[str, ...] = _PARTS
    """what the features of a frame are made of: appearance, change, foreground"""
    background_seconds: float = 100.0
    """how much of the past the background is the average of, from which foreground stands out"""
    mirrored: bool = True
    """whether training sees each video a second time, left and right exchanged; not where the labels tell them apart"""
    group_by: str = "group"
    """column of the data that tells what must stay together, such as day; several by commas, such as room,day"""
    one_in: int = 5
    """where the data name no split, about one group in so many is kept for validation; 0 keeps none"""
    background: bool = True
    """frames in no segment have a label of their own; without it they count neither way"""

    def __post_init__(self) -> None:
        check(0 < self.frame_rate <= 1000, f"frame_rate must be above 0 and at most 1000, is {self.frame_rate}")
        check(32 <= self.image_size <= 512, f"image_size must be within 32 and 512, is {self.image_size}")
        check(
            0 < self.background_seconds < math.inf, f"background_seconds must be above 0, is {self.background_seconds}"
        )
        check(self.one_in >= 0, f"one_in must not be negative, is {self.one_in}")
        check(bool(self.parts), f"parts must be some of {', '.join(_PARTS)}, are none")
        for part in self.parts:
            check(part in _PARTS, f"parts must be some of {', '.join(_PARTS)}, not {part!r}")

    @property
    def background_rate(self) -> float:
        """How much of the newest frame the background takes in."""
        return min(1.0, 1 / (self.frame_rate * self.background_seconds))


@dataclasses.dataclass(frozen=True)
class TrainConfig(StreamConfig):
    """How the network learns: the settings of all classifiers of streams, and of a second phase, fine_tune.

    The first phase reads the features that `prepare` has cached. In the second one the frames themselves pass through
    the image network, whose last blocks learn together with the rest.
    """

    fine_tune_blocks: int = 0
    """how many of the image network's last blocks learn, in a second phase, fine_tune; 0 leaves that phase out"""
    fine_tune_epochs: int = 3
    """passes of that phase over the videos themselves"""
    fine_tune_learning_rate: float = 1e-4
    """greatest learning rate of that phase"""
    fine_tune_batch_size: int = 4
    """videos side by side in one update of that phase"""
    fine_tune_window: int = 8
    """frames of each video in one update of that phase; what was seen before is carried on from update to update"""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("fine_tune_batch_size", "fine_tune_window"):
            check(getattr(self, name) >= 1, f"{name} must be 1 or more, is {getattr(self, name)}")
        for name in ("fine_tune_blocks", "fine_tune_epochs"):
            check(getattr(self, name) >= 0, f"{name} must not be negative, is {getattr(self, name)}")
        rate = self.fine_tune_learning_rate
        check(rate > 0, f"fine_tune_learning_rate must be above 0, is {rate}")

    @property
    def fine_tunes(self) -> bool:
        """True where there is a second phase."""
        return self.fine_tune_blocks > 0 and self.fine_tune_epochs > 0


@dataclasses.dataclass(frozen=True)
class TimelineConfig:
    """How labels of frames become segments.

    Raises:
      ConfigError: a number is outside its range.
    """

    switch_cost: float = 4.0
    """nats that a change of label costs: the greater, the fewer and longer segments; 0 takes each frame as it is"""
    min_seconds: float = 0.3
    """shorter segments go to a neighbour"""
    abstain: float = 0.0
    """segments and clips of less confidence than this are called unknown"""

    def __post_init__(self) -> None:
        check(0 <= self.switch_cost < math.inf, f"--switch-cost {self.switch_cost} is not 0 or more, and finite")
        check(0 <= self.min_seconds < math.inf, f"--min-seconds {self.min_seconds} is not 0 or more, and finite")
        check(0 <= self.abstain <= 1, f"--abstain {self.abstain} is not within 0 and 1")
