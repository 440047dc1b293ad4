import dataclasses
import json

import numpy as np
import pytest

from ostinato.errors import ConfigError, DataError, InputError
from ostinato.layers import ImageEncoder
from ostinato_caption.config import PrepareConfig
from ostinato_caption.data import Example, read_examples
from ostinato_caption.prepare import prepare
from ostinato_caption.run import Run

CONFIG = PrepareConfig(image_size=32, vocabulary_size=330)


@pytest.fixture
def fresh(tmp_path):
    """A run directory that is yet to be made."""
    return Run(tmp_path / "deep" / "run")


def without_splits(squares):
    return [dataclasses.replace(example, split="") for example in read_examples(squares)]


def contents(folder):
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}


def test_a_run_directory_holds_all_that_training_needs(run):
    assert {path.name for path in run.folder.iterdir()} == {
        "examples.jsonl",
        "features.npy",
        "prepared.json",
        "tokenizer.model",
    }
    assert run.prepared["counts"] == {
        "photos": {"train": 9, "dev": 2, "test": 1},
        "captions": 36,
        "skipped_photos": 0,
        "skipped_captions": 0,
        "pieces": run.tokenizer.size,
    }
    assert run.prepare_config == CONFIG
    assert run.features().shape == (12, 2, 4, 7)
    assert run.rows("dev").tolist() == [2, 7]


def test_training_captions_are_cleaned_and_references_are_left_alone(run):
    assert run.examples[0].captions[0] == "a green square on red"
    assert run.examples[2].captions[0] == "A white square on red ."


def test_preparing_again_changes_nothing(fresh, squares):
    first = prepare(fresh, read_examples(squares), CONFIG)
    before = contents(fresh.folder)
    steps = []
    assert prepare(Run(fresh.folder), read_examples(squares), CONFIG, on_photo=lambda: steps.append(1)) == first
    assert contents(fresh.folder) == before
    assert steps == []


def test_other_settings_or_data_are_refused_and_leave_the_run_alone(run, squares):
    before = contents(run.folder)
    examples = read_examples(squares)
    changed = [dataclasses.replace(examples[0], captions=("something else",)), *examples[1:]]
    for data, config in ((examples, dataclasses.replace(CONFIG, max_pieces=7)), (changed, CONFIG)):
        with pytest.raises(DataError, match=r"prepared from other data or settings; name a new --run"):
            prepare(Run(run.folder), data, config)
    assert contents(run.folder) == before


def test_damaged_and_missing_photos_are_reported_and_belong_to_no_split(fresh, squares, tmp_path):
    examples = read_examples(squares)
    (tmp_path / "bad.png").write_bytes(b"no photo")
    examples[0] = dataclasses.replace(examples[0], image=str(tmp_path / "bad.png"))
    examples[7] = dataclasses.replace(examples[7], image=str(tmp_path / "gone.png"))
    faults: list[InputError] = []
    prepared = prepare(fresh, examples, CONFIG, on_error=faults.append)
    assert len(faults) == 2
    assert (prepared.photos, prepared.skipped_photos, prepared.captions) == ({"train": 8, "dev": 1, "test": 1}, 2, 30)
    assert 0 not in fresh.rows("train")
    assert fresh.rows("dev").tolist() == [2]
    assert not fresh.features()[0].any()


def test_where_no_photo_is_there_nothing_is_begun(fresh, squares):
    examples = [
        dataclasses.replace(example, image=f"/nowhere/{row}.jpg") for row, example in enumerate(read_examples(squares))
    ]
    faults: list[InputError] = []
    with pytest.raises(DataError, match=r"none of the 12 photos is there, such as /nowhere/0\.jpg"):
        prepare(fresh, examples, CONFIG, on_error=faults.append)
    assert faults == []
    assert not fresh.folder.exists()


def test_an_unknown_image_network_is_refused_at_once(tmp_path, squares, monkeypatch):
    monkeypatch.setattr("ostinato_caption.image_network.ImageEncoder", ImageEncoder)
    run = Run(tmp_path / "run")
    with pytest.raises(ConfigError, match="--network nonsense: there is no image network"):
        prepare(run, read_examples(squares), dataclasses.replace(CONFIG, network="nonsense"))
    assert not run.folder.exists()


def test_overlong_and_empty_training_captions_are_left_out_and_counted(fresh, squares):
    examples = read_examples(squares)
    examples[0] = dataclasses.replace(examples[0], captions=("red " * 99, " . ", "a red square"))
    examples[1] = dataclasses.replace(examples[1], captions=("blue " * 99,))
    prepared = prepare(fresh, examples, CONFIG)
    assert prepared.skipped_captions == 3
    assert prepared.photos["train"] == 8
    assert fresh.examples[0].captions == ("a red square",)


def test_without_splits_some_photos_are_kept_for_validation_by_their_names(fresh, squares):
    examples = without_splits(squares)
    prepare(fresh, examples, CONFIG)
    dev = {fresh.examples[row].image for row in fresh.rows("dev")}
    assert 1 <= len(dev) <= 4
    assert len(fresh.rows("train")) == 12 - len(dev)
    other = Run(fresh.folder.parent / "reversed")
    prepare(other, examples[::-1], CONFIG)
    if len(dev) > 1:  # chosen by name, not as the last one
        assert {other.examples[row].image for row in other.rows("dev")} == dev


def test_validation_photos_never_come_from_the_test_split(fresh, squares):
    examples = [
        dataclasses.replace(example, split="test" if row > 5 else "train")
        for row, example in enumerate(read_examples(squares))
    ]
    prepare(fresh, examples, CONFIG)
    assert fresh.rows("test").tolist() == [6, 7, 8, 9, 10, 11]
    assert len(fresh.rows("dev")) >= 1


def test_photos_that_the_lists_leave_out_are_left_out(fresh, squares):
    examples = read_examples(squares)
    examples[3] = dataclasses.replace(examples[3], split="unlisted")
    assert prepare(fresh, examples, CONFIG).photos == {"train": 8, "dev": 2, "test": 1}


def test_data_without_training_captions_are_refused(fresh, squares):
    only = [dataclasses.replace(example, split="test") for example in read_examples(squares)]
    with pytest.raises(DataError, match="hold no training captions"):
        prepare(fresh, only, CONFIG)


def test_a_directory_whose_preparation_was_interrupted_is_prepared_anew(fresh, squares):
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(fresh, read_examples(squares), CONFIG, on_photo=interrupt)
    with pytest.raises(DataError, match="run `prepare` first"):
        _ = fresh.prepared
    assert prepare(Run(fresh.folder), read_examples(squares), CONFIG).photos["train"] == 9


def test_examples_keep_letters_of_all_languages(fresh, squares):
    examples = read_examples(squares)
    examples[0] = Example(examples[0].image, "train", ("Ein Café, größer als das Élan 猫",))
    prepare(fresh, examples, CONFIG)
    assert fresh.examples[0].captions == ("ein café, größer als das élan 猫",)
    assert "猫" in fresh.examples_path.read_text(encoding="utf-8")
    assert len(json.loads(fresh.prepared_path.read_text())["fingerprint"]) == 64
    assert np.isfinite(fresh.features()).all()
