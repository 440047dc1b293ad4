"""The files that TensorFlow Serving is started with: which models, how requests are joined, what is measured."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ostinato.errors import UserError
from ostinato.export.loading import read_interface
from ostinato.export.versions import find_model
from ostinato.files import write_atomically

if TYPE_CHECKING:
    from ostinato.serving.repository import ModelConfig

_BATCH = 32
# Of `BatchingParameters`. Queues are counted in batches: beyond them the server answers 503 instead of letting wait.
_BATCHING = f"""\
max_batch_size {{ value: {_BATCH} }}
batch_timeout_micros {{ value: 1000 }}
max_enqueued_batches {{ value: 8 }}
# As many as the server's machine has cores.
num_batch_threads {{ value: 4 }}
"""
_MONITORING = """\
prometheus_config {
  enable: true
  path: "/monitoring/prometheus/metrics"
}
"""
_SERVICE = """\
  {name}:
    image: {image}
    restart: unless-stopped
    command:
{flags}
    ports:  # of this machine alone: TensorFlow Serving asks nobody for a token
      - "127.0.0.1:{grpc_port}:8500"  # gRPC
      - "127.0.0.1:{rest_port}:8501"  # REST, and /monitoring/prometheus/metrics
    volumes:
{volumes}
"""


@dataclass(frozen=True)
class Inputs:
    """What the signatures of a model take, as far as joining requests is concerned.

    Attributes:
      can_be_joined: only the first dimension of each input is free. TensorFlow Serving refuses to join others.
      settings: signatures with scalar inputs, which it does not answer at all where it joins requests.
    """

    can_be_joined: bool
    settings: tuple[str, ...]


def inputs_of(version: Path) -> Inputs:
    """Reads the interface of a version folder.

    Raises:
      ModelError: it has none.
    """
    shapes = {
        name: [tensor["shape"] for tensor in signature["inputs"].values()]
        for name, signature in read_interface(version)["signatures"].items()
    }
    rows = [shape for each in shapes.values() for shape in each if shape != []]
    return Inputs(
        can_be_joined=all(shape is not None and None not in shape[1:] for shape in rows),
        settings=tuple(name for name, each in shapes.items() if [] in each),
    )


def write_config_files(
    output: Path, models: Mapping[str, ModelConfig], *, image: str, overwrite: bool = False
) -> dict[str, Inputs]:
    """Writes `models.config`, `monitoring.config` and `docker-compose.yml`, and for joined requests two more.

    Every model is served as it is by one server. Those whose requests can be joined are served by a second one too,
    which answers only signatures without settings, and more of them: TensorFlow Serving joins the requests of all
    models and signatures of a server, or of none. There, warm-up requests are not replayed, as those with settings
    would keep a model from being loaded.

    Args:
      output: folder for the files; it is made.
      models: by name.
      image: of the container, with its version.
      overwrite: files that are there may go.

    Returns:
      what the models take, by name.

    Raises:
      UserError: files are there, or cannot be written.
      ModelError: a model has no interface.
    """
    inputs = {name: inputs_of(find_model(config.folder)) for name, config in models.items()}
    joined = {name: config for name, config in models.items() if inputs[name].can_be_joined}
    files = {"models.config": models_config(models), "monitoring.config": _MONITORING}
    flags = ["--model_config_file=/config/models.config", *_SHARED_FLAGS]
    services = [_service("serving", image, 8500, flags, models)]
    if joined:
        files |= {"batched_models.config": models_config(joined), "batching.config": _BATCHING}
        flags = ["--model_config_file=/config/batched_models.config", *_SHARED_FLAGS, *_BATCHING_FLAGS]
        services.append(_service("batched", image, 8510, flags, joined))
    files["docker-compose.yml"] = "name: ostinato\nservices:\n" + "".join(services)
    taken = sorted(name for name in files if (output / name).exists())
    if taken and not overwrite:
        raise UserError(f"{output} has {', '.join(taken)} already; name another --output, or add --overwrite")
    try:
        for name, content in files.items():
            write_atomically(output / name, content)
    except OSError as error:
        raise UserError(f"{output} cannot be written to ({error.strerror}); name another --output") from error
    return inputs


_SHARED_FLAGS = ("--model_config_file_poll_wait_seconds=60", "--monitoring_config_file=/config/monitoring.config")
_BATCHING_FLAGS = (
    "--enable_batching=true",
    "--batching_parameters_file=/config/batching.config",
    "--enable_model_warmup=false",
)


def models_config(models: Mapping[str, ModelConfig]) -> str:
    """The models as TensorFlow Serving's `ModelServerConfig`, as they lie in its container: `/models/NAME`."""
    from google.protobuf import text_format
    from tensorflow_serving.config import model_server_config_pb2

    message = model_server_config_pb2.ModelServerConfig()
    for name, config in models.items():
        entry = message.model_config_list.config.add(
            name=name, base_path=f"/models/{name}", model_platform="tensorflow"
        )
        if config.specific:
            entry.model_version_policy.specific.versions.extend(config.specific)
        elif config.latest is None:
            entry.model_version_policy.all.SetInParent()
        elif config.latest > 1:
            entry.model_version_policy.latest.num_versions = config.latest
        for label, version in config.labels.items():
            entry.version_labels[label] = version
    return text_format.MessageToString(message)


def _service(name: str, image: str, port: int, flags: Sequence[str], models: Mapping[str, ModelConfig]) -> str:
    folders: list[tuple[Any, str]] = [(".", "/config")]
    folders += [(config.folder.resolve(), f"/models/{model}") for model, config in models.items()]
    volumes = [
        f"      - {{type: bind, source: {_text(source)}, target: {_text(target)}, read_only: true}}\n"
        for source, target in folders
    ]
    return _SERVICE.format(
        name=name,
        image=_text(image),
        flags="".join(f"      - {_text(flag)}\n" for flag in flags).rstrip("\n"),
        grpc_port=port,
        rest_port=port + 1,
        volumes="".join(volumes).rstrip("\n"),
    )


def _text(value: object) -> str:
    """A string as YAML and Compose have it, which takes a dollar sign for a variable."""
    return json.dumps(str(value), ensure_ascii=False).replace("$", "$$")
