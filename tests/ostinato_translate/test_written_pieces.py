import numpy as np
from numpy.testing import assert_array_equal

from ostinato_translate.config import DecodingConfig, PrepareConfig
from ostinato_translate.data import open_corpus
from ostinato_translate.exporting import export_run, samples_of_run
from ostinato_translate.prepare import prepare
from ostinato_translate.run import Run
from ostinato_translate.written_pieces import WRITTEN_PIECES, read_written_pieces, to_bytes, written_pieces


def pieces_of_sentences(run, language):
    return sorted({int(piece) for row in range(run.num_rows) for piece in run.sentence(row, language)})


def test_they_are_those_of_the_training_sentences_of_each_language(run, monkeypatch):
    monkeypatch.setattr("ostinato_translate.written_pieces._ROWS_AT_ONCE", 10)  # of 35
    found = written_pieces(run)
    assert list(found) == ["de", "en", "fr"]
    for language, ids in found.items():
        assert ids.tolist() == sorted({*pieces_of_sentences(run, language), *run.tokenizer.alphabet})
    assert found["de"].tolist() != found["en"].tolist()


def test_they_are_read_as_they_were_written(tmp_path):
    pieces = {"de": np.array([0, 3, 70_000]), "en": np.array([], int)}
    (tmp_path / "pieces.npz").write_bytes(to_bytes(pieces))
    found = read_written_pieces(tmp_path / "pieces.npz")
    for language, ids in pieces.items():
        assert_array_equal(found[language], ids)
    assert to_bytes(pieces) == to_bytes(pieces)


def test_a_run_that_goes_on_from_a_model_writes_what_that_one_writes(
    learned, numerals, proofs_in_this_process, tmp_path
):
    version = export_run(
        learned,
        tmp_path / "numerals",
        decoding=DecodingConfig(),
        samples=samples_of_run(learned, 2),
        metadata={},
        model_card=None,
    )
    short = tmp_path / "short"
    short.mkdir()
    for path in numerals.iterdir():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        (short / path.name).write_text("".join(lines[-4:]), encoding="utf-8")
    run = Run(tmp_path / "run")
    prepare(run, open_corpus(short), PrepareConfig(start_from=str(version)))
    before = read_written_pieces(version / "assets.extra" / WRITTEN_PIECES)
    assert set(before["de"]) > set(pieces_of_sentences(run, "de"))  # which are fewer
    assert_array_equal(written_pieces(run)["de"], before["de"])
    run.start_pieces_path.unlink()  # exports of old do not say
    assert_array_equal(written_pieces(run)["de"], np.arange(run.tokenizer.size))
