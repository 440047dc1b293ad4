import numpy as np

from ostinato.sequences import StreamConfig, WindowBatches
from ostinato.sequences.blending import Blending, resampled


def test_between_two_frames_features_are_a_mixture():
    features = np.array([[0.0, 2.0], [4.0, 4.0], [8.0, 0.0]])
    mixed = resampled(features, np.array([0.25, 1.5, 2.0]))
    assert mixed.tolist() == [[1.0, 2.5], [6.0, 2.0], [8.0, 0.0]]


def test_a_clip_keeps_its_length_and_begins_and_ends_between_both():
    one, other = np.zeros((7, 2), np.float32), np.linspace([4, 8], [6, 8], 5).astype(np.float32)
    features, labels = Blending(1.0)((one, np.full(7, 3)), (other, np.full(5, 3)), np.random.default_rng(2))
    assert labels.tolist() == [3] * 7
    share = features[0, 0] / 4  # of the other
    assert 0 < share < 1
    np.testing.assert_allclose(features[-1], share * other[-1], rtol=1e-6)
    np.testing.assert_allclose(features[3], share * other[2], rtol=1e-6)


def store_of(write_store, folder):
    """Two clips of one label, constantly 0 and 1; one of another, 5; a recording of no label, 9."""
    frames = np.repeat([1, 2], 4)
    return write_store(
        folder,
        [
            *({"features": np.full((6, 2), value), "label": label} for value, label in ((0.0, 0), (1.0, 0), (5.0, 1))),
            {"features": np.full((8, 2), 9.0), "frame_labels": frames},
            {"features": np.full((6, 2), 100.0), "label": 0, "split": "dev"},
        ],
    )


def test_clips_are_blended_with_those_of_their_label_that_are_trained_on(write_store, tmp_path):
    store = store_of(write_store, tmp_path)
    batches = WindowBatches(
        store, [0, 1, 2, 3], 3, StreamConfig(batch_size=64, least_windows=64), None, None, Blending(1.0)
    )
    (features, mask), targets, _ = next(batches(0))
    firsts = features[:, 0, 0]
    clips = mask.sum(axis=1) == 6
    of_label = targets[:, -1].argmax(axis=1)
    assert ((firsts[clips & (of_label == 0)] >= 0) & (firsts[clips & (of_label == 0)] <= 1)).all()
    assert len(set(firsts[clips & (of_label == 0)])) > 9
    np.testing.assert_allclose(firsts[clips & (of_label == 1)], 5.0, rtol=1e-6)
    assert (firsts[~clips] == 9).all()


def test_some_clips_stay_as_they_are(write_store, tmp_path):
    store = store_of(write_store, tmp_path)
    batches = WindowBatches(store, [0, 1], 2, StreamConfig(batch_size=64, least_windows=64), None, None, Blending(0.5))
    (features, _), _, _ = next(batches(0))
    assert 8 < np.isin(features[:, 0, 0], [0.0, 1.0]).sum() < 56
