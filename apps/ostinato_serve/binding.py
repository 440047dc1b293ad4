"""Where the server listens, and who may find it there."""

from __future__ import annotations

import os
import socket

from ostinato.errors import ConfigError, UserError
from ostinato.serving.access import is_loopback


def check_remote(host: str, allow_remote: bool, token: str) -> None:
    """Lets a server be found by other machines only where that is meant.

    Raises:
      ConfigError: the host is not this machine for itself, and the flag or the token is missing.
    """
    if is_loopback(host):
        return
    if not allow_remote:
        raise ConfigError(f"--host {host} lets other machines ask; add --allow-remote if that is meant")
    if not token:
        raise ConfigError(f"--host {host} lets other machines ask; set OSTINATO_TOKEN to what they must know")


def listen(host: str, port: int, flag: str) -> socket.socket:
    """A socket at which clients can already wait.

    Raises:
      UserError: the port is taken, or there is no such host.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address, family=family)
    except (OSError, UnicodeError) as error:
        number = getattr(error, "errno", None) or 0  # below 0 for names that are not found
        reason = os.strerror(number) if number > 0 else getattr(error, "strerror", None) or error
        raise UserError(f"cannot listen at port {port} of {host} ({reason}); give another {flag}") from error
