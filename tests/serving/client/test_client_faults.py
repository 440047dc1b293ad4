"""What the client does where no answer comes, or not the one that was asked for."""

import socket
import threading
import time

import pytest

from ostinato.errors import InputError, ServerError
from ostinato.serving.client import ServingClient

COUNTED = (200, {"outputs": [7]})


def test_a_busy_server_is_asked_again_when_it_says(serving):
    busy = (503, {"error": "queue is full"}, [("Retry-After", "1")])
    with serving(busy, (429, {"error": "slow down"}), COUNTED) as (server, client):
        began = time.monotonic()
        assert client.predict({"x": [1]})["total"].tolist() == [7]
    assert len(server.requests) == 3
    assert 1 <= time.monotonic() - began < 10


def hang_up(handler, request):
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def test_a_lost_connection_is_made_anew(serving):
    with serving(COUNTED, hang_up, COUNTED) as (server, client):
        for _ in range(2):
            assert client.predict({"x": [1]})["total"].tolist() == [7]
    assert len(server.requests) == 3


def test_a_server_that_stays_busy_is_given_up(serving):
    with serving(*[(503, {"error": "queue is full"})] * 9, attempts=3) as (server, client):
        with pytest.raises(
            ServerError, match=r"http://127.0.0.1:\d+ is too busy to answer \(queue is full\); try again"
        ):
            client.predict({"x": [1]})
        assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (400, {"error": "input 0:\n wrong"}, InputError, r"refuses it \(input 0: wrong\)"),
        (
            400,
            {"error": "Batching Run() input tensors must have at least one dimension."},
            ServerError,
            "without batching",
        ),
        (401, {"error": "no token"}, ServerError, "put the right one into OSTINATO_TOKEN"),
        (
            404,
            {"error": "no version 2"},
            ServerError,
            r"version 2 of toy \(no version 2\); it serves version 3: use that",
        ),
        (413, {"error": "body"}, ServerError, "no request as large as this"),
        (500, {"error": "out of memory"}, ServerError, r"fails \(INTERNAL: out of memory\)"),
        (504, {"error": "slow"}, ServerError, "no answer within 60 seconds"),
        (302, b"", ServerError, "HTTP status 302"),
        (200, b"<html>", ServerError, "is no model server"),
        (200, [1], ServerError, "is no model server"),
        (200, {"outputs": ["many"]}, ServerError, "does not fit signature serving_default"),
        (200, {}, ServerError, "does not fit signature serving_default"),
        (200, b"[" * 100_000, ServerError, "is no model server"),
    ],
)
def test_any_other_answer_is_told_in_one_sentence_and_not_asked_for_again(serving, status, body, kind, message):
    with serving((status, body), version=2) as (server, client):
        with pytest.raises(kind, match=message) as raised:
            client.predict({"x": [1]})
        assert server.url in str(raised.value)
        assert "\n" not in str(raised.value)
        assert len(server.requests) == 1


def test_an_answer_that_does_not_come_is_waited_for_as_long_as_was_said(serving):
    released = threading.Event()
    with serving(lambda handler, request: released.wait(5) and None, timeout=0.3) as (server, client):
        with pytest.raises(ServerError, match=r"no answer within 0\.3 seconds"):
            client.predict({"x": [1]})
        released.set()
        assert len(server.requests) == 1


def drip(handler, request):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(30):
        time.sleep(0.1)
        try:
            handler.wfile.write(b" ")
        except OSError:
            break
    handler.close_connection = True


def test_an_answer_that_does_not_end_is_not_waited_for(serving):
    with serving(drip, timeout=0.4) as (_, client):
        began = time.monotonic()
        with pytest.raises(ServerError, match=r"no answer within 0\.4 seconds"):
            client.predict({"x": [1]})
        assert time.monotonic() - began < 2


def test_where_nobody_listens_it_is_said_how_to_start_a_server():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with (
            ServingClient(url, model="toy", attempts=2) as client,
            pytest.raises(
                ServerError, match=rf"^no server answers at {url} \(Connection refused\); start one, such as"
            ),
        ):
            client.status()


def test_a_server_without_a_certificate_is_not_trusted(serving):
    with serving() as (server, _):
        url = server.url.replace("http:", "https:")
        with (
            ServingClient(url, model="toy") as client,
            pytest.raises(ServerError, match="there is no secure connection to https"),
        ):
            client.status()
