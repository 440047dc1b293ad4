"""What is said before any work is done: help, and wrong arguments."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERBS = ("prepare", "train", "evaluate", "predict", "export", "bench")
HEAVY = ("tensorflow", "keras", "numpy", "PIL", "sentencepiece", "jax", "tensorflow_datasets", "scipy")


@pytest.fixture
def folder(tmp_path):
    """Holds what the wrong arguments below speak of."""
    shutil.copy(next((ROOT / "samples" / "photos").glob("*.jpg")), tmp_path / "good.jpg")
    (tmp_path / "captions.csv").write_text("image,caption\ngood.jpg,a photo\n")
    (tmp_path / "wrong.csv").write_text("photo,text\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("no TOML, no JSON, no photo")
    version = tmp_path / "other" / "1"
    version.mkdir(parents=True)
    (version / "saved_model.pb").write_bytes(b"x")
    (version / "interface.json").write_text(json.dumps({"signatures": {}, "metadata": {}}))
    return tmp_path


@pytest.mark.parametrize("words", [(), *((verb,) for verb in VERBS)], ids=lambda words: " ".join(words) or "all")
def test_help_is_printed_without_starting_anything(words):
    program = (
        "import sys\n"
        "from ostinato.commands import run_application\n"
        "from ostinato_caption.cli import app\n"
        f"code = run_application(app, {[*words, '--help']})\n"
        f"loaded = set({HEAVY}) & set(sys.modules)\n"
        "sys.exit(f'imported: {loaded}' if loaded else code)\n"
    )
    path = os.pathsep.join(str(ROOT / name) for name in ("shared", "apps"))
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "Usage: ostinato-caption" in result.stdout
    assert all(word in result.stdout for word in (words or VERBS))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("predikt good.jpg", 'Did you mean "predict"'),
        ("predict", "requires an argument"),
        ("predict good.jpg --beam-widht 3", "Did you mean --beam-width"),
        ("predict good.jpg --beam-width 0", "--beam-width 0 is not within 1 and 100"),
        ("predict good.jpg --beam-width 2.5", "give a whole number"),
        ("predict good.jpg --beam-width two", "--beam-width"),
        ("predict good.jpg --num-captions 6", "raise --beam-width to 6"),
        ("predict good.jpg --max-length 3", "--max-length 3 is not above the least length 3"),
        ("predict good.jpg --length-penalty nan", "--length-penalty nan"),
        ("predict good.jpg --temperature 0.5", "add --sample"),
        ("predict good.jpg --sample --temperature 0", "--temperature 0"),
        ("predict good.jpg --sample --top-k -1", "--top-k -1"),
        ("predict good.jpg --sample --top-p 1.5", "--top-p 1.5"),
        ("predict good.jpg --sample --seed -1", "--seed -1"),
        ("predict good.jpg --format xml", "--format"),
        ("predict good.jpg --model nowhere", "No model nowhere"),
        ("predict good.jpg --model good.jpg", "good.jpg is a file, not an exported model"),
        ("predict good.jpg --model empty", "holds no exported model"),
        ("predict good.jpg --model other", "is damaged"),
        ("predict -", "standard input is empty"),
        ("prepare --data nowhere --run run", "there is no folder nowhere"),
        ("prepare --data empty --run run", "name --layout"),
        ("prepare --data wrong.csv --run run", "must have the columns image and caption, has: photo, text"),
        ("prepare --data . --run run --layout imagenet", "--layout"),
        ("prepare --data . --run run --image-size 7", "image_size must be within 32 and 1024"),
        ("prepare --data . --run run --network nonsense", "there is no image network 'nonsense'"),
        ("prepare --data .", "--run"),
        ("train --run empty", "is no prepared run directory; run `prepare` first"),
        ("train --run empty --units 0", "units must be 1 or more"),
        ("train --run empty --config nowhere.toml", "nowhere.toml: cannot be read"),
        ("train --run empty --config text", "is no TOML"),
        ("train --run empty --epochs 0 --fine-tune-epochs 0 --self-critical-epochs 0", "nothing to train"),
        ("evaluate --data . --split holiday", "no photo belongs to the split 'holiday'"),
        ("evaluate --data . --split all --run empty", "is no prepared run directory"),
        ("evaluate --data . --split all --run empty --model other", "exclude each other"),
        ("evaluate --data . --split all --num-captions 9", "raise --beam-width to 9"),
        ("export --run empty --output model", "is no prepared run directory"),
        ("export --run empty", "--output"),
        ("bench --photos empty --model other", "is damaged"),
        ("bench --photos . --repeats 0", "must be 1 or more"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(caption, folder, monkeypatch, line, said):
    monkeypatch.chdir(folder)
    before = sorted(folder.rglob("*"))
    result = caption(*line.split())
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("ostinato-caption: ")
    assert result.err.count("\n") == 1
    assert said in result.err
    assert sorted(folder.rglob("*")) == before
