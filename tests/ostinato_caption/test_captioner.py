import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from ostinato.errors import ConfigError, InputError, ModelError
from ostinato.export import LoadedModel
from ostinato_caption import captioner as module
from ostinato_caption.captioner import Caption, Captioner, request_settings
from ostinato_caption.config import DecodingConfig, SamplingConfig

DECODING = {
    "beam_width": 3,
    "length_penalty": 0.5,
    "patience": 0.5,
    "pruning": 1.0,
    "num_captions": 2,
    "min_length": 1,
    "max_length": 9,
}


class Signatures:
    """Stands in for an exported model: its captions name the size of the file, and refuse what ends in `!`."""

    def __init__(self):
        self.calls = []

    def __call__(self, image_bytes, num_captions, **settings):
        self.calls.append((len(image_bytes), {"num_captions": num_captions, **settings}))
        contents = image_bytes.numpy()
        if any(content.endswith(b"!") for content in contents):
            raise tf.errors.InvalidArgumentError(None, None, "refused")
        count = int(num_captions)
        texts = np.array([[f"{len(content)} bytes {n}".encode() for n in range(count)] for content in contents])
        tokens = np.array([[["\u2581a".encode(), b"b", b"", b""]] * count] * len(contents))
        scores = -np.tile(np.arange(1, count + 1, dtype=np.float32), (len(contents), 1))
        attention = np.tile(np.arange(4, dtype=np.float32)[:, None], (len(contents), count, 1, 6))
        outputs = {
            "captions": texts,
            "tokens": tokens,
            "attention": attention,
            "scores": scores,
            "log_probs": 2 * scores,
        }
        return {name: tf.constant(array) for name, array in outputs.items()}


@pytest.fixture
def signatures():
    return Signatures()


@pytest.fixture
def captioner(signatures):
    metadata = {"application": "ostinato_caption", "decoding": DECODING, "attention_grid": [2, 3]}
    return Captioner(
        LoadedModel(Path("toy/1"), {"beam_search": signatures, "sample": signatures}, {"metadata": metadata}, {}, None)
    )


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "dog.png"
    Image.new("RGB", (7, 5), "red").save(path)
    return path


def test_paths_bytes_images_and_arrays_are_all_photos(captioner, photo):
    with Image.open(photo) as image:
        array = np.asarray(image)
        captions = captioner.caption([photo, str(photo), photo.read_bytes(), image, array, array[:, :, 0]])
    assert [len(each) for each in captions] == [2] * 6
    assert captions[0][0].text == captions[1][0].text == captions[2][0].text


def test_a_caption_has_its_pieces_without_padding_and_where_each_looked(captioner, photo):
    ((best, second),) = captioner.caption([photo])
    assert (best.score, second.score) == (-1.0, -2.0)
    assert best.probability == pytest.approx(np.exp(-2))
    assert best.tokens == ("\u2581a", "b")
    assert best.attention.shape == (2, 2, 3)
    assert best.attention[1].tolist() == [[1, 1, 1], [1, 1, 1]]


def test_words_look_where_their_pieces_looked_on_average():
    attention = np.arange(4, dtype=np.float32)[:, None, None] * np.ones((1, 2, 3), np.float32)
    caption = Caption("a dog", -1.0, 0.5, ("\u2581a", "\u2581do", "g", "\u2581x"), attention)
    assert [word for word, _ in caption.words()] == ["a", "dog", "x"]
    assert [float(grid[0, 0]) for _, grid in caption.words()] == [0, 1.5, 3]


def test_any_iterable_is_captioned_a_batch_at_a_time(captioner, signatures, photo):
    asked = 0

    def photos():
        nonlocal asked
        for _ in range(37):
            asked += 1
            yield photo

    results = captioner.caption_each(photos())
    next(results)
    assert asked == 16
    assert len(list(results)) == 36
    assert [size for size, _ in signatures.calls] == [16, 16, 5]


def test_bad_photos_are_given_back_in_their_places(captioner, photo, tmp_path):
    (tmp_path / "text.jpg").write_text("no photo")
    given = [tmp_path / "gone.jpg", photo, InputError("named no photo"), tmp_path / "text.jpg", photo]
    results = list(captioner.caption_each(given))
    assert [item for item, _ in results] == given
    kinds = [isinstance(result, InputError) for _, result in results]
    assert kinds == [True, False, True, True, False]
    with pytest.raises(InputError, match=r"gone\.jpg does not exist"):
        captioner.caption(given)


def test_no_photo_is_no_request(captioner, signatures, tmp_path):
    assert captioner.caption([]) == []
    assert isinstance(next(captioner.caption_each([tmp_path / "gone.jpg"]))[1], InputError)
    assert signatures.calls == []


def test_a_photo_that_only_tensorflow_refuses_is_named_and_the_others_go_on(captioner, photo, tmp_path, monkeypatch):
    (tmp_path / "odd.jpg").write_bytes(b"odd!")
    monkeypatch.setattr(module, "read_photo", lambda source: Path(source).read_bytes())
    results = [result for _, result in captioner.caption_each([photo, tmp_path / "odd.jpg", photo])]
    assert [isinstance(result, InputError) for result in results] == [False, True, False]
    assert str(results[1]).startswith(f"{tmp_path / 'odd.jpg'} is damaged")


def test_no_call_is_given_more_bytes_than_the_model_wants_at_once(captioner, signatures, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "read_photo", lambda source: Path(source).read_bytes())
    monkeypatch.setattr(LoadedModel, "call_size", 10)
    paths = []
    for number, size in enumerate([3, 7, 1, 12, 5, 5]):
        paths.append(tmp_path / f"{number}.jpg")
        paths[-1].write_bytes(b"x" * size)
    captions = captioner.caption(paths)
    assert [caption[0].text for caption in captions] == [f"{size} bytes 0" for size in [3, 7, 1, 12, 5, 5]]
    assert [num_photos for num_photos, _ in signatures.calls] == [2, 1, 1, 2]


def test_the_settings_are_the_models_own_unless_given(captioner, signatures, photo):
    captioner.caption([photo])
    captioner.caption([photo], DecodingConfig(beam_width=4, length_penalty=1))  # an int for a float
    (_, own), (_, given) = signatures.calls
    assert {name: value.numpy() for name, value in own.items()} == pytest.approx(DECODING)
    assert (given["beam_width"].numpy(), given["length_penalty"].numpy()) == (4, 1.0)
    assert given["length_penalty"].dtype == tf.float32


def test_sampling_asks_another_signature_without_the_settings_of_a_search():
    signature, settings = request_settings(DecodingConfig(num_captions=7), SamplingConfig(temperature=2, seed=3))
    assert signature == "sample"
    assert {"beam_width", "length_penalty", "patience", "pruning"}.isdisjoint(settings)
    assert settings == {
        "num_captions": 7,
        "min_length": 3,
        "max_length": 24,
        "temperature": 2.0,
        "top_k": 0,
        "top_p": 1.0,
        "seed": 3,
    }


def test_more_captions_than_beams_are_refused_when_they_are_asked_for(captioner, photo):
    with pytest.raises(ConfigError, match="raise --beam-width to 7"):
        captioner.caption_each([photo], DecodingConfig(num_captions=7))


def test_a_model_of_another_application_is_refused(monkeypatch):
    other = LoadedModel(Path("translate/2"), {}, {"metadata": {"application": "ostinato_translate"}}, {}, None)
    monkeypatch.setattr(module, "load_model", lambda name: other)
    with pytest.raises(ModelError, match="translate/2 writes no captions"):
        Captioner.load("translate")


def test_a_model_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ModelError, match="No model"):
        Captioner.load(tmp_path / "none")


def test_importing_the_captioner_starts_nothing():
    program = (
        "import sys, ostinato_caption; assert 'numpy' not in sys.modules; from ostinato_caption import Caption, "
        "Captioner, DecodingConfig, SamplingConfig; sys.exit(bool({'tensorflow', 'keras', 'jax'} & set(sys.modules)))"
    )
    roots = [str(Path(__file__).parents[2] / name) for name in ("shared", "apps")]
    subprocess.run([sys.executable, "-c", f"import sys; sys.path[:0] = {roots}; {program}"], check=True)


def test_the_package_offers_nothing_else():
    import ostinato_caption

    with pytest.raises(AttributeError, match="has no attribute 'Captain'"):
        _ = ostinato_caption.Captain
