"""A trained run to a SavedModel that takes the bytes of photos and answers with sentences."""

from __future__ import annotations

import dataclasses
import functools
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image, ImageOps

from ostinato.config import read_config
from ostinato.decoding import BeamOptions, Hypotheses, SamplingOptions, beam_search, sample
from ostinato.errors import ConfigError, DataError, InputError
from ostinato.export import Endpoint, Preset, Sample, export_model, unexported_model
from ostinato.export.row_groups import in_groups
from ostinato.export.settings import setting_specs, within_limits
from ostinato.images.graph import load_photos
from ostinato.images.reading import read_photo
from ostinato.layers import EncoderDecoder, EnsembleMemory
from ostinato.text import END, PAD, START, UNKNOWN
from ostinato.text.graph import GraphTokenizer
from ostinato.training import load_weights
from ostinato_caption.captioner import SEARCH_ONLY, Captioner
from ostinato_caption.config import DECODING_LIMITS, DecodingConfig, SamplingConfig, TrainConfig
from ostinato_caption.image_network import image_network
from ostinato_caption.model import CONTROL, make_decoders, make_model
from ostinato_caption.run import Run

_SAMPLE_SIDE = 192  # pixels
_PHOTOS = tf.TensorSpec([None], tf.string, name="image_bytes")
_PHOTOS_AT_ONCE = 32  # some 12 MB each while they are looked at and described; more at once are no faster


class CaptioningGraph:
    """From bytes of photos to sentences, as core TensorFlow ops: what the signatures of the export are made of.

    Args:
      model: from photos to captions.
      tokenizer: its vocabulary.
      image_size: pixels of the square that photos are resized to.
      decoding: settings of the signatures that leave their caller no choice.
    """

    def __init__(self, model: EncoderDecoder, tokenizer: GraphTokenizer, *, image_size: int, decoding: DecodingConfig):
        self.model, self.tokenizer = model, tokenizer
        self.image_size, self.decoding = image_size, decoding

    def endpoints(self) -> list[Endpoint | Preset]:
        """Returns the signatures: two with fixed settings for servers, two whose settings are inputs, the features."""
        search = self._endpoint("beam_search", self.beam_search, self.search_settings())
        return [
            Preset("serving_default", search, self.search_settings(), ("captions", "scores")),
            Preset("explain", search, self.search_settings(), ("captions", "scores", "tokens", "attention")),
            search,
            self._endpoint("sample", self.sample, self.sampling_settings()),
            self._endpoint("embed", self.embed),
        ]

    def search_settings(self) -> dict[str, Any]:
        """Returns the scalar inputs of `beam_search` with their defaults."""
        return dataclasses.asdict(self.decoding)

    def sampling_settings(self) -> dict[str, Any]:
        """Returns the scalar inputs of `sample` with their defaults."""
        shared = {name: value for name, value in self.search_settings().items() if name not in SEARCH_ONLY}
        return shared | dataclasses.asdict(SamplingConfig())

    def embed(self, image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the image network's features averaged over each photo, embeddings float32 [B, D]."""
        encoder: Any = self.model.encoder
        return self._in_groups(
            image_bytes, lambda photos: {"embeddings": tf.reduce_mean(encoder(self._load(photos)), axis=1)}
        )

    def beam_search(self, image_bytes: tf.Tensor, **settings: tf.Tensor) -> dict[str, tf.Tensor]:
        """Finds the most probable captions of photos string [B].

        Args:
          image_bytes: files in any format that `ostinato.images` decodes.
          settings: the fields of `DecodingConfig`, scalars for the whole batch.

        Returns:
          captions string [B, N], scores float32 [B, N], log_probs float32 [B, N], tokens string [B, N, T], attention
          float32 [B, N, T, S].
        """
        settings = within_limits(settings, DECODING_LIMITS)
        width = settings.pop("beam_width")
        # More results than beams cannot be had.
        num_results = tf.minimum(settings.pop("num_captions"), width)
        options = BeamOptions(width=width, num_results=num_results, **settings)
        return self._write(image_bytes, options, functools.partial(beam_search, choose_inputs=EnsembleMemory.choose))

    def sample(self, image_bytes: tf.Tensor, seed: tf.Tensor, **settings: tf.Tensor) -> dict[str, tf.Tensor]:
        """As `beam_search`, drawn at random, with the fields of `SamplingConfig`, number and lengths as scalar inputs.

        The noise depends on the seed alone, so that what is drawn for a photo depends not on its place in the batch.
        """
        settings = within_limits(settings, DECODING_LIMITS)
        options = SamplingOptions(num_results=settings.pop("num_captions"), **settings)

        def uniform(position: tf.Tensor, shape: Sequence[Any]) -> tf.Tensor:
            return tf.random.stateless_uniform(shape[1:], tf.stack([seed, position]))[None]

        return self._write(image_bytes, options, functools.partial(sample, uniform=uniform))

    def _write(self, image_bytes: tf.Tensor, options: Any, decode: Callable[..., Hypotheses]) -> dict[str, tf.Tensor]:
        def write(photos: tf.Tensor) -> dict[str, tf.Tensor]:
            memory = self.model.encode(self._load(photos))
            return self._outputs(
                decode(
                    self.model.step,
                    self.model.initial_state(memory),
                    memory,
                    options,
                    control=CONTROL,
                    num_places=memory.num_places,
                )
            )

        return self._in_groups(image_bytes, write)

    def _in_groups(self, image_bytes: tf.Tensor, function: Callable) -> dict[str, tf.Tensor]:
        return in_groups(lambda group: function(group["photos"]), {"photos": image_bytes}, _PHOTOS_AT_ONCE)

    def _load(self, image_bytes: tf.Tensor) -> tf.Tensor:
        return load_photos(image_bytes, self.image_size)

    def _outputs(self, hypotheses: Hypotheses) -> dict[str, tf.Tensor]:
        ids = hypotheses.ids
        is_text = (ids != CONTROL.pad) & (ids != END)
        return {
            "captions": self.tokenizer.decode(ids),
            "scores": hypotheses.scores,
            "log_probs": hypotheses.log_probs,
            "tokens": tf.where(is_text, self.tokenizer.pieces(ids), ""),
            "attention": hypotheses.attention,
        }

    def _endpoint(self, name: str, function: Callable, settings: Mapping[str, Any] | None = None) -> Endpoint:
        return Endpoint(name, function, [_PHOTOS, *setting_specs(settings or {})], binary_inputs=("image_bytes",))


def load_trained(run: Run, kept: Sequence[int] | None = None) -> EncoderDecoder:
    """Returns the network of a completed run, from photos to captions, computing in float32; it learns no more.

    Args:
      run: a completed run.
      kept: ids of the pieces that it is to know, all of them if not given.

    Raises:
      ModelError: training is not complete.
    """
    run.check_trained()
    config = read_config(run.config_path, TrainConfig)
    encoder = image_network(run.prepare_config.network)
    decoders = make_decoders(config, run.tokenizer.size)
    load_weights(run.model_path, make_model(encoder, decoders))
    if kept is not None:
        decoders = tuple(decoder.with_vocabulary(kept) for decoder in decoders)
    return make_model(encoder.fold(), decoders)


def pieces_in_use(run: Run, min_uses: int) -> list[int]:
    """Returns the ids of the control pieces and of those that the training captions use so often, in order.

    A network that has learned from captions hardly ever writes what they hardly ever say.

    Raises:
      ConfigError: there are none, or the number is below 0.
    """
    if min_uses < 0:
        raise ConfigError(f"--min-uses {min_uses}: a number of uses is 0 or more")
    uses = np.zeros(run.tokenizer.size, int)
    for row in run.rows("train"):
        for caption in run.examples[row].captions:
            np.add.at(uses, run.tokenizer.encode(caption), 1)
    controls = {PAD, START, END, UNKNOWN}
    kept = [piece for piece in range(run.tokenizer.size) if piece in controls or uses[piece] >= min_uses]
    if len(kept) == len(controls):
        most = max(uses[len(controls) :], default=0)
        raise ConfigError(f"--min-uses {min_uses}: no piece is used so often; the most used one is {most} times")
    return kept


def export_run(
    run: Run,
    output: Path,
    *,
    decoding: DecodingConfig,
    sample_photos: Sequence[bytes],
    metadata: Mapping[str, Any],
    model_card: str | None,
    min_uses: int = 0,
) -> Path:
    """Writes the next version of a model after its proof.

    Args:
      run: a completed run.
      output: folder of all versions, such as `saved_models/caption`.
      decoding: settings of the fixed signatures, and defaults of the others.
      sample_photos: two or more photos whose captions the proof compares.
      metadata: further facts for `interface.json`: scores, terms of the data.
      model_card: text of `model_card.md`, or None.
      min_uses: how often the training captions must use a piece for the model to know it.

    Returns:
      The version's folder.

    Raises:
      ModelError: training is not complete, or the proof failed; then nothing is left behind.
      ConfigError: the search is to return more captions than it keeps, or no piece is used so often.
    """
    decoding.check_search()
    kept = pieces_in_use(run, min_uses)
    model = load_trained(run, kept)
    graph = _graph(run, model, decoding, kept)
    settings = {"beam_search": graph.search_settings(), "sample": graph.sampling_settings()}
    photos = [_small_copy(photo) for photo in sample_photos]
    samples = [
        Sample(endpoint.name, {"image_bytes": photos, **settings.get(endpoint.name, {})})
        for endpoint in graph.endpoints()
    ]
    return export_model(
        output,
        model,
        graph.endpoints(),
        samples,
        assets={"tokenizer.model": run.tokenizer.model},
        metadata={**_facts(run, model, decoding), "pieces": len(kept), "min_uses": min_uses, **metadata},
        model_card=model_card,
    )


def _graph(
    run: Run, model: EncoderDecoder, decoding: DecodingConfig, kept: Sequence[int] | None = None
) -> CaptioningGraph:
    tokenizer = GraphTokenizer(run.tokenizer.model, kept)
    return CaptioningGraph(model, tokenizer, image_size=run.prepare_config.image_size, decoding=decoding)


def _facts(run: Run, model: EncoderDecoder, decoding: DecodingConfig) -> dict[str, Any]:
    """What whoever uses the model has to know, for interface.json."""
    encoder: Any = model.encoder
    side = -(-run.prepare_config.image_size // 32)  # the encoder's stride
    return {
        "application": "ostinato_caption",
        "decoding": dataclasses.asdict(decoding),
        "attention_grid": [side, side],
        "image_size": run.prepare_config.image_size,
        "network": encoder.network_name,
    }


def captioner_of_run(run: Run) -> Captioner:
    """Returns a captioner with the network of a completed run, which has not been exported."""
    model = load_trained(run)
    graph = _graph(run, model, DecodingConfig())
    facts = _facts(run, model, DecodingConfig())
    return Captioner(unexported_model(run.folder, graph.endpoints(), graph, metadata=facts))


def photos_of_run(run: Run, number: int) -> list[bytes]:
    """Returns the first readable photos of a run, from wherever its data lie.

    Raises:
      DataError: they have been moved away.
    """
    paths = [example.image for example in run.examples if example.split != "damaged"][:number]
    try:
        return [read_photo(path) for path in paths]
    except InputError as error:
        raise DataError(
            f"the photos of {run.folder} are gone; name a folder with some by --photos ({error})"
        ) from error


def _small_copy(photo: bytes) -> bytes:
    """Returns a JPEG of a few kilobytes: samples are kept in the model's folder, several times over."""
    with Image.open(io.BytesIO(photo)) as image:
        copy = ImageOps.exif_transpose(image).convert("RGB")
    copy.thumbnail((_SAMPLE_SIDE, _SAMPLE_SIDE))
    content = io.BytesIO()
    copy.save(content, "JPEG", quality=75)
    return content.getvalue()
