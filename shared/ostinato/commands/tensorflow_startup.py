"""TensorFlow without its start-up messages."""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from types import ModuleType

from ostinato.commands.kept_memory import keep_freed_memory
from ostinato.commands.lazy_package import import_lazily

# TensorFlow imports them where they are installed, and all that they import in turn (of Keras: Matplotlib). It needs
# neither to run an exported model.
_NEEDED_TO_MAKE_MODELS = ("keras", "jax")
_RUNS_FUNCTIONS = "tensorflow.python.eager.context"


def quiet_tensorflow(*, runs_exported: bool = False, serves: bool = False) -> ModuleType:
    """Imports TensorFlow (3 s) and returns it; standard error stays clean, unless the import fails.

    Args:
      runs_exported: True for programs that load an exported model and make none; they begin sooner. Graphs are left as
        they are: the first answer of the captioning model then comes after 0.8 s instead of 2.5 s of computing, and the
        later ones are no slower (measured with TensorFlow 2.21), since its time goes into convolutions and matrix
        products, which are the same. And of TensorFlow's 1,600 modules only those are imported that run stored
        functions, a hundred, in 0.8 s; the others follow when `tf.` anything is first used, which is for one thread to
        do, Keras and JAX when they are imported.
      serves: True for a server, which gives memory back after its greatest request, as `keep_freed_memory` would not.

    TensorFlow 2.21 reports on oneDNN and on missing CUDA drivers while it is imported, whatever its log level, from
    code that writes to the file descriptor and not to `sys.stderr`. Later messages below errors are silenced by
    TF_CPP_MIN_LOG_LEVEL, unless the user has set it.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if not serves:
        keep_freed_memory()
    if "tensorflow" not in sys.modules and runs_exported and not _has_plugged_in_devices():
        os.environ["TF2_BEHAVIOR"] = "1"  # as TensorFlow begins: its parts look there
        import_lazily("tensorflow", within=lambda: _importing(without=_NEEDED_TO_MAKE_MODELS))
    needed = _RUNS_FUNCTIONS if runs_exported else "tensorflow"
    if needed not in sys.modules:
        with _importing(without=_NEEDED_TO_MAKE_MODELS if runs_exported else ()):
            importlib.import_module(needed)
    if runs_exported:
        context = sys.modules[_RUNS_FUNCTIONS].context()
        context.set_optimizer_experimental_options({"disable_meta_optimizer": True})
    return sys.modules["tensorflow"]


def quiet_tensorflow_for(server: str | None) -> None:
    """Imports TensorFlow for programs that use an exported model, where it will be needed.

    Args:
      server: address of the server that computes, None where this process does. Of the two kinds, only gRPC's messages
        need TensorFlow here: by HTTP, a program answers without it.
    """
    if server is None or server.startswith(("grpc:", "grpcs:")):
        quiet_tensorflow(runs_exported=True)


def _has_plugged_in_devices() -> bool:
    """Whether TensorFlow would look for further devices while it is imported, as it does with Metal on a Mac."""
    plugged_in = importlib.util.find_spec("tensorflow-plugins") is not None
    return plugged_in or bool(os.environ.get("TF_PLUGGABLE_DEVICE_LIBRARY_PATH"))


@contextlib.contextmanager
def _importing(*, without: Iterable[str]) -> Iterator[None]:
    with _standard_error_on_failure(), _what_is_made_stays(), _as_if_absent(without):
        yield


@contextlib.contextmanager
def _what_is_made_stays() -> Iterator[None]:
    """Keeps the garbage collector away from what is made here, up to a million objects, none of which is garbage.

    It would walk through all of them again and again while TensorFlow is imported and models are loaded, and once more
    when Python ends: of the 7.8 s that one translation took in a process of its own, 2.6 s.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
        atexit.register(gc.freeze)


@contextlib.contextmanager
def _as_if_absent(packages: Iterable[str]) -> Iterator[None]:
    """Lets imports of packages fail as if they were not installed, unless they have been imported already."""
    absent = [name for name in packages if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


@contextlib.contextmanager
def _standard_error_on_failure() -> Iterator[None]:
    """Holds back what is written to file descriptor 2, and shows it only if the block raises."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as held_back:
        os.dup2(held_back.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
            if failed:
                held_back.seek(0)
                os.write(2, held_back.read())
