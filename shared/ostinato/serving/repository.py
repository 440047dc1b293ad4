"""Which versions of which models are loaded: found by looking at their folders again and again."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ostinato.errors import ModelError
from ostinato.export.versions import versions_in
from ostinato.serving.errors import ServingError
from ostinato.serving.servable import Servable
from ostinato.serving.version_status import VersionStatus

_log = logging.getLogger(__name__)

# The life of a version, in the words of TensorFlow Serving (`ModelVersionStatus.State`).
START, LOADING, AVAILABLE, UNLOADING, END = "START", "LOADING", "AVAILABLE", "UNLOADING", "END"


@dataclass(frozen=True)
class ModelConfig:
    """What is served of one model.

    Attributes:
      folder: of its versions, `<folder>/<integer>/`.
      latest: how many of the newest versions are served at a time, None for all.
      specific: the versions that may be served; empty for any.
      labels: names for versions, such as {"stable": 3}.
    """

    folder: Path
    latest: int | None = 1
    specific: tuple[int, ...] = ()
    labels: Mapping[str, int] = field(default_factory=dict)


class ServedVersion:
    """A version that is being used; hold it as long as it is.

    Attributes:
      model: name of the model.
      version: its number.
      servable: what answers.
    """

    def __init__(self, model: str, version: int, servable: Servable) -> None:
        self.model, self.version, self.servable = model, version, servable
        self.num_uses = 0
        self.is_retired = False


@dataclass
class _Version:
    """What the repository knows of a version. `files` are those that it was loaded from, or failed with."""

    status: VersionStatus
    served: ServedVersion | None = None
    files: object = None


class ModelRepository:
    """Loads new versions before it lets go of old ones, which finish the requests that they have begun.

    A version that cannot be loaded is passed over, logged, and tried again once its files have changed; meanwhile the
    newest one that can be loaded is served. A folder that is gone altogether changes nothing; one that has become empty
    ends its versions.

    Args:
      models: by name, the folder or what is served of it.
      poll_seconds: between two looks at the folders.
      load: from a version folder to what answers.
      on_free: called with a version that nobody will use again.
    """

    def __init__(
        self,
        models: Mapping[str, ModelConfig],
        *,
        poll_seconds: float = 1.0,
        load: Callable[[Path], Servable] = Servable.load,
        on_free: Callable[[ServedVersion], None] = lambda served: None,
    ) -> None:
        self.models = dict(models)
        self._poll_seconds, self._load, self._on_free = poll_seconds, load, on_free
        self._versions: dict[str, dict[int, _Version]] = {name: {} for name in models}
        self._lock = threading.Lock()  # of all versions and their uses
        self._unused = threading.Condition(self._lock)
        self._stopping = threading.Event()
        self._poller = threading.Thread(target=self._keep_polling, name="model-repository", daemon=True)
        self._last_seen: dict[Path, object] = {}
        self._has_freed = False

    def start(self) -> None:
        """Loads all models, then watches their folders from a thread."""
        self.poll()
        self._poller.start()

    def stop(self, drain_seconds: float = 0.0) -> None:
        """Ends all versions; waits for the requests that they have begun."""
        self._stopping.set()
        if self._poller.ident is not None:
            self._poller.join()
        with self._lock:
            for versions in self._versions.values():
                for entry in versions.values():
                    self._retire(entry)
            deadline = time.monotonic() + drain_seconds
            while any(entry.served for versions in self._versions.values() for entry in versions.values()):
                if not self._unused.wait(max(0.0, deadline - time.monotonic())):
                    break

    @property
    def is_ready(self) -> bool:
        """Whether each model has a version that can be asked."""
        with self._lock:
            return all(
                any(entry.status.state == AVAILABLE for entry in versions.values())
                for versions in self._versions.values()
            )

    @contextmanager
    def use(self, model: str, version: int | None = None, label: str | None = None) -> Iterator[ServedVersion]:
        """Holds a version, the newest available one where none is named; it stays loaded that long.

        Raises:
          ServingError: NOT_FOUND, no such model or version; INVALID_ARGUMENT, no such label.
        """
        served = self.acquire(model, version, label)
        try:
            yield served
        finally:
            self.release(served)

    def acquire(self, model: str, version: int | None = None, label: str | None = None) -> ServedVersion:
        """As `use`, until `release` is called with what it returns."""
        if label:
            version = self._labelled(model, label)
        with self._lock:
            available = {
                number: entry.served
                for number, entry in self._versions.get(model, {}).items()
                if entry.served and entry.status.state == AVAILABLE
            }
            number = max(available, default=None) if version is None else version
            if number not in available:
                what = f"Latest({model})" if version is None else f"Specific({model}, {version})"
                raise ServingError("NOT_FOUND", f"Servable not found for request: {what}")
            available[number].num_uses += 1
            return available[number]

    def hold(self, served: ServedVersion) -> None:
        """One more use of a version that is being used; to be released too."""
        with self._lock:
            served.num_uses += 1

    def release(self, served: ServedVersion) -> None:
        """Ends one use of a version."""
        with self._lock:
            served.num_uses -= 1
            if served.is_retired and not served.num_uses:
                self._free(served)

    def status(self, model: str, version: int | None = None, label: str | None = None) -> list[VersionStatus]:
        """How the versions of a model are, the newest first.

        Raises:
          ServingError: as `use`.
        """
        if label:
            version = self._labelled(model, label)
        with self._lock:
            versions = self._versions.get(model, {})
            if version is not None and version not in versions:
                raise ServingError("NOT_FOUND", f"Could not find version {version} of model {model}")
            if not versions:
                raise ServingError("NOT_FOUND", f"Could not find any versions of model {model}")
            chosen = sorted(versions, reverse=True) if version is None else [version]
            return [versions[number].status for number in chosen]

    def poll(self) -> None:
        """Looks at all folders once: loads what is new, then retires what is no longer served."""
        for name, config in self.models.items():
            try:
                if config.folder.is_dir():
                    self._poll_model(name, config)
            except OSError as error:  # removed or closed to us while it was looked at: what is loaded goes on
                _log.warning("model %s: its folder cannot be read (%s)", name, error.strerror)
        if self._has_freed:
            self._has_freed = False
            gc.collect()  # what TensorFlow has loaded holds itself in cycles

    def _labelled(self, model: str, label: str) -> int:
        config = self.models.get(model)
        if config is None:
            raise ServingError("NOT_FOUND", f"Servable not found for request: Latest({model})")
        if label not in config.labels:
            raise ServingError("INVALID_ARGUMENT", f"Unrecognized servable version label: {label}")
        return config.labels[label]

    def _keep_polling(self) -> None:
        while not self._stopping.wait(self._poll_seconds):
            self.poll()

    def _poll_model(self, name: str, config: ModelConfig) -> None:
        folders = dict(versions_in(config.folder))
        candidates = sorted((set(config.specific) & folders.keys()) if config.specific else folders, reverse=True)
        wanted: list[int] = []
        for number in candidates:
            if self._stopping.is_set() or (config.latest is not None and len(wanted) == config.latest):
                break
            if self._is_loaded(name, number, folders[number]):
                wanted.append(number)
        if self._stopping.is_set() or (candidates and not wanted):
            return  # what is there goes on answering rather than nothing
        with self._lock:
            for number, entry in self._versions[name].items():
                if number not in wanted:
                    self._retire(entry)

    def _is_loaded(self, name: str, number: int, folder: Path) -> bool:
        """Whether a version is available; loads it where it is not and can be."""
        with self._lock:
            entry = self._versions[name].setdefault(number, _Version(VersionStatus(number, START)))
            if entry.served is not None:
                return entry.status.state == AVAILABLE  # what is being drained is loaded anew once it is free
        files = _files(folder)
        changing = self._last_seen.get(folder, files) != files
        self._last_seen[folder] = files
        if entry.status.error_code != "OK" and (entry.files == files or changing):
            return False
        self._set(entry, LOADING)
        entry.files = files
        started = time.monotonic()
        try:
            servable = self._load(folder)
        except ModelError as error:
            # What a client may read of it names no path of this machine.
            message = str(error).replace(str(folder), f"{name}/{number}")
            self._set(entry, END, "INVALID_ARGUMENT", message)
            _log.error("model %s: version %d was not loaded: %s", name, number, error)
            return False
        with self._lock:
            entry.served = ServedVersion(name, number, servable)
            entry.status = VersionStatus(number, AVAILABLE)
        _log.info("model %s: version %d loaded in %.1f s", name, number, time.monotonic() - started)
        return True

    def _set(self, entry: _Version, state: str, error_code: str = "OK", error_message: str = "") -> None:
        with self._lock:
            entry.status = VersionStatus(entry.status.version, state, error_code, error_message)

    def _retire(self, entry: _Version) -> None:
        """Lets no new request in; frees the version at once where none is running. Under the lock."""
        if entry.served is None or entry.served.is_retired:
            return
        entry.status = VersionStatus(entry.status.version, UNLOADING)
        entry.served.is_retired = True
        _log.info(
            "model %s: version %d is let go, %d requests to finish",
            entry.served.model,
            entry.status.version,
            entry.served.num_uses,
        )
        if not entry.served.num_uses:
            self._free(entry.served)

    def _free(self, served: ServedVersion) -> None:
        entry = self._versions[served.model][served.version]
        entry.served, entry.status = None, VersionStatus(served.version, END)
        self._has_freed = True
        self._on_free(served)
        self._unused.notify_all()
        _log.info("model %s: version %d unloaded", served.model, served.version)


def _files(folder: Path) -> object:
    """What changes when a file of a version is added, written or removed."""
    files = []
    for path in sorted((*folder.glob("*"), *folder.glob("*/*"))):
        try:
            stat = path.stat()
        except OSError:  # removed since it was listed
            continue
        files.append((path.name, stat.st_size, stat.st_mtime_ns))
    return files
