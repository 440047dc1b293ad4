"""Commands that run exported models import no more of TensorFlow than that takes: seconds of every call."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """
import atexit, sys
atexit.register(lambda: print("all of TensorFlow:", "zeros" in vars(sys.modules["tensorflow"])))
from ostinato_{application}.cli import main
main()
"""


@pytest.mark.parametrize(
    ("application", "arguments"),
    [
        ("caption", ["predict", "samples/photos/000000000790.jpg"]),
        ("translate", ["predict", "--to", "de", "A dog."]),
        ("video", ["predict", "samples/videos/room.mp4"]),
    ],
)
def test_predicting_leaves_out_most_of_tensorflow(application, arguments):
    process = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(application=application), *arguments],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT / 'shared'}:{ROOT / 'apps'}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.stdout.splitlines()[-1] == "all of TensorFlow: False", process.stderr
    assert len(process.stdout.splitlines()) > 1
    assert process.returncode == 0, process.stderr
