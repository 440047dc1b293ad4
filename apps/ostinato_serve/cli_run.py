"""The verb that serves: run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ostinato.commands import ConfigFile
from ostinato_serve.command import FLAG, FLAT, app
from ostinato_serve.config import BatchConfig, BindConfig, LimitConfig, PageConfig

TOKEN_VARIABLE = "OSTINATO_TOKEN"


@app.command(config=[ConfigFile("--config")])
def run(
    *models: Annotated[str, Parameter(name="MODEL_FOLDER")],
    models_config: Path | None = None,
    config: Path | None = None,
    bind: Annotated[BindConfig, FLAT] = BindConfig(),
    batching: Annotated[BatchConfig, FLAT] = BatchConfig(),
    limits: Annotated[LimitConfig, FLAT] = LimitConfig(),
    page: Annotated[PageConfig, FLAT] = PageConfig(),
    token: Annotated[str, Parameter(env_var=TOKEN_VARIABLE)] = "",
    quiet: Annotated[bool, FLAG] = False,
) -> int:
    """Serve models by REST and gRPC until the server is told to stop.

    Args:
      models: folders of models, of their versions or of one version, or names of shipped models; all shipped models
        where nothing is given.
      models_config: file that lists models, as TensorFlow Serving takes it.
      config: TOML file of settings, which flags override.
      token: that clients must give as `Authorization: Bearer TOKEN`; better set as a variable of the environment, as
        others on this machine can read command lines.
      quiet: log warnings only, not each request.
    """
    from ostinato_serve.running import serve

    serve(models, models_config, bind, batching, limits, page, token, quiet=quiet)
    return 0
