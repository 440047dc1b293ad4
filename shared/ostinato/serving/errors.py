"""What a server answers instead of a prediction, in the status codes that gRPC and TensorFlow Serving share."""

from ostinato.errors import UserError

# As the REST front end of TensorFlow Serving translates them (`ToHTTPStatusCode` in its http_server.cc).
HTTP_STATUSES = {
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DATA_LOSS": 500,
    "UNAUTHENTICATED": 401,
}

# The numbers of these codes in gRPC, TensorFlow's errors and `StatusProto`.
_CODES = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)


class ServingError(UserError):
    """A request that was not answered.

    Args:
      code: name of the status, such as INVALID_ARGUMENT; also one of `grpc.StatusCode`.
      message: one sentence for whoever asked, without paths of the server's machine.
      retry_after: seconds after which the same request may well succeed; None where asking again is of no use.

    Raises:
      ValueError: a code that is no failure, or none at all.
    """

    def __init__(self, code: str, message: str, retry_after: float | None = None) -> None:
        if code not in HTTP_STATUSES:
            raise ValueError(f"{code} is no failure.")
        super().__init__(message)
        self.code, self.message, self.retry_after = code, message, retry_after

    @property
    def http_status(self) -> int:
        """The status of the answer by REST."""
        return HTTP_STATUSES[self.code]


def code_name(number: int) -> str:
    """The name of a status code by its number in gRPC and TensorFlow; INTERNAL for numbers that neither has."""
    return _CODES[number] if 0 < number < len(_CODES) else "INTERNAL"
