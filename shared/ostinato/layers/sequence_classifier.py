"""The classifier of streams that video and gestures share: features, LSTMs, a label at every frame."""

from __future__ import annotations

from typing import NamedTuple

import keras
from keras import ops

from ostinato.layers.attention import Tensor
from ostinato.layers.running_pooling import RunningAttentionPooling
from ostinato.layers.standardisation import Standardisation

State = dict[str, Tensor]


class StreamScores(NamedTuple):
    """What is said of a stream; without the axis F where a single frame was read.

    Attributes:
      frame_logits: float32 [B, F, L], the label of each frame, from what was seen until then.
      clip_logits: float32 [B, F, L], the label of all that was seen so far: the last kept row is that of the clip.
      frame_weights: float32 [B, F], how much each frame counts for the clip, e^-5 to e^5 and 0 where masked.
    """

    frame_logits: Tensor
    clip_logits: Tensor
    frame_weights: Tensor


@keras.saving.register_keras_serializable(package="ostinato")
class SequenceClassifier(keras.Model):
    """Labels every frame of a stream, and what was seen of the stream so far as a whole.

        scores = model(features, mask)  # whole sequences at once, as in training
        scores, state = model.step(features[:, 0], model.initial_state(batch))  # frame by frame: the same scores

    As a loop over frames:

        for feature in features:
            x = project([feature, feature - previous])
            for lstm in lstms:
                x = x + lstm(x)  # the first one only replaces
            frame_logits = to_frame_label(x)
            clip_logits = to_clip_label(average of all x so far, weighted by attention)

    Nothing looks ahead, so that padding on the right needs no mask in the LSTMs: a mask would rule out the fast
    kernels of CPUs and GPUs alike.

    Args:
      num_labels: number of labels L.
      units: size of each LSTM.
      num_layers: how many LSTMs stand on one another; all but the first add to what they read.
      projection_size: size to which features are projected, with layer normalisation, before the LSTMs; 0 leaves them.
      dropout: share of the inputs of the LSTMs and of both heads that training drops.
      input_dropout: share of the features that training drops, the same ones in all frames of a sequence.
      standardise: bring features to mean 0 and deviation 1 first, by what `standardisation.adapt` was told of them.
      differences: append the change since the frame before to each frame's features; zero at a stream's first frame.
      recurrent: False puts a dense layer in the place of each LSTM, so that nothing but the change between features
        is known of earlier frames: what recurrence is compared with.
      encoder: reads frames [B, F, ...] into features [B, F, D] and carries a state of its own (`FrameEncoder`); None if
        features come in.

    Attributes:
      feature_size: D; known once built.

    Call arguments:
      features: float [B, F, D], or frames [B, F, ...] for the encoder.
      mask: bool [B, F], True = keep, False only on the right; or None where every frame counts.

    Returns:
      `StreamScores`. Rows of `frame_logits` where masked mean nothing; those of `clip_logits` hold the last kept one.

    Reference: Donahue et al. 2015, section 4 (a label at every frame, from an LSTM over a CNN's features).
    """

    def __init__(
        self,
        num_labels: int,
        units: int = 128,
        num_layers: int = 2,
        projection_size: int = 128,
        dropout: float = 0.3,
        input_dropout: float = 0.0,
        differences: bool = True,
        recurrent: bool = True,
        standardise: bool = False,
        encoder: keras.layers.Layer | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.autocast = False  # the change between two frames is lost where both are rounded to bfloat16
        self.num_labels = num_labels
        self.units = units
        self.num_layers = num_layers
        self.projection_size = projection_size
        self.dropout_rate = dropout
        self.input_dropout_rate = input_dropout
        self.differences = differences
        self.recurrent = recurrent
        self.standardise = standardise
        self.encoder = encoder
        self.feature_size = 0

        dtype = self.dtype_policy
        if standardise:
            self.standardisation = Standardisation(name="standardisation")
        self.input_dropout = keras.layers.Dropout(
            input_dropout, noise_shape=(None, 1, None), dtype=dtype, name="input_dropout"
        )
        if projection_size:
            self.projection = keras.layers.Dense(projection_size, dtype=dtype, name="projection")
            self.normalization = keras.layers.LayerNormalization(dtype=dtype, name="normalization")
        self.stack = [
            keras.layers.LSTM(units, return_sequences=True, return_state=True, dtype=dtype, name=f"lstm_{number}")
            if recurrent
            else keras.layers.Dense(units, activation="relu", dtype=dtype, name=f"dense_{number}")
            for number in range(num_layers)
        ]
        self.dropout = keras.layers.Dropout(dropout, dtype=dtype, name="dropout")
        self.pooling = RunningAttentionPooling(name="pooling")
        self.frame_head = keras.layers.Dense(num_labels, dtype="float32", name="frame_head")
        self.clip_head = keras.layers.Dense(num_labels, dtype="float32", name="clip_head")

    def build(self, features_shape):
        if self.encoder is not None:
            if not self.encoder.built:
                self.encoder.build(features_shape)
            features_shape = self.encoder.compute_output_shape(features_shape)
        self.feature_size = features_shape[-1]
        if self.standardise:
            self.standardisation.build((None, None, self.feature_size))
        size = 2 * self.feature_size if self.differences else self.feature_size
        if self.projection_size:
            self.projection.build((None, None, size))
            size = self.projection_size
            self.normalization.build((None, None, size))
        for layer in self.stack:
            layer.build((None, None, size))
            size = self.units
        for layer in (self.pooling, self.frame_head, self.clip_head):
            layer.build((None, None, size))
        self.built = True

    def state_spec(self) -> dict[str, tuple[tuple[int, ...], str]]:
        """Returns shape (without batch) and dtype of each tensor of the state by name, in order; the model is built."""
        of_encoder = {} if self.encoder is None else self.encoder.state_spec()
        sizes = {"previous_features": self.feature_size} if self.differences else {}
        if self.recurrent:
            for number in range(self.num_layers):
                sizes |= {f"hidden_{number}": self.units, f"cell_{number}": self.units}
        sizes |= {"weighted_sum": self.units, "weight_sum": 1}
        return of_encoder | {name: ((size,), "float32") for name, size in sizes.items()}

    def initial_state(self, batch: int | Tensor) -> State:
        """Returns the state before the first frame of B streams: zeros, by the names of `state_spec`."""
        return {name: ops.zeros((batch, *shape), dtype) for name, (shape, dtype) in self.state_spec().items()}

    def step(self, features: Tensor, state: State) -> tuple[StreamScores, State]:
        """Reads one frame of each stream, at the same cost however many came before.

        Args:
          features: float [B, D], or frames [B, ...] for the encoder.
          state: as `initial_state` or the step before returned it.

        Returns:
          `StreamScores` without the axis F, and the next state.
        """
        scores, state = self._read(features[:, None], state, _over_one_frame)
        return StreamScores(*(part[:, 0] for part in scores)), state

    def steps(self, features: Tensor, state: State) -> tuple[StreamScores, State]:
        """Reads several frames of each stream at once, float [B, F, D], as that many steps would and much faster."""
        return self._read(features, state, _over_frames)

    def masked_steps(
        self, features: Tensor, state: State, mask: Tensor, training: bool = False
    ) -> tuple[StreamScores, State]:
        """As `steps`, where some streams end before F (mask False from there on); their next state is of no use."""
        return self._read(features, state, _over_frames, mask, training=training)

    def call(self, features, mask=None, training=False):
        state = self.initial_state(ops.shape(features)[0])
        return self._read(features, state, _over_frames, mask, training=training)[0]

    def _read(self, frames, state, recur, mask=None, *, training=False):
        features, following = self._encode(frames, state)  # -> [B, F, D]
        x = features
        if self.differences:
            has_begun = state["weight_sum"] > 0  # -> [B, 1]
            previous = ops.where(has_begun, state["previous_features"], features[:, 0])
            previous = ops.concatenate([previous[:, None], features[:, :-1]], axis=1)
            x = ops.concatenate([features, features - previous], axis=-1)  # -> [B, F, 2 * D]
            following["previous_features"] = features[:, -1]
        x = self.input_dropout(x, training=training)
        if self.projection_size:
            x = self.normalization(self.projection(x))  # -> [B, F, projection_size]
        for number, layer in enumerate(self.stack):
            read = self.dropout(x, training=training)
            if self.recurrent:
                hidden, cell = f"hidden_{number}", f"cell_{number}"
                read, *after = recur(
                    layer, read, [ops.cast(state[name], layer.compute_dtype) for name in (hidden, cell)]
                )
                following |= {name: ops.cast(part, "float32") for name, part in zip((hidden, cell), after, strict=True)}
            else:
                read = layer(read)
            x = read if number == 0 else x + read  # -> [B, F, units]
        pooled, weights, *sums = self.pooling(x, state["weighted_sum"], state["weight_sum"], mask)
        following |= dict(zip(("weighted_sum", "weight_sum"), sums, strict=True))
        frame_logits = self.frame_head(self.dropout(x, training=training))
        clip_logits = self.clip_head(self.dropout(pooled, training=training))
        return StreamScores(frame_logits, clip_logits, weights), following

    def _encode(self, frames, state):
        if self.encoder is None:
            features, following = ops.cast(frames, "float32"), {}
        else:
            features, following = self.encoder.steps(frames, {name: state[name] for name in self.encoder.state_spec()})
        return (self.standardisation(features) if self.standardise else features), following

    def compute_output_spec(self, features, mask=None, training=False):
        shape = tuple(features.shape[:2])
        shapes = StreamScores((*shape, self.num_labels), (*shape, self.num_labels), shape)
        return StreamScores(*(keras.KerasTensor(each, dtype="float32") for each in shapes))

    def get_config(self):
        return {
            **super().get_config(),
            "num_labels": self.num_labels,
            "units": self.units,
            "num_layers": self.num_layers,
            "projection_size": self.projection_size,
            "dropout": self.dropout_rate,
            "input_dropout": self.input_dropout_rate,
            "differences": self.differences,
            "recurrent": self.recurrent,
            "standardise": self.standardise,
            "encoder": keras.saving.serialize_keras_object(self.encoder),
        }

    @classmethod
    def from_config(cls, config):
        encoder = keras.saving.deserialize_keras_object(config.pop("encoder"))
        return cls(encoder=encoder, **config)


def _over_frames(lstm, x, state):
    """Runs an LSTM over [B, F, D]; returns its outputs and both parts of its state."""
    return lstm(x, initial_state=state)


def _over_one_frame(lstm, x, state):
    """The same for [B, 1, D], without the loop over frames."""
    output, state = lstm.cell(x[:, 0], state)
    return output[:, None], *state
