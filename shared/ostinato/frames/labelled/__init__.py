"""Labelled videos in the layouts that people keep them in, whatever is learnt from them."""

from ostinato.frames.labelled.examples import VideoExample, VideoSegment
from ostinato.frames.labelled.labelling import check_segments, frame_numbers, label_order
from ostinato.frames.labelled.layouts import LAYOUTS, check_videos, detect_layout, read_layout, select_split
from ostinato.frames.labelled.splits import with_splits

__all__ = [
    "LAYOUTS",
    "VideoExample",
    "VideoSegment",
    "check_segments",
    "check_videos",
    "detect_layout",
    "frame_numbers",
    "label_order",
    "read_layout",
    "select_split",
    "with_splits",
]
