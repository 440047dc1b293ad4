import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ostinato.errors import InputError, ModelError
from ostinato.export.model import Model
from ostinato.export.saved_graph import damaged, reason_of
from ostinato.export.versions import find_model

if TYPE_CHECKING:
    import tensorflow as tf

    from ostinato.export.runtime import Weight

_OF_THE_EXPORT = {"tf_serving_warmup_requests", "proof_samples"}


@dataclass(frozen=True)
class LoadedModel(Model):
    """An exported model in this process.

    Attributes:
      path: its version folder.
      signatures: functions by name; inputs by keyword, as tensors; they return dicts of tensors. Within a graph, such
        as a `tf.function`, only those can be called that were built anew (`load_model(..., rebuild=True)`).
      interface: what `interface.json` says, `metadata` of the application included.
      assets: the application's files, by name.
      owner: whoever must live as long as the signatures, if they do not see to that themselves.
      weights: what the signatures compute with, each once, named by its path in the Keras model; in models that were
        exported before Ostinato named them so, halved ones by the last part of their paths.
    """

    path: Path
    signatures: "Mapping[str, Callable[..., dict[str, tf.Tensor]]]"
    interface: Mapping[str, Any]
    assets: Mapping[str, Path]
    owner: object = None
    weights: "Sequence[Weight]" = ()

    def call(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Asks a signature in this process."""
        from ostinato.export import runtime

        try:
            outputs = self.signatures[signature](**{name: runtime.as_tensor(value) for name, value in inputs.items()})
        except runtime.InvalidArgumentError as error:
            raise InputError(f"the model in {self.path} refuses it ({reason_of(error)})") from error
        return {name: tensor.numpy() for name, tensor in outputs.items()}


def load_model(name_or_path: str | Path, *, rebuild: bool = False) -> LoadedModel:
    """Loads an exported folder, with or without its version, or a shipped model by name.

    Args:
      name_or_path: which one.
      rebuild: True to let TensorFlow build all functions anew, as `tf.saved_model.load` does for any program. It takes
        seconds for large graphs, and is done anyhow where `load_stored_signatures` cannot run them as they are stored.

    Raises:
      ModelError: there is no such model, or its folder is damaged.
    """
    folder = find_model(name_or_path)
    interface = read_interface(folder)

    from ostinato.export.stored_signatures import load_stored_signatures

    assets = find_assets(folder)
    stored = None if rebuild else load_stored_signatures(folder)
    if stored is not None:
        return LoadedModel(folder, stored.signatures, interface, assets, weights=stored.weights)
    return _rebuilt(folder, interface, assets)


def _rebuilt(folder: Path, interface: Mapping[str, Any], assets: Mapping[str, Path]) -> LoadedModel:
    import tensorflow as tf

    from ostinato.export.runtime import Weight

    try:
        saved_model = tf.saved_model.load(str(folder))
    except (OSError, ValueError, LookupError, RuntimeError, tf.errors.OpError) as error:
        raise damaged(folder, error) from error
    variables = {id(each): each for function in saved_model.signatures.values() for each in function.variables}
    weights = tuple(
        Weight(each.name.removesuffix(":0"), tuple(each.shape), each.dtype, each.handle) for each in variables.values()
    )
    return LoadedModel(folder, saved_model.signatures, interface, assets, saved_model, weights)


def find_assets(folder: Path) -> dict[str, Path]:
    """The application's own files in a version folder, by name."""
    extra = folder / "assets.extra"
    paths = sorted(path for path in extra.iterdir() if path.name not in _OF_THE_EXPORT) if extra.is_dir() else []
    return {path.name: path for path in paths}


def read_interface(folder: Path) -> dict[str, Any]:
    """What `interface.json` of a version folder says; no TensorFlow.

    Raises:
      ModelError: it is missing or damaged.
    """
    path = folder / "interface.json"
    try:
        interface = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); export or fetch the model again.") from error
    except ValueError as error:  # no JSON, or no UTF-8
        raise ModelError(f"{path} is damaged; export or fetch the model again.") from error
    if not isinstance(interface, dict) or not isinstance(interface.get("signatures"), dict):
        raise ModelError(f"{path} lists no signatures; export or fetch the model again.")
    return interface
