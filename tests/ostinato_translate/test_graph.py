"""What a graph writes with: the pieces of a language, and those of a prefix."""

import numpy as np
import pytest
import tensorflow as tf

from ostinato.text.graph import GraphTokenizer
from ostinato_translate.config import DecodingConfig
from ostinato_translate.exporting import load_trained
from ostinato_translate.graph import TranslationGraph
from ostinato_translate.model import make_control

TEXT, TRANSLATION = "two and three dogs.", "zwei und drei Hunde."
SETTINGS = {"beam_width": 3, "patience": 1.0, "num_translations": 1, "max_length_ratio": 2.0, "length_penalty": 1.0}


@pytest.fixture(scope="module")
def graph_without(learned):
    """Gives a graph that writes German without some pieces."""
    model, tokenizer = load_trained(learned), learned.tokenizer

    def make(*left_out):
        return TranslationGraph(
            model,
            GraphTokenizer(tokenizer.model),
            make_control(tokenizer),
            languages={"de": learned.language_ids[0]},
            written={"de": np.setdiff1d(np.arange(tokenizer.size), left_out)},
            max_source_pieces=99,
            decoding=DecodingConfig(),
        )

    return make


@pytest.fixture(scope="module")
def own_piece(learned):
    """The longest piece of the word for dogs, which no other German word has."""
    ids = learned.tokenizer.encode(TRANSLATION)
    others = learned.tokenizer.encode("zwei und drei")
    return max(set(ids) - set(others), key=lambda piece: len(learned.tokenizer.pieces([piece])[0]))


def translate(graph, prefix=""):
    settings = {name: tf.constant(value) for name, value in SETTINGS.items()}
    found = graph.beam_search(tf.constant([TEXT]), tf.constant(["de"]), tf.constant([prefix]), **settings)
    return found["pieces"].numpy()[0, 0], found["translations"].numpy()[0, 0].decode()


def test_a_piece_that_the_language_is_not_written_with_is_not_written(graph_without, learned, own_piece):
    piece = learned.tokenizer.pieces([own_piece])[0].encode()
    pieces, text = translate(graph_without())
    assert text == TRANSLATION
    assert piece in pieces
    pieces, text = translate(graph_without(own_piece))
    assert piece not in pieces
    assert text.startswith("zwei und drei")


def test_a_prefix_may_have_any_piece(graph_without, own_piece):
    assert translate(graph_without(own_piece), prefix=TRANSLATION)[1].startswith(TRANSLATION)


def test_probabilities_are_among_the_pieces_of_the_language(graph_without, own_piece):
    arguments = tf.constant([TEXT]), tf.constant(["de"]), tf.constant(["zwei und drei"])
    most = tf.constant(100)
    among_all = graph_without().next_pieces(*arguments, most)
    among_others = graph_without(own_piece).next_pieces(*arguments, most)
    log_probs = dict(zip(among_all["pieces"].numpy()[0], among_all["log_probs"].numpy()[0], strict=True))
    missing = set(among_all["pieces"].numpy()[0][:3]) - set(among_others["pieces"].numpy()[0])
    assert len(missing) == 1  # the best one, with which nearly all of the probability goes to the others
    first, log_prob = among_others["pieces"].numpy()[0, 0], among_others["log_probs"].numpy()[0, 0]
    assert log_prob == pytest.approx(log_probs[first] - np.log1p(-np.exp(log_probs[missing.pop()])), abs=1e-3)


def test_a_translation_that_is_scored_may_have_any_piece(graph_without, own_piece):
    arguments = tf.constant([TEXT]), tf.constant(["de"]), tf.constant([TRANSLATION])
    among_all, among_others = graph_without().score(*arguments), graph_without(own_piece).score(*arguments)
    np.testing.assert_allclose(among_others["log_probs"], among_all["log_probs"], rtol=1e-4)
