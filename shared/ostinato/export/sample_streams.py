from collections.abc import Mapping
from typing import Any

import numpy as np

from ostinato.export.endpoints import Endpoint, Sample, sample_tensors
from ostinato.export.stream import describe_stream, pieces_of, zero_state


def stream_samples(endpoint: Endpoint, whole: Sample, num_frames: int = 2) -> list[Sample]:
    """Samples of an endpoint that reads a stream: the first frames of a sequence, each with the state before it.

    Where a call reads several frames, they are read in two halves.

    Args:
      endpoint: has a `Stream`; it is called eagerly.
      whole: a sample of the endpoint that reads whole sequences, two or more of them.
      num_frames: how many frames are read.

    Raises:
      ValueError: the endpoint reads no stream, or the sample does not fit it.
    """
    if endpoint.stream is None:
        raise ValueError(f"Endpoint {endpoint.name} reads no stream.")
    sources: Mapping[str, str] = endpoint.stream.frames
    sequences = {name: np.asarray(whole.inputs[source]) for name, source in sources.items()}
    description = describe_stream(endpoint.stream, endpoint.specs)
    state: dict[str, Any] = zero_state(description, len(next(iter(sequences.values()))))
    others: dict[str, Any] = {
        spec.name: whole.inputs[spec.name] for spec in endpoint.specs if spec.name not in {*sequences, *state}
    }
    samples: list[Sample] = []
    for piece in pieces_of(description, num_frames):
        frames = {name: sequence[:, piece] for name, sequence in sequences.items()}
        samples.append(Sample(endpoint.name, {**frames, **others, **state}))
        outputs = endpoint(sample_tensors(samples[-1], [endpoint]))
        state = {name: outputs[name] for name in state}
    return samples
