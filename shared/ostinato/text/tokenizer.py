"""SentencePiece: learning a vocabulary from text, and text to ids and back in Python."""

from __future__ import annotations

import io
import itertools
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import sentencepiece

from ostinato.errors import DataError, ModelError

# The same ids in every vocabulary of the project, so that arrays can be padded with zeros.
PAD, START, END, UNKNOWN = range(4)

MAX_TRAINING_LINES = 1_000_000  # more make the pieces hardly better, but would all have to be held in memory
_SENTENCEPIECE_MAX_BYTES = 4192  # its default: it leaves out longer lines without a word


def train_sentencepiece(
    lines: Iterable[str], vocabulary_size: int, *, control_symbols: Sequence[str] = (), seed: int = 0
) -> bytes:
    """Learns a unigram vocabulary (Kudo 2018) with byte fallback, so that no text is unknown.

    The text is taken as it is (identity normalisation): whoever prepares it normalises it once, in Python, for all.

    Args:
      lines: sentences, read once; of more than `MAX_TRAINING_LINES` as many are drawn.
      vocabulary_size: number of pieces, control pieces and 256 byte pieces included; fewer are learned where the text
        does not hold as many.
      control_symbols: further control pieces, such as target languages; they never arise from text.
      seed: makes the result repeatable where the text is sampled.

    Returns:
      The model file's content.

    Raises:
      DataError: there is no text, or the vocabulary is too small for its characters.
    """
    output = io.BytesIO()
    lines = drawn((line for line in lines if line.strip()), MAX_TRAINING_LINES, seed)
    if not lines:
        raise DataError("there is no text to learn a vocabulary from; check the captions or sentences given")
    sentencepiece.set_random_generator_seed(seed)
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines),
            model_writer=output,
            model_type="unigram",
            # Below what the fixed pieces take, it would not say how many the text needs.
            vocab_size=max(vocabulary_size, 4 + len(control_symbols) + 256),
            hard_vocab_limit=False,
            normalization_rule_name="identity",
            remove_extra_whitespaces=False,
            byte_fallback=True,
            character_coverage=1.0,
            control_symbols=list(control_symbols),
            pad_id=PAD,
            bos_id=START,
            eos_id=END,
            unk_id=UNKNOWN,
            num_threads=1,  # with several, the order of sums and so the pieces would vary
            max_sentence_length=max(_SENTENCEPIECE_MAX_BYTES, *(len(line.encode()) for line in lines)),
            minloglevel=2,
        )
    except RuntimeError as error:
        needed = re.search(r"required_chars\. \d+ vs (\d+)", str(error))
        if needed is None:
            raise DataError(f"no vocabulary can be learned from this text: {error}") from error
        raise DataError(
            f"a vocabulary of {vocabulary_size} pieces is too small: the bytes, the control pieces and the characters "
            f"of the text alone are {needed[1]}; ask for more"
        ) from error
    return output.getvalue()


def drawn(lines: Iterator[str], most: int, seed: int) -> list[str]:
    """Returns all lines in order where they are few, or else `most` of them, each with the same chance.

    Holds no more than these at a time, and with the same seed draws the same.

    Reference: Vitter 1985, Random Sampling with a Reservoir (algorithm R).
    """
    kept = list(itertools.islice(lines, most))
    generator = random.Random(seed)
    for number, line in enumerate(lines, start=len(kept) + 1):
        place = generator.randrange(number)
        if place < most:
            kept[place] = line
    return kept


class Tokenizer:
    """Text to piece ids and back, by a SentencePiece model.

    Args:
      model: the model file's content.

    Attributes:
      model: the same bytes, to be saved beside a network.
      size: number of pieces V.

    Raises:
      ModelError: the bytes are no SentencePiece model, or one whose control ids are not the project's.
    """

    def __init__(self, model: bytes):
        try:
            self._processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        except RuntimeError as error:
            raise ModelError("the tokenizer file is not a SentencePiece model; prepare the data again") from error
        ids = tuple(getattr(self._processor, name)() for name in ("pad_id", "bos_id", "eos_id", "unk_id"))
        if ids != (PAD, START, END, UNKNOWN):
            raise ModelError(f"the tokenizer's control ids are {ids}, not (0, 1, 2, 3); train it with this program")
        self.model = model
        self.size = self._processor.get_piece_size()

    @classmethod
    def load(cls, path: str | Path) -> Tokenizer:
        """Reads a model file.

        Raises:
          ModelError: there is none, or it is damaged.
        """
        try:
            return cls(Path(path).read_bytes())
        except OSError as error:
            raise ModelError(f"there is no tokenizer at {path}; run `prepare` first") from error

    @property
    def control_ids(self) -> list[int]:
        """Ids of the control pieces, which never arise from text: padding, start, end, and target languages."""
        return [piece_id for piece_id in range(self.size) if self._processor.is_control(piece_id)]

    @property
    def alphabet(self) -> list[int]:
        """Ids of the pieces of which any text can be made: bytes, and single characters with or without a space."""
        return [
            piece_id
            for piece_id in range(self.size)
            if self._processor.is_byte(piece_id)
            or (
                not self._processor.is_control(piece_id)
                and len(self._processor.id_to_piece(piece_id).removeprefix("\u2581")) <= 1
            )
        ]

    @property
    def has_byte_fallback(self) -> bool:
        """Whether characters that it does not know become bytes, so that no text is unknown."""
        return self._processor.is_byte(self._processor.piece_to_id("<0x00>"))

    def encode(self, text: str) -> list[int]:
        """Returns the piece ids of one text, without start and end."""
        return self._processor.encode(text)

    def encode_at_random(self, texts: Sequence[str], alpha: float, seed: int) -> list[list[int]]:
        """Returns the ids of a segmentation of each text, drawn in proportion to its probability to the alpha.

        A network that sees a sentence in other pieces every time learns less by heart (subword regularisation, Kudo
        2018, arXiv:1804.10959).

        Args:
          texts: texts.
          alpha: above 0; the smaller, the more alike the chances of all segmentations, and the longer those drawn.
          seed: the same seed draws the same, from 0 to 2**32 - 1.
        """
        sentencepiece.set_random_generator_seed(seed)
        return self._processor.encode(list(texts), enable_sampling=True, alpha=alpha, nbest_size=-1, num_threads=1)

    def decode(self, ids: Sequence[int]) -> str:
        """Returns the text of ids up to the first end token; control pieces are left out."""
        ids = [int(piece_id) for piece_id in ids]
        if END in ids:
            ids = ids[: ids.index(END)]
        return self._processor.decode(ids)

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Returns the pieces as they are written in the model, with U+2581 for a space."""
        return [self._processor.id_to_piece(int(piece_id)) for piece_id in ids]

    def id_of(self, piece: str) -> int:
        """Returns the id of a piece, such as a target language's control piece.

        Raises:
          ModelError: the vocabulary has no such piece.
        """
        piece_id = self._processor.piece_to_id(piece)
        if self._processor.id_to_piece(piece_id) != piece:
            raise ModelError(f"the vocabulary has no piece {piece!r}; it was prepared for other data")
        return piece_id
