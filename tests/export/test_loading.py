import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from ostinato.errors import ModelError
from ostinato.export.loading import LoadedModel, load_model, read_interface


def test_a_loaded_model_answers_and_brings_its_assets_and_facts(export, tmp_path):
    (tmp_path / "labels.txt").write_text("up\ndown\n")
    folder = export(
        assets={"labels.txt": tmp_path / "labels.txt", "tokenizer.model": b"\x00\x01"},
        metadata={"beam_width": 5, "licence": "CC BY 4.0"},
    )
    model = load_model(folder.parent)
    assert model.path == folder
    assert model.signatures["serving_default"](numbers=tf.zeros((2, 5)))["scores"].shape == (2, 3)
    assert model.interface["metadata"] == {"beam_width": 5, "licence": "CC BY 4.0"}
    assert sorted(model.assets) == ["labels.txt", "tokenizer.model"]
    assert model.assets["labels.txt"].read_text() == "up\ndown\n"
    assert model.assets["tokenizer.model"].read_bytes() == b"\x00\x01"


def test_a_model_can_be_moved(export, tmp_path):
    folder = export()
    numbers = np.ones((1, 5), np.float32)
    before = load_model(folder).signatures["serving_default"](numbers=tf.constant(numbers))["scores"]
    shutil.move(folder, tmp_path / "elsewhere")
    after = load_model(tmp_path / "elsewhere").signatures["serving_default"](numbers=tf.constant(numbers))["scores"]
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    "damaged", ["saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"]
)
@pytest.mark.parametrize("how", ["cut", "scrambled"])
def test_a_damaged_folder_is_named_in_one_sentence(export, damaged, how):
    folder = export()
    path = folder / damaged
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] if how == "cut" else b"\xff" * len(content))
    with pytest.raises(ModelError, match=r"toy/1.* damaged") as caught:
        load_model(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("missing", ["variables/variables.index", "variables/variables.data-00000-of-00001"])
def test_a_folder_without_weights_is_damaged(export, missing):
    folder = export()
    (folder / missing).unlink()
    with pytest.raises(ModelError, match="damaged"):
        load_model(folder)


def test_an_interface_that_is_missing_or_damaged_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"interface.json cannot be read \(No such file"):
        read_interface(tmp_path)
    for content in (b'{"signatures"', b"\xff\xfe", json.dumps([1]).encode(), b'{"signatures": 3}'):
        (tmp_path / "interface.json").write_bytes(content)
        with pytest.raises(ModelError, match=r"interface.json (is damaged|lists no signatures)"):
            read_interface(tmp_path)


def test_a_model_of_another_application_is_refused_in_one_sentence():
    model = LoadedModel(Path("toy/1"), {}, {"metadata": {"application": "ostinato_sing"}}, {}, None)
    model.check_application("ostinato_sing", "songs")
    with pytest.raises(ModelError, match="the model in toy/1 writes no poems; name another"):
        model.check_application("ostinato_rhyme", "poems")
    with pytest.raises(ModelError, match="writes no songs"):
        LoadedModel(Path("toy/1"), {}, {}, {}, None).check_application("ostinato_sing", "songs")


@pytest.mark.parametrize("settings", [{"width": 3}, {"width": 3, "height": 5, "depth": 7}])
def test_a_model_whose_settings_are_not_those_of_the_program_is_refused(settings):
    @dataclasses.dataclass
    class Settings:
        width: int
        height: int

    def loaded(decoding):
        return LoadedModel(Path("toy/1"), {}, {"metadata": {"decoding": decoding}}, {}, None)

    loaded({"height": 5, "width": 3}).check_settings(Settings)
    (name,) = {"height", "depth"} & (settings.keys() ^ {"width", "height"})
    with pytest.raises(ModelError, match=rf"different settings \({name}\); export it again"):
        loaded(settings).check_settings(Settings)
