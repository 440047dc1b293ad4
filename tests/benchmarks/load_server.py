"""`ostinato-serve` in a process of its own, and what it says of its work."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

_PROGRAM = "from ostinato_serve.cli import main; main()"
_PLACES = re.compile(r" at (http://\S+) and grpc://(\S+)")
_START_SECONDS = 300.0
_STOP_SECONDS = 60.0


class ServerProcess:
    """A server of shipped models at free ports, from entering the block to leaving it.

    Attributes:
      url: where REST is answered.
      target: where gRPC is answered, `host:port`.
    """

    def __init__(self, models: Sequence[str], flags: Sequence[str]) -> None:
        self._command = [sys.executable, "-c", _PROGRAM, "run", *models, "--port", "0", "--grpc-port", "0", "--quiet"]
        self._command += ["--no-page", *flags]
        self.url = self.target = ""

    def __enter__(self) -> ServerProcess:
        self._log = tempfile.TemporaryFile("w+")  # as long as the server lives
        self._process = subprocess.Popen(self._command, stderr=subprocess.PIPE, stdout=self._log, text=True)
        watchdog = threading.Timer(_START_SECONDS, self._process.kill)
        watchdog.start()
        assert self._process.stderr is not None
        said = []
        for line in self._process.stderr:
            said.append(line)
            if (found := _PLACES.search(line)) is not None:
                self.url, self.target = found.groups()
                break
        watchdog.cancel()
        if not self.url:
            self._process.wait()
            raise SystemExit(f"the server did not start:\n{''.join(said)}")
        # What it says from here on goes to whoever runs this, so that the pipe never fills.
        threading.Thread(target=self._pass_on, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def cpu_seconds(self) -> float:
        """Of the server so far; 0 where the system does not tell."""
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return 0.0

    def batches(self, model: str) -> tuple[float, float]:
        """How many batches of a model were computed so far, and rows in them."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=30) as response:
            page = response.read().decode()
        counted = {"count": 0.0, "sum": 0.0}
        for what, labels, value in re.findall(r"ostinato_serve_batch_rows_(count|sum)\{(.*?)\} (\S+)", page):
            if f'model="{model}"' in labels:
                counted[what] += float(value)
        return counted["count"], counted["sum"]

    def _pass_on(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            sys.stderr.write(line)
