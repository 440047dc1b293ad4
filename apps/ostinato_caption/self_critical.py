"""Self-critical training of captions: those that the network draws are rewarded by CIDEr-D, see `ostinato.training`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import keras
import numpy as np

from ostinato.compiling import compiled
from ostinato.decoding import SamplingOptions, sample
from ostinato.decoding.options import Tensor
from ostinato.layers import EncoderDecoder
from ostinato.metrics import CiderReward, caption_tokens
from ostinato.text import PAD, START, Tokenizer
from ostinato.training import advantages, drawn_targets
from ostinato_caption.batches import Batch
from ostinato_caption.model import CONTROL


class SelfCriticalSampler:
    """Draws captions and turns their rewards into weights of their tokens.

    Captions of a photo by one decoder are compared with one another.

    Args:
      models: N models that write from cached features float [B, S, D], one for each decoder that learns.
      tokenizer: turns ids to text.
      captions: of each training photo, its captions.
      captions_per_photo: K, captions that each model draws for each photo; 2 or more.
      max_length: greatest number of pieces.
    """

    def __init__(
        self,
        models: Sequence[EncoderDecoder],
        tokenizer: Tokenizer,
        captions: Sequence[Sequence[str]],
        *,
        captions_per_photo: int,
        max_length: int,
    ):
        self.tokenizer = tokenizer
        self.captions_per_photo = captions_per_photo
        tokenised = [[" ".join(caption_tokens(text)) for text in texts] for texts in captions]
        # The end counts as a word, or captions that break off after an article would be rewarded.
        self._reward = CiderReward(tokenised, tokenise=False, count_end=True)
        options = SamplingOptions(num_results=captions_per_photo, max_length=max_length)
        noise = keras.random.SeedGenerator(0)

        def draw_from(model: EncoderDecoder, features: Tensor) -> Tensor:
            memory = model.encode(features)
            return sample(
                model.step,
                model.initial_state(memory),
                memory,
                options,
                control=CONTROL,
                num_places=memory.num_places,
                uniform=lambda position, shape: keras.random.uniform(shape, seed=noise),
            ).ids

        def draw(features: Tensor, seed: Tensor) -> Tensor:
            noise.state.assign(keras.ops.cast(seed, noise.state.dtype))
            return keras.ops.concatenate([draw_from(model, features) for model in models], axis=1)  # -> [B, N * K, T]

        self._draw = compiled(draw)

    def batch(self, features: np.ndarray, photos: np.ndarray, seed: tuple[int, int]) -> tuple[Batch, float]:
        """Draws captions for photos.

        Args:
          features: float [B, S, D].
          photos: int [B], their numbers among the training captions.
          seed: decides on the draw.

        Returns:
          A batch of N * K captions a photo for `fit`, whose weights are advantages (CIDEr-D, 0 to 10, over the mean of
          the photo's other captions by the same model), and the mean reward.
        """
        seed = keras.ops.convert_to_tensor(seed, "uint32")
        ids = keras.ops.convert_to_numpy(self._draw(keras.ops.convert_to_tensor(features, "float32"), seed))
        texts = [" ".join(caption_tokens(self.tokenizer.decode(row))) for rows in ids for row in rows]
        rewards = self._reward.reward(texts, np.repeat(photos, ids.shape[1]))
        rewards = rewards.reshape(len(ids), -1, self.captions_per_photo)  # -> [B, N, K]
        praise = advantages(rewards).reshape(len(ids), -1)  # -> [B, N * K]
        read_ids, ids, weights = drawn_targets(ids, praise, start=START, pad=PAD)
        return ((features, read_ids), ids, weights), float(rewards.mean())


def self_critical_batches(
    sampler: SelfCriticalSampler,
    features: np.ndarray,
    rows: np.ndarray,
    *,
    photos_per_batch: int,
    seed: int,
    epoch: int,
) -> Iterator[Batch]:
    """Yields the batches of one epoch, each drawn with the weights that the model has when it is asked for.

    Args:
      sampler: draws.
      features: float16 [photos, views, S, D].
      rows: int [n], the rows of the training photos.
      photos_per_batch: B.
      seed: with the epoch, decides on order, views and draws.
      epoch: from 0.
    """
    generator = np.random.default_rng((seed, epoch, 2))
    order = generator.permutation(len(rows))
    for start in range(0, len(order), photos_per_batch):
        photos = order[start : start + photos_per_batch]
        views = generator.integers(features.shape[1], size=len(photos))
        chosen = features[rows[photos], views].astype(np.float32)
        batch, _ = sampler.batch(chosen, photos, tuple(generator.integers(2**31, size=2)))
        yield batch
