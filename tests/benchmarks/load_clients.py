"""Clients that cost little themselves: requests are written before the load, answers are read after it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import grpc.aio
import httpx
import numpy as np
import tensorflow as tf
from load_requests import Arrays, Request
from tensorflow_serving.apis import predict_pb2

from ostinato.export import rest
from ostinato.serving.tensor_protos import to_proto

_SECONDS = 120.0  # for an answer


@dataclass(frozen=True)
class Reply:
    """What came back.

    Attributes:
      request: the number of the question.
      seconds: from the question to this.
      code: OK, REFUSED, or another of whichever interface.
      retry_after: seconds that a server names which refuses; None where it names none.
      read: the outputs.
    """

    request: int
    seconds: float
    code: str
    retry_after: float | None
    read: Callable[[], Arrays]


class Client(Protocol):
    """A connection of its own."""

    async def ask(self, request: int) -> Reply: ...

    async def close(self) -> None: ...


class GrpcClient:
    """Asks by gRPC."""

    def __init__(self, target: str, bodies: Sequence[bytes]) -> None:
        # Channels share connections, unless told not to.
        self._channel = grpc.aio.insecure_channel(target, [("grpc.use_local_subchannel_pool", 1)])
        self._predict = self._channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        self._bodies = bodies

    async def ask(self, request: int) -> Reply:
        started = time.monotonic()
        try:
            answer = await self._predict(self._bodies[request], timeout=_SECONDS)
        except grpc.aio.AioRpcError as error:
            told = dict(error.trailing_metadata() or ()).get("grpc-retry-pushback-ms")
            retry_after = int(told) / 1000 if told else None
            code = "REFUSED" if error.code() is grpc.StatusCode.UNAVAILABLE else error.code().name
            return Reply(request, time.monotonic() - started, code, retry_after, dict)
        return Reply(request, time.monotonic() - started, "OK", None, lambda: _from_message(answer))

    async def close(self) -> None:
        await self._channel.close()


class RestClient:
    """Asks by REST."""

    def __init__(self, url: str, model: str, bodies: Sequence[bytes], outputs: Arrays) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=_SECONDS)
        self._path, self._bodies, self._outputs = f"/v1/models/{model}:predict", bodies, outputs

    async def ask(self, request: int) -> Reply:
        started = time.monotonic()
        try:
            response = await self._client.post(self._path, content=self._bodies[request])
        except httpx.TransportError as error:
            return Reply(request, time.monotonic() - started, type(error).__name__, None, dict)
        seconds = time.monotonic() - started
        told = response.headers.get("retry-after")
        code = {200: "OK", 503: "REFUSED"}.get(response.status_code, str(response.status_code))
        return Reply(request, seconds, code, float(told) if told else None, lambda: self._read(response))

    async def close(self) -> None:
        await self._client.aclose()

    def _read(self, response: httpx.Response) -> Arrays:
        outputs = response.json()["outputs"]
        columns = outputs if isinstance(outputs, dict) else {next(iter(self._outputs)): outputs}
        return {
            name: _bytes(columns[name]) if array.dtype == object else np.array(columns[name], array.dtype)
            for name, array in self._outputs.items()
        }


def grpc_bodies(model: str, requests: Sequence[Request]) -> list[bytes]:
    """The requests as messages."""
    bodies = []
    for request in requests:
        message = predict_pb2.PredictRequest()
        message.model_spec.name, message.model_spec.signature_name = model, request.signature
        for name, array in request.inputs.items():
            message.inputs[name].CopyFrom(to_proto(array))
        bodies.append(message.SerializeToString())
    return bodies


def rest_bodies(requests: Sequence[Request]) -> list[bytes]:
    """The requests as JSON, by columns; strings in base64."""
    return [
        json.dumps(
            rest.to_columns(each.signature, each.inputs, [name for name, a in each.inputs.items() if a.dtype == object])
        ).encode()
        for each in requests
    ]


def _from_message(body: bytes) -> Arrays:
    message = predict_pb2.PredictResponse.FromString(body)
    return {name: tf.make_ndarray(tensor) for name, tensor in message.outputs.items()}


def _bytes(texts: list[object]) -> np.ndarray:
    array = np.array(texts, object)
    return np.frompyfunc(lambda text: text.encode(), 1, 1)(array)
