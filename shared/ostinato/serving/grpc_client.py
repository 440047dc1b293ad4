"""TensorFlow Serving's gRPC interface, by its official protos. Importing this starts TensorFlow, which they need."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import grpc
import numpy as np
from tensorflow.core.protobuf import error_codes_pb2
from tensorflow.python.framework import tensor_util
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from ostinato.export.saved_graph import SignatureDescription, described_signatures
from ostinato.serving.retrying import CallFailed
from ostinato.serving.tensor_protos import to_proto
from ostinato.serving.version_status import VersionStatus

_OPTIONS = [
    # A photo or a chunk of video is larger than gRPC's 4 MiB; what is too large for it, the server says.
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # The retries are ours: one time-out and one number of attempts for both transports.
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
]
# What TLS says of a server that it does not trust, and of one that speaks none.
_UNTRUSTED = re.compile(r"handshake failed.*OPENSSL_internal:([^:]+(?:: [a-z ]+)?)|(verification check failed)", re.I)
_UNREACHABLE = ("failed to connect", "connections to all backends failing", "dns resolution failed")


class GrpcTransport:
    """Asks a model by gRPC; threads may share it.

    Args:
      target: `host:port`.
      model: name on the server.
      version: the one to ask; None for the newest.
      token: sent as `authorization: Bearer`.
      secure: by TLS.
      authorities: PEM certificates of those who vouch for the server then; None for those of this machine.
    """

    def __init__(
        self,
        target: str,
        model: str,
        version: int | None,
        token: str | None,
        *,
        secure: bool = False,
        authorities: bytes | None = None,
    ) -> None:
        if secure:
            credentials = grpc.ssl_channel_credentials(root_certificates=authorities)
            self._channel = grpc.secure_channel(target, credentials, options=_OPTIONS)
        else:
            self._channel = grpc.insecure_channel(target, options=_OPTIONS)
        self._prediction = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)
        self._spec = model_pb2.ModelSpec(name=model)
        if version is not None:
            self._spec.version.value = version
        self._headers = (("authorization", f"Bearer {token}"),) if token else ()

    def predict(
        self, signature: str, inputs: Mapping[str, np.ndarray], described: SignatureDescription, timeout: float
    ) -> dict[str, np.ndarray]:
        """Asks a signature; tensors travel as they lie in memory."""
        request = predict_pb2.PredictRequest(model_spec=self._spec)
        request.model_spec.signature_name = signature
        for name, array in inputs.items():
            request.inputs[name].CopyFrom(to_proto(array))
        answer = self._ask(self._prediction.Predict, request, timeout)
        if set(answer.outputs) != set(described.outputs):
            raise CallFailed("DATA_LOSS", f"its answer does not fit signature {signature}")
        return {name: tensor_util.MakeNdarray(tensor) for name, tensor in answer.outputs.items()}

    def metadata(self, timeout: float) -> dict[str, SignatureDescription]:
        """What the signatures take and give, by name."""
        request = get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=self._spec, metadata_field=["signature_def"]
        )
        answer = self._ask(self._prediction.GetModelMetadata, request, timeout)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        if not answer.metadata["signature_def"].Unpack(signatures):
            raise CallFailed("DATA_LOSS", "its metadata are not those of a model")
        return described_signatures(signatures.signature_def)

    def status(self, timeout: float) -> list[VersionStatus]:
        """Each version of the model that the server knows."""
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=model_pb2.ModelSpec(name=self._spec.name))
        answer = self._ask(self._models.GetModelStatus, request, timeout)
        states = get_model_status_pb2.ModelVersionStatus.State
        return [
            VersionStatus(
                each.version,
                states.Name(each.state),
                error_codes_pb2.Code.Name(each.status.error_code),
                each.status.error_message,
            )
            for each in answer.model_version_status
        ]

    def close(self) -> None:
        """Closes the connection."""
        self._channel.close()

    def _ask(self, method: Callable[..., Any], request: Any, timeout: float) -> Any:
        try:
            return method(request, timeout=timeout, metadata=self._headers)
        except grpc.RpcError as error:
            raise _failure(error) from error


def _failure(error: Any) -> CallFailed:
    code, message = error.code().name, " ".join((error.details() or "").split())
    if code == "UNAVAILABLE" and (untrusted := _UNTRUSTED.search(message)) is not None:
        return CallFailed("UNTRUSTED", untrusted[1] or "its certificate is for another name")
    if code == "UNAVAILABLE" and any(words in message.lower() for words in _UNREACHABLE):
        return CallFailed("UNREACHABLE", message.split("; last error")[0][:200], may_retry=True)
    # The same code says that there is no room now, and that a message is larger than the server ever takes.
    too_large = code == "RESOURCE_EXHAUSTED" and "larger than max" in message
    return CallFailed(
        "OUT_OF_RANGE" if too_large else code,
        message,
        may_retry=code == "UNAVAILABLE" or (code == "RESOURCE_EXHAUSTED" and not too_large),
        retry_after=_retry_after(error.trailing_metadata()),
    )


def _retry_after(metadata: Any) -> float | None:
    """Returns the seconds of gRPC's own way to say it."""
    for key, value in metadata or ():
        if key == "grpc-retry-pushback-ms" and str(value).isdecimal():
            return int(value) / 1000
    return None
