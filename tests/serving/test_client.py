import base64
import json
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from ostinato.errors import InputError, ModelError, ServerError
from ostinato.serving import retrying
from ostinato.serving.client import ServingClient


def tensor(dtype, *sizes):
    return {"dtype": dtype, "tensor_shape": {"dim": [{"size": str(size), "name": ""} for size in sizes]}, "name": ""}


SEARCH = {
    "inputs": {"photo": tensor("DT_STRING", -1), "width": tensor("DT_INT32"), "penalty": tensor("DT_FLOAT")},
    "outputs": {"captions": tensor("DT_STRING", -1, -1), "scores": tensor("DT_FLOAT", -1, 3)},
}
STEP = {
    "inputs": {"frame": tensor("DT_FLOAT", -1, 2), "state_sum": tensor("DT_FLOAT", -1, 2)},
    "outputs": {"scores": tensor("DT_FLOAT", -1, 2), "state_sum": tensor("DT_FLOAT", -1, 2)},
}
COUNT = {"inputs": {"x": tensor("DT_HALF", -1)}, "outputs": {"total": tensor("DT_INT64", -1)}}
SIGNATURES = {"beam_search": SEARCH, "step": STEP, "serving_default": COUNT, "__saved_model_init_op": {"outputs": {}}}
METADATA = {"model_spec": {}, "metadata": {"signature_def": {"signature_def": SIGNATURES}}}
STATUS = {
    "model_version_status": [
        {"version": "3", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}},
        {"version": "2", "state": "END", "status": {"error_code": "OK", "error_message": ""}},
    ]
}


class Server:
    """Answers metadata and status as TensorFlow Serving does, and predictions as it is told, in that order."""

    def __init__(self, answers=()):
        self.answers = list(answers)
        self.requests, self.headers, self.paths = [], [], []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do_GET(self):
                self.reply(200, METADATA if self.path.endswith("/metadata") else STATUS)

            def do_POST(self):
                server.paths.append(self.path)
                server.headers.append(self.headers)
                server.requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                answer = server.answers.pop(0)
                if callable(answer):
                    answer = answer(self, server.requests[-1])
                if answer is not None:
                    self.reply(*answer)

            def reply(self, status, body, headers=()):
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in [("Content-Length", str(len(content))), *headers]:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,)).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def serving(*answers, **options):
    server = Server(answers)
    try:
        with ServingClient(server.url, model="toy", **options) as client:
            yield server, client
    finally:
        server.close()


COUNTED = (200, {"outputs": [7]})
PHOTO = b"\xff\xd8\x00"
ASKED = {"photo": [PHOTO, "süß"], "width": 5, "penalty": 1}


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    monkeypatch.setattr(retrying, "_FIRST_PAUSE", 0.001)


def hang_up(handler, request):
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def test_a_call_is_asked_by_columns_and_strings_are_base64():
    answer = {"captions": [["a dog", "ein süßer Hund"], ["rain", ""]], "scores": [[0.1, -1e-30, 3], [1, 2, 3]]}
    with serving((200, {"outputs": answer})) as (server, client):
        outputs = client.predict(ASKED, "beam_search")
    assert server.paths == ["/v1/models/toy:predict"]
    photos = [{"b64": base64.b64encode(each).decode()} for each in (PHOTO, "süß".encode())]
    inputs = {"photo": photos, "width": 5, "penalty": 1.0}
    assert server.requests == [{"signature_name": "beam_search", "inputs": inputs}]
    assert outputs["captions"].tolist() == [[b"a dog", "ein süßer Hund".encode()], [b"rain", b""]]
    assert outputs["scores"].dtype == np.float32
    np.testing.assert_array_equal(outputs["scores"], np.float32(answer["scores"]))


def test_a_version_is_asked_for_by_its_number_and_the_token_goes_with_it():
    with serving(COUNTED, version=3, token="secret") as (server, client):
        assert client.predict({"x": [0.5]})["total"].tolist() == [7]
    assert server.paths == ["/v1/models/toy/versions/3:predict"]
    assert server.headers[0]["Authorization"] == "Bearer secret"


def test_signatures_and_versions_are_told():
    with serving() as (_, client):
        signatures, versions = client.metadata(), client.status()
    assert set(signatures) == {"beam_search", "step", "serving_default"}
    assert signatures["beam_search"].inputs["photo"].dtype == "string"
    assert signatures["beam_search"].outputs["scores"].shape == (None, 3)
    assert signatures["serving_default"].inputs["x"].dtype == "float16"
    assert [(each.version, each.state) for each in versions] == [(3, "AVAILABLE"), (2, "END")]


def test_a_busy_server_is_asked_again_when_it_says():
    busy = (503, {"error": "queue is full"}, [("Retry-After", "1")])
    with serving(busy, (429, {"error": "slow down"}), COUNTED) as (server, client):
        began = time.monotonic()
        assert client.predict({"x": [1]})["total"].tolist() == [7]
    assert len(server.requests) == 3
    assert 1 <= time.monotonic() - began < 10


def test_a_lost_connection_is_made_anew():
    with serving(COUNTED, hang_up, COUNTED) as (server, client):
        for _ in range(2):
            assert client.predict({"x": [1]})["total"].tolist() == [7]
    assert len(server.requests) == 3


def test_a_server_that_stays_busy_is_given_up():
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
def test_any_other_answer_is_told_in_one_sentence_and_not_asked_for_again(status, body, kind, message):
    with serving((status, body), version=2) as (server, client):
        with pytest.raises(kind, match=message) as raised:
            client.predict({"x": [1]})
        assert server.url in str(raised.value)
        assert "\n" not in str(raised.value)
        assert len(server.requests) == 1


def test_an_answer_that_does_not_come_is_waited_for_as_long_as_was_said():
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


def test_an_answer_that_does_not_end_is_not_waited_for():
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


def test_a_server_without_a_certificate_is_not_trusted():
    with serving() as (server, _):
        url = server.url.replace("http:", "https:")
        with (
            ServingClient(url, model="toy") as client,
            pytest.raises(ServerError, match="there is no secure connection to https"),
        ):
            client.status()


def test_a_name_with_spaces_is_a_name():
    with serving(COUNTED) as (server, _), ServingClient(server.url, model="my model") as client:
        client.predict({"x": [1]})
        assert server.paths == ["/v1/models/my%20model:predict"]


@pytest.mark.parametrize(
    "url",
    ["localhost:8501", "ftp://x", "http://", "http://x:port", "http://x/v1", "http://me@x", "grpc://", "grpcs://x/v1"],
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ServerError, match="is no address of a server"):
        ServingClient(url, model="toy")


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"y": [1]}, r"signature serving_default of toy takes \['x'\], not \['y'\]"),
        ({"x": ["word"]}, "input x of signature serving_default of toy is"),
    ],
)
def test_inputs_that_a_signature_does_not_take_are_not_sent(inputs, message):
    with serving() as (server, client):
        with pytest.raises(InputError, match=message):
            client.predict(inputs)
        assert not server.requests


def test_a_signature_that_the_model_lacks_is_named():
    with (
        serving() as (_, client),
        pytest.raises(ServerError, match="has no signature x; it has beam_search, serving_d"),
    ):
        client.predict({}, "x")


def add(handler, request):
    inputs = request["inputs"]
    total = (np.array(inputs["frame"]) + np.array(inputs["state_sum"])).tolist()
    return 200, {"outputs": {"scores": total, "state_sum": total}}


def test_a_session_carries_the_state_from_call_to_call():
    with serving(add, add, add) as (server, client):
        session = client.session()
        assert session.step([[1, 2]])["scores"].tolist() == [[1, 2]]
        assert session.step([[10, 20]]).keys() == {"scores"}
        session.reset()
        assert session.step([[5, 5], [7, 7]])["scores"].tolist() == [[5, 5], [7, 7]]
    assert [request["inputs"]["state_sum"] for request in server.requests] == [[[0, 0]], [[1, 2]], [[0, 0], [0, 0]]]


def test_a_signature_without_state_reads_no_stream():
    with serving() as (_, client), pytest.raises(ModelError, match="no signature serving_default that reads a stream"):
        client.session("serving_default")


def test_threads_may_share_a_client():
    def echo(handler, request):
        return 200, {"outputs": [int(request["inputs"]["x"][0])]}

    with serving(*[echo] * 40) as (_, client):
        client.metadata()
        answers = {}

        def ask(number):
            answers[number] = client.predict({"x": [number]})["total"].tolist()

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == {number: [number] for number in range(40)}
