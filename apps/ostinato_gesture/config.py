"""Every setting of gestures, once: the fields are the flags of the command line and the keys of a TOML file."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal  # noqa: F401  # in the inherited fields, whose types the command line looks up here

from ostinato.config import check
from ostinato.sequences.config import StreamConfig
from ostinato_gesture.augmentation_config import AugmentationConfig

__all__ = ["EventConfig", "PrepareConfig", "TrainConfig"]


@dataclasses.dataclass(frozen=True)
class PrepareConfig:
    """How clips become sequences, and which are kept for validation."""

    frame_rate: float = 15.0
    """frames/s that the network sees, whatever rate a video has; of a .npz archive, the rate of its features"""
    num_hands: int = 2
    """how many hands are looked for in a frame, 1 or 2"""
    group_by: str = "group"
    """column of the data that tells what must stay together, such as a signer; several by commas; of a .npz archive
    `group`, or `name` for each sequence on its own"""
    one_in: int = 0
    """where the data name no split, about one group in so many is kept for validation; 0 trains on all of them"""
    background_label: str = "none"
    """label of frames and clips without a gesture"""
    background: bool = True
    """there is that label even if the data show none of it: training makes some, of what lies between gestures"""

    def __post_init__(self) -> None:
        check(0 < self.frame_rate <= 1000, f"frame_rate must be above 0 and at most 1000, is {self.frame_rate}")
        check(self.num_hands in (1, 2), f"num_hands must be 1 or 2, is {self.num_hands}")
        check(self.one_in >= 0, f"one_in must not be negative, is {self.one_in}")
        check(bool(self.background_label), "background_label must be a name, is empty")


@dataclasses.dataclass(frozen=True)
class TrainConfig(AugmentationConfig, StreamConfig):
    """How the network learns: the settings of all classifiers of streams, and how far sequences are varied."""

    # Chosen by leaving out one signer at a time.
    units: int = 64
    """size of each LSTM"""
    projection_size: int = 64
    """size to which a frame's features are projected before the LSTMs; 0 leaves them"""
    input_dropout: float = 0.2
    """share of the features that training drops, the same ones in all frames of a window"""
    differences: bool = True
    """the network sees how much each feature has changed since the frame before"""
    window: int = 96
    """frames of the stretches that training sees; shorter sequences are seen whole"""
    epochs: int = 40
    """passes over the data, each followed by a checkpoint"""
    averaging: float = 0.98
    """momentum of the moving average of the weights, 0 for none"""
    joined: float = 0.3
    """share of windows that are streams: several clips, with what is no gesture between them"""
    least_windows: int = 64
    """an epoch has so many windows or more: of few clips each gives several, every one varied in another way"""
    folds: int = 2
    """where no clips are kept for validation, so many parts are held out in turn, after training, to tell which
    gestures are confused; 0 tells nothing"""

    def __post_init__(self) -> None:
        AugmentationConfig.__post_init__(self)
        StreamConfig.__post_init__(self)
        check(0 <= self.joined <= 1, f"joined must be within 0 and 1, is {self.joined}")
        check(self.folds == 0 or self.folds >= 2, f"folds must be 0, or 2 or more, is {self.folds}")


@dataclasses.dataclass(frozen=True)
class EventConfig:
    """When scores of frames become an event.

    Raises:
      ConfigError: a number is outside its range.
    """

    rise: float = 0.6
    """score of a gesture at which an event begins"""
    fall: float = 0.3
    """score below which it has ended: until then it does not begin again"""
    refractory_seconds: float = 1.0
    """after an event the same gesture does not begin again for so long"""
    min_seconds: float = 0.35
    """how long the score must stay above `rise` before the event is told"""
    abstain: float = 0.0
    """recordings whose label has less confidence than this are called unknown"""

    def __post_init__(self) -> None:
        check(0 < self.rise <= 1, f"--rise {self.rise} is not above 0 and at most 1")
        check(0 <= self.fall <= self.rise, f"--fall {self.fall} is not within 0 and --rise {self.rise}")
        check(0 <= self.abstain <= 1, f"--abstain {self.abstain} is not within 0 and 1")
        for name in ("refractory_seconds", "min_seconds"):
            value = getattr(self, name)
            check(0 <= value < math.inf, f"--{name.replace('_', '-')} {value} is not 0 or more, and finite")
