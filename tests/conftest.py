"""What tests of all parts share."""

import contextlib
import dataclasses
import gc
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

# Networks as small as these are computed in less time than it takes to share them out, and there is a process for each
# core. Read where TensorFlow and NumPy begin; processes that tests start do likewise.
for name in ("TF_NUM_INTEROP_THREADS", "TF_NUM_INTRAOP_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")


def pytest_collection_finish() -> None:
    """Spares the tests what takes time and finds nothing.

    Graphs are run as they are written, as where `predict` runs them: to optimise each that is traced for one or two
    small requests takes longer than to answer them. Processes that tests start, those of proofs among them, optimise.
    And the garbage collector need not walk through all that was imported again and again, nor look for garbage every
    few operations of a graph that is being traced.
    """
    if tensorflow := sys.modules.get("tensorflow"):
        tensorflow.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


# Their tests share what takes seconds to make: trained runs, exported models.
SHARING = ("tests/ostinato_caption", "tests/ostinato_gesture", "tests/ostinato_translate", "tests/ostinato_video")
# What takes long is begun first, so that all processes come to an end at about the same time.
LONG = (*SHARING, "tests/conformance", "tests/end_to_end", "tests/training")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the folders that take long before the others, and leaves the order as it is otherwise."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Gives a folder whose tests share much to one process, where xdist would go file by file."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class ByWhatIsShared(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return next((folder for folder in SHARING if file.startswith(f"{folder}/")), file)

    return ByWhatIsShared(config, log)


@contextlib.contextmanager
def eager_tensorflow() -> Iterator[None]:
    """Runs functions without making graphs of them."""
    import tensorflow

    tensorflow.config.run_functions_eagerly(True)
    try:
        with warnings.catch_warnings():
            # that it does not apply to tf.data: quite so
            warnings.filterwarnings("ignore", message="Even though the `tf.config")
            yield
    finally:
        tensorflow.config.run_functions_eagerly(False)


@pytest.fixture(scope="session")
def eagerly() -> Callable[[], AbstractContextManager[None]]:
    """For fixtures that outlive a test: tracing graphs takes most of the time of a training that is tiny."""
    return eager_tensorflow


@pytest.fixture
def eager() -> Iterator[None]:
    """Without graphs for the time of a test."""
    with eager_tensorflow():
        yield


@pytest.fixture(scope="module")
def proofs_in_this_process() -> Iterator[None]:
    """Exports are proved here: to start TensorFlow for each of them would take seconds.

    That a proof runs in a fresh process, and what it sees there, is tested in `export`, `conformance` and `end_to_end`.
    """
    from ostinato.export import archive
    from ostinato.export.proof import prove

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            archive, "prove_in_fresh_process", lambda folder, tolerance: dataclasses.asdict(prove(folder, tolerance))
        )
        yield
