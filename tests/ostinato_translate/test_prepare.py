import dataclasses
import json

import numpy as np
import pytest

from ostinato.errors import DataError
from ostinato_translate.config import PrepareConfig
from ostinato_translate.data import Corpus, open_corpus
from ostinato_translate.prepare import prepare
from ostinato_translate.rows import Row
from ostinato_translate.run import Run

CONFIG = PrepareConfig(vocabulary_size=330)


@pytest.fixture
def fresh(tmp_path):
    """A run directory that is yet to be made."""
    return Run(tmp_path / "deep" / "run")


def corpus_of(*rows):
    return Corpus("rows", tuple(sorted({code for row in rows for code in row.sentences})), lambda languages: iter(rows))


def numbered(count, split="", start=0):
    return [Row(split, {"de": f"Zeile {i}.", "en": f"line {i}."}) for i in range(start, start + count)]


def contents(folder):
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}


def test_a_run_directory_holds_all_that_training_needs(run):
    assert {path.name for path in run.folder.iterdir()} == {
        "dev.jsonl",
        "offsets.npy",
        "prepared.json",
        "tokenizer.model",
        "tokens.npy",
    }
    assert run.prepared["counts"] == {
        "rows": {"train": 35, "dev": 5, "test": 5},
        "sentences": {"de": 34, "en": 35, "fr": 35},
        "left_out": {
            "empty_sentences": 1,
            "long_sentences": 0,
            "lone_rows": 0,
            "duplicate_rows": 0,
            "unbalanced_rows": 0,
        },
        "tokens": len(run.tokens),
        "pieces": run.tokenizer.size,
    }
    assert len(run.prepared["fingerprint"]) == 64


def test_preparing_again_changes_nothing(run, numerals):
    before = contents(run.folder)
    rows = []
    again = prepare(Run(run.folder), open_corpus(numerals), CONFIG, on_row=lambda: rows.append(1))
    assert dataclasses.asdict(again) == run.prepared["counts"]
    named = dataclasses.replace(CONFIG, languages=("fr", "en", "de"))  # all of them, in another order
    prepare(Run(run.folder), open_corpus(numerals), named)
    assert contents(run.folder) == before
    assert rows == []


def test_other_settings_or_data_are_refused_and_leave_the_run_alone(run, numerals):
    before = contents(run.folder)
    corpus = open_corpus(numerals)
    rows = list(corpus.read(corpus.languages))
    rows[-1] = dataclasses.replace(rows[-1], sentences={**rows[-1].sentences, "fr": "autre chose"})
    for data, config in (
        (corpus, dataclasses.replace(CONFIG, max_pieces=7)),
        (corpus, dataclasses.replace(CONFIG, languages=("de", "en"))),
        (corpus_of(*rows), CONFIG),
    ):
        with pytest.raises(DataError, match=r"prepared from other data or settings; name a new --run"):
            prepare(Run(run.folder), data, config)
    assert contents(run.folder) == before


def test_a_subset_of_the_languages_may_be_learned(fresh, numerals):
    prepared = prepare(fresh, open_corpus(numerals), dataclasses.replace(CONFIG, languages=("fr", "en")))
    assert fresh.languages == ("en", "fr")
    assert prepared.sentences == {"en": 35, "fr": 35}
    assert fresh.language_ids == [4, 5]
    assert set(fresh.dev_rows[0]) == {"en", "fr"}


def test_neither_vocabulary_nor_arrays_know_test_and_validation_rows(fresh):
    others = [Row("test", {"de": "Жук", "en": "ωμέγα"}), Row("dev", {"de": "Щука", "en": "ψυχή"})]
    prepare(fresh, corpus_of(others[0], *numbered(37, "train"), others[1]), CONFIG)
    assert fresh.num_rows == 37
    learned = {fresh.tokenizer.pieces([piece])[0] for piece in range(fresh.tokenizer.size)}
    assert not set("".join(learned)) & set("ЖукΩωμέγαЩψχή")
    assert fresh.dev_rows == [others[1].sentences]


def test_training_rows_are_cleaned_and_validation_rows_left_as_people_wrote_them(fresh):
    ragged = {"de": "So\u00a0 ein  Satz ", "en": " such\ta sentence", "fr": " "}
    rows = [Row("dev", ragged), Row("train", ragged), *numbered(5, "train"), *numbered(2, "train")]
    prepared = prepare(fresh, corpus_of(*rows, Row("train", {"de": "x " * 300, "en": "x", "fr": "y"})), CONFIG)
    assert fresh.dev_rows == [{"de": "So\u00a0 ein  Satz", "en": "such\ta sentence"}]
    assert fresh.tokenizer.decode(fresh.sentence(0, "de")) == "So ein Satz"
    assert prepared.rows == {"dev": 1, "train": 7}
    assert prepared.sentences == {"de": 6, "en": 7, "fr": 1}
    assert prepared.left_out == {
        "empty_sentences": 1,
        "long_sentences": 1,
        "lone_rows": 0,
        "duplicate_rows": 2,
        "unbalanced_rows": 0,
    }


def test_without_validation_rows_some_training_rows_are_held_out_whatever_their_order(fresh):
    rows = [*numbered(60), *numbered(7, "test", start=60)]
    prepared = prepare(fresh, corpus_of(*rows), CONFIG)
    assert prepared.rows == {"train": 57, "dev": 3, "test": 7}
    other = Run(fresh.folder.parent / "reversed")
    prepare(other, corpus_of(*rows[::-1]), CONFIG)
    held_out = {row["en"] for row in fresh.dev_rows}
    assert {row["en"] for row in other.dev_rows} == held_out
    trained = {fresh.tokenizer.decode(fresh.sentence(row, "en")) for row in range(fresh.num_rows)}
    assert trained | held_out == {f"line {i}." for i in range(60)}


def test_no_copy_of_a_row_that_is_held_out_is_trained_on(fresh):
    prepared = prepare(fresh, corpus_of(*numbered(40), *numbered(40)), dataclasses.replace(CONFIG, deduplicate=False))
    held_out = {row["en"] for row in fresh.dev_rows}
    trained = {fresh.tokenizer.decode(fresh.sentence(row, "en")) for row in range(fresh.num_rows)}
    assert len(held_out) == 4
    assert trained == {f"line {i}." for i in range(40)} - held_out
    assert prepared.rows == {"train": 72, "dev": 8}


def test_of_a_large_corpus_no_more_rows_are_held_out_than_validation_needs(fresh, monkeypatch):
    monkeypatch.setattr("ostinato_translate.prepare._MOST_HELD_OUT", 31)
    prepared = prepare(fresh, corpus_of(*numbered(1300)), CONFIG)
    assert prepared.rows == {"train": 1269, "dev": 31}


def test_a_row_that_is_too_long_to_learn_is_not_held_out_either(fresh):
    long = Row("", {"de": "x" * 10_000, "en": "y " * 5000})  # the least hash of these, as it happens
    prepared = prepare(fresh, corpus_of(*numbered(60), long), CONFIG)
    assert prepared.rows == {"train": 58, "dev": 2}
    assert prepared.left_out["long_sentences"] == 2
    assert max(len(row["de"]) for row in fresh.dev_rows) < 100


def test_a_corpus_is_read_row_by_row(fresh):
    """Rows are gone before the next hundred come: a corpus may be larger than memory."""
    alive = 0
    most_alive = 0

    class Tracked(dict):
        def __init__(self, sentences):
            nonlocal alive, most_alive
            super().__init__(sentences)
            alive += 1
            most_alive = max(alive, most_alive)

        def __del__(self):
            nonlocal alive
            alive -= 1

    def read(languages):
        for number in range(3000):
            yield Row("dev" if number == 5 else "train", Tracked({"de": f"Zeile {number}", "en": f"line {number}"}))

    prepare(fresh, Corpus("rows", ("de", "en"), read), CONFIG)
    assert most_alive < 100


def test_large_vocabularies_need_larger_numbers(fresh, monkeypatch):
    monkeypatch.setattr("ostinato_translate.prepare._LARGEST_FOR_UINT16", 200)
    prepare(fresh, corpus_of(*numbered(37, "train"), *numbered(3, "dev")), CONFIG)
    assert fresh.tokens.dtype == np.uint32
    assert fresh.tokenizer.decode(fresh.sentence(36, "de")) == "Zeile 36."


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (numbered(7, "test"), "rows has no training rows; name a file train"),
        ([Row("train", {"de": "x", "en": ""})] * 3, r"has no training row after cleaning \(3 empty sentences, 0 "),
        ([*numbered(7, "train"), Row("dev", {"de": "x", "en": ""})], "has no validation row in two of the languages"),
        ([*numbered(7), Row("test", {"fr": "x", "en": "y"})], "has no training sentence in 'fr' after cleaning"),
    ],
)
def test_data_that_are_not_enough_are_refused_in_one_sentence(fresh, rows, fault):
    with pytest.raises(DataError, match=fault) as caught:
        prepare(fresh, corpus_of(*rows), CONFIG)
    assert "\n" not in str(caught.value)
    assert not fresh.prepared_path.exists()


def test_where_no_sentence_is_short_enough_the_error_says_so(fresh):
    fault = r"no training sentence in 'de' after cleaning \(0 empty sentences, 14 long sentences, 7 lone rows, 0 dup"
    with pytest.raises(DataError, match=fault):
        prepare(fresh, corpus_of(*numbered(7, "train"), *numbered(3, "dev")), dataclasses.replace(CONFIG, max_pieces=1))


def test_a_fault_in_the_data_is_found_before_anything_is_written(fresh, numerals, tmp_path):
    (tmp_path / "train.en").write_text("one\ntwo\n")
    (tmp_path / "train.de").write_text("eins\n")
    with pytest.raises(DataError, match=r"not train\.de 1, train\.en 2"):
        prepare(fresh, open_corpus(tmp_path), CONFIG)
    assert not fresh.folder.exists()
    with pytest.raises(DataError, match="has no language 'cs'; it has de, en, fr"):
        prepare(fresh, open_corpus(numerals), dataclasses.replace(CONFIG, languages=("de", "cs")))
    assert not fresh.folder.exists()


def test_a_directory_whose_preparation_was_interrupted_is_prepared_anew(fresh, numerals):
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(fresh, open_corpus(numerals), CONFIG, on_row=interrupt)
    assert [path.name for path in fresh.folder.iterdir()] == ["tokenizer.model"]
    with pytest.raises(DataError, match="run `prepare` first"):
        _ = fresh.prepared
    assert prepare(Run(fresh.folder), open_corpus(numerals), CONFIG).rows["train"] == 35


def test_texts_keep_the_letters_of_all_languages(fresh):
    rows = [*numbered(5, "train"), Row("train", {"de": "Größe 猫", "en": "🙂 size"})]
    prepare(fresh, corpus_of(*rows, Row("dev", {"de": "Größe 猫", "en": "🙂 size"})), CONFIG)
    assert fresh.tokenizer.decode(fresh.sentence(5, "de")) == "Größe 猫"
    assert json.loads(fresh.dev_path.read_text(encoding="utf-8")) == {"de": "Größe 猫", "en": "🙂 size"}
    assert "猫" in fresh.dev_path.read_text(encoding="utf-8")
