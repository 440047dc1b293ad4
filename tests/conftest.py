"""What tests of all parts share."""

import dataclasses
from collections.abc import Iterator

import pytest


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
