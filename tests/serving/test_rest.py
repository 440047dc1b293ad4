"""Requests and answers as TensorFlow Serving documents them, and what its sources say where the documents do not."""

import base64
import copy
import json

import numpy as np
import pytest

TOY = "/v1/models/toy"
HELLO = base64.b64encode(b"hello").decode()


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
def test_predictions(ask, application, body, answer):
    response = ask(application, "POST", f"{TOY}/versions/2:predict", body)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    np.testing.assert_equal(response.json(), json.loads(answer) if isinstance(answer, str) else answer)


def test_a_float32_is_written_as_short_as_it_can_be_read_back(ask, application):
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
def test_requests_that_are_refused(ask, application, body, error):
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
def test_questions_for_what_is_not_there(ask, application, method, path, status, error):
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
def test_examples_are_refused_as_by_models_that_take_none(ask, application, method, body, error):
    if isinstance(body, dict) and not body.keys() & {"instances", "examples"}:
        body |= {"context": {"a": [True, 5]}, "examples": [{"x": [1.0, 2.5], "y": "z"}, {"x": {"b64": HELLO}, "y": []}]}
    response = ask(application, "POST", f"{TOY}:{method}", body)
    assert (response.status_code, response.json().keys()) == (400, {"error"})
    assert error in response.json()["error"]


def test_a_signature_that_takes_examples_is_not_served(ask, server, application):
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
def test_versions_and_labels_are_found_in_the_path_whatever_its_case(ask, application, path):
    path = "/V1/Models/toy:Predict" if path == "/V1" else f"{TOY}{path}:predict"
    weight = 1 if "stable" in path else 2
    assert ask(application, "POST", path, {"instances": [1]}).json() == {"predictions": [0.5 + weight]}


def test_the_status_is_that_of_all_versions_the_newest_first_or_of_one(ask, application):
    def version(number):
        return {
            "version": str(number),
            "state": "AVAILABLE",
            "status": {"error_code": "OK", "error_message": ""},
        }

    assert ask(application, "GET", TOY).json() == {"model_version_status": [version(2), version(1)]}
    assert ask(application, "GET", f"{TOY}/versions/1").json() == {"model_version_status": [version(1)]}
    assert ask(application, "GET", f"{TOY}/labels/stable").json() == {"model_version_status": [version(1)]}


def test_the_metadata_are_signatures_in_the_json_of_their_messages(ask, application):
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
