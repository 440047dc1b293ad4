"""A video in, its timeline out."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from ostinato.errors import InputError
from ostinato.frames.timeline import WRITERS, Segment
from ostinato.frames.timeline_plan import short_time
from ostinato_serve.page import samples
from ostinato_serve.page.rendering import data_url, page
from ostinato_serve.page.tab import Tab, Tools, answering
from ostinato_serve.page.uploads import file_field, form_of, shown_name, text_field, video_file
from ostinato_serve.page.work import Work

if TYPE_CHECKING:
    from ostinato_video import VideoClassifier, VideoResult

_DOWNLOADS = {"vtt": ("Subtitles", "text/vtt"), "csv": ("Table", "text/csv")}


class VideoTab(Tab):
    """Videos, dropped, chosen or sampled."""

    key, title = "videos", "Video"
    application = "ostinato_video"
    missing = "No model that labels videos is served here; start the server with the folder of one."

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        # Apart from all else: minutes of video must not hold up a photo or a camera.
        self._videos = Work(num_threads=2, max_waiting=4)

    def values(self) -> dict[str, Any]:
        return {
            "models": [(name, self._classifier(name).labels) for name in self.models()],
            "samples": samples.files("videos", ".mp4").values(),
            "max_mb": self.limits.max_video_mb,
            "max_minutes": self.limits.max_video_minutes,
        }

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/videos", answering(self._label), methods=["POST"]),
            Route("/videos/samples/{name}", answering(self._sample), methods=["GET"]),
        ]

    async def _sample(self, request: Request) -> Response:
        sample = samples.files("videos", ".mp4").get(request.path_params["name"])
        return Response(status_code=404) if sample is None else FileResponse(sample.path, media_type="video/mp4")

    async def _label(self, request: Request) -> Response:
        max_bytes = int(self.limits.max_video_mb * 2**20)
        async with form_of(request, max_bytes, self.limits.upload_seconds) as form:
            model, file = self.chosen_model(form), file_field(form, "video")
            sample = samples.files("videos", ".mp4").get(text_field(form, "sample"))
            is_gone = threading.Event()
            watching = asyncio.ensure_future(_watch(request, is_gone))
            try:
                if sample is not None:
                    return await self._videos.run(self._answer, model, sample.path, sample.description, is_gone)
                if file is None:
                    raise InputError("choose a video first")
                name = shown_name(file.filename)
                return await self._videos.run(self._answer_upload, model, file.file, name, is_gone)
            finally:
                watching.cancel()

    def _answer_upload(self, model: str, content: BinaryIO, name: str, is_gone: threading.Event) -> Response:
        with video_file(content, name) as path:
            try:
                return self._answer(model, path, name, is_gone)
            except InputError as error:
                raise InputError(str(error).replace(str(path), name)) from error

    def _answer(self, model: str, path: Path, name: str, is_gone: threading.Event) -> Response:
        from ostinato_video.plotting import write_plot

        classifier = self._classifier(model)
        longest = 60 * self.limits.max_video_minutes

        def check(seconds: float) -> None:
            if is_gone.is_set():
                raise ClientDisconnect
            if seconds > longest:
                raise InputError(
                    f"{name} is longer than {self.limits.max_video_minutes:g} minutes; cut it, or label it on the "
                    "command line by `ostinato-video predict`"
                )

        result = classifier.classify(path, on_seconds=check)
        with tempfile.TemporaryDirectory(prefix="ostinato-page-") as folder:
            picture = Path(folder) / "timeline.png"
            write_plot(picture, path, result)
            drawn = data_url(picture.read_bytes(), "image/png")
        return page(
            "videos_result.html",
            name=name,
            model=model,
            result=result,
            damage=(result.damage or "").replace(str(path), name),
            segments=[_shown(segment) for segment in result.segments],
            picture=drawn,
            downloads=_downloads(result),
        )

    def _classifier(self, name: str) -> VideoClassifier:
        from ostinato_video import VideoClassifier

        classifier: VideoClassifier = self.applications.get(name, VideoClassifier)
        return classifier


async def _watch(request: Request, is_gone: threading.Event) -> None:
    """Notices when the browser goes away: nobody waits for the rest of a long video."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    is_gone.set()


def _shown(segment: Segment) -> dict[str, Any]:
    return {
        "start": segment.start,
        "from": short_time(segment.start, with_tenths=True),
        "to": short_time(segment.end, with_tenths=True),
        "end": segment.end,
        "label": segment.label,
        "confidence": segment.confidence,
    }


def _downloads(result: VideoResult) -> list[dict[str, str]]:
    return [
        {
            "title": title,
            "name": f"timeline.{kind}",
            "url": data_url(WRITERS[kind](result.segments).encode(), media_type),
        }
        for kind, (title, media_type) in _DOWNLOADS.items()
    ]
