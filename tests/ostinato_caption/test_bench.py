import time
from pathlib import Path

import pytest
import tensorflow as tf
from PIL import Image

from ostinato.errors import InputError
from ostinato.export import LoadedModel
from ostinato_caption.bench import bench_captioning, bench_training, sample_photos
from ostinato_caption.captioner import Captioner


@pytest.fixture
def folder(tmp_path):
    for name, colour in (("a.png", "red"), ("b.png", "blue"), ("c.png", "green")):
        Image.new("RGB", (9, 7), colour).save(tmp_path / name)
    return tmp_path


def test_a_batch_is_filled_by_repeating_the_photos(folder):
    photos = sample_photos(folder, 5)
    assert len(photos) == 5
    assert photos[:2] == photos[3:]
    assert len(set(photos)) == 3
    assert len(sample_photos(folder, 2)) == 2


def test_a_folder_without_photos_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no photos"):
        sample_photos(tmp_path, 3)


def test_captioning_is_compared_with_its_image_network(folder):
    asked = []

    def encode(image_bytes):
        time.sleep(0.01)
        return {"embeddings": tf.zeros([len(image_bytes), 3])}

    def search(image_bytes, **settings):
        time.sleep(0.03)
        asked.append({name: value.numpy() for name, value in settings.items()})
        return {"captions": tf.constant([["x"]] * len(image_bytes))}

    decoding = {
        "beam_width": 5,
        "num_captions": 4,
        "length_penalty": 0.5,
        "patience": 1.0,
        "pruning": 0.0,
        "min_length": 2,
        "max_length": 9,
    }
    signatures = {"embed": encode, "beam_search": search}
    model = LoadedModel(Path("toy/1"), signatures, {"metadata": {"decoding": decoding}}, {}, None)
    bench = bench_captioning(Captioner(model), sample_photos(folder, 4), beam_width=2, repeats=3)
    assert (bench.photos, bench.beam_width, len(asked)) == (4, 2, 5)  # two warm-up calls
    assert (asked[0]["beam_width"], asked[0]["num_captions"], asked[0]["max_length"]) == (2, 1, 9)
    assert 10 <= bench.encoder_ms < bench.caption_ms
    assert bench.ratio > 1
    assert bench.photos_per_second == pytest.approx(4000 / bench.caption_ms, rel=0.1)
    assert set(bench.to_dict()) >= {"ratio", "peak_memory_mb"}


def test_training_is_timed_on_a_run_of_any_size(run, eager):
    figures = bench_training(run, repeats=2)
    assert figures["target_tokens_per_second"] > 0
    assert figures["update_ms"] > 0
    assert not run.metrics_path.exists()
