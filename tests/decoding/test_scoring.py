import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose

from ostinato.decoding import BeamOptions, coverage_penalty, length_penalty, sequence_log_probs, sequence_scores


def test_the_length_penalty_is_that_of_wu_et_al():
    penalties = length_penalty(np.array([1, 7, 25]), 0.6)
    assert_allclose(penalties, [1.0, 2.0**0.6, 5.0**0.6], rtol=1e-6)
    assert_allclose(length_penalty(13, 0.0), 1.0)


def test_the_coverage_penalty_is_that_of_wu_et_al():
    coverage = np.array([[0.5, 1.0, 2.5], [0.25, 0.1, 1.0]], "float32")
    expected = [np.log(0.5), np.log(0.25) + np.log(0.1)]
    assert_allclose(coverage_penalty(coverage, 0.4), 0.4 * np.array(expected), rtol=1e-6)
    assert_allclose(coverage_penalty(coverage, 0.0), 0.0)


def test_places_that_an_input_does_not_have_need_no_attention():
    coverage = np.array([[[0.5, 0.0], [0.1, 0.0]], [[0.5, 0.2], [1.0, 0.3]]], "float32")
    mask = np.array([[[True, False]], [[True, True]]])
    expected = np.log([[0.5, 0.1], [0.1, 0.3]])
    assert_allclose(coverage_penalty(coverage, 1.0, mask), expected, rtol=1e-6)


def test_a_place_never_looked_at_is_a_loss_but_not_an_endless_one():
    worst, bad = ops.convert_to_numpy(coverage_penalty(np.array([[0.0, 1.0], [1e-6, 1.0]], "float32"), 1.0))
    assert np.isfinite(worst)
    assert worst < bad < -10


def test_log_probabilities_of_sequences_are_sums_over_tokens_but_not_over_padding():
    logits = np.random.default_rng(0).normal(size=(3, 2, 5, 7)).astype("float32")
    labels = np.array([[[4, 3, 2, 0, 0], [5, 5, 6, 1, 2]], [[2, 0, 0, 0, 0], [3, 2, 0, 0, 0]], [[6, 2, 0, 0, 0]] * 2])
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    expected = [
        [sum(np.log(probabilities[b, k, t, token]) for t, token in enumerate(labels[b, k]) if token) for k in range(2)]
        for b in range(3)
    ]
    assert_allclose(sequence_log_probs(logits, labels), expected, rtol=1e-5)


@pytest.mark.parametrize("beta", [0.0, 0.3])
def test_sequences_score_under_teacher_forcing_what_they_scored_when_they_were_found(
    attentive_toy_language, search, beta
):
    language = attentive_toy_language(0, batch=3, num_places=(5, 2, 3), end=1.0)
    options = BeamOptions(width=5, num_results=5, max_length=7, length_penalty=0.8, coverage_penalty=beta)
    found = search(language, inputs={"places_mask": language.places_mask}, **vars(options))
    contexts = np.array([[language.contexts(ids) for ids in item.tolist()] for item in found.ids])  # [B, N, T]
    item = np.arange(3)[:, None, None]
    logits = language.table[item, contexts] + np.random.default_rng(1).normal(size=(3, 5, 7, 1))  # not normalised
    log_probs = sequence_log_probs(logits.astype("float32"), found.ids)
    coverage = (language.gaze[item, contexts] * (found.ids != 0)[..., None]).sum(axis=2)
    scores = sequence_scores(log_probs, found.lengths, options, coverage=coverage, places_mask=language.places_mask)
    assert len(set(found.lengths.flatten().tolist())) > 2
    assert_allclose(log_probs, found.log_probs, rtol=1e-4)
    assert_allclose(scores, found.scores, rtol=1e-4)


def test_a_negative_coverage_penalty_is_refused():
    with pytest.raises(ValueError, match=r"at least 0.*-0\.2"):
        BeamOptions(coverage_penalty=-0.2)
