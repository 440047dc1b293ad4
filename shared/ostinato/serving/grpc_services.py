"""TensorFlow Serving's services over a `ModelServer`: what each call of gRPC asks of it and answers."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from tensorflow.core.protobuf import error_codes_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from ostinato.serving.errors import ServingError
from ostinato.serving.examples import Method, refuse_examples
from ostinato.serving.model_server import ModelServer
from ostinato.serving.tensor_protos import from_proto, to_proto

_log = logging.getLogger(__name__)

_SIGNATURES = "signature_def"
_STATES = get_model_status_pb2.ModelVersionStatus.State


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata, and refusals of the calls for `tf.Example`, which no model of Ostinato takes.

    Args:
      server: what answers.
      max_bytes: size of an input at most.
    """

    def __init__(self, server: ModelServer, max_bytes: int) -> None:
        self._server, self._max_bytes = server, max_bytes

    async def Predict(self, request: Any, context: Any) -> Any:  # noqa: N802
        async with _answering(self._server, request, context):
            spec = request.model_spec
            signature = spec.signature_name or "serving_default"
            inputs = {name: from_proto(name, proto, self._max_bytes) for name, proto in request.inputs.items()}
            with self._server.use(**_asked(request)) as served:
                prediction = await self._server.predict_of(
                    served,
                    inputs,
                    signature=signature,
                    outputs=list(request.output_filter),
                    timeout_seconds=context.time_remaining(),
                )
            response = predict_pb2.PredictResponse()
            response.model_spec.name = spec.name
            response.model_spec.version.value = prediction.version
            response.model_spec.signature_name = signature
            for name, array in prediction.outputs.items():
                response.outputs[name].CopyFrom(to_proto(array))
            return response

    async def GetModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        async with _answering(self._server, request, context):
            asked = _asked(request)
            if not request.metadata_field:
                raise ServingError(
                    "INVALID_ARGUMENT", "GetModelMetadataRequest must specify at least one metadata_field"
                )
            for field in request.metadata_field:
                if field != _SIGNATURES:
                    raise ServingError("INVALID_ARGUMENT", f"Metadata field {field} is not supported")
            metadata = self._server.metadata(**asked)
            signatures = get_model_metadata_pb2.SignatureDefMap()
            for name, signature in metadata.signature_defs.items():
                signatures.signature_def[name].CopyFrom(signature)
            response = get_model_metadata_pb2.GetModelMetadataResponse()
            response.model_spec.name = metadata.name
            response.model_spec.version.value = metadata.version
            response.metadata[_SIGNATURES].Pack(signatures)
            return response

    async def Classify(self, request: Any, context: Any) -> None:  # noqa: N802
        await self._refuse_examples("classify", request, context)

    async def Regress(self, request: Any, context: Any) -> None:  # noqa: N802
        await self._refuse_examples("regress", request, context)

    async def MultiInference(self, request: Any, context: Any) -> None:  # noqa: N802
        await _not_served("MultiInference", context)

    async def _refuse_examples(self, method: Method, request: Any, context: Any) -> None:
        async with _answering(self._server, request, context):
            with self._server.use(**_asked(request)) as served:
                refuse_examples(method, served.servable, request.model_spec.signature_name)


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus. What is served is said where the server is started, so no call can change it."""

    def __init__(self, server: ModelServer) -> None:
        self._server = server

    async def GetModelStatus(self, request: Any, context: Any) -> Any:  # noqa: N802
        async with _answering(self._server, request, context):
            response = get_model_status_pb2.GetModelStatusResponse()
            for status in self._server.status(**_asked(request)):
                version = response.model_version_status.add(version=status.version, state=_STATES.Value(status.state))
                version.status.error_code = error_codes_pb2.Code.Value(status.error_code)
                version.status.error_message = status.error_message
            return response

    async def HandleReloadConfigRequest(self, request: Any, context: Any) -> None:  # noqa: N802
        await _not_served("HandleReloadConfigRequest", context)


def _asked(request: Any) -> dict[str, Any]:
    """Returns the model that a request names, as the methods of `ModelServer` take it."""
    spec = request.model_spec
    if not request.HasField("model_spec") or not spec.name:
        raise ServingError("INVALID_ARGUMENT", "Missing ModelSpec")
    return {
        "name": spec.name,
        "version": spec.version.value if spec.HasField("version") else None,
        "label": spec.version_label or None,
    }


@asynccontextmanager
async def _answering(server: ModelServer, request: Any, context: Any) -> AsyncIterator[None]:
    """Turns what goes wrong into a status of gRPC, and counts."""
    began, code = time.monotonic(), "CANCELLED"
    try:
        yield
        code = "OK"
    except ServingError as error:
        code = error.code
        await context.abort(grpc.StatusCode[code], error.message, _pushback(error))
    except Exception as error:  # noqa: BLE001  # gRPC would send its text, which may hold paths, to whoever asked
        code = "INTERNAL"
        _log.exception("A request failed", exc_info=error)
        await context.abort(grpc.StatusCode.INTERNAL, "The server failed; its log says more.")
    finally:
        # A name that is not served is not counted by itself: a stranger could make up any number of them.
        name = request.model_spec.name if request.model_spec.name in server.model_names else ""
        server.metrics.requests.labels(name, "grpc", code).inc()
        server.metrics.request_seconds.labels(name, "grpc").observe(time.monotonic() - began)


def _pushback(error: ServingError) -> tuple[tuple[str, str], ...]:
    """Returns gRPC's own way to say when to ask again."""
    if error.retry_after is None:
        return ()
    return (("grpc-retry-pushback-ms", str(round(1000 * error.retry_after))),)


async def _not_served(method: str, context: Any) -> None:
    await context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{method} is not served; ask Predict.")
