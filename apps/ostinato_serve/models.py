"""Which models are served: folders, shipped models, or what a `models.config` of TensorFlow Serving lists."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ostinato.errors import ConfigError, ModelError
from ostinato.export.versions import SAVED_MODEL_FILE, find_model, shipped_models, versions_in
from ostinato.serving.repository import ModelConfig


def models_to_serve(folders: Sequence[str], models_config: Path | None) -> dict[str, ModelConfig]:
    """The models by name, which is that of the folder of their versions.

    Args:
      folders: of versions, of one version, of models, or names of shipped models; where nothing at all is given, all
        shipped models.
      models_config: a file in the text format of TensorFlow Serving.

    Raises:
      ModelError: a folder holds no model, or two have the same name.
      ConfigError: the file cannot be read.
    """
    models: dict[str, ModelConfig] = {}
    found = [each for folder in folders for each in _models_in(folder)]
    if models_config is not None:
        found += read_models_config(models_config)
    elif not folders:
        found += [(name, ModelConfig(version.parent.resolve())) for name, version in shipped_models().items()]
    for name, config in found:
        if name in models:
            raise ModelError(f"two models are called {name}; give a --models-config that names them apart")
        models[name] = config
    if not models:
        raise ModelError("there is no model to serve; give the folders of some")
    return models


def _models_in(folder: str) -> list[tuple[str, ModelConfig]]:
    path = Path(folder)
    if path.is_dir() and not (path / SAVED_MODEL_FILE).is_file() and not any(versions_in(path)):
        inside = [each for each in sorted(path.iterdir()) if any(versions_in(each))]
        if inside:
            return [(each.name, ModelConfig(each.resolve())) for each in inside]
    if path.is_dir() and any(versions_in(path)):
        return [(path.resolve().name, ModelConfig(path.resolve()))]
    version = find_model(folder).resolve()
    if path.is_dir():  # the folder of one version, to which it is to be held
        if not version.name.isdecimal():
            raise ModelError(f"the folder {folder} has no number for a name; move it to NAME/1")
        return [(version.parent.name, ModelConfig(version.parent, specific=(int(version.name),)))]
    return [(version.parent.name, ModelConfig(version.parent))]


def read_models_config(path: Path) -> list[tuple[str, ModelConfig]]:
    """What a `models.config` lists.

    Raises:
      ConfigError: it is missing, is none, or lists what this server cannot serve.
    """
    from google.protobuf import text_format
    from tensorflow_serving.config import model_server_config_pb2

    try:
        message = text_format.Parse(path.read_text(encoding="utf-8"), model_server_config_pb2.ModelServerConfig())
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}); name another file") from error
    except (UnicodeDecodeError, text_format.ParseError) as error:
        raise ConfigError(f"{path} is no models.config ({error}); see `ostinato-serve config`") from error
    return [(each.name, _model_config(path, each)) for each in message.model_config_list.config]


def _model_config(path: Path, config: object) -> ModelConfig:
    name, folder = config.name, Path(config.base_path)  # type: ignore[attr-defined]
    policy = config.model_version_policy  # type: ignore[attr-defined]
    if not name or "/" in name or ":" in name:
        raise ConfigError(f"{path}: a model cannot be called {name!r}; give it another name")
    if not folder.is_dir():
        raise ConfigError(f"{path}: there is no folder {folder} for the model {name}; correct its base_path")
    kind = policy.WhichOneof("policy_choice")
    if kind == "specific" and not policy.specific.versions:
        raise ConfigError(f"{path}: the model {name} asks for specific versions and names none; name some")
    return ModelConfig(
        folder.resolve(),
        latest=max(1, policy.latest.num_versions) if kind in (None, "latest") else None,
        specific=tuple(policy.specific.versions) if kind == "specific" else (),
        labels=dict(config.version_labels),  # type: ignore[attr-defined]
    )
