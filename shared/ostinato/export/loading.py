import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ostinato.errors import ModelError
from ostinato.export.versions import find_model

if TYPE_CHECKING:
    import tensorflow as tf

_OF_THE_EXPORT = {"tf_serving_warmup_requests", "proof_samples"}


@dataclass(frozen=True)
class LoadedModel:
    """An exported model, as any TensorFlow program sees it.

    Attributes:
      path: its version folder.
      signatures: functions by name; inputs by keyword, as tensors; they return dicts of tensors.
      interface: what `interface.json` says, `metadata` of the application included.
      assets: the application's files, by name.
      saved_model: TensorFlow's object, which owns the weights.
    """

    path: Path
    signatures: "Mapping[str, Callable[..., dict[str, tf.Tensor]]]"
    interface: Mapping[str, Any]
    assets: Mapping[str, Path]
    saved_model: object

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The application's own facts; empty where there are none."""
        return self.interface.get("metadata", {})

    def check_application(self, application: str, does: str) -> None:
        """Raises ModelError where the model was exported by another application; `does` is what this one's do."""
        if self.metadata.get("application") != application:
            raise ModelError(f"the model in {self.path} writes no {does}; name another")

    def check_settings(self, settings: type) -> None:
        """Raises ModelError where the model's decoding settings are not the fields of the dataclass that is sent to it.

        Without it a setting that was added since the export would fail as an unknown input in the first request.
        """
        known = {field.name for field in dataclasses.fields(settings)}
        if differing := known ^ set(self.metadata.get("decoding", {})):
            raise ModelError(
                f"the model in {self.path} and this program know different settings ({', '.join(sorted(differing))}); "
                "export it again, or use the version of the program that made it"
            )


def load_model(name_or_path: str | Path) -> LoadedModel:
    """Loads an exported folder, with or without its version, or a shipped model by name.

    Raises:
      ModelError: there is no such model, or its folder is damaged.
    """
    folder = find_model(name_or_path)
    interface = read_interface(folder)

    import tensorflow as tf

    try:
        saved_model = tf.saved_model.load(str(folder))
    except (OSError, ValueError, LookupError, tf.errors.OpError) as error:
        # The message of TensorFlow goes on for pages; its first line says what is wrong.
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(f"The model in {folder} is damaged ({reason}); export or fetch it again.") from error
    extra = folder / "assets.extra"
    assets = sorted(path for path in extra.iterdir() if path.name not in _OF_THE_EXPORT) if extra.is_dir() else []
    return LoadedModel(
        path=folder,
        signatures=saved_model.signatures,
        interface=interface,
        assets={path.name: path for path in assets},
        saved_model=saved_model,
    )


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
