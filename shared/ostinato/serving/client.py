"""Asks a model server: TensorFlow Serving, or `ostinato-serve`."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import urlsplit

import numpy as np

from ostinato.errors import InputError, ServerError
from ostinato.export.dtypes import as_array
from ostinato.export.saved_graph import SignatureDescription
from ostinato.serving.client_errors import as_user_error
from ostinato.serving.retrying import CallFailed, with_retries
from ostinato.serving.version_status import VersionStatus

if TYPE_CHECKING:
    from ostinato.export import StreamingSession

Answer = TypeVar("Answer")

_GRPC_PORTS = {"grpc": 8500, "grpcs": 443}  # where an address names none: TensorFlow Serving's, and that of TLS


class Transport(Protocol):
    """One way to a model; every method raises CallFailed, once, without asking again."""

    def predict(
        self, signature: str, inputs: Mapping[str, np.ndarray], described: SignatureDescription, timeout: float
    ) -> dict[str, np.ndarray]: ...

    def metadata(self, timeout: float) -> dict[str, SignatureDescription]: ...

    def status(self, timeout: float) -> list[VersionStatus]: ...

    def close(self) -> None: ...


class ServingClient:
    """Asks one model on a server; threads may share it.

        with ServingClient("http://localhost:8501", model="translate") as client:
            answer = client.predict({"text": ["Two dogs run."], "target_language": ["de"]})
            print(answer["translations"][0, 0].decode())

    Calls are repeated where that can help and cannot do harm, as a model's answer depends on its inputs alone: nobody
    answers at the address, the connection is lost, or the server says that it is busy.

    Args:
      url: `http://host:port` or `https://host:port` for REST, `grpc://host:port` or `grpcs://host:port` (TLS) for gRPC.
      model: name on the server.
      version: the one to ask; the server's newest if not given.
      timeout: seconds for a call, all its attempts and the pauses between them.
      token: what the server asks for, if it does. By plain http:// and grpc:// whoever listens can read it.
      attempts: how often a call is made at most.
      ca_file: PEM file of the authorities that vouch for the server by `https://` and `grpcs://`, in place of those
        that this machine trusts.

    Raises:
      ServerError: the address is none, gRPC is not installed, or the file cannot be read.
    """

    def __init__(
        self,
        url: str,
        *,
        model: str,
        version: int | None = None,
        timeout: float = 60.0,
        token: str | None = None,
        attempts: int = 5,
        ca_file: str | Path | None = None,
    ) -> None:
        self.url, self.model, self.version = url, model, version
        self.timeout, self.token, self.attempts = timeout, token, attempts
        self._transport = _transport(url, model, version, token, _authorities(ca_file))
        self._signatures: dict[str, SignatureDescription] = {}

    def predict(self, inputs: Mapping[str, Any], signature: str = "serving_default") -> dict[str, np.ndarray]:
        """Asks a signature.

        Args:
          inputs: by name, what `np.asarray` takes: numbers, text or bytes, with the batch dimension.
          signature: its name.

        Returns:
          the outputs by name; strings are object arrays of bytes.

        Raises:
          InputError: the model takes no such inputs, or refuses what they hold.
          ServerError: the server cannot be reached, does not serve the model, wants a token, or fails.
        """
        described = self._described(signature)
        arrays = _arrays(inputs, described, f"signature {signature} of {self.model}")
        return self._ask(lambda timeout: self._transport.predict(signature, arrays, described, timeout))

    def metadata(self) -> dict[str, SignatureDescription]:
        """Returns what each signature takes and gives, by name. Raises ServerError."""
        return self._ask(self._transport.metadata)

    def status(self) -> list[VersionStatus]:
        """Returns the state of each version of the model that the server knows. Raises ServerError."""
        return self._ask(self._transport.status)

    def session(self, signature: str = "step") -> StreamingSession:
        """Returns what reads a stream frame by frame and carries the model's state from call to call.

        Inputs that are named `state_*` are state, as in all exports of Ostinato; the server keeps nothing.

        Raises:
          ServerError: as `predict`.
          ModelError: the signature has no state.
        """
        from ostinato.export import StreamingSession
        from ostinato.serving.served_model import ServedModel, interface_of

        interface = interface_of(signature, self._described(signature))
        return StreamingSession(ServedModel(Path(self.model), interface, {}, self), signature)

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    def __enter__(self) -> ServingClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _described(self, signature: str) -> SignatureDescription:
        if signature not in self._signatures:
            self._signatures = self.metadata()
        if signature not in self._signatures:
            known = ", ".join(sorted(self._signatures))
            raise ServerError(f"{self.model} at {self.url} has no signature {signature}; it has {known}")
        return self._signatures[signature]

    def _ask(self, attempt: Callable[[float], Answer]) -> Answer:
        try:
            return with_retries(attempt, timeout=self.timeout, attempts=self.attempts)
        except CallFailed as failure:
            raise as_user_error(failure, self, self._served_versions) from failure

    def _served_versions(self) -> list[int]:
        """Versions that could be asked; [] where the server says nothing."""
        try:
            served = self._transport.status(min(self.timeout, 5.0))
        except CallFailed:
            return []
        return sorted(each.version for each in served if each.state == "AVAILABLE")


def _transport(url: str, model: str, version: int | None, token: str | None, authorities: bytes | None) -> Transport:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    is_bare = parts.path in ("", "/") and not (parts.query or parts.fragment or parts.username)
    if parts.scheme not in ("http", "https", *_GRPC_PORTS) or not parts.hostname or not is_bare:
        raise ServerError(
            f"{url!r} is no address of a server; give http://HOST:PORT, https://..., grpc://HOST:PORT or grpcs://..."
        )
    if parts.scheme not in _GRPC_PORTS:
        from ostinato.serving.rest_client import RestTransport

        return RestTransport(url, model, version, token, authorities)
    try:
        from ostinato.serving.grpc_client import GrpcTransport
    except ModuleNotFoundError as error:
        if not error.name or error.name.split(".")[0] not in ("grpc", "tensorflow_serving"):
            raise
        raise ServerError(
            f"{url} needs the package {error.name}: install ostinato[serve], or ask the server's http:// port"
        ) from error
    target = parts.netloc if port else f"{parts.netloc}:{_GRPC_PORTS[parts.scheme]}"
    return GrpcTransport(target, model, version, token, secure=parts.scheme == "grpcs", authorities=authorities)


def _authorities(ca_file: str | Path | None) -> bytes | None:
    if ca_file is None:
        return None
    try:
        content = Path(ca_file).read_bytes()
    except OSError as error:
        raise ServerError(
            f"the certificates in {ca_file} cannot be read ({error.strerror}); name a PEM file"
        ) from error
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=content.decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise ServerError(f"{ca_file} holds no certificates; name a PEM file") from error
    return content


def _arrays(inputs: Mapping[str, Any], described: SignatureDescription, what: str) -> dict[str, np.ndarray]:
    if inputs.keys() != described.inputs.keys():
        raise InputError(f"{what} takes {sorted(described.inputs)}, not {sorted(inputs)}")
    arrays = {}
    for name, value in inputs.items():
        try:
            arrays[name] = as_array(value, described.inputs[name].dtype)
        except ValueError as error:
            raise InputError(f"input {name} of {what} {error}") from error
    return arrays
