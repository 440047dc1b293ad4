import contextlib
import importlib
import sys
import threading

import pytest

from ostinato.commands.lazy_package import import_lazily

NAME = "hesitant"
WHOLE = """
import time
from hesitant import part
begun = True
try:
    from hesitant import absent
except ImportError:
    lacks = True
time.sleep(0.2)
value = part.number + 2
"""


@pytest.fixture
def hesitant(tmp_path, monkeypatch):
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / "part.py").write_text("number = 5\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path / NAME / "__init__.py"
    for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
        del sys.modules[name]


def test_parts_are_imported_without_the_whole(hesitant):
    hesitant.write_text(WHOLE)
    package = import_lazily(NAME, within=contextlib.nullcontext)
    assert importlib.import_module(f"{NAME}.part").number == 5
    assert "begun" not in vars(package)
    assert package.value == 7
    assert importlib.import_module(NAME) is package
    assert package.lacks is True
    with pytest.raises(AttributeError, match="module 'hesitant' has no attribute 'absent'"):
        package.absent  # noqa: B018


def test_a_from_import_asks_for_the_whole(hesitant):
    hesitant.write_text(WHOLE)
    import_lazily(NAME, within=contextlib.nullcontext)
    from hesitant import value

    assert value == 7


def test_the_whole_is_imported_once_within_its_context_however_many_ask(hesitant):
    hesitant.write_text(WHOLE)
    entered = []

    @contextlib.contextmanager
    def within():
        entered.append("in")
        yield
        entered.append("out")

    package = import_lazily(NAME, within)
    together = threading.Barrier(4)
    found = []

    def ask():
        together.wait()
        found.append(package.value)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [7] * 4
    assert entered == ["in", "out"]


def test_an_import_that_fails_is_tried_again(hesitant):
    hesitant.write_text("raise ImportError('not today')\n")
    package = import_lazily(NAME, within=contextlib.nullcontext)
    for _ in range(2):
        with pytest.raises(ImportError, match="not today"):
            package.value  # noqa: B018
    hesitant.write_text("value = 'at last, and longer than before'\n")
    importlib.invalidate_caches()
    assert package.value == "at last, and longer than before"


def test_a_package_that_is_not_installed_is_missing_at_once():
    with pytest.raises(ModuleNotFoundError, match="No module named 'never_written'"):
        import_lazily("never_written", within=contextlib.nullcontext)
    assert "never_written" not in sys.modules
