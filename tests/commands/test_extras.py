import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from ostinato.commands.extras import _EXTRAS, extra_that_has

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def plain(distribution):
    """A name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


@pytest.mark.parametrize("module", _EXTRAS)
def test_the_extra_named_to_the_user_lists_the_package(module):
    extras = tomllib.loads(PYPROJECT.read_text())["project"]["optional-dependencies"]
    listed = {plain(re.split(r"[<>=\[]", requirement)[0]) for requirement in extras[extra_that_has(module)]}
    assert listed & set(map(plain, packages_distributions()[module]))


def test_submodules_count_and_other_modules_do_not():
    assert extra_that_has("tensorflow_serving.apis.predict_pb2") == "train"
    assert extra_that_has("tensorflow") is None
    assert extra_that_has(None) is None
