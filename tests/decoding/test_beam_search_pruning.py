"""Searches that give up hopeless beams."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal


def pruned_beam_search(language, item, width, max_length, threshold, num_kept):
    """Finished sentences, best first, as the definition has it: one list, sorted again for every length."""
    live, finished = [language.sentence((), item)], []
    for position in range(max_length):
        tokens = [*language.words, *([language.control.end] if position else [])]
        longer = [language.sentence((*beam.ids, token), item) for beam in live for token in tokens]
        best = sorted(longer, key=lambda sentence: -sentence.log_prob)[: 2 * width]
        finished += [sentence for sentence in best[:width] if sentence.ids[-1] == language.control.end]
        live = [sentence for sentence in best if sentence.ids[-1] != language.control.end][:width]
        near = [sentence for sentence in live if sentence.log_prob >= live[0].log_prob - threshold]
        live = live[: max(num_kept, len(near))]
    return sorted(finished, key=score, reverse=True)


def score(sentence):
    return sentence.log_prob / ((5 + len(sentence.ids)) / 6)


@pytest.mark.parametrize(("threshold", "number"), [(0.2, 1), (0.7, 1), (1.5, 1), (0.2, 3)])
def test_beams_far_below_the_best_are_given_up(toy_language, search, written, threshold, number):
    language = toy_language(23, batch=6, num_words=9, end=0.0)
    found = search(language, width=5, num_results=number, max_length=7, length_penalty=1.0, pruning=threshold)
    for item in range(6):
        best = pruned_beam_search(language, item, 5, 7, threshold, number)[:number]
        assert written(found, item)[: len(best)] == [sentence.ids for sentence in best]
        assert_allclose(found.scores[item, : len(best)], [score(sentence) for sentence in best], rtol=1e-5)


def test_the_thresholds_of_that_test_differ_in_what_they_find(toy_language, search, written):
    language = toy_language(23, batch=6, num_words=9, end=0.0)
    found = [search(language, width=5, max_length=7, length_penalty=1.0, pruning=t) for t in (0.0, 0.2, 0.7, 1.5)]
    sentences = [[written(each, item) for item in range(6)] for each in found]
    assert all(left != right for left, right in itertools.pairwise(sentences))


def test_a_great_threshold_gives_nothing_up(toy_language, search):
    language = toy_language(5, batch=3, num_words=6)
    everything, pruned = (search(language, width=4, num_results=1, pruning=pruning) for pruning in (0.0, 900.0))
    assert_array_equal(everything.ids, pruned.ids)
    assert_array_equal(everything.scores, pruned.scores)


@pytest.mark.parametrize("max_length", [3, 6])
def test_as_many_sentences_are_found_as_were_asked_for(toy_language, search, max_length):
    """However far below the best they are."""
    language = toy_language(8, batch=4, num_words=9, sharpness=4.0)
    found = search(language, width=5, num_results=4, max_length=max_length, pruning=0.01)
    assert (found.log_probs > -1e6).all()
    assert np.all(found.lengths > 0)
