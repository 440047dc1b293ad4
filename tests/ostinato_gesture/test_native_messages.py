import os

import pytest

from ostinato_gesture.native_messages import ANYTHING, without_chatter

CHATTER = (
    b"W0000 00:00:1700000000.1234  77 file.cc:81] Using this.\nINFO: Created a delegate.\nWARNING: Logging\nI0001 x\n"
)
ERRORS = b"E0000 00:00:1700000000.1234  77 file.cc:9] Broken.\nERROR: no memory\nWhatever: else\n"


def test_information_and_warnings_of_native_code_are_dropped_and_all_else_is_written(capfd):
    os.write(2, b"before\n")
    with without_chatter():
        os.write(2, CHATTER + ERRORS)
    os.write(2, b"after\n")
    assert capfd.readouterr().err.encode() == b"before\n" + ERRORS + b"after\n"


def test_a_block_that_fails_shows_all_that_was_said(capfd):
    def fail():
        os.write(2, CHATTER)
        raise OSError("broken")

    with pytest.raises(OSError, match="broken"), without_chatter(ANYTHING):
        fail()
    assert capfd.readouterr().err.encode() == CHATTER


def test_blocks_within_blocks_and_one_after_the_other_leave_standard_error_as_it_was(capfd):
    for _ in range(3):
        with without_chatter(), without_chatter(ANYTHING):
            os.write(2, ERRORS)
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"
