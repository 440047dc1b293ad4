import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from ostinato.errors import DataError, ModelError
from ostinato.export import StreamingSession
from ostinato.images.graph import load_photos
from ostinato_video.exporting import classifier_of_run, sample_clips
from ostinato_video.features import FeatureReader, make_frame_encoder
from ostinato_video.model import load_trained
from ostinato_video.reading import open_video
from ostinato_video.run import Run


@pytest.fixture(scope="module")
def model(video_classifier):
    return video_classifier.model


def clips_of(batch, frames, height=23, width=37, seed=3):
    """Clips in which something moves over a noisy ground."""
    generator = np.random.default_rng(seed)
    clips = generator.integers(0, 90, (batch, frames, height, width, 3))
    for row in range(batch):
        for frame in range(frames):
            clips[row, frame, :, 3 * frame : 3 * frame + 9, row % 3] += 150
    return clips.astype(np.uint8)


def ask(model, signature, **inputs):
    return {name: tensor.numpy() for name, tensor in model.signatures[signature](**inputs).items()}


@pytest.fixture
def trained(completed_run, quick_network):
    return load_trained(completed_run)


def test_a_version_has_its_proof_facts_and_card(exported, model):
    assert exported.name == "1"
    proof = json.loads((exported / "proof.json").read_text())
    assert set(proof["signatures"]) == set(model.signatures) == {"serving_default", "jpeg_frames", "step", "steps"}
    assert set(proof["streams"]) == {"step", "steps"}
    facts = model.metadata
    assert (facts["application"], facts["kind"], facts["data_terms"]) == ("ostinato_video", "frames", "none")
    assert (facts["labels"], facts["background"]) == (["background", "blue", "red"], "background")
    assert (facts["frame_rate"], facts["image_size"], facts["temperature"]) == (12.5, 32, 1.7)
    assert facts["decoding"] == {"switch_cost": 1.0, "min_seconds": 0.2, "abstain": 0.0}
    assert (exported / "model_card.md").read_text() == "# Squares\n"


def test_the_signatures_are_those_of_the_plan(model):
    signatures = model.interface["signatures"]
    assert list(signatures["serving_default"]["inputs"]) == ["frames"]
    assert signatures["serving_default"]["inputs"]["frames"]["shape"] == [None, None, None, None, 3]
    assert signatures["jpeg_frames"]["inputs"]["jpeg_frames"] == {
        "dtype": "string",
        "shape": [None] * 2,
        "binary": True,
    }
    for name, frame in (("step", "frame"), ("steps", "frames")):
        others = {each for each in signatures[name]["inputs"] if not each.startswith("state_")}
        assert others == {frame}
        state = {each for each in signatures[name]["inputs"] if each.startswith("state_")}
        assert set(signatures[name]["outputs"]) == {"labels", "scores", "frame_scores"} | state


@pytest.mark.parametrize(("batch", "frames"), [(1, 1), (3, 5)])
def test_every_output_keeps_the_batch(model, batch, frames):
    outputs = ask(model, "serving_default", frames=clips_of(batch, frames))
    assert {name: array.shape for name, array in outputs.items()} == {
        "labels": (batch,),
        "scores": (batch, 3),
        "frame_scores": (batch, frames, 3),
    }
    np.testing.assert_allclose(outputs["frame_scores"].sum(axis=-1), 1, atol=1e-5)


# The last two are more than the graph looks at together.
@pytest.mark.parametrize(("batch", "frames"), [(2, 7), (3, 23), (18, 2)])
def test_scores_are_those_of_the_trained_network_at_the_temperature(model, trained, batch, frames):
    clips = clips_of(batch, frames, height=32, width=32)
    logits = trained(clips.astype(np.float32))
    outputs = ask(model, "serving_default", frames=clips)
    for name, expected in (("frame_scores", logits.frame_logits), ("scores", logits.clip_logits[:, -1])):
        np.testing.assert_allclose(outputs[name], tf.nn.softmax(expected / 1.7), atol=0.01)  # half precision
    best = np.argmax(outputs["scores"], axis=-1)
    assert [label.decode() for label in outputs["labels"]] == [model.metadata["labels"][number] for number in best]


@pytest.mark.parametrize("sizes", [[7], [1] * 7, [3, 1, 2, 1]])
def test_a_stream_read_in_any_pieces_gives_what_the_whole_clip_gives(model, sizes):
    clips = clips_of(2, 7)
    whole = ask(model, "serving_default", frames=clips)
    session, streamed, start = StreamingSession(model, "steps"), [], 0
    for size in sizes:
        outputs = session.step(clips[:, start : start + size])
        streamed.append(outputs["frame_scores"])
        start += size
    np.testing.assert_allclose(np.concatenate(streamed, axis=1), whole["frame_scores"], atol=1e-5)
    np.testing.assert_allclose(outputs["scores"], whole["scores"], atol=1e-5)


def test_stepping_gives_what_the_whole_clip_gives(model):
    clips = clips_of(3, 7)
    whole = ask(model, "serving_default", frames=clips)
    session = StreamingSession(model)
    steps = [session.step(clips[:, number]) for number in range(7)]
    streamed = np.stack([step["frame_scores"] for step in steps], axis=1)
    np.testing.assert_allclose(streamed, whole["frame_scores"], atol=1e-5)
    np.testing.assert_allclose(steps[-1]["scores"], whole["scores"], atol=1e-5)


@pytest.mark.parametrize("signature", ["step", "steps"])
def test_state_of_another_number_of_streams_is_refused(model, signature):
    sizes = model.interface["signatures"][signature]["inputs"]
    state = {name: tf.zeros([1, *each["shape"][1:]]) for name, each in sizes.items() if name.startswith("state_")}
    frames = {"step": {"frame": clips_of(3, 1)[:, 0]}, "steps": {"frames": clips_of(3, 1)}}[signature]
    with pytest.raises(tf.errors.InvalidArgumentError, match="differ in dimension 0"):
        ask(model, signature, **frames, **state)


@pytest.mark.parametrize(("batch", "frames"), [(2, 3), (3, 9)])
def test_frames_as_files_are_labelled_as_their_pixels_are(model, batch, frames):
    clips = clips_of(batch, frames)
    files = [[tf.io.encode_png(image).numpy() for image in clip] for clip in clips]
    of_files = ask(model, "jpeg_frames", jpeg_frames=tf.constant(files))
    np.testing.assert_allclose(
        of_files["frame_scores"], ask(model, "serving_default", frames=clips)["frame_scores"], atol=1e-5
    )


def test_frames_are_resized_as_photos_are(model):
    clips = clips_of(1, 2)
    squares = load_photos(tf.constant([tf.io.encode_png(image).numpy() for image in clips[0]]), 32)
    rounded = tf.cast(tf.round(squares), tf.uint8)[tf.newaxis]  # has the model's size, and is left as it is
    expected = ask(model, "serving_default", frames=clips)["frame_scores"]
    np.testing.assert_allclose(ask(model, "serving_default", frames=rounded)["frame_scores"], expected, atol=0.02)


def test_the_network_of_frames_gives_what_that_of_their_features_gives(completed_run, squares, quick_network):
    config = completed_run.prepare_config
    trained = load_trained(completed_run)
    with open_video(squares / "monday_0.mp4", config.frame_rate) as reader:
        frames = list(reader)
    features = np.concatenate([chunk.features for chunk in FeatureReader(config)(frames)])
    encoder, trained.encoder = trained.encoder, None
    of_features = trained(features[None]).frame_logits
    trained.encoder = encoder
    images = np.stack([frame.image for frame in frames])[None]
    squared = tf.image.resize(images[0], (32, 32), antialias=True)[None]
    np.testing.assert_allclose(trained(squared).frame_logits, of_features, atol=1e-4)


def test_every_weight_of_the_run_arrives(completed_run, trained):
    with np.load(completed_run.model_path) as saved:
        stored = sorted(float(np.abs(array).sum()) for array in saved.values() if array.dtype.kind == "f")
    own = [layer for layer in trained.layers if layer is not trained.encoder]
    weights = sorted(float(np.abs(array).sum()) for layer in own for array in layer.get_weights())
    np.testing.assert_allclose(weights, stored, rtol=1e-5)
    assert len(weights) > 8


def test_the_network_computes_in_float32_with_what_every_processor_has(trained):
    assert trained.compute_dtype == "float32"  # the run trained in bfloat16
    lstms = [layer for layer in trained.layers if isinstance(layer, keras.layers.LSTM)]
    assert lstms
    assert all(layer.compute_dtype == "float32" and layer.use_cudnn is False for layer in lstms)


def test_a_run_that_is_not_exported_labels_as_its_export_does(
    completed_run, video_classifier, squares, quick_network, tmp_path
):
    folder = shutil.copytree(completed_run.folder, tmp_path / "run")
    (folder / "cross_validation.json").write_text('{"temperature": 1.7}')
    classifier = classifier_of_run(Run(folder))
    assert classifier.model.metadata["temperature"] == 1.7
    video = squares / "tuesday_1.mp4"
    result, expected = classifier.classify(video), video_classifier.classify(video)
    np.testing.assert_allclose(result.frame_scores, expected.frame_scores, atol=0.01)
    assert result.labels == expected.labels


def test_without_a_cross_validation_the_temperature_is_one(completed_run, quick_network):
    assert classifier_of_run(completed_run).model.metadata["temperature"] == 1.0


def test_an_encoder_of_another_kind_of_features_is_refused(completed_run, quick_network, tmp_path):
    folder = shutil.copytree(completed_run.folder, tmp_path / "run")
    prepared = json.loads((folder / "prepared.json").read_text())
    prepared["config"]["parts"] = ["appearance"]
    (folder / "prepared.json").write_text(json.dumps(prepared))
    with pytest.raises(ModelError):
        load_trained(Run(folder))


def test_a_run_that_is_not_trained_is_refused(completed_run, tmp_path):
    folder = shutil.copytree(completed_run.folder, tmp_path / "run")
    (folder / "model.npz").unlink()
    with pytest.raises(ModelError, match="holds no trained model yet"):
        load_trained(Run(folder))


def test_samples_are_small_differ_and_come_from_the_first_video_that_is_there(completed_run, tmp_path):
    first, second = sample_clips(completed_run)
    assert first.shape == second.shape
    assert first.shape[0] == 3
    assert max(first.shape[1:3]) == 32
    assert (first != second).any()
    folder = shutil.copytree(completed_run.folder, tmp_path / "run")
    lines = [json.loads(line) for line in (folder / "sequences.jsonl").read_text().splitlines()]
    gone = [{**line, "name": f"{tmp_path}/gone.mp4"} for line in lines]
    records = folder / "sequences.jsonl"
    records.write_text("".join(json.dumps(line) + "\n" for line in [gone[0], *lines[1:]]))
    assert sample_clips(Run(folder))[0].shape == first.shape
    records.write_text("".join(json.dumps(line) + "\n" for line in gone))
    with pytest.raises(DataError, match=r"the videos of .* are gone"):
        sample_clips(Run(folder))


def test_the_encoder_is_not_among_what_a_run_stores(completed_run, quick_network):
    encoder = make_frame_encoder(completed_run.prepare_config)
    with np.load(completed_run.model_path) as saved:
        shapes = [array.shape for array in saved.values()]
    assert encoder.get_weights()[0].shape not in shapes
