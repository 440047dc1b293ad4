"""The server from its start to its end."""

from __future__ import annotations

import contextlib
import gc
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ostinato.commands import quiet_tensorflow, say
from ostinato.commands.extras import extra_that_has
from ostinato_serve.binding import check_remote, listen
from ostinato_serve.command import app
from ostinato_serve.config import BatchConfig, BindConfig, LimitConfig, PageConfig

if TYPE_CHECKING:
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp

    from ostinato.serving.model_server import ModelServer

_LARGEST_MESSAGE = 2**31 - 1  # bytes: gRPC counts them in 32 bits


def serve(
    folders: Sequence[str],
    models_config: Path | None,
    bind: BindConfig,
    batching: BatchConfig,
    limits: LimitConfig,
    page: PageConfig,
    token: str,
    *,
    quiet: bool,
) -> None:
    """Loads the models and answers until SIGTERM or SIGINT; the requests that were begun are finished.

    Raises:
      UserError: what was asked for cannot be served, or not there.
    """
    check_remote(bind.host, bind.allow_remote, token)
    import uvicorn  # noqa: F401  # first, so that its extra is named where it is missing

    quiet_tensorflow(runs_exported=True, serves=True)
    from ostinato.serving.access import is_loopback
    from ostinato.serving.batching import BatchingOptions
    from ostinato.serving.grpc_server import serve_grpc
    from ostinato.serving.http_server import http_server
    from ostinato.serving.model_server import ModelServer
    from ostinato.serving.rest import RestLimits, rest_application
    from ostinato_serve.models import models_to_serve

    models = models_to_serve(folders, models_config)
    gc.freeze()  # what is imported stays; to look through it each time that a model is freed would hold up requests
    _log_to_standard_error(logging.WARNING if quiet else logging.INFO)
    server = ModelServer(
        models,
        batching=BatchingOptions(
            max_batch_size=batching.max_batch_size,
            max_batch_seconds=batching.max_batch_seconds,
            batch_timeout_ms=batching.batch_timeout_ms,
            num_threads=batching.num_threads,
            max_queue=batching.max_queue,
            max_queue_mb=batching.max_queue_mb,
            max_rows=batching.max_rows,
        ),
        poll_seconds=limits.poll_seconds,
        timeout_seconds=limits.timeout_seconds,
    )
    # A page of the web cannot know a token, so that names matter only without one.
    hosts = {bind.host, *bind.allow_hosts} if is_loopback(bind.host) and not token else None
    routes = _page_routes(server, page)
    application: ASGIApp = rest_application(
        server,
        limits=RestLimits(limits.max_body_mb, limits.max_bodies_mb, limits.body_seconds),
        token=token,
        hosts=hosts,
        routes=routes,
    )
    if token and routes:
        from ostinato_serve.page.routes import signing_in

        application = signing_in(application, token)
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(contextlib.closing(listen(bind.host, bind.port, "--port")))
        if bind.grpc:  # before the models are loaded, which may take a minute
            listen(bind.host, bind.grpc_port, "--grpc-port").close()
        stack.callback(server.stop, limits.drain_seconds)
        server.start()
        places = [f"http://{_in_url(bind.host)}:{listener.getsockname()[1]}"]
        if bind.grpc:
            most = min(int(limits.max_body_mb * 2**20), _LARGEST_MESSAGE)
            grpc = serve_grpc(server, bind.host, bind.grpc_port, token or None, max_message_bytes=most)
            stack.callback(grpc.stop, limits.drain_seconds)
            places.append(f"grpc://{_in_url(bind.host)}:{grpc.port}")
        http = http_server(application, bind.host, bind.port, limits.drain_seconds)
        say(app, f"{', '.join(models)} at {' and '.join(places)}")
        with contextlib.suppress(KeyboardInterrupt):  # uvicorn has ended in good order, and passes the signal on
            http.run(sockets=[listener])
        say(app, "stopping: no new requests, those that were begun are finished")


def _page_routes(server: ModelServer, config: PageConfig) -> Sequence[BaseRoute]:
    """The page; without what only it needs the server serves all else."""
    if not config.page:
        return ()
    try:
        from ostinato_serve.page.routes import page_routes
    except ModuleNotFoundError as error:
        if extra_that_has(error.name) is None:
            raise
        say(app, f"the page is left out: it needs {error.name}; install it with: pip install 'ostinato[serve]'")
        return ()
    return page_routes(server, config)


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _log_to_standard_error(level: int) -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("ostinato").setLevel(level)
