"""What a user is told of a server that did not answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ostinato.errors import InputError, ServerError, UserError

if TYPE_CHECKING:
    from ostinato.serving.client import ServingClient
    from ostinato.serving.retrying import CallFailed

# TensorFlow Serving, told to batch requests, joins the inputs of several callers and has no place for a setting of one.
_NO_SCALARS = "at least one dimension"


def as_user_error(failure: CallFailed, client: ServingClient, served: Callable[[], Sequence[int]]) -> UserError:
    """Returns one sentence that names the server and the remedy.

    Args:
      failure: the last one.
      client: who asked.
      served: finds the versions that could be asked instead.
    """
    model = client.model if client.version is None else f"version {client.version} of {client.model}"
    where = f"the server at {client.url}"
    match failure.code:
        case "UNREACHABLE":
            return ServerError(
                f"no server answers at {client.url} ({failure.message}); start one, such as `ostinato-serve run`, or "
                "give the address of one that runs"
            )
        case "UNTRUSTED":
            return ServerError(
                f"there is no secure connection to {client.url} ({failure.message}); put the name of the file with its "
                "certificate into OSTINATO_CA_FILE, or give the address of a server that speaks TLS"
            )
        case "NOT_FOUND":
            others = ", ".join(str(version) for version in served())
            remedy = (
                f"it serves version {others}: use that model's folder here" if others else "name one that it serves"
            )
            return ServerError(f"{where} does not serve {model} ({failure.message}); {remedy}")
        case "UNAUTHENTICATED" | "PERMISSION_DENIED":
            return ServerError(f"{where} refuses the token or wants one; put the right one into OSTINATO_TOKEN")
        case "DEADLINE_EXCEEDED":
            return ServerError(
                f"{where} gave no answer within {client.timeout:g} seconds; ask for less at once, or try again later"
            )
        case "UNAVAILABLE" | "RESOURCE_EXHAUSTED":
            return ServerError(f"{where} is too busy to answer ({failure.message}); try again later")
        case "OUT_OF_RANGE":
            return ServerError(f"{where} takes no request as large as this ({failure.message}); ask for less at once")
        case "INVALID_ARGUMENT" if _NO_SCALARS in failure.message:
            return ServerError(
                f"{where} batches requests and therefore takes no settings with them; start it without batching"
            )
        case "INVALID_ARGUMENT":
            return InputError(f"{where} refuses it ({failure.message})")
        case "DATA_LOSS":
            return ServerError(f"{where} is no model server ({failure.message}); give the address of one")
        case _:
            return ServerError(f"{where} fails ({failure.code}: {failure.message}); its log says more")
