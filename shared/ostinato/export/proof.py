"""The proof of an exported model: `python -m ostinato.export.proof FOLDER`.

It is meant for a fresh process, which knows the model by its folder alone and has loaded no op but TensorFlow's own:
there an op that is not part of core TensorFlow is not registered. Standard output gets one JSON object on one line, the
report or `{"failure": "..."}`; the exit code is 0 or 2.
"""

import argparse
import dataclasses
import functools
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from ostinato.errors import ModelError
from ostinato.export import rest
from ostinato.export.agreement import check_agreement, check_padded_agreement
from ostinato.export.graph_checks import check_batch_dimensions, check_ops
from ostinato.export.item_groups import all_same, groups_of_one_kind, row, together
from ostinato.export.loading import LoadedModel, load_model
from ostinato.export.saved_graph import SavedGraph, read_graph, reason_of
from ostinato.export.stream import is_state
from ostinato.export.stream_proof import StreamProof, prove_stream
from ostinato.export.warmup import WARMUP_FILE, Request, batch_size, read_requests, single_items

PROOF_SAMPLES_FILE = "assets.extra/proof_samples"


@dataclass(frozen=True)
class SignatureProof:
    """What was checked of one signature.

    Attributes:
      num_answers: requests whose answers were compared with those of the Python model.
      num_items_in_batches: items compared alone and beside others.
      largest_difference: of floats, to the Python model.
      largest_batch_difference: of floats, alone to beside others.
    """

    num_answers: int
    num_items_in_batches: int
    largest_difference: float
    largest_batch_difference: float


@dataclass(frozen=True)
class ProofReport:
    """What a model passed.

    Attributes:
      tensorflow: version of TensorFlow that ran it.
      tolerance: floats agree to `tolerance * (1 + |expected|)`; strings and integers exactly.
      num_warmup_requests: replayed.
      signatures: by name.
      streams: those signatures that read a stream frame by frame, by name.
      ops: every op of every signature and of the functions under them.
    """

    tensorflow: str
    tolerance: float
    num_warmup_requests: int
    signatures: Mapping[str, SignatureProof]
    streams: Mapping[str, StreamProof]
    ops: tuple[str, ...]


def prove(folder: Path, tolerance: float = 1e-4) -> ProofReport:
    """Checks an exported model: ops, batch dimension, answers, batches, streams, warm-up, the sample in its interface.

    Raises:
      ModelError: the first check that fails, in one sentence.
    """
    graph = read_graph(folder)
    check_ops(graph)
    check_batch_dimensions(graph)
    model = load_model(folder, rebuild=True)  # as a server and any other program will
    warmup = read_requests(folder / WARMUP_FILE)
    requests = [*warmup, *read_requests(folder / PROOF_SAMPLES_FILE)]
    for request in requests:
        if request.signature not in graph.signatures:
            raise ModelError(f"A stored request is for signature {request.signature}, which the model does not have.")
    signatures = {name: _prove_signature(model, graph, name, requests, tolerance) for name in graph.signatures}
    return ProofReport(
        tensorflow=tf.__version__,
        tolerance=tolerance,
        num_warmup_requests=len(warmup),
        signatures=signatures,
        streams=_prove_streams(model, graph, requests, tolerance),
        ops=tuple(sorted(graph.ops)),
    )


def _prove_signature(
    model: LoadedModel, graph: SavedGraph, name: str, requests: Sequence[Request], tolerance: float
) -> SignatureProof:
    requests = [request for request in requests if request.signature == name]
    answered = [request for request in requests if request.answer]
    if not answered:
        raise ModelError(f"Signature {name} has no sample with an answer to compare with.")
    difference = 0.0
    for request in requests:
        outputs = _call(model, name, request.inputs)
        if request.answer:
            difference = max(difference, check_agreement(f"Signature {name}", request.answer, outputs, tolerance))
    difference = max(difference, _check_interface_sample(model, graph, name, tolerance))
    num_items, batch_difference = _check_batches(model, name, single_items(answered, name), tolerance)
    return SignatureProof(
        num_answers=len(answered),
        num_items_in_batches=num_items,
        largest_difference=difference,
        largest_batch_difference=batch_difference,
    )


def _check_interface_sample(model: LoadedModel, graph: SavedGraph, name: str, tolerance: float) -> float:
    signature = graph.signatures[name]
    try:
        sample = model.interface["signatures"][name]["sample"]
        inputs = rest.from_request(sample["request"], signature.inputs)
        answer = rest.from_answer(sample["answer"], signature.outputs)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"The sample of signature {name} in interface.json is missing or cannot be read.") from error
    return check_agreement(f"The sample of {name} in interface.json", answer, _call(model, name, inputs), tolerance)


def _check_batches(
    model: LoadedModel, name: str, items: Sequence[Mapping[str, np.ndarray]], tolerance: float
) -> tuple[int, float]:
    """Items of one shape and of the same settings together and one by one: how many, and how far apart."""
    num_items, difference = 0, 0.0
    for group in groups_of_one_kind(items):
        if all_same(group):
            continue
        batch = _call(model, name, together(group))
        for index, item in enumerate(group):
            what = f"Signature {name}, item {index} beside others"
            alone = _call(model, name, item)
            difference = max(difference, check_padded_agreement(what, alone, row(batch, index), tolerance))
        num_items += len(group)
    if not num_items:
        raise ModelError(f"Signature {name} has no two different samples of one shape, so batches cannot be proved.")
    return num_items, difference


def _prove_streams(
    model: LoadedModel, graph: SavedGraph, requests: Sequence[Request], tolerance: float
) -> dict[str, StreamProof]:
    proofs = {}
    for name, signature in graph.signatures.items():
        stream = model.interface["signatures"][name].get("stream")
        if stream is None:
            if any(is_state(each) for each in (*signature.inputs, *signature.outputs)):
                raise ModelError(f"Signature {name} has state, and interface.json does not say of what stream.")
            continue
        try:
            items = single_items(requests, stream["whole"])
            call = functools.partial(_call, model)
            proofs[name] = prove_stream(call, graph.signatures, name, stream, items, tolerance)
        except (KeyError, TypeError) as error:
            raise ModelError(f"interface.json names what signature {name} does not have: {error}.") from error
    return proofs


def _call(model: LoadedModel, name: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Runs a signature; insists that each output has as many rows as the inputs."""
    try:
        outputs = model.signatures[name](**{key: tf.convert_to_tensor(value) for key, value in inputs.items()})
    except (tf.errors.OpError, TypeError, ValueError) as error:
        raise ModelError(f"Signature {name} fails on a stored request ({reason_of(error)}).") from error
    arrays = {key: value.numpy() for key, value in outputs.items()}
    batch = batch_size(inputs)
    for key, array in arrays.items():
        if not array.ndim or len(array) != batch:
            raise ModelError(f"Signature {name}, output {key} has shape {list(array.shape)} for a batch of {batch}.")
    return arrays


def main(arguments: Sequence[str] | None = None) -> int:
    """Proves the folder named on the command line; exit code 0 or 2."""
    parser = argparse.ArgumentParser(prog="python -m ostinato.export.proof", description=prove.__doc__)
    parser.add_argument("folder", type=Path, help="version folder of an exported model")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="of floats")
    options = parser.parse_args(arguments)
    try:
        result = dataclasses.asdict(prove(options.folder, options.tolerance))
    except ModelError as error:
        result = {"failure": str(error)}
    sys.stdout.write(json.dumps(result) + "\n")
    return 2 if "failure" in result else 0


if __name__ == "__main__":
    sys.exit(main())
