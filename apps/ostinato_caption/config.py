"""Every setting of captioning, once: the fields are the flags of the command line and the keys of a TOML file."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

from ostinato.config import check, check_limits

_SEEDS = 2**31  # seeds travel as int32
# Exported graphs insist on them, too.
DECODING_LIMITS = {
    "beam_width": (1, 100),
    "patience": (0, 1),
    "pruning": (0, 1000),
    "num_captions": (1, 100),
    "min_length": (0, 199),
    "max_length": (2, 200),
}


@dataclasses.dataclass(frozen=True)
class PrepareConfig:
    """How raw data become arrays."""

    network: str = "efficientnet_lite0"
    """image network: efficientnet_lite0, 1 or 2, a name of keras.applications (downloads its weights), or a captioning
    model, whose network is taken as it was exported"""
    image_size: int = 224
    """pixels of the square that every photo is resized to"""
    mirrored: bool = True
    """computes features of the mirrored photos as well, which training uses as often as the photos"""
    varied: int = 0
    """further views of each photo, varied at random: some 125 kB of disk each at 224 pixels"""
    vocabulary_size: int = 4000
    """pieces of the vocabulary, 260 control and byte pieces included"""
    max_pieces: int = 30
    """longer training captions are left out (and counted)"""

    def __post_init__(self) -> None:
        check(32 <= self.image_size <= 1024, f"image_size must be within 32 and 1024, is {self.image_size}")
        check(self.varied >= 0, f"varied must not be negative, is {self.varied}")
        check(self.vocabulary_size >= 300, f"vocabulary_size must be 300 or more, is {self.vocabulary_size}")
        check(self.max_pieces >= 1, f"max_pieces must be 1 or more, is {self.max_pieces}")


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """The network and how it learns, in three phases of which the last two may be skipped (0 epochs)."""

    embedding_size: int = 256
    """size of a piece's vector"""
    decoders: int = 1
    """networks that write together, each trained by itself on what the one image network sees"""
    units: int = 512
    """size of each LSTM of each decoder"""
    attention: Literal["multiplicative", "additive"] = "multiplicative"
    """how queries and image regions are compared"""
    attention_units: int = 256
    """size of the space in which they are compared"""
    dropout: float = 0.4
    """share of the inputs of LSTMs and vocabulary layer dropped in training"""
    memory_dropout: float = 0.3
    """share of the image features dropped in training"""
    label_smoothing: float = 0.1
    """share of the target probability spread over the vocabulary"""
    temperature: float = 0.5
    """what logits are divided by in writing and in phase 3: below 1 makes up for the evenness that smoothing and
    dropout leave (Guo et al. 2017); phases 1 and 2 learn as if it were 1"""
    photos_per_batch: int = 32
    """photos in one update"""
    captions_per_photo: int = 5
    """captions of each photo in one update"""
    weight_decay: float = 0.01
    """of AdamW"""
    gradient_clip: float = 1.0
    """greatest norm of the gradient"""
    averaging: float = 0.996
    """momentum of the moving average of the weights, 0 for none"""
    lookahead: bool = True
    """begins each epoch with the averaged weights, if there are any (Zhang et al. 2019): learns by heart more slowly"""
    warmup_updates: int = 200
    """updates in which the learning rate rises, in each phase"""
    patience: int = 6
    """epochs without a better validation score that end a phase"""
    precision: Literal["float32", "mixed_bfloat16"] = "mixed_bfloat16"
    """numbers the decoder computes with; weights and losses stay float32"""
    validation_beam_width: int = 3
    """beam width of the captions that are scored after each epoch"""
    seed: int = 1
    """fixes weights, order and dropout"""

    epochs: int = 18
    """phase 1, frozen: passes over the cached features of the frozen image network"""
    learning_rate: float = 2e-3
    """greatest learning rate of phase 1"""

    fine_tune_epochs: int = 5
    """phase 2, fine_tune: passes over the photos themselves, varied at random, in which the image network learns too"""
    fine_tune_learning_rate: float = 2e-4
    """greatest learning rate of phase 2"""
    fine_tune_blocks: int = 8
    """how many of the image network's last blocks learn"""

    self_critical_epochs: int = 9
    """phase 3, self_critical: passes in which sampled captions are rewarded by CIDEr-D (Rennie et al. 2017)"""
    self_critical_learning_rate: float = 1e-4
    """greatest learning rate of phase 3"""
    self_critical_views: int = 5
    """varied views of each photo that phase 3 sees besides the photo itself: some 125 kB of disk each at 224 pixels"""

    def __post_init__(self) -> None:
        sizes = ("embedding_size", "decoders", "units", "attention_units")
        for name in (*sizes, "photos_per_batch", "captions_per_photo", "validation_beam_width"):
            check(getattr(self, name) >= 1, f"{name} must be 1 or more, is {getattr(self, name)}")
        for name in ("dropout", "memory_dropout", "label_smoothing", "averaging"):
            check(0 <= getattr(self, name) < 1, f"{name} must be at least 0 and below 1, is {getattr(self, name)}")
        counts = (
            "epochs",
            "fine_tune_epochs",
            "fine_tune_blocks",
            "self_critical_epochs",
            "self_critical_views",
            "patience",
            "warmup_updates",
        )
        for name in (*counts, "weight_decay"):
            check(getattr(self, name) >= 0, f"{name} must not be negative, is {getattr(self, name)}")
        rates = ("learning_rate", "fine_tune_learning_rate", "self_critical_learning_rate")
        for name in (*rates, "gradient_clip", "temperature"):
            check(getattr(self, name) > 0, f"{name} must be above 0, is {getattr(self, name)}")
        check(0 <= self.seed < _SEEDS, f"seed must be at least 0 and below {_SEEDS}, is {self.seed}")
        check(
            self.epochs + self.fine_tune_epochs + self.self_critical_epochs > 0,
            "there is nothing to train: epochs, fine_tune_epochs and self_critical_epochs are all 0",
        )
        check(
            self.captions_per_photo >= 2 or not self.self_critical_epochs,
            "self-critical training compares captions of one photo: set captions_per_photo to 2 or more",
        )


@dataclasses.dataclass(frozen=True)
class DecodingConfig:
    """How captions are written.

    Raises:
      ConfigError: a number is outside its range.
    """

    beam_width: int = 5
    """hypotheses kept alive at every length; 1 is greedy search"""
    length_penalty: float = 1.2
    """exponent of Wu et al. 2016: greater values favour longer captions"""
    patience: float = 1.0
    """the search ends once this times the beam width of captions are finished; 0 searches while one could win"""
    pruning: float = 2.5
    """hypotheses whose log-probability is so many nats below that of the best one are given up, but never so many that
    results would lack, which makes batches faster; 0 keeps all"""
    num_captions: int = 1
    """captions returned for each photo, best first"""
    min_length: int = 3
    """least number of pieces"""
    max_length: int = 24
    """greatest number of pieces, the end counted"""

    def __post_init__(self) -> None:
        check_limits(self, DECODING_LIMITS)
        check(math.isfinite(self.length_penalty), f"--length-penalty {self.length_penalty} is no number to divide by")
        check(
            self.min_length < self.max_length,
            f"--max-length {self.max_length} is not above the least length {self.min_length}",
        )

    def check_search(self) -> None:
        """Raises ConfigError where a search could not find as many captions as are asked for; drawing them could."""
        check(
            self.num_captions <= self.beam_width,
            f"a beam search of width {self.beam_width} finds no {self.num_captions} captions; raise --beam-width to "
            f"{self.num_captions}, or ask for fewer by --num-captions",
        )


@dataclasses.dataclass(frozen=True)
class SamplingConfig:
    """How captions are drawn at random, instead of searched for; number and lengths are those of `DecodingConfig`."""

    temperature: float = 1.0
    """below 1 more of the same, above 1 more variety"""
    top_k: int = 0
    """draw among the k most probable pieces only, 0 for all (Fan et al. 2018)"""
    top_p: float = 1.0
    """draw among the most probable pieces that together have this probability (Holtzman et al. 2020)"""
    seed: int = 0
    """the same seed draws the same captions"""

    def __post_init__(self) -> None:
        check(
            0 < self.temperature < math.inf,
            f"--temperature {self.temperature} is not above 0 and finite; for no chance at all do not sample",
        )
        check(0 <= self.top_k < _SEEDS, f"--top-k {self.top_k} is no number of pieces; 0 draws among all")
        check(0 < self.top_p <= 1, f"--top-p {self.top_p} is not above 0 and at most 1")
        check(0 <= self.seed < _SEEDS, f"--seed {self.seed} is not at least 0 and below {_SEEDS}")
