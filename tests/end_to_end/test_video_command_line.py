"""What `ostinato-video` says before any work is done: help, and wrong arguments."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ostinato.commands import run_application
from ostinato.frames.video_writer import VideoWriter
from ostinato_video.cli import app

ROOT = Path(__file__).parents[2]
VERBS = ("prepare", "train", "evaluate", "predict", "export", "bench", "live")
HEAVY = ("tensorflow", "keras", "numpy", "PIL", "cv2", "av", "jax", "tensorflow_datasets", "scipy")


@pytest.fixture
def folder(tmp_path):
    """Holds what the wrong arguments below speak of."""
    with VideoWriter(tmp_path / "good.mp4", frame_rate=10, size=(40, 36)) as video:
        video.write(np.full((36, 40, 3), 90, np.uint8))
    (tmp_path / "other.mp4").write_bytes((tmp_path / "good.mp4").read_bytes())
    (tmp_path / "manifest.csv").write_text("video,label\ngood.mp4,quiet\nother.mp4,loud\n")
    (tmp_path / "wrong.csv").write_text("film,label\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("no TOML, no JSON, no video")
    version = tmp_path / "damaged" / "1"
    version.mkdir(parents=True)
    (version / "saved_model.pb").write_bytes(b"x")
    (version / "interface.json").write_text(json.dumps({"signatures": {}, "metadata": {}}))
    return tmp_path


@pytest.mark.parametrize("words", [(), *((verb,) for verb in VERBS)], ids=lambda words: " ".join(words) or "all")
def test_help_is_printed_without_starting_anything(words):
    program = (
        "import sys\n"
        "from ostinato.commands import run_application\n"
        "from ostinato_video.cli import app\n"
        f"code = run_application(app, {[*words, '--help']})\n"
        f"loaded = set({HEAVY}) & set(sys.modules)\n"
        "sys.exit(f'imported: {loaded}' if loaded else code)\n"
    )
    path = os.pathsep.join(str(ROOT / name) for name in ("shared", "apps"))
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "Usage: ostinato-video" in result.stdout
    assert all(word in result.stdout for word in (words or VERBS))


def test_help_takes_less_than_half_a_second_of_computing():
    program = (
        "import os, sys\n"
        "from ostinato.commands import run_application\n"
        "from ostinato_video.cli import app\n"
        "run_application(app, ['predict', '--help'])\n"
        "sys.stderr.write(str(sum(os.times()[:2])))\n"
    )
    path = os.pathsep.join(str(ROOT / name) for name in ("shared", "apps"))
    environment = {**os.environ, "PYTHONPATH": path}
    seconds = [
        float(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment).stderr)
        for _ in range(3)
    ]
    assert min(seconds) < 0.5


def run(*words):
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        code = run_application(app, [str(word) for word in words])
    return code, out.getvalue(), err.getvalue()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("predikt good.mp4", 'Did you mean "predict"'),
        ("predict", "requires an argument"),
        ("predict good.mp4 --fromat json", "Did you mean --format"),
        ("predict good.mp4 --format xml", "--format"),
        ("predict good.mp4 --abstain 2", "--abstain 2.0 is not within 0 and 1"),
        ("predict good.mp4 --switch-cost nan", "--switch-cost nan"),
        ("predict good.mp4 --min-seconds -1", "--min-seconds -1.0"),
        ("predict good.mp4 --model nowhere", "No model nowhere"),
        ("predict good.mp4 --model text", "text is a file, not an exported model"),
        ("predict good.mp4 --model empty", "holds no exported model"),
        ("predict good.mp4 --model damaged", "is damaged"),
        ("predict good.mp4 other.mp4 --format srt --model nowhere", "--format srt is for one video"),
        ("predict good.mp4 other.mp4 --overlay out.mp4 --model nowhere", "name a folder"),
        ("predict good.mp4 --overlay out.avi --model nowhere", "let it end in .mp4"),
        ("predict good.mp4 --overlay good.mp4 --model nowhere", "would overwrite the video"),
        ("predict good.mp4 --plot out.jpg --model nowhere", "let it end in .png"),
        ("prepare --data nowhere --run run", "nowhere"),
        ("prepare --data empty --run run", "empty"),
        ("prepare --data wrong.csv --run run", "wrong.csv"),
        ("prepare --data manifest.csv --run run --group-by room", "room"),
        ("prepare --data manifest.csv --run run --layout imagenet", "--layout"),
        ("prepare --data manifest.csv --run run --image-size 7", "image_size must be within 32 and 512"),
        ("prepare --data manifest.csv --run run --frame-rate 0", "frame_rate must be above 0"),
        ("prepare --data manifest.csv --run run --parts smell", "not 'smell'"),
        ("prepare --data manifest.csv --run run --network nonsense", "nonsense"),
        ("prepare --data manifest.csv", "--run"),
        ("train --run empty", "is no prepared run directory; run `prepare` first"),
        ("train --run empty --units 0", "units"),
        ("train --run empty --config nowhere.toml", "nowhere.toml: cannot be read"),
        ("train --run empty --config text", "is no TOML"),
        ("evaluate", "give --data with labelled videos"),
        ("evaluate --data manifest.csv --folds 3", "leave out --data"),
        ("evaluate --run empty", "give one of --folds N"),
        ("evaluate --run empty --folds 2", "is no prepared run directory"),
        ("evaluate --data manifest.csv --split holiday", "holiday"),
        ("evaluate --data manifest.csv --split all --run empty", "is no prepared run directory"),
        ("evaluate --data manifest.csv --split all --run empty --model damaged", "exclude each other"),
        ("export --run empty --output model", "is no prepared run directory"),
        ("export --run empty", "--output"),
        ("bench --video good.mp4 --frames 7 --model nowhere", "--frames 7 is too few"),
        ("bench --video good.mp4 --model damaged", "is damaged"),
        ("bench --video nowhere.mp4 --model nowhere", "nowhere.mp4 does not exist"),
        ("live --headless --model damaged", "is damaged"),
        ("live --headless --source text --model nowhere", "text is not a video"),
        ("live --headless --source empty --model nowhere", "empty is a folder"),
        ("live --headless --source good.mp4 --patience -1", "--patience -1"),
        ("live --headless --source good.mp4 --max-frames -1", "--max-frames -1"),
        ("live --headless --source nowhere.mp4 --model nowhere", "nowhere.mp4 does not exist"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(folder, monkeypatch, line, said):
    monkeypatch.chdir(folder)
    before = sorted(folder.rglob("*"))
    code, out, err = run(*line.split())
    assert (code, out) == (2, "")
    assert err.startswith("ostinato-video: ")
    assert err.count("\n") == 1
    assert said in err
    assert sorted(folder.rglob("*")) == before
