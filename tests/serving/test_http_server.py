import socket
import threading
from contextlib import closing

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from ostinato.serving import http_server
from ostinato.serving.http_server import StallGuard


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(await request.body())


@pytest.fixture
def port(monkeypatch):
    """Of a server that waits 0.3 s for the head of a request."""
    monkeypatch.setattr(StallGuard, "head_seconds", 0.3)
    listener = socket.create_server(("127.0.0.1", 0))
    server = http_server.http_server(Starlette(routes=[Route("/", echo, methods=["POST"])]), "127.0.0.1", 0, 1.0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(10)
    listener.close()


def connect(port):
    return closing(socket.create_connection(("127.0.0.1", port), timeout=5))


@pytest.mark.parametrize("beginning", [b"", b"POST / HTTP/1.1\r\nHost: local"])
def test_a_head_that_does_not_come_to_its_end_is_not_waited_for(port, beginning):
    with connect(port) as client:
        client.sendall(beginning)
        assert client.recv(100) == b""  # closed


def test_a_second_request_s_head_is_not_waited_for_either_and_a_body_is(port):
    with connect(port) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: local\r\nContent-Length: 2\r\n\r\na")
        threading.Event().wait(0.5)
        client.sendall(b"b")
        answer = b""
        while not answer.endswith(b"\r\n\r\nab"):
            answer += (received := client.recv(1000))
            assert received
        client.sendall(b"POST / HT")
        assert client.recv(100) == b""


def test_a_head_that_is_too_large_is_refused(port):
    with connect(port) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: local\r\nX: " + b"a" * 200_000)
        assert client.recv(100).startswith(b"HTTP/1.1 400 ")
