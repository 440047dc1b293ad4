import pytest
import sacrebleu

from ostinato.errors import ConfigError, DataError
from ostinato.metrics import bleu_each, chrf_each, quick_bleu, score_translations

HYPOTHESES = [
    "Ein brauner Hund läuft durch den Schnee.",
    "Zwei Männer spielen fußball auf einem Feld.",
    "",
    "eine Frau mit Hut, die lacht",
    "Der Junge springt ins Wasser hinein.",
]
REFERENCES = [
    "Ein Hund läuft durch den Schnee.",
    "Zwei Männer spielen Fußball auf einem Feld.",
    "Ein Kind schläft.",
    "Eine lachende Frau mit Hut",
    "Der Junge springt ins Wasser.",
]


def test_scores_are_those_of_sacrebleu_with_their_signatures():
    scores = score_translations(HYPOTHESES, REFERENCES)
    assert scores.bleu == pytest.approx(sacrebleu.corpus_bleu(HYPOTHESES, [REFERENCES]).score)
    assert scores.chrf == pytest.approx(sacrebleu.corpus_chrf(HYPOTHESES, [REFERENCES]).score)
    assert scores.ter == pytest.approx(sacrebleu.corpus_ter(HYPOTHESES, [REFERENCES]).score)
    assert 40 < scores.bleu < scores.chrf < 90
    assert scores.num_examples == 5
    version = sacrebleu.__version__
    assert scores.bleu_signature == f"nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:{version}"
    assert scores.chrf_signature == f"nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:{version}"
    assert scores.ter_signature == f"nrefs:1|case:lc|tok:tercom|norm:no|punct:yes|asian:no|version:{version}"


def test_case_counts_unless_it_is_not_to():
    cased, lowercase = (
        score_translations(HYPOTHESES, REFERENCES),
        score_translations(HYPOTHESES, REFERENCES, lowercase=True),
    )
    lowered = [[text.lower() for text in texts] for texts in (HYPOTHESES, REFERENCES)]
    assert lowercase.bleu == pytest.approx(score_translations(*lowered).bleu)
    assert lowercase.bleu > cased.bleu + 1
    assert lowercase.chrf > cased.chrf
    assert "case:lc|eff:no|tok:13a" in lowercase.bleu_signature
    assert "case:lc" in lowercase.chrf_signature


def test_words_are_found_as_asked_for():
    plain = score_translations(HYPOTHESES, REFERENCES, tokenisation="none")
    assert plain.bleu < score_translations(HYPOTHESES, REFERENCES).bleu  # "Wasser." is one word, and another
    assert "tok:none" in plain.bleu_signature
    with pytest.raises(ConfigError, match=r"'moses'.*13a, intl"):
        score_translations(HYPOTHESES, REFERENCES, tokenisation="moses")


def test_texts_with_spaces_between_all_words_raise_no_alarm(caplog):
    score_translations(["a b c ."] * 150, ["a b d ."] * 150)
    assert not caplog.records


def test_a_perfect_translation_scores_100_and_an_empty_one_nothing():
    perfect = score_translations(REFERENCES, REFERENCES)
    assert (perfect.bleu, perfect.chrf, perfect.ter) == (100.0, 100.0, 0.0)
    empty = score_translations([""] * 5, REFERENCES)
    assert (empty.bleu, empty.chrf, empty.ter) == (0.0, 0.0, 100.0)


def test_quick_bleu_is_the_same_bleu():
    assert quick_bleu(HYPOTHESES, REFERENCES) == score_translations(HYPOTHESES, REFERENCES).bleu
    assert quick_bleu(REFERENCES, REFERENCES) == 100.0


@pytest.mark.parametrize("score", [score_translations, quick_bleu])
def test_what_cannot_be_scored_is_refused(score):
    with pytest.raises(DataError, match="5 translations for 4 references"):
        score(HYPOTHESES, REFERENCES[:4])
    with pytest.raises(DataError, match="no translations"):
        score([], [])
    with pytest.raises(DataError, match="lists of sentences"):
        score("Hund", "Hund")


def test_scores_by_name_are_what_is_printed():
    names = {"bleu", "chrf", "ter", "num_examples", "bleu_signature", "chrf_signature", "ter_signature"}
    assert set(score_translations(HYPOTHESES, REFERENCES).to_dict()) == names


@pytest.mark.parametrize(
    ("score_each", "of_sacrebleu"), [(chrf_each, sacrebleu.sentence_chrf), (bleu_each, sacrebleu.sentence_bleu)]
)
def test_each_sentence_alone_has_the_score_of_sacrebleu(score_each, of_sacrebleu):
    each = score_each(HYPOTHESES, REFERENCES)
    assert each == [of_sacrebleu(*pair).score for pair in zip(HYPOTHESES, ([r] for r in REFERENCES), strict=True)]
    assert each[2] == 0 < each[0] < 100
    with pytest.raises(DataError, match="5 translations for 4"):
        score_each(HYPOTHESES, REFERENCES[1:])
