"""The network from frames to logits: a frame encoder and a classifier of its features, joined."""

from __future__ import annotations

import dataclasses

import keras

from ostinato.layers import FrameEncoder, SequenceClassifier
from ostinato.sequences.training import make_classifier
from ostinato.training import load_weights
from ostinato_video.features import make_frame_encoder
from ostinato_video.run import Run


def load_trained(run: Run) -> SequenceClassifier:
    """Returns the network of a completed run, from frames to logits, computing in float32 on every processor.

    Raises:
      ModelError: training is not complete.
      ConfigError: its image network cannot be made here.
    """
    run.check_trained()
    config = dataclasses.replace(run.train_config, precision="float32")
    encoder = make_frame_encoder(run.prepare_config)
    classifier = make_classifier(config, len(run.labels), encoder.feature_size)
    if not config.fine_tunes:
        load_weights(run.model_path, classifier)
        return with_encoder(classifier, encoder)
    model = with_encoder(classifier, encoder)
    load_weights(run.fine_tuned_path, model)
    return model


def with_encoder(classifier: SequenceClassifier, encoder: FrameEncoder) -> SequenceClassifier:
    """Returns a classifier of frames with the weights of a classifier of their features.

    Args:
      classifier: built, without an encoder.
      encoder: built; it becomes a part of what is returned.
    """
    model = SequenceClassifier.from_config({**classifier.get_config(), "encoder": None})
    model.encoder = encoder
    model.build((None, None, encoder.image_size, encoder.image_size, 3))
    own = [layer for layer in model.layers if layer is not encoder]
    for layer, trained in zip(own, classifier.layers, strict=True):
        if layer.name != trained.name:
            raise ValueError(f"Layer {layer.name} is in the place of {trained.name}.")
        layer.set_weights(trained.get_weights())
        if isinstance(layer, keras.layers.LSTM):
            layer.use_cudnn = False  # where a GPU is seen, the graph would need one
    return model
