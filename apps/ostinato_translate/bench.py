"""How fast translation is: training, text to text, and one sentence alone."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from ostinato.timing import peak_memory_mb, time_in_turns
from ostinato.training import feed
from ostinato.training.batches import EndWithLastBatch
from ostinato_translate.batches import Batch
from ostinato_translate.config import TrainConfig
from ostinato_translate.cost import training_operations
from ostinato_translate.run import Run
from ostinato_translate.train import TRAINING, Training

if TYPE_CHECKING:
    from ostinato_translate.translator import Translator

_WARM_UP_UPDATES = 5
_MATRIX_SIDE = 2048  # large enough that products of larger matrices are no faster
_PASSES = 3


@dataclasses.dataclass(frozen=True)
class Bench:
    """How fast an exported model translates; all from text to text, tokenisation included."""

    sentences: int
    beam_width: int
    sentences_per_second: float
    """all of them at once: the median of three passes"""
    call_ms: float
    """one sentence alone, warm: the median over sentences"""
    slowest_call_ms: float
    """95 of 100 such calls are faster"""
    peak_memory_mb: float
    """resident memory of the process at its highest"""

    def to_dict(self) -> dict[str, Any]:
        """The fields by name."""
        return dataclasses.asdict(self)


def bench_translation(translator: Translator, texts: Sequence[str], to: str, *, beam_width: int, repeats: int) -> Bench:
    """Times an exported model.

    Args:
      translator: the model.
      texts: sentences, as they are.
      to: code of the target language.
      beam_width: of the search.
      repeats: how many sentences are translated alone.
    """
    decoding = dataclasses.replace(translator.decoding, beam_width=beam_width, num_translations=1)
    alone = [texts[place * len(texts) // repeats] for place in range(repeats)]  # of all lengths that there are
    translate = partial(translator.translate, to=to, decoding=decoding)
    calls = time_in_turns([partial(translate, text) for text in alone], 1)
    passes = time_in_turns([partial(translate, texts)], _PASSES)
    return Bench(
        sentences=len(texts),
        beam_width=beam_width,
        sentences_per_second=round(1000 * len(texts) / float(np.median(passes)), 1),
        call_ms=round(float(np.median(calls)), 1),
        slowest_call_ms=round(float(np.percentile(calls, 95)), 1),
        peak_memory_mb=round(peak_memory_mb(), 1),
    )


def bench_training(run: Run, config: TrainConfig, *, repeats: int) -> dict[str, float]:
    """Times updates of a training, and how near they come to what the machine can multiply.

    Args:
      run: prepared run directory; nothing is written there.
      config: settings of the training.
      repeats: updates that are timed, after five that are not.

    Returns:
      `target_tokens_per_second`, padding not counted; `update_ms`, the median; `gflops` of the matrix products of the
      updates, padding not counted; `peak_gflops` of a single large matrix product in the training's precision;
      `share_of_peak`, in percent.
    """
    training = Training(run, dataclasses.replace(config, epochs=1, self_critical_epochs=0))
    training.compile(1000)
    tokens, operations = [], []

    def batches() -> Iterator[Batch]:
        epochs = map(training.batches[TRAINING], itertools.count())  # small data sets begin anew
        for batch in itertools.islice(itertools.chain.from_iterable(epochs), _WARM_UP_UPDATES + repeats):
            tokens.append(float(np.sum(batch[2])))
            operations.append(training_operations(config, run.tokenizer.size, batch))
            yield batch

    data = feed(batches)
    tokens.clear()
    operations.clear()  # of the batch that told their shape
    stopwatch = _Stopwatch()
    training.model.fit(data, verbose=0, shuffle=False, callbacks=[stopwatch, EndWithLastBatch(data)])
    times = np.diff(stopwatch.ends)[_WARM_UP_UPDATES - 1 :]
    seconds = float(np.sum(times))
    gflops = sum(operations[_WARM_UP_UPDATES:]) / seconds / 1e9
    peak = matrix_product_gflops("bfloat16" if config.precision == "mixed_bfloat16" else "float32")
    return {
        "target_tokens_per_second": round(sum(tokens[_WARM_UP_UPDATES:]) / seconds, 1),
        "update_ms": round(1000 * float(np.median(times)), 1),
        "gflops": round(gflops, 1),
        "peak_gflops": round(peak, 1),
        "share_of_peak": round(100 * gflops / peak, 1),
    }


class _Stopwatch(keras.callbacks.Callback):
    """Notes when each update ended. What lies between is all that an update waits for, its data included."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[float] = []

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Notes the time."""
        self.ends.append(time.perf_counter())


def matrix_product_gflops(dtype: str, side: int = _MATRIX_SIDE) -> float:
    """Returns how many 10^9 floating-point operations a second this machine reaches in one large matrix product.

    Args:
      dtype: `float32` or `bfloat16`.
      side: rows and columns of the square matrices.
    """
    import tensorflow as tf

    matrix = tf.cast(tf.random.normal((side, side)), dtype)
    times = time_in_turns([lambda: tf.linalg.matmul(matrix, matrix)[0, 0].numpy()], 10)
    return 2 * side**3 / (float(np.min(times)) / 1000) / 1e9
