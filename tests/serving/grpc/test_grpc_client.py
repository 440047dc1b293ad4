"""What the client makes of answers by gRPC."""

import socket
import sys

import numpy as np
import pytest

from ostinato.errors import InputError, ServerError
from ostinato.serving.client import ServingClient

ROWS = np.float32([[1, 2, 3], [0.1, -1e-30, 7]])


@pytest.fixture
def client(served):
    with ServingClient(f"grpc://127.0.0.1:{served.port}", model="toy") as client:
        yield client


def test_the_client_gives_and_gets_arrays_of_every_kind(client):
    np.testing.assert_array_equal(client.predict({"x": ROWS})["doubled"], 2 * ROWS)
    answer = client.predict({"words": ["süß", b"\x00\xff"], "n": 5}, "measure")
    assert answer["lengths"].tolist() == [25, 10]
    assert answer["same"].tolist() == ["süß".encode(), b"\x00\xff"]
    assert client.metadata()["step"].inputs["state_sum"].shape == (None, 3)
    assert [(each.version, each.state, each.error_code) for each in client.status()] == [(3, "AVAILABLE", "OK")]


def test_a_batch_of_nothing_is_answered_by_nothing(client):
    answer = client.predict({"words": np.array([], object), "n": 5}, "measure")
    assert answer["lengths"].shape == answer["same"].shape == (0,)


def test_a_session_carries_the_state(client):
    session = client.session()
    for number in range(1, 5):
        np.testing.assert_allclose(session.step(ROWS)["scores"], number * ROWS, rtol=1e-6)


def test_the_client_tells_whose_fault_it_is(served, client):
    with pytest.raises(InputError, match=r"refuses it .*n must be positive"):
        client.predict({"words": ["a"], "n": 0}, "measure")
    with pytest.raises(ServerError, match="takes no request as large as this"):
        client.predict({"words": [b"a" * 2**21], "n": 1}, "measure")
    address = f"grpc://127.0.0.1:{served.port}"
    with (
        ServingClient(address, model="toy", version=2) as other,
        pytest.raises(ServerError, match="it serves version 3"),
    ):
        other.predict({"x": ROWS})


def test_where_nobody_listens_the_client_says_so():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"grpc://127.0.0.1:{taken.getsockname()[1]}"
        with (
            ServingClient(url, model="toy", attempts=2) as client,
            pytest.raises(ServerError, match="no server answers"),
        ):
            client.status()


def test_without_grpc_the_client_names_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "ostinato.serving.grpc_client")
    monkeypatch.setitem(sys.modules, "grpc", None)
    with pytest.raises(
        ServerError, match=r"needs the package grpc: install ostinato\[serve\], or ask the server's http:"
    ):
        ServingClient("grpc://localhost:8500", model="toy")
