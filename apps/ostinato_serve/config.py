"""Every setting of the server, once: the fields are the flags of the command line and the keys of a TOML file."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ostinato.config import check

_MOST = 1e6  # seconds, MiB and the like: waiting for ever, or for more than a clock can count, is a mistake


def _check_positive(name: str, value: float) -> None:
    check(0 < value <= _MOST, f"{name} {value}: give more than 0 and at most {_MOST:.0f}")


@dataclass(frozen=True)
class BindConfig:
    """Where the server is to be found."""

    host: str = "127.0.0.1"
    """address or name to listen at; any but this machine's own needs --allow-remote and a token"""
    port: int = 8501
    """of the REST interface; 0 for a free one"""
    grpc_port: int = 8500
    """of the gRPC interface; 0 for a free one"""
    grpc: bool = True
    """serves gRPC too"""
    allow_remote: bool = False
    """lets other machines ask"""
    allow_hosts: tuple[str, ...] = ()
    """names that requests may call a local server by, besides localhost: those of a proxy before it"""

    def __post_init__(self) -> None:
        check(bool(self.host), "host: name an address to listen at, such as 127.0.0.1")
        check(0 <= self.port < 2**16, f"port {self.port}: give a number from 0 to 65535")
        check(0 <= self.grpc_port < 2**16, f"grpc_port {self.grpc_port}: give a number from 0 to 65535")


@dataclass(frozen=True)
class BatchConfig:
    """How requests are gathered, to be computed together."""

    max_batch_size: int = 32
    """rows that are computed together; 1 for each request alone"""
    max_batch_seconds: float = 0.5
    """how long a batch may be expected to take; larger ones hold others up and are no faster"""
    batch_timeout_ms: float = 1.0
    """how long a request waits for others, in milliseconds"""
    batch_threads: int = 0
    """batches that are computed at the same time; 0 for as many as there are cores"""
    max_queue: int = 256
    """requests that may wait for one signature of a model; others are told to come back later"""
    max_queue_mb: float = 512.0
    """size of the inputs that may wait altogether, in MiB"""
    max_rows: int = 2048
    """photos, sentences, clips in one request"""

    def __post_init__(self) -> None:
        check(self.max_batch_size > 0, f"max_batch_size {self.max_batch_size}: give 1 or more")
        _check_positive("max_batch_seconds", self.max_batch_seconds)
        check(0 <= self.batch_timeout_ms <= _MOST, f"batch_timeout_ms {self.batch_timeout_ms}: give 0 to {_MOST:.0f}")
        check(0 <= self.batch_threads <= 1024, f"batch_threads {self.batch_threads}: give 0 to 1024")
        check(self.max_queue > 0, f"max_queue {self.max_queue}: give 1 or more")
        _check_positive("max_queue_mb", self.max_queue_mb)
        check(self.max_rows > 0, f"max_rows {self.max_rows}: give 1 or more")

    @property
    def num_threads(self) -> int:
        """Threads, the cores counted where nothing is said."""
        return self.batch_threads or os.cpu_count() or 1


@dataclass(frozen=True)
class LimitConfig:
    """What a client may take of the server."""

    max_body_mb: float = 32.0
    """size of a request, in MiB"""
    max_bodies_mb: float = 256.0
    """size of all requests that are being read or answered, in MiB"""
    body_seconds: float = 30.0
    """in which a request must have come"""
    timeout_seconds: float = 60.0
    """in which a request must have been answered"""
    drain_seconds: float = 30.0
    """in which the requests that were begun are finished when the server stops"""
    poll_seconds: float = 1.0
    """between two looks for new versions of the models"""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            _check_positive(name, value)


@dataclass(frozen=True)
class PageConfig:
    """The page, where the models can be tried in a browser."""

    page: bool = True
    """serves it at /"""
    max_photo_mb: float = 20.0
    """size of a photo that is uploaded there, in MiB"""
    max_video_mb: float = 256.0
    """size of a video that is uploaded there, in MiB"""
    max_video_minutes: float = 10.0
    """of a video that is labelled there"""
    upload_seconds: float = 120.0
    """in which an upload must have come"""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name != "page":
                _check_positive(name, value)
