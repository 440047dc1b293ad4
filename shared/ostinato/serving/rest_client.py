"""TensorFlow Serving's REST interface, asked by urllib3: pooled connections, shared by threads."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import numpy as np
import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    InvalidHeader,
    LocationValueError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from ostinato.export import rest
from ostinato.export.saved_graph import INIT_SIGNATURE, SignatureDescription, TensorDescription
from ostinato.serving.retrying import CallFailed
from ostinato.serving.version_status import VersionStatus

_CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    412: "FAILED_PRECONDITION",
    413: "OUT_OF_RANGE",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_MAY_RETRY = {429, 503}
_DTYPES = {"DT_FLOAT": "float32", "DT_DOUBLE": "float64", "DT_HALF": "float16"}
_CONNECT = 10.0  # seconds at most for a connection: a machine that is off does not refuse one
_CONNECTIONS = 16  # kept open
_PIECE = 2**18  # bytes of an answer that are read at once, at most


class RestTransport:
    """Asks a model by HTTP.

    Args:
      url: `http(s)://host:port`.
      model: name on the server.
      version: the one to ask; None for the newest.
      token: sent as `Authorization: Bearer`.
      authorities: PEM certificates of those who vouch for the server by HTTPS; None for those of this machine.
    """

    def __init__(
        self, url: str, model: str, version: int | None, token: str | None, authorities: bytes | None = None
    ) -> None:
        self._model = f"{url.rstrip('/')}/v1/models/{quote(model, safe='')}"
        self._servable = self._model if version is None else f"{self._model}/versions/{version}"
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        trusted: dict[str, Any] = {} if authorities is None else {"ca_cert_data": authorities.decode("ascii")}
        self._pool = urllib3.PoolManager(maxsize=_CONNECTIONS, headers=headers, retries=False, **trusted)

    def predict(
        self, signature: str, inputs: Mapping[str, np.ndarray], described: SignatureDescription, timeout: float
    ) -> dict[str, np.ndarray]:
        """Asks by columns; strings travel in base64, as any bytes may be in them."""
        strings = [name for name, array in inputs.items() if array.dtype.hasobject]
        body = json.dumps(rest.to_columns(signature, inputs, strings)).encode()
        answer = self._ask("POST", f"{self._servable}:predict", body, timeout)
        try:
            return rest.from_answer(answer, described.outputs)
        except (KeyError, TypeError, ValueError) as error:
            raise CallFailed("DATA_LOSS", f"its answer does not fit signature {signature}") from error

    def metadata(self, timeout: float) -> dict[str, SignatureDescription]:
        """What the signatures take and give, by name."""
        answer = self._ask("GET", f"{self._servable}/metadata", None, timeout)
        try:
            signatures = answer["metadata"]["signature_def"]["signature_def"]
            return {
                name: SignatureDescription(_tensors(signature.get("inputs", {})), _tensors(signature["outputs"]))
                for name, signature in signatures.items()
                if name != INIT_SIGNATURE
            }
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise CallFailed("DATA_LOSS", "its metadata are not those of a model") from error

    def status(self, timeout: float) -> list[VersionStatus]:
        """Each version of the model that the server knows."""
        answer = self._ask("GET", self._model, None, timeout)
        try:
            return [_version(each) for each in answer["model_version_status"]]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise CallFailed("DATA_LOSS", "its status is not that of a model") from error

    def close(self) -> None:
        """Closes the connections."""
        self._pool.clear()

    def _ask(self, method: str, url: str, body: bytes | None, timeout: float) -> Any:
        end = time.monotonic() + timeout
        limits = urllib3.Timeout(connect=min(timeout, _CONNECT), read=timeout)
        try:
            response = self._pool.request(method, url, body=body, timeout=limits, redirect=False, preload_content=False)
            content = bytearray()
            while piece := response.read1(_PIECE):  # whatever has come: `read` would wait for so many bytes
                content += piece
                if time.monotonic() > end:
                    response.close()
                    raise CallFailed("DEADLINE_EXCEEDED", "its answer did not end")
            response.release_conn()
        except (ConnectTimeoutError, NewConnectionError) as error:
            raise CallFailed("UNREACHABLE", _reason(error), may_retry=True) from error
        except ReadTimeoutError as error:
            raise CallFailed("DEADLINE_EXCEEDED", "no answer came") from error
        except ProtocolError as error:  # the connection was reset, or closed before the answer ended
            raise CallFailed("UNREACHABLE", "it closed the connection", may_retry=True) from error
        except SSLError as error:
            raise CallFailed("UNTRUSTED", _reason(error)) from error
        except (HTTPError, LocationValueError) as error:
            raise CallFailed("UNREACHABLE", _reason(error)) from error
        return _checked(response, bytes(content))


def _checked(response: urllib3.BaseHTTPResponse, content: bytes) -> Any:
    """Returns the JSON of an answer, or raises what its status says."""
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        answer = None
    if response.status == 200:
        if not isinstance(answer, dict):
            raise CallFailed("DATA_LOSS", "it answers with something else than JSON")
        return answer
    told = answer.get("error") if isinstance(answer, dict) else None
    raise CallFailed(
        _CODES.get(response.status, "UNKNOWN"),
        " ".join(str(told or f"HTTP status {response.status}").split()),
        may_retry=response.status in _MAY_RETRY,
        retry_after=_retry_after(response.headers.get("Retry-After")),
    )


def _retry_after(header: str | None) -> float | None:
    """Returns the seconds of a header that holds seconds or a date; None where it holds neither."""
    if header is None:
        return None
    try:
        return urllib3.Retry().parse_retry_after(header)
    except InvalidHeader:
        return None


def _reason(error: Exception) -> str:
    cause = error.__cause__ or error
    told = getattr(cause, "strerror", None) or str(cause)
    return (told.strip().splitlines() or [type(error).__name__])[0]


def _tensors(infos: Mapping[str, Any]) -> dict[str, TensorDescription]:
    return {
        name: TensorDescription(_dtype(info["dtype"]), _shape(info["tensor_shape"])) for name, info in infos.items()
    }


def _version(told: Mapping[str, Any]) -> VersionStatus:
    status = told.get("status", {})
    return VersionStatus(
        int(told["version"]), told["state"], status.get("error_code", "OK"), status.get("error_message", "")
    )


def _dtype(name: str) -> str:
    return _DTYPES.get(name) or name.removeprefix("DT_").lower()


def _shape(shape: Mapping[str, Any]) -> tuple[int | None, ...] | None:
    if shape.get("unknown_rank"):
        return None
    sizes = [int(each["size"]) for each in shape.get("dim", [])]
    return tuple(None if size < 0 else size for size in sizes)
