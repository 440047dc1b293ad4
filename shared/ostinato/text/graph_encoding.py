"""SentencePiece's unigram segmentation as core TensorFlow operations."""

from __future__ import annotations

import numpy as np
import sentencepiece
import tensorflow as tf
from sentencepiece.sentencepiece_model_pb2 import ModelProto  # type: ignore[attr-defined]  # generated code

from ostinato.errors import ModelError
from ostinato.text.graph_viterbi import best_scores, last_lengths, on_path
from ostinato.text.piece_trie import DEAD, PieceTrie
from ostinato.text.tokenizer import UNKNOWN
from ostinato.text.utf8 import code_points_of, utf8_bytes

_SPACE = "\u2581"  # stands for a space inside pieces
_START = "\n"  # any character, put before each text to have a place there
_UNKNOWN_PENALTY = np.float32(10)  # how far an unknown character lies below the worst piece


class UnigramEncoder:
    """Turns texts into ids within a TensorFlow graph, exactly as the `sentencepiece` package does.

    Args:
      model: the content of a SentencePiece model file.

    The pieces are constants of whichever graph uses them: there is nothing to track and nothing to initialise.

    Raises:
      ModelError: the model does more than a unigram segmentation of the text as it is.

    Reference: Kudo 2018, Subword Regularization: Improving Neural Network Translation Models with Multiple Subword
    Candidates; Kudo & Richardson 2018, SentencePiece.
    """

    def __init__(self, model: bytes):
        description = ModelProto.FromString(model)
        _refuse_what_is_not_supported(description)
        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        kinds = description.SentencePiece
        ids = {piece.piece: i for i, piece in enumerate(description.pieces) if piece.type == kinds.NORMAL}
        self._trie = trie = PieceTrie.of(ids)
        scores = np.array([piece.score for piece in description.pieces], np.float32)
        self._unknown_score = scores[list(ids.values())].min(initial=0) - _UNKNOWN_PENALTY
        self._scores = np.where(trie.piece_ids >= 0, scores[trie.piece_ids], np.float32(-np.inf))
        self._byte_ids: list[int] | None = None
        if description.trainer_spec.byte_fallback:
            self._byte_ids = [processor.piece_to_id(f"<0x{value:02X}>") for value in range(256)]
        self._prefix = _START + (_SPACE if description.normalizer_spec.add_dummy_prefix else "")

    def __call__(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Returns the ids int32 [B, (T)] of texts string [B], without start and end.

        As in the reference implementation, each byte that is no part of a whole character is read as U+FFFD.
        """
        with tf.device("/CPU:0"):  # strings live there, and so many small operations lose on any other device
            return self._encoded(texts)

    def _encoded(self, texts: tf.Tensor) -> tf.RaggedTensor:
        prefixed = tf.where(texts == "", _START, tf.strings.join([self._prefix, texts]))
        characters = code_points_of(prefixed)
        code_points = tf.where(characters.values == ord(" "), ord(_SPACE), characters.values)
        splits = tf.cast(characters.row_splits, tf.int32)
        starts, ends = splits[:-1], splits[1:] - 1
        is_start = tf.scatter_nd(starts[:, tf.newaxis], tf.ones_like(starts), tf.shape(code_points)) == 1
        longest = tf.reduce_max(tf.concat([[0], ends - starts], axis=0))

        states = self._states(tf.where(is_start, 0, self._classes(code_points)))
        is_unknown = tf.gather(self._trie.piece_ids, states[:, 0]) < 0
        scores = tf.gather(self._scores, states)
        first = tf.where(is_unknown, self._unknown_score, scores[:, 0])
        scores = tf.concat([first[:, tf.newaxis], scores[:, 1:]], axis=1)
        best = best_scores(scores, starts, longest)
        lengths = tf.where(is_start, 0, last_lengths(scores, best))
        places = tf.range(tf.size(code_points))
        chosen = on_path(places - lengths, ends, longest) & ~is_start

        picked = tf.boolean_mask(places, chosen)
        lengths = tf.gather(lengths, picked)
        ids = tf.gather(self._trie.piece_ids, tf.gather_nd(states, tf.stack([picked, lengths - 1], axis=1)))
        if self._byte_ids is None:
            is_first = tf.gather(is_start, picked - lengths)
            ids, counts = _runs_of_unknown_merged(ids, is_first)
        else:
            ids, counts = self._unknown_as_bytes(ids, tf.gather(code_points, picked))
        written = tf.cumsum(tf.scatter_nd(picked[:, tf.newaxis], counts, tf.shape(code_points)))
        return tf.RaggedTensor.from_row_splits(ids, tf.concat([[0], tf.gather(written, ends)], axis=0), validate=False)

    def _classes(self, code_points: tf.Tensor) -> tf.Tensor:
        """Returns the classes int32 [N] of the trie; 0 for characters that no piece has."""
        alphabet = tf.constant(self._trie.alphabet)
        place = tf.minimum(tf.searchsorted(alphabet, code_points), len(self._trie.alphabet) - 1)
        return tf.where(tf.gather(alphabet, place) == code_points, place + 1, 0)

    def _states(self, classes: tf.Tensor) -> tf.Tensor:
        """Returns the states int32 [N, L] that 1, 2, ... L characters lead to, read backwards from each place."""
        base, parent = tf.constant(self._trie.base), tf.constant(self._trie.parent)
        depth, count = self._trie.depth, tf.size(classes)
        padded = tf.concat([tf.zeros([depth], tf.int32), classes], axis=0)
        state = tf.fill([count], self._trie.root)
        states = []
        for distance in range(depth):
            following = tf.gather(base, state) + padded[depth - distance : depth - distance + count]
            state = tf.where(tf.gather(parent, following) == state, following, DEAD)
            states.append(state)
        return tf.stack(states, axis=1)

    def _unknown_as_bytes(self, ids: tf.Tensor, code_points: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Writes ids int32 [P] below 0 as the ids of their characters' bytes; returns all and how many each became."""
        values, counts = utf8_bytes(code_points)
        is_unknown = ids < 0
        counts = tf.where(is_unknown, counts, 1)
        table = tf.where(is_unknown[:, tf.newaxis], tf.gather(self._byte_ids, values), ids[:, tf.newaxis])
        return tf.boolean_mask(table, tf.sequence_mask(counts, 4)), counts


def _runs_of_unknown_merged(ids: tf.Tensor, is_first: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Leaves one unknown piece of each run of ids int32 [P] below 0 in a text; returns all and which are left."""
    is_unknown = ids < 0
    follows_unknown = tf.concat([tf.fill([1], False), is_unknown], axis=0)[:-1] & ~is_first
    kept = ~(is_unknown & follows_unknown)
    return tf.boolean_mask(tf.where(is_unknown, UNKNOWN, ids), kept), tf.cast(kept, tf.int32)


def _refuse_what_is_not_supported(description: ModelProto) -> None:
    kinds, normaliser = description.SentencePiece, description.normalizer_spec
    found = {
        "is no unigram model": description.trainer_spec.model_type != description.trainer_spec.UNIGRAM,
        "normalises text": bool(normaliser.precompiled_charsmap) or normaliser.remove_extra_whitespaces,
        "does not escape spaces": not normaliser.escape_whitespaces,
        "puts spaces behind words": description.trainer_spec.treat_whitespace_as_suffix,
        "has user-defined pieces": any(piece.type == kinds.USER_DEFINED for piece in description.pieces),
    }
    for fault, is_so in found.items():
        if is_so:
            raise ModelError(f"the tokenizer {fault}, which the graph's does not do; train it with this program")
