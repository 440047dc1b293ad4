"""TensorFlow without its start-up messages."""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from types import ModuleType

from ostinato.commands.kept_memory import keep_freed_memory

# TensorFlow imports them where they are installed, and all that they import in turn (of Keras: Matplotlib). It needs
# neither to run an exported model.
_NEEDED_TO_MAKE_MODELS = ("keras", "jax")


def quiet_tensorflow(*, runs_exported: bool = False, serves: bool = False) -> ModuleType:
    """Imports TensorFlow (2 to 3 s) and returns it; standard error stays clean, unless the import fails.

    Args:
      runs_exported: True for programs that load an exported model and make none; they begin sooner. Graphs are left as
        they are: the first answer of the captioning model then comes after 0.8 s instead of 2.5 s of computing, and the
        later ones are no slower (measured with TensorFlow 2.21), since its time goes into convolutions and matrix
        products, which are the same. And TensorFlow is imported without Keras and JAX, which may be imported afterwards
        all the same: where those and Matplotlib are installed, that spares nearly half of the import.
      serves: True for a server, which gives memory back after its greatest request, as `keep_freed_memory` would not.

    TensorFlow 2.21 reports on oneDNN and on missing CUDA drivers while it is imported, whatever its log level, from
    code that writes to the file descriptor and not to `sys.stderr`. Later messages below errors are silenced by
    TF_CPP_MIN_LOG_LEVEL, unless the user has set it.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if not serves:
        keep_freed_memory()
    left_out = _NEEDED_TO_MAKE_MODELS if runs_exported else ()
    with _standard_error_on_failure(), _what_is_made_stays(), _as_if_absent(left_out):
        tensorflow = importlib.import_module("tensorflow")
    if runs_exported:
        tensorflow.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    return tensorflow


def quiet_tensorflow_for(server: str | None) -> None:
    """Imports TensorFlow for programs that use an exported model, where it will be needed.

    Args:
      server: address of the server that computes, None where this process does. Of the two kinds, only gRPC's messages
        need TensorFlow here: by HTTP, a program answers without those 3 s.
    """
    if server is None or server.startswith(("grpc:", "grpcs:")):
        quiet_tensorflow(runs_exported=True)


@contextlib.contextmanager
def _what_is_made_stays() -> Iterator[None]:
    """Keeps the garbage collector away from the million objects that are made here, none of which is garbage.

    It would walk through all of them again and again while TensorFlow is imported and models are loaded, and once more
    when Python ends: of the 7.8 s that one translation took in a process of its own, 2.6 s.
    """
    if "tensorflow" in sys.modules:
        yield
        return
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
