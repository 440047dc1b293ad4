"""A picture of a timeline: what happens when, how sure the network was at each frame, and how it looked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from ostinato.font import cut_text, load_font
from ostinato.frames.colours import Colour, ink_on, label_colours, mix
from ostinato.frames.timeline import Segment
from ostinato.frames.timeline_plan import (
    LEGEND_CHIP,
    LEGEND_FONT,
    LEGEND_SPACE,
    MARGIN,
    WIDTH,
    TimelinePlan,
    short_time,
)

if TYPE_CHECKING:
    from ostinato.frames.reading import Frame

_WHITE: Colour = (255, 255, 255)
_INK: Colour = (24, 24, 27)
_SOFT: Colour = (113, 113, 122)
_GRID: Colour = (228, 228, 231)
_LANE: Colour = (244, 244, 245)
_MOST_CURVES = 9  # as many as there are colours that differ well
_LEAST_SCORE = 0.2  # a label whose score never rises above it has no curve
_FINER = 3  # shapes are drawn so many times larger and then made smaller, since Pillow's have ragged edges


def timeline_picture(
    segments: Sequence[Segment],
    duration: float,
    *,
    labels: Sequence[str],
    title: str = "",
    subtitle: str = "",
    frame_times: np.ndarray | None = None,
    frame_scores: np.ndarray | None = None,
    key_frames: Sequence[Frame] = (),
) -> Image.Image:
    """Draws a lane of coloured segments, curves of the frames' scores below it, and key frames beneath.

    Args:
      segments: of the video, in any order.
      duration: of the video in seconds.
      labels: in their order, which gives each its colour.
      title: the line above, such as the video's name.
      subtitle: a smaller line, such as the label of the whole clip.
      frame_times: float [F], seconds, ascending; with `frame_scores`.
      frame_scores: float [F, len(labels)], from 0 to 1. Of many labels, those that lead most are drawn.
      key_frames: in the order of their times; see `key_times`.

    Returns:
      An RGB picture, 1600 pixels wide.
    """
    duration = max(duration, max((segment.end for segment in segments), default=0.0), 1e-3)
    colours = label_colours([*labels, *(segment.label for segment in segments)])
    curves = _chosen_curves(labels, frame_scores)
    plan = TimelinePlan(duration, _totals(segments, curves, colours), bool(curves), key_frames)

    shapes = Image.new("RGB", (_FINER * WIDTH, _FINER * plan.height), _WHITE)
    draw = ImageDraw.Draw(shapes, "RGBA")
    _draw_grid(draw, plan)
    _draw_lane(draw, plan, segments, colours)
    if frame_times is not None and frame_scores is not None:
        for label, column in curves.items():
            _draw_curve(draw, plan, np.asarray(frame_times), frame_scores[:, column], colours[label])
    for number, frame in enumerate(key_frames):
        _draw_leader(draw, plan, number, frame.time, _colour_at(frame.time, segments, colours))
    for entry in plan.legend:
        box = (entry.column, entry.row, entry.column + LEGEND_CHIP, entry.row + LEGEND_CHIP)
        draw.rounded_rectangle(_finer(*box), 4 * _FINER, colours[entry.label])
    picture = shapes.reduce(_FINER)

    draw = ImageDraw.Draw(picture)
    _write_heading(draw, title, subtitle)
    _write_legend(draw, plan)
    _write_axes(draw, plan)
    _write_segments(draw, plan, segments, colours)
    for number, frame in enumerate(key_frames):
        _paste_key_frame(picture, plan, number, frame, segments, colours)
    return picture


def _chosen_curves(labels: Sequence[str], frame_scores: np.ndarray | None) -> dict[str, int]:
    """Returns the labels that are drawn as curves, and their columns: those that lead in most frames."""
    if frame_scores is None or not frame_scores.size:
        return {}
    if frame_scores.shape[1] != len(labels):
        raise ValueError(f"There are scores of {frame_scores.shape[1]} labels, but {len(labels)} labels.")
    highest = frame_scores.max(axis=0)
    led = np.bincount(frame_scores.argmax(axis=1), minlength=len(labels))
    order = [column for column in np.lexsort((-highest, -led)) if highest[column] > _LEAST_SCORE]
    return {labels[column]: int(column) for column in sorted(order[:_MOST_CURVES])}


def _totals(
    segments: Sequence[Segment], curves: Mapping[str, int], colours: Mapping[str, Colour]
) -> list[tuple[str, float | None]]:
    """Returns each label that is shown, and its seconds in all."""
    seconds: dict[str, float] = {}
    for segment in segments:
        seconds[segment.label] = seconds.get(segment.label, 0.0) + segment.duration
    return [(label, seconds.get(label)) for label in colours if label in seconds or label in curves]


def _finer(*places: float) -> tuple[float, ...]:
    return tuple(_FINER * place for place in places)


def _draw_grid(draw: ImageDraw.ImageDraw, plan: TimelinePlan) -> None:
    draw.rounded_rectangle(_finer(plan.left, plan.lane_top, plan.right, plan.lane_bottom), 8 * _FINER, _LANE)
    for time, _ in plan.ticks():
        column = plan.column(time)
        draw.line(_finer(column, plan.curves_top, column, plan.curves_bottom + 6), _GRID, _FINER)
    for score in (0, 0.5, 1) if plan.has_curves else ():
        draw.line(_finer(plan.left, plan.row(score), plan.right, plan.row(score)), _GRID, _FINER)


def _draw_lane(
    draw: ImageDraw.ImageDraw, plan: TimelinePlan, segments: Sequence[Segment], colours: Mapping[str, Colour]
) -> None:
    for segment in segments:
        left, right = plan.column(segment.start), plan.column(segment.end)
        right = max(right - 1, left + 1)  # a hair between neighbours; what is short is still seen
        box = _finer(left, plan.lane_top, right, plan.lane_bottom)
        draw.rounded_rectangle(box, _FINER * min(8.0, (right - left) / 2), _segment_colour(segment, colours))


def _segment_colour(segment: Segment, colours: Mapping[str, Colour]) -> Colour:
    """Returns a label's colour, paler where the network was less sure."""
    return mix(colours[segment.label], _WHITE, 0.6 * (1 - min(1.0, max(0.0, segment.confidence))))


def _colour_at(time: float, segments: Sequence[Segment], colours: Mapping[str, Colour]) -> Colour:
    return next((colours[segment.label] for segment in segments if segment.start <= time < segment.end), _GRID)


def _draw_curve(
    draw: ImageDraw.ImageDraw, plan: TimelinePlan, times: np.ndarray, scores: np.ndarray, colour: Colour
) -> None:
    # Hours have more frames than the picture columns: of each column the highest is drawn, so that no peak is lost.
    columns = np.round([plan.column(float(time)) for time in times])
    places, firsts = np.unique(columns, return_index=True)
    highest = np.maximum.reduceat(np.clip(scores, 0, 1), firsts)
    points = [_finer(column, plan.row(score)) for column, score in zip(places, highest, strict=True)]
    if len(points) == 1:  # a video of one frame
        points = [(_FINER * edge, points[0][1]) for edge in (plan.left, plan.right)]
    floor = _FINER * plan.curves_bottom
    draw.polygon([(points[0][0], floor), *points, (points[-1][0], floor)], (*colour, 30))
    draw.line(points, (*colour, 255), 2 * _FINER, joint="curve")


def _draw_leader(draw: ImageDraw.ImageDraw, plan: TimelinePlan, number: int, time: float, colour: Colour) -> None:
    """Draws a line from the moment of a key frame down to it."""
    start, end = plan.column(time), plan.key_frame_left(number) + plan.key_frame_width / 2
    top, bottom = plan.axis_bottom, plan.key_frames_top
    shares = np.linspace(0, 1, 33)
    eased = shares**2 * (3 - 2 * shares)
    path = [
        _finer(start + (end - start) * ease, top + (bottom - top) * share)
        for share, ease in zip(shares, eased, strict=True)
    ]
    draw.line(path, colour, 2 * _FINER, joint="curve")
    draw.ellipse(_finer(start - 4, top - 4, start + 4, top + 4), colour)


def _write_heading(draw: ImageDraw.ImageDraw, title: str, subtitle: str) -> None:
    for text, row, size, colour in ((title, 58, 28, _INK), (subtitle, 86, 17, _SOFT)):
        font = load_font(size)
        draw.text((MARGIN, row), cut_text(text, WIDTH - 2 * MARGIN, font), colour, font, anchor="ls")


def _write_legend(draw: ImageDraw.ImageDraw, plan: TimelinePlan) -> None:
    font = load_font(LEGEND_FONT)
    for entry in plan.legend:
        column, row = entry.column + LEGEND_CHIP + LEGEND_SPACE, entry.row + LEGEND_CHIP - 1
        draw.text((column, row), entry.name, _INK, font, anchor="ls")
        column += round(font.getlength(entry.name)) + LEGEND_SPACE
        draw.text((column, row), entry.total, _SOFT, font, anchor="ls")


def _write_axes(draw: ImageDraw.ImageDraw, plan: TimelinePlan) -> None:
    font = load_font(14)
    for time, written in plan.ticks():
        draw.text((plan.column(time), plan.curves_bottom + 12), written, _SOFT, font, anchor="mt")
    for score in (0, 0.5, 1) if plan.has_curves else ():
        draw.text((plan.left - 10, plan.row(score)), f"{100 * score:.0f} %", _SOFT, font, anchor="rm")


def _write_segments(
    draw: ImageDraw.ImageDraw, plan: TimelinePlan, segments: Sequence[Segment], colours: Mapping[str, Colour]
) -> None:
    """Writes into each segment its label, where there is room for it, and how sure the network was."""
    large, small = load_font(16), load_font(13)
    middle = (plan.lane_top + plan.lane_bottom) / 2
    for segment in segments:
        left, right = plan.column(segment.start), plan.column(segment.end)
        label, sure = " ".join(segment.label.split()), f"{100 * segment.confidence:.0f} %"
        ink = ink_on(_segment_colour(segment, colours))
        if large.getlength(label) + 12 <= right - left:
            draw.text(((left + right) / 2, middle - 9), label, ink, large, anchor="mm")
            draw.text(((left + right) / 2, middle + 12), sure, ink, small, anchor="mm")


def _paste_key_frame(
    picture: Image.Image,
    plan: TimelinePlan,
    number: int,
    frame: Frame,
    segments: Sequence[Segment],
    colours: Mapping[str, Colour],
) -> None:
    width, height = plan.key_frame_width, plan.key_frame_height
    left, top = plan.key_frame_left(number), plan.key_frames_top
    small = ImageOps.contain(Image.fromarray(frame.image), (width, height), Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((left, top, left + width - 1, top + height - 1), _LANE)
    picture.paste(small, (left + (width - small.width) // 2, top + (height - small.height) // 2))
    draw.rectangle((left, top, left + width - 1, top + 3), _colour_at(frame.time, segments, colours))
    label = next((segment.label for segment in segments if segment.start <= frame.time < segment.end), "")
    font = load_font(15)
    name = cut_text(" ".join(label.split()), width, font)
    draw.text((left, top + height + 20), name, _INK, font, anchor="ls")
    time = short_time(frame.time, with_tenths=True)
    draw.text((left, top + height + (40 if name else 20)), time, _SOFT, load_font(13), anchor="ls")
