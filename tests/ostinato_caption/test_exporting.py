import collections
import json

import numpy as np
import pytest
import tensorflow as tf

from ostinato.errors import ConfigError, DataError, ModelError
from ostinato.export import load_model
from ostinato_caption.captioner import Captioner, request_settings
from ostinato_caption.config import DecodingConfig, SamplingConfig
from ostinato_caption.exporting import captioner_of_run, export_run, load_trained, photos_of_run, pieces_in_use
from ostinato_caption.run import Run

DECODING = DecodingConfig(beam_width=4, num_captions=2, max_length=19)


def export(learned, folder, **options):
    return export_run(
        learned,
        folder,
        decoding=DECODING,
        sample_photos=photos_of_run(learned, 3),
        metadata={"data_terms": "none"},
        model_card="# Squares\n",
        **options,
    )


@pytest.fixture(scope="module")
def version(learned, with_quick_network, proofs_in_this_process, tmp_path_factory):
    with with_quick_network():
        return export(learned, tmp_path_factory.mktemp("models") / "squares")


@pytest.fixture(scope="module")
def model(version):
    return load_model(version)


@pytest.fixture(scope="module")
def photos(learned):
    return photos_of_run(learned, 5)


def ask(model, signature, photos, **settings):
    outputs = model.signatures[signature](image_bytes=tf.constant(photos, tf.string), **settings)
    return {name: tensor.numpy() for name, tensor in outputs.items()}


def assert_equal(first, second, rows=slice(None)):
    for name, array in first.items():
        other = second[name][rows]
        if array.dtype == object:
            np.testing.assert_array_equal(array, other)
        else:
            np.testing.assert_allclose(array, other, atol=1e-4)


def test_a_version_has_its_proof_interface_tokenizer_and_card(version, model):
    assert version.name == "1"
    assert set(json.loads((version / "proof.json").read_text())["signatures"]) == set(model.signatures)
    metadata = model.interface["metadata"]
    assert metadata["application"] == "ostinato_caption"
    assert metadata["decoding"]["beam_width"] == 4
    assert metadata["attention_grid"] == [1, 1]
    assert metadata["data_terms"] == "none"
    assert (version / "model_card.md").read_text() == "# Squares\n"
    assert "tokenizer.model" in model.assets


def test_the_signatures_are_those_of_the_plan(model):
    assert set(model.signatures) == {"serving_default", "explain", "beam_search", "sample", "embed"}


def test_pieces_that_the_captions_hardly_use_may_be_left_out(
    learned, with_quick_network, proofs_in_this_process, model, photos, tmp_path
):
    every = pieces_in_use(learned, 0)
    assert every == list(range(learned.tokenizer.size))
    some = pieces_in_use(learned, 2)
    assert some[:4] == [0, 1, 2, 3]
    assert len(some) < len(every)
    captions = [learned.examples[row].captions for row in learned.rows("train")]
    used = collections.Counter(
        piece for group in captions for text in group for piece in learned.tokenizer.encode(text)
    )
    assert set(some[4:]) == {piece for piece, count in used.items() if count >= 2}
    with with_quick_network():
        shorter = load_model(export(learned, tmp_path / "squares", min_uses=2))
    assert shorter.interface["metadata"]["pieces"] == len(some)
    np.testing.assert_array_equal(
        ask(shorter, "serving_default", photos)["captions"][:, 0],
        ask(model, "serving_default", photos)["captions"][:, 0],
    )
    assert sum(weight.numpy().size for weight in shorter.weights) < sum(weight.numpy().size for weight in model.weights)


def test_leaving_out_every_piece_is_refused(learned, tmp_path):
    with pytest.raises(
        ConfigError, match=r"--min-uses 100000: no piece is used so often; the most used one is \d+ times"
    ):
        export(learned, tmp_path, min_uses=100_000)
    with pytest.raises(ConfigError, match="--min-uses -1: a number of uses is 0 or more"):
        export(learned, tmp_path, min_uses=-1)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("batch", [0, 1, 2, 3])
def test_every_output_keeps_the_batch(model, photos, batch):
    served = ask(model, "serving_default", photos[:batch])
    assert {name: array.shape for name, array in served.items()} == {"captions": (batch, 2), "scores": (batch, 2)}
    explained = ask(model, "explain", photos[:batch])
    assert explained["tokens"].shape == (batch, 2, 19)
    assert explained["attention"].shape == (batch, 2, 19, 4)
    assert ask(model, "embed", photos[:batch])["embeddings"].shape == (batch, 7)


def test_answers_are_the_same_every_time_and_whatever_the_batch(model, photos):
    together = ask(model, "explain", photos)
    assert_equal(together, ask(model, "explain", photos))
    for row, photo in enumerate(photos):
        assert_equal(ask(model, "explain", [photo]), together, slice(row, row + 1))


def test_a_request_of_more_photos_than_are_looked_at_together_is_answered_alike(model, photos):
    together = ask(model, "explain", photos * 7)  # 35
    assert_equal(ask(model, "explain", photos), together, slice(0, 5))
    assert_equal(ask(model, "explain", photos), together, slice(30, 35))
    embedded = ask(model, "embed", photos * 7)
    assert_equal(ask(model, "embed", photos), embedded, slice(30, 35))


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"beam_width": 101}, "beam_width is not within 1 and 100:"),
        ({"max_length": 2**20}, "max_length is not within 2 and 200:"),
    ],
)
def test_a_client_that_asks_for_the_memory_of_the_server_is_refused(model, photos, settings, fault):
    _, allowed = request_settings(DECODING)
    settings = {name: np.int32(value) for name, value in settings.items()}
    with pytest.raises(tf.errors.InvalidArgumentError, match=fault):
        ask(model, "beam_search", photos, **{**allowed, **settings})


def test_scores_are_sorted_and_attention_sums_to_one_where_there_are_tokens(model, photos):
    explained = ask(model, "explain", photos)
    assert (np.diff(explained["scores"], axis=1) <= 0).all()
    looked = explained["attention"].sum(axis=-1)  # -> [B, N, T]
    np.testing.assert_allclose(looked[explained["tokens"] != b""], 1, atol=1e-3)
    texts = [
        [b"".join(tokens).decode().replace("\u2581", " ").strip() for tokens in rows] for rows in explained["tokens"]
    ]
    assert texts == [[text.decode() for text in row] for row in explained["captions"]]


def test_the_fixed_signatures_are_the_search_with_the_settings_of_the_export(model, photos):
    _, settings = request_settings(DECODING)
    searched = ask(model, "beam_search", photos, **settings)
    assert_equal(ask(model, "explain", photos), searched)
    assert_equal(ask(model, "serving_default", photos), searched)


def test_a_search_takes_its_settings_from_the_caller(model, photos):
    _, settings = request_settings(DecodingConfig(beam_width=7, num_captions=6, min_length=5, max_length=9))
    searched = ask(model, "beam_search", photos, **settings)
    assert searched["captions"].shape == (5, 6)
    num_tokens = (searched["tokens"] != b"").sum(axis=-1)
    assert num_tokens.min() >= 5
    assert num_tokens.max() <= 9
    assert all(len(set(row)) > 1 for row in searched["captions"])


def test_what_is_drawn_depends_on_the_seed_and_not_on_the_place_in_the_batch(model, photos):
    def draw(batch, **sampling):
        _, settings = request_settings(DecodingConfig(num_captions=3), SamplingConfig(**sampling))
        return ask(model, "sample", batch, **settings)

    together = draw(photos, seed=7)
    assert_equal(together, draw(photos, seed=7))
    assert_equal(draw(photos[::-1], seed=7), {name: array[::-1] for name, array in together.items()})
    assert_equal(draw(photos[3:4], seed=7), together, slice(3, 4))
    assert (draw(photos, seed=8)["captions"] != together["captions"]).any()
    # The most probable piece alone, and hardly any chance: both are greedy, whatever the seed.
    greedy = draw(photos, top_k=1, seed=1)["captions"]
    assert (greedy == greedy[:, :1]).all()
    np.testing.assert_array_equal(greedy, draw(photos, temperature=1e-4, seed=2)["captions"])
    np.testing.assert_array_equal(greedy, draw(photos, top_p=1e-6, seed=3)["captions"])


def test_the_exported_model_writes_what_the_run_writes(version, learned, photos):
    exported, python = Captioner.load(version), captioner_of_run(learned)
    for ours, theirs in zip(exported.caption(photos, DECODING), python.caption(photos, DECODING), strict=True):
        assert [caption.text for caption in ours] == [caption.text for caption in theirs]
        assert [caption.score for caption in ours] == pytest.approx([caption.score for caption in theirs], abs=0.02)


def test_exporting_again_makes_the_next_version(version, learned, monkeypatch):
    monkeypatch.setattr("ostinato.export.archive.prove_in_fresh_process", lambda folder, tolerance: {})  # it was, once
    second = export(learned, version.parent)
    assert second == version.parent / "2"
    assert sorted(path.name for path in version.parent.iterdir()) == ["1", "2"]


def test_a_run_that_is_not_trained_cannot_be_exported(run, tmp_path):
    with pytest.raises(ModelError, match="holds no trained model yet; run `train` to its end first"):
        export(run, tmp_path / "models")
    with pytest.raises(ModelError, match="no trained model"):
        load_trained(run)
    assert not (tmp_path / "models").exists()


def test_settings_that_no_search_can_meet_are_refused(learned, tmp_path):
    settings = DecodingConfig(beam_width=2, num_captions=3)
    with pytest.raises(ConfigError, match="raise --beam-width to 3"):
        export_run(learned, tmp_path, decoding=settings, sample_photos=[], metadata={}, model_card=None)


def test_the_photos_of_a_run_that_was_moved_are_asked_for(run):
    run.examples_path.write_text(run.examples_path.read_text().replace("squares", "nowhere"))
    with pytest.raises(DataError, match=r"are gone; name a folder with some by --photos"):
        photos_of_run(Run(run.folder), 2)
