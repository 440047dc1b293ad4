"""Servers that are asked by TLS, with a certificate of their own that no machine trusts."""

import http.server
import json
import shutil
import ssl
import subprocess
import threading

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from ostinato.errors import ServerError
from ostinato.serving import ModelServer
from ostinato.serving.client import ServingClient
from ostinato.serving.grpc_server import GrpcServer, serve_grpc
from ostinato.serving.grpc_services import ModelService, PredictionService
from ostinato.serving.served_model import served_model


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """The files of a key and of a certificate for localhost that vouches for itself."""
    if shutil.which("openssl") is None:
        pytest.skip("makes certificates with the program openssl")
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(key), "-out", str(certificate), "-days", "2"]
    subprocess.run([*command, *names, *files], check=True, capture_output=True)
    return key, certificate


@pytest.fixture(scope="module")
def server(toy_versions):
    with ModelServer({"toy": toy_versions[1].parent}, poll_seconds=60) as server:
        yield server


@pytest.fixture(scope="module")
def secure(server, certificate):
    """The port of gRPC by TLS, as a proxy or TensorFlow Serving with `--ssl_config_file` has it."""
    key, chain = (file.read_bytes() for file in certificate)

    async def start():
        secure = grpc.aio.server()
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(PredictionService(server, 2**20), secure)
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(server), secure)
        port = secure.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, chain)]))
        await secure.start()
        return secure, port

    handle = GrpcServer(start)
    yield handle.port
    handle.stop(0)


def test_a_server_is_trusted_whose_certificate_is_known(secure, certificate):
    with ServingClient(f"grpcs://localhost:{secure}", model="toy", ca_file=certificate[1]) as client:
        np.testing.assert_array_equal(client.predict({"x": [1, 3]})["y"], [2.5, 3.5])
        assert [each.state for each in client.status()] == ["AVAILABLE"]


def test_commands_take_the_certificate_from_the_environment(secure, certificate, toy_versions, monkeypatch, tmp_path):
    (folder := tmp_path / "toy" / "2").mkdir(parents=True)
    (folder / "saved_model.pb").touch()
    (folder / "interface.json").write_text('{"signatures": {}}')
    monkeypatch.setenv("OSTINATO_CA_FILE", str(certificate[1]))
    model = served_model(folder, f"grpcs://localhost:{secure}")
    assert model.call("serving_default", {"x": np.ones(1, np.float32)})["y"] == [2.5]
    assert model.call_size == 2**24


@pytest.mark.parametrize(
    ("url", "trusts", "reason"),
    [
        ("grpcs://localhost:{secure}", False, "CERTIFICATE_VERIFY_FAILED: self signed certificate"),
        ("grpcs://127.0.0.1:{secure}", True, "its certificate is for another name"),
        ("grpcs://localhost:{plain}", True, "WRONG_VERSION_NUMBER"),
    ],
)
def test_another_server_is_not_asked_and_not_waited_for(server, secure, certificate, url, trusts, reason):
    plain = serve_grpc(server, "127.0.0.1", 0)
    url = url.format(secure=secure, plain=plain.port)
    with (
        ServingClient(url, model="toy", ca_file=certificate[1] if trusts else None) as client,
        pytest.raises(ServerError, match=rf"no secure connection to {url} \({reason}") as raised,
    ):
        client.status()
    assert "OSTINATO_CA_FILE" in str(raised.value)
    plain.stop(0)


def test_rest_trusts_the_same_file(certificate):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"model_version_status": [{"version": "5", "state": "AVAILABLE"}]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[1], certificate[0])
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as https:
        https.socket = context.wrap_socket(https.socket, server_side=True)
        threading.Thread(target=https.serve_forever, daemon=True).start()
        url = f"https://localhost:{https.server_port}"
        with ServingClient(url, model="toy", ca_file=certificate[1]) as client:
            assert client.status()[0].version == 5
        with ServingClient(url, model="toy") as client, pytest.raises(ServerError, match="no secure connection"):
            client.status()
        https.shutdown()


def test_a_file_without_certificates_is_refused(tmp_path):
    with pytest.raises(
        ServerError, match=r"certificates in .*missing.pem cannot be read \(No such file or directory\)"
    ):
        ServingClient("grpcs://localhost:1", model="toy", ca_file=tmp_path / "missing.pem")
    for content in (b"", b"junk", b"\xff", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        (tmp_path / "ca.pem").write_bytes(content)
        with pytest.raises(ServerError, match="holds no certificates; name a PEM file"):
            ServingClient("grpcs://localhost:1", model="toy", ca_file=tmp_path / "ca.pem")
