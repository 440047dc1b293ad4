import subprocess
import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from ostinato.errors import UserError
from ostinato.frames import window
from ostinato.frames.live_statistics import LiveStatistics
from ostinato.frames.window import Window, check_display

WITH_WINDOWS, WITHOUT = "  GUI:  QT5\n    QT: YES\n", "  GUI:                           NONE\n"


@pytest.fixture
def linux(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", ":9")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: WITH_WINDOWS)
    return monkeypatch


def answer(code):
    return lambda *arguments, **options: SimpleNamespace(returncode=code)


def test_without_a_display_the_way_to_go_on_is_named(linux):
    linux.delenv("DISPLAY")
    with pytest.raises(UserError, match=r"no display .* add --headless\.$"):
        check_display()


def test_an_opencv_without_windows_is_told_from_a_missing_display(linux):
    linux.setattr(cv2, "getBuildInformation", lambda: WITHOUT)
    with pytest.raises(UserError, match="install opencv-python in place of opencv-python-headless"):
        check_display()


@pytest.mark.parametrize("code", [-6, 1])
def test_a_display_that_does_not_answer_is_named(linux, code):
    linux.setattr(subprocess, "run", answer(code))
    with pytest.raises(UserError, match="display :9; check DISPLAY, or add --headless"):
        check_display()


def test_a_display_that_hangs_does_not_hang_the_program(linux):
    linux.setattr(window, "_PROBE_SECONDS", 0.01)
    with pytest.raises(UserError, match="display :9"):
        check_display()


def test_a_display_that_answers_is_good(linux):
    linux.setattr(subprocess, "run", answer(0))
    check_display()


@pytest.fixture
def screen(monkeypatch):
    """What OpenCV was told to show, without a display."""
    told = SimpleNamespace(shown=[], key=-1, visible=1.0)
    monkeypatch.setattr(window, "check_display", lambda: None)
    monkeypatch.setattr(cv2, "namedWindow", lambda title, flags: None)
    monkeypatch.setattr(cv2, "destroyAllWindows", lambda: None)
    monkeypatch.setattr(cv2, "imshow", lambda title, image: told.shown.append((title, image)))
    monkeypatch.setattr(cv2, "waitKey", lambda milliseconds: told.key)
    monkeypatch.setattr(cv2, "getWindowProperty", lambda title, name: told.visible)
    return told


def test_a_window_shows_what_was_drawn_in_the_colours_it_was_drawn_in(screen):
    frame = SimpleNamespace(image=np.zeros((3, 5, 3), np.uint8), time=0.0, number=0)
    red = np.full((3, 5, 3), (250, 10, 20), np.uint8)
    with Window("gestures", lambda frame, result, statistics: red) as shown:
        shown.show(frame, "wave", LiveStatistics())
    assert screen.shown[0][0] == "gestures"
    assert screen.shown[0][1][0, 0].tolist() == [20, 10, 250]


@pytest.mark.parametrize(
    ("key", "visible", "ended"),
    [
        (-1, 1.0, False),
        (ord("a"), 1.0, False),
        (ord("q"), 1.0, True),
        (27, 1.0, True),
        (-1, 0.0, True),
        (-1, -1.0, True),
    ],
)
def test_q_escape_and_the_button_of_the_window_end_it(screen, key, visible, ended):
    with Window("gestures", lambda frame, result, statistics: frame.image) as shown:
        screen.visible = 0.0  # until it has appeared
        assert not shown.ended()
        screen.visible = 1.0
        assert not shown.ended()
        screen.key, screen.visible = key, visible
        assert shown.ended() is ended
