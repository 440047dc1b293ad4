import json

import numpy as np
import pytest
import tensorflow as tf

from ostinato.errors import ModelError
from ostinato.export.archive import export_model
from ostinato.export.endpoints import Endpoint, Preset, Sample
from ostinato.export.proof import prove
from ostinato.export.sample_streams import stream_samples
from ostinato.export.stream import Stream, pieces_of

STREAM = Stream("serving_default", {"frame": "frames"}, {"frame_scores": "all_scores"}, {"scores": "scores"})


@pytest.fixture
def see(dense):
    """The dense model of any number of axes."""
    return lambda frames: dense.layers[1](dense.layers[0](frames))


@pytest.fixture
def right_step(see):
    """A function of a frame, the sum over the frames before it and their number."""

    def step(frame, state_sum, state_count):
        total, count = state_sum + see(frame), state_count + 1
        scores = total / tf.cast(count, tf.float32)
        return {"frame_scores": total, "scores": scores, "state_sum": total, "state_count": count}

    return step


@pytest.fixture
def export_stream(tmp_path, dense, see, right_step, proof_in_this_process):
    """Exports sums over frames; `step` may be another function than the right one."""

    def whole(frames):
        sums = tf.cumsum(see(frames), axis=1)
        return {"all_scores": sums, "scores": sums[:, -1] / tf.cast(tf.shape(frames)[1], tf.float32)}

    def call(step=right_step, frames=7, rows=3):
        specs = {
            "frame": tf.TensorSpec((None, 5), tf.float32),
            "state_sum": tf.TensorSpec((None, 3), tf.float32),
            "state_count": tf.TensorSpec((None, 1), tf.int32),
        }
        endpoints = [
            Endpoint("serving_default", whole, {"frames": tf.TensorSpec((None, None, 5), tf.float32)}),
            Endpoint("step", step, specs, stream=STREAM),
        ]
        numbers = np.random.default_rng(2)
        sample = Sample("serving_default", {"frames": numbers.normal(size=(rows, frames, 5))})
        # States of the right function: that of a wrong one is to be found by reading a stream, not by one call.
        right = Endpoint("step", right_step, specs, stream=STREAM)
        steps = stream_samples(right, Sample("serving_default", {"frames": numbers.normal(size=(3, 2, 5))}))
        return export_model(tmp_path / "stream", dense, endpoints, [sample, *steps])

    return call


def test_the_report_says_which_streams_were_read(export_stream):
    proof = prove(export_stream()).streams["step"]
    assert (proof.whole, proof.num_streams, proof.num_frames, proof.num_streams_in_batches) == (
        "serving_default",
        3,
        21,
        3,
    )
    assert proof.largest_difference < 1e-5
    assert proof.largest_batch_difference < 1e-5


def test_the_interface_lists_the_state_with_which_a_stream_begins(export_stream):
    interface = json.loads((export_stream() / "interface.json").read_text())
    assert "stream" not in interface["signatures"]["serving_default"]
    assert interface["signatures"]["step"]["stream"] == {
        "whole": "serving_default",
        "frames": {"frame": "frames"},
        "each_frame": {"frame_scores": "all_scores"},
        "last_frame": {"scores": "scores"},
        "several": False,
        "state": {
            "state_sum": {"dtype": "float32", "shape": [3]},
            "state_count": {"dtype": "int32", "shape": [1]},
        },
    }


def test_state_that_is_not_carried_fails_the_proof(export_stream, right_step):
    def forgetful(frame, state_sum, state_count):
        return right_step(frame, tf.zeros_like(state_sum), state_count)

    with pytest.raises(ModelError, match=r"Signature step, read frame by frame, output frame_scores is .* instead of"):
        export_stream(forgetful)


def test_only_the_last_frame_may_be_wrong_and_fails_the_proof(export_stream, right_step):
    def tiring(frame, state_sum, state_count):
        answer = right_step(frame, state_sum, state_count)
        return {**answer, "scores": answer["scores"] + tf.where(state_count == 6, 0.01, 0.0)}

    with pytest.raises(ModelError, match=r"read frame by frame, output scores is .* instead of"):
        export_stream(tiring)


def test_a_stream_that_changes_beside_others_fails_the_proof(export_stream, right_step):
    def leaking(frame, state_sum, state_count):
        # seen only from the third frame on, and therefore by no single call of the samples
        leak = tf.where(state_count > 2, state_sum - tf.reduce_mean(state_sum, axis=0, keepdims=True), 0.0)
        alone = tf.cast(tf.shape(frame)[0] == 1, tf.float32)
        return right_step(frame, state_sum + leak * (1 - alone), state_count)

    with pytest.raises(ModelError, match=r"frame 3 of stream 0 beside others, output .* instead of"):
        export_stream(leaking)


def test_state_of_another_shape_or_type_fails_the_proof(export_stream, right_step):
    def narrow(frame, state_sum, state_count):
        answer = right_step(frame, state_sum, state_count)
        return {**answer, "state_count": tf.cast(answer["state_count"], tf.float32)}

    with pytest.raises(ModelError, match="Signature step takes the state"):
        export_stream(narrow)


@pytest.mark.parametrize(("frames", "rows"), [(1, 3), (7, 1)])
def test_samples_that_cannot_show_a_stream_are_refused(export_stream, frames, rows):
    with pytest.raises(ModelError, match="no two different samples"):
        export_stream(frames=frames, rows=rows)


def test_an_interface_that_does_not_fit_the_graph_fails_the_proof(export_stream):
    folder = export_stream()
    interface = json.loads((folder / "interface.json").read_text())
    stream = interface["signatures"]["step"].pop("stream")
    for altered, message in (
        (None, "signature step has state|Signature step has state"),
        ({**stream, "each_frame": {"frame_scores": "nothing"}}, "names what signature step does not have"),
        ({**stream, "state": {"state_sum": {"dtype": "float32", "shape": [3]}}}, "is said to have"),
        ({**stream, "whole": "nowhere"}, "no two different samples"),
    ):
        signature = interface["signatures"]["step"]
        changed = {**signature, **({} if altered is None else {"stream": altered})}
        document = {**interface, "signatures": {**interface["signatures"], "step": changed}}
        (folder / "interface.json").write_text(json.dumps(document))
        with pytest.raises(ModelError, match=message):
            prove(folder)


@pytest.fixture
def export_chunks(tmp_path, dense, see, proof_in_this_process):
    """Exports sums over frames that are read several at a time; `carry` is what becomes of the sum."""

    def call(carry=lambda total, frames: total, frames=7):
        specs = {
            "frames": tf.TensorSpec((None, None, 5), tf.float32),
            "state_sum": tf.TensorSpec((None, 3), tf.float32),
        }

        def steps(frames, state_sum):
            sums = state_sum[:, None] + tf.cumsum(see(frames), axis=1)
            return {"sums": sums, "last": sums[:, -1], "state_sum": carry(sums[:, -1], frames)}

        stream = Stream("serving_default", {"frames": "frames"}, {"sums": "sums"}, {"last": "last"}, several=True)
        chunks = Endpoint("steps", steps, specs, stream=stream)
        whole = Preset("serving_default", chunks, {"state_sum": 0}, ("sums", "last"))
        sample = Sample("serving_default", {"frames": np.random.default_rng(2).normal(size=(3, frames, 5))})
        samples = [sample, *stream_samples(chunks, sample, 3)]
        return export_model(tmp_path / "chunks", dense, [whole, chunks], samples)

    return call


def test_a_stream_that_is_read_several_frames_a_call_is_proved_by_halves(export_chunks):
    proof = prove(export_chunks()).streams["steps"]
    assert (proof.num_streams, proof.num_frames, proof.num_streams_in_batches) == (3, 21, 3)
    assert proof.largest_difference < 1e-5


def test_state_that_is_right_for_one_number_of_frames_only_fails_the_proof(export_chunks):
    def forgetful(total, frames):
        return tf.where(tf.shape(frames)[1] < 4, total, 0.9 * total)

    with pytest.raises(ModelError, match=r"Signature steps, read piece by piece, output (sums|last) is .* instead of"):
        export_chunks(forgetful)


@pytest.mark.parametrize(
    ("several", "frames", "pieces"),
    [(False, 3, [0, 1, 2]), (True, 7, [slice(0, 4), slice(4, 7)]), (True, 1, [slice(0, 1)])],
)
def test_a_stream_is_tried_frame_by_frame_or_by_halves(several, frames, pieces):
    assert pieces_of({"several": several}, frames) == pieces
