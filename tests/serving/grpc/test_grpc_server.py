"""Requests and answers as TensorFlow Serving's protos have them."""

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

ROWS = np.float32([[1, 2, 3], [0.1, -1e-30, 7]])


@pytest.fixture
def channel(served):
    with grpc.insecure_channel(f"127.0.0.1:{served.port}") as channel:
        yield channel


@pytest.fixture
def stub(channel):
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


def request_of(signature="", **inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "toy", signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(value if hasattr(value, "tensor_shape") else tf.make_tensor_proto(value))
    return request


def test_the_answer_names_the_version_and_the_signature(stub):
    response = stub.Predict(request_of(x=ROWS), timeout=20)
    assert set(response.outputs) == {"doubled", "total"}
    np.testing.assert_array_equal(tf.make_ndarray(response.outputs["doubled"]), 2 * ROWS)
    spec = response.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("toy", 3, "serving_default")


def test_only_the_outputs_that_are_wanted_are_sent(stub):
    request = request_of(x=ROWS)
    request.output_filter.append("total")
    assert set(stub.Predict(request, timeout=20).outputs) == {"total"}


def test_metadata_and_status_are_those_of_the_model(stub, channel):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "toy"
    response = stub.GetModelMetadata(request, timeout=20)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    assert {"serving_default", "step", "measure"} <= set(signatures.signature_def)
    assert signatures.signature_def["measure"].inputs["words"].dtype == tf.string.as_datatype_enum
    assert (response.model_spec.name, response.model_spec.version.value) == ("toy", 3)
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "toy"
    [status] = model_service_pb2_grpc.ModelServiceStub(channel).GetModelStatus(request).model_version_status
    assert (status.version, status.state, status.status.error_code) == (3, 30, 0)  # AVAILABLE, OK


def spec(request, **fields):
    for name, value in fields.items():
        if name == "version":
            request.model_spec.version.value = value
        else:
            setattr(request.model_spec, name, value)
    return request


def proto(dtype, shape, **fields):
    return tf.make_tensor_proto(0).__class__(
        dtype=dtype, tensor_shape={"dim": [{"size": size} for size in shape]}, **fields
    )


@pytest.mark.parametrize(
    ("request_", "code", "words"),
    [
        (spec(request_of(x=ROWS), name="other"), "NOT_FOUND", "other"),
        (spec(request_of(x=ROWS), version=7), "NOT_FOUND", "7"),
        (spec(request_of(x=ROWS), version_label="stable"), None, "stable"),
        (predict_pb2.PredictRequest(), "INVALID_ARGUMENT", "Missing ModelSpec"),
        (request_of("nothing", x=ROWS), None, "nothing"),
        (request_of(y=ROWS), "INVALID_ARGUMENT", ""),
        (request_of(x=ROWS.astype(np.int32)), "INVALID_ARGUMENT", "x"),
        (request_of(x=ROWS[:, :2]), "INVALID_ARGUMENT", "x"),
        (request_of("measure", words=[b"a"], n=0), "INVALID_ARGUMENT", "n must be positive"),
        (request_of(x=proto(1, [2**20, 3], float_val=[1.0])), "INVALID_ARGUMENT", "is larger than 1048576 bytes"),
        (request_of(x=proto(1, [2**62, 2**62])), "INVALID_ARGUMENT", "is larger than"),
        (request_of(x=proto(1, [-1, 3], float_val=[1.0])), "INVALID_ARGUMENT", "has the shape"),
        (request_of(x=proto(1, [2, 3], float_val=[1.0] * 7)), "INVALID_ARGUMENT", "values that do not make its shape"),
        (request_of(x=proto(1, [2, 3], tensor_content=b"1234567")), "INVALID_ARGUMENT", "do not make its shape"),
        (request_of(x=proto(20, [2, 3])), "INVALID_ARGUMENT", "dtype"),
        (request_of(x=proto(999, [2, 3])), "INVALID_ARGUMENT", "dtype"),
        (request_of("measure", words=proto(7, [9], string_val=[b"a"]), n=1), "INVALID_ARGUMENT", "with 1 strings"),
    ],
)
def test_what_is_wrong_with_a_request_is_said_by_its_status(stub, request_, code, words):
    with pytest.raises(grpc.RpcError) as raised:
        stub.Predict(request_, timeout=20)
    assert raised.value.code().name in ((code,) if code else ("NOT_FOUND", "INVALID_ARGUMENT"))
    assert words in raised.value.details()


def test_what_is_not_served_says_so(stub, channel):
    models = model_service_pb2_grpc.ModelServiceStub(channel)
    for call, request in (
        (stub.MultiInference, inference_pb2.MultiInferenceRequest()),
        (models.HandleReloadConfigRequest, model_management_pb2.ReloadConfigRequest()),
    ):
        with pytest.raises(grpc.RpcError) as raised:
            call(request, timeout=20)
        assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_examples_are_refused_as_by_models_that_take_none(stub):
    for call, request in (
        (stub.Classify, classification_pb2.ClassificationRequest()),
        (stub.Regress, regression_pb2.RegressionRequest()),
    ):
        for name, code, details in (
            ("", "INVALID_ARGUMENT", "Missing ModelSpec"),
            ("another", "NOT_FOUND", "Servable not found"),
            ("toy", "INVALID_ARGUMENT", "No signature was found with the name: none"),
        ):
            request.model_spec.name, request.model_spec.signature_name = name, "none"
            with pytest.raises(grpc.RpcError, match=details) as raised:
                call(request, timeout=20)
            assert raised.value.code().name == code
        request.model_spec.signature_name = "step"
        with pytest.raises(grpc.RpcError, match="Expected one input Tensor"):
            call(request, timeout=20)


def test_metadata_of_another_kind_are_refused(stub):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["weights"])
    request.model_spec.name = "toy"
    with pytest.raises(grpc.RpcError, match="Metadata field weights is not supported"):
        stub.GetModelMetadata(request, timeout=20)
