"""Batch normalisation folded into the convolutions before it: fewer passes over the same numbers, once trained."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

_CONVOLUTION, _NORMALISATION = "_convolution", "_normalisation"


def fold_normalisation(network: keras.Model) -> keras.Model:
    """Returns a network that computes the same with a bias in each convolution and no batch normalisation.

    Args:
      network: what `efficientnet_lite` returned: layers `NAME_convolution` are followed by `NAME_normalisation`.

    Returns:
      another network with weights of its own; it is for inference, where statistics are fixed.

    Reference: Jacob et al. 2018, section 3.2.
    """
    normalisations = {
        layer.name.removesuffix(_NORMALISATION): layer
        for layer in network.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    }

    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        if isinstance(layer, keras.layers.BatchNormalization):
            return keras.layers.Identity(name=layer.name)
        config = layer.get_config()
        if layer.name.removesuffix(_CONVOLUTION) in normalisations:
            config = {**config, "use_bias": True}
        return type(layer).from_config(config)

    def call(layer: keras.layers.Layer, *inputs: Any, **options: Any) -> Any:
        return inputs[0] if isinstance(layer, keras.layers.Identity) else layer(*inputs, **options)

    folded = keras.models.clone_model(network, clone_function=clone, call_function=call)
    for layer in folded.layers:
        normalisation = normalisations.get(layer.name.removesuffix(_CONVOLUTION))
        if normalisation is not None and layer.name.endswith(_CONVOLUTION):
            [kernel] = network.get_layer(layer.name).get_weights()
            gamma, beta, mean, variance = normalisation.get_weights()
            scale = gamma / np.sqrt(variance + normalisation.epsilon)
            # A kernel of each channel has the channels third, others have what comes out last.
            shape = (-1, 1) if isinstance(layer, keras.layers.DepthwiseConv2D) else (-1,)
            layer.set_weights([kernel * scale.reshape(shape), beta - mean * scale])
    return folded
