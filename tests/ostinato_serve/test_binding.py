import socket
from contextlib import closing

import pytest

from ostinato.errors import ConfigError, UserError
from ostinato_serve.binding import check_remote, listen


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_this_machine_may_always_ask_itself(host):
    check_remote(host, allow_remote=False, token="")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "example.org", "localhost.example.org"])
def test_other_machines_may_ask_where_that_is_meant_and_a_token_is_set(host):
    with pytest.raises(ConfigError, match="add --allow-remote"):
        check_remote(host, allow_remote=False, token="secret")
    with pytest.raises(ConfigError, match="set OSTINATO_TOKEN"):
        check_remote(host, allow_remote=True, token="")
    check_remote(host, allow_remote=True, token="secret")


def test_a_port_that_is_taken_is_named_with_the_flag_for_another():
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            UserError, match=rf"port {port} of 127.0.0.1 \(Address already in use\); give another --port"
        ):
            listen("127.0.0.1", port, "--port")


def test_a_free_port_can_be_asked_for():
    with closing(listen("127.0.0.1", 0, "--port")) as listener:
        assert listener.getsockname()[1] > 0
