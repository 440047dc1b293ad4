"""Models by name, asked from any thread or event loop; the front ends (REST, gRPC) are over it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ostinato.serving.batch import BatchQueue
from ostinato.serving.batching import BatchingOptions, BatchScheduler
from ostinato.serving.errors import ServingError
from ostinato.serving.metrics import ServingMetrics
from ostinato.serving.repository import ModelConfig, ModelRepository, ServedVersion
from ostinato.serving.servable import Servable
from ostinato.serving.version_status import VersionStatus


@dataclass(frozen=True)
class Prediction:
    """The answer of a model: arrays by name (strings are object arrays of bytes), and the version that gave it."""

    outputs: dict[str, np.ndarray]
    version: int


@dataclass(frozen=True)
class ModelMetadata:
    """What a version says of itself; `signature_defs` are TensorFlow's messages (`SignatureDef`) by name."""

    name: str
    version: int
    signature_defs: Mapping[str, Any]


class ModelServer:
    """Serves the versions of some models, with requests batched dynamically.

        with ModelServer({"caption": Path("saved_models/caption")}) as server:
            captions = server.predict("caption", {"image_bytes": photos}).outputs["captions"]

    Args:
      models: by name, the folder of all versions or a `ModelConfig`.
      batching: how requests are gathered.
      poll_seconds: between two looks for new versions.
      timeout_seconds: after which a request is given up, unless it says otherwise.

    Attributes:
      metrics: what was counted.
      repository: which versions are loaded.
    """

    def __init__(
        self,
        models: Mapping[str, str | Path | ModelConfig],
        *,
        batching: BatchingOptions = BatchingOptions(),  # noqa: B008  # frozen
        poll_seconds: float = 1.0,
        timeout_seconds: float = 60.0,
    ) -> None:
        configs = {
            name: model if isinstance(model, ModelConfig) else ModelConfig(Path(model))
            for name, model in models.items()
        }
        self.metrics = ServingMetrics()
        self.repository = ModelRepository(
            configs, poll_seconds=poll_seconds, load=Servable.load, on_free=self._forget_queues
        )
        self._timeout_seconds = timeout_seconds
        self._scheduler = BatchScheduler(batching)
        self._queues: dict[tuple[ServedVersion, str], BatchQueue] = {}
        self._queues_lock = threading.Lock()
        self.metrics.watch(
            "ostinato_serve_waiting_requests",
            "Requests that wait to be computed.",
            lambda: float(self._scheduler.num_waiting),
        )

    def start(self) -> None:
        """Loads the models (seconds each), and watches for new versions from then on; a broken one is logged."""
        self.repository.start()

    def stop(self, drain_seconds: float = 30.0) -> None:
        """Finishes the requests that were begun, as far as the time allows, and frees the models."""
        self._scheduler.stop(drain_seconds)
        self.repository.stop(drain_seconds)

    def __enter__(self) -> ModelServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def is_ready(self) -> bool:
        """Whether each model has a version that can be asked."""
        return self.repository.is_ready

    @property
    def model_names(self) -> list[str]:
        return sorted(self.repository.models)

    def predict(
        self,
        name: str,
        inputs: Mapping[str, np.ndarray],
        *,
        version: int | None = None,
        label: str | None = None,
        signature: str = "serving_default",
        outputs: Sequence[str] = (),
        timeout_seconds: float | None = None,
    ) -> Prediction:
        """Asks a model and waits for the answer; any thread may.

        Args:
          name: of the model.
          inputs: arrays by name, with a batch dimension; strings are object arrays of bytes.
          version: a number; the newest available one if None.
          label: a name for a version, in its stead.
          signature: what is asked.
          outputs: those that are wanted; all where none is named.
          timeout_seconds: after which the request is given up.

        Raises:
          ServingError: NOT_FOUND (model, version), INVALID_ARGUMENT (all else that is wrong with the request),
            UNAVAILABLE (overload, with `retry_after`), DEADLINE_EXCEEDED, or the code of the graph's own failure.
        """
        seconds = self._timeout_seconds if timeout_seconds is None else timeout_seconds
        with self.use(name, version, label) as served:
            answer = self.submit(served, inputs, signature=signature, outputs=outputs, timeout_seconds=seconds)
            try:
                return Prediction(_chosen(answer.result(seconds), outputs), served.version)
            except (TimeoutError, CancelledError) as error:
                answer.cancel()
                raise _too_late(seconds) from error

    async def predict_of(
        self,
        served: ServedVersion,
        inputs: Mapping[str, np.ndarray],
        *,
        signature: str = "serving_default",
        outputs: Sequence[str] = (),
        timeout_seconds: float | None = None,
    ) -> Prediction:
        """`predict` of a version that is held with `use`, for an event loop, which is not blocked.

        Cancelling it takes the request back.
        """
        seconds = self._timeout_seconds if timeout_seconds is None else timeout_seconds
        answer = self.submit(served, inputs, signature=signature, outputs=outputs, timeout_seconds=seconds)
        try:
            async with asyncio.timeout(seconds):
                return Prediction(_chosen(await asyncio.wrap_future(answer), outputs), served.version)
        except TimeoutError as error:
            raise _too_late(seconds) from error

    @contextmanager
    def use(self, name: str, version: int | None = None, label: str | None = None) -> Iterator[ServedVersion]:
        """Holds a version (`.version`, `.servable.signatures`) until the block ends; raises as `predict`."""
        with self.repository.use(name, version, label) as served:
            yield served

    def submit(
        self,
        served: ServedVersion,
        inputs: Mapping[str, np.ndarray],
        *,
        signature: str = "serving_default",
        outputs: Sequence[str] = (),
        timeout_seconds: float | None = None,
    ) -> Future[dict[str, np.ndarray]]:
        """Puts a request to a version that is held into its queue; the future holds it too. All outputs come back.

        Raises:
          ServingError: as `predict`, where it is known before the request is computed.
        """
        checked = served.servable.check(signature, inputs, outputs)
        seconds = self._timeout_seconds if timeout_seconds is None else timeout_seconds
        queue = self._queue(served, signature or "serving_default")
        self.repository.hold(served)
        try:
            answer = self._scheduler.submit(queue, checked, seconds)
        except ServingError:
            self.repository.release(served)
            self.metrics.refused.labels(served.model, served.version, signature).inc()
            raise
        answer.add_done_callback(lambda _: self.repository.release(served))
        return answer

    def status(self, name: str, version: int | None = None, label: str | None = None) -> list[VersionStatus]:
        """How the versions of a model are, the newest first.

        Raises:
          ServingError: NOT_FOUND, INVALID_ARGUMENT (label).
        """
        return self.repository.status(name, version, label)

    def metadata(self, name: str, version: int | None = None, label: str | None = None) -> ModelMetadata:
        """What a version says of itself.

        Raises:
          ServingError: NOT_FOUND, INVALID_ARGUMENT (label).
        """
        with self.use(name, version, label) as served:
            return ModelMetadata(name, served.version, served.servable.signature_defs)

    def _queue(self, served: ServedVersion, signature: str) -> BatchQueue:
        with self._queues_lock:
            if (served, signature) not in self._queues:
                labels = (served.model, served.version, signature)
                self._queues[served, signature] = BatchQueue(
                    partial(served.servable.run, signature), partial(self._watch, labels)
                )
            return self._queues[served, signature]

    def _watch(self, labels: tuple[str, int, str], num_rows: int, seconds: float) -> None:
        self.metrics.batch_rows.labels(*labels).observe(num_rows)
        self.metrics.batch_seconds.labels(*labels).observe(seconds)

    def _forget_queues(self, served: ServedVersion) -> None:
        with self._queues_lock:
            for key in [key for key in self._queues if key[0] is served]:
                del self._queues[key]


def _chosen(answer: dict[str, np.ndarray], outputs: Sequence[str]) -> dict[str, np.ndarray]:
    return {name: answer[name] for name in outputs or answer}


def _too_late(seconds: float) -> ServingError:
    return ServingError("DEADLINE_EXCEEDED", f"no answer within {seconds:g} s", retry_after=1.0)
