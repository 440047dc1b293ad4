import shutil
from pathlib import Path

import pytest
from pycocoevalcap.meteor import meteor as meteor_package

from ostinato.metrics import score_captions
from ostinato.metrics.java import finds_its_data, meteor, spice

HYPOTHESES = ["a dog runs on the grass", "", "two men"]
REFERENCES = [["a dog runs on the grass", "the dog"], ["a cat"], ["two men play football"]]


def put_java_on_the_path(monkeypatch, folder, script):
    program = folder / "java"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_without_java_two_scores_are_absent_and_the_signature_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    scores = score_captions(HYPOTHESES, REFERENCES)
    assert scores.meteor is None
    assert scores.spice is None
    assert scores.signature.endswith("meteor:absent (no Java)|spice:absent (no Java)")


def test_a_java_that_fails_costs_its_score_and_no_more(monkeypatch, tmp_path):
    put_java_on_the_path(monkeypatch, tmp_path, "exit 1")
    monkeypatch.setattr("ostinato.metrics.java.finds_its_data", lambda folder: True)
    assert meteor(HYPOTHESES, REFERENCES) == (None, "absent (Java failed)")


@pytest.mark.parametrize("name", ["my programs", "für alle"])
def test_meteor_is_not_started_where_it_would_not_find_its_data(monkeypatch, tmp_path, name):
    put_java_on_the_path(monkeypatch, tmp_path, "exit 1")
    monkeypatch.setattr("ostinato.metrics.java._folder", lambda module: tmp_path / name)
    said = "absent (a space or foreign letter in the path of its package)"
    assert meteor(HYPOTHESES, REFERENCES) == (None, said)


def test_spice_without_its_models_is_absent_and_downloads_nothing(monkeypatch, tmp_path):
    def refuse():
        raise AssertionError("a download was asked for")

    put_java_on_the_path(monkeypatch, tmp_path, "exit 1")
    monkeypatch.setattr("pycocoevalcap.spice.spice.get_stanford_models", refuse)
    monkeypatch.setattr("ostinato.metrics.java._folder", lambda module: tmp_path)
    assert spice(HYPOTHESES, REFERENCES) == (None, "absent (no CoreNLP models)")


def test_spice_with_its_models_is_asked_for_on_the_scale_to_100(monkeypatch, tmp_path):
    class Spice:
        def compute_score(self, references, hypotheses):
            assert references == dict(enumerate(REFERENCES))
            assert hypotheses == {number: [text] for number, text in enumerate(HYPOTHESES)}
            return 0.25, []

    put_java_on_the_path(monkeypatch, tmp_path, "exit 1")
    (tmp_path / "lib").mkdir()
    for name in ("stanford-corenlp-3.6.0.jar", "stanford-corenlp-3.6.0-models.jar"):
        (tmp_path / "lib" / name).touch()
    monkeypatch.setattr("ostinato.metrics.java._folder", lambda module: tmp_path)
    monkeypatch.setattr("pycocoevalcap.spice.spice.Spice", Spice)
    assert spice(HYPOTHESES, REFERENCES) == (25.0, "1.0")


@pytest.mark.skipif(shutil.which("java") is None, reason="METEOR is a Java program")
@pytest.mark.skipif(
    not finds_its_data(Path(meteor_package.__file__).resolve()), reason="METEOR does not run in the folder it is in"
)
def test_meteor_counts_what_a_short_caption_leaves_out():
    score, note = meteor(
        ["a dog runs on the grass", "a dog"], [["a dog runs on the grass"], ["a dog runs on the grass"]]
    )
    assert note == "1.5"
    assert score == pytest.approx(42.396, abs=0.01)  # 56.200 with captions and references exchanged
