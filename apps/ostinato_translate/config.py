"""Every setting of translation, once: the fields are the flags of the command line and the keys of a TOML file."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

from ostinato.config import check, check_limits
from ostinato_translate.languages import direction_languages, language_code

SEEDS = 2**31  # seeds travel as int32
# Exported graphs insist on them, too.
DECODING_LIMITS = {
    "beam_width": (1, 100),
    "no_repeat_ngram": (0, 20),
    "patience": (0, 1),
    "pruning": (0, 1000),
    "num_translations": (1, 100),
    "max_length_ratio": (0.01, 20),
}
ALTERNATIVES_LIMITS = {"num_alternatives": (1, 100)}


@dataclasses.dataclass(frozen=True)
class PrepareConfig:
    """How parallel text becomes arrays."""

    languages: tuple[str, ...] = ()
    """codes of the languages to learn, two or more; all that the data hold if not given"""
    start_from: str = ""
    """an exported translation model to go on from, by its folder, or the name of one that ships: the run gets its
    vocabulary, its network and their weights, may learn the languages that it knows, and writes with the pieces that it
    wrote them with and those of the new sentences"""
    vocabulary_size: int = 8000
    """pieces of the vocabulary that all languages share, 260 control and byte pieces and one a language included; not
    used with `start_from`"""
    max_pieces: int = 100
    """longer training sentences are left out (and counted)"""
    max_length_ratio: float = 3.0
    """a training row whose longest sentence is longer than so many times its shortest plus 10 pieces is left out"""
    deduplicate: bool = True
    """keeps only the first of training rows that are alike in all languages; takes some 100 bytes of memory a row"""

    def __post_init__(self) -> None:
        for language in self.languages:
            check(language_code(language) == language, f"languages: {language!r} is no code such as de or pt-br")
        check(len(set(self.languages)) == len(self.languages), "languages: one code is there twice")
        check(len(self.languages) != 1, f"languages must be two or more, is {self.languages[:1]}")
        check(self.vocabulary_size >= 300, f"vocabulary_size must be 300 or more, is {self.vocabulary_size}")
        check(self.max_pieces >= 1, f"max_pieces must be 1 or more, is {self.max_pieces}")
        check(self.max_length_ratio >= 1, f"max_length_ratio must be 1 or more, is {self.max_length_ratio}")


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """The network and how it learns."""

    directions: tuple[str, ...] = ()
    """directions to learn, such as en-de; all between the prepared languages if not given"""
    embedding_size: int = 256
    """size of a piece's vector, which encoder, decoder and vocabulary layer share"""
    encoder_units: int = 256
    """size of each of the encoder's LSTMs, of which each layer has two"""
    encoder_layers: int = 2
    """layers of the encoder"""
    units: int = 512
    """size of each of the decoder's two LSTMs"""
    attention: Literal["multiplicative", "additive"] = "multiplicative"
    """how what was written and the places of the source are compared"""
    attention_units: int = 256
    """size of the space in which they are compared"""
    dropout: float = 0.2
    """share of the vectors, and of the inputs of LSTMs and vocabulary layer, dropped in training"""
    label_smoothing: float = 0.1
    """share of the target probability spread over the vocabulary"""
    subword_alpha: float = 0.0
    """above 0, sentences are cut into pieces at random, anew in each epoch, in proportion to their probability to this
    power (Kudo 2018): 0.5 varies half of the sentences, 0.3 four of five; 0 for the most probable pieces"""
    tokens_per_batch: int = 3000
    """target pieces in one update, padding included; a fifth more at most where sentences are cut at random"""
    learning_rate: float = 2e-3
    """greatest learning rate"""
    warmup_updates: int = 400
    """updates in which the learning rate rises"""
    weight_decay: float = 0.001
    """of AdamW"""
    gradient_clip: float = 1.0
    """greatest norm of the gradient"""
    averaging: float = 0.998
    """momentum of the moving average of the weights, 0 for none"""
    epochs: int = 20
    """passes over a share of the data, each followed by a validation and a checkpoint; 0 leaves this phase out"""
    epochs_per_pass: int = 4
    """shares that the data are cut into: with 4, every 4 epochs see all of them once"""
    self_critical_epochs: int = 0
    """epochs of a second phase, which rewards translations that the network draws by their BLEU (Rennie et al. 2017)"""
    self_critical_learning_rate: float = 1e-4
    """greatest learning rate of that phase"""
    translations_per_sentence: int = 4
    """translations drawn of each sentence into each language; they share `tokens_per_batch`"""
    temperature: float = 0.5
    """of the drawing: below 1 the network learns from what is nearer to what a search finds (Guo et al. 2017)"""
    patience: int = 0
    """epochs without a better validation score that end a phase; 0 trains to the end"""
    precision: Literal["float32", "mixed_bfloat16"] = "mixed_bfloat16"
    """numbers the network computes with; weights and losses stay float32"""
    validation_sentences: int = 1000
    """sentences that are translated and scored after each epoch, spread over the directions"""
    validation_beam_width: int = 1
    """beam width of those translations; 1 is greedy search"""
    seed: int = 1
    """fixes weights, order and dropout"""

    def __post_init__(self) -> None:
        for direction in self.directions:
            check(
                len(direction_languages(direction)) == 2,
                f"directions: {direction!r} is no direction such as en-de, or en:pt-br where a code has a hyphen",
            )
        sizes = ("embedding_size", "encoder_units", "encoder_layers", "units", "attention_units", "tokens_per_batch")
        for name in (*sizes, "epochs_per_pass", "validation_sentences", "validation_beam_width"):
            check(getattr(self, name) >= 1, f"{name} must be 1 or more, is {getattr(self, name)}")
        for name in ("dropout", "label_smoothing", "averaging"):
            check(0 <= getattr(self, name) < 1, f"{name} must be at least 0 and below 1, is {getattr(self, name)}")
        for name in ("epochs", "self_critical_epochs", "patience", "warmup_updates", "weight_decay"):
            check(getattr(self, name) >= 0, f"{name} must not be negative, is {getattr(self, name)}")
        for name in ("learning_rate", "gradient_clip", "self_critical_learning_rate", "temperature"):
            check(getattr(self, name) > 0, f"{name} must be above 0, is {getattr(self, name)}")
        check(
            self.epochs + self.self_critical_epochs > 0,
            "there is nothing to train: epochs and self_critical_epochs are both 0",
        )
        check(
            self.translations_per_sentence >= 2,
            f"translations_per_sentence must be 2 or more, for they are compared, is {self.translations_per_sentence}",
        )
        alpha = self.subword_alpha
        check(0 <= alpha < math.inf, f"subword_alpha must be 0 or more and finite, is {alpha}")
        check(0 <= self.seed < SEEDS, f"seed must be at least 0 and below {SEEDS}, is {self.seed}")


# What decides on the shapes of the weights.
_OF_THE_NETWORK = ("embedding_size", "encoder_units", "encoder_layers", "units", "attention", "attention_units")


def network_settings(config: TrainConfig) -> dict[str, str | int]:
    """Returns the settings that a network's weights belong to, by name."""
    return {name: getattr(config, name) for name in _OF_THE_NETWORK}


@dataclasses.dataclass(frozen=True)
class DecodingConfig:
    """How translations are written.

    Raises:
      ConfigError: a number is outside its range.
    """

    beam_width: int = 5
    """hypotheses kept alive at every length; 1 is greedy search"""
    length_penalty: float = 1.0
    """exponent of Wu et al. 2016: greater values favour longer translations"""
    coverage_penalty: float = 0.0
    """factor of Wu et al. 2016: greater values favour translations that looked at every place of the source"""
    no_repeat_ngram: int = 0
    """n-grams of so many pieces are written once at most; 0 allows repeats"""
    patience: float = 1.0
    """the search ends once this times the beam width of translations are finished; 0 searches while one could win"""
    pruning: float = 1.25
    """hypotheses whose log-probability is so many nats below that of the best one are given up, but never so many that
    results would lack, which makes batches faster; 0 keeps all"""
    num_translations: int = 1
    """translations returned for each sentence, best first"""
    max_length_ratio: float = 2.0
    """a translation has at most so many times the pieces of its source, and 10 more"""

    def __post_init__(self) -> None:
        check_limits(self, DECODING_LIMITS)
        check(math.isfinite(self.length_penalty), f"--length-penalty {self.length_penalty} is no number to divide by")
        check(0 <= self.coverage_penalty < math.inf, f"--coverage-penalty {self.coverage_penalty} is not 0 or more")

    def check_search(self) -> None:
        """Raises ConfigError where a search could not find as many translations as are asked for."""
        check(
            self.num_translations <= self.beam_width,
            f"a beam search of width {self.beam_width} finds no {self.num_translations} translations; raise "
            f"--beam-width to {self.num_translations}, or ask for fewer by --num-translations",
        )
