"""A signature that reads a frame, or a few frames, at a time what another one reads whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ostinato.export.dtypes import array_dtype

if TYPE_CHECKING:
    import tensorflow as tf

_STATE_PREFIX = "state_"


@dataclass(frozen=True)
class Stream:
    """How the calls of an endpoint follow one another, told so that the export can prove it.

    Inputs named `state_*` carry what was seen from one call to the next: each is an output of the same name, shape and
    dtype, and zero where a stream begins. Further inputs that are neither frames nor state are those of `whole` of the
    same name.

    Attributes:
      whole: name of the endpoint that reads whole sequences.
      frames: by input of the step, [B, ...], the input of `whole`, [B, F, ...], that it is one frame of.
      each_frame: by output of the step, [B, ...], the output of `whole`, [B, F, ...], that it is one row of.
      last_frame: by output of the step, the output of `whole` that it equals once the last frame was read.
      several: a call reads any number of frames, one or more: `frames` and `each_frame` keep their axis of frames.
    """

    whole: str
    frames: Mapping[str, str]
    each_frame: Mapping[str, str]
    last_frame: Mapping[str, str]
    several: bool = False


def is_state(name: str) -> bool:
    """Whether an input or output of that name is carried from call to call."""
    return name.startswith(_STATE_PREFIX)


def zero_state(description: Mapping[str, Any], batch: int) -> dict[str, np.ndarray]:
    """Returns the state of B streams before their first frame, from a description as `describe_stream` makes it."""
    return {
        name: np.zeros([batch, *tensor["shape"]], array_dtype(tensor["dtype"]))
        for name, tensor in description["state"].items()
    }


def pieces_of(description: Mapping[str, Any], num_frames: int) -> Sequence[int | slice]:
    """Returns the places of the frames that each call reads, for one who tries a stream: frame by frame or by halves.

    The first half is the larger one, so that calls with more frames, fewer and one are tried.
    """
    if not description["several"]:
        return list(range(num_frames))
    half = (num_frames + 1) // 2
    return [slice(0, half), slice(half, num_frames)][: min(num_frames, 2)]


def describe_stream(stream: Stream, specs: Sequence[tf.TensorSpec]) -> dict[str, Any]:
    """Returns the stream of an endpoint with these inputs as `interface.json` has it.

    `state` lists its tensors with dtype and shape, the batch left out: zeros of them begin a stream.
    """
    return {
        "whole": stream.whole,
        "frames": dict(stream.frames),
        "each_frame": dict(stream.each_frame),
        "last_frame": dict(stream.last_frame),
        "several": stream.several,
        "state": {
            spec.name: {"dtype": spec.dtype.name, "shape": spec.shape.as_list()[1:]}
            for spec in specs
            if is_state(spec.name)
        },
    }


def check_stream(
    name: str, stream: Stream | None, specs: Sequence[tf.TensorSpec], others: Mapping[str, Sequence[tf.TensorSpec]]
) -> None:
    """Finds what is sure to fail later in the stream of endpoint `name`; `others` are the inputs of all endpoints.

    Raises:
      ValueError: state without a stream or a stream without state, state of unknown shape, an unknown endpoint or
        input, nothing to compare.
    """
    states = [spec for spec in specs if is_state(spec.name)]
    if stream is None:
        if states:
            raise ValueError(f"Endpoint {name} has state ({states[0].name}); say by a Stream of what.")
        return
    if not states:
        raise ValueError(f"Endpoint {name} reads a stream and needs inputs named {_STATE_PREFIX}*.")
    for spec in states:
        if spec.shape.rank is None or None in spec.shape.as_list()[1:]:
            raise ValueError(
                f"State {spec.name} of endpoint {name} needs a known shape behind the batch, for its zeros."
            )
    if stream.whole not in others:
        raise ValueError(f"Endpoint {name} reads the stream of {stream.whole}; there are {sorted(others)}.")
    whole = {spec.name for spec in others[stream.whole]}
    named = {stream.frames.get(spec.name, spec.name) for spec in specs if not is_state(spec.name)}
    if not stream.frames or not set(stream.frames) <= {spec.name for spec in specs} or not named <= whole:
        raise ValueError(f"Inputs of {name} are frames or inputs of {stream.whole}: {sorted(named)}, {sorted(whole)}.")
    if not stream.each_frame and not stream.last_frame:
        raise ValueError(f"The stream of endpoint {name} names no output to compare with those of {stream.whole}.")
