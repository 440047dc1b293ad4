"""Self-critical training of translation: what the network draws is rewarded by BLEU, see `ostinato.training`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import keras
import numpy as np

from ostinato.compiling import compiled
from ostinato.decoding import SamplingOptions, sample
from ostinato.decoding.options import Tensor
from ostinato.layers import EncoderDecoder
from ostinato.metrics import bleu_each
from ostinato.text import PAD, Tokenizer
from ostinato.training import advantages, drawn_targets
from ostinato_translate.batches import Batch
from ostinato_translate.config import DecodingConfig
from ostinato_translate.model import greatest_lengths, make_control


class SelfCriticalSampler:
    """Draws translations and turns their rewards into weights of their pieces.

    Args:
      model: the network that learns.
      tokenizer: turns ids to text.
      translations_per_sentence: K, translations drawn of each sentence into each language; 2 or more.
      temperature: what logits are divided by; below 1, what is drawn is nearer to what a search finds.
    """

    def __init__(
        self, model: EncoderDecoder, tokenizer: Tokenizer, *, translations_per_sentence: int, temperature: float
    ):
        self.tokenizer = tokenizer
        control = make_control(tokenizer)
        noise = keras.random.SeedGenerator(0)

        def draw(source_ids: Tensor, target_languages: Tensor, seed: Tensor) -> Tensor:
            noise.state.assign(keras.ops.cast(seed, noise.state.dtype))
            memory = model.encode(source_ids)
            max_lengths = greatest_lengths(source_ids, DecodingConfig.max_length_ratio)
            options = SamplingOptions(
                num_results=translations_per_sentence,
                temperature=temperature,
                max_length=keras.ops.max(max_lengths),
            )
            return sample(
                model.step,
                model.initial_state(memory),
                memory,
                options,
                control=control,
                num_places=keras.ops.shape(source_ids)[1],
                uniform=lambda position, shape: keras.random.uniform(shape, seed=noise),
                start_tokens=target_languages,
                max_lengths=max_lengths,
            ).ids

        self._draw = compiled(draw)

    def batch(self, batch: Batch, seed: tuple[int, int]) -> tuple[Batch, float]:
        """Draws translations of the sentences of a batch.

        Args:
          batch: B sentences and their translations by people into N languages.
          seed: decides on the draw.

        Returns:
          A batch of B * N sentences with K translations each for `fit`, whose weights are advantages (BLEU of the
          sentence, 0 to 1, over the mean of the others drawn for it), and the mean reward.
        """
        (source_ids, read_ids), targets, _ = batch
        num_languages = targets.shape[1]
        source_ids = np.repeat(source_ids, num_languages, axis=0)
        languages = read_ids[:, :, 0].reshape(-1)
        references = [self.tokenizer.decode(row) for rows in targets for row in rows]
        drawn = self._draw(
            keras.ops.convert_to_tensor(source_ids),
            keras.ops.convert_to_tensor(languages),
            keras.ops.convert_to_tensor(seed, "uint32"),
        )
        ids = keras.ops.convert_to_numpy(drawn)
        texts = [self.tokenizer.decode(row) for rows in ids for row in rows]
        rewards = np.array(bleu_each(texts, np.repeat(references, ids.shape[1]).tolist()), np.float32) / 100
        rewards = rewards.reshape(ids.shape[:2])
        read_ids, ids, weights = drawn_targets(ids, advantages(rewards), start=languages, pad=PAD)
        return ((source_ids, read_ids), ids, weights), float(rewards.mean())


def self_critical_batches(
    sampler: SelfCriticalSampler, batches: Iterable[Batch], *, seed: int, epoch: int
) -> Iterator[Batch]:
    """Yields the batches of one epoch, each drawn with the weights that the model has when it is asked for.

    Args:
      sampler: draws.
      batches: the sentences of the epoch, with their translations by people.
      seed: with the epoch, decides on the draws.
      epoch: from 0.
    """
    generator = np.random.default_rng((seed, epoch, 2))
    for batch in batches:
        drawn, _ = sampler.batch(batch, tuple(generator.integers(2**31, size=2)))
        yield drawn
