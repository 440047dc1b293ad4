"""Features of many photos, computed once and kept on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import tensorflow as tf

from ostinato.compiling import compiled
from ostinato.errors import InputError
from ostinato.images.reading import read_photo
from ostinato.layers import ImageEncoder
from ostinato_caption.augmentation import load, vary

_BATCH_SIZE = 32


def read_photos(paths: Iterable[str], on_error: Callable[[InputError], None]) -> Iterator[bytes | None]:
    """Yields the bytes of each photo, read ahead by two threads; None, after reporting it, for one that is damaged."""

    def read(path: str) -> bytes | InputError:
        try:
            return read_photo(path)
        except InputError as error:
            return error

    paths = iter(paths)
    with ThreadPoolExecutor(2) as pool:
        while group := list(islice(paths, 2 * _BATCH_SIZE)):  # bounded: a photo may be large
            for result in pool.map(read, group):
                if isinstance(result, InputError):
                    on_error(result)
                    yield None
                else:
                    yield result


def cache_features(
    path: Path,
    encoder: ImageEncoder,
    photos: Sequence[str],
    *,
    image_size: int,
    mirrored: bool = False,
    num_varied: int = 0,
    seed: int = 0,
    on_error: Callable[[InputError], None] = lambda error: None,
    on_photo: Callable[[], None] = lambda: None,
) -> list[int]:
    """Writes the features of photos into one array file, a batch at a time: memory does not grow with their number.

    Args:
      path: the `.npy` file, float16 [photos, views, S, D]; it appears when it is complete.
      encoder: the image network.
      photos: paths, in the order of the rows.
      image_size: pixels of the square that photos are resized to.
      mirrored: whether a second view of each photo, mirrored, is computed.
      num_varied: further views, varied at random as `augmentation.vary` does.
      seed: decides on the variations.
      on_error: told of each damaged photo, whose row stays zero.
      on_photo: called after each photo.

    Returns:
      The rows of the photos that could be read.
    """
    num_views = 1 + mirrored + num_varied
    _, num_places, feature_size = encoder.compute_output_shape((None, image_size, image_size, 3))

    encode = compiled(lambda images: encoder(images))  # one graph for all views

    def see(image_bytes: tf.Tensor, first_row: int) -> Iterator[tf.Tensor]:
        images = load(image_bytes, image_size)  # -> [B, H, W, 3]
        yield encode(images)
        if mirrored:
            yield encode(images[:, :, ::-1])
        for number in range(num_varied):
            yield encode(vary(images, tf.constant([seed + number, first_row])))

    partial = path.with_name(f".{path.name}.partial")
    array = np.lib.format.open_memmap(
        partial, mode="w+", dtype=np.float16, shape=(len(photos), num_views, num_places, feature_size)
    )
    good: list[int] = []

    def write(batch: list[tuple[int, bytes]]) -> None:
        try:
            views = list(see(tf.constant([content for _, content in batch], tf.string), batch[0][0]))
        except tf.errors.InvalidArgumentError:
            # Pillow could read each of them and TensorFlow could not: find out which.
            if len(batch) == 1:
                on_error(InputError(f"{photos[batch[0][0]]} is damaged in a way that TensorFlow refuses; save it anew"))
            else:
                for one in batch:
                    write([one])
            return
        rows = [row for row, _ in batch]
        for view, features in enumerate(views):
            array[rows, view] = features.numpy().astype(np.float16)
        good.extend(rows)

    pending: list[tuple[int, bytes]] = []
    try:
        for row, content in enumerate(read_photos(photos, on_error)):
            if content is not None:
                pending.append((row, content))
            if len(pending) == _BATCH_SIZE:
                write(pending)
                pending = []
            on_photo()
        if pending:
            write(pending)
        array.flush()
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return good
