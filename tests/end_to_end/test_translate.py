"""`ostinato-translate` from parallel text to answers, by one tiny model that knows next to nothing."""

import dataclasses
import functools
import io
import itertools
import json
import shutil
import sys
from pathlib import Path

import pytest
from PIL import Image

from ostinato.commands import run_application
from ostinato_translate import translator
from ostinato_translate.cli import app

COLOURS = {"en": ("red", "blue", "green", "white"), "de": ("rote", "blaue", "grüne", "weiße")}
ANIMALS = {"en": ("dog", "cat", "bird", "horse"), "de": ("Hund", "Katze", "Vogel", "Pferd")}
DOING = {"en": ("runs", "sleeps", "sings"), "de": ("läuft", "schläft", "singt")}
SETTINGS = """
directions = ["en-de"]
embedding_size = 12
encoder_units = 12
encoder_layers = 1
units = 16
attention_units = 8
tokens_per_batch = 150
learning_rate = 0.01
warmup_updates = 5
epochs = 2
epochs_per_pass = 1
averaging = 0.5
precision = "float32"
validation_sentences = 3
"""
BRIEF = ("--max-length-ratio", 0.2)  # for it writes until it is stopped


@dataclasses.dataclass(frozen=True)
class Result:
    """What a command line left behind."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


def run_captured(*words, standard_input=b""):
    """Runs a command line in this process: starting TensorFlow each time would take minutes."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(standard_input), encoding="utf-8"))
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        code = run_application(app, [str(word) for word in words])
    return Result(code, out.getvalue(), err.getvalue())


@dataclasses.dataclass(frozen=True)
class Workshop:
    """Where the fixture left what."""

    data: Path
    prepared: Path
    run: Path
    model: Path
    results: dict[str, Result]


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workshop")
    data, prepared, run, model = (folder / name for name in ("data", "prepared", "run", "models/tiny"))
    data.mkdir()
    (data / "settings.toml").write_text(SETTINGS)
    for language, article in (("en", "The"), ("de", "Das")):
        rows = itertools.product(COLOURS[language], ANIMALS[language], DOING[language])
        lines = [f"{article} {colour} {animal} {does}.\n" for colour, animal, does in rows]
        for split, part in {"train": lines[:40], "dev": lines[40:44], "test": lines[44:]}.items():
            (data / f"{split}.{language}").write_text("".join(part), encoding="utf-8")
    results = {"prepare": run_captured("prepare", "--data", data, "--run", prepared, "--vocabulary-size", 330)}
    shutil.copytree(prepared, run)
    results["train"] = run_captured("train", "--run", run, "--config", data / "settings.toml")
    results["export"] = run_captured("export", "--run", run, "--output", model, "--terms", "CC0", *BRIEF)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(translator, "load_model", functools.cache(translator.load_model))
        yield Workshop(data, prepared, run, model, results)


@pytest.fixture
def predict(workshop):
    def call(*words, to="de", standard_input=b""):
        return run_captured("predict", "--model", workshop.model, "--to", to, *words, standard_input=standard_input)

    return call


def test_preparing_says_what_was_found(workshop):
    result = workshop.results["prepare"]
    assert (result.code, result.out) == (0, "")
    assert "rows: 4 dev, 4 test, 40 train; training sentences: 40 de, 40 en;" in result.err
    assert "left out: nothing" in result.err


def test_a_run_goes_on_from_a_model(workshop, tmp_path):
    start = ("prepare", "--data", workshop.data, "--run", tmp_path / "run", "--start-from")
    result = run_captured(*start, workshop.model)
    assert (result.code, result.out) == (0, "")
    assert (tmp_path / "run" / "tokenizer.model").read_bytes() == (workshop.run / "tokenizer.model").read_bytes()
    other = run_captured("train", "--run", tmp_path / "run", "--units", 24)
    assert (other.code, "was begun with units = 16, not 24" in other.err) == (2, True)
    trained = run_captured("train", "--run", tmp_path / "run", "--epochs", 1, "--validation-sentences", 1)
    assert (trained.code, "trained; best BLEU" in trained.err) == (0, True)
    missing = run_captured(*start, "nothing")
    assert (missing.code, "No model nothing; give an exported folder" in missing.err) == (2, True)


def test_training_ends_with_its_best_score_and_begins_no_second_time(workshop):
    result = workshop.results["train"]
    assert (result.code, result.out) == (0, "")
    assert result.err.splitlines()[-1].startswith(f"ostinato-translate: {workshop.run}: trained; best BLEU ")
    records = (workshop.run / "metrics.jsonl").read_text()
    assert len(records.splitlines()) == 2
    again = run_captured("train", "--run", workshop.run)
    assert again.code == 0
    assert (workshop.run / "metrics.jsonl").read_text() == records


def test_the_settings_of_a_run_are_kept(workshop):
    before = (workshop.run / "train.toml").read_text()
    assert "units = 16\n" in before
    for words, said in (
        (("--units", 24), "begun with units = 16, not 24"),
        (("--directions", "de-en"), "directions"),
        (("--epochs", 0, "--self-critical-epochs", 1), "phase training, which cannot be left out"),
    ):
        refused = run_captured("train", "--run", workshop.run, *words)
        assert refused.code == 2
        assert said in refused.err
        assert refused.err.count("\n") == 1
    assert (workshop.run / "train.toml").read_text() == before


def test_a_direction_that_was_not_prepared_is_refused_before_anything_is_written(workshop):
    result = run_captured("train", "--run", workshop.prepared, "--directions", "en-cs")
    assert result.code == 2
    assert "asks for 'cs', but de, en were prepared" in result.err
    assert not (workshop.prepared / "train.toml").exists()


def test_exporting_leaves_a_version_with_its_proof(workshop):
    result = workshop.results["export"]
    assert (result.code, result.out) == (0, "")
    assert f"{workshop.model / '1'}: proved and ready to serve" in result.err
    assert json.loads((workshop.model / "1" / "interface.json").read_text())["metadata"]["data_terms"] == "CC0"
    untrained = run_captured("export", "--run", workshop.prepared, "--output", workshop.model)
    assert untrained.code == 2
    assert "run `train` to its end first" in untrained.err


def test_each_line_becomes_a_line_whatever_is_wrong_with_it(predict):
    content = (
        b"The red dog runs.\n\nThe \xff cat.\n" + b"The blue cat sings. " * 90 + b"\n" + b"x" * 10_000 + b"\nThe\n"
    )
    result = predict("-", standard_input=content)
    assert result.code == 1
    lines = result.out.split("\n")
    assert len(lines) == 7  # the last of them ends
    assert [bool(line.strip()) for line in lines[1:5]] == [False, False, True, False]
    not_utf8, long, too_long = result.err.splitlines()
    assert "standard input, line 3 is no UTF-8" in not_utf8
    assert "standard input, line 4 is long: its 90 sentences were translated one by one" in long
    assert "standard input, line 5" in too_long
    assert "split it" in too_long
    alone = predict("The red dog runs.", "The").out
    assert alone == f"{lines[0]}\n{lines[5]}\n"


def test_files_are_translated_like_standard_input(predict, workshop):
    path = workshop.data / "test.en"
    result = predict("--file", path, "--beam-width", 2)
    assert result.code == 0
    assert result.out == predict("-", "--beam-width", 2, standard_input=path.read_bytes()).out
    assert len(result.lines) == 4


def test_json_lines_pass_their_fields_through(predict):
    content = b'{"id": 7, "text": "The red dog runs."}\n{"id": 8}\n{"text": "", "id": 9}\n'
    result = predict("-", "--format", "json", "--num-translations", 2, standard_input=content)
    assert result.code == 1
    assert 'line 2 has no field "text"' in result.err
    first, empty = map(json.loads, result.lines)
    assert (first["id"], first["to"], len(first["translations"])) == (7, "de", 2)
    assert first["translations"][0]["score"] >= first["translations"][1]["score"]
    assert empty["translations"][0]["text"] == ""


def test_a_language_that_the_model_does_not_write_is_one_sentence(predict):
    for language in ("en", "xx", "de,fr"):  # it has learned en-de only
        result = predict("The red dog.", to=language)
        assert (result.code, result.out) == (2, "")
        assert "it knows de" in result.err
        assert result.err.count("\n") == 1


def test_translations_begin_as_they_are_told_and_are_scored_as_they_were_found(predict):
    (best,) = map(json.loads, predict("The red dog runs.", "--prefix", "Das rote", "--format", "json").lines)
    assert best["translations"][0]["text"].startswith("Das rote")
    (found,) = map(json.loads, predict("The red dog runs.", "--format", "json").lines)
    translation = found["translations"][0]
    content = f"The red dog runs.\t{translation['text']}\nno tab\n".encode()
    scored = predict("--score", "-", "--format", "json", standard_input=content)
    assert scored.code == 1
    assert "line 2 has no translation to score" in scored.err
    assert json.loads(scored.out)["num_pieces"] > 0


def test_alternatives_stand_behind_the_prefix(predict):
    (record,) = map(
        json.loads, predict("The red dog.", "--alternatives", 3, "--prefix", "Das", "--format", "json").lines
    )
    assert len(record["alternatives"]) == 3
    assert all(each["text"].startswith("Das") for each in record["alternatives"])
    assert predict("The red dog.", "--alternatives", 3).lines[0] == "The red dog."


def test_what_each_piece_looked_at_is_drawn(predict, tmp_path):
    result = predict("The red dog.", "The blue cat.", "--explain", tmp_path / "new")
    assert (result.code, len(result.lines)) == (0, 2)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "0001.de.json",
        "0001.de.png",
        "0002.de.json",
        "0002.de.png",
    ]
    record = json.loads((tmp_path / "new" / "0002.de.json").read_text(encoding="utf-8"))
    assert record["text"] == "The blue cat."
    assert [sum(row) for row in record["attention"]] == pytest.approx([1] * len(record["pieces"]), abs=0.01)
    with Image.open(tmp_path / "new" / "0002.de.png") as picture:
        assert picture.width > 300


def test_a_conversation_goes_on_after_mistakes(predict):
    result = predict(
        "--interactive", standard_input=b"The red dog.\n:to xx\n\xff\n:to de\nThe red dog.\n:quit\nno more\n"
    )
    assert (result.code, result.err) == (0, "")
    first, unknown, no_text, language, second = result.lines
    assert first == second
    assert "it knows de" in unknown
    assert "no UTF-8" in no_text
    assert language == "translating into de"


def test_the_exported_model_scores_as_the_run_does(workshop, tmp_path):
    scores = []
    for given in (("--run", workshop.run), ("--model", workshop.model / "1")):
        words = ("--translations", tmp_path / f"{given[0]}.txt", "--output", tmp_path / "each.jsonl", *BRIEF)
        files = ("--source", workshop.data / "test.en", "--reference", workshop.data / "test.de")
        result = run_captured("evaluate", *given, *files, "--from", "en", "--to", "de", "--format", "json", *words)
        assert (result.code, result.err) == (0, "")
        assert len(result.lines) == 1
        scores.append(json.loads(result.out))
        assert scores[-1].pop("decoding")["beam_width"] == 5
    assert {"bleu", "chrf", "ter", "num_examples", "signature"} <= set(scores[0])
    assert scores[0]["num_examples"] == 4
    assert scores[0] == pytest.approx(scores[1])
    written = (tmp_path / "--run.txt").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in (tmp_path / "each.jsonl").read_text(encoding="utf-8").splitlines()]
    assert sorted(record["translation"] for record in records) == sorted(written)
    assert [record["chrf"] for record in records] == sorted(record["chrf"] for record in records)


def test_a_split_is_scored_in_the_directions_that_the_model_knows(workshop):
    result = run_captured("evaluate", "--model", workshop.model, "--data", workshop.data, "--split", "dev")
    assert result.code == 0
    table = dict(line.split(maxsplit=1) for line in result.lines)
    assert table["num_examples"] == "4"
    assert table["signature"].startswith("nrefs:1|case:mixed")
    unknown = run_captured("evaluate", "--model", workshop.model, "--data", workshop.data, "--from", "cs", "--to", "de")
    assert unknown.code == 2
    assert unknown.err.count("\n") == 1


def test_a_model_is_compared_with_what_people_wrote(workshop):
    files = (
        "--source",
        workshop.data / "test.en",
        "--reference",
        workshop.data / "test.de",
        "--from",
        "en",
        "--to",
        "de",
    )
    result = run_captured("evaluate", *files, "--compare", workshop.model, workshop.data / "test.de")
    assert result.code == 0
    assert result.lines[0].startswith(f"A is {workshop.model}, B is ")
    assert "B 100.00 (100.00 to 100.00)" in result.lines[1]


def test_bench_times_translation_and_training(workshop):
    words = ("--source", workshop.data / "test.en", "--to", "de", "--model", workshop.model, "--run", workshop.run)
    result = run_captured("bench", *words, "--repeats", 2, "--format", "json")
    assert (result.code, result.err) == (0, "")
    figures = json.loads(result.out)
    assert figures["sentences"] == 4
    for name in ("sentences_per_second", "call_ms", "target_tokens_per_second", "share_of_peak"):
        assert figures[name] > 0
    assert len((workshop.run / "metrics.jsonl").read_text().splitlines()) == 2
