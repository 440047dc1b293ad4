from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose

from ostinato.errors import ModelError
from ostinato.export import Endpoint, Sample, Stream, StreamingSession, export_model, load_model, unexported_model

FRAMES = np.random.default_rng(3).normal(size=(3, 7, 5)).astype("float32")


def count(frame, gain, state_sum, state_count):
    total = state_sum + frame * gain
    mean = total / tf.cast(state_count + 1, tf.float32)
    return {"scores": mean, "state_sum": total, "state_count": state_count + 1}


def mean(frames, gain):
    return {"scores": tf.reduce_mean(frames, axis=1) * gain}


GAIN = tf.TensorSpec((), tf.float32)
STEP = Endpoint(
    "step",
    count,
    {
        "frame": tf.TensorSpec((None, 5), tf.float32),
        "gain": GAIN,
        "state_sum": tf.TensorSpec((None, 5), tf.float32),
        "state_count": tf.TensorSpec((None, 1), tf.int32),
    },
    stream=Stream("serving_default", {"frame": "frames"}, {}, {"scores": "scores"}),
)
WHOLE = Endpoint("serving_default", mean, {"frames": tf.TensorSpec((None, None, 5), tf.float32), "gain": GAIN})


@pytest.fixture
def model():
    return unexported_model(Path("run"), [WHOLE, STEP], None, metadata={})


def test_each_step_answers_for_what_was_seen_so_far(model):
    session = StreamingSession(model)
    for number in range(7):
        answer = session.step(FRAMES[:, number], gain=2)
        assert list(answer) == ["scores"]
        assert_allclose(answer["scores"], 2 * FRAMES[:, : number + 1].mean(axis=1), atol=1e-5)


def test_after_a_reset_another_stream_begins_and_with_it_another_number_of_streams(model):
    session = StreamingSession(model)
    session.step(FRAMES[:, 0], gain=1)
    with pytest.raises(ValueError, match=r"2 streams after 3; call reset\(\)"):
        session.step(FRAMES[:2, 1], gain=1)
    session.reset()
    assert_allclose(session.step({"frame": FRAMES[:2, 1]}, gain=1)["scores"], FRAMES[:2, 1])


def test_two_sessions_of_one_model_know_nothing_of_each_other(model):
    first, second = StreamingSession(model), StreamingSession(model)
    first.step(FRAMES[:, 0], gain=1)
    assert_allclose(second.step(FRAMES[:, 1], gain=1)["scores"], FRAMES[:, 1])


def test_inputs_that_a_step_does_not_take_are_named(model):
    with pytest.raises(ValueError, match=r"takes \['frame', 'gain'\]; given: \['frame', 'speed'\]"):
        StreamingSession(model).step(FRAMES[:, 0], speed=1)


def test_an_exported_model_reads_streams_with_its_settings(tmp_path, dense, proof_in_this_process):
    sample = Sample("serving_default", {"frames": FRAMES, "gain": 0.5})
    step = {"frame": FRAMES[:, 0], "gain": 0.5, "state_sum": FRAMES[:, 1], "state_count": [[1], [2], [3]]}
    folder = export_model(tmp_path / "mean", dense, [WHOLE, STEP], [sample, Sample("step", step)])
    session = StreamingSession(load_model(folder))
    answers = [session.step(FRAMES[:, number], gain=0.5) for number in range(7)]
    assert_allclose(answers[-1]["scores"], FRAMES.mean(axis=1) / 2, atol=1e-5)


@pytest.mark.parametrize("signature", ["serving_default", "steps"])
def test_a_model_that_reads_no_stream_is_refused_in_one_sentence(model, signature):
    with pytest.raises(ModelError, match=rf"the model in run has no signature {signature} that reads a stream"):
        StreamingSession(model, signature)
