"""The browser's camera, frame by frame, and gestures named once each."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ostinato.errors import InputError
from ostinato.frames.timeline import segment_fields
from ostinato.serving.errors import ServingError
from ostinato.serving.rest_body import BodyReader
from ostinato_serve.page import samples
from ostinato_serve.page.gesture_sessions import GestureSessions
from ostinato_serve.page.tab import Tab, Tools, answering
from ostinato_serve.page.uploads import form_of

if TYPE_CHECKING:
    from ostinato_gesture import GestureRecognizer, StepResult

_FRAME_BYTES, _FRAMES_BYTES, _FRAME_SECONDS = 2**20, 2**25, 5.0
_MAX_SIDE = 1920  # pixels of a frame; the page sends 320
_FORM_BYTES = 2**14


class GestureTab(Tab):
    """A camera, or a sample that moves as hands did before one."""

    key, title = "gestures", "Gestures"
    application = "ostinato_gesture"
    missing = "No model that recognises gestures is served here; start the server with the folder of one."

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self.sessions = GestureSessions()
        self._frames = BodyReader(_FRAME_BYTES, _FRAMES_BYTES, _FRAME_SECONDS)

    def models(self) -> list[str]:
        """Those that can be asked, read hands, and know what is no gesture."""
        return [name for name in super().models() if self._is_fit(self._recognizer(name))]

    def values(self) -> dict[str, Any]:
        recognizers = [(name, self._recognizer(name)) for name in self.models()]
        return {
            "models": [
                (name, [label for label in each.labels if label != each.none], each.frame_rate)
                for name, each in recognizers
            ],
            "samples": samples.files("gestures", ".npz").values(),
        }

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/gestures", answering(self._begin), methods=["POST"]),
            Route("/gestures/sample", answering(self._sample), methods=["POST"]),
            Route("/gestures/{session}", answering(self._step), methods=["POST"]),
            Route("/gestures/{session}/end", answering(self._end), methods=["POST"]),
        ]

    async def _begin(self, request: Request) -> Response:
        async with form_of(request, _FORM_BYTES, _FRAME_SECONDS) as form:
            model = self.chosen_model(form)
        session = await self.work.run(lambda: self.sessions.begin(self._recognizer(model)))
        return JSONResponse({"session": session})

    async def _step(self, request: Request) -> Response:
        seconds = _seconds(request.query_params.get("time", ""))
        async with self._frames.body(request) as body:
            return await self.work.run(self._answer, request.path_params["session"], body, seconds)

    def _answer(self, session: str, body: bytes, seconds: float) -> Response:
        frame = _frame(body)
        result = self.sessions.step(session, frame, seconds)
        height, width = frame.shape[:2]
        hands = [] if result.hands is None else result.hands.shares(width, height)
        return JSONResponse(_fields(result, hands))

    async def _end(self, request: Request) -> Response:
        await self.work.run(self.sessions.end, request.path_params["session"])
        return Response(status_code=204)

    async def _sample(self, request: Request) -> Response:
        async with form_of(request, _FORM_BYTES, _FRAME_SECONDS) as form:
            model, name = self.chosen_model(form), form.get("sample")
        sample = samples.files("gestures", ".npz").get(str(name))
        if sample is None:
            raise ServingError("NOT_FOUND", "there is no such sample; load the page again")
        return await self.work.run(self._play, model, sample)

    def _play(self, model: str, sample: samples.Sample) -> Response:
        """Every frame of a sample with what is seen in it, for the page to play at its own rate."""
        with np.load(sample.path) as arrays:
            landmarks, aspect = arrays["landmarks"].astype(np.float32), float(arrays["aspect"])
            frame_rate = float(arrays["frame_rate"])
        frames = []
        with self._recognizer(model).stream() as stream:
            for number, frame in enumerate(landmarks):
                result = stream.step(frame, number / frame_rate)
                hands = [joints / np.array((aspect, 1, 1), np.float32) for joints in frame if joints.any()]
                frames.append({"time": number / frame_rate, **_fields(result, hands)})
        return JSONResponse({"frames": frames, "aspect": aspect})

    def _recognizer(self, name: str) -> GestureRecognizer:
        from ostinato_gesture import GestureRecognizer

        recognizer: GestureRecognizer = self.applications.get(name, GestureRecognizer)
        return recognizer

    @staticmethod
    def _is_fit(recognizer: GestureRecognizer) -> bool:
        return recognizer.facts.reads_images and recognizer.none is not None


def _fields(result: StepResult, hands: list[np.ndarray]) -> dict[str, Any]:
    """What is seen in a frame: joints as shares of its width and height, the label, and the gesture that was made."""
    fields: dict[str, Any] = {
        "label": result.label,
        "confidence": round(result.confidence, 4),
        "hands": [[[round(float(x), 4), round(float(y), 4)] for x, y in joints[:, :2]] for joints in hands],
    }
    if result.event is not None:
        fields["event"] = segment_fields(result.event)
    return fields


def _frame(body: bytes) -> np.ndarray:
    """The pixels of a JPEG, uint8 [H, W, 3]; its size is looked at before it is decoded."""
    try:
        with Image.open(io.BytesIO(body), formats=("JPEG",)) as image:
            if max(image.size) > _MAX_SIDE:
                raise InputError(f"a frame may have {_MAX_SIDE} pixels a side; send smaller ones")
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError) as error:
        raise InputError("the frame is no JPEG that can be read") from error


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < 1e9:
        raise InputError("give the time of the frame in seconds, as in ?time=1.5")
    return seconds
