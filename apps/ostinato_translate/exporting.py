"""A trained run to a SavedModel that takes texts and answers with their translations."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from ostinato.config import read_config
from ostinato.errors import DataError
from ostinato.export import Sample, export_model, unexported_model
from ostinato.layers import EncoderDecoder
from ostinato.text import normalise
from ostinato.text.graph import GraphTokenizer
from ostinato.training import load_weights
from ostinato_translate.config import DecodingConfig, TrainConfig, network_settings
from ostinato_translate.graph import NUM_ALTERNATIVES, TranslationGraph
from ostinato_translate.model import make_control, make_model
from ostinato_translate.run import Run
from ostinato_translate.train import choose_directions
from ostinato_translate.translator import Translator
from ostinato_translate.written_pieces import WRITTEN_PIECES, WrittenPieces, to_bytes, written_pieces

# How much longer a sentence may be than any that the network learned from. Beyond it translations lose their thread.
_LONGER_THAN_LEARNED = 2


@dataclasses.dataclass(frozen=True)
class SampleSentence:
    """A sentence that the proof and a server's warm-up translate."""

    text: str
    target_language: str
    translation: str
    """what `score` scores; its first word is the prefix of others"""


def load_trained(run: Run) -> EncoderDecoder:
    """Returns the network of a completed run, computing in float32 with what every processor has.

    Raises:
      ModelError: training is not complete.
    """
    run.check_trained()
    model = make_model(_train_config(run), run.tokenizer.size)
    load_weights(run.model_path, model)
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.LSTM):
            layer.use_cudnn = False  # where a GPU is seen, the graph would need one
    return model


def export_run(
    run: Run,
    output: Path,
    *,
    decoding: DecodingConfig,
    samples: Sequence[SampleSentence],
    metadata: Mapping[str, Any],
    model_card: str | None,
) -> Path:
    """Writes the next version of a model after its proof.

    Args:
      run: a completed run.
      output: folder of all versions, such as `saved_models/translate`.
      decoding: settings of the fixed signatures, and defaults of the others.
      samples: two or more different sentences whose translations the proof compares.
      metadata: further facts for `interface.json`: scores, terms of the data.
      model_card: text of `model_card.md`, or None.

    Returns:
      The version's folder.

    Raises:
      ModelError: training is not complete, or the proof failed; then nothing is left behind.
      ConfigError: the search is to return more translations than it keeps.
    """
    decoding.check_search()
    model, pieces = load_trained(run), written_pieces(run)
    graph = _graph(run, model, decoding, pieces)
    endpoints = graph.endpoints()
    return export_model(
        output,
        model,
        endpoints,
        [
            Sample(endpoint.name, _request([spec.name for spec in endpoint.specs], samples, decoding))
            for endpoint in endpoints
        ],
        assets={"tokenizer.model": run.tokenizer.model, WRITTEN_PIECES: to_bytes(pieces)},
        metadata={**_facts(run, decoding), **metadata},
        model_card=model_card,
    )


def translator_of_run(run: Run) -> Translator:
    """Returns a translator with the network of a completed run, which has not been exported."""
    decoding = DecodingConfig()
    graph = _graph(run, load_trained(run), decoding, written_pieces(run))
    assets = {"tokenizer.model": run.tokenizer_path}
    return Translator(
        unexported_model(run.folder, graph.endpoints(), graph, metadata=_facts(run, decoding), assets=assets)
    )


def samples_of_run(run: Run, number: int) -> list[SampleSentence]:
    """Returns validation sentences of a run, in all its directions by turns.

    Raises:
      DataError: there are not so many.
    """
    samples = list(itertools.islice(_samples(run), number))
    if len(samples) < number:
        raise DataError(f"{run.folder} has {len(samples)} validation sentences for samples, not {number}; prepare more")
    return samples


def _samples(run: Run) -> Iterator[SampleSentence]:
    directions = itertools.cycle(_directions(run))
    for row, (source, target) in zip(run.dev_rows, directions, strict=False):
        if source in row and target in row:
            yield SampleSentence(normalise(row[source]), target, normalise(row[target]))


def _request(names: Sequence[str], samples: Sequence[SampleSentence], decoding: DecodingConfig) -> dict[str, Any]:
    """Returns the inputs of those names; of two samples, one has a prefix."""
    inputs: dict[str, Any] = {
        "text": [sample.text for sample in samples],
        "target_language": [sample.target_language for sample in samples],
        "translation": [sample.translation for sample in samples],
        "prefix": [sample.translation.split(" ")[0] if place % 2 else "" for place, sample in enumerate(samples)],
        "num_alternatives": NUM_ALTERNATIVES,
        **dataclasses.asdict(decoding),
    }
    return {name: inputs[name] for name in names}


def _graph(run: Run, model: EncoderDecoder, decoding: DecodingConfig, written: WrittenPieces) -> TranslationGraph:
    ids = dict(zip(run.languages, run.language_ids, strict=True))
    targets = {target for _, target in _directions(run)}
    return TranslationGraph(
        model,
        GraphTokenizer(run.tokenizer.model),
        # Unknown pieces may be written where the vocabulary needs them: the source says what stands in their places.
        make_control(run.tokenizer, may_write_unknown=not run.tokenizer.has_byte_fallback),
        languages={language: ids[language] for language in run.languages if language in targets},
        written=written,
        max_source_pieces=_max_source_pieces(run),
        decoding=decoding,
    )


def _facts(run: Run, decoding: DecodingConfig) -> dict[str, Any]:
    """What whoever uses the model has to know, for interface.json."""
    return {
        "application": "ostinato_translate",
        "languages": list(run.languages),
        "directions": [list(direction) for direction in _directions(run)],
        "decoding": dataclasses.asdict(decoding),
        "max_pieces": run.prepare_config.max_pieces,
        "max_source_pieces": _max_source_pieces(run),
        "network": network_settings(_train_config(run)),
    }


def _max_source_pieces(run: Run) -> int:
    return _LONGER_THAN_LEARNED * run.prepare_config.max_pieces


def _directions(run: Run) -> list[tuple[str, str]]:
    return choose_directions(run.languages, _train_config(run).directions)


def _train_config(run: Run) -> TrainConfig:
    return read_config(run.config_path, TrainConfig)
