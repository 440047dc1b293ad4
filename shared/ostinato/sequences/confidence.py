"""How sure a network may be: the temperature of its confidences, and where it had better say nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from ostinato.metrics import abstain_threshold, fit_temperature, tempered_softmax
from ostinato.sequences.outputs import StreamOutput, StreamTruth, labelled_logits

PRECISIONS = (90, 95)  # per cent, for which a threshold of confidence is sought
_MOST_EXAMPLES = 20_000  # a temperature is one number: more frames than these hardly move it


def fit_stream_temperature(outputs: Sequence[StreamOutput], truths: Sequence[StreamTruth]) -> float:
    """Finds the temperature that makes confidences honest: those of clips where these have labels, or of frames.

    Raises:
      DataError: nothing is labelled, or different numbers of sequences or frames.
    """
    logits, true = labelled_logits(outputs, truths)
    stride = -(-len(true) // _MOST_EXAMPLES)
    return fit_temperature(logits[::stride], true[::stride])


def abstain_thresholds(
    outputs: Sequence[StreamOutput], truths: Sequence[StreamTruth], precisions: Sequence[int] = PRECISIONS
) -> dict[str, dict[str, float] | None]:
    """Finds, for each wanted precision in per cent, the confidence below which it is better to say nothing.

    Returns:
      by precision, such as "95": `threshold` (0 to 1), `precision` and `coverage` (0 to 100), or None where no
      threshold is enough. Of clips where these have labels, or of frames.

    Raises:
      DataError: nothing is labelled, or different numbers of sequences or frames.
    """
    logits, true = labelled_logits(outputs, truths)
    confidences, correct = tempered_softmax(logits).max(axis=1), logits.argmax(axis=1) == true
    found = {precision: abstain_threshold(confidences, correct, precision=precision) for precision in precisions}
    return {str(name): None if each is None else dataclasses.asdict(each) for name, each in found.items()}
