import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from ostinato.export.endpoints import Endpoint, Sample, check_endpoints
from ostinato.export.stream import Stream, describe_stream, zero_state

FRAMES = tf.TensorSpec((None, None, 5), tf.float32)
FRAME = tf.TensorSpec((None, 5), tf.float32)
STATE = tf.TensorSpec((None, 2, 3), tf.float32)
STREAM = Stream("serving_default", {"frame": "frames"}, {"score": "scores"}, {})


def check(stream, signature):
    endpoints = [
        Endpoint("serving_default", dict, {"frames": FRAMES}),
        Endpoint("step", dict, signature, stream=stream),
    ]
    check_endpoints(endpoints, [Sample("serving_default", {}), Sample("step", {})])


def test_a_stream_begins_with_zeros_of_the_described_shapes():
    check(STREAM, {"frame": FRAME, "state_x": STATE})
    endpoint = Endpoint("step", dict, {"frame": FRAME, "state_x": STATE, "state_n": tf.TensorSpec((None, 1), tf.int64)})
    description = describe_stream(STREAM, endpoint.specs)
    state = zero_state(description, batch=7)
    assert {name: (value.shape, value.dtype) for name, value in state.items()} == {
        "state_x": ((7, 2, 3), np.float32),
        "state_n": ((7, 1), np.int64),
    }
    assert not state["state_x"].any()


@pytest.mark.parametrize(
    ("stream", "signature", "message"),
    [
        (None, {"frame": FRAME, "state_x": STATE}, "has state"),
        (STREAM, {"frame": FRAME}, "needs inputs named state_"),
        (STREAM, {"frame": FRAME, "state_x": FRAMES}, "needs a known shape"),
        (dataclasses.replace(STREAM, whole="clip"), {"frame": FRAME, "state_x": STATE}, "stream of clip"),
        (STREAM, {"image": FRAME, "state_x": STATE}, "Inputs of step"),
        (STREAM, {"frame": FRAME, "speed": FRAME, "state_x": STATE}, "Inputs of step"),
        (dataclasses.replace(STREAM, frames={"frame": "clips"}), {"frame": FRAME, "state_x": STATE}, "Inputs of step"),
        (dataclasses.replace(STREAM, each_frame={}), {"frame": FRAME, "state_x": STATE}, "no output to compare"),
    ],
)
def test_a_stream_that_cannot_be_proved_is_refused(stream, signature, message):
    with pytest.raises(ValueError, match=message):
        check(stream, signature)
