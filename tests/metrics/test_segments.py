import functools
import json

import numpy as np
import pytest

from ostinato.errors import DataError
from ostinato.metrics import OVERLAPS, score_segments


def frames(*runs):
    """Labels of frames from pairs of a label and a number of frames."""
    return np.concatenate([np.full(length, label) for label, length in runs])


def f1_at_overlaps(scores):
    return [scores.segment_f1_10, scores.segment_f1_25, scores.segment_f1_50]


def random_videos(count, seed):
    generator = np.random.default_rng(seed)
    return [np.repeat(generator.integers(4, size=n), generator.integers(1, 9, size=n)) for n in range(3, 3 + count)]


def changed(labels, seed):
    """Moves the borders, and gives some frames another label."""
    generator = np.random.default_rng(seed)
    moved = np.roll(labels, generator.integers(-4, 5))
    return np.where(generator.random(labels.size) < 0.1, generator.integers(4, size=labels.size), moved)


def slow_segments(labels, background):
    """Pairs of a label and its frames, frame by frame."""
    runs: list[tuple[int, set[int]]] = []
    previous = None
    for frame, label in enumerate(labels.tolist()):
        if label != previous:
            runs.append((label, set()))
        runs[-1][1].add(frame)
        previous = label
    return [run for run in runs if run[0] != background]


def slow_f1(predicted, true, overlap, background=None):
    """F1 as MS-TCN's evaluation counts it: hits, false alarms and misses, over sets of frames."""
    hits = alarms = misses = 0
    for found, there in zip(predicted, true, strict=True):
        segments, taken = slow_segments(there, background), set()
        for label, covered in slow_segments(found, background):
            overlaps = [
                len(covered & other) / len(covered | other) * (label == other_label) for other_label, other in segments
            ]
            best = int(np.argmax(overlaps)) if overlaps else None
            if best is not None and 100 * overlaps[best] >= overlap and best not in taken:
                hits += 1
                taken.add(best)
            else:
                alarms += 1
        misses += len(segments) - len(taken)
    return 200 * hits / (2 * hits + alarms + misses)


def slow_edit(first, second):
    @functools.cache
    def distance(i, j):
        if not i or not j:
            return i + j
        change = distance(i - 1, j - 1) + (first[i - 1] != second[j - 1])
        return min(change, distance(i - 1, j) + 1, distance(i, j - 1) + 1)

    return 100 * (1 - distance(len(first), len(second)) / max(len(first), len(second)))


def test_an_example_counted_by_hand():
    true = frames((0, 10), (1, 10), (2, 20))
    # 0: overlap 10/12; 1: 3/10 and, again, 0; 2: 15/20.
    predicted = frames((0, 12), (1, 3), (0, 5), (1, 5), (2, 15))
    scores = score_segments([predicted], [true])
    # Label 0 found twice (once right), label 1 twice (the second overlaps none).
    assert f1_at_overlaps(scores) == pytest.approx([100 * 6 / 8, 100 * 6 / 8, 100 * 4 / 8])
    assert scores.edit_score == pytest.approx(100 * (1 - 2 / 5))
    assert scores.num_examples == 1


@pytest.mark.parametrize("background", [None, 0, 3])
def test_scores_are_those_of_counting_frame_by_frame(background):
    true = random_videos(9, seed=4)
    predicted = [changed(labels, seed) for seed, labels in enumerate(true)]
    scores = score_segments(predicted, true, background=background)
    expected = [slow_f1(predicted, true, overlap, background) for overlap in OVERLAPS]
    assert f1_at_overlaps(scores) == pytest.approx(expected)
    assert expected[0] > expected[2] > 0  # something to compare
    edits = [
        slow_edit(*([label for label, _ in slow_segments(each, background)] for each in pair))
        for pair in zip(predicted, true, strict=True)
    ]
    assert scores.edit_score == pytest.approx(np.mean(edits))


def test_what_is_found_perfectly_has_full_marks():
    true = random_videos(3, seed=5)
    scores = score_segments(true, true)
    assert [*f1_at_overlaps(scores), scores.edit_score] == [100.0] * 4


def test_a_segment_broken_into_pieces_counts_once():
    true = frames((1, 20))
    scores = score_segments([frames((1, 12), (0, 1), (1, 7))], [true], background=0)
    assert f1_at_overlaps(scores) == pytest.approx([100 * 2 / 3] * 3)
    assert scores.edit_score == pytest.approx(50.0)


def test_a_segment_of_exactly_the_least_overlap_is_right():
    true = frames((0, 3), (1, 20), (0, 3))
    for overlap, length in zip(OVERLAPS, (2, 5, 10), strict=True):
        for enough, kept in ((True, length), (False, length - 1)):
            predicted = frames((0, 3), (1, kept), (0, 23 - kept))
            score = getattr(score_segments([predicted], [true], background=0), f"segment_f1_{overlap}")
            assert score == (100.0 if enough else 0.0)


def test_background_is_a_label_like_others_unless_it_is_named():
    true, predicted = frames((0, 5), (1, 5), (0, 5)), frames((0, 5), (1, 5), (2, 5))
    assert score_segments([predicted], [true]).segment_f1_50 == pytest.approx(100 * 4 / 6)
    named = score_segments([predicted], [true], background=0)
    assert named.segment_f1_50 == pytest.approx(100 * 2 / 3)
    assert "background:0|" in named.signature


def test_where_nothing_happens_and_nothing_is_found_all_is_right():
    nothing = np.zeros(7, int)
    quiet = score_segments([nothing], [nothing], background=0)
    assert [*f1_at_overlaps(quiet), quiet.edit_score] == [100.0] * 4
    alarm = score_segments([frames((0, 3), (1, 4))], [nothing], background=0)
    assert [*f1_at_overlaps(alarm), alarm.edit_score] == [0.0] * 4


def test_counts_of_videos_are_pooled_and_edit_scores_averaged():
    right, wrong = frames((0, 5), (1, 5), (2, 5)), frames((0, 5))
    scores = score_segments([right, frames((1, 5))], [right, wrong])
    assert scores.segment_f1_10 == pytest.approx(100 * 6 / 8)
    assert scores.edit_score == pytest.approx(50.0)
    assert scores.num_examples == 2


def test_frames_that_do_not_count_belong_to_no_segment():
    true, predicted = frames((1, 6), (-1, 9), (2, 6)), frames((1, 6), (3, 9), (2, 6))
    masked = score_segments([predicted], [true], [true >= 0])
    assert [*f1_at_overlaps(masked), masked.edit_score] == [100.0] * 4
    # They cut a segment in two, on both sides alike.
    cut = score_segments([np.full(9, 1)], [np.full(9, 1)], [np.array([True] * 4 + [False] + [True] * 4)])
    assert cut.segment_f1_50 == 100.0
    assert "segments:2|" in cut.signature


def test_ten_thousand_segments_are_compared_in_a_moment():
    flicker = np.arange(10_000) % 2
    assert score_segments([flicker], [np.zeros(10_000, int)]).edit_score == pytest.approx(100 / 10_000)


def test_scores_are_one_json_object_of_plain_numbers():
    fields = json.loads(json.dumps(score_segments([np.array([1])], [np.array([1])]).to_dict()))
    assert list(fields) == [
        *("segment_f1_10", "segment_f1_25", "segment_f1_50", "edit_score", "num_examples", "signature")
    ]


@pytest.mark.parametrize(
    ("predicted", "true", "message"),
    [
        ([], [], "no videos"),
        ([np.zeros(3, int)], [], "1 videos of 0"),
        ([np.zeros(3, int), np.zeros(4, int)], [np.zeros(3, int), np.zeros(5, int)], "Video 2 has 4 .* 5 true"),
    ],
)
def test_what_cannot_be_compared_is_named(predicted, true, message):
    with pytest.raises(DataError, match=message):
        score_segments(predicted, true)
