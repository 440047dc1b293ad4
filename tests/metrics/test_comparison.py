import json

import numpy as np
import pytest

from ostinato.errors import DataError
from ostinato.metrics import compare_translations, score_translations

WORDS = ["ein", "Hund", "läuft", "schnell", "auf", "Gras", "Schnee", "und", "lacht", "mit", "Ball", "Frau", "Kind"]


def sentences(count):
    generator = np.random.default_rng(0)
    return [" ".join(generator.choice(WORDS, generator.integers(5, 12))) for _ in range(count)]


def worsened(texts, share, seed):
    """Replaces a share of all words by a wrong one."""
    generator = np.random.default_rng(seed)
    return [" ".join("Fisch" if generator.random() < share else word for word in text.split()) for text in texts]


REFERENCES = sentences(61)


def test_a_clearly_better_system_is_one_by_every_score():
    good, bad = worsened(REFERENCES, 0.1, 1), worsened(REFERENCES, 0.4, 2)
    comparison = compare_translations(good, bad, REFERENCES, num_samples=200)
    alone = score_translations(good, REFERENCES), score_translations(bad, REFERENCES)
    for name in ("bleu", "chrf", "ter"):
        compared = getattr(comparison, name)
        assert (compared.score_a, compared.score_b) == pytest.approx([getattr(scores, name) for scores in alone])
        assert compared.p_value < 0.01
        for score, (low, high) in ((compared.score_a, compared.interval_a), (compared.score_b, compared.interval_b)):
            assert low < score < high
    assert comparison.bleu.interval_a[0] > comparison.bleu.interval_b[1]
    assert comparison.ter.interval_a[1] < comparison.ter.interval_b[0]  # fewer edits are better
    assert comparison.num_examples == 61
    assert comparison.bleu.signature.startswith("nrefs:1|bs:200|seed:12345|case:mixed|eff:no|tok:13a")


def test_equally_good_systems_differ_by_chance():
    comparison = compare_translations(
        worsened(REFERENCES, 0.2, 3), worsened(REFERENCES, 0.2, 4), REFERENCES, num_samples=200
    )
    for compared in (comparison.bleu, comparison.chrf, comparison.ter):
        assert compared.score_a != compared.score_b
        assert compared.p_value > 0.05


def test_a_system_is_not_better_than_itself():
    texts = worsened(REFERENCES, 0.2, 5)
    comparison = compare_translations(texts, texts, REFERENCES, num_samples=50)
    for compared in (comparison.bleu, comparison.chrf, comparison.ter):
        assert compared.p_value == 1.0
        assert compared.interval_a == pytest.approx(compared.interval_b)


def test_the_same_comparison_gives_the_same_values():
    systems = worsened(REFERENCES, 0.2, 6), worsened(REFERENCES, 0.3, 7)
    first, again = (compare_translations(*systems, REFERENCES, num_samples=50).to_dict() for _ in range(2))
    assert first == again
    assert json.loads(json.dumps(first))["bleu"]["interval_a"] == list(first["bleu"]["interval_a"])


def test_settings_reach_the_scores():
    shouted = [text.upper() for text in REFERENCES]
    worse = worsened(REFERENCES, 0.3, 8)
    comparison = compare_translations(shouted, worse, REFERENCES, lowercase=True, tokenisation="none", num_samples=50)
    assert comparison.bleu.score_a == pytest.approx(100)
    assert "case:lc|eff:no|tok:none" in comparison.bleu.signature


def test_both_systems_need_as_many_translations_as_there_are_references():
    for systems in ((REFERENCES[1:], REFERENCES), (REFERENCES, REFERENCES[1:])):
        with pytest.raises(DataError, match="60 translations for 61 references"):
            compare_translations(*systems, REFERENCES)
