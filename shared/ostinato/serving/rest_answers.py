"""From arrays to the bodies that TensorFlow Serving answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ostinato.export import rest
from ostinato.serving.errors import ServingError
from ostinato.serving.version_status import VersionStatus

if TYPE_CHECKING:
    from ostinato.serving.model_server import ModelMetadata  # starts TensorFlow


def prediction_body(outputs: Mapping[str, np.ndarray], by_rows: bool) -> bytes:
    """The answer to a `:predict` request, of its form. NaN and infinities are written as JavaScript has them.

    Raises:
      ServingError: INVALID_ARGUMENT, outputs that cannot be written by rows or at all.
    """
    for name, array in outputs.items():
        if array.dtype.kind == "c":
            raise ServingError(
                "INVALID_ARGUMENT", f"Failed to write JSON value for tensor type: {array.dtype.name} ({name})"
            )
    if by_rows:
        _check_rows(outputs)
    form: dict[str, Any] = {"instances": []} if by_rows else {"inputs": {}}
    return _body(rest.to_answer(form, outputs))


def status_body(statuses: Sequence[VersionStatus]) -> bytes:
    """The answer to a question for the status of a model."""
    versions = [
        {
            "version": str(each.version),
            "state": each.state,
            "status": {"error_code": each.error_code, "error_message": each.error_message},
        }
        for each in statuses
    ]
    return _body({"model_version_status": versions})


def metadata_body(metadata: ModelMetadata) -> bytes:
    """The answer to a question for the signatures of a model."""
    from google.protobuf.json_format import MessageToDict

    signatures = {
        name: MessageToDict(each, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
        for name, each in sorted(metadata.signature_defs.items())
    }
    spec = {"name": metadata.name, "signature_name": "", "version": str(metadata.version)}
    return _body({"model_spec": spec, "metadata": {"signature_def": {"signature_def": signatures}}})


def error_body(message: str) -> bytes:
    """The answer where there is none."""
    return _body({"error": message.encode(errors="replace").decode()})  # half a pair of surrogates is no UTF-8


def _check_rows(outputs: Mapping[str, np.ndarray]) -> None:
    num_rows = None
    for name, array in outputs.items():
        if not array.ndim:
            raise ServingError("INVALID_ARGUMENT", f"Tensor name: {name} has no shape information ")
        if num_rows is not None and len(array) != num_rows:
            raise ServingError(
                "INVALID_ARGUMENT",
                f"Tensor name: {name} has inconsistent batch size: {len(array)} expecting: {num_rows}",
            )
        num_rows = len(array)


def _body(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=None).encode()
