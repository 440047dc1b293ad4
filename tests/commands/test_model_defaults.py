import dataclasses
import json
from pathlib import Path
from typing import Annotated

import pytest
from cyclopts import Parameter

from ostinato.commands import ModelDefaults, make_application, run_application


@dataclasses.dataclass(frozen=True)
class Settings:
    beam_width: int = 5
    length_penalty: float = 0.6
    num_results: int = 1
    max_length: int = 24


@pytest.fixture
def model(tmp_path):
    """What is read of an exported model before it is loaded."""
    folder = tmp_path / "toy" / "3"
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"")
    decoding = {"beam_width": 7, "length_penalty": 0.25, "num_results": 2}
    (folder / "interface.json").write_text(json.dumps({"signatures": {}, "metadata": {"decoding": decoding}}))
    return folder


@pytest.fixture
def app(model):
    app = make_application("ostinato-test", "Tests.")

    @app.command(config=ModelDefaults("--model", str(model), unless="--run"))
    def search(
        *,
        model: str = "",
        run: Path | None = None,
        settings: Annotated[Settings, Parameter(name="*")] = Settings(),
    ) -> None:
        """Says what it was given."""
        print(settings.beam_width, settings.length_penalty, settings.num_results, settings.max_length)

    return app


def test_settings_that_are_left_out_are_those_of_the_model(app, model, capsys):
    assert run_application(app, ["search"]) == 0
    assert run_application(app, ["search", "--model", str(model.parent), "--beam-width", "4"]) == 0
    assert capsys.readouterr().out == "7 0.25 2 24\n4 0.25 2 24\n"


def test_a_model_that_is_missing_leaves_the_defaults_for_the_verb_to_complain(app, tmp_path, capsys):
    assert run_application(app, ["search", "--model", str(tmp_path / "none")]) == 0
    assert capsys.readouterr().out == "5 0.6 1 24\n"


def test_a_run_has_no_settings_of_a_model_and_excludes_one(app, model, capsys):
    assert run_application(app, ["search", "--run", "x"]) == 0
    assert capsys.readouterr().out == "5 0.6 1 24\n"
    assert run_application(app, ["search", "--run", "x", "--model", str(model)]) == 2
    assert "--model and --run exclude each other" in capsys.readouterr().err
