"""One version of a model, ready to be asked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ostinato.errors import ModelError
from ostinato.export.saved_graph import reason_of
from ostinato.export.warmup import WARMUP_FILE, read_requests
from ostinato.serving.errors import ServingError, code_name
from ostinato.serving.graph_safety import check_folder, check_graph

_INIT_SIGNATURE = "__saved_model_init_op"  # TensorFlow's own, listed in the metadata but not to be called
# What TensorFlow raises of a damaged graph, depending on where the damage is.
_FAULTS_OF_A_MODEL = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    tf.errors.OpError,
)
# What TensorFlow puts around a message: nodes, functions and lines of source, which tell nothing to whoever asked.
_NOISE = re.compile(
    r"Graph execution error:|Detected at node [^\n]*|<stack traces unavailable>|^ *File \"[^\n]*(?:\n +[^\n]*)?"
    r"|\[\[\{\{[^{}]*\}\}[^\[\]]*\]\]|\{\{[^{}]*\}\}|\[Op:[^\[\]]*\]",
    re.MULTILINE,
)


@dataclass(frozen=True)
class TensorInfo:
    """An input or output of a signature.

    Attributes:
      name: of the tensor in the graph.
      dtype: as NumPy names it, `string` for bytes.
      shape: -1 where a size is free; None where even the rank is.
    """

    name: str
    dtype: str
    shape: tuple[int, ...] | None


@dataclass(frozen=True)
class Signature:
    """What can be asked: inputs and outputs by name, and the method that TensorFlow Serving knows it by."""

    inputs: Mapping[str, TensorInfo]
    outputs: Mapping[str, TensorInfo]
    method_name: str


class Servable:
    """A loaded version; strings are object arrays of bytes. Many threads may use it.

    Attributes:
      path: its folder.
      signatures: by name, those that can be called.
      signature_defs: all of them as TensorFlow's messages (`SignatureDef`), for the metadata.
    """

    def __init__(self, path: Path, saved_model: Any, signature_defs: Mapping[str, Any]) -> None:
        self.path = path
        self.signature_defs = dict(signature_defs)
        self.signatures = {
            name: Signature(_tensors(each.inputs), _tensors(each.outputs), each.method_name)
            for name, each in sorted(signature_defs.items())
            if name != _INIT_SIGNATURE
        }
        self._saved_model = saved_model  # owns the weights
        self._functions = dict(saved_model.signatures)

    @classmethod
    def load(cls, folder: str | Path) -> Servable:
        """Loads the graph and weights of a version folder and replays its warm-up requests.

        Nothing but TensorFlow's own data is read, and all of it from the folder: no Python code, no pickles, no layers
        of Keras; and the graph must not read or write files either.

        Raises:
          ModelError: the folder is half-copied, damaged, unsafe, or fails on its own warm-up requests.
        """
        folder = Path(folder)
        check_folder(folder)
        meta_graph = check_graph(folder)
        try:
            saved_model = tf.saved_model.load(str(folder))
        except _FAULTS_OF_A_MODEL as error:
            raise ModelError(
                f"the model in {folder} is damaged or half-copied ({reason_of(error)}); export or fetch it again"
            ) from error
        servable = cls(folder, saved_model, meta_graph.signature_def)
        missing = sorted(servable.signatures.keys() - servable._functions.keys())
        if missing or not servable.signatures:
            what = f"cannot be asked for {', '.join(missing)}" if missing else "has no signatures"
            raise ModelError(f"the model in {folder} {what}; export it again")
        servable._warm_up()
        return servable

    def signature(self, name: str) -> Signature:
        """The signature of a name; an empty one stands for `serving_default`.

        Raises:
          ServingError: INVALID_ARGUMENT, the model has no such signature.
        """
        name = name or "serving_default"
        if name not in self.signatures:
            raise ServingError(
                "INVALID_ARGUMENT",
                f'Serving signature name: "{name}" not found in signature def; there are: {", ".join(self.signatures)}',
            )
        return self.signatures[name]

    def check(
        self, signature_name: str, inputs: Mapping[str, np.ndarray], outputs: Sequence[str] = ()
    ) -> dict[str, np.ndarray]:
        """The inputs, ready to be run: names, dtypes and shapes are those of the signature.

        Raises:
          ServingError: INVALID_ARGUMENT, saying what was expected.
        """
        signature = self.signature(signature_name)
        _check_names(inputs, signature)
        for name in outputs:
            if name not in signature.outputs:
                raise ServingError(
                    "INVALID_ARGUMENT",
                    f"output tensor alias not found in signature: {name} Outputs expected to be in the set "
                    f"{{{','.join(sorted(signature.outputs))}}}.",
                )
        return {name: _checked(name, np.asarray(inputs[name]), info) for name, info in signature.inputs.items()}

    def run(
        self, signature_name: str, inputs: Mapping[str, np.ndarray], outputs: Sequence[str] = ()
    ) -> dict[str, np.ndarray]:
        """The answer to inputs that `check` let pass; `outputs` names those that are wanted, none for all.

        Raises:
          ServingError: the graph refused the inputs, or failed.
        """
        infos = self.signature(signature_name).inputs
        try:
            tensors = {name: tf.convert_to_tensor(value, infos[name].dtype) for name, value in inputs.items()}
            answer = self._functions[signature_name or "serving_default"](**tensors)
            return {
                name: np.asarray(tensor.numpy(), tensor.dtype.as_numpy_dtype)  # a scalar string is no array yet
                for name, tensor in answer.items()
                if not outputs or name in outputs
            }
        except tf.errors.OpError as error:
            raise ServingError(code_name(error.error_code), _message(error)) from error
        except (TypeError, ValueError, MemoryError) as error:
            code = "RESOURCE_EXHAUSTED" if isinstance(error, MemoryError) else "INVALID_ARGUMENT"
            raise ServingError(code, _message(error)) from error

    def predict(
        self, signature_name: str, inputs: Mapping[str, np.ndarray], outputs: Sequence[str] = ()
    ) -> dict[str, np.ndarray]:
        """Checks and runs; raises what they do."""
        return self.run(signature_name, self.check(signature_name, inputs, outputs), outputs)

    def _warm_up(self) -> None:
        try:
            for request in read_requests(self.path / WARMUP_FILE):
                self.predict(request.signature, request.inputs)
        except ServingError as error:
            raise ModelError(
                f"the model in {self.path} fails on one of its warm-up requests ({error}); export it again"
            ) from error


def _tensors(infos: Mapping[str, Any]) -> dict[str, TensorInfo]:
    return {name: _tensor(info) for name, info in sorted(infos.items())}


def _tensor(info: Any) -> TensorInfo:
    shape = info.tensor_shape
    sizes = None if shape.unknown_rank else tuple(max(-1, dimension.size) for dimension in shape.dim)
    return TensorInfo(info.name, tf.dtypes.as_dtype(info.dtype).name, sizes)


def _check_names(inputs: Mapping[str, np.ndarray], signature: Signature) -> None:
    if inputs.keys() == signature.inputs.keys():
        return
    sent, wanted = (",".join(sorted(names)) for names in (inputs, signature.inputs))
    extra, missing = sorted(inputs.keys() - signature.inputs.keys()), sorted(signature.inputs.keys() - inputs.keys())
    raise ServingError(
        "INVALID_ARGUMENT",
        f"input size does not match signature: {len(inputs)}!={len(signature.inputs)} len({{{sent}}}) != "
        f"len({{{wanted}}}). Sent extra: {{{','.join(extra)}}}. Missing but required: {{{','.join(missing)}}}.",
    )


def _checked(name: str, array: np.ndarray, info: TensorInfo) -> np.ndarray:
    given = "string" if array.dtype.kind in "SO" else array.dtype.name
    if given != info.dtype:
        raise ServingError("INVALID_ARGUMENT", f"input {name} is {given}; expected {info.dtype}")
    if info.shape is not None:
        fits = array.ndim == len(info.shape) and all(
            wanted in (-1, size) for wanted, size in zip(info.shape, array.shape, strict=True)
        )
        if not fits:
            raise ServingError(
                "INVALID_ARGUMENT",
                f"input {name} has shape {list(array.shape)}; expected {list(info.shape)}, where -1 is any size",
            )
    return array.astype(object) if array.dtype.kind == "S" else array


def _message(error: Exception) -> str:
    """What TensorFlow says, in one line and without the names of its nodes."""
    return " ".join(_NOISE.sub(" ", str(getattr(error, "message", error))).split()) or type(error).__name__
