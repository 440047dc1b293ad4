import base64
import threading

import numpy as np
import pytest

from ostinato.errors import InputError, ModelError, ServerError
from ostinato.serving.client import ServingClient

COUNTED = (200, {"outputs": [7]})
PHOTO = b"\xff\xd8\x00"
ASKED = {"photo": [PHOTO, "süß"], "width": 5, "penalty": 1}


def test_a_call_is_asked_by_columns_and_strings_are_base64(serving):
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


def test_a_version_is_asked_for_by_its_number_and_the_token_goes_with_it(serving):
    with serving(COUNTED, version=3, token="secret") as (server, client):
        assert client.predict({"x": [0.5]})["total"].tolist() == [7]
    assert server.paths == ["/v1/models/toy/versions/3:predict"]
    assert server.headers[0]["Authorization"] == "Bearer secret"


def test_signatures_and_versions_are_told(serving):
    with serving() as (_, client):
        signatures, versions = client.metadata(), client.status()
    assert set(signatures) == {"beam_search", "step", "serving_default"}
    assert signatures["beam_search"].inputs["photo"].dtype == "string"
    assert signatures["beam_search"].outputs["scores"].shape == (None, 3)
    assert signatures["serving_default"].inputs["x"].dtype == "float16"
    assert [(each.version, each.state) for each in versions] == [(3, "AVAILABLE"), (2, "END")]


def test_a_name_with_spaces_is_a_name(serving):
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
def test_inputs_that_a_signature_does_not_take_are_not_sent(serving, inputs, message):
    with serving() as (server, client):
        with pytest.raises(InputError, match=message):
            client.predict(inputs)
        assert not server.requests


def test_a_signature_that_the_model_lacks_is_named(serving):
    with (
        serving() as (_, client),
        pytest.raises(ServerError, match="has no signature x; it has beam_search, serving_d"),
    ):
        client.predict({}, "x")


def add(handler, request):
    inputs = request["inputs"]
    total = (np.array(inputs["frame"]) + np.array(inputs["state_sum"])).tolist()
    return 200, {"outputs": {"scores": total, "state_sum": total}}


def test_a_session_carries_the_state_from_call_to_call(serving):
    with serving(add, add, add) as (server, client):
        session = client.session()
        assert session.step([[1, 2]])["scores"].tolist() == [[1, 2]]
        assert session.step([[10, 20]]).keys() == {"scores"}
        session.reset()
        assert session.step([[5, 5], [7, 7]])["scores"].tolist() == [[5, 5], [7, 7]]
    assert [request["inputs"]["state_sum"] for request in server.requests] == [[[0, 0]], [[1, 2]], [[0, 0], [0, 0]]]


def test_a_signature_without_state_reads_no_stream(serving):
    with serving() as (_, client), pytest.raises(ModelError, match="no signature serving_default that reads a stream"):
        client.session("serving_default")


def test_threads_may_share_a_client(serving):
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
