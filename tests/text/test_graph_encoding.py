import numpy as np
import pytest
import sentencepiece
import tensorflow as tf
from sentencepiece.sentencepiece_model_pb2 import ModelProto  # type: ignore[attr-defined]  # generated code

from ostinato.errors import ModelError
from ostinato.text import normalise, train_sentencepiece
from ostinato.text.graph import GraphTokenizer

SENTENCES = """\
Two dogs run through the deep snow.
A young man in a blue shirt is standing on a ladder, cleaning a window.
An older woman sells flowers (and fruit) at the market; nobody buys any.
Children play football in the park while their mothers talk.
Zwei Hunde rennen durch den tiefen Schnee.
Ein junger Mann in einem blauen Hemd steht auf einer Leiter und putzt ein Fenster.
Eine ältere Frau verkauft Blumen auf dem Markt, größtenteils Veilchen.
Während ihre Mütter reden, spielen die Kinder im Park Fußball.
Deux chiens courent dans la neige épaisse.
Un jeune homme en chemise bleue est debout sur une échelle et nettoie une fenêtre.
Une femme âgée vend des fleurs au marché, là où l'on s'arrête à peine.
Des garçons jouent au football pendant que leurs mères parlent.
Dva psi běží hlubokým sněhem.
Mladý muž v modré košili stojí na žebříku a čistí okno.
Starší žena prodává na trhu květiny, především fialky.
Děti si hrají v parku s míčem, zatímco jejich matky mluví.
""".splitlines()

HARDER_TEXTS = [
    "   ",
    "\u2581",
    " \u2581\u2581 a\u2581b",
    "<2de> <pad><s></s><unk>",
    "<0x41><0xE7>",
    "\n",
    "\x00",
    "\ufeffa",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen",
    "Ein Mann läuft am Strand. " * 400,  # 10,000 characters
]


@pytest.fixture(scope="module")
def corpus():
    """Sentences in four languages, and as many whose words stand together in none."""
    words = [word for sentence in SENTENCES for word in sentence.split()]
    generator = np.random.default_rng(1)
    mixed = [" ".join(generator.choice(words, generator.integers(1, 25))) for _ in range(500)]
    return SENTENCES + [normalise(sentence) for sentence in mixed]


@pytest.fixture(scope="module")
def multilingual(corpus):
    return train_sentencepiece(corpus, 600, control_symbols=["<2de>", "<2en>"])


@pytest.fixture(scope="module")
def without_bytes(multilingual):
    return changed(multilingual, keep=lambda piece: not piece.startswith("<0x"))


def changed(model, keep=lambda _: True, pieces=None):
    """A model with some pieces left out and, if given, others in place of all that are learned."""
    proto = ModelProto.FromString(model)
    kept = [piece for piece in proto.pieces if keep(piece.piece) and (pieces is None or piece.type != piece.NORMAL)]
    del proto.pieces[:]
    proto.pieces.extend(kept)
    for piece, score in (pieces or {}).items():
        proto.pieces.add(piece=piece, score=score)
    proto.trainer_spec.byte_fallback = any(piece.type == piece.BYTE for piece in proto.pieces)
    return proto.SerializeToString()


def assert_agreement(model, texts):
    reference = sentencepiece.SentencePieceProcessor(model_proto=model)
    ids = GraphTokenizer(model).encode(texts)
    assert ids.dtype == tf.int32
    for text, row in zip(texts, ids.to_list(), strict=True):
        assert row == reference.encode(text), text


def test_four_languages_agree_with_the_reference_piece_for_piece(multilingual, corpus):
    assert_agreement(multilingual, corpus)


def test_hard_texts_agree(multilingual, model, without_bytes, hard_texts):
    for vocabulary in (multilingual, model, without_bytes):
        assert_agreement(vocabulary, [*hard_texts, *HARDER_TEXTS])


def test_each_text_alone_is_encoded_as_in_a_batch(multilingual, hard_texts):
    encode = GraphTokenizer(multilingual).encode
    texts = [*hard_texts, *HARDER_TEXTS]
    assert [encode([text]).to_list()[0] for text in texts] == encode(texts).to_list()


def test_bytes_that_are_no_text_agree(multilingual, without_bytes):
    parts = [
        b"\xff",
        b"\xe6",
        b"\xbc",
        b"\xa2",
        b"\xf0\x9f",
        b"\x99\x82",
        b"\xed\xa0\x80",
        b"\xc0\x80",
        b"\xf4\x90\x80",
    ]
    parts += [b"a", b" ", b"\n", b"\x00", "\ufffd".encode(), "é".encode(), "漢".encode(), "🙂".encode()]
    generator = np.random.default_rng(2)
    texts = [b"".join(generator.choice(np.array(parts, object), generator.integers(9))) for _ in range(2000)]
    for vocabulary in (multilingual, without_bytes):
        assert_agreement(vocabulary, texts)


def test_runs_of_unknown_characters_are_one_unknown_piece(without_bytes):
    ids = GraphTokenizer(without_bytes).encode(["猫猫猫", "猫 猫猫", "a猫", "猫", "猫"]).to_list()
    reference = sentencepiece.SentencePieceProcessor(model_proto=without_bytes)
    assert [reference.id_to_piece(row).count("<unk>") for row in ids] == [1, 2, 1, 1, 1]


@pytest.mark.parametrize(
    "score",
    [
        lambda generator, piece: -float(generator.integers(1, 4)),  # sums are equal
        lambda generator, piece: -0.1 * len(piece),  # sums are equal but for rounding
        lambda generator, piece: -float(generator.integers(1, 30)) * 0.1,
        lambda generator, piece: -float(generator.uniform(0.1, 13)),
    ],
    ids=["whole", "by length", "tenths", "any"],
)
def test_random_vocabularies_agree_on_random_texts_and_on_ties(multilingual, score):
    generator = np.random.default_rng(3)
    for trial in range(4):
        alphabet = list("ab\u2581é猫🙂")[: 2 + trial]
        drawn = ["".join(generator.choice(alphabet, generator.integers(1, 7))) for _ in range(9 + 12 * trial)]
        pieces = {piece: score(generator, piece) for piece in drawn}
        vocabulary = changed(
            multilingual, keep=lambda piece, trial=trial: trial % 2 or piece[:3] != "<0x", pieces=pieces
        )
        drawn = [generator.choice([*alphabet, " ", "x"], generator.choice([3, 20, 150])) for _ in range(60)]
        assert_agreement(vocabulary, ["".join(text) for text in drawn])


def test_no_texts_have_no_ids(multilingual):
    assert GraphTokenizer(multilingual).encode(tf.zeros([0], tf.string)).to_list() == []
    assert GraphTokenizer(multilingual).encode(["", ""]).to_list() == [[], []]


def test_what_is_encoded_is_decoded(multilingual, hard_texts):
    graph = GraphTokenizer(multilingual)
    texts = [*hard_texts, *SENTENCES, *HARDER_TEXTS[:1], *HARDER_TEXTS[3:]]
    assert [text.decode() for text in graph.decode(graph.encode(texts).to_tensor()).numpy()] == texts


@pytest.mark.parametrize(
    ("fault", "change"),
    [
        ("no unigram", lambda proto: setattr(proto.trainer_spec, "model_type", proto.trainer_spec.BPE)),
        ("normalises", lambda proto: setattr(proto.normalizer_spec, "remove_extra_whitespaces", True)),
        ("spaces", lambda proto: setattr(proto.normalizer_spec, "escape_whitespaces", False)),
        ("behind", lambda proto: setattr(proto.trainer_spec, "treat_whitespace_as_suffix", True)),
        ("user-defined", lambda proto: setattr(proto.pieces[-1], "type", proto.SentencePiece.USER_DEFINED)),
    ],
)
def test_models_that_do_more_are_refused(multilingual, fault, change):
    proto = ModelProto.FromString(multilingual)
    change(proto)
    graph = GraphTokenizer(proto.SerializeToString())  # which can still decode
    with pytest.raises(ModelError, match=fault):
        graph.encode(["a"])


def test_a_text_without_the_space_before_it_agrees(multilingual, corpus):
    proto = ModelProto.FromString(multilingual)
    proto.normalizer_spec.add_dummy_prefix = False
    assert_agreement(proto.SerializeToString(), ["", " ", *corpus[:40]])
