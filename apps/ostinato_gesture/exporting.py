"""A trained run to a SavedModel that takes landmarks or features and answers with gestures, and to a LiteRT file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ostinato.errors import DataError
from ostinato.export import Endpoint, Preset, Sample, export_model, stream_samples, unexported_model
from ostinato.layers import SequenceClassifier
from ostinato.sequences.cross_validation import CROSS_VALIDATION, read_temperature
from ostinato.training import load_weights
from ostinato_gesture.config import EventConfig
from ostinato_gesture.gesture_recognizer import GestureRecognizer
from ostinato_gesture.graph import WHOLE, GestureGraph
from ostinato_gesture.litert import STEP_FILE, check_step, convert_step
from ostinato_gesture.model import FRAME_SHAPE, LANDMARKS, make_gesture_classifier
from ostinato_gesture.model_facts import ModelFacts
from ostinato_gesture.run import Run

_SAMPLE_FRAMES = 3
_LITERT_FRAMES = 40  # that TensorFlow and LiteRT are compared on: more than a hand may be gone for


def load_trained(run: Run) -> SequenceClassifier:
    """Returns the network of a completed run, computing in float32 on every processor.

    Raises:
      ModelError: training is not complete.
    """
    run.check_trained()
    config = dataclasses.replace(run.train_config, precision="float32")
    model = make_gesture_classifier(
        config, len(run.labels), run.kind, run.store.feature_size, run.prepare_config.num_hands
    )
    load_weights(run.model_path, model)
    for layer in model.layers:
        if isinstance(layer, keras.layers.LSTM):
            layer.use_cudnn = False  # where a GPU is seen, the graph would need one
    return model


def export_run(
    run: Run,
    output: Path,
    *,
    events: EventConfig | None = None,
    temperature: float | None = None,
    metadata: Mapping[str, Any] | None = None,
    model_card: str | None = None,
) -> Path:
    """Writes the next version of a model after its proof, `gesture_step.tflite` among its assets.

    Args:
      run: a completed run.
      output: folder of all versions, such as `saved_models/gesture`.
      events: defaults of those who look for events.
      temperature: that logits are divided by, see `GestureGraph`; by default the one that a cross-validation of the
        run has fitted, or 1.
      metadata: further facts for `interface.json`: scores, terms of the data.
      model_card: text of `model_card.md`, or None.

    Returns:
      The version's folder.

    Raises:
      ModelError: training is not complete, the proof failed, or LiteRT gives other scores; then nothing is left behind.
      DataError: the run holds no two sequences to try the model on.
    """
    samples = sample_sequences(run)
    temperature = _temperature(run) if temperature is None else temperature
    graph = _graph(run, load_trained(run), temperature)
    endpoints = graph.endpoints()
    step = convert_step(graph)
    check_step(step, graph, _stretched(samples[0], _LITERT_FRAMES))
    return export_model(
        output,
        graph.model,
        endpoints,
        _samples(graph, endpoints, [sample[:_SAMPLE_FRAMES] for sample in samples]),
        half_precision=False,  # the network is small, and LiteRT's file holds the same weights
        assets={STEP_FILE: step},
        metadata={**_facts(run, events or EventConfig(), temperature), **(metadata or {})},
        model_card=model_card,
    )


def recognizer_of_run(run: Run) -> GestureRecognizer:
    """Returns a recognizer with the network of a completed run, which has not been exported.

    Raises:
      ModelError: training is not complete.
    """
    temperature = _temperature(run)
    graph = _graph(run, load_trained(run), temperature)
    facts = _facts(run, EventConfig(), temperature)
    return GestureRecognizer(unexported_model(run.folder, graph.endpoints(), graph, metadata=facts))


def sample_sequences(run: Run) -> list[np.ndarray]:
    """Returns the two sequences of a run that hold the most, of one length: float32 [F, ...] of frames, different ones.

    Raises:
      DataError: there are no two such sequences.
    """
    store = run.store
    long_enough = [row for row, record in enumerate(store.records) if record.num_frames >= _SAMPLE_FRAMES]
    # A sequence in which no hand is found tries little.
    rows = sorted(long_enough, key=lambda row: -np.count_nonzero(store.features_of(row)[:_SAMPLE_FRAMES]))[:2]
    if len(rows) < 2:
        raise DataError(
            f"{run.folder} holds fewer than two sequences of {_SAMPLE_FRAMES} frames or more; prepare data with some"
        )
    length = min(store.records[row].num_frames for row in rows)
    samples = [store.features_of(row)[:length].astype(np.float32).reshape(length, *_frame_shape(run)) for row in rows]
    if np.array_equal(samples[0][:_SAMPLE_FRAMES], samples[1][:_SAMPLE_FRAMES]):
        samples[1] = samples[1][::-1] + 1.0  # all alike: any other will do
    return samples


def _samples(
    graph: GestureGraph, endpoints: Sequence[Endpoint | Preset], sequences: Sequence[np.ndarray]
) -> list[Sample]:
    whole = Sample(WHOLE, {graph.kind: np.stack(sequences)})
    # Of a stream the first call is enough: the proof reads the whole of it.
    streams = [endpoint for endpoint in endpoints if isinstance(endpoint, Endpoint) and endpoint.stream is not None]
    return [whole, *(stream_samples(endpoint, whole)[0] for endpoint in streams)]


def _stretched(sequence: np.ndarray, num_frames: int) -> np.ndarray:
    """Returns a sequence as often as it takes, with frames of zeros in between: hands that are gone and come back."""
    gap = np.zeros((num_frames // 2, *sequence.shape[1:]), np.float32)
    return np.concatenate([sequence[: num_frames // 2], gap, sequence[: num_frames // 2]])


def _temperature(run: Run) -> float:
    return read_temperature(run.folder / CROSS_VALIDATION) or 1.0


def _frame_shape(run: Run) -> tuple[int, ...]:
    return FRAME_SHAPE if run.kind == LANDMARKS else (run.store.feature_size,)


def _graph(run: Run, model: SequenceClassifier, temperature: float) -> GestureGraph:
    return GestureGraph(model, run.labels, run.kind, frame_shape=_frame_shape(run), temperature=temperature)


def _facts(run: Run, events: EventConfig, temperature: float) -> dict[str, Any]:
    """What whoever uses the model has to know, for interface.json."""
    facts = ModelFacts(
        labels=run.labels,
        none=run.none,
        kind=run.kind,
        frame_shape=_frame_shape(run),
        frame_rate=run.prepare_config.frame_rate,
        num_hands=run.prepare_config.num_hands,
    )
    return {
        "application": "ostinato_gesture",
        **facts.to_metadata(),
        "temperature": temperature,
        "decoding": dataclasses.asdict(events),
        "litert": STEP_FILE,
    }
