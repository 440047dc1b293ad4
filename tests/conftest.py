"""What tests of all parts share."""

import dataclasses
from collections.abc import Iterator

import pytest


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks for the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several processes share the tests, those of one file stay together, and what they share is made once.

    End to end, files share the trainings of an application, whose name is theirs up to the second underscore.
    """
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            of_application = "_".join(item.path.stem.split("_")[:2])
            is_end_to_end = item.path.parent.name == "end_to_end"
            item.add_marker(pytest.mark.xdist_group(of_application if is_end_to_end else str(item.path)))


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
