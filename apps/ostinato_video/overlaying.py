"""A video with what happens in it burnt into its frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2

from ostinato.frames.overlay import Overlay
from ostinato.frames.reading import VideoReader
from ostinato.frames.video_writer import VideoWriter
from ostinato_video.results import VideoResult


def write_overlay(
    path: Path,
    video: str | Path,
    result: VideoResult,
    *,
    on_seconds: Callable[[float], object] | None = None,
) -> None:
    """Writes an MP4 video with the label, the confidence and its curve on every frame, in the memory of a few frames.

    It has the size and the mean frame rate of the video. Where that rate varies, frames are repeated or dropped, so
    that everything keeps its time.

    Args:
      path: of the video to write, ending in `.mp4`.
      video: path of the video that was looked at.
      result: what was found in it.
      on_seconds: is called with the time up to which it has been written.

    Raises:
      InputError: the video cannot be read any more.
      UserError: the file cannot be written.
    """
    with VideoReader(video) as reader:
        frame_rate = reader.frame_rate
    overlay = Overlay(result.labels)
    clip = [f"clip: {result.label} {100 * result.confidence:.0f} %"]
    with (
        VideoReader(video, frame_rate=frame_rate) as frames,
        VideoWriter(path, frame_rate=frame_rate, size=frames.size) as writer,
    ):
        for frame in frames:
            image = frame.image
            if image.shape[1::-1] != frames.size:  # some streams change their size
                image = cv2.resize(image, frames.size, interpolation=cv2.INTER_AREA)
            label, confidence = result.at(frame.time)
            writer.write(overlay.draw(image, frame.time, label, confidence, lines=clip))
            if on_seconds is not None:
                on_seconds(frame.time)
