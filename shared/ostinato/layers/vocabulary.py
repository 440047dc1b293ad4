"""From what a decoder says to the logits of its tokens, of all of them or of a shortlist."""

from __future__ import annotations

from typing import Any, NamedTuple

from keras import ops

from ostinato.gathering import take

Tensor = Any  # a tensor of whichever Keras backend runs

NEVER = -1e9  # logit of a token that an input has not on its shortlist


class Shortlist(NamedTuple):
    """The tokens that a batch may write, n of the V that the decoder knows, as if there were no others.

    A language uses a part of a vocabulary that several share, and of that alone logits need be computed. Tokens are
    then counted from 0 to n - 1 wherever sequences are written: `numbers` and `token_ids` lead there and back.

    Attributes:
      token_ids: int32 [n], those that some input may write, ascending.
      allowed: bool [B, n], which of them each input may write, so that it writes the same in any company.

    Reference: Jean et al. 2015, section 3.2.
    """

    token_ids: Tensor
    allowed: Tensor

    @classmethod
    def of(cls, allowed: Tensor) -> Shortlist:
        """Returns the shortlist of inputs that may write what is allowed, bool [B, V]: all tokens where B is 0.

        Needs a backend whose sizes may depend on values, such as TensorFlow.
        """
        is_empty = ops.equal(ops.shape(allowed)[0], 0)
        token_ids = ops.cast(ops.nonzero(ops.logical_or(ops.any(allowed, axis=0), is_empty))[0], "int32")
        return cls(token_ids, ops.take(allowed, token_ids, axis=1))

    def numbers(self, token_ids: Tensor, vocabulary_size: int) -> Tensor:
        """Returns the numbers int32 [...] of tokens int [...], all of which are on the shortlist."""
        numbers = ops.scatter(
            self.token_ids[:, None], ops.arange(ops.shape(self.token_ids)[0], dtype="int32"), (vocabulary_size,)
        )
        return take(numbers, token_ids)


class VocabularyLayer(NamedTuple):
    """The weights that make logits of a decoder's outputs, as a product takes them.

    They are laid out once for a whole sequence: to turn them at every decoding step would take a fifth of its time.

    Attributes:
      kernel: float [embedding, V], the tokens' vectors.
      bias: float [V]; of a shortlist [B, V], for inputs differ in what they may write.
      token_ids: int32 [V], which tokens these are; None if they are all that the decoder knows.
    """

    kernel: Tensor
    bias: Tensor
    token_ids: Any = None

    @classmethod
    def of(cls, vectors: Tensor, bias: Tensor, temperature: float, shortlist: Shortlist | None) -> VocabularyLayer:
        """Lays out the weights of all tokens, vectors float [V, embedding] and bias float [V], or of a shortlist."""
        if shortlist is None:
            return cls(ops.transpose(vectors) / temperature, bias / temperature)
        token_ids, allowed = shortlist
        bias = ops.where(allowed, take(bias, token_ids) / temperature, NEVER)  # -> [B, n]
        return cls(ops.transpose(take(vectors, token_ids)) / temperature, bias, token_ids)

    def of_all(self, tokens: Tensor) -> Tensor:
        """Returns tokens int [...] as the decoder numbers them."""
        return tokens if self.token_ids is None else take(self.token_ids, tokens)

    def choose(self, rows: Tensor) -> VocabularyLayer:
        """Returns the layer of some inputs alone, rows int [n]."""
        return self if self.token_ids is None else self._replace(bias=take(self.bias, rows))

    def logits(self, outputs: Tensor) -> Tensor:
        """Returns float32 [..., V] for outputs float [..., embedding], of all tokens."""
        return ops.cast(ops.matmul(outputs, self.kernel), "float32") + ops.cast(self.bias, "float32")

    def log_probs(self, outputs: Tensor, inputs: Tensor) -> Tensor:
        """Returns log-probabilities float32 [R, V] for outputs float [R, embedding] of inputs int [R]."""
        layer = self.choose(inputs)
        return ops.log_softmax(layer.logits(outputs), axis=-1)
