"""How fast captioning is, and how much of that is the image network."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ostinato.timing import peak_memory_mb, time_in_turns
from ostinato_caption.captioner import Captioner, request_settings
from ostinato_caption.config import TrainConfig
from ostinato_caption.run import Run


@dataclasses.dataclass(frozen=True)
class Bench:
    """Times are medians over the repetitions, for one batch, photos as bytes in, in milliseconds."""

    photos: int
    beam_width: int
    encoder_ms: float
    """decoding, resizing and the image network"""
    caption_ms: float
    """the same and the search, sentences out"""
    ratio: float
    """of the two, measured in turns"""
    photos_per_second: float
    peak_memory_mb: float
    """resident memory of the process at its highest"""

    def to_dict(self) -> dict[str, Any]:
        """The fields by name."""
        return dataclasses.asdict(self)


def bench_captioning(captioner: Captioner, photos: Sequence[bytes], *, beam_width: int, repeats: int) -> Bench:
    """Times the exported model against its own encoder on the same photos.

    Args:
      captioner: the model.
      photos: one batch of image files.
      beam_width: of the search.
      repeats: how often each is timed, in turns, after two warm-up calls.
    """
    image_bytes = {"image_bytes": np.array(list(photos), object)}
    options = dataclasses.replace(captioner.decoding, beam_width=beam_width, num_captions=1)
    _, settings = request_settings(options)
    calls: list[Callable[[], Any]] = [
        lambda: captioner.model.call("embed", image_bytes),
        lambda: captioner.model.call("beam_search", {**image_bytes, **settings}),
    ]
    times = time_in_turns(calls, repeats)
    encoder_ms, caption_ms = np.median(times, axis=0)
    return Bench(
        photos=len(photos),
        beam_width=beam_width,
        encoder_ms=round(float(encoder_ms), 1),
        caption_ms=round(float(caption_ms), 1),
        ratio=round(float(np.median(times[:, 1] / times[:, 0])), 3),
        photos_per_second=round(1000 * len(photos) / float(caption_ms), 1),
        peak_memory_mb=round(peak_memory_mb(), 1),
    )


def bench_training(run: Run, *, repeats: int) -> dict[str, float]:
    """Times updates of the decoder from cached features.

    Args:
      run: prepared run directory.
      repeats: updates that are timed, after five that are not.

    Returns:
      `target_tokens_per_second`, padding not counted, and `update_ms`, the median.
    """
    from ostinato_caption.train import Training

    training = Training(run, TrainConfig(self_critical_epochs=0))
    model, batches = training.phase_of_features()
    times, tokens = [], []
    # A fixed number of updates of the first epoch; small data sets begin anew.
    updates = itertools.chain.from_iterable(map(batches, itertools.count()))
    for inputs, targets, weights in itertools.islice(updates, repeats + 5):
        start = time.perf_counter()
        model.train_on_batch(inputs, targets, sample_weight=weights)
        times.append(time.perf_counter() - start)
        tokens.append(float(np.sum(weights)) / len(training.decoders))  # that they all read
    times, tokens = times[5:], tokens[5:]
    return {
        "target_tokens_per_second": round(sum(tokens) / sum(times), 1),
        "update_ms": round(1000 * float(np.median(times)), 1),
    }


def sample_photos(folder: Path, number: int) -> list[bytes]:
    """Returns so many photos of a folder, over again where it has fewer."""
    from ostinato.images.finding import find_photos
    from ostinato.images.reading import read_photo

    paths = find_photos([folder])
    return [read_photo(paths[i % len(paths)]) for i in range(number)]
