import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ostinato.errors import DataError
from ostinato.sequences import UNLABELLED, StreamConfig, WindowBatches, class_weights
from ostinato.sequences.batches import label_targets

CONFIG = StreamConfig(window=7, batch_size=3, frame_loss=0.25, class_balance=0.0)
OWN = np.repeat([0, UNLABELLED, 2], [4, 8, 5])


@pytest.fixture(scope="module")
def store(write_store, tmp_path_factory):
    """A clip of 5 frames, a recording of 17 with labels of their own; each feature is the number of its frame."""
    return write_store(
        tmp_path_factory.mktemp("store"),
        [
            {"features": 100 + np.arange(10).reshape(5, 2), "label": 1},
            {"features": np.arange(34).reshape(17, 2), "frame_labels": OWN},
        ],
    )


def windows_of(store, epoch=0, config=CONFIG, rows=(0, 1), vary=None):
    """Yields each window of an epoch: features [F, D], targets [F + 1, L], weights [F + 1], padding cut away."""
    for (features, mask), targets, weights in WindowBatches(store, rows, 3, config, vary)(epoch):
        assert features.shape[:2] == mask.shape
        assert targets.shape[:2] == weights.shape == (len(mask), mask.shape[1] + 1)
        for place, frames in enumerate(mask.sum(axis=1)):
            assert mask[place, :frames].all()
            assert not features[place, frames:].any()
            assert not weights[place, frames:-1].any()
            kept = [*range(frames), -1]
            yield features[place, :frames], targets[place, kept], weights[place, kept]


def test_the_whole_of_a_window_is_labelled_by_the_share_of_each_label_so_far_unless_it_has_one():
    labels = np.array([2, UNLABELLED, 0, 2])
    targets, weights = label_targets(labels, UNLABELLED, 3, 0.75)
    assert_array_equal(targets[:4], [[0, 0, 1], [0, 0, 0], [1, 0, 0], [0, 0, 1]])
    assert_allclose(targets[4], [1 / 3, 0, 2 / 3], rtol=1e-6)
    assert_allclose(weights, [0.25, 0, 0.25, 0.25, 0.25])
    assert_allclose(label_targets(labels, UNLABELLED, 3, 0.75, np.array([0, 3, 0]))[0][4], [1 / 6, 1 / 2, 1 / 3])
    assert_array_equal(label_targets(labels, 1, 3, 0.75, np.array([5, 0, 0]))[0][4], [0, 1, 0])
    assert not label_targets(np.full(2, UNLABELLED), UNLABELLED, 3, 0.75)[1].any()


def test_there_are_as_many_windows_as_cover_a_sequence(store):
    batches = WindowBatches(store, [0, 1], 3, CONFIG)
    lengths = sorted(len(features) for features, *_ in windows_of(store))
    assert lengths == [5, 7, 7, 7]
    assert (batches.num_batches(), batches.num_frames) == (2, 26)
    assert [len(targets) for _, targets, _ in batches(0)] == [3, 1]


def test_windows_are_stretches_of_a_sequence_from_anywhere_in_it(store):
    starts = set()
    for epoch in range(40):
        for features, *_ in windows_of(store, epoch, rows=[1]):
            starts.add(int(features[0, 0]) // 2)
            assert_array_equal(features, np.arange(34).reshape(17, 2)[features[0, 0].astype(int) // 2 :][:7])
    assert starts == set(range(11))


def test_every_frame_of_a_clip_and_the_whole_have_its_label(store):
    ((_, targets, weights),) = windows_of(store, rows=[0])
    assert_array_equal(targets, [[0, 1, 0]] * 6)
    assert_allclose(weights, [0.25 / 5] * 5 + [0.75])


def test_frames_have_labels_of_their_own_and_the_window_their_shares(store):
    for epoch in range(6):
        for features, targets, weights in windows_of(store, epoch, rows=[1]):
            labels = OWN[features[:, 0].astype(int) // 2]
            known = labels != UNLABELLED
            assert_array_equal(targets[:-1].any(axis=1), known)
            assert_array_equal(targets[:-1][known].argmax(axis=1), labels[known])
            assert not weights[:-1][~known].any()
            if known.any():
                assert_allclose(targets[-1], targets[:-1][known].mean(axis=0))
                assert_allclose([weights[:-1].sum(), weights[-1]], [0.25, 0.75], rtol=1e-6)
            else:
                assert not weights.any()


def test_rare_labels_count_more(store):
    balanced = dataclasses.replace(CONFIG, class_balance=1.0)
    batches = WindowBatches(store, [0, 1], 3, balanced)
    assert_allclose(batches.weights * [4, 5, 5], [14 / 3] * 3, rtol=1e-6)
    ((_, _, weights),) = windows_of(store, config=dataclasses.replace(balanced, window=17), rows=[1])
    assert_allclose(weights[0] / weights[16], 5 / 4, rtol=1e-6)


@pytest.mark.parametrize(
    ("balance", "expected"), [(0, [1, 1, 0]), (1, [2.5, 0.625, 0]), (0.5, [2.5**0.5, 0.625**0.5, 0])]
)
def test_weights_are_a_power_of_how_rare_a_label_is_and_none_where_it_never_occurs(balance, expected):
    assert_allclose(class_weights(np.array([2, 8, 0]), balance), expected, rtol=1e-6)


def test_an_epoch_is_always_the_same_and_unlike_others(store):
    def seen(epoch, seed=1):
        config = dataclasses.replace(CONFIG, seed=seed)
        return [features.tolist() for features, *_ in windows_of(store, epoch, config)]

    assert seen(3) == seen(3)
    assert seen(3) != seen(4)
    assert seen(3) != seen(3, seed=2)


def test_a_variation_may_change_features_labels_and_length(store):
    def every_second(features, labels, generator):
        assert isinstance(generator, np.random.Generator)
        return -features[::2], labels[::2]

    ((features, targets, weights),) = windows_of(store, rows=[0], vary=every_second)
    assert_array_equal(features, -(100 + np.arange(10).reshape(5, 2))[::2])
    assert_array_equal(targets, [[0, 1, 0]] * 4)
    assert_allclose(weights.sum(), 1, rtol=1e-6)


def test_what_has_no_labels_cannot_be_trained_on(write_store, tmp_path):
    store = write_store(tmp_path, [{"features": np.ones((3, 2))}])
    for rows in ([0], []):
        with pytest.raises(DataError, match=f"none of the {len(rows)} sequences .* has a label"):
            WindowBatches(store, rows, 2, CONFIG)
