"""Labels of videos for a Python user: videos in, timelines out, by an exported model."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ostinato.errors import InputError
from ostinato.export import load_model
from ostinato.serving.served_model import served_model
from ostinato_video.config import TimelineConfig
from ostinato_video.results import FrameResult, VideoResult
from ostinato_video.timeline import confident_label, segments_of
from ostinato_video.video_stream import VideoStream, checked_image

if TYPE_CHECKING:
    from ostinato.export import Model, StreamingSession
    from ostinato.frames.reading import Frame, VideoReader
    from ostinato_video.reading import Chunk

    Video = str | Path | np.ndarray | Iterable[np.ndarray | Frame]
    OnSeconds = Callable[[float], object]

__all__ = ["SHIPPED_MODEL", "FrameResult", "VideoClassifier", "VideoResult"]

SHIPPED_MODEL = "video_activities"


class VideoClassifier:
    """Labels videos with an exported model. Nothing but TensorFlow runs: no Keras, no training code.

        classifier = VideoClassifier.load()
        result = classifier.classify("kitchen.mp4")
        print(result.label, result.confidence)
        for segment in result.segments:
            print(segment.start, segment.end, segment.label)

    Args:
      model: what `ostinato.export.load_model` or `ostinato.serving.served_model` returned.
    """

    def __init__(self, model: Model):
        self.model = model

    @classmethod
    def load(cls, model: str | Path | None = None, *, server: str | None = None) -> VideoClassifier:
        """Loads an exported folder (with or without its version) or a shipped model by name; else the first that ships.

        Args:
          model: what is loaded.
          server: address of a server that computes instead, see `ostinato.serving.served_model`; of the model's folder
            here only its facts are read.

        Raises:
          ModelError: there is no such model, it is damaged, or it labels no videos.
          ServerError: the address is none.
        """
        name = SHIPPED_MODEL if model is None else model
        loaded = load_model(name) if server is None else served_model(name, server)
        loaded.check_application("ostinato_video", "labels of videos")
        loaded.check_settings(TimelineConfig)
        return cls(loaded)

    @property
    def labels(self) -> tuple[str, ...]:
        """What the model tells apart, in the order of all scores."""
        return tuple(self.model.metadata["labels"])

    @property
    def background(self) -> str | None:
        """Label of frames in which nothing of interest happens, None where the model has none."""
        return self.model.metadata["background"]

    @property
    def frame_rate(self) -> float:
        """Frames/s that the model has learned from and reads videos at."""
        return float(self.model.metadata["frame_rate"])

    @property
    def image_size(self) -> int:
        """Pixels of the square that the model sees; frames of that size need no resizing."""
        return int(self.model.metadata["image_size"])

    @property
    def timeline(self) -> TimelineConfig:
        """The settings of timelines that the model was exported with."""
        return TimelineConfig(**self.model.metadata["decoding"])

    def classify(
        self, video: Video, timeline: TimelineConfig | None = None, *, on_seconds: OnSeconds | None = None
    ) -> VideoResult:
        """Labels a video, each of its frames, and the stretches of them.

        Hours of video take the memory of a few frames, besides the scores of each.

        Args:
          video: a path; or frames at the model's frame rate: uint8 [F, H, W, 3], RGB, or an iterator of images or
            `Frame` objects, whose own times are kept.
          timeline: how to make the timeline; the model's own settings if not given.
          on_seconds: is called with the time up to which the video has been read.

        Raises:
          InputError: the video cannot be read, or has no frames. `classify_each` goes on with the others.
        """
        times, numbers, frame_scores, scores = [], [], [], np.zeros(0)
        session = self._session()
        with self._opened(video) as frames, contextlib.closing(self._chunks(frames)) as chunks:
            for chunk in chunks:
                outputs = session.step(chunk.images[np.newaxis])
                times.append(chunk.times)
                numbers.append(chunk.numbers)
                frame_scores.append(outputs["frame_scores"][0])
                scores = outputs["scores"][0]
                if on_seconds is not None:
                    on_seconds(float(chunk.times[-1]))
            damage = getattr(frames, "damage", None)
        if not times:
            raise InputError("there are no frames to look at; give one or more")
        arrays = (np.concatenate(times), np.concatenate(numbers), np.concatenate(frame_scores))
        return self._result(scores, *arrays, timeline or self.timeline, damage)

    def classify_each(
        self,
        videos: Iterable[Video | InputError],
        timeline: TimelineConfig | None = None,
        *,
        on_seconds: OnSeconds | None = None,
    ) -> Iterator[tuple[Video | InputError, VideoResult | InputError]]:
        """Yields each video with what happens in it, or with what is wrong with it, in order.

        Arguments as in `classify`, `on_seconds` with the time over all videos; an error that stands in the place of a
        video is passed on.
        """
        before = 0.0
        for video in videos:
            if isinstance(video, InputError):
                yield video, video
                continue
            try:
                result = self.classify(video, timeline, on_seconds=_after(before, on_seconds))
            except InputError as error:
                yield video, error
                continue
            before += result.duration
            yield video, result

    def stream(self, timeline: TimelineConfig | None = None) -> VideoStream:
        """Returns what labels a video frame by frame while it comes, from its first frame."""
        return VideoStream(self.model, self.labels, timeline or self.timeline)

    def _result(
        self,
        scores: np.ndarray,
        times: np.ndarray,
        numbers: np.ndarray,
        frame_scores: np.ndarray,
        timeline: TimelineConfig,
        damage: str | None,
    ) -> VideoResult:
        best = int(scores.argmax())
        confidence = float(scores[best])
        segments = segments_of(
            frame_scores,
            times,
            self.labels,
            frame_rate=self.frame_rate,
            config=timeline,
            background=self.background,
        )
        return VideoResult(
            labels=self.labels,
            label=confident_label(self.labels[best], confidence, timeline),
            confidence=confidence,
            scores=scores,
            segments=segments,
            times=times,
            frame_numbers=numbers,
            frame_scores=frame_scores,
            frame_rate=self.frame_rate,
            damage=damage,
            background=self.background,
        )

    def _session(self) -> StreamingSession:
        from ostinato.export import StreamingSession

        return StreamingSession(self.model, "steps")

    def _chunks(self, frames: Iterable[Frame]) -> Generator[Chunk, None, None]:
        from ostinato_video.reading import chunks_of

        return chunks_of(frames, self.model.call_size)

    def _opened(self, video: Video) -> contextlib.AbstractContextManager[VideoReader | Iterator[Frame]]:
        from ostinato_video.reading import open_video

        if isinstance(video, str | Path):
            return open_video(video, self.frame_rate)
        return contextlib.nullcontext(self._frames(video))

    def _frames(self, images: Iterable[np.ndarray | Frame]) -> Iterator[Frame]:
        from ostinato.frames.reading import Frame

        for number, image in enumerate(images):
            frame = image if isinstance(image, Frame) else Frame(image, number / self.frame_rate, number)
            checked_image(frame.image)
            yield frame


def _after(before: float, on_seconds: OnSeconds | None) -> OnSeconds | None:
    """Returns a function that adds the time of the videos before."""
    return None if on_seconds is None else lambda seconds: on_seconds(before + seconds)
