import numpy as np
import pytest

from ostinato.sequences import StreamConfig, WindowBatches
from ostinato.sequences.joining import Joining


def between(before, after, generator):
    """Two frames of -1, which no clip has."""
    return np.full((2, len(before)), -1.0, np.float32)


JOINING = Joining(1.0, 2, between)


def window(value, frames, label):
    return np.full((frames, 3), value, np.float32), np.full(frames, label)


def test_something_lies_before_between_and_after():
    features, labels = JOINING([window(5, 3, 0), window(7, 1, 1)], 99, np.random.default_rng(1))
    assert features[:, 0].tolist() == [-1, -1, 5, 5, 5, -1, -1, 7, -1, -1]
    assert labels.tolist() == [2, 2, 0, 0, 0, 2, 2, 1, 2, 2]


def test_what_is_too_long_is_cut_off_at_the_end():
    features, labels = JOINING([window(5, 3, 0), window(7, 1, 1)], 6, np.random.default_rng(1))
    assert features[:, 0].tolist() == [-1, -1, 5, 5, 5, -1]
    assert len(labels) == 6


def test_what_lies_between_is_made_from_both_sides():
    seen = []

    def remember(before, after, generator):
        seen.append((before[0], after[0]))
        return between(before, after, generator)

    Joining(1.0, 2, remember)([window(5, 3, 0), window(7, 1, 1)], 99, np.random.default_rng(1))
    assert seen == [(5, 5), (5, 7), (7, 7)]


def test_streams_of_clips_are_learnt_frame_by_frame_and_have_no_label_of_the_whole(clips):
    batches = WindowBatches(clips, clips.rows("train"), 3, StreamConfig(window=16, batch_size=7), joining=JOINING)
    (features, mask), targets, weights = next(batches(0))
    assert mask.sum(axis=1).tolist() == [16] * 7
    assert not weights[:, -1].any()
    is_between = (features == -1).all(axis=-1)
    assert is_between.any(axis=1).all()
    np.testing.assert_array_equal(targets[:, :-1, 2] == 1, is_between)
    assert (weights[:, :-1] > 0).all()


def test_some_windows_stay_clips(clips):
    joining = Joining(0.5, 2, between)
    batches = WindowBatches(clips, clips.rows("train"), 3, StreamConfig(window=16, batch_size=32), joining=joining)
    (features, _), targets, weights = next(batches(0))
    is_joined = (features == -1).all(axis=-1).any(axis=1)
    assert 0 < is_joined.sum() < len(is_joined)
    np.testing.assert_array_equal(weights[:, -1] == 0, is_joined)
    assert (targets[~is_joined, -1].sum(axis=-1) == 1).all()


@pytest.mark.parametrize(("least", "windows"), [(0, 32), (33, 64), (100, 128)])
def test_few_sequences_are_seen_several_times_in_an_epoch(clips, least, windows):
    config = StreamConfig(window=16, batch_size=32, least_windows=least)
    assert WindowBatches(clips, clips.rows("train"), 2, config).num_batches() == windows // 32
