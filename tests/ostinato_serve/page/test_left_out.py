"""A server without the page, because nobody wants it or its library is not there."""

import sys

import pytest

from ostinato_serve.config import PageConfig
from ostinato_serve.running import _page_routes


@pytest.fixture
def without(monkeypatch):
    """Makes a package one that is not installed."""

    def hide(package):
        for module in [name for name in sys.modules if name.startswith(("ostinato_serve.page", package))]:
            monkeypatch.delitem(sys.modules, module)
        monkeypatch.setitem(sys.modules, package, None)

    return hide


def test_the_page_is_there_unless_it_is_not_wanted(model_server):
    assert [vars(route)["path"] for route in _page_routes(model_server, PageConfig())] == ["/", "/page"]
    assert _page_routes(model_server, PageConfig(page=False)) == ()


@pytest.mark.parametrize("package", ["jinja2", "python_multipart"])
def test_without_its_library_the_page_is_left_out_and_how_to_get_it_is_told(without, model_server, package, capsys):
    without(package)
    assert _page_routes(model_server, PageConfig()) == ()
    assert capsys.readouterr().err == (
        f"ostinato-serve: the page is left out: it needs {package}; install it with: pip install 'ostinato[serve]'\n"
    )
