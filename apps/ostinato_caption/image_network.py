"""The image network that a run begins with: a published one, by its name, or that of an exported captioning model."""

from __future__ import annotations

import keras
import numpy as np

from ostinato.errors import ConfigError, ModelError
from ostinato.export import LoadedModel, find_model, load_model
from ostinato.images.graph import load_photos
from ostinato.layers import ImageEncoder
from ostinato.layers.efficientnet_lite import EFFICIENTNET_LITE

_PROBE_SIDE = 8  # pixels


def image_network(network: str) -> ImageEncoder:
    """Makes the image network with its weights.

    Args:
      network: as `PrepareConfig` has it: `efficientnet_lite0`, 1 or 2, or a name of `keras.applications`, with ImageNet
        weights; or a captioning model's folder or name, whose network is taken as it was exported.

    Raises:
      ConfigError: there is no such network or model, or its weights cannot be had.
    """
    if _is_published(network):
        try:
            return ImageEncoder(network, weights="imagenet")
        except (ValueError, FileNotFoundError) as error:  # its weights are not installed
            raise ConfigError(f"--network {network}: {error}") from error
    try:
        return _of_export(load_model(network))
    except ModelError as error:
        raise _unknown(network, error) from error


def fixed_name(network: str) -> str:
    """Returns the name of a published network as it is, and of a model the version that is its latest now.

    Raises:
      ConfigError: there is no such network or model.
    """
    if _is_published(network):
        return network
    try:
        return str(find_model(network).resolve())
    except ModelError as error:
        raise _unknown(network, error) from error


def _is_published(network: str) -> bool:
    return network in EFFICIENTNET_LITE or callable(getattr(keras.applications, network, None))


def _unknown(network: str, error: ModelError) -> ConfigError:
    names = ", ".join(EFFICIENTNET_LITE)
    return ConfigError(
        f"--network {network}: there is no image network {network!r}: use {names}, a function of keras.applications or "
        f"a captioning model ({error})"
    )


def _of_export(model: LoadedModel) -> ImageEncoder:
    """Fills a network with the weights of an exported one.

    Of its kernels, an export knows the shapes and no names. Training moves those of a published network so little that
    each is still the most like what it was; that none was mistaken is proved by asking both networks.
    """
    facts = model.interface.get("metadata", {})
    name = facts.get("network")
    if facts.get("application") != "ostinato_caption" or name not in EFFICIENTNET_LITE:
        raise ModelError(f"the model in {model.path} has no image network that could be taken over")
    encoder = ImageEncoder(name, weights="imagenet").fold()
    exported = [weight.numpy().astype(np.float32) for weight in model.weights]
    encoder.set_weights([_most_alike(np.asarray(weight), exported) for weight in encoder.weights])
    _prove(encoder, model)
    return encoder


def _most_alike(array: np.ndarray, candidates: list[np.ndarray]) -> np.ndarray:
    """Returns the candidate of the same shape at the smallest angle."""
    alike = [each for each in candidates if each.shape == array.shape]
    if not alike:
        raise ModelError("it lacks a kernel of its image network")
    return max(alike, key=lambda each: float(np.vdot(each, array) / max(np.linalg.norm(each), 1e-12)))


def _prove(encoder: ImageEncoder, model: LoadedModel) -> None:
    """Raises ModelError where the layer sees something else in an image of noise than the exported model does."""
    size = model.interface["metadata"]["image_size"]
    noise = np.random.default_rng(0).integers(0, 256, (_PROBE_SIDE, _PROBE_SIDE, 3), np.uint8)
    photos = np.array([_png(noise)], object)
    expected = model.call("embed", {"image_bytes": photos})["embeddings"]
    found = np.mean(np.asarray(encoder(load_photos(photos, size))), axis=1)
    if not np.allclose(found, expected, rtol=1e-3, atol=1e-3):
        raise ModelError(f"the image network of {model.path} cannot be told from its weights")


def _png(pixels: np.ndarray) -> bytes:
    import tensorflow as tf

    return tf.io.encode_png(pixels).numpy()
