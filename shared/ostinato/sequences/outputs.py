"""What a network says of a sequence, apart from the network: arrays, without Keras."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class StreamOutput(NamedTuple):
    """What a network says of one sequence.

    Attributes:
      frame_logits: float32 [F, L].
      clip_logits: float32 [L], of the whole.
    """

    frame_logits: np.ndarray
    clip_logits: np.ndarray
