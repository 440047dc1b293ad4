"""METEOR and SPICE, which are Java programs: run where they can run, named as absent where not."""

import contextlib
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

from ostinato.metrics.scorers import import_scorer

# What SPICE needs beside the wheel's files. Its Python part would download it unasked, so it is looked for first.
_CORENLP_FILES = ("stanford-corenlp-3.6.0.jar", "stanford-corenlp-3.6.0-models.jar")


def meteor(hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> tuple[float | None, str]:
    """METEOR 1.5 of tokenised captions (Denkowski and Lavie 2014).

    Returns:
      the score, 0 to 100, or None; and the entry of the signature line, which says why where it is None.
    """
    if shutil.which("java") is None:
        return None, "absent (no Java)"
    module = import_scorer("pycocoevalcap.meteor.meteor")
    if not finds_its_data(_folder(module)):
        return None, "absent (a space or foreign letter in the path of its package)"
    scorer = module.Meteor()
    try:
        score, _ = scorer.compute_score(*_by_number(hypotheses, references))
    except (OSError, ValueError):  # it died, or answered something that is no number
        return None, "absent (Java failed)"
    finally:
        _end(scorer)
    return 100.0 * score, "1.5"


def spice(hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> tuple[float | None, str]:
    """SPICE 1.0 of tokenised captions (Anderson et al. 2016); returns what `meteor` returns."""
    if shutil.which("java") is None:
        return None, "absent (no Java)"
    module = import_scorer("pycocoevalcap.spice.spice")
    if not all((_folder(module) / "lib" / name).is_file() for name in _CORENLP_FILES):
        return None, "absent (no CoreNLP models)"
    try:
        score, _ = module.Spice().compute_score(*_by_number(hypotheses, references))
    except (OSError, subprocess.CalledProcessError):  # no room to write, or a Java too new for it
        return None, "absent (Java failed)"
    return 100.0 * float(score), "1.0"


def finds_its_data(folder: Path) -> bool:
    """True where METEOR runs in a folder: it quotes the address of its own data twice, so that nothing may need it."""
    return quote(str(folder), safe="/!$&'()*+,:;=@~") == str(folder)


def _end(scorer: Any) -> None:
    """Ends METEOR's process for good: its own destructor waits for ever after a failure, and leaves pipes open."""
    if scorer.lock.locked():
        scorer.lock.release()
    scorer.meteor_p.kill()
    scorer.meteor_p.wait()
    for pipe in (scorer.meteor_p.stdin, scorer.meteor_p.stdout, scorer.meteor_p.stderr):
        with contextlib.suppress(BrokenPipeError):  # of what the dead process has not read
            pipe.close()


def _folder(module: ModuleType) -> Path:
    assert module.__file__ is not None  # it was imported from a file
    return Path(module.__file__).resolve().parent


def _by_number(
    hypotheses: Sequence[str], references: Sequence[Sequence[str]]
) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    """The scorers' form: references, then hypotheses, both by the number of the example."""
    return (
        {number: list(texts) for number, texts in enumerate(references)},
        {number: [text] for number, text in enumerate(hypotheses)},
    )
