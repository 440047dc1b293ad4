"""A stream that is read by an exported model, frame by frame."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ostinato.errors import ModelError
from ostinato.export.dtypes import as_array
from ostinato.export.model import Model
from ostinato.export.stream import is_state, zero_state


class StreamingSession:
    """Holds what a model has seen of B streams, so that each new frame costs the same.

        session = StreamingSession(load_model("gesture"))
        for frame in frames:
            scores = session.step(frame[None])["scores"]  # [1, L]
        session.reset()  # another stream begins

    Args:
      model: exported, `unexported_model`, or on a server: the state then travels with each call, and the server keeps
        none.
      signature: the one that reads a frame, or several, at a time.

    Raises:
      ModelError: the model has no such signature, or its interface does not say how a stream begins.
    """

    def __init__(self, model: Model, signature: str = "step") -> None:
        interface = model.interface.get("signatures", {}).get(signature, {})
        if "stream" not in interface:
            raise ModelError(
                f"the model in {model.path} has no signature {signature} that reads a stream; name or export another"
            )
        self._model, self._signature = model, signature
        self._stream = interface["stream"]
        self._dtypes = {name: tensor["dtype"] for name, tensor in interface["inputs"].items()}
        self._state: dict[str, np.ndarray] = {}
        self._batch = 0

    def reset(self) -> None:
        """Forgets what was seen: the next frame is the first one of a stream."""
        self._state = {}

    def step(self, frames: Any, **settings: Any) -> dict[str, np.ndarray]:
        """Reads one frame of each stream, or as many as the signature is given.

        Args:
          frames: what `np.asarray` takes, [B, ...], or [B, F, ...] where the signature reads several frames a call; a
            mapping by input name where a frame has several inputs.
          settings: values of the signature's other inputs, where it has some.

        Returns:
          the outputs by name, their batch kept, the state left out.

        Raises:
          ValueError: another number of streams than before, or inputs that the signature does not take.
        """
        names = list(self._stream["frames"])
        given = dict(frames) if isinstance(frames, Mapping) else {names[0]: frames}
        inputs = {
            name: as_array(value, self._dtypes[name]) for name, value in self._checked({**given, **settings}).items()
        }
        batch = len(inputs[names[0]])
        if not self._state:
            self._state, self._batch = zero_state(self._stream, batch), batch
        if batch != self._batch:
            raise ValueError(f"{batch} streams after {self._batch}; call reset() before others begin.")
        outputs = self._model.call(self._signature, {**inputs, **self._state})
        self._state = {name: outputs[name] for name in self._state}
        return {name: value for name, value in outputs.items() if not is_state(name)}

    def _checked(self, inputs: dict[str, Any]) -> dict[str, Any]:
        expected = self._dtypes.keys() - self._stream["state"].keys()
        if inputs.keys() != expected:
            raise ValueError(f"A step takes {sorted(expected)}; given: {sorted(inputs)}.")
        return inputs
