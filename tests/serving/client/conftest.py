"""A server that answers by REST as it is told, to see what the client asks and makes of it."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

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
def serving_answers(*answers, **options):
    server = Server(answers)
    try:
        with ServingClient(server.url, model="toy", **options) as client:
            yield server, client
    finally:
        server.close()


@pytest.fixture(scope="session")
def serving():
    """Serves such answers, and gives the server and a client of it: (*answers, **options of the client)."""
    return serving_answers


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    monkeypatch.setattr(retrying, "_FIRST_PAUSE", 0.001)
