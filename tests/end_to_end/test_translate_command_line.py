"""What `ostinato-translate` says before any work is done: help, and wrong arguments."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ostinato.commands import run_application
from ostinato_translate.cli import app

ROOT = Path(__file__).parents[2]
VERBS = ("prepare", "train", "evaluate", "predict", "export", "bench")
HEAVY = ("tensorflow", "keras", "numpy", "PIL", "sentencepiece", "sacrebleu", "jax", "tensorflow_datasets")


@pytest.mark.parametrize("words", [(), *((verb,) for verb in VERBS)], ids=lambda words: " ".join(words) or "all")
def test_help_is_printed_without_starting_anything(words):
    program = (
        "import sys\n"
        "from ostinato.commands import run_application\n"
        "from ostinato_translate.cli import app\n"
        f"code = run_application(app, {[*words, '--help']})\n"
        f"loaded = set({HEAVY}) & set(sys.modules)\n"
        "sys.exit(f'imported: {loaded}' if loaded else code)\n"
    )
    path = os.pathsep.join(str(ROOT / name) for name in ("shared", "apps"))
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "Usage: ostinato-translate" in result.stdout
    assert all(word in result.stdout for word in (words or VERBS))


@pytest.fixture
def folder(tmp_path):
    """Holds what the wrong arguments below speak of."""
    for name, content in {
        "two.en": b"a\nb\n",
        "two.de": b"a\nb\n",
        "three.de": b"a\nb\nc\n",
        "latin1.de": b"a\nf\xfcnf\n",
        "empty.en": b"",
        "uneven/train.en": b"a\nb\n",
        "uneven/train.de": b"a\n",
        "latin1/train.en": b"a\n",
        "latin1/train.de": b"f\xfcnf\n",
        "table/train.tsv": b"source\ttarget\na\tb\n",
        "no_toml": b"hm",
        "nothing/notes.txt": b"x",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    version = tmp_path / "other" / "1"
    version.mkdir(parents=True)
    (version / "saved_model.pb").write_bytes(b"x")
    (version / "interface.json").write_text(json.dumps({"signatures": {}, "metadata": {}}))
    return tmp_path


FILES = "--source two.en --reference two.de --from en --to de"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("predikt a", 'Did you mean "predict"'),
        ("predict a", "--to"),
        ("predict --to de", "there is nothing to translate; give a text"),
        ("predict --to de a --beam-widht 3", "Did you mean --beam-width"),
        ("predict --to de a --beam-width 0", "--beam-width 0 is not within 1 and 100"),
        ("predict --to de a --beam-width 2.5", "give a whole number"),
        ("predict --to de a --num-translations 6", "raise --beam-width to 6"),
        ("predict --to de a --length-penalty nan", "--length-penalty nan"),
        ("predict --to de a --format xml", "--format"),
        ("predict --to de a --model nowhere", "No model nowhere"),
        ("predict --to de a --model two.en", "two.en is a file, not an exported model"),
        ("predict --to de a --model other", "is damaged"),
        ("predict --to de --file nowhere.txt", "nowhere.txt: No such file"),
        ("predict --to de a --score --alternatives 3", "exclude each other"),
        ("predict --to de a --alternatives -3", "--alternatives -3 is not within 1 and 100"),
        ("predict --to de a --score --explain out", "--explain draws translations"),
        ("predict --to de a --interactive", "--interactive reads what is typed"),
        ("prepare --data nowhere --run run", "there is no file or folder nowhere"),
        ("prepare --data nothing --run run", "name --layout"),
        ("prepare --data uneven --run run", "must be as many, not train.de 1, train.en 2"),
        ("prepare --data latin1 --run run", "train.de, line 1: is no UTF-8"),
        ("prepare --data table --run run", "expected a header of two or more different language codes"),
        ("prepare --data uneven --run run --languages en --languages xx", "has no language 'xx'; it has de, en"),
        ("prepare --data uneven --run run --vocabulary-size 7", "vocabulary_size must be 300 or more"),
        ("train --run nothing", "is no prepared run directory; run `prepare` first"),
        ("train --run nothing --units 0", "units must be 1 or more"),
        ("train --run nothing --directions english", "'english' is no direction such as en-de"),
        ("train --run nothing --config no_toml", "is no TOML"),
        ("evaluate", "give either --source and --reference, or --data"),
        (f"evaluate {FILES} --data uneven", "give either --source and --reference, or --data"),
        ("evaluate --source two.en", "--source and --reference go together"),
        ("evaluate --source two.en --reference two.de", "with --from and --to"),
        ("evaluate --source two.en --reference three.de --from en --to de", "two.en has 2 lines and three.de has 3"),
        ("evaluate --source two.en --reference latin1.de --from en --to de", "latin1.de, line 2: is no UTF-8"),
        ("evaluate --source nowhere --reference two.de --from en --to de", "nowhere cannot be read"),
        ("evaluate --source empty.en --reference empty.en --from en --to de", "are empty"),
        (
            "evaluate --source two.en --reference two.de --from en --to englisch",
            "--to englisch is no code of a language",
        ),
        (f"evaluate {FILES} --run nothing", "is no prepared run directory"),
        (f"evaluate {FILES} --run nothing --model other", "exclude each other"),
        (f"evaluate {FILES} --model other", "is damaged"),
        (f"evaluate {FILES} --compare two.en three.de", "three.de has 3 lines"),
        (f"evaluate {FILES} --compare two.en nowhere", "No model nowhere"),
        (f"evaluate {FILES} --compare two.en two.de --model other", "--compare names its two systems itself"),
        ("evaluate --data uneven --compare two.en two.de", "name it by --from and --to"),
        ("export --run nothing --output model", "is no prepared run directory"),
        ("bench", "give --source and --to"),
        ("bench --source two.en", "give --source and --to"),
        ("bench --source empty.en --to de", "is empty"),
        ("bench --source two.en --to de --repeats 0", "must be 1 or more"),
        ("bench --source two.en --to de --model other", "is damaged"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(folder, monkeypatch, capsys, line, said):
    monkeypatch.chdir(folder)
    before = sorted(folder.rglob("*"))
    code = run_application(app, line.split())
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert err.startswith("ostinato-translate: ")
    assert err.count("\n") == 1
    assert said in err
    assert [path for path in sorted(folder.rglob("*")) if path.name != "run"] == before


def test_two_files_of_translations_are_compared_without_any_model(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    (folder / "worse.de").write_text("a\nx\n")
    words = f"evaluate {FILES} --compare worse.de two.de --format json --tokenize none".split()
    assert run_application(app, words) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["a"], record["b"]) == ("worse.de", "two.de")
    assert record["ter"]["score_a"] == 50
    assert record["ter"]["score_b"] == 0
    assert record["num_examples"] == 2
