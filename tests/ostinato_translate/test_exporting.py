import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from ostinato.errors import ConfigError, DataError, ModelError
from ostinato.export import load_model
from ostinato_translate.config import DecodingConfig
from ostinato_translate.exporting import export_run, load_trained, samples_of_run, translator_of_run
from ostinato_translate.run import Run
from ostinato_translate.translator import Translator, request_settings

DECODING = DecodingConfig(beam_width=3, num_translations=2, coverage_penalty=0.1, max_length_ratio=1.0)
TEXTS = ["two and three dogs.", "one and five big houses.", "one and four apples.", "un et deux chiens.", "four apples"]
TARGETS = ["de", "fr", "fr", "de", "de"]


@pytest.fixture(scope="module")
def version(learned, proofs_in_this_process, tmp_path_factory):
    return export_run(
        learned,
        tmp_path_factory.mktemp("models") / "numerals",
        decoding=DECODING,
        samples=samples_of_run(learned, 3),
        metadata={"data_terms": "none"},
        model_card="# Numerals\n",
    )


@pytest.fixture(scope="module")
def model(version):
    return load_model(version)


def ask(model, signature, text=TEXTS, target_language=TARGETS, **inputs):
    inputs = {"text": text, "target_language": target_language, **inputs}
    settings = {name: value for name, value in inputs.items() if isinstance(value, np.ndarray)}
    strings = {name: tf.constant(value, tf.string) for name, value in inputs.items() if name not in settings}
    return {name: tensor.numpy() for name, tensor in model.signatures[signature](**strings, **settings).items()}


def assert_equal(alone, together, row):
    """What an item gives alone and beside others, which may have made the outputs longer."""
    for name, array in alone.items():
        other = together[name][row : row + 1]
        common = tuple(slice(0, min(sizes)) for sizes in zip(array.shape, other.shape, strict=True))
        if array.dtype == object:
            np.testing.assert_array_equal(array[common], other[common])
        else:
            np.testing.assert_allclose(array[common], other[common], atol=1e-4)


def test_a_version_has_its_proof_interface_tokenizer_and_card(version, model, learned):
    assert version.name == "1"
    assert set(json.loads((version / "proof.json").read_text())["signatures"]) == set(model.signatures)
    metadata = model.metadata
    assert metadata["application"] == "ostinato_translate"
    assert metadata["languages"] == ["de", "en", "fr"]
    assert metadata["directions"] == [["en", "de"], ["en", "fr"], ["fr", "de"]]
    assert metadata["decoding"]["beam_width"] == 3
    assert (metadata["max_pieces"], metadata["max_source_pieces"]) == (100, 200)
    assert metadata["data_terms"] == "none"
    assert metadata["network"]["units"] == 36
    assert (version / "model_card.md").read_text() == "# Numerals\n"
    assert model.assets["tokenizer.model"].read_bytes() == learned.tokenizer.model


def test_the_signatures_are_those_of_the_plan(model):
    inputs = {name: list(each["inputs"]) for name, each in model.interface["signatures"].items()}
    assert inputs["serving_default"] == inputs["explain"] == ["target_language", "text"]
    assert inputs["score"] == ["target_language", "text", "translation"]
    assert inputs["alternatives"] == ["prefix", "target_language", "text"]
    assert set(inputs) == {"serving_default", "explain", "score", "alternatives", "beam_search", "next_pieces"}


@pytest.mark.parametrize("batch", [0, 1, 3])
def test_every_output_keeps_the_batch(model, batch):
    of = {"text": TEXTS[:batch], "target_language": TARGETS[:batch]}
    served = ask(model, "serving_default", **of)
    assert {name: array.shape for name, array in served.items()} == {"translations": (batch, 2), "scores": (batch, 2)}
    explained = ask(model, "explain", **of)
    length, places = explained["pieces"].shape[2], explained["source_pieces"].shape[1]
    assert explained["attention"].shape == (batch, 2, length, places)
    scored = ask(model, "score", **of, translation=["x"] * batch)
    assert [scored[name].shape for name in ("log_probs", "scores", "num_pieces")] == [(batch,)] * 3
    alternatives = ask(model, "alternatives", **of, prefix=["x"] * batch)
    assert [alternatives[name].shape for name in ("pieces", "texts", "log_probs")] == [(batch, 5)] * 3


def test_what_was_learned_by_heart_is_written_in_the_language_that_is_asked_for(model):
    translations = ask(model, "serving_default")["translations"][:4, 0]
    assert [text.decode() for text in translations] == [
        "zwei und drei Hunde.",
        "un et cinq grandes maisons.",
        "un et quatre pommes.",
        "eins und zwei Hunde.",
    ]


@pytest.mark.parametrize("signature", ["explain", "score", "alternatives"])
def test_every_item_gives_beside_others_what_it_gives_alone(model, signature):
    more = {"score": "translation", "alternatives": "prefix"}.get(signature)
    words = ["zwei und", "", "un et quatre pommes", "x", "vier Äpfel in der Ferne"]
    together = ask(model, signature, **({more: words} if more else {}))
    for row in range(len(TEXTS)):
        own = {more: words[row : row + 1]} if more else {}
        alone = ask(model, signature, TEXTS[row : row + 1], TARGETS[row : row + 1], **own)
        assert_equal(alone, together, row)


def test_a_request_of_more_texts_than_are_translated_together_is_answered_alike(model):
    alone = ask(model, "explain")
    together = ask(model, "explain", TEXTS * 30, TARGETS * 30)  # 150
    for row, text in enumerate(alone["translations"]):
        assert (together["translations"][row::5] == text).all()
    np.testing.assert_allclose(together["scores"][145:], alone["scores"], atol=1e-4)
    np.testing.assert_allclose(together["attention"][145:], alone["attention"], atol=1e-4)


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"beam_width": 101}, "beam_width is not within 1 and 100:"),
        ({"max_length_ratio": np.inf}, "max_length_ratio is not within 0.01 and 20:"),
    ],
)
def test_a_client_that_asks_for_the_memory_of_the_server_is_refused(model, settings, fault):
    allowed = request_settings(DECODING)
    settings = {name: np.asarray(value, allowed[name].dtype) for name, value in settings.items()}
    with pytest.raises(tf.errors.InvalidArgumentError, match=fault):
        ask(model, "beam_search", prefix=[""] * 5, **{**allowed, **settings})


def test_the_attention_of_each_piece_is_spread_over_its_own_source(model):
    explained = ask(model, "explain")
    looked = explained["attention"].sum(axis=-1)  # -> [B, N, T]
    np.testing.assert_allclose(looked[explained["pieces"] != b""], 1, atol=1e-3)
    is_padding = explained["source_pieces"] == b""
    assert is_padding.any()
    assert not explained["attention"].transpose(0, 3, 1, 2)[is_padding].any()
    assert explained["source_pieces"][0][~is_padding[0]][-1] == b"</s>"


def test_a_search_takes_its_settings_from_the_caller(model):
    settings = request_settings(DecodingConfig(beam_width=7, num_translations=6, no_repeat_ngram=2))
    searched = ask(model, "beam_search", prefix=["zwei", "", "deux", "", ""], **settings)
    assert searched["translations"].shape == (5, 6)
    assert all(text.startswith(b"zwei") for text in searched["translations"][0])
    assert all(text.startswith(b"deux") for text in searched["translations"][2])
    fixed = ask(model, "beam_search", prefix=[""] * 5, **request_settings(DECODING))
    np.testing.assert_array_equal(fixed["translations"], ask(model, "serving_default")["translations"])


def test_a_found_translation_scores_as_it_was_found(model):
    settings = request_settings(DECODING)
    found = ask(model, "beam_search", prefix=[""] * 5, **settings)
    scored = ask(model, "score", translation=list(found["translations"][:, 0]))
    np.testing.assert_allclose(scored["log_probs"], found["log_probs"][:, 0], atol=1e-4)
    np.testing.assert_allclose(scored["scores"], found["scores"][:, 0], atol=1e-4)
    np.testing.assert_array_equal(scored["num_pieces"], (found["pieces"][:, 0] != b"").sum(axis=-1) + 1)


def test_alternatives_are_the_most_probable_ways_to_go_on(model):
    found = ask(model, "alternatives", TEXTS[:1], ["de"], prefix=["zwei und"])
    assert found["texts"][0, 0].decode().startswith("zwei und d")
    assert (np.diff(found["log_probs"]) <= 0).all()
    assert [text.decode() for text in found["texts"][0] if text == b"zwei und"] == ["zwei und"] * (
        found["pieces"][0].tolist().count(b"</s>")
    )


def test_the_translation_of_an_empty_text_is_empty(model):
    served = ask(model, "serving_default", ["", "two and three dogs.", " \n"], ["de", "de", "fr"])
    assert served["translations"][:, 0].tolist() == [b"", b"zwei und drei Hunde.", b""]


def test_the_graph_normalises_as_far_as_it_can(model):
    untidy = ask(model, "serving_default", ["two\u00a0and  three\tdogs. "], ["de"])
    assert untidy["translations"][0, 0].decode() == "zwei und drei Hunde."


@pytest.mark.parametrize("language", ["en", "xx", "", "DE"])
def test_a_language_that_the_model_does_not_write_fails_with_those_that_it_does(model, language):
    for signature, more in (("serving_default", {}), ("score", {"translation": ["a", "b"]})):
        with pytest.raises(tf.errors.InvalidArgumentError, match="a target language is none of de, fr"):
            ask(model, signature, TEXTS[:2], ["de", language], **more)


def test_a_text_that_is_too_long_fails_and_is_not_cut_off(model):
    with pytest.raises(tf.errors.InvalidArgumentError, match="more than 200 pieces; split it into sentences"):
        ask(model, "serving_default", ["one", "one " * 300], ["de", "de"])


def test_the_exported_model_writes_what_the_run_writes(version, learned):
    exported, python = Translator.load(version), translator_of_run(learned)
    assert (python.languages, python.directions) == (exported.languages, exported.directions)
    pairs = zip(exported.translate(TEXTS[:3], "de"), python.translate(TEXTS[:3], "de", decoding=DECODING), strict=True)
    for ours, theirs in pairs:
        assert [each.text for each in ours][:1] == [each.text for each in theirs][:1]
        assert ours[0].score == pytest.approx(theirs[0].score, abs=0.02)


def test_samples_come_from_the_validation_rows_in_all_directions(learned):
    samples = samples_of_run(learned, 5)
    assert [sample.target_language for sample in samples] == ["de", "fr", "de", "de", "fr"]
    assert samples[2].text.split()[1] == "et"
    with pytest.raises(DataError, match="has 5 validation sentences for samples, not 7"):
        samples_of_run(learned, 7)


def test_a_run_that_is_not_trained_cannot_be_exported(run):
    with pytest.raises(ModelError, match="holds no trained model yet; run `train` to its end first"):
        load_trained(run)


def test_settings_that_no_search_can_meet_are_refused(learned, tmp_path):
    settings = DecodingConfig(beam_width=2, num_translations=3)
    with pytest.raises(ConfigError, match="raise --beam-width to 3"):
        export_run(learned, tmp_path, decoding=settings, samples=[], metadata={}, model_card=None)


def test_an_encoder_that_saw_a_gpu_is_exported_for_any_processor(learned, tmp_path):
    run = Run(shutil.copytree(learned.folder, tmp_path / "run"))
    lstms = [layer for layer in load_trained(run)._flatten_layers() if hasattr(layer, "use_cudnn")]
    assert len(lstms) == 4
    assert not any(layer.use_cudnn for layer in lstms)
