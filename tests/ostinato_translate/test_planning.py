import pytest

from ostinato.errors import InputError
from ostinato.text import Tokenizer
from ostinato_translate.planning import Planner, Sentence, batches_by_length

LONG = "one and two dogs. Three and four big houses! Five and one apples."


@pytest.fixture
def planner(prepared_numerals):
    return Planner(Tokenizer.load(prepared_numerals / "tokenizer.model"), max_pieces=20, max_source_pieces=40)


def test_a_text_is_one_sentence_as_long_as_it_is_not_longer_than_what_was_learned_from(planner):
    (sentence,) = planner.sentences(" one  and\ttwo dogs.", "de", " eins\n")
    assert (sentence.text, sentence.to, sentence.written) == ("one and two dogs.", "de", "eins")
    assert sentence.num_pieces == len(planner.tokenizer.encode("one and two dogs."))


def test_nothing_needs_no_sentence(planner):
    assert planner.sentences("", "de", "") == planner.sentences(" \u3000\n", "de", "eins") == []


def test_a_longer_text_is_split_into_sentences_and_nothing_is_lost(planner):
    sentences = planner.sentences(LONG, "fr", "")
    assert " ".join(sentence.text for sentence in sentences) == LONG
    assert len(sentences) == 3
    assert {sentence.to for sentence in sentences} == {"fr"}


def test_a_longer_sentence_that_cannot_be_split_is_one_up_to_a_limit(planner):
    text = "one and two " * 3
    (sentence,) = planner.sentences(text, "de", "eins")
    assert 20 < sentence.num_pieces <= 40
    with pytest.raises(
        InputError, match=r"a sentence of \d+ pieces \(one and two one and two .*\.\.\.\), .* 40 at most"
    ):
        planner.sentences("one and two " * 800, "de", "")
    with pytest.raises(InputError, match="40 at most"):
        planner.sentences(LONG + " one and two" * 90, "de", "")


def test_several_sentences_cannot_begin_with_one_prefix(planner):
    with pytest.raises(InputError, match="too long for a prefix; give one sentence"):
        planner.sentences(LONG, "de", "eins")


def test_batches_hold_sentences_of_like_length_and_every_sentence_once():
    sentences = [Sentence("", "de", "", num_pieces) for num_pieces in (3, 99, 1, 4, 3, 0, 7)]
    batches = list(batches_by_length(sentences, max_pieces=10))
    assert batches == [[1], [6], [3, 0], [4, 2], [5]]
    assert list(batches_by_length([], max_pieces=10)) == []
