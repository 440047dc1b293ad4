import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from ostinato.export import rest
from ostinato.export.answering import PythonAnswers, arrays
from ostinato.export.endpoints import Endpoint, Preset, Sample, Signature, check_endpoints, sample_tensors
from ostinato.export.fresh_process import prove_in_fresh_process
from ostinato.export.interface import smallest_request, write_interface
from ostinato.export.precision import HalfPrecisionWeights
from ostinato.export.proof import PROOF_SAMPLES_FILE
from ostinato.export.publishing import new_version
from ostinato.export.saved_graph import read_graph
from ostinato.export.warmup import WARMUP_FILE, Request, write_requests

Weights = HalfPrecisionWeights | None


def export_model(
    output: Path,
    model: keras.layers.Layer | Sequence[keras.layers.Layer],
    endpoints: Sequence[Signature],
    samples: Sequence[Sample],
    *,
    half_precision: bool = True,
    trackables: Sequence[Any] = (),
    assets: Mapping[str, bytes | Path] | None = None,
    metadata: Mapping[str, Any] | None = None,
    model_card: str | None = None,
    warmup: Sequence[Sample] | None = None,
    tolerance: float = 1e-4,
) -> Path:
    """Writes the next version of a model, proves it in a fresh process, and only then renames it into place.

    Args:
      output: folder of all versions, such as `saved_models/caption`; its name is the model's name on a server.
      model: the built models and layers that the endpoints use, none that they do not: all their weights are written.
      endpoints: what can be asked; one is named `serving_default`. They are called eagerly here, for the answers of the
        samples, and traced once.
      samples: fixed requests whose answers the proof compares; for each endpoint at least two different items of one
        shape. The smallest is shown in `interface.json`.
      half_precision: store matrices and kernels as float16, see `HalfPrecisionWeights`. The answers are those of the
        rounded weights; the model keeps its own.
      trackables: lookup tables, and layers that hold them.
      assets: the application's own files, by name; found again in `LoadedModel.assets`.
      metadata: the application's own facts for `interface.json`, as JSON has them.
      model_card: text of `model_card.md`.
      warmup: requests that a server replays as it starts, at most 1,000; the samples where none are given.
      tolerance: floats agree to `tolerance * (1 + |expected|)`; all else exactly.

    Returns:
      the new version folder.

    Raises:
      ValueError: endpoints or samples that do not fit together.
      ModelError: the folder cannot be written to, or the model failed its proof; then nothing is left behind.
    """
    check_endpoints(endpoints, samples)
    sampled = [(sample, sample_tensors(sample, endpoints)) for sample in samples]
    warming = [(sample, sample_tensors(sample, endpoints)) for sample in warmup or ()]
    layers = list(model) if isinstance(model, Sequence) else [model]
    weights = HalfPrecisionWeights(layers) if half_precision else None
    answers = PythonAnswers(weights)

    with new_version(output) as version:
        folder = version.partial
        requests = [_answered(sample, inputs, endpoints, answers) for sample, inputs in sampled]
        _write_saved_model(folder, endpoints, weights, trackables)
        if warmup is None:
            write_requests(folder / WARMUP_FILE, requests, output.name)
        else:
            unanswered = [Request(sample.endpoint, arrays(inputs)) for sample, inputs in warming]
            write_requests(folder / WARMUP_FILE, unanswered, output.name)
            write_requests(folder / PROOF_SAMPLES_FILE, requests, output.name)
        shown = {endpoint.name: _shown_sample(endpoint, requests, answers) for endpoint in endpoints}
        write_interface(folder, output.name, read_graph(folder), endpoints, shown, metadata or {})
        _write_files(folder, assets or {}, model_card)
        report = prove_in_fresh_process(folder, tolerance)
        (folder / "proof.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        return version.publish()


def _answered(
    sample: Sample, inputs: Mapping[str, tf.Tensor], endpoints: Sequence[Signature], answers: PythonAnswers
) -> Request:
    endpoint = next(each for each in endpoints if each.name == sample.endpoint)
    return Request(endpoint.name, arrays(inputs), answers(endpoint, inputs))


def _shown_sample(
    endpoint: Signature, requests: Sequence[Request], answers: PythonAnswers
) -> tuple[dict[str, Any], dict[str, Any]]:
    inputs, request = smallest_request(endpoint, requests)
    # Asked anew, alone: in its batch the answer may have been padded.
    outputs = answers(
        endpoint, {spec.name: tf.convert_to_tensor(inputs[spec.name], spec.dtype) for spec in endpoint.specs}
    )
    return request, rest.to_answer(request, outputs)


def _write_saved_model(
    folder: Path, endpoints: Sequence[Signature], weights: Weights, trackables: Sequence[Any]
) -> None:
    archive = keras.export.ExportArchive()
    for trackable in trackables:
        archive.track(trackable)
    traced = {}
    for endpoint in endpoints:
        asked = endpoint.endpoint if isinstance(endpoint, Preset) else endpoint
        if asked.name not in traced:
            traced[asked.name] = _graph_function(asked, weights)
        archive.add_endpoint(endpoint.name, _call_of(endpoint, traced[asked.name]), endpoint.specs)
    # Nobody trains what is exported, so the gradients of its ops need not be stored.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    archive.write_out(str(folder), options=options, verbose=False)


def _graph_function(endpoint: Endpoint, weights: Weights) -> Any:
    def call(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        with nullcontext() if weights is None else weights.scope():
            return endpoint({spec.name: tensor for spec, tensor in zip(endpoint.specs, tensors, strict=True)})

    # Concrete, for whoever asks a function that traces itself has it trace again.
    return tf.function(call, input_signature=endpoint.specs, autograph=False).get_concrete_function()


def _call_of(endpoint: Signature, graph_function: Any) -> Any:
    def call(*tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        inputs = {spec.name: tensor for spec, tensor in zip(endpoint.specs, tensors, strict=True)}
        if not isinstance(endpoint, Preset):
            return graph_function(*inputs.values())
        answer = graph_function(*endpoint.complete(inputs).values())
        return {name: answer[name] for name in endpoint.outputs}

    return call


def _write_files(folder: Path, assets: Mapping[str, bytes | Path], model_card: str | None) -> None:
    extra = folder / "assets.extra"
    for name, content in assets.items():
        if Path(name).name != name or (extra / name).exists():
            raise ValueError(f"An asset cannot be named {name!r}; give a plain file name that is not taken.")
        if isinstance(content, bytes):
            (extra / name).write_bytes(content)
        else:
            shutil.copyfile(content, extra / name)
    if model_card is not None:
        (folder / "model_card.md").write_text(model_card, encoding="utf-8")
