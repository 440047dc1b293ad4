import numpy as np
import pytest

from ostinato.errors import DataError
from ostinato.frames.labelled.examples import VideoExample, VideoSegment
from ostinato.frames.labelled.labelling import frame_numbers, label_order

LABELS = ("background", "nod", "wave")
TIMES = np.arange(7) / 2  # 0 to 3 seconds
NUMBERS = np.arange(7) * 5  # of a file of 10 frames/s


def video(*segments):
    return VideoExample("a.mp4", "a", "train", segments=segments)


def clip(label):
    return VideoExample("b.mp4", "b", "train", label=label)


def numbers_of(example, numbers=NUMBERS, labels=LABELS):
    return frame_numbers(example, TIMES, numbers, labels, background="background").tolist()


def test_background_comes_first_and_the_others_by_name():
    examples = [video(VideoSegment(0, 1, "wave"), VideoSegment(1, 2, "aim"))]
    assert label_order(examples, background="background") == ("background", "aim", "wave")
    assert label_order(examples, background=None) == ("aim", "wave")


def test_clips_have_no_background_unless_some_are_called_so():
    assert label_order([clip("wave"), clip("aim")], background="background") == ("aim", "wave")
    assert label_order([clip("wave"), clip("aim"), clip("background")], background="background")[0] == "background"


def test_one_label_alone_is_refused():
    with pytest.raises(DataError, match=r"1 labels \(wave\)"):
        label_order([clip("wave"), clip("wave")], background="background")
    with pytest.raises(DataError, match="0 labels"):
        label_order([video()], background=None)


def test_a_frame_has_the_label_of_the_segment_it_lies_in_and_ends_are_exclusive():
    example = video(VideoSegment(0.5, 1.5, "nod"), VideoSegment(1.5, 2.1, "wave"))
    assert numbers_of(example) == [0, 1, 1, 2, 2, 0, 0]


def test_frames_are_counted_in_the_file_whatever_rate_is_read():
    example = video(VideoSegment(5, 15, "nod", "frames"), VideoSegment(15, 21, "wave", "frames"))
    assert numbers_of(example) == [0, 1, 1, 2, 2, 0, 0]
    assert numbers_of(example, NUMBERS // 5) == [
        0,
        0,
        0,
        0,
        0,
        1,
        1,
    ]


def test_of_segments_that_overlap_the_later_one_counts():
    example = video(VideoSegment(0.0, 2.0, "nod"), VideoSegment(1.0, 3.0, "wave"))
    assert numbers_of(example) == [1, 1, 2, 2, 2, 2, 0]


def test_without_background_frames_in_no_segment_count_neither_way():
    example = video(VideoSegment(0.5, 1.5, "nod"))
    assert numbers_of(example, labels=("nod", "wave")) == [
        -1,
        0,
        0,
        -1,
        -1,
        -1,
        -1,
    ]
