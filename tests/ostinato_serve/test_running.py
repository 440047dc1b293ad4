import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import tensorflow as tf

ROOT = Path(__file__).parents[2]


class Half(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)], autograph=False)
    def half(self, x):
        return {"y": x / 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "half"
    tf.saved_model.save(module := Half(), str(folder / "1"), signatures=module.half)
    return folder


class Server:
    """`ostinato-serve run` in a process of its own."""

    def __init__(self, *arguments):
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'shared'}:{ROOT / 'apps'}", "CUDA_VISIBLE_DEVICES": "-1"}
        environment.pop("OSTINATO_TOKEN", None)
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from ostinato_serve.cli import main; main()", "run", *map(str, arguments)],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.log = []
        for line in self.process.stderr:
            self.log.append(line)
            if match := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                self.port = int(match[1])
                break

    def ask(self, x):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/v1/models/half:predict", json.dumps({"inputs": x}).encode()
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            return json.load(response)["outputs"]

    def end(self):
        """Returns the exit code and what was logged."""
        with self.process:
            self.log += self.process.stderr.readlines()
        return self.process.returncode, "".join(self.log)


def test_under_load_a_termination_loses_no_request_that_was_begun(folder):
    server = Server(folder, "--port", 0, "--grpc-port", 0, "--no-page")
    answered, wrong, stop = [], [], threading.Event()

    def keep_asking(client):
        number = 0
        while not stop.is_set():
            number += 1
            x = [client, number]
            try:
                if server.ask(x) != [client / 2, number / 2]:
                    wrong.append(x)
                answered.append(x)
            except (urllib.error.URLError, ConnectionError) as error:
                if isinstance(error, urllib.error.HTTPError):
                    wrong.append((x, error.code))
                return  # the server takes no more

    clients = [threading.Thread(target=keep_asking, args=(client,)) for client in range(6)]
    for client in clients:
        client.start()
    body = b'{"inputs": [6.0, 8.0]}'
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as slow:
        head = ["POST /v1/models/half:predict HTTP/1.1", "Host: localhost", "Connection: close", "Content-Length: 22"]
        slow.sendall("\r\n".join([*head, "", ""]).encode() + body[:7])
        deadline = time.monotonic() + 20
        while len(answered) < 60 and time.monotonic() < deadline:
            time.sleep(0.01)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        slow.sendall(body[7:])
        answer = b"".join(iter(lambda: slow.recv(4096), b""))
    stop.set()
    for client in clients:
        client.join()
    code, log = server.end()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b'{"outputs": [3.0, 4.0]}')
    assert len(answered) >= 60
    assert wrong == []
    assert code == 0
    assert "Traceback" not in log
    assert "ostinato-serve: stopping" in log
    assert len(re.findall(r"POST /v1/models/half:predict 200", log)) >= 61


def test_a_port_that_is_taken_is_told_before_the_models_are_loaded(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, log = Server(folder, "--port", 0, "--grpc-port", port, "--no-page").end()
    assert code == 2
    sentence = (
        "ostinato-serve: cannot listen at port {} of 127.0.0.1 (Address already in use); give another --grpc-port"
    )
    assert log == sentence.format(port) + "\n"
