"""A language small enough that every sentence of it can be listed."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
from keras import ops

from ostinato.decoding import BeamOptions, ControlTokens, Hypotheses, beam_search

NUM_CONTEXTS = 97


class Sentence(NamedTuple):
    """One sequence of the language, its end token included where it has one."""

    ids: tuple[int, ...]
    log_prob: float


class ToyState(NamedTuple):
    """What the toy remembers of a prefix: int32 [B, K] each."""

    context: keras.KerasTensor
    position: keras.KerasTensor


class ToyLanguage:
    """A random distribution over what follows each prefix; prefixes are told apart by a number, their context.

    Tokens: 0 padding, 1 start, 2 end, 3 banned, the others words. The attention at each step is (token read, steps
    before, context), so that it proves along which beam it was collected. Of sequences that are not going it says what
    would spoil any result.
    """

    control = ControlTokens(start=1, end=2, pad=0, banned=(3,))
    num_places = 3  # that its attention has
    max_length = 5  # of what is searched for, where a test says nothing else

    def __init__(self, seed: int, batch: int = 1, num_words: int = 3, sharpness: float = 1.5, end: float = 0.0):
        self.vocabulary = 4 + num_words
        self.words = range(4, self.vocabulary)
        logits = np.random.default_rng(seed).normal(0, sharpness, (batch, NUM_CONTEXTS, self.vocabulary))
        logits[:, :, self.control.end] += end
        log_probs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
        self.table = log_probs.astype("float32")  # [B, contexts, V]

    @property
    def everything(self) -> int:
        """Beams enough for every sequence of `max_length` tokens: words, and at the end a word or the end."""
        return len(self.words) ** (self.max_length - 1) * (len(self.words) + 1)

    def start(self, rows: slice = slice(None)) -> tuple[ToyState, keras.KerasTensor]:
        """Returns the state before the first token, and the memory, of some items of the batch."""
        table = self.table[rows]
        zeros = ops.zeros((len(table), 1), dtype="int32")
        return ToyState(zeros, zeros), ops.convert_to_tensor(table)

    @staticmethod
    def step(tokens, state, table, going=None):
        context = (state.context * 31 + tokens + 7) % NUM_CONTEXTS  # -> [B, K]
        log_probs = ops.matmul(ops.one_hot(context, NUM_CONTEXTS), table)  # -> [B, K, V]
        if going is not None:
            log_probs = ops.where(going[:, :, None], log_probs, -1e-3)
        seen = ops.stack([tokens, state.position, context], axis=-1)
        return log_probs, ops.cast(seen, "float32"), ToyState(context, state.position + 1)

    def contexts(self, ids: Sequence[int], start: int = control.start) -> list[int]:
        """Returns the context in which each token of a sentence was written."""
        contexts, context = [], 0
        for token in (start, *ids)[: len(ids)]:
            context = (context * 31 + token + 7) % NUM_CONTEXTS
            contexts.append(context)
        return contexts

    def log_prob(self, ids: Sequence[int], item: int = 0, start: int = control.start) -> float:
        return float(sum(self.table[item, c, token] for c, token in zip(self.contexts(ids, start), ids, strict=True)))

    def sentence(self, ids: Sequence[int], item: int = 0, start: int = control.start) -> Sentence:
        return Sentence(tuple(ids), self.log_prob(ids, item, start))

    def attention(self, ids: Sequence[int]) -> np.ndarray:
        """Returns what the attention must be along a sentence: float [length, 3]."""
        read = (self.control.start, *ids[:-1])
        return np.stack([read, np.arange(len(ids)), self.contexts(ids)], axis=-1).astype("float32")

    def finished(
        self, max_length: int, min_length: int = 1, item: int = 0, start: int = control.start
    ) -> list[Sentence]:
        """Lists every sentence that ends, of at least `min_length` words and at most `max_length` tokens."""
        return [
            self.sentence((*words, self.control.end), item, start)
            for num_words in range(min_length, max_length)
            for words in itertools.product(self.words, repeat=num_words)
        ]

    def unfinished(self, length: int, item: int = 0) -> list[Sentence]:
        """Lists every sequence of so many words that has not ended."""
        return [self.sentence(ids, item) for ids in itertools.product(self.words, repeat=length)]


class AttentiveToyLanguage(ToyLanguage):
    """The toy with attention that is a distribution over places, a random one for each context.

    Of each item, `places_mask` keeps some places; the attention gives the others nothing.
    """

    def __init__(self, seed: int, batch: int = 1, num_places: Sequence[int] = (3,), **settings: Any):
        super().__init__(seed, batch, **settings)
        self.num_places = max(num_places)
        self.places_mask = np.arange(self.num_places) < np.array(num_places)[:, None]  # [B, S]
        energies = np.random.default_rng(seed + 1).normal(0, 2, (batch, NUM_CONTEXTS, self.num_places))
        weights = np.exp(energies) * self.places_mask[:, None]
        self.gaze = (weights / weights.sum(axis=-1, keepdims=True)).astype("float32")  # [B, contexts, S]

    def start(self, rows: slice = slice(None)) -> tuple[ToyState, Any]:
        state, table = super().start(rows)
        # An item alone has no places but its own.
        num_places = self.places_mask[rows].sum(axis=1).max()
        return state, (table, ops.convert_to_tensor(self.gaze[rows, :, :num_places]))

    @staticmethod
    def step(tokens, state, memory, going=None):
        table, gaze = memory
        log_probs, _, next_state = ToyLanguage.step(tokens, state, table, going)
        return log_probs, ops.matmul(ops.one_hot(next_state.context, NUM_CONTEXTS), gaze), next_state

    def coverage(self, ids: Sequence[int], item: int = 0) -> np.ndarray:
        """Returns the attention summed over a sentence, float [S of this item]."""
        return self.gaze[item, self.contexts(ids)].sum(axis=0)[self.places_mask[item]]


def _choose_inputs(memory: Any, rows: Any) -> Any:
    return keras.tree.map_structure(lambda part: ops.take(part, rows, axis=0), memory)


@functools.cache
def _search_with(step, control, options):
    def run(state, memory, inputs):
        num_places = ops.shape(memory[1])[2] if isinstance(memory, tuple) else ToyLanguage.num_places
        choose = None if keras.backend.backend() == "jax" else _choose_inputs
        return beam_search(
            step, state, memory, options, control=control, num_places=num_places, choose_inputs=choose, **inputs
        )

    if keras.backend.backend() == "jax":  # which compiles every loop anew, unless it is told that nothing has changed
        import jax

        return jax.jit(run)
    return run


def _search(language, rows=slice(None), step=None, inputs=None, **options) -> Hypotheses:
    chosen = BeamOptions(**{"max_length": language.max_length, **options})
    inputs = {name: ops.convert_to_tensor(value) for name, value in (inputs or {}).items()}
    found = _search_with(step or language.step, language.control, chosen)(*language.start(rows), inputs)
    return Hypotheses(*(ops.convert_to_numpy(part) for part in found))


def _written(found: Hypotheses, item: int = 0) -> list[tuple[int, ...]]:
    return [tuple(ids[:length].tolist()) for ids, length in zip(found.ids[item], found.lengths[item], strict=True)]


@pytest.fixture
def search() -> Callable[..., Hypotheses]:
    """Searches (language, rows, step, inputs, **options): `inputs` are the arguments of each input by name."""
    return _search


@pytest.fixture
def written() -> Callable[..., list[tuple[int, ...]]]:
    """Gives the sentences that were found for an input, without padding: (found, item)."""
    return _written


@pytest.fixture
def choose_inputs() -> Callable[[Any, Any], Any]:
    """Gives the memory of some items, for searches that go on without those that are done: (memory, rows)."""
    return _choose_inputs


@pytest.fixture
def toy_language() -> Callable[..., ToyLanguage]:
    return ToyLanguage


@pytest.fixture
def attentive_toy_language() -> Callable[..., AttentiveToyLanguage]:
    return AttentiveToyLanguage
