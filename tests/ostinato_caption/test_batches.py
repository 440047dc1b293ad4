import numpy as np
import pytest

from ostinato.text import END, PAD, START, Tokenizer
from ostinato.training import shift
from ostinato_caption.batches import CaptionTargets, pad_ids, teacher_forcing_batches


class Letters(Tokenizer):
    """A tokenizer of letters."""

    def __init__(self):
        self.size = 30

    def encode(self, text):
        return [ord(letter) - ord("a") + 4 for letter in text]


CAPTIONS = [["ab", "abcde"], ["c"], ["dd", "e", "f", "g", "hhh"], ["abc", "b", "c"], ["bcdef"]]


@pytest.fixture
def targets():
    return CaptionTargets(CAPTIONS, Letters(), captions_per_photo=3)


def decoded(ids):
    return "".join(chr(i - 4 + ord("a")) for i in ids if i not in (PAD, END))


def batches(targets, **changes):
    arguments = {"photos_per_batch": 2, "seed": 3, "epoch": 0} | changes
    return list(teacher_forcing_batches(targets, lambda photos, _: photos * 10.0, **arguments))


def test_a_batch_has_captions_ends_and_padding(targets):
    ids, weights = targets.batch(np.array([1, 3]), np.random.default_rng(0))
    assert (ids.dtype, weights.dtype) == (np.int32, np.float32)
    assert ids.shape == weights.shape == (2, 3, 4)  # "abc" and its end
    assert sorted(decoded(row) for row in ids[1]) == ["abc", "b", "c"]
    for row in ids.reshape(-1, 4):
        assert list(row).count(END) == 1
        assert set(row[list(row).index(END) + 1 :]) <= {PAD}


def test_captions_that_fill_up_count_nothing(targets):
    ids, weights = targets.batch(np.array([0, 1]), np.random.default_rng(0))
    assert (weights[:, :, 0].sum(axis=1) == [2, 1]).all()
    assert (weights[0].sum(), weights[1].sum()) == (3 + 6, 2)  # pieces and end of every caption, once
    assert not weights[ids == PAD].any()


def test_each_of_several_decoders_reads_the_same_captions():
    one, three = (CaptionTargets(CAPTIONS, Letters(), 3, num_decoders=number) for number in (1, 3))
    expected = one.batch(np.array([0, 3]), np.random.default_rng(0))
    for found, each in zip(three.batch(np.array([0, 3]), np.random.default_rng(0)), expected, strict=True):
        np.testing.assert_array_equal(found, np.concatenate([each] * 3, axis=1))
        assert found.dtype == each.dtype


def test_of_many_captions_others_are_taken_each_time(targets):
    generator = np.random.default_rng(0)
    drawn = [frozenset(map(decoded, targets.batch(np.array([2]), generator)[0][0])) for _ in range(20)]
    assert all(len(captions) == 3 for captions in drawn)
    assert frozenset().union(*drawn) == {"dd", "e", "f", "g", "hhh"}


def test_captions_are_padded_to_the_longest():
    np.testing.assert_array_equal(pad_ids([[[5, 6, END], [7, END]]]), [[[5, 6, END], [7, END, PAD]]])


def test_an_epoch_sees_every_photo_once_with_its_own_inputs(targets):
    seen = []
    for (inputs, read_ids), ids, weights in batches(targets):
        assert inputs.shape[0] == ids.shape[0] == weights.shape[0] <= 2
        np.testing.assert_array_equal(read_ids, shift(ids, START))
        for photo, rows in zip(inputs / 10, ids, strict=True):
            assert {decoded(row) for row in rows} <= set(CAPTIONS[int(photo)])
            seen.append(int(photo))
    assert sorted(seen) == list(range(5))


def test_an_epoch_depends_on_seed_and_number_alone(targets):
    def flat(**changes):
        return [array for (inputs, _), ids, _ in batches(targets, **changes) for array in (inputs, ids)]

    for first, second in zip(flat(), flat(), strict=True):
        np.testing.assert_array_equal(first, second)
    for changes in ({"epoch": 1}, {"seed": 4}):
        assert any(
            first.shape != second.shape or (first != second).any()
            for first, second in zip(flat(), flat(**changes), strict=True)
        )
