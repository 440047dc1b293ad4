"""What a user does with the model that ships: predict."""

import functools
import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from ostinato.export import stored_signatures
from ostinato.images.reading import read_photo
from ostinato_caption import Captioner

ROOT = Path(__file__).parents[2]
SAMPLES = sorted((ROOT / "samples" / "photos").glob("*.jpg"))


@pytest.fixture(scope="module", autouse=True)
def loaded_once():
    """What is loaded is the same for all, and asking it for the first time takes a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            stored_signatures, "load_stored_signatures", functools.cache(stored_signatures.load_stored_signatures)
        )
        yield


@pytest.fixture
def photos():
    """Those that are captioned where any would do."""
    return SAMPLES[:3]


@pytest.fixture
def predict(caption):
    def call(*words, **options):
        return caption("predict", *words, **options)

    return call


def parsed(result):
    return [json.loads(line) for line in result.lines]


@pytest.fixture
def mixed(photos, tmp_path):
    """Three photos that can be read among three that cannot."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    good = photos[0].read_bytes()
    (folder / "a_text.jpg").write_text("This is no photo.")
    shutil.copy(photos[0], folder / "b_good.jpg")
    (folder / "c_truncated.jpg").write_bytes(good[: len(good) // 2])
    (folder / "d_empty.jpg").touch()
    grey = Image.linear_gradient("L").resize((40, 30))
    Image.fromarray(np.asarray(grey).astype(np.uint16) * 257).save(folder / "e_16bit.png")
    with Image.open(photos[1]) as image:
        image.convert("CMYK").save(folder / "f_cmyk.jpg")
    return folder


def test_good_photos_are_captioned_in_order_and_bad_ones_named(predict, mixed):
    result = predict(mixed, "--beam-width", 4)
    assert result.code == 1
    good = ["b_good.jpg", "e_16bit.png", "f_cmyk.jpg"]
    assert [line.split(": ")[0] for line in result.lines] == [str(mixed / name) for name in good]
    bad = ["a_text.jpg", "c_truncated.jpg", "d_empty.jpg"]
    assert len(result.faults) == 3
    for name, line in zip(bad, result.faults, strict=True):
        assert line.startswith("ostinato-caption: ")
        assert line.count(str(mixed / name)) == 1


def test_a_process_of_its_own_says_nothing_but_that(start, mixed):
    words = ("predict", "-", "missing.jpg", "--format", "json", mixed)
    with start(*words, cwd=mixed) as process:
        out, err = process.communicate(b"b_good.jpg\n\nf_cmyk.jpg\n", timeout=250)
    assert process.returncode == 1
    images = [json.loads(line)["image"] for line in out.decode().splitlines()]
    assert images == [
        "b_good.jpg",
        "f_cmyk.jpg",
        *(str(mixed / n) for n in ("b_good.jpg", "e_16bit.png", "f_cmyk.jpg")),
    ]
    lines = err.decode().splitlines()
    assert len(lines) == 4
    assert all(line.startswith("ostinato-caption: ") for line in lines)


def test_standard_input_may_be_a_photo_or_json_lines(predict, photos):
    (from_bytes,) = parsed(predict("-", "--format", "json", standard_input=photos[0].read_bytes()))
    assert from_bytes["image"] == "-"
    lines = [{"id": 7, "image": str(photos[0]), "tags": {"a": [1]}}, {"image": "gone.jpg"}]
    result = predict("-", "--format", "json", standard_input="\n".join(map(json.dumps, lines)).encode())
    assert result.code == 1
    (from_path,) = parsed(result)
    assert (from_path["id"], from_path["tags"]) == (7, {"a": [1]})
    assert from_path["captions"] == from_bytes["captions"]


def test_the_best_captions_come_first_with_their_probabilities(predict, photos):
    result = predict(*photos, "--num-captions", 4, "--beam-width", 6, "--format", "json", "--length-penalty", 0)
    assert result.code == 0
    for record in parsed(result):
        captions = record["captions"]
        assert len({caption["text"] for caption in captions}) == 4
        assert [caption["score"] for caption in captions] == sorted((c["score"] for c in captions), reverse=True)
        assert all(0 < caption["probability"] <= 1 for caption in captions)
        # without a length penalty the score is the log-probability
        assert np.exp([c["score"] for c in captions]) == pytest.approx([c["probability"] for c in captions], rel=1e-2)
    text = predict(photos[0], "--num-captions", 2).lines
    assert text[0] == f"{photos[0]}:"
    assert [line[:5] for line in text[1:]] == ["  1. ", "  2. "]


def test_lengths_are_kept(predict, photos):
    for record in parsed(predict(*photos, "--min-length", 9, "--max-length", 11, "--format", "json")):
        assert 9 <= len(record["captions"][0]["tokens"]) <= 11


def test_samples_repeat_with_their_seed_and_differ_without(predict, photos):
    def sample(*words):
        result = predict(*photos, "--sample", "--num-captions", 7, "--format", "json", *words)
        assert result.code == 0
        return [[caption["text"] for caption in record["captions"]] for record in parsed(result)]

    first = sample("--seed", 3)
    assert all(len(captions) == 7 for captions in first)  # more than beams, of which there are none
    assert first == sample("--seed", 3)
    assert first != sample("--seed", 4)
    assert sample("--top-k", 1, "--seed", 5) == sample("--temperature", 1e-4, "--seed", 6)
    assert sample("--top-p", 0.5, "--temperature", 1.5) != first


def test_explaining_makes_a_picture_for_each_good_photo(predict, mixed, tmp_path):
    folder = tmp_path / "new" / "pictures"
    result = predict(mixed, "--explain", folder)
    assert result.code == 1
    assert f"3 pictures of where each word looked: {folder}" in result.faults[-1]
    assert sorted(path.name for path in folder.iterdir()) == ["b_good.png", "e_16bit.png", "f_cmyk.png"]
    for path in folder.iterdir():
        with Image.open(path) as picture:
            assert 250 <= picture.width <= 1100
            assert 200 <= picture.height <= 4000


def test_a_photo_that_lies_on_its_side_is_captioned_as_if_it_stood(predict, photos, tmp_path):
    with Image.open(photos[0]) as image:
        image.convert("RGB").save(tmp_path / "upright.png")
        exif = Image.Exif()
        exif[0x0112] = 6  # to be turned by 90 degrees clockwise
        image.convert("RGB").transpose(Image.Transpose.ROTATE_90).save(tmp_path / "lying.png", exif=exif)
    upright, lying = parsed(predict(tmp_path / "upright.png", tmp_path / "lying.png", "--format", "json"))
    (expected,), (caption,) = upright["captions"], lying["captions"]
    assert caption["tokens"] == expected["tokens"]
    # not equal: what a photo is computed with depends on its place in the batch
    assert caption["score"] == pytest.approx(expected["score"], abs=1e-3)


def test_python_users_get_what_the_command_line_prints(predict, photos):
    expected = [record["captions"][0] for record in parsed(predict(*photos, "--format", "json"))]
    captioner = Captioner.load()
    for kind in (str, lambda path: path.read_bytes()):
        captions = captioner.caption([kind(path) for path in photos])
        assert [caption.text for (caption,) in captions] == [caption["text"] for caption in expected]
        assert [caption.score for (caption,) in captions] == pytest.approx([c["score"] for c in expected], abs=1e-3)


def test_images_and_arrays_are_captioned_like_the_files_they_came_from(photos, tmp_path):
    captioner = Captioner.load()
    with Image.open(photos[0]) as image:
        image.convert("RGB").save(tmp_path / "photo.png")
    with Image.open(tmp_path / "photo.png") as image:
        image.load()
    ((expected,),) = captioner.caption([tmp_path / "photo.png"])
    for photo in (image, np.asarray(image)):
        ((caption,),) = captioner.caption([photo])
        assert (caption.text, caption.score) == (expected.text, pytest.approx(expected.score, abs=1e-4))


def test_a_server_that_gets_the_bytes_answers_what_is_predicted(predict, mixed):
    """Plain TensorFlow, as TensorFlow Serving has it."""
    served = tf.saved_model.load(str(Captioner.load().model.path)).signatures["serving_default"]
    for record in parsed(predict(mixed, "--format", "json")):
        content = (mixed / record["image"]).read_bytes()
        answer = served(image_bytes=tf.constant([content]))
        assert answer["captions"].numpy()[0, 0].decode() == record["captions"][0]["text"]
        assert answer["scores"].numpy()[0, 0] == pytest.approx(record["captions"][0]["score"], abs=1e-3)
        assert read_photo(content) == content


def test_photos_in_any_order_and_number_have_their_own_captions(predict, photos):
    many = SAMPLES[:7] * 3  # more than one batch
    random.Random(1).shuffle(many)
    own = {photo: parsed(predict(photo, "--format", "json"))[0]["captions"][0]["text"] for photo in photos}
    records = parsed(predict(*many, "--format", "json"))
    assert [record["image"] for record in records] == [str(photo) for photo in many]
    for photo, record in zip(many, records, strict=True):
        if photo in own:
            assert record["captions"][0]["text"] == own[photo]


def test_a_tiff_and_a_gif_are_photos_too(predict, photos, tmp_path):
    with Image.open(photos[0]) as image:
        for suffix in ("tiff", "gif", "webp", "bmp"):
            image.convert("RGB").save(tmp_path / f"photo.{suffix}")
    result = predict(tmp_path)
    assert (result.code, len(result.lines), result.err) == (0, 4, "")


def test_output_goes_on_while_a_reader_is_there(start, photos):
    with start("predict", *photos * 8) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(str(photos[0]).encode())
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(250) == 141
