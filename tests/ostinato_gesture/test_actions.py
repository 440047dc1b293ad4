import sys
import threading
import time

import pytest

from ostinato.errors import ConfigError
from ostinato_gesture.actions import Actions, parse_actions
from ostinato_gesture.results import Event

LABELS = ("none", "wave", "fist")
WAVE = Event(1.0, 1.25, "wave", 0.875)


def python(code):
    return [sys.executable, "-c", code]


@pytest.fixture
def notices():
    """Sentences that came, and a wait for a number of them."""

    class Notices(list):
        def wait(self, count, seconds=20.0):
            until = time.monotonic() + seconds
            while len(self) < count and time.monotonic() < until:
                time.sleep(0.01)
            return self

    return Notices()


def wait_for(path, seconds=20.0):
    until = time.monotonic() + seconds
    while not (path.exists() and path.read_text()) and time.monotonic() < until:
        time.sleep(0.01)
    return path.read_text()


def test_a_command_is_a_list_of_words_and_no_shell_reads_it(tmp_path):
    commands = parse_actions([f"wave={sys.executable} 'a b' $HOME;ls *|cat"], LABELS, "none")
    assert commands == {"wave": [sys.executable, "a b", "$HOME;ls", "*|cat"]}


def test_an_equals_sign_may_be_part_of_the_command():
    assert parse_actions([f"fist={sys.executable} x=1"], LABELS)["fist"] == [sys.executable, "x=1"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("wave", "names no command"),
        ("wave=", "names no command"),
        ("kick=true", "knows no gesture 'kick'; it knows wave, fist"),
        ("none=true", "knows no gesture 'none'"),
        ("wave='unclosed", "close the quotes"),
        ("wave=no-such-program-here now", "no program 'no-such-program-here'"),
    ],
)
def test_a_mistake_is_named_before_the_camera_runs(text, fault):
    with pytest.raises(ConfigError, match=fault):
        parse_actions([text], LABELS, "none")


def test_two_commands_for_one_gesture_are_refused():
    with pytest.raises(ConfigError, match="has a command already"):
        parse_actions([f"wave={sys.executable}", f"wave={sys.executable}"], LABELS)


def test_the_program_of_an_event_learns_of_it(tmp_path):
    path = tmp_path / "told"
    code = f"""
import os, pathlib
facts = [os.environ["OSTINATO_" + name] for name in ("GESTURE", "CONFIDENCE", "TIME")]
pathlib.Path({str(path)!r}).write_text(" ".join(facts))
"""
    Actions({"wave": python(code)})(WAVE)
    assert wait_for(path) == "wave 0.8750 1.250"


def test_a_gesture_without_a_command_starts_nothing(notices):
    before = threading.active_count()
    Actions({"fist": python("")}, notices.append)(WAVE)
    assert threading.active_count() == before
    assert notices == []


def test_a_command_that_fails_is_told_and_the_loop_goes_on(notices):
    actions = Actions({"wave": python("raise SystemExit(3)")}, notices.append)
    actions(WAVE)
    assert notices.wait(1)[0].endswith("of wave failed with exit code 3.")


def test_a_program_that_cannot_be_started_is_told(tmp_path, notices):
    program = tmp_path / "program"
    program.write_text("no program")  # and not executable
    Actions({"wave": [str(program)]}, notices.append)(WAVE)
    assert "cannot be started" in notices.wait(1)[0]


def test_a_command_that_hangs_holds_up_nothing_and_is_not_started_for_ever(tmp_path, notices):
    path = tmp_path / "go"
    code = f"""
import pathlib, time
while not pathlib.Path({str(path)!r}).exists():
    time.sleep(0.01)
"""
    actions = Actions({"wave": python(code)}, notices.append)
    began = time.monotonic()
    for _ in range(4):
        actions(WAVE)
    assert time.monotonic() - began < 5
    assert notices == []
    actions(WAVE)
    assert "still runs 4 times" in notices[0]
    path.touch()
    until = time.monotonic() + 20
    while actions._running["wave"] and time.monotonic() < until:
        time.sleep(0.01)
    actions(WAVE)
    assert len(notices) == 1  # it runs again
