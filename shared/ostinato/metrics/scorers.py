"""The field's scorers, which only people who train or evaluate need: they come with the extra `train`."""

import importlib
import importlib.metadata
from types import ModuleType

from ostinato.errors import UserError


def import_scorer(name: str) -> ModuleType:
    """Imports a module of `nltk`, `sacrebleu` or `pycocoevalcap` by its full name.

    Raises:
      UserError: the library is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        package = (error.name or name).partition(".")[0]
        raise UserError(
            f'Scoring needs the package {package}, which comes with: pip install "ostinato[train]"'
        ) from error


def scorer_version(distribution: str) -> str:
    """The installed version of a scorer, such as "2.6.0"."""
    return importlib.metadata.version(distribution)
