import math
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from ostinato.decoding import BeamOptions, ControlTokens, beam_search, greedy_search, length_penalty

only_tensorflow = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="shows a TensorFlow graph")


def score(sentence, exponent):
    return sentence.log_prob / ((5 + len(sentence.ids)) / 6) ** exponent


def ranked(sentences, exponent):
    return sorted(sentences, key=lambda sentence: score(sentence, exponent), reverse=True)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("exponent", [0.0, 0.6, 1.0, -0.7])
def test_wide_beams_find_what_listing_every_sentence_finds(toy_language, search, written, seed, exponent):
    language = toy_language(seed)
    best = ranked(language.finished(language.max_length), exponent)[:7]
    found = search(language, width=language.everything, num_results=7, length_penalty=exponent)
    assert written(found) == [sentence.ids for sentence in best]
    assert_allclose(found.scores[0], [score(sentence, exponent) for sentence in best], rtol=1e-5)
    assert_allclose(found.log_probs[0], [sentence.log_prob for sentence in best], rtol=1e-5)


def plain_beam_search(language, item, width, max_length, enough=math.inf):
    """Finished sentences as the definition has them: one list, sorted again for every length."""
    live, finished = [language.sentence((), item)], list[Any]()
    for position in range(max_length):
        if len(finished) >= enough:
            break
        tokens = [*language.words, *([language.control.end] if position else [])]
        longer = [(*beam.ids, token) for beam in live for token in tokens]
        best = ranked([language.sentence(ids, item) for ids in longer], 0.0)[: 2 * width]
        ended = [sentence.ids[-1] == language.control.end for sentence in best]
        finished += [sentence for sentence, end in zip(best[:width], ended, strict=False) if end]
        live = [sentence for sentence, end in zip(best, ended, strict=True) if not end][:width]
    return ranked(finished, 0.6)


@pytest.mark.parametrize("width", [3, 5])
def test_narrow_beams_keep_the_best_of_every_length(toy_language, search, written, width):
    language = toy_language(11, batch=3, num_words=17, end=3.0)
    found = search(language, width=width, num_results=3, max_length=7)
    for item in range(3):
        best = plain_beam_search(language, item, width, max_length=7)[:3]
        assert written(found, item) == [sentence.ids for sentence in best]
        assert_allclose(found.scores[item], [score(sentence, 0.6) for sentence in best], rtol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_narrow_beams_return_true_log_probabilities_in_order(toy_language, search, written, seed):
    language = toy_language(seed, batch=3, num_words=5, end=2.0)
    found = search(language, width=5, num_results=5, max_length=7)
    for item in range(3):
        sentences = written(found, item)
        assert len(set(sentences)) == 5
        expected = [language.log_prob(ids, item) for ids in sentences]
        assert_allclose(found.log_probs[item], expected, rtol=1e-5)
        assert_allclose(found.scores[item], found.log_probs[item] / ((5 + found.lengths[item]) / 6) ** 0.6, rtol=1e-5)
        assert np.all(np.diff(found.scores[item]) <= 0)


@pytest.mark.parametrize("seed", range(3))
def test_stopping_early_changes_nothing(toy_language, search, seed):
    language = toy_language(seed, batch=3, end=2.0)
    for exponent in (0.0, 0.6, 1.0):
        early = search(language, width=5, num_results=1, max_length=9, length_penalty=exponent)
        # Asking for every result keeps the search going until nothing can overtake the last of them.
        late = search(language, width=5, num_results=5, max_length=9, length_penalty=exponent)
        assert_array_equal(early.ids[:, 0], late.ids[:, 0])
        assert_allclose(early.scores[:, 0], late.scores[:, 0], rtol=1e-6)


def test_the_search_goes_on_while_a_longer_sentence_may_still_win(toy_language, search):
    language = toy_language(0)
    probabilities = np.full((9, language.vocabulary), 1e-9)
    probabilities[0, list(language.words)] = 1 / 3
    probabilities[1, [language.control.end, 4]] = 0.6, 0.4
    probabilities[2:6, 4] = 1.0
    probabilities[6, language.control.end] = 1.0
    by_position = np.log(probabilities).astype("float32")

    def step(tokens, state, table, going=None):
        _, attention, next_state = language.step(tokens, state, table)
        return ops.take(by_position, state.position, axis=0), attention, next_state

    short, long = np.log(0.6 / 3) / (7 / 6), np.log(0.4 / 3) / (12 / 6)
    assert np.log(0.4 / 3) / (8 / 6) < short < long  # not better before the end, but then
    found = search(language, step=step, width=3, max_length=9, length_penalty=1.0)
    assert found.lengths[0, 0] == 7
    assert_allclose(found.scores[0, 0], long, rtol=1e-5)


@only_tensorflow  # whose loops run step by step outside of graphs, so that steps can be counted
def test_the_search_stops_once_no_beam_can_win(toy_language):
    language = toy_language(0, end=9.0)  # nearly every sentence ends as soon as it may
    steps = []

    def step(tokens, state, table, going=None):
        steps.append(tokens)
        return language.step(tokens, state, table)

    state, table = language.start()
    options = BeamOptions(width=3, max_length=30)
    beam_search(step, state, table, options, control=language.control, num_places=language.num_places)
    assert len(steps) < 5


@pytest.mark.parametrize("seed", range(3))
def test_one_beam_without_length_penalty_is_greedy(toy_language, search, seed):
    language = toy_language(seed, batch=5, end=1.0)
    state, table = language.start()
    greedy = greedy_search(language.step, state, table, control=language.control, num_places=3, max_length=7)
    beam = search(language, width=1, length_penalty=0.0, max_length=7)
    assert_array_equal(beam.ids, greedy.ids)
    assert_allclose(beam.log_probs, greedy.log_probs, rtol=1e-5)
    assert_allclose(beam.attention, greedy.attention)
    assert len({*beam.lengths[:, 0].tolist()}) > 1  # some sentences end before others


def test_one_beam_with_length_penalty_scores_no_less_than_greedy(toy_language, search):
    language = toy_language(1, batch=7, end=1.0)
    state, table = language.start()
    greedy = greedy_search(language.step, state, table, control=language.control, num_places=3, max_length=7)
    beam = search(language, width=1, length_penalty=1.0, max_length=7)
    greedy_scores = ops.convert_to_numpy(greedy.log_probs / length_penalty(greedy.lengths, 1.0))
    ended = ops.convert_to_numpy(ops.any(greedy.ids == language.control.end, axis=-1))
    assert ended.sum() > 3
    assert np.all(beam.scores[ended] >= greedy_scores[ended] - 1e-5)


def test_each_input_alone_finds_what_it_finds_in_a_batch(toy_language, search):
    language = toy_language(2, batch=3, num_words=7)
    together = search(language, width=5, num_results=3, max_length=9)
    for item in range(3):
        alone = search(language, slice(item, item + 1), width=5, num_results=3, max_length=9)
        assert_array_equal(alone.ids[0], together.ids[item])
        assert_allclose(alone.scores[0], together.scores[item], rtol=1e-6)
        assert_array_equal(alone.attention[0], together.attention[item])


def test_no_sentence_is_shorter_than_the_minimum_or_longer_than_the_maximum(toy_language, search, written):
    language = toy_language(3, end=3.0)
    expected = ranked(language.finished(language.max_length, min_length=3), 0.6)[:5]
    found = search(language, width=language.everything, num_results=5, min_length=3)
    assert written(found) == [sentence.ids for sentence in expected]
    assert found.ids.shape == (1, 5, language.max_length)
    assert set(found.lengths[0].tolist()) == {4, 5}  # the end token included


@pytest.mark.parametrize("patience", [0.3, 1.0])
def test_a_search_that_loses_patience_takes_what_has_finished_by_then(toy_language, search, written, patience):
    language = toy_language(6, batch=7, num_words=5, end=1.0)
    options = {"width": 5, "num_results": 2, "max_length": 9, "patience": patience}
    found = search(language, **options)
    exhaustive = search(language, **{**options, "patience": 0.0})
    assert any(written(found, item) != written(exhaustive, item) for item in range(7))
    for item in range(7):
        best = plain_beam_search(language, item, 5, 9, enough=math.ceil(5 * patience))[:2]
        assert written(found, item) == [sentence.ids for sentence in best]
        alone = search(language, slice(item, item + 1), **options)
        assert_array_equal(alone.ids[0], found.ids[item])


@pytest.mark.parametrize("seed", range(3))
def test_attention_is_collected_along_the_winning_beams(toy_language, search, written, seed):
    language = toy_language(seed, batch=3, num_words=5)
    found = search(language, width=5, num_results=5, max_length=7)
    for item in range(3):
        for ids, attention in zip(written(found, item), found.attention[item], strict=True):
            assert_array_equal(attention[: len(ids)], language.attention(ids))
            assert not attention[len(ids) :].any()


def test_unfinished_sentences_fill_up_when_nothing_can_finish(toy_language, search, written):
    language = toy_language(5)
    best = ranked(language.unfinished(language.max_length), 0.6)[:3]
    found = search(language, width=language.everything, num_results=3, min_length=language.max_length)
    assert written(found) == [sentence.ids for sentence in best]
    assert_allclose(found.scores[0], [score(sentence, 0.6) for sentence in best], rtol=1e-5)
    for ids, attention in zip(written(found), found.attention[0], strict=True):
        assert_array_equal(attention, language.attention(ids))


def test_finished_sentences_stand_before_unfinished_ones(toy_language, search, written):
    language = toy_language(6)
    finished = ranked(language.finished(3, min_length=2), 0.6)  # 9 sentences of two words
    unfinished = ranked(language.unfinished(3), 0.6)
    found = search(language, width=language.everything, num_results=11, min_length=2, max_length=3)
    assert written(found) == [sentence.ids for sentence in (*finished, *unfinished[:2])]


def test_sentences_that_do_not_exist_come_back_empty(toy_language, search, written):
    language = toy_language(7, num_words=1)
    found = search(language, width=9, num_results=9, max_length=3, length_penalty=3.0)
    assert sorted(written(found)[:3], key=len) == [(4, 2), (4, 4, 2), (4, 4, 4)]
    assert not found.ids[0, 3:].any()
    assert not found.attention[0, 3:].any()
    assert np.all(found.log_probs[0, 3:] <= -1e9)


def test_padding_fills_what_lies_behind_the_end(toy_language, search):
    language = toy_language(8, batch=3, end=2.0)
    found = search(language, width=5, num_results=5, max_length=7)
    behind = np.arange(7) >= found.lengths[:, :, None]
    assert behind.any()
    assert_array_equal(found.ids == language.control.pad, behind)
    assert_array_equal(found.ids == language.control.end, np.arange(7) == found.lengths[:, :, None] - 1)


def test_banned_tokens_are_never_written(toy_language, search):
    language = toy_language(9, batch=3)
    language.table[:, :, [0, 1, 3]] = 0.0  # as probable as can be
    found = search(language, width=5, num_results=5, max_length=7)
    real = found.ids[np.arange(7) < found.lengths[:, :, None]]
    assert not np.isin(real, [0, 1, 3]).any()


def test_an_end_token_with_another_meaning_is_refused():
    with pytest.raises(ValueError, match="never end"):
        ControlTokens(start=2, end=2)


FIELDS = ("width", "num_results", "length_penalty", "min_length", "max_length", "patience", "pruning")


@only_tensorflow
def test_options_may_be_tensors_of_a_graph(toy_language, search):
    import tensorflow as tf

    language = toy_language(10, batch=3, num_words=5)

    @tf.function(autograph=False)
    def graph(state, table, *numbers):
        options = BeamOptions(**dict(zip(FIELDS, numbers, strict=True)))
        return beam_search(
            language.step, state, table, options, control=language.control, num_places=language.num_places
        )

    for numbers in ((5, 3, 0.6, 1, 7, 0.0, 0.0), (3, 1, 0.0, 2, 5, 1.0, 0.9), (9, 9, 1.0, 1, 3, 0.5, 0.9)):
        found = graph(*language.start(), *(tf.constant(number) for number in numbers))
        expected = search(language, **dict(zip(FIELDS, numbers, strict=True)))
        assert_array_equal(found.ids, expected.ids)
        assert_allclose(found.scores, expected.scores, rtol=1e-6)
        assert_array_equal(found.attention, expected.attention)
    assert graph.experimental_get_tracing_count() == 1


@only_tensorflow
def test_one_beam_is_asked_for_the_first_token_and_all_for_the_others(toy_language):
    language, widths = toy_language(3, batch=2), []

    def step(tokens, state, memory, going=None):
        widths.append(tokens.shape[1])
        return language.step(tokens, state, memory)

    options = BeamOptions(width=4, num_results=2, max_length=language.max_length)
    state, memory = language.start()
    beam_search(step, state, memory, options, control=language.control, num_places=language.num_places)
    assert widths[0] == 1
    assert set(widths[1:]) == {4}
