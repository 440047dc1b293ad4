"""From text to its translations as core TensorFlow operations: what the signatures of the export are made of."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from ostinato.decoding import BeamOptions, ControlTokens, Hypotheses, beam_search, next_tokens
from ostinato.export import Endpoint, Preset
from ostinato.export.row_groups import in_groups
from ostinato.export.settings import setting_specs, within_limits
from ostinato.layers import EncoderDecoder, Memory, Shortlist
from ostinato.text import END, PAD
from ostinato.text.graph import GraphTokenizer
from ostinato.text.graph_normalise import graph_normalise
from ostinato_translate.config import ALTERNATIVES_LIMITS, DECODING_LIMITS, DecodingConfig
from ostinato_translate.model import greatest_lengths
from ostinato_translate.written_pieces import WrittenPieces

NUM_ALTERNATIVES = 5  # of the signature that leaves its caller no choice
_TEXTS_AT_ONCE = 128  # more are no faster
_NUMBERS_AT_ONCE = 2**26  # float32, 256 MB
_EXTRA_AFTER_PREFIX = 1  # a prefix of the greatest length can still end


class TranslationGraph:
    """Writes translations of texts string [B] into the languages string [B] that are asked for.

    The texts are normalised as far as a graph can, see `graph_normalise`. The translation of an empty text is empty.

    Args:
      model: from source pieces to target pieces.
      tokenizer: the vocabulary of both.
      control: its control tokens.
      languages: the ids of the control pieces of all languages that the model writes, by code.
      written: the ids [n] of the pieces that each of them is written with, by code. Probabilities are among these alone
        and the pieces of a prefix, or of a translation that is scored.
      max_source_pieces: longer texts are refused.
      decoding: settings of the signatures that leave their caller no choice.

    All signatures fail with INVALID_ARGUMENT where a language is not written, or a text is too long.
    """

    def __init__(
        self,
        model: EncoderDecoder,
        tokenizer: GraphTokenizer,
        control: ControlTokens,
        *,
        languages: Mapping[str, int],
        written: WrittenPieces,
        max_source_pieces: int,
        decoding: DecodingConfig,
    ):
        self.model, self.tokenizer, self.control = model, tokenizer, control
        self.languages, self.max_source_pieces, self.decoding = dict(languages), max_source_pieces, decoding
        self._written = np.zeros((len(languages), tokenizer.size), bool)  # [L, V]
        for row, language in zip(self._written, languages, strict=True):
            row[written[language]] = True
        # Control pieces stand first in every vocabulary, hence in every shortlist too: they keep their numbers.
        self._written[:, : max(control.start, control.end, control.pad, *control.banned) + 1] = True

    def endpoints(self) -> list[Endpoint | Preset]:
        """Returns the signatures: four with fixed settings for servers, two whose settings are inputs."""
        search = _endpoint("beam_search", self.beam_search, ("prefix",), dataclasses.asdict(self.decoding))
        following = _endpoint("next_pieces", self.next_pieces, ("prefix",), {"num_alternatives": NUM_ALTERNATIVES})
        fixed = {"prefix": "", **dataclasses.asdict(self.decoding)}
        explained = ("translations", "scores", "pieces", "source_pieces", "attention")
        return [
            Preset("serving_default", search, fixed, ("translations", "scores")),
            Preset("explain", search, fixed, explained),
            _endpoint("score", self.score, ("translation",)),
            Preset("alternatives", following, {"num_alternatives": NUM_ALTERNATIVES}, ("pieces", "texts", "log_probs")),
            search,
            following,
        ]

    def beam_search(
        self, text: tf.Tensor, target_language: tf.Tensor, prefix: tf.Tensor, **settings: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Finds the most probable translations.

        Args:
          text: string [B].
          target_language: string [B], codes.
          prefix: string [B], what every translation of a text begins with; may be empty.
          settings: the fields of `DecodingConfig`, scalars for the whole batch.

        Returns:
          translations string [B, N], scores float32 [B, N], log_probs float32 [B, N], pieces string [B, N, T],
          source_pieces string [B, S] (the end of the text is one), attention float32 [B, N, T, S].
        """
        settings = within_limits(settings, DECODING_LIMITS)
        width = settings.pop("beam_width")
        # More results than beams cannot be had.
        num_results = tf.minimum(settings.pop("num_translations"), width)
        source_ids, languages = self._read(text, target_language)
        prefix_ids = self._ids(prefix).to_tensor(PAD)  # -> [B, P]
        lengths = tf.math.count_nonzero(prefix_ids != PAD, axis=1, dtype=tf.int32)
        max_lengths = greatest_lengths(source_ids, settings.pop("max_length_ratio")) + lengths + _EXTRA_AFTER_PREFIX
        options = BeamOptions(width=width, num_results=num_results, max_length=_greatest(max_lengths), **settings)
        rows = {
            "source_ids": source_ids,
            "languages": languages,
            "prefix": _ending_where(source_ids[:, 0] == END, prefix_ids),
            "max_lengths": max_lengths,
        }
        return in_groups(functools.partial(self._translate, options), rows, self._texts_at_once(options, source_ids))

    def _texts_at_once(self, options: BeamOptions, source_ids: tf.Tensor) -> tf.Tensor:
        """Returns how many texts are translated together, by what a search keeps of each: probabilities, attention."""
        attention = options.max_length * tf.shape(source_ids)[1]
        numbers = tf.cast(options.width, tf.float32) * tf.cast(tf.maximum(attention, self.tokenizer.size), tf.float32)
        return tf.clip_by_value(tf.cast(_NUMBERS_AT_ONCE / numbers, tf.int32), 1, _TEXTS_AT_ONCE)

    def _translate(self, options: BeamOptions, rows: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        source_ids = rows["source_ids"]
        hypotheses, ids = self._search(options, choose_inputs=Memory.choose, **rows)
        return {
            "translations": self.tokenizer.decode(ids),
            "scores": hypotheses.scores,
            "log_probs": hypotheses.log_probs,
            "pieces": self._pieces(ids, but=(PAD, END)),
            "source_pieces": self._pieces(source_ids, but=(PAD,)),
            "attention": hypotheses.attention,
        }

    def _search(
        self,
        options: BeamOptions,
        source_ids: tf.Tensor,
        languages: tf.Tensor,
        prefix: tf.Tensor,
        **settings: Any,
    ) -> tuple[Hypotheses, tf.Tensor]:
        """Returns what a search finds with the pieces of each text's target language, and their ids [B, N, T]."""
        shortlist = self._shortlist(languages, prefix)
        memory = self.model.encode(source_ids, shortlist=shortlist)
        hypotheses = beam_search(
            self.model.step,
            self.model.initial_state(memory),
            memory,
            options,
            control=self.control,
            num_places=tf.shape(source_ids)[1],
            start_tokens=tf.gather(list(self.languages.values()), languages),
            prefix=shortlist.numbers(prefix, self.tokenizer.size),
            places_mask=memory.mask,
            **settings,
        )
        return hypotheses, tf.gather(shortlist.token_ids, hypotheses.ids)

    def _shortlist(self, languages: tf.Tensor, prefix: tf.Tensor) -> Shortlist:
        allowed = tf.gather(self._written, languages)  # -> [B, V]
        rows = tf.broadcast_to(tf.range(tf.shape(prefix)[0])[:, tf.newaxis], tf.shape(prefix))
        places = tf.reshape(tf.stack([rows, prefix], axis=-1), [-1, 2])
        return Shortlist.of(tf.tensor_scatter_nd_update(allowed, places, tf.fill(tf.shape(places)[:1], True)))

    def score(self, text: tf.Tensor, target_language: tf.Tensor, translation: tf.Tensor) -> dict[str, tf.Tensor]:
        """Says what given translations string [B] are worth to a search with the fixed settings.

        Returns:
          log_probs float32 [B], scores float32 [B], num_pieces int32 [B], the end counted.
        """
        source_ids, languages = self._read(text, target_language)
        labels = _with_end(self._ids(translation))  # -> [B, T]
        # A search that is given the whole sequence, end included, has but to score it, coverage and all.
        options = BeamOptions(
            width=1,
            length_penalty=self.decoding.length_penalty,
            coverage_penalty=self.decoding.coverage_penalty,
            max_length=tf.shape(labels)[1],
        )
        hypotheses, _ = self._search(options, source_ids, languages, labels)
        return {
            "log_probs": hypotheses.log_probs[:, 0],
            "scores": hypotheses.scores[:, 0],
            "num_pieces": hypotheses.lengths[:, 0],
        }

    def next_pieces(
        self, text: tf.Tensor, target_language: tf.Tensor, prefix: tf.Tensor, num_alternatives: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Finds what may stand behind the beginning of a translation.

        Args:
          text: string [B].
          target_language: string [B], codes.
          prefix: string [B], what has been written; may be empty.
          num_alternatives: scalar, N.

        Returns:
          pieces string [B, N], the most probable first, texts string [B, N], the prefix with each of them behind it,
          and log_probs float32 [B, N] of the pieces.
        """
        num_alternatives = within_limits({"num_alternatives": num_alternatives}, ALTERNATIVES_LIMITS)[
            "num_alternatives"
        ]
        source_ids, languages = self._read(text, target_language)
        prefix_ids = self._ids(prefix).to_tensor(PAD)  # -> [B, P]
        shortlist = self._shortlist(languages, prefix_ids)
        memory = self.model.encode(source_ids, shortlist=shortlist)
        found = next_tokens(
            self.model.step,
            self.model.initial_state(memory),
            memory,
            shortlist.numbers(prefix_ids, self.tokenizer.size),
            control=self.control,
            num_results=num_alternatives,
            start_tokens=tf.gather(list(self.languages.values()), languages),
        )
        ids = tf.gather(shortlist.token_ids, found.ids)
        before = tf.repeat(prefix_ids[:, tf.newaxis], num_alternatives, axis=1)  # -> [B, N, P]
        whole = tf.concat([before, ids[..., tf.newaxis]], axis=-1)
        return {
            "pieces": self.tokenizer.pieces(ids),
            "texts": self.tokenizer.decode(whole),
            "log_probs": found.log_probs,
        }

    def _read(self, text: tf.Tensor, target_language: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns source_ids int32 [B, S], and which of the languages are asked for, int32 [B]."""
        ids = self._ids(text)
        too_long = ids.row_lengths() > self.max_source_pieces
        fault = f"a text has more than {self.max_source_pieces} pieces; split it into sentences. Pieces of the texts:"
        checked = tf.debugging.Assert(~tf.reduce_any(too_long), [fault, ids.row_lengths()], name="check_length")
        asked = target_language[:, tf.newaxis] == list(self.languages)  # -> [B, L]
        fault = f"a target language is none of {', '.join(self.languages)}. Languages asked for:"
        known = tf.debugging.Assert(
            tf.reduce_all(tf.reduce_any(asked, axis=1)), [fault, target_language], name="check_language"
        )
        with tf.control_dependencies([each for each in (checked, known) if each is not None]):
            source_ids = _with_end(ids)
        return source_ids, tf.argmax(asked, axis=1, output_type=tf.int32)

    def _ids(self, text: tf.Tensor) -> tf.RaggedTensor:
        return self.tokenizer.encode(graph_normalise(text))

    def _pieces(self, ids: tf.Tensor, but: tuple[int, ...]) -> tf.Tensor:
        """Returns the pieces string [...] of ids int [...], and nothing for some of them."""
        left_out = tf.reduce_any(ids[..., tf.newaxis] == list(but), axis=-1)
        return tf.where(left_out, "", self.tokenizer.pieces(ids))


def _endpoint(
    name: str, function: Callable, texts: tuple[str, ...], settings: Mapping[str, Any] | None = None
) -> Endpoint:
    strings = [tf.TensorSpec([None], tf.string, name=each) for each in ("text", "target_language", *texts)]
    return Endpoint(name, function, [*strings, *setting_specs(settings or {})])


def _with_end(ids: tf.RaggedTensor) -> tf.Tensor:
    """Returns int32 [B, S] with the end behind each sequence, then padding."""
    padded = tf.pad(ids.to_tensor(PAD), [[0, 0], [0, 1]], constant_values=PAD)
    lengths = tf.cast(ids.row_lengths(), tf.int32)[:, tf.newaxis]
    return tf.where(tf.range(tf.shape(padded)[1]) == lengths, END, padded)


def _ending_where(condition: tf.Tensor, prefix_ids: tf.Tensor) -> tf.Tensor:
    """Returns int32 [B, P + 1]: prefixes, and nothing but the end where condition bool [B] holds."""
    padded = tf.pad(prefix_ids, [[0, 0], [0, 1]], constant_values=PAD)
    end = tf.where(tf.range(tf.shape(padded)[1]) == 0, END, PAD)
    return tf.where(condition[:, tf.newaxis], end, padded)


def _greatest(lengths: tf.Tensor) -> tf.Tensor:
    """Returns the greatest of int32 [B], 1 where there are none."""
    return tf.reduce_max(tf.concat([[1], lengths], axis=0))
