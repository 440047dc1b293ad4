"""The verb that prepares TensorFlow Serving: config."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ostinato.commands import quiet_tensorflow, say
from ostinato_serve.command import FLAG, app

IMAGE = "tensorflow/serving:2.20.0"


@app.command
def config(
    *models: Annotated[str, Parameter(name="MODEL")],
    output: Path,
    image: str = IMAGE,
    overwrite: Annotated[bool, FLAG] = False,
) -> int:
    """Write what TensorFlow Serving is started with: models.config, batching, monitoring, docker-compose.yml.

    `docker compose up` in that folder then serves the models, with the ports of TensorFlow Serving; those whose
    requests can be joined in a second server too, at ports 8510 and 8511, which is made for many clients.

    Args:
      models: folders of models, of their versions or of one version, or names of shipped models; all shipped models
        where none is given.
      output: folder for the files.
      image: of the container.
      overwrite: replace files that are there.
    """
    quiet_tensorflow()
    from ostinato_serve.config_files import write_config_files
    from ostinato_serve.models import models_to_serve

    found = write_config_files(output, models_to_serve(models, None), image=image, overwrite=overwrite)
    say(app, f"docker-compose.yml and what it needs for {', '.join(found)}: {output}")
    for name, inputs in found.items():
        if not inputs.can_be_joined:
            say(app, f"{name}: requests are not batched, as they differ in size")
        elif inputs.settings:
            say(app, f"{name}: the batched server does not answer {', '.join(inputs.settings)}: settings come along")
    return 0
