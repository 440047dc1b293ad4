import io

import numpy as np
import pytest
from PIL import Image

from ostinato.frames.reading import VideoReader
from ostinato_serve.page import samples


def test_photos_name_their_licence_and_origin():
    photos = samples.photos()
    assert len(photos) == 8
    assert {photo.licence for photo in photos.values()} == {"CC BY 2.0"}
    assert all(photo.source.startswith("http") and photo.description for photo in photos.values())


def test_photos_are_shown_small():
    for photo in samples.photos().values():
        content = samples.thumbnail(photo.path)
        with Image.open(io.BytesIO(content)) as small:
            assert max(small.size) == 240
        assert len(content) < 30_000


def test_sentences_are_of_several_languages():
    assert {sentence.language for sentence in samples.sentences()} == {"cs", "de", "en", "fr"}


def test_the_video_can_be_read_and_the_landmarks_are_those_of_hands():
    for sample in samples.files("videos", ".mp4").values():
        with VideoReader(sample.path) as video:
            assert video.duration < 60
    for sample in samples.files("gestures", ".npz").values():
        arrays = np.load(sample.path)
        assert arrays["landmarks"].shape[1:] == (2, 21, 3)
        assert 5 < arrays["frame_rate"] < 60


def test_an_installation_without_samples_has_none(monkeypatch, tmp_path):
    monkeypatch.setattr(samples, "samples_folder", lambda: None)
    for each in (samples.photos, samples.sentences):
        assert not each.__wrapped__()
    assert samples.files.__wrapped__("videos", ".mp4") == {}


@pytest.mark.parametrize("kind", ["videos", "gestures"])
def test_every_sample_is_described(kind):
    suffix = {"videos": ".mp4", "gestures": ".npz"}[kind]
    found = samples.files(kind, suffix)
    assert found
    assert [name for name, sample in found.items() if sample.description == sample.path.stem] == []
