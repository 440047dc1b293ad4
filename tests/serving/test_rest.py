"""Requests and answers as TensorFlow Serving documents them, and what its sources say where the documents do not."""

import asyncio
import base64
import copy
import json
import logging

import httpx
import numpy as np
import pytest

from ostinato.serving import BatchingOptions, ModelConfig, ModelServer, ServingError
from ostinato.serving.rest import RestLimits, rest_application

TOY = "/v1/models/toy"
HELLO = base64.b64encode(b"hello").decode()


@pytest.fixture(scope="module")
def server(toy_versions):
    config = ModelConfig(toy_versions[1].parent, latest=2, labels={"stable": 1})
    with ModelServer({"toy": config}, batching=BatchingOptions(num_threads=1), poll_seconds=60) as server:
        yield server


@pytest.fixture(scope="module")
def application(server):
    return rest_application(server, limits=RestLimits(max_body_mb=0.25, max_bodies_mb=0.5, body_seconds=0.3))


def ask(application, method, path, body=None, **headers):
    """The answer to a request that goes through no network."""

    async def send():
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            content = body if body is None or isinstance(body, bytes | str) else json.dumps(body)
            return await client.request(method, path, content=content, headers=headers)

    return asyncio.run(send())


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        # rows of a single input, with and without its name
        ({"instances": [1.0, 2.0, 5.0]}, {"predictions": [2.5, 3.0, 4.5]}),
        ({"instances": [[1.0, 2.0], [3.0, 4.0]]}, {"predictions": [[2.5, 3.0], [3.5, 4.0]]}),
        ({"instances": [{"x": 1}, {"x": 3}]}, {"predictions": [2.5, 3.5]}),
        ({"signature_name": "serving_default", "instances": [3.0, 4.0]}, {"predictions": [3.5, 4.0]}),
        ({"signature_name": "", "instances": [3.0, 4.0]}, {"predictions": [3.5, 4.0]}),
        # columns of a single input, and a scalar one
        ({"inputs": [3.0, 4.0]}, {"outputs": [3.5, 4.0]}),
        ({"inputs": {"x": [3.0, 4.0]}}, {"outputs": [3.5, 4.0]}),
        ({"inputs": {"x": 7, "of_no_use": 1}}, {"outputs": 5.5}),
        ({"inputs": 7}, {"outputs": 5.5}),
        ({"inputs": []}, {"outputs": []}),
        # several inputs and outputs; binary ones; an output whose name ends in _bytes
        (
            {
                "signature_name": "several",
                "instances": [{"numbers": [1, 2], "text": "ü"}, {"numbers": [3, 4], "text": {"b64": HELLO}}],
            },
            {
                "predictions": [
                    {"total": 3, "text": "ü", "echo_bytes": {"b64": base64.b64encode("ü!".encode()).decode()}},
                    {"total": 7, "text": "hello", "echo_bytes": {"b64": base64.b64encode(b"hello!").decode()}},
                ]
            },
        ),
        (
            {"signature_name": "several", "inputs": {"numbers": [[1, 2, 3]], "text": ["a"]}},
            {"outputs": {"total": [6], "text": ["a"], "echo_bytes": [{"b64": "YSE="}]}},
        ),
        # an input without rows goes by columns
        ({"signature_name": "scaled", "inputs": {"x": [[1, 2]], "scale": 3}}, {"outputs": [[3.0, 6.0]]}),
        ({"signature_name": "mean", "inputs": [1, 2]}, {"outputs": 1.5}),
        # every dtype
        (
            {"signature_name": "kinds", "instances": [{"flag": True, "byte": 255, "long": -(2**62), "real": 1e-3}]},
            {"predictions": [{"flag": False, "byte": 255, "long": -(2**62) + 1, "real": 1e-3 / 3}]},
        ),
        # what JSON does not have and JavaScript does
        ('{"instances": [NaN, Infinity, -Infinity]}', '{"predictions": [NaN, Infinity, -Infinity]}'),
    ],
)
def test_predictions(application, body, answer):
    response = ask(application, "POST", f"{TOY}/versions/2:predict", body)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    np.testing.assert_equal(response.json(), json.loads(answer) if isinstance(answer, str) else answer)


def test_a_float32_is_written_as_short_as_it_can_be_read_back(application):
    response = ask(application, "POST", f"{TOY}/versions/1:predict", {"instances": [0.2, 2e20, 1]})
    assert response.text == '{"predictions": [1.1, 1e+20, 1.5]}'


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "JSON Parse error: The document is empty"),
        ("instances = [1, 2]", "JSON Parse error: Expecting value at offset: 0"),
        ('{"instances": [1, 2', "JSON Parse error: "),
        ('{"instances": [1]} more', "JSON Parse error: "),
        (b'{"instances": ["\xff"]}', "JSON Parse error: Invalid encoding"),
        ('{"instances": ["\\ud800"], "signature_name": "several"}', "instances is a plain list, but expecting list of"),
        ('{"instances": [{"\\ud800": 1}]}', "JSON object: does not have named input: ?"),
        ('{"instances": ' + "[" * 70 + "1" + "]" * 70 + "}", "Encountered lists at more than 32 levels"),
        ("[" * 200_000, "JSON Parse error: Nested too deeply"),
        ('{"a":' * 40_000, "JSON Parse error: Nested too deeply"),
        ('{"instances": [' + "1" * 5000 + "]}", "JSON Parse error: Number too big"),
        ('{"instances": [1e999]}', "JSON Parse error: Number too big"),
        ([1, 2], "JSON Value: [ 2 values ] Is not object"),
        ({}, "Missing 'inputs' or 'instances' key"),
        ({"instances": [1], "inputs": [1]}, "expecting only one of 'inputs' or 'instances'"),
        ({"instances": []}, "No values in 'instances' array"),
        ({"instances": 5}, "Excepting 'instances' to be an list/array"),
        ({"instances": [1], "signature_name": 5}, "'signature_name' key must be a string value"),
        ({"instances": [1], "signature_name": "no"}, 'Serving signature name: "no" not found in signature def'),
        ({"instances": [1], "signature_name": "__saved_model_init_op"}, "not found in signature def"),
        ({"instances": ["a"]}, 'JSON Value: "a" Type: String is not of expected type: float'),
        ({"instances": [True]}, "JSON Value: true Type: True is not of expected type: float"),
        ({"instances": [None]}, "Type: Null is not of expected type: float"),
        ({"instances": [{"b64": HELLO}]}, "Type: Object is not of expected type: float"),
        ({"instances": [2**24]}, "Cannot convert JSON value: 16777216 to float without loss of precision."),
        ({"instances": [1e39]}, "Cannot convert JSON value: 1e+39 to float without loss of precision."),
        ({"instances": [[1, 2], [3, 4, 5]]}, "Failed to process element: 1 key: x of 'instances' list. Error: "),
        ({"instances": [[1, 2], [3, 4, 5]]}, "Expecting tensor size: 2 but got: 3"),
        ({"instances": [[1, 2], [[3], [4]]]}, "Expecting shape [2] but got: [2, 1]"),
        ({"instances": [1, [1]]}, "Failed to process element: 1 key: x"),
        ({"instances": [[1, [2]]]}, "found at incorrect level"),
        ({"inputs": [[1], [2, 3]]}, "Encountered list at unexpected size: 2 at level: 1 expected size: 1"),
        ({"instances": [{"x": 1}, 2]}, "Expecting object but got list at item 1 of input list"),
        ({"instances": [1, {"x": 2}]}, "Expecting value/list but got object at item 1 of input list"),
        ({"instances": [{"x": 1, "z": 2}]}, "JSON object: does not have named input: z"),
        ({"instances": [{}]}, "keys must be equal to: x"),
        ({"inputs": {"z": 1}}, "Missing named input: x in 'inputs' object."),
        (
            {"signature_name": "several", "inputs": [1]},
            "inputs is a plain value/list, but expecting an object as multiple input tensors required",
        ),
        (
            {"signature_name": "several", "inputs": {"numbers": [[1]], "text": [{"b64": "*"}]}},
            "Unable to base64 decode",
        ),
        (
            {"signature_name": "several", "inputs": {"numbers": [[1]], "text": [{"b65": ""}]}},
            "not formatted correctly for base64 data",
        ),
        ({"signature_name": "several", "inputs": {"numbers": [[1.0]], "text": ["a"]}}, "not of expected type: int32"),
        ({"signature_name": "several", "inputs": {"numbers": [[2**31]], "text": ["a"]}}, "not of expected type: int32"),
        ({"signature_name": "several", "inputs": {"numbers": [1], "text": ["a"]}}, "input numbers has shape [1]"),
        ({"signature_name": "positive", "instances": [1, -1]}, "x must be positive"),
        ({"signature_name": "mean", "instances": [1, 2]}, "Tensor name: mean has no shape information"),
    ],
)
def test_requests_that_are_refused(application, body, error):
    response = ask(application, "POST", f"{TOY}:predict", body)
    assert response.status_code == 400
    assert response.json().keys() == {"error"}
    assert error in response.json()["error"]
    assert len(response.json()["error"]) < 600  # however long the request is


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("GET", "/v1/foo", 400, "Malformed request: GET /v1/foo"),
        ("POST", "/v1/foo", 400, "Malformed request: POST /v1/foo"),
        ("GET", "/v1/models", 400, "Missing model name in request."),
        ("POST", "/v1/models", 400, "Malformed request: POST /v1/models"),
        ("GET", "/v1/models/toy:predict", 400, "Malformed request"),
        ("GET", "/v1/models/toy/version/1", 400, "Malformed request"),
        ("POST", "/v1/models/toy/versions/HELLO:predict", 400, "Malformed request"),
        ("POST", f"/v1/models/toy/versions/{2**64}:predict", 400, "Failed to convert version: 18446744073709551616"),
        ("PUT", "/v1/models/toy", 400, "Malformed request: PUT"),
        ("DELETE", "/v1/models/toy", 400, "Malformed request: DELETE"),
        ("POST", "/v1/models/foo:predict", 404, "Servable not found for request: Latest(foo)"),
        ("POST", "/v1/models/toy99:predict", 404, "Servable not found for request: Latest(toy99)"),
        ("POST", "/v1/models/toy/versions/99:predict", 404, "Servable not found for request: Specific(toy, 99)"),
        ("POST", "/v1/models/toy/labels/canary:predict", 400, "Unrecognized servable version label: canary"),
        ("POST", "/v1/models/foo:classify", 404, "Servable not found for request: Latest(foo)"),
        ("POST", "/v1/models/toy:explain", 400, "Malformed request: POST /v1/models/toy:explain"),
        ("GET", "/v1/models/foo", 404, "Could not find any versions of model foo"),
        ("GET", "/v1/models/toy/versions/99", 404, "Could not find version 99 of model toy"),
        ("GET", "/v1/models/foo/metadata", 404, "Servable not found for request: Latest(foo)"),
        ("GET", "/v1/models/%2e%2e%2fetc", 404, "Could not find any versions of model ../etc"),
        ("GET", "/elsewhere", 404, "Not Found"),
        ("POST", "/healthz", 405, "Method Not Allowed"),
    ],
)
def test_questions_for_what_is_not_there(application, method, path, status, error):
    response = ask(application, method, path, {"instances": [1]} if method == "POST" else None)
    assert response.status_code == status
    assert error in response.json()["error"]


@pytest.mark.parametrize(
    ("method", "body", "error"),
    [
        ("classify", b"", "JSON Parse error: The document is empty"),
        ("classify", [1], "Is not object"),
        ("classify", {"instances": [1]}, "When method is classify, key 'examples' is expected and was not found"),
        ("regress", {"instances": [1]}, "When method is classify, key 'examples' is expected and was not found"),
        ("classify", {"examples": {"x": 1}}, "Expecting 'examples' value to be an list/array"),
        ("regress", {"examples": []}, "'examples' value is an empty array"),
        ("regress", {"examples": [{}], "signature_name": 1}, "'signature_name' key must be a string value"),
        ("classify", {"examples": [[1]]}, "Example must be JSON object but got JSON Array"),
        ("classify", {"examples": [{}], "context": None}, "Example must be JSON object but got JSON Null"),
        ("classify", {"examples": [{"x": None}]}, "Feature: x has element with unexpected JSON type: Null"),
        ("classify", {"examples": [{"x": [[1]]}]}, "Feature: x has element with unexpected JSON type: Array"),
        ("classify", {"examples": [{"x": {"y": 1}}]}, "Feature: x has element with unexpected JSON type: Object"),
        ("classify", {"examples": [{"x": [1, 2.5]}]}, "Unexpected element type in feature: x expecting type: int64"),
        ("regress", {"examples": [{"x": ["a", 1]}]}, "Unexpected element type in feature: x expecting type: bytes"),
        ("regress", {"examples": [{"x": 2**63}]}, "Feature: x has uint64 element. Only int64 is supported."),
        ("regress", {"examples": [{"x": 1e39}]}, "Cannot convert JSON value: 1e+39 to float without loss"),
        ("regress", {"examples": [{"x": {"b64": "*"}}]}, "Unable to base64 decode"),
        # what the signatures are asked that were exported for :predict
        ("classify", {"signature_name": "no"}, "No signature was found with the name: no"),
        ("regress", {"signature_name": "no"}, "No signature was found with the name: no"),
        ("classify", {"signature_name": "several"}, "Expected one input Tensor."),
        ("regress", {"signature_name": "several"}, "Expected one input Tensor."),
        ("classify", {"signature_name": "__saved_model_init_op"}, "Expected one input Tensor."),
        ("classify", {}, "No classification inputs found in SignatureDef: inputs {"),
        ("regress", {}, "No regression inputs found in SignatureDef: inputs {"),
        ("classify", {"signature_name": "three_outputs"}, "Expected one or two output Tensors, found 3"),
        ("regress", {"signature_name": "three_outputs"}, "Expected one output Tensor."),
        (
            "classify",
            {"signature_name": "examples"},
            'Expected classification signature outputs to contain at least one of "classes" or "scores". Signature was',
        ),
        ("regress", {"signature_name": "examples"}, "No regression outputs found in SignatureDef: inputs {"),
    ],
)
def test_examples_are_refused_as_by_models_that_take_none(application, method, body, error):
    if isinstance(body, dict) and not body.keys() & {"instances", "examples"}:
        body |= {"context": {"a": [True, 5]}, "examples": [{"x": [1.0, 2.5], "y": "z"}, {"x": {"b64": HELLO}, "y": []}]}
    response = ask(application, "POST", f"{TOY}:{method}", body)
    assert (response.status_code, response.json().keys()) == (400, {"error"})
    assert error in response.json()["error"]


def test_a_signature_that_takes_examples_is_not_served(server, application):
    with server.use("toy") as served:
        signatures = served.servable.signature_defs
        original = copy.deepcopy(signatures["serving_default"])
        signatures["serving_default"].inputs["inputs"].CopyFrom(signatures["serving_default"].inputs.pop("x"))
        signatures["serving_default"].outputs["scores"].CopyFrom(signatures["serving_default"].outputs.pop("y"))
        response = ask(application, "POST", f"{TOY}:classify", {"examples": [{"x": 1}]})
        signatures["serving_default"].CopyFrom(original)
    assert (response.status_code, response.json()) == (
        501,
        {"error": "this server answers :predict only, not :classify"},
    )


@pytest.mark.parametrize("path", ["", "/versions/2", "/V1", "/labels/stable"])
def test_versions_and_labels_are_found_in_the_path_whatever_its_case(application, path):
    path = "/V1/Models/toy:Predict" if path == "/V1" else f"{TOY}{path}:predict"
    weight = 1 if "stable" in path else 2
    assert ask(application, "POST", path, {"instances": [1]}).json() == {"predictions": [0.5 + weight]}


def test_the_status_is_that_of_all_versions_the_newest_first_or_of_one(application):
    def version(number):
        return {
            "version": str(number),
            "state": "AVAILABLE",
            "status": {"error_code": "OK", "error_message": ""},
        }

    assert ask(application, "GET", TOY).json() == {"model_version_status": [version(2), version(1)]}
    assert ask(application, "GET", f"{TOY}/versions/1").json() == {"model_version_status": [version(1)]}
    assert ask(application, "GET", f"{TOY}/labels/stable").json() == {"model_version_status": [version(1)]}


def test_the_metadata_are_signatures_in_the_json_of_their_messages(application):
    document = ask(application, "GET", f"{TOY}/versions/1/metadata").json()
    assert document["model_spec"] == {"name": "toy", "signature_name": "", "version": "1"}
    signature = document["metadata"]["signature_def"]["signature_def"]["positive"]
    assert signature["inputs"] == {
        "x": {
            "dtype": "DT_FLOAT",
            "name": "positive_x:0",
            "tensor_shape": {"dim": [{"name": "", "size": "-1"}], "unknown_rank": False},
        }
    }
    assert signature["method_name"] == "tensorflow/serving/predict"


def test_a_body_that_is_too_long_is_refused_whether_it_says_so_or_not(application):
    async def endless():
        while True:
            yield b"[" * 65536

    announced = ask(application, "POST", f"{TOY}:predict", b" " * 300_000)
    assert (announced.status_code, announced.headers["connection"]) == (413, "close")
    assert "more than 262144 bytes" in announced.json()["error"]
    length = ask(application, "POST", f"{TOY}:predict", b"{}", **{"content-length": "1" * 40})
    assert length.status_code == 413

    async def send():
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.post(f"{TOY}:predict", content=endless())

    assert asyncio.run(send()).status_code == 413


def test_a_body_that_does_not_come_is_given_up(application):
    async def slow():
        yield b'{"instances":'
        await asyncio.sleep(3)
        yield b"[1]}"

    async def send():
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.post(f"{TOY}:predict", content=slow())

    response = asyncio.run(send())
    assert response.status_code == 408
    assert "did not come within 0.3 s" in response.json()["error"]


def test_overload_is_answered_with_when_to_come_back(server, application, monkeypatch):
    def full(*_, **__):
        raise ServingError("UNAVAILABLE", "256 requests wait already; try again later", 2.4)

    monkeypatch.setattr(server, "submit", full)
    response = ask(application, "POST", f"{TOY}:predict", {"instances": [1]})
    assert response.status_code == 503
    assert response.headers["retry-after"] == "3"
    assert response.json() == {"error": "256 requests wait already; try again later"}


def test_a_fault_of_the_server_is_no_secret_of_it(server, monkeypatch):
    def fault(*_, **__):
        raise ZeroDivisionError("/home/somebody")

    monkeypatch.setattr(server, "submit", fault)
    application = rest_application(server)

    async def send():
        transport = httpx.ASGITransport(application, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.post(f"{TOY}:predict", json={"instances": [1]})

    response = asyncio.run(send())
    assert (response.status_code, response.json()) == (500, {"error": "the server failed on this request"})


def test_a_client_that_goes_away_takes_its_request_back(server, application, monkeypatch):
    forgotten = []

    async def never(*_, **__):
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            forgotten.append(True)
            raise

    monkeypatch.setattr(server, "predict_of", never)
    messages = [{"type": "http.request", "body": b'{"instances": [1]}'}, {"type": "http.disconnect"}]
    sent = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": f"{TOY}:predict", "headers": [], "query_string": b""}
    asyncio.run(asyncio.wait_for(application(scope, receive, send), 5))
    assert (forgotten, sent) == ([True], [])
    with server.use("toy") as served:
        assert served.num_uses == 1


def test_one_line_is_logged_for_each_request(application, caplog):
    caplog.set_level(logging.INFO, "ostinato")
    ask(application, "POST", f"{TOY}:predict?secret=1", {"instances": [1]})
    ask(application, "GET", f"{TOY}/" + "a" * 1000)
    first, second = (record.getMessage() for record in caplog.records)
    assert first.startswith(f"POST {TOY}:predict 200 ")
    assert len(second) < 250


def test_requests_are_counted_for_prometheus(application):
    before = ask(application, "GET", "/metrics").text
    ask(application, "POST", "/v1/models/made-up:predict", {"instances": [1]})
    ask(application, "POST", f"{TOY}:predict", {"instances": [1]})
    page = ask(application, "GET", "/monitoring/prometheus/metrics").text
    assert 'ostinato_serve_requests_total{api="rest",code="OK",model="toy"}' in page
    assert "made-up" not in page  # or anybody could make as many counters as they like
    assert 'ostinato_serve_batch_rows_bucket{le="1.0",model="toy"' in page
    assert before != page


def test_it_is_alive_and_ready_when_all_models_are_loaded(server, application, tmp_path):
    assert ask(application, "GET", "/healthz").json() == {"status": "alive"}
    assert ask(application, "GET", "/readyz").status_code == 200
    loading = rest_application(ModelServer({"toy": tmp_path}))
    assert ask(loading, "GET", "/healthz").status_code == 200
    assert ask(loading, "GET", "/readyz").status_code == 503


def test_a_token_is_asked_for_everywhere_but_at_the_health(server):
    application = rest_application(server, token="open sesame")
    for headers in ({}, {"authorization": "Bearer sesame"}, {"authorization": "Basic open sesame"}):
        response = ask(application, "GET", TOY, **headers)
        assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
        assert "error" in response.json()
    assert ask(application, "GET", "/metrics").status_code == 401
    assert ask(application, "GET", "/healthz").status_code == 200
    assert ask(application, "GET", TOY, authorization="bearer open sesame").status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:8501", 200), ("127.0.0.1", 200), ("[::1]:8501", 200), ("ours:80", 200), ("evil.example", 403)],
)
def test_a_local_server_answers_to_its_own_names_only(server, host, status):
    assert ask(rest_application(server, hosts={"ours"}), "GET", TOY, host=host).status_code == status
