import io
import json
import unicodedata
from collections import Counter

import pytest
import sentencepiece

import ostinato.text.tokenizer
from ostinato.errors import DataError, ModelError, UserError
from ostinato.text import END, PAD, START, UNKNOWN, Tokenizer, train_sentencepiece
from ostinato.text.tokenizer import drawn


@pytest.fixture(scope="module")
def tokenizer(model):
    return Tokenizer(model)


def test_training_is_repeatable_to_the_byte(captions):
    assert train_sentencepiece(captions, 400) == train_sentencepiece(list(captions), 400)


def test_training_reads_lines_from_anything_that_yields_them(captions):
    assert train_sentencepiece(iter(captions), 400) == train_sentencepiece(captions, 400)


def test_other_text_gives_another_vocabulary(captions):
    assert train_sentencepiece(captions, 400) != train_sentencepiece(captions[:35], 400)


def test_control_pieces_have_the_ids_of_every_vocabulary(tokenizer):
    assert (PAD, START, END, UNKNOWN) == (0, 1, 2, 3)
    assert tokenizer.pieces([0, 1, 2, 3]) == ["<pad>", "<s>", "</s>", "<unk>"]
    assert tokenizer.pieces([4, 5]) == ["<en>", "<de>"]
    assert tokenizer.control_ids == [PAD, START, END, 4, 5]


def test_the_id_of_a_piece_is_where_the_piece_stands(tokenizer):
    assert [tokenizer.id_of(piece) for piece in ("</s>", "<unk>", "<de>")] == [END, UNKNOWN, 5]
    with pytest.raises(ModelError, match="no piece '<fr>'"):
        tokenizer.id_of("<fr>")


def test_the_vocabulary_is_at_most_as_large_as_asked_for(captions):
    assert Tokenizer(train_sentencepiece(captions, 400)).size == 400
    assert 256 + 4 < Tokenizer(train_sentencepiece(["one line"] * 3, 5000)).size < 300


def test_every_text_comes_back(tokenizer, hard_text):
    assert tokenizer.decode(tokenizer.encode(hard_text)) == hard_text


def test_captions_come_back(tokenizer, captions):
    assert [tokenizer.decode(tokenizer.encode(caption)) for caption in captions] == captions


@pytest.mark.parametrize("alpha", [0.1, 0.5])
def test_pieces_drawn_at_random_spell_the_same_text(tokenizer, captions, hard_texts, alpha):
    texts = [*captions, *hard_texts]
    drawn_ids = tokenizer.encode_at_random(texts, alpha, seed=3)
    assert [tokenizer.decode(ids) for ids in drawn_ids] == texts
    assert min(min(ids, default=6) for ids in drawn_ids) >= 6


def test_the_seed_decides_what_is_drawn(tokenizer, captions):
    first, again, other = (tokenizer.encode_at_random(captions, 0.2, seed=seed) for seed in (3, 3, 4))
    assert first == again
    assert sum(one != two for one, two in zip(first, other, strict=True)) > len(captions) / 2


def test_great_exponents_draw_the_most_probable_pieces_and_small_ones_more_of_them(tokenizer, captions):
    best = [tokenizer.encode(caption) for caption in captions]
    assert tokenizer.encode_at_random(captions, 1000.0, seed=3) == best
    sizes = [sum(map(len, tokenizer.encode_at_random(captions, alpha, seed=3))) for alpha in (1.0, 0.3, 0.1)]
    assert sum(map(len, best)) < sizes[0] < sizes[1] < sizes[2]


def test_no_text_is_unknown_and_none_gives_control_pieces(tokenizer, hard_text):
    assert min(tokenizer.encode(hard_text), default=6) >= 6


def test_characters_outside_the_training_text_become_their_bytes(tokenizer):
    assert tokenizer.pieces(tokenizer.encode("猫"))[-3:] == ["<0xE7>", "<0x8C>", "<0xAB>"]


def test_composed_and_decomposed_accents_stay_apart(tokenizer):
    composed, decomposed = "caf\u00e9", unicodedata.normalize("NFD", "caf\u00e9")
    assert tokenizer.encode(composed) != tokenizer.encode(decomposed)


def test_decoding_stops_at_the_first_end(tokenizer):
    ids = tokenizer.encode("a dog")
    assert tokenizer.decode([START, *ids, END, *ids, END, PAD]) == "a dog"
    assert tokenizer.decode([END, *ids]) == ""


def test_padding_and_languages_leave_no_trace(tokenizer):
    dog = tokenizer.encode("dog")
    assert tokenizer.decode([4, PAD, *dog, PAD, 5]) == "dog"


def test_the_model_is_kept_as_it_was_given(model, tmp_path):
    (tmp_path / "tokenizer.model").write_bytes(model)
    assert Tokenizer.load(tmp_path / "tokenizer.model").model == model


def test_lines_are_learned_from_however_long_they_are(captions):
    tokenizer = Tokenizer(train_sentencepiece([*captions, "ø" * 5000], 600))
    assert "<0xC3>" not in tokenizer.pieces(tokenizer.encode("ø"))


def test_of_many_lines_some_are_drawn_and_always_the_same():
    lines = [str(number) for number in range(1000)]
    assert drawn(iter(lines), 1000, seed=1) == lines
    some = drawn(iter(lines), 50, seed=1)
    assert len(set(some)) == 50
    assert set(some) < set(lines)
    assert drawn(iter(lines), 50, seed=1) == some != drawn(iter(lines), 50, seed=2)


def test_every_line_has_the_same_chance_to_be_drawn():
    counts = Counter(line for seed in range(2000) for line in drawn(iter("abcdefgh"), 3, seed))
    assert set(counts) == set("abcdefgh")
    assert all(abs(count - 750) < 5 * (2000 * 3 / 8 * 5 / 8) ** 0.5 for count in counts.values())


def test_a_vocabulary_is_learned_from_no_more_lines_than_are_to_be_held(captions, monkeypatch):
    monkeypatch.setattr(ostinato.text.tokenizer, "MAX_TRAINING_LINES", 30)
    some = train_sentencepiece(iter(captions), 350)
    assert some == train_sentencepiece(drawn(iter(captions), 30, seed=0), 350)


@pytest.mark.parametrize("lines", [[], [""], [" ", "\n", "\t "]])
def test_no_text_is_a_fault_of_the_data(lines):
    with pytest.raises(DataError, match="no text") as fault:
        train_sentencepiece(lines, 400)
    assert_is_one_sentence(fault.value)


@pytest.mark.parametrize("size", [1, 10, 270])
def test_a_vocabulary_without_room_for_the_characters_says_how_many_are_needed(captions, size):
    with pytest.raises(DataError, match=f"of {size} pieces") as fault:
        train_sentencepiece(captions, size)
    assert_is_one_sentence(fault.value)
    needed = max(int(word) for word in str(fault.value).replace(";", " ").split() if word.isdigit())
    assert Tokenizer(train_sentencepiece(captions, needed)).size == needed


@pytest.mark.parametrize("content", [b"", b"\x00", b"not a model", json.dumps({"a": 1}).encode()])
def test_other_bytes_are_no_tokenizer(content):
    with pytest.raises(ModelError) as fault:
        Tokenizer(content)
    assert_is_one_sentence(fault.value)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.9, 0.99])
def test_a_cut_off_model_is_damaged(model, share):
    with pytest.raises(ModelError):
        Tokenizer(model[: int(len(model) * share)])


def test_a_model_of_another_program_is_refused_by_its_control_ids(captions):
    foreign = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(captions), model_writer=foreign, vocab_size=100, minloglevel=2
    )
    with pytest.raises(ModelError, match=r"\(-1, 1, 2, 0\)") as fault:
        Tokenizer(foreign.getvalue())
    assert_is_one_sentence(fault.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"absent\.model") as fault:
        Tokenizer.load(tmp_path / "absent.model")
    assert_is_one_sentence(fault.value)


def assert_is_one_sentence(fault):
    assert isinstance(fault, UserError)
    assert str(fault)
    assert "\n" not in str(fault)
    assert len(str(fault)) < 250
    assert ".cc" not in str(fault)  # no place in somebody's source


def test_a_vocabulary_knows_whether_it_falls_back_on_bytes(tokenizer, captions):
    plain = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(captions),
        model_writer=plain,
        vocab_size=100,
        hard_vocab_limit=False,
        pad_id=0,
        bos_id=1,
        eos_id=2,
        unk_id=3,
        minloglevel=2,
    )
    assert tokenizer.has_byte_fallback
    assert not Tokenizer(plain.getvalue()).has_byte_fallback
