import dataclasses
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from ostinato.errors import DataError, ModelError
from ostinato.export import StreamingSession
from ostinato.sequences.store import SequenceWriter
from ostinato_gesture.config import EventConfig
from ostinato_gesture.exporting import load_trained, recognizer_of_run, sample_sequences
from ostinato_gesture.gesture_recognizer import GestureRecognizer
from ostinato_gesture.litert import STEP_FILE
from ostinato_gesture.run import Run


def recordings_of(batch, frames, seed=3):
    return np.cumsum(np.random.default_rng(seed).normal(0, 0.1, (batch, frames, 2, 21, 3)), axis=1).astype(np.float32)


def ask(recognizer, signature, **inputs):
    return {name: tensor.numpy() for name, tensor in recognizer.model.signatures[signature](**inputs).items()}


def test_a_version_has_its_proof_facts_card_and_litert_file(exported, recognizer):
    assert exported.name == "1"
    proof = json.loads((exported / "proof.json").read_text())
    assert set(proof["signatures"]) == {"serving_default", "step", "steps"}
    assert set(proof["streams"]) == {"step", "steps"}
    facts = recognizer.model.metadata
    assert (facts["application"], facts["kind"], facts["data_terms"]) == ("ostinato_gesture", "landmarks", "none")
    assert (facts["labels"], facts["none"], facts["frame_shape"]) == (["none", "fist", "wave"], "none", [2, 21, 3])
    assert (facts["frame_rate"], facts["num_hands"], facts["temperature"]) == (12.5, 2, 1.7)
    assert facts["decoding"] == dataclasses.asdict(EventConfig(rise=0.7, min_seconds=0.1))
    assert recognizer.model.assets[STEP_FILE].stat().st_size > 1000
    assert (exported / "model_card.md").read_text() == "# Hands\n"


def test_the_signatures_take_landmarks_and_give_labels_scores_and_frame_scores(recognizer):
    signatures = recognizer.model.interface["signatures"]
    whole = signatures["serving_default"]
    assert {name: each["shape"] for name, each in whole["inputs"].items()} == {"landmarks": [None, None, 2, 21, 3]}
    assert set(whole["outputs"]) == {"labels", "scores", "frame_scores"}
    state = {each for each in signatures["step"]["inputs"] if each.startswith("state_")}
    assert set(signatures["step"]["inputs"]) == {"landmarks"} | state
    assert set(signatures["step"]["outputs"]) == {"labels", "scores", "frame_scores"} | state


@pytest.mark.parametrize(("batch", "frames"), [(1, 1), (3, 5)])
def test_every_output_keeps_the_batch(recognizer, batch, frames):
    outputs = ask(recognizer, "serving_default", landmarks=recordings_of(batch, frames))
    assert {name: array.shape for name, array in outputs.items()} == {
        "labels": (batch,),
        "scores": (batch, 3),
        "frame_scores": (batch, frames, 3),
    }
    np.testing.assert_allclose(outputs["frame_scores"].sum(axis=-1), 1, atol=1e-5)


def test_the_export_says_what_the_trained_network_says_at_its_temperature(completed_run, recognizer):
    recordings = recordings_of(3, 7)
    scores = load_trained(completed_run)(recordings.reshape(3, 7, -1))
    outputs = ask(recognizer, "serving_default", landmarks=recordings)
    np.testing.assert_allclose(outputs["frame_scores"], tf.nn.softmax(scores.frame_logits / 1.7), atol=1e-5)
    np.testing.assert_allclose(outputs["scores"], tf.nn.softmax(scores.clip_logits[:, -1] / 1.7), atol=1e-5)
    best = np.argmax(outputs["scores"], axis=-1)
    assert [label.decode() for label in outputs["labels"]] == [recognizer.labels[number] for number in best]


def test_streaming_gives_what_the_whole_gives(recognizer):
    recordings = recordings_of(2, 6)
    recordings[:, 2:4] = 0  # the hands are lost for a while
    whole = ask(recognizer, "serving_default", landmarks=recordings)
    session = StreamingSession(recognizer.model)
    streamed = [session.step(recordings[:, number]) for number in range(6)]
    frame_scores = np.stack([outputs["frame_scores"] for outputs in streamed], axis=1)
    np.testing.assert_allclose(frame_scores, whole["frame_scores"], atol=1e-5)
    np.testing.assert_allclose(streamed[-1]["scores"], whole["scores"], atol=1e-5)


def test_a_run_can_be_used_without_exporting_it(completed_run, recognizer):
    (recording,) = recordings_of(1, 11)
    unexported = recognizer_of_run(completed_run)
    assert unexported.labels == recognizer.labels
    cool = ask(unexported, "steps", landmarks=recording[None], **_zeros(unexported, "steps"))
    warm = ask(recognizer, "serving_default", landmarks=recording[None])
    tempered = tf.nn.softmax(np.log(cool["frame_scores"]) / 1.7)
    np.testing.assert_allclose(tempered, warm["frame_scores"], atol=1e-4)


def test_an_untrained_run_is_told(tmp_path, completed_run):
    (tmp_path / "prepared.json").write_text(completed_run.prepared_path.read_text())
    with pytest.raises(ModelError, match="no trained model yet"):
        load_trained(Run(tmp_path))


def test_a_run_of_a_single_sequence_is_too_little_to_try_the_model_on(tmp_path, completed_run):
    (tmp_path / "prepared.json").write_text(completed_run.prepared_path.read_text())
    run = Run(tmp_path)
    with SequenceWriter(run.store) as writer:
        writer.append(np.ones((5, 126)))
        writer.end_sequence("only.mp4", group="one", split="train", label=1)
    with pytest.raises(DataError, match="fewer than two sequences"):
        sample_sequences(run)


def test_samples_are_two_different_sequences_of_one_length(completed_run):
    first, second = sample_sequences(completed_run)
    assert first.shape == second.shape == (len(first), 2, 21, 3)
    assert not np.array_equal(first[:3], second[:3])


def test_a_model_of_another_application_is_refused(tmp_path, exported):
    folder = tmp_path / "1"
    shutil.copytree(exported, folder)
    interface = json.loads((folder / "interface.json").read_text())
    interface["metadata"]["application"] = "ostinato_video"
    (folder / "interface.json").write_text(json.dumps(interface))
    with pytest.raises(ModelError, match="gestures"):
        GestureRecognizer.load(folder)


def _zeros(recognizer, signature):
    stream = recognizer.model.interface["signatures"][signature]["stream"]
    return {name: tf.zeros([1, *each["shape"]]) for name, each in stream["state"].items()}
