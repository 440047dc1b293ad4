from dataclasses import dataclass


@dataclass(frozen=True)
class VersionStatus:
    """How a version of a model is on a server: its state, and the error that ended it."""

    version: int
    state: str
    """START, LOADING, AVAILABLE, UNLOADING or END"""
    error_code: str = "OK"
    error_message: str = ""
