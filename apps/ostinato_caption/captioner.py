"""Captions for a Python user: photos in, sentences out, by an exported model."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ostinato.errors import InputError
from ostinato.export import load_model
from ostinato.export.settings import setting_arrays
from ostinato.images.reading import read_photo
from ostinato.serving.served_model import served_model
from ostinato_caption.config import DecodingConfig, SamplingConfig

if TYPE_CHECKING:
    from PIL import Image

    from ostinato.export import Model

    Photo = str | Path | bytes | Image.Image | np.ndarray

SHIPPED_MODEL = "caption"
BATCH_SIZE = 16
SEARCH_ONLY = ("beam_width", "length_penalty", "patience", "pruning")  # settings that drawing at random has no use for


@dataclasses.dataclass(frozen=True)
class Caption:
    """One sentence about a photo."""

    text: str
    score: float
    """log-probability over length penalty (of a drawn sentence: log-probability); greater is better"""
    probability: float
    """of exactly this sentence under the network, 0 to 1"""
    tokens: tuple[str, ...]
    """the pieces it was written in, U+2581 standing for a space"""
    attention: np.ndarray
    """float32 [tokens, rows, columns]: where on the photo's grid each piece looked, every grid summing to 1"""

    def words(self) -> list[tuple[str, np.ndarray]]:
        """Returns each word with where its pieces looked on average, float32 [rows, columns]."""
        words: list[tuple[str, list[np.ndarray]]] = []
        for token, grid in zip(self.tokens, self.attention, strict=True):
            if token.startswith("\u2581") or not words:
                words.append((token.removeprefix("\u2581"), [grid]))
            else:
                words[-1] = (words[-1][0] + token, [*words[-1][1], grid])
        return [(word, np.mean(grids, axis=0)) for word, grids in words]


class Captioner:
    """Writes captions with an exported model. Nothing but TensorFlow runs: no Keras, no training code.

        captioner = Captioner.load()
        [[caption]] = captioner.caption(["dog.jpg"])
        print(caption.text, caption.score)

    Args:
      model: what `ostinato.export.load_model` or `ostinato.serving.served_model` returned.
    """

    def __init__(self, model: Model):
        self.model = model

    @classmethod
    def load(cls, model: str | Path | None = None, *, server: str | None = None) -> Captioner:
        """Loads an exported folder (with or without its version) or a shipped model by name; else the one that ships.

        Args:
          model: what is loaded.
          server: address of a server that computes instead, see `ostinato.serving.served_model`; of the model's folder
            here only its facts are read.

        Raises:
          ModelError: there is no such model, it is damaged, or it writes no captions.
          ServerError: the address is none.
        """
        name = SHIPPED_MODEL if model is None else model
        loaded = load_model(name) if server is None else served_model(name, server)
        loaded.check_application("ostinato_caption", "captions of photos")
        loaded.check_settings(DecodingConfig)
        return cls(loaded)

    @property
    def decoding(self) -> DecodingConfig:
        """The settings that the model was exported with."""
        return DecodingConfig(**self.model.metadata["decoding"])

    def caption(
        self,
        photos: Sequence[Photo],
        decoding: DecodingConfig | None = None,
        sampling: SamplingConfig | None = None,
    ) -> list[list[Caption]]:
        """Captions photos.

        Args:
          photos: paths, bytes of image files, PIL images, or uint8 arrays [H, W, 3] (RGB) or [H, W] (grey).
          decoding: how to search; the model's own settings if not given.
          sampling: draws captions at random instead of searching.

        Returns:
          For each photo its captions, best first.

        Raises:
          InputError: a photo cannot be read. `caption_each` goes on with the others.
          ConfigError: the search is to return more captions than it keeps.
        """
        results: list[list[Caption]] = []
        for _, result in self.caption_each(photos, decoding, sampling):
            if isinstance(result, InputError):
                raise result
            results.append(result)
        return results

    def caption_each(
        self,
        photos: Iterable[Photo | InputError],
        decoding: DecodingConfig | None = None,
        sampling: SamplingConfig | None = None,
    ) -> Iterator[tuple[Photo | InputError, list[Caption] | InputError]]:
        """Yields each photo with its captions, or with what is wrong with it, in order, a batch at a time.

        Any number of photos takes the memory of one batch. Arguments as in `caption`; an error that stands in the
        place of a photo is passed on.
        """
        signature, settings = request_settings(decoding or self.decoding, sampling)
        return self._caption_in_batches(iter(photos), signature, settings)

    def _caption_in_batches(
        self, photos: Iterator[Photo | InputError], signature: str, settings: Mapping[str, Any]
    ) -> Iterator[tuple[Photo | InputError, list[Caption] | InputError]]:
        while batch := list(itertools.islice(photos, BATCH_SIZE)):
            read = [_read(photo) for photo in batch]
            good = [content for content in read if isinstance(content, bytes)]
            captions = itertools.chain.from_iterable(
                self._caption_batch(group, signature, settings) for group in _groups(good, self.model.call_size)
            )
            for photo, content in zip(batch, read, strict=True):
                result = next(captions) if isinstance(content, bytes) else content
                yield photo, (_naming(result, photo) if isinstance(result, InputError) else result)

    def _caption_batch(
        self, image_bytes: Sequence[bytes], signature: str, settings: Mapping[str, Any]
    ) -> list[list[Caption] | InputError]:
        inputs = {"image_bytes": np.array(list(image_bytes), object), **settings}
        try:
            outputs = self.model.call(signature, inputs)
        except InputError as error:
            # Pillow could read each of them and the model could not: find out which.
            if len(image_bytes) == 1:
                return [InputError(f"is damaged: {error}; save it anew as JPEG or PNG")]
            return [result for content in image_bytes for result in self._caption_batch([content], signature, settings)]
        return [
            _captions_of({name: array[i] for name, array in outputs.items()}, self._grid)
            for i in range(len(image_bytes))
        ]

    @property
    def _grid(self) -> tuple[int, int]:
        rows, columns = self.model.metadata["attention_grid"]
        return rows, columns


def request_settings(decoding: DecodingConfig, sampling: SamplingConfig | None = None) -> tuple[str, dict[str, Any]]:
    """Returns the signature that takes such settings, and them as its inputs (scalars, one for the whole batch).

    Raises:
      ConfigError: the search is to return more captions than it keeps.
    """
    if sampling is None:
        decoding.check_search()
        return "beam_search", setting_arrays(decoding)
    kept = {name: value for name, value in setting_arrays(decoding).items() if name not in SEARCH_ONLY}
    return "sample", kept | setting_arrays(sampling)


def _read(photo: Photo | InputError) -> bytes | InputError:
    if isinstance(photo, InputError):
        return photo
    try:
        return read_photo(photo)
    except InputError as error:
        return error


def _groups(contents: Sequence[bytes], size: int) -> Iterator[Sequence[bytes]]:
    """Yields photos in order, so many as have so many bytes together, or one that has more."""
    start, total = 0, 0
    for place, content in enumerate(contents):
        total += len(content)
        if total > size and place > start:
            yield contents[start:place]
            start, total = place, len(content)
    if contents:
        yield contents[start:]


def _naming(error: InputError, photo: Photo | InputError) -> InputError:
    """Puts the photo's path before what is wrong, where it is not there yet."""
    if isinstance(photo, str | Path) and str(photo) not in str(error):
        return InputError(f"{photo} {error}")
    return error


def _captions_of(outputs: Mapping[str, np.ndarray], grid: tuple[int, int]) -> list[Caption]:
    """Makes captions of one photo's outputs [N, ...], without the padding and the end token."""
    captions = []
    for text, score, log_prob, tokens, attention in zip(
        *(outputs[name] for name in ("captions", "scores", "log_probs", "tokens", "attention")), strict=True
    ):
        written = [token.decode() for token in tokens if token]
        captions.append(
            Caption(
                text=text.decode(),
                score=float(score),
                probability=float(np.exp(log_prob)),
                tokens=tuple(written),
                attention=attention[: len(written)].reshape(-1, *grid),
            )
        )
    return captions
