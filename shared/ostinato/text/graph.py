"""The tokenizer as core TensorFlow operations, so that an exported model needs no other op library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import sentencepiece
import tensorflow as tf

from ostinato.text.graph_encoding import UnigramEncoder
from ostinato.text.tokenizer import END, Tokenizer
from ostinato.text.utf8 import NO_BYTE, in_whole_characters

_SPACE = "\u2581"  # stands for a space inside pieces
_REPLACEMENT = "\ufffd"


class GraphTokenizer:
    """Turns text into ids and ids into text within a TensorFlow graph, exactly as `Tokenizer` does in Python.

    Args:
      model: the content of a SentencePiece model file.
      kept: ids of that file, for a network that knows some of its pieces alone: id i of the network is `kept[i]`. Such
        a tokenizer only decodes.

    The table of pieces is a constant of whichever graph uses it: there is nothing to track and nothing to initialise.

    Raises:
      ModelError: the bytes are no SentencePiece model, or one whose control ids are not the project's.
    """

    def __init__(self, model: bytes, kept: Sequence[int] | None = None):
        self._model, self._encodes = model, kept is None
        size = Tokenizer(model).size
        ids = range(size) if kept is None else kept
        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        self._pieces = [processor.id_to_piece(piece_id) for piece_id in ids]
        self._texts = [_text_of(processor, piece_id) for piece_id in ids]
        self._bytes = [_byte_of(processor, piece_id) for piece_id in ids]
        self._has_space_before = [piece.startswith(_SPACE) for piece in self._pieces]

    @property
    def size(self) -> int:
        """Number of pieces of the vocabulary."""
        return len(self._pieces)

    def encode(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Returns the ids int32 [B, (T)] of texts string [B], without start and end.

        The texts are taken as they are, spaces included, as by `Tokenizer.encode`; `graph_normalise` goes before it
        where `normalise` went before that. Each byte that is no part of a whole character is read as U+FFFD.

        `.to_tensor()` pads the result with `PAD`.

        Raises:
          ModelError: the model does more than a unigram segmentation of the text as it is.
          ValueError: it only decodes.
        """
        if not self._encodes:
            raise ValueError("a tokenizer of some of the pieces alone cannot encode")
        return self._encode(tf.convert_to_tensor(texts, tf.string))

    @cached_property
    def _encode(self) -> Callable[[tf.Tensor], tf.RaggedTensor]:
        # A function of its own, for it is many small operations; made when first asked for, which decoding never does.
        return tf.function(
            UnigramEncoder(self._model), input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
        )

    def decode(self, ids: tf.Tensor) -> tf.Tensor:
        """Returns the texts string [...] of ids int [..., T], up to each first end token.

        As in the reference implementation, each byte that is no part of a whole character becomes one U+FFFD, and a
        control piece between two bytes parts them. Ids outside the vocabulary are an error of TensorFlow's.
        """
        kept = tf.math.cumsum(tf.cast(ids == END, tf.int32), axis=-1) == 0
        values = tf.where(kept, tf.gather(tf.constant(self._bytes), ids), NO_BYTE)
        texts = tf.where(kept, tf.gather(tf.constant(self._texts), ids), "")
        texts = tf.where((values == NO_BYTE) | in_whole_characters(values), texts, _REPLACEMENT)
        joined = tf.strings.reduce_join(texts, axis=-1)
        # The space before a text's first word is none of its own; one that a byte or an unknown piece wrote is.
        written = tf.cast(texts != "", tf.int32)
        first = (written == 1) & (tf.math.cumsum(written, axis=-1) == 1)
        has_space_before = tf.gather(tf.constant(self._has_space_before), ids)
        return tf.where(
            tf.reduce_any(first & has_space_before, axis=-1),
            tf.strings.regex_replace(joined, "^ ", "", replace_global=False),
            joined,
        )

    def pieces(self, ids: tf.Tensor) -> tf.Tensor:
        """Returns the pieces string [...] of ids int [...], with U+2581 for a space."""
        return tf.gather(tf.constant(self._pieces), ids)


def _text_of(processor: sentencepiece.SentencePieceProcessor, piece_id: int) -> bytes:
    """What a piece adds to a text: nothing for control pieces, one raw byte for byte pieces."""
    if processor.is_control(piece_id):
        return b""
    if processor.is_unknown(piece_id):
        return b" \xe2\x81\x87 "  # U+2047, as the reference implementation writes it
    if processor.is_byte(piece_id):
        return bytes([_byte_of(processor, piece_id)])
    return processor.id_to_piece(piece_id).replace(_SPACE, " ").encode()


def _byte_of(processor: sentencepiece.SentencePieceProcessor, piece_id: int) -> int:
    """The byte that a byte piece such as `<0xE4>` stands for."""
    return int(processor.id_to_piece(piece_id)[3:5], 16) if processor.is_byte(piece_id) else NO_BYTE
