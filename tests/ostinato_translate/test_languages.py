import pytest

from ostinato.errors import ModelError
from ostinato.text import Tokenizer, train_sentencepiece
from ostinato_translate.languages import language_code, language_ids, language_token


@pytest.mark.parametrize(
    ("name", "code"),
    [("de", "de"), (" EN ", "en"), ("pt_BR", "pt-br"), ("zh-Hant-TW", "zh-hant-tw"), ("ckb", "ckb")],
)
def test_a_code_has_one_form(name, code):
    assert language_code(name) == code


@pytest.mark.parametrize("name", ["", "e", "german", "d3", "de-", "de-x", "de fr", "txt.gz", "dé"])
def test_what_has_not_the_form_of_a_code_is_none(name):
    assert language_code(name) is None


def test_languages_are_asked_for_by_control_pieces_of_the_vocabulary():
    languages = ("cs", "de", "pt-br")
    tokens = [language_token(language) for language in languages]
    assert tokens == ["<2cs>", "<2de>", "<2pt-br>"]
    tokenizer = Tokenizer(train_sentencepiece(["a few words", "and <2de> more"], 300, control_symbols=tokens))
    assert language_ids(tokenizer, languages[::-1]) == [6, 5, 4]
    assert not {4, 5, 6} & set(tokenizer.encode("<2de> <2cs>"))  # they never arise from text
    with pytest.raises(ModelError, match="no piece '<2fr>'"):
        language_ids(tokenizer, ["de", "fr"])
