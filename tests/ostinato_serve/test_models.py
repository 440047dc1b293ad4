import pytest

from ostinato.errors import ConfigError, ModelError
from ostinato.export import versions
from ostinato.serving.repository import ModelConfig
from ostinato_serve.models import models_to_serve


@pytest.fixture
def folder(tmp_path):
    """Of two models, one of them with two versions."""
    for version in ("caption/1", "translate/3", "translate/12"):
        (tmp_path / "models" / version).mkdir(parents=True)
        (tmp_path / "models" / version / "saved_model.pb").touch()
    return tmp_path / "models"


def test_a_folder_of_versions_gives_the_model_its_name(folder):
    assert models_to_serve([str(folder / "translate")], None) == {"translate": ModelConfig(folder / "translate")}


def test_a_folder_of_models_gives_all_of_them(folder):
    (folder / "notes").mkdir()
    assert models_to_serve([str(folder)], None) == {
        "caption": ModelConfig(folder / "caption"),
        "translate": ModelConfig(folder / "translate"),
    }


def test_the_folder_of_a_version_holds_the_model_to_it(folder):
    models = models_to_serve([str(folder / "translate/3")], None)
    assert models == {"translate": ModelConfig(folder / "translate", specific=(3,))}


def test_shipped_models_are_served_by_name_and_all_of_them_where_none_is_named(folder, monkeypatch):
    monkeypatch.setattr(versions, "_shipped_roots", lambda: [folder])
    assert models_to_serve(["caption"], None) == {"caption": ModelConfig(folder / "caption")}
    assert models_to_serve([], None).keys() == {"caption", "translate"}


def test_a_folder_without_a_model_is_named(folder, tmp_path):
    with pytest.raises(ModelError, match="holds no exported model"):
        models_to_serve([str(tmp_path)], None)
    with pytest.raises(ModelError, match="No model nothing"):
        models_to_serve(["nothing"], None)


def test_two_models_of_one_name_are_refused(folder, tmp_path):
    (tmp_path / "more/caption/1").mkdir(parents=True)
    with pytest.raises(ModelError, match="two models are called caption"):
        models_to_serve([str(folder / "caption"), str(tmp_path / "more/caption")], None)


def test_a_models_config_of_tensorflow_serving_is_followed(folder, tmp_path):
    path = tmp_path / "models.config"
    path.write_text(
        f"""
        model_config_list {{
          config {{ name: "one" base_path: "{folder}/caption" model_platform: "tensorflow" }}
          config {{
            name: "two" base_path: "{folder}/translate"
            model_version_policy {{ specific {{ versions: 3 versions: 12 }} }}
            version_labels {{ key: "stable" value: 3 }}
          }}
          config {{
            name: "three" base_path: "{folder}/translate" model_version_policy {{ latest {{ num_versions: 2 }} }}
          }}
          config {{ name: "four" base_path: "{folder}/translate" model_version_policy {{ all {{}} }} }}
        }}
        """
    )
    assert models_to_serve([], path) == {
        "one": ModelConfig(folder / "caption"),
        "two": ModelConfig(folder / "translate", latest=None, specific=(3, 12), labels={"stable": 3}),
        "three": ModelConfig(folder / "translate", latest=2),
        "four": ModelConfig(folder / "translate", latest=None),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model_config_list { config { nam: 1 } }", "is no models.config"),
        ('model_config_list { config { name: "a" base_path: "/nowhere/at/all" } }', "no folder /nowhere/at/all"),
        ('model_config_list { config { name: "a/b" base_path: "/" } }', "cannot be called 'a/b'"),
        (
            'model_config_list { config { name: "a" base_path: "/" model_version_policy { specific {} } } }',
            "names none",
        ),
        ("", "there is no model to serve"),
    ],
)
def test_a_models_config_that_cannot_be_followed_is_refused(tmp_path, text, message):
    path = tmp_path / "models.config"
    path.write_text(text)
    with pytest.raises((ConfigError, ModelError), match=message):
        models_to_serve([], path)


def test_a_models_config_that_is_missing_is_named(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        models_to_serve([], tmp_path / "models.config")
