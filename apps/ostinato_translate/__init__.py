"""Many to many: a sentence in, its translations out.

    from ostinato_translate import Translator

Importing this starts nothing; `Translator.load()` starts TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ostinato_translate.config import DecodingConfig
    from ostinato_translate.translation import Alternative, Score, Translation
    from ostinato_translate.translator import Translator

__all__ = ["Alternative", "DecodingConfig", "Score", "Translation", "Translator"]

# Imported when they are first asked for, so that `ostinato-translate --help` need not wait for NumPy.
_LATER = {
    "Alternative": "ostinato_translate.translation",
    "DecodingConfig": "ostinato_translate.config",
    "Score": "ostinato_translate.translation",
    "Translation": "ostinato_translate.translation",
    "Translator": "ostinato_translate.translator",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LATER[name]), name)
