import sys

import pytest

from ostinato.errors import UserError
from ostinato.metrics import quick_bleu
from ostinato.metrics.scorers import import_scorer, scorer_version


def test_a_missing_scorer_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu", None)  # what `import` then finds is no module
    with pytest.raises(UserError, match=r'sacrebleu.*pip install "ostinato\[train\]"'):
        import_scorer("sacrebleu")


def test_the_version_of_a_scorer_has_numbers():
    assert scorer_version("sacrebleu")[0].isdigit()


def test_translations_cannot_be_scored_without_their_scorer(monkeypatch):
    for name in ("sacrebleu", "sacrebleu.metrics"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UserError, match=r'sacrebleu.*pip install "ostinato\[train\]"'):
        quick_bleu(["a dog"], ["a dog"])
