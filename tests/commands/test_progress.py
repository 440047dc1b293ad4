import io
import sys

import pytest

from ostinato.commands import counter, progress, progress_bar

SHOW_CURSOR, UP_AND_CLEAR = "\x1b[?25h", "\r\x1b[1A\x1b[2K"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def open_terminal(monkeypatch):
    """Puts a terminal in place of standard error; called inside a test, for pytest sets its own before each."""

    def put():
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "100")
        monkeypatch.delenv("NO_COLOR", raising=False)
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        return terminal

    return put


def test_items_pass_in_order_and_nothing_is_written_where_no_terminal_is(capsys):
    assert list(progress(iter("abc"), "Captioning", total=3)) == ["a", "b", "c"]
    with progress_bar("Training", 7) as show:
        show(3, "Epoch 2")
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_what_is_done_and_how_much(open_terminal, capsys):
    terminal = open_terminal()
    assert list(progress([5, 7, 9], "Captioning")) == [5, 7, 9]
    assert "Captioning" in terminal.getvalue()
    assert "3/3" in terminal.getvalue()
    assert capsys.readouterr().out == ""


def test_work_of_unknown_length_is_counted_too(open_terminal):
    terminal = open_terminal()
    assert list(progress(iter([5, 7]), "Reading")) == [5, 7]
    assert "2/?" in terminal.getvalue()


def test_the_bar_is_told_where_it_is(open_terminal):
    terminal = open_terminal()
    with progress_bar("Training", 7) as show:
        show(3, "Epoch 2")
    assert "Epoch 2" in terminal.getvalue()
    assert "3/7" in terminal.getvalue()


def test_results_printed_meanwhile_stay_out_of_the_bar_when_they_go_to_a_file(open_terminal, capsys):
    terminal = open_terminal()
    for item in progress([5, 7], "Captioning"):
        print("result", item)
    assert capsys.readouterr().out == "result 5\nresult 7\n"
    assert "result" not in terminal.getvalue()


def test_work_that_is_given_up_takes_the_bar_away(open_terminal):
    terminal = open_terminal()
    work = progress([5, 7, 9], "Captioning")
    next(work)
    assert not terminal.getvalue().endswith(UP_AND_CLEAR)
    work.close()
    assert terminal.getvalue().endswith(SHOW_CURSOR + UP_AND_CLEAR)


def test_a_counter_shows_how_often_it_was_called():
    shown: list[int] = []
    count = counter(shown.append)
    count()
    count()
    assert shown == [1, 2]
