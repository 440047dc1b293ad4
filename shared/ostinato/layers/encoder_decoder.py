"""The contract of every application that writes sequences."""

from __future__ import annotations

import keras

from ostinato.layers.attention import Memory, Tensor
from ostinato.layers.attention_decoder import DecoderState
from ostinato.layers.decoder_ensemble import EnsembleMemory
from ostinato.layers.vocabulary import Shortlist

AnyMemory = Memory | EnsembleMemory
State = DecoderState | tuple[DecoderState, ...]


@keras.saving.register_keras_serializable(package="ostinato")
class EncoderDecoder(keras.Model):
    """Reads an input once, then writes sequences about it.

        memory = model.encode(inputs)
        state = model.initial_state(memory)
        log_probs, attention, state = model.step(token_ids, state, memory)
        logits = model((inputs, target_ids))  # teacher forcing: same weights, whole sequences at once

    Args:
      encoder: a layer from inputs [B, ...] to features float [B, S, D], whose `compute_mask` says which of them count;
        None if the inputs are features already (a frozen network's, computed once and cached).
      decoder: an `AttentionDecoder`, or a `DecoderEnsemble` of several; while those learn, `ParallelDecoders`, which
        write nothing yet.
      share_embedding: the encoder reads pieces of the decoder's vocabulary, with the decoder's vectors (Press and Wolf
        2017, section 4, three-way tying).

    Call arguments:
      inputs: a pair of the encoder's input and target_ids int [B, K, T], K sequences for each input, each beginning
        with the start token.

    Returns:
      logits float32 [B, K, T, V].

    Reference: Sutskever et al. 2014 (sequences); Vinyals et al. 2015 (images).
    """

    def __init__(
        self,
        encoder: keras.layers.Layer | None,
        decoder: keras.layers.Layer,
        *,
        share_embedding: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.share_embedding = share_embedding
        if share_embedding:
            if encoder is None:
                raise ValueError("there is no encoder to share the embedding with")
            encoder.embedding = decoder.embedding
        self.encoder = encoder
        self.decoder = decoder

    def build(self, input_shape):
        features_shape, target_ids_shape = input_shape
        if self.encoder is not None:
            if not self.encoder.built:
                self.encoder.build(features_shape)
            features_shape = self.encoder.compute_output_shape(features_shape)
        if not self.decoder.built:  # it may serve in another model already, from features instead of photos
            self.decoder.build_memory(features_shape)
            self.decoder.build(target_ids_shape)
        self.built = True

    def build_from_config(self, config):
        self.build(config["input_shape"])  # Keras itself rebuilds models of a single input only

    def encode(self, inputs: Tensor, *, training: bool = False, shortlist: Shortlist | None = None) -> AnyMemory:
        """Returns the `Memory` of inputs [B, ...]: keys projected and values, computed once for each input.

        Given a `Shortlist` of n tokens, those that are read and written are counted from 0 to n - 1.
        """
        if self.encoder is None:
            return self.decoder.remember(inputs, training=training, shortlist=shortlist)
        features = self.encoder(inputs)  # `call` has told Keras whether this is training
        mask = self.encoder.compute_mask(inputs, None)
        return self.decoder.remember(features, mask, training=training, shortlist=shortlist)

    def initial_state(self, memory: AnyMemory, num_sequences: int | Tensor = 1) -> State:
        """Returns the decoder's state before the first token, for K sequences of each input."""
        return self.decoder.initial_state(memory, num_sequences)

    def step(
        self, token_ids: Tensor, state: State, memory: AnyMemory, going: Tensor | None = None
    ) -> tuple[Tensor, Tensor, State]:
        """Reads token_ids int [B, K]; returns log_probs float32 [B, K, V], attention float32 [B, K, S], next state.

        Nothing is computed for sequences that are not going, bool [B, K], where it is given: what comes back of them
        means nothing.
        """
        return self.decoder.step(token_ids, state, memory, going)

    def call(self, inputs, training=False):
        inputs, target_ids = inputs
        return self.decoder(target_ids, self.encode(inputs, training=training), training=training)

    def get_config(self):
        encoder = keras.saving.serialize_keras_object(self.encoder)
        if self.share_embedding:
            encoder.pop("build_config", None)  # built on its own, it would have vectors of its own
        return {
            **super().get_config(),
            "encoder": encoder,
            "decoder": keras.saving.serialize_keras_object(self.decoder),
            "share_embedding": self.share_embedding,
        }

    @classmethod
    def from_config(cls, config):
        parts = {name: keras.saving.deserialize_keras_object(config.pop(name)) for name in ("encoder", "decoder")}
        return cls(**parts, **config)
