"""A picture of what happens in a video: timeline, scores of frames, key frames."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from ostinato.errors import InputError
from ostinato.files import write_atomically
from ostinato.frames.key_times import key_times
from ostinato.frames.reading import Frame, VideoReader
from ostinato.frames.timeline_picture import timeline_picture
from ostinato_video.results import VideoResult

_KEY_FRAME_SIDE = 320  # pixels


def write_plot(path: Path, video: Path, result: VideoResult) -> None:
    """Draws the timeline of a video into a PNG.

    Args:
      path: the picture; it appears when it is complete.
      video: where the key frames are read from.
      result: what was found in it.

    Raises:
      InputError: the video cannot be read any more.
    """
    picture = timeline_picture(
        result.segments,
        result.duration,
        labels=result.labels,
        title=video.name,
        subtitle=f"{result.label} ({result.confidence:.0%})",
        frame_times=result.times,
        frame_scores=result.frame_scores,
        key_frames=_frames_at(video, key_times(result.segments, result.duration)),
    )
    content = io.BytesIO()
    picture.save(content, "PNG")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content.getvalue())


def _frames_at(video: Path, times: Sequence[float]) -> list[Frame]:
    """Returns the frame at each of these times, ascending; fewer where it ends before or cannot be sought in."""
    frames: list[Frame] = []
    with VideoReader(video, max_side=_KEY_FRAME_SIDE) as reader:
        for time in times:
            try:
                reader.seek(time)
            except InputError:  # a picture with fewer key frames is better than none
                continue
            frame = next(iter(reader), None)
            if frame is not None:
                frames.append(frame)
    return frames
