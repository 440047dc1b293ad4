"""A package whose parts can be imported without what it does when it is imported itself."""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import ModuleType
from typing import Any


def import_lazily(name: str, within: Callable[[], AbstractContextManager]) -> ModuleType:
    """Puts a package in its place that does nothing before something is asked of it, and returns it.

    The modules in its folder can be imported before that; those that it puts elsewhere, as TensorFlow does with
    `tensorflow.io`, only after it. One thread should be the first to ask: two, of which one imports what the whole
    imports too, may wait for each other.

    Args:
      name: of the package.
      within: makes the context in which the package is imported, should it come to that.

    Raises:
      ModuleNotFoundError: there is no such package.
    """
    spec = importlib.util.find_spec(name)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    package = importlib.util.module_from_spec(spec)
    package.__class__ = _LazyPackage
    vars(package)["_within"] = within
    sys.modules[name] = package
    return package


class _LazyPackage(ModuleType):
    """What is asked for first has it imported, as with `importlib.util.LazyLoader`, which submodules do not bear."""

    def __getattr__(self, name: str) -> Any:
        with _importing:  # other threads wait until all of it is there
            within = vars(self).pop("_within", None)
            if within is not None:  # else it is being imported: what it has not yet, it lacks
                try:
                    with within():
                        self.__spec__.loader.exec_module(self)  # type: ignore[union-attr]
                except BaseException:
                    vars(self)["_within"] = within
                    raise
                self.__class__ = ModuleType  # type: ignore[assignment]
            if name in vars(self):
                return vars(self)[name]
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


_importing = threading.RLock()
