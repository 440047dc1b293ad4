from types import SimpleNamespace

import numpy as np
import pytest

from ostinato.frames.colours import label_colours
from ostinato.frames.timeline import Segment
from ostinato.frames.timeline_picture import timeline_picture
from ostinato.frames.timeline_plan import TimelinePlan, short_time

LABELS = ["background", "walk", "sit"]
SEGMENTS = [Segment(0, 30, "walk", 1.0), Segment(40, 90, "sit", 1.0)]


def key_frame(time, height=30, width=50):
    return SimpleNamespace(image=np.full((height, width, 3), (10, 250, 10), np.uint8), time=time, number=0)


def pixels(picture, colour):
    """Returns rows and columns of a colour."""
    return np.nonzero((np.asarray(picture) == colour).all(axis=-1))


def test_the_lane_shows_each_segment_where_it_is_in_its_colour():
    colours = label_colours(LABELS)
    picture = timeline_picture(SEGMENTS, 100, labels=LABELS)
    plan = TimelinePlan(100, [("walk", 30.0)], False, [])
    lane = picture.crop((0, plan.lane_top, picture.width, plan.lane_bottom))
    for segment in SEGMENTS:
        _, columns = pixels(lane, colours[segment.label])
        assert columns.min() == pytest.approx(plan.column(segment.start), abs=2)
        assert columns.max() == pytest.approx(plan.column(segment.end), abs=3)


def test_a_segment_is_paler_where_the_network_was_less_sure():
    picture = timeline_picture([Segment(0, 50, "walk", 0.2), Segment(50, 100, "walk", 0.9)], 100, labels=LABELS)
    row = TimelinePlan(100, [("walk", 100.0)], False, []).lane_top + 4
    assert np.asarray(picture)[row, 300].sum() > np.asarray(picture)[row, 1200].sum() + 60


def test_scores_add_curves_and_key_frames_a_row_of_pictures():
    times, scores = np.arange(7.0), np.random.default_rng(1).dirichlet(np.ones(3), 7)
    plain = timeline_picture(SEGMENTS, 90, labels=LABELS)
    curves = timeline_picture(SEGMENTS, 90, labels=LABELS, frame_times=times, frame_scores=scores)
    frames = timeline_picture(
        SEGMENTS, 90, labels=LABELS, frame_times=times, frame_scores=scores, key_frames=[key_frame(5), key_frame(60)]
    )
    assert plain.height < curves.height < frames.height
    assert len({plain.width, curves.width, frames.width}) == 1
    assert len(pixels(curves, (10, 250, 10))[0]) == 0
    assert pixels(frames, (10, 250, 10))[0].min() > curves.height - 60


def test_a_peak_of_one_frame_among_hours_of_them_is_not_lost():
    times = np.arange(200_000) / 25
    scores = np.tile([0.9, 0.1, 0.0], (len(times), 1))
    scores[123_457] = (0.0, 0.0, 1.0)
    calm = timeline_picture([], times[-1], labels=LABELS, frame_times=times, frame_scores=scores)
    sit = label_colours(LABELS)["sit"]
    near = (np.abs(np.asarray(calm).astype(int) - sit).max(axis=-1) < 40)[200:]
    assert near.sum() > 100


def test_of_many_labels_those_that_lead_are_drawn():
    labels = [f"label {number}" for number in range(101)]
    scores = np.full((50, 101), 0.25 / 101)
    scores[:25, 7] = scores[25:, 99] = 0.75
    few = timeline_picture([], 5, labels=labels, frame_times=np.arange(50) / 10, frame_scores=scores)
    colours = label_colours(labels)
    assert len(pixels(few, colours["label 7"])[0]) > 100
    assert len(pixels(few, colours["label 99"])[0]) > 100
    assert len(pixels(few, colours["label 50"])[0]) == 0


@pytest.mark.parametrize("duration", [0.0, 0.04, 11.0, 4000.0, 400_000.0])
def test_any_duration_has_an_axis_that_can_be_read(duration):
    picture = timeline_picture(
        [Segment(0, duration, "walk", 0.5)],
        duration,
        labels=LABELS,
        title="größe.mp4 " * 40,
        frame_times=np.zeros(1),
        frame_scores=np.full((1, 3), 1 / 3),
        key_frames=[key_frame(0, 400, 3)],
    )
    assert picture.height < 1200
    ticks = TimelinePlan(max(duration, 1e-3), [], True, []).ticks()
    assert 1 <= len(ticks) <= 15
    assert ticks[-1][0] <= max(duration, 1e-3)
    assert len({written for _, written in ticks}) == len(ticks)


def test_an_empty_timeline_has_a_picture_too():
    assert timeline_picture([], 10, labels=LABELS).height > 100
    assert timeline_picture([], 10, labels=[], frame_times=np.zeros(0), frame_scores=np.zeros((0, 0))).height > 100


def test_scores_of_other_labels_are_refused():
    with pytest.raises(ValueError, match="scores of 4 labels, but 3 labels"):
        timeline_picture([], 1, labels=LABELS, frame_times=np.zeros(2), frame_scores=np.zeros((2, 4)))


@pytest.mark.parametrize(
    ("seconds", "tenths", "written"),
    [(65.2, False, "1:05"), (65.25, True, "1:05.2"), (3605, False, "1:00:05"), (59.97, True, "1:00.0")],
)
def test_short_times_leave_out_hours_where_there_are_none(seconds, tenths, written):
    assert short_time(seconds, tenths) == written
