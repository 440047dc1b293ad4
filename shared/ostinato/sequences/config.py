"""Settings of the network that labels streams and of its training: the fields are flags and keys of a TOML file."""

from __future__ import annotations

import dataclasses
from typing import Literal

from ostinato.config import check

SEEDS = 2**31  # seeds travel as int32


@dataclasses.dataclass(frozen=True)
class StreamConfig:
    """The recurrent core and how it learns."""

    units: int = 64
    """size of each LSTM"""
    num_layers: int = 1
    """LSTMs on one another"""
    projection_size: int = 64
    """size to which a frame's features are projected before the LSTMs; 0 leaves them"""
    recurrent: bool = True
    """without recurrence, dense layers take the place of the LSTMs: what recurrence is compared with"""
    dropout: float = 0.4
    """share of what the LSTMs and the heads read that training drops"""
    input_dropout: float = 0.3
    """share of the features that training drops, the same ones in all frames of a window"""
    frame_loss: float = 0.5
    """share of the loss that counts frame by frame; the rest counts the label of the whole window"""
    class_balance: float = 0.5
    """exponent of the weights of rare labels: 0 counts all frames alike, 1 all labels alike"""
    label_smoothing: float = 0.05
    """share of the target probability spread over the labels"""
    window: int = 128
    """frames of the stretches that training sees; shorter sequences are seen whole"""
    least_windows: int = 0
    """an epoch has so many windows or more: of few sequences each gives several, every one varied in another way"""
    batch_size: int = 16
    """windows in one update"""
    learning_rate: float = 2e-3
    """greatest learning rate"""
    warmup_share: float = 0.1
    """share of all updates in which the learning rate rises"""
    weight_decay: float = 0.01
    """of AdamW"""
    gradient_clip: float = 1.0
    """greatest norm of the gradient"""
    averaging: float = 0.99
    """momentum of the moving average of the weights, 0 for none"""
    epochs: int = 15
    """passes over the data, each followed by a checkpoint"""
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    """numbers the network computes with; weights and losses stay float32"""
    seed: int = 1
    """fixes weights, order, windows and dropout"""

    def __post_init__(self) -> None:
        for name in ("units", "num_layers", "window", "batch_size", "epochs"):
            check(getattr(self, name) >= 1, f"{name} must be 1 or more, is {getattr(self, name)}")
        for name in ("dropout", "input_dropout", "label_smoothing", "averaging"):
            check(0 <= getattr(self, name) < 1, f"{name} must be at least 0 and below 1, is {getattr(self, name)}")
        for name in ("frame_loss", "class_balance", "warmup_share"):
            check(0 <= getattr(self, name) <= 1, f"{name} must be within 0 and 1, is {getattr(self, name)}")
        for name in ("projection_size", "weight_decay", "least_windows"):
            check(getattr(self, name) >= 0, f"{name} must not be negative, is {getattr(self, name)}")
        for name in ("learning_rate", "gradient_clip"):
            check(getattr(self, name) > 0, f"{name} must be above 0, is {getattr(self, name)}")
        check(0 <= self.seed < SEEDS, f"seed must be at least 0 and below {SEEDS}, is {self.seed}")


OF_THE_NETWORK = ("units", "num_layers", "projection_size", "recurrent")  # fields that a begun run cannot change
