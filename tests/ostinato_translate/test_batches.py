"""The corpus has 35 training rows, of which one lacks its German sentence."""

from collections import Counter

import numpy as np
import pytest

from ostinato.text import END, PAD
from ostinato_translate.batches import ParallelBatches, pad
from ostinato_translate.run import Run

DIRECTIONS = [("en", "de"), ("en", "fr"), ("fr", "de")]


@pytest.fixture(scope="module")
def numeral_run(prepared_numerals):
    return Run(prepared_numerals)


@pytest.fixture
def make(numeral_run):
    def make_batches(directions=DIRECTIONS, **settings):
        return ParallelBatches(
            numeral_run, directions, **{"tokens_per_batch": 200, "epochs_per_pass": 1, "seed": 1, **settings}
        )

    return make_batches


def text_of(run, ids):
    return run.tokenizer.decode([piece_id for piece_id in ids.tolist() if piece_id != PAD])


def pairs_of(run, batches):
    """Returns how often each (source, target language, target) was there."""
    found = Counter()
    for (source_ids, inputs), targets, _ in batches:
        for source, starts, sentences in zip(source_ids, inputs[:, :, 0], targets, strict=True):
            for start, sentence in zip(starts, sentences, strict=True):
                language = run.languages[run.language_ids.index(start)]
                found[text_of(run, source), language, text_of(run, sentence)] += 1
    return found


def expected_pairs(run):
    texts = {
        (row, language): run.tokenizer.decode(run.sentence(row, language).tolist())
        for row in range(run.num_rows)
        for language in run.languages
    }
    return Counter(
        (texts[row, source], target, texts[row, target])
        for source, target in DIRECTIONS
        for row in range(run.num_rows)
        if texts[row, source] and texts[row, target]
    )


@pytest.mark.parametrize("alpha", [0.0, 0.2])
@pytest.mark.parametrize("epochs_per_pass", [1, 3])
def test_a_pass_has_every_sentence_in_every_direction_once(make, numeral_run, epochs_per_pass, alpha):
    batches = make(epochs_per_pass=epochs_per_pass, subword_alpha=alpha)
    seen = sum((pairs_of(numeral_run, batches(epoch)) for epoch in range(epochs_per_pass)), Counter())
    assert seen == expected_pairs(numeral_run)
    assert seen.total() == batches.num_pairs == 35 + 34 + 34


def test_a_source_is_read_once_for_all_its_targets_and_they_are_fed_one_place_later(make, numeral_run):
    language_ids = np.array(numeral_run.language_ids)
    widths = set()
    for (source_ids, inputs), targets, weights in make()(0):
        assert inputs.shape == targets.shape == weights.shape
        assert len(inputs) == len(source_ids)
        assert {array.dtype for array in (source_ids, inputs, targets)} == {np.dtype(np.int32)}
        np.testing.assert_array_equal(inputs[:, :, 1:], targets[:, :, :-1])
        assert np.isin(inputs[:, :, 0], language_ids).all()
        np.testing.assert_array_equal(weights, targets != PAD)
        for ids in (*source_ids, *targets.reshape(-1, targets.shape[-1])):
            written = ids[ids != PAD]
            assert written[-1] == END
            assert END not in written[:-1]
        widths.add(inputs.shape[1])
    assert widths == {1, 2}, "English goes into two languages, French, and English that has no German, into one"


def test_batches_keep_to_their_size_and_are_as_many_as_announced(make):
    batches = make(tokens_per_batch=90)
    sizes = [targets.size for _, targets, _ in batches(0)]
    assert max(sizes) <= 90
    assert len(sizes) == batches.num_batches(0) > len(list(make(tokens_per_batch=200)(0)))
    assert sum(int(weights.sum()) for _, _, weights in batches(0)) == batches.num_target_tokens


@pytest.mark.parametrize("alpha", [0.0, 0.2])
def test_an_epoch_is_always_the_same_and_never_like_another(make, alpha):
    def content(batches, epoch):
        return [array.tobytes() for (source, inputs), *_ in batches(epoch) for array in (source, inputs)]

    batches = make(subword_alpha=alpha)
    assert content(batches, 1) == content(make(subword_alpha=alpha), 1)
    assert content(batches, 0) != content(batches, 1)
    assert content(batches, 1) != content(make(subword_alpha=alpha, seed=2), 1)


def test_sentences_are_cut_anew_in_every_epoch_and_batches_grow_by_a_fifth_at_most(make, numeral_run):
    def cuts(batches, epoch):
        found = {}
        for (source_ids, _), *_ in batches(epoch):
            for ids in source_ids:
                found[text_of(numeral_run, ids)] = tuple(ids[ids != PAD].tolist())
        return found

    plain, varied = make(), make(subword_alpha=0.2)
    assert cuts(plain, 0) == cuts(plain, 1)
    first, second = cuts(varied, 0), cuts(varied, 1)
    assert first.keys() == second.keys() == cuts(plain, 0).keys()
    assert sum(first[text] != second[text] for text in first) > len(first) / 3
    for epoch in range(3):
        for ((one, _), *_), ((two, _), *_) in zip(plain(epoch), varied(epoch), strict=True):
            assert two.shape[1] - 1 <= 1.2 * (one.shape[1] - 1)


def test_the_smaller_the_exponent_the_more_sentences_are_cut_otherwise(make, numeral_run):
    def share_that_differs(alpha):
        pairs = zip(make()(0), make(subword_alpha=alpha)(0), strict=True)
        differs = []
        for ((_, plain), *_), ((_, varied), *_) in pairs:
            for one, two in zip(plain.reshape(-1, plain.shape[-1]), varied.reshape(-1, varied.shape[-1]), strict=True):
                differs.append(one[one != PAD].tolist() != two[two != PAD].tolist())
        return np.mean(differs)

    assert share_that_differs(100.0) == 0
    assert 0 < share_that_differs(1.0) < share_that_differs(0.3)
    assert share_that_differs(0.3) > 0.5


def test_padding_is_on_the_right():
    np.testing.assert_array_equal(pad([[5, 6, 7], [8]]), [[5, 6, 7], [8, PAD, PAD]])
