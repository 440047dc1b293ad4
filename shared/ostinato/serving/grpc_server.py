"""The gRPC interface of TensorFlow Serving over a `ModelServer`, by the official service definitions."""

from __future__ import annotations

import asyncio
import hmac
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from ostinato.errors import UserError
from ostinato.serving.grpc_services import ModelService, PredictionService
from ostinato.serving.model_server import ModelServer

MAX_MESSAGE_BYTES = 64 * 2**20
MAX_CONCURRENT_CALLS = 512  # more than may wait for a signature, whose refusals say when to come back


class GrpcServer:
    """A running server, in a thread of its own; `serve_grpc` starts it.

    Attributes:
      port: where it listens.
    """

    def __init__(self, start: Callable[[], Awaitable[tuple[grpc.aio.Server, int]]]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="grpc", daemon=True)
        self._thread.start()
        try:
            self._server, self.port = self._run(start())
        except BaseException:
            self._end()
            raise

    def stop(self, grace: float = 30.0) -> None:
        """Takes no calls any more, finishes those that were begun within some seconds, and cancels the rest."""
        if self._thread.is_alive():
            self._run(self._server.stop(grace))
            self._end()

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def serve_grpc(
    model_server: ModelServer,
    host: str,
    port: int,
    token: str | None = None,
    *,
    max_message_bytes: int = MAX_MESSAGE_BYTES,
    max_concurrent_calls: int = MAX_CONCURRENT_CALLS,
) -> GrpcServer:
    """Serves models by gRPC until it is stopped: PredictionService (Predict, GetModelMetadata) and ModelService.

    A call whose deadline is over, or whose caller has gone, is taken out of the queue.

    Args:
      model_server: started; it is not stopped with this.
      host: address to listen at, such as 127.0.0.1.
      port: 0 for any that is free.
      token: calls must bring it as metadata, `authorization: Bearer TOKEN`.
      max_message_bytes: of a request, and of each tensor in it.
      max_concurrent_calls: more are refused at once, as RESOURCE_EXHAUSTED, by gRPC itself.

    Raises:
      UserError: it cannot listen there.
    """

    async def start() -> tuple[grpc.aio.Server, int]:
        server = grpc.aio.server(
            interceptors=[_Gate(token)] if token else [],
            maximum_concurrent_rpcs=max_concurrent_calls,
            options=[
                ("grpc.max_receive_message_length", max_message_bytes),
                ("grpc.max_send_message_length", -1),
                ("grpc.so_reuseport", 0),  # two servers at one port would each get some of the calls
            ],
        )
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            PredictionService(model_server, max_message_bytes), server
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(model_server), server)
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            bound = server.add_insecure_port(address)
        except RuntimeError as error:
            raise UserError(f"nothing can listen at {address}; give a port that is free by --grpc-port") from error
        await server.start()
        return server, bound

    return GrpcServer(start)


class _Gate(grpc.aio.ServerInterceptor):
    """Lets nobody in without the token."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}".encode()

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        given = dict(handler_call_details.invocation_metadata).get("authorization", "")
        if hmac.compare_digest(given.encode() if isinstance(given, str) else given, self._expected):
            return await continuation(handler_call_details)
        return grpc.unary_unary_rpc_method_handler(_refuse)


async def _refuse(request: Any, context: Any) -> None:
    await context.abort(grpc.StatusCode.UNAUTHENTICATED, "the call brings no valid token")
