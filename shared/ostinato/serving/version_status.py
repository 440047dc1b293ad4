from dataclasses import dataclass


@dataclass(frozen=True)
class VersionStatus:
    """What a server says of one version of a model."""

    version: int
    state: str
    """START, LOADING, AVAILABLE, UNLOADING or END"""
    error: str = ""
    """why it could not be loaded; empty where nothing is wrong"""
