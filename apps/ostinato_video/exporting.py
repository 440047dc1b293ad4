"""A trained run to a SavedModel that takes frames and answers with labels."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ostinato.errors import DataError, InputError
from ostinato.export import Endpoint, Preset, Sample, export_model, stream_samples, unexported_model
from ostinato.frames.reading import VideoReader
from ostinato.layers import SequenceClassifier
from ostinato.sequences.cross_validation import CROSS_VALIDATION, read_temperature
from ostinato.sequences.store import BACKGROUND
from ostinato_video.config import TimelineConfig
from ostinato_video.graph import WHOLE, VideoGraph
from ostinato_video.model import load_trained
from ostinato_video.run import Run
from ostinato_video.video_classifier import VideoClassifier

_SAMPLE_SIDE = 32  # pixels: samples are kept in the model's folder, written out as numbers
_SAMPLE_FRAMES = 3


def export_run(
    run: Run,
    output: Path,
    *,
    timeline: TimelineConfig | None = None,
    temperature: float | None = None,
    samples: Sequence[np.ndarray],
    metadata: Mapping[str, Any],
    model_card: str | None,
) -> Path:
    """Writes the next version of a model after its proof.

    Args:
      run: a completed run.
      output: folder of all versions, such as `saved_models/video_activities`.
      timeline: defaults of those who make timelines.
      temperature: that logits are divided by, see `VideoGraph`; by default the one that a cross-validation of the run
        has fitted, or 1.
      samples: two or more different clips uint8 [F, H, W, 3] of one shape whose labels the proof compares, small ones.
      metadata: further facts for `interface.json`: scores, terms of the data.
      model_card: text of `model_card.md`, or None.

    Returns:
      The version's folder.

    Raises:
      ModelError: training is not complete, or the proof failed; then nothing is left behind.
    """
    model = load_trained(run)
    temperature = _temperature(run) if temperature is None else temperature
    endpoints = _graph(run, model, temperature).endpoints()
    return export_model(
        output,
        model,
        endpoints,
        _samples(endpoints, samples),
        half_precision=False,  # to cast them for the one frame of a step took 4 % of its time
        metadata={**_facts(run, timeline or TimelineConfig(), temperature), **metadata},
        model_card=model_card,
    )


def classifier_of_run(run: Run) -> VideoClassifier:
    """Returns a classifier with the network of a completed run, which has not been exported.

    Raises:
      ModelError: training is not complete.
    """
    temperature = _temperature(run)
    graph = _graph(run, load_trained(run), temperature)
    facts = _facts(run, TimelineConfig(), temperature)
    return VideoClassifier(unexported_model(run.folder, graph.endpoints(), graph, metadata=facts))


def sample_clips(run: Run) -> list[np.ndarray]:
    """Returns two small clips uint8 [F, H, W, 3] from the first video of a run that is still there.

    Raises:
      DataError: they have all been moved away.
    """
    for record in run.store.records:
        try:
            with VideoReader(record.name, frame_rate=run.prepare_config.frame_rate, max_side=_SAMPLE_SIDE) as reader:
                clip = np.stack([frame.image for frame, _ in zip(reader, range(_SAMPLE_FRAMES), strict=False)])
        except InputError:
            continue
        return [clip, 255 - clip]  # its negative differs from it, whatever it shows
    raise DataError(f"the videos of {run.folder} are gone; put one of them back to where it was")


def _samples(endpoints: Sequence[Endpoint | Preset], clips: Sequence[np.ndarray]) -> list[Sample]:
    whole = Sample(WHOLE, {"frames": np.stack(clips)})
    photos = Sample("jpeg_frames", {"jpeg_frames": [[_jpeg(image) for image in clip] for clip in clips]})
    # Of a stream the first call is enough: the proof reads the whole of it.
    streams = [endpoint for endpoint in endpoints if isinstance(endpoint, Endpoint) and endpoint.stream is not None]
    return [whole, photos, *(stream_samples(endpoint, whole)[0] for endpoint in streams)]


def _jpeg(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG")
    return file.getvalue()


def _temperature(run: Run) -> float:
    return read_temperature(run.folder / CROSS_VALIDATION) or 1.0


def _graph(run: Run, model: SequenceClassifier, temperature: float) -> VideoGraph:
    return VideoGraph(model, run.labels, image_size=run.prepare_config.image_size, temperature=temperature)


def _facts(run: Run, timeline: TimelineConfig, temperature: float) -> dict[str, Any]:
    """What whoever uses the model has to know, for interface.json."""
    store = run.store
    return {
        "application": "ostinato_video",
        "labels": list(run.labels),
        "background": BACKGROUND if BACKGROUND in run.labels else None,
        "kind": "frames" if store.has_frame_labels(range(len(store.records))) else "clips",
        "frame_rate": run.prepare_config.frame_rate,
        "image_size": run.prepare_config.image_size,
        "network": run.prepare_config.network,
        "fine_tuned_blocks": run.train_config.fine_tune_blocks if run.train_config.fine_tunes else 0,
        "parts": list(run.prepare_config.parts),
        "temperature": temperature,
        "decoding": dataclasses.asdict(timeline),
    }
