"""The proof that reading a stream in pieces gives what reading it whole gives."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ostinato.errors import ModelError
from ostinato.export.agreement import check_agreement
from ostinato.export.item_groups import Arrays, all_same, groups_of_one_kind, row, together
from ostinato.export.saved_graph import SignatureDescription
from ostinato.export.stream import is_state, pieces_of, zero_state

Call = Callable[[str, Arrays], dict[str, np.ndarray]]


@dataclass(frozen=True)
class StreamProof:
    """What was checked of a signature that reads a stream.

    Attributes:
      whole: the signature of whole sequences that it was compared with.
      num_streams: sequences that were read in pieces, from the zero state.
      num_frames: of all of them.
      num_streams_in_batches: those that were read alone and beside others.
      largest_difference: of floats, to the whole sequence.
      largest_batch_difference: of floats, alone to beside others.
    """

    whole: str
    num_streams: int
    num_frames: int
    num_streams_in_batches: int
    largest_difference: float
    largest_batch_difference: float


def prove_stream(
    call: Call,
    signatures: Mapping[str, SignatureDescription],
    name: str,
    stream: Mapping[str, Any],
    items: Sequence[Arrays],
    tolerance: float,
) -> StreamProof:
    """Reads sequences from the zero state in pieces, alone and beside others.

    A piece is a frame; where a call reads several, the first half of the sequence and then the other one.

    Args:
      call: from the name of a signature and its inputs to its outputs.
      signatures: those of the model.
      name: of the one that reads pieces.
      stream: what `interface.json` says of it, as `describe_stream` made it.
      items: sequences for the signature of whole sequences, one in each (batch of 1).
      tolerance: floats agree to `tolerance * (1 + |expected|)`.

    Raises:
      ModelError: scores or state differ, or there is nothing to see it on.
      KeyError: the description names what is not there.
    """
    _check_state(name, signatures[name], stream)
    whole = stream["whole"]
    items = [item for item in items if _num_frames(item, stream) > 1]
    num_in_batches, difference, batch_difference = 0, 0.0, 0.0
    for group in groups_of_one_kind(items):
        alone = [_read(call, signatures[name], name, stream, item) for item in group]
        for item, steps in zip(group, alone, strict=True):
            difference = max(difference, _compare(call(whole, item), steps, name, stream, tolerance))
        if all_same(group):
            continue
        in_batch = _read(call, signatures[name], name, stream, together(group))
        for index, steps in enumerate(alone):
            for number, (expected, outputs) in enumerate(zip(steps, in_batch, strict=True)):
                what = f"Signature {name}, {_piece(stream)} {number} of stream {index} beside others"
                compared = check_agreement(what, expected, row(outputs, index), tolerance)
                batch_difference = max(batch_difference, compared)
        num_in_batches += len(group)
    if not num_in_batches:
        raise ModelError(
            f"Signature {whole} has no two different samples of one shape and two or more frames, so that reading "
            f"them by {name} cannot be proved."
        )
    return StreamProof(
        whole=whole,
        num_streams=len(items),
        num_frames=sum(_num_frames(item, stream) for item in items),
        num_streams_in_batches=num_in_batches,
        largest_difference=difference,
        largest_batch_difference=batch_difference,
    )


def _check_state(name: str, signature: SignatureDescription, stream: Mapping[str, Any]) -> None:
    inputs, outputs = (
        {key: (tensor.dtype, tensor.shape) for key, tensor in tensors.items() if is_state(key)}
        for tensors in (signature.inputs, signature.outputs)
    )
    listed = {key: (tensor["dtype"], (None, *tensor["shape"])) for key, tensor in stream["state"].items()}
    if not inputs == outputs == listed:
        raise ModelError(f"Signature {name} takes the state {inputs}, gives {outputs} and is said to have {listed}.")


def _num_frames(item: Arrays, stream: Mapping[str, Any]) -> int:
    return next(item[source].shape[1] for source in stream["frames"].values())


def _read(
    call: Call, signature: SignatureDescription, name: str, stream: Mapping[str, Any], inputs: Arrays
) -> list[dict[str, np.ndarray]]:
    """Returns the outputs of each piece, the state among them."""
    sequences = {key: inputs[source] for key, source in stream["frames"].items()}
    batch, num_frames = next(iter(sequences.values())).shape[:2]
    state = zero_state(stream, batch)
    others = {key: inputs[key] for key in signature.inputs if key not in sequences and key not in state}
    steps: list[dict[str, np.ndarray]] = []
    for piece in pieces_of(stream, num_frames):
        frames = {key: sequence[:, piece] for key, sequence in sequences.items()}
        steps.append(call(name, {**frames, **others, **state}))
        state = {key: steps[-1][key] for key in state}
    return steps


def _compare(whole: Arrays, steps: Sequence[Arrays], name: str, stream: Mapping[str, Any], tolerance: float) -> float:
    """Returns the largest difference of the outputs that the stream and the whole sequence share."""
    expected = {key: whole[source] for key, source in {**stream["each_frame"], **stream["last_frame"]}.items()}
    join = np.concatenate if stream["several"] else np.stack
    streamed = {key: join([step[key] for step in steps], axis=1) for key in stream["each_frame"]}
    streamed |= {key: steps[-1][key] for key in stream["last_frame"]}
    what = f"Signature {name}, read {_piece(stream)} by {_piece(stream)}"
    return check_agreement(what, expected, streamed, tolerance)


def _piece(stream: Mapping[str, Any]) -> str:
    return "piece" if stream["several"] else "frame"
