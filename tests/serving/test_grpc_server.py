import asyncio
import socket
import sys
import threading
import time
from contextlib import nullcontext

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

from ostinato.errors import InputError, ServerError, UserError
from ostinato.serving import ModelServer, ServingError
from ostinato.serving.client import ServingClient
from ostinato.serving.grpc_server import serve_grpc


class Toy(tf.Module):
    """Adds up a stream, and measures words; in serving_default slowly, if it is told to."""

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, name="x")])
    def double(self, x):
        return {"doubled": 2 * x, "total": tf.reduce_sum(x, axis=1)}

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, 3], tf.float32, name="frame"),
            tf.TensorSpec([None, 3], tf.float32, name="state_sum"),
        ]
    )
    def step(self, frame, state_sum):
        return {"scores": frame + state_sum, "state_sum": frame + state_sum}

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.string, name="words"), tf.TensorSpec([], tf.int32, name="n")]
    )
    def measure(self, words, n):
        tf.debugging.assert_greater(n, 0, "n must be positive")
        return {"lengths": n * tf.strings.length(words), "same": words}


@pytest.fixture(scope="module")
def model_server(tmp_path_factory):
    folder, toy = tmp_path_factory.mktemp("models") / "toy", Toy()
    signatures = {"serving_default": toy.double, "step": toy.step, "measure": toy.measure}
    tf.saved_model.save(toy, str(folder / "3"), signatures=signatures)
    with ModelServer({"toy": folder}) as server:
        yield server


@pytest.fixture(scope="module")
def served(model_server):
    handle = serve_grpc(model_server, "127.0.0.1", 0, max_message_bytes=2**20)
    yield handle
    handle.stop(0)


@pytest.fixture
def channel(served):
    with grpc.insecure_channel(f"127.0.0.1:{served.port}") as channel:
        yield channel


@pytest.fixture
def stub(channel):
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


@pytest.fixture
def client(served):
    with ServingClient(f"grpc://127.0.0.1:{served.port}", model="toy") as client:
        yield client


def request_of(signature="", **inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "toy", signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(value if hasattr(value, "tensor_shape") else tf.make_tensor_proto(value))
    return request


ROWS = np.float32([[1, 2, 3], [0.1, -1e-30, 7]])


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


def test_nobody_gets_in_without_the_token(model_server):
    handle = serve_grpc(model_server, "127.0.0.1", 0, "secret")
    url = f"grpc://127.0.0.1:{handle.port}"
    try:
        for token in (None, "wrong"):
            with (
                ServingClient(url, model="toy", token=token) as client,
                pytest.raises(ServerError, match="put the right one into OSTINATO_TOKEN"),
            ):
                client.status()
        with ServingClient(url, model="toy", token="secret") as client:
            np.testing.assert_array_equal(client.predict({"x": ROWS})["total"], [6, ROWS[1].sum()])
    finally:
        handle.stop(0)


class Busy:
    """Stands in for a server: refuses, fails or waits, as it is told."""

    model_names = ["toy"]

    def __init__(self, metrics, answers):
        self.metrics, self.answers = metrics, iter(answers)
        self.timeouts, self.cancelled = [], threading.Event()

    def use(self, **asked):
        return nullcontext(asked)

    async def predict_of(self, served, inputs, **request):
        self.timeouts.append(request["timeout_seconds"])
        answer = next(self.answers)
        if isinstance(answer, Exception):
            raise answer
        return await answer(self)

    def metadata(self, **asked):
        raise KeyError("/secret/path")


@pytest.fixture
def busy(model_server):
    handles = []

    def start(*answers, **options):
        server = Busy(model_server.metrics, answers)
        handles.append(serve_grpc(server, "127.0.0.1", 0, **options))
        return server, handles[-1]

    yield start
    for handle in handles:
        handle.stop(0)


def ask(handle, timeout):
    with grpc.insecure_channel(f"127.0.0.1:{handle.port}") as channel:
        return prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request_of(x=ROWS), timeout=timeout)


def test_overload_says_when_to_ask_again(busy):
    _, handle = busy(ServingError("UNAVAILABLE", "queue is full", retry_after=1.5))
    with pytest.raises(grpc.RpcError) as raised:
        ask(handle, timeout=20)
    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
    assert ("grpc-retry-pushback-ms", "1500") in [tuple(each) for each in raised.value.trailing_metadata()]


def test_the_client_comes_back_when_it_is_asked_to(model_server):
    class OnceBusy(Busy):
        use = model_server.use

        async def predict_of(self, served, inputs, **request):
            self.timeouts.append(time.monotonic())
            for error in self.answers:
                raise error
            return await model_server.predict_of(served, inputs, **request)

        def metadata(self, **asked):
            return model_server.metadata(**asked)

    server = OnceBusy(model_server.metrics, [ServingError("UNAVAILABLE", "queue is full", retry_after=0.4)])
    handle = serve_grpc(server, "127.0.0.1", 0)
    try:
        with ServingClient(f"grpc://127.0.0.1:{handle.port}", model="toy") as client:
            np.testing.assert_array_equal(client.predict({"x": ROWS})["doubled"], 2 * ROWS)
    finally:
        handle.stop(0)
    first, second = server.timeouts
    assert second - first >= 0.4


def test_without_grpc_the_client_names_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "ostinato.serving.grpc_client")
    monkeypatch.setitem(sys.modules, "grpc", None)
    with pytest.raises(
        ServerError, match=r"needs the package grpc: install ostinato\[serve\], or ask the server's http:"
    ):
        ServingClient("grpc://localhost:8500", model="toy")


def test_a_failure_that_nobody_thought_of_tells_no_paths(busy, caplog):
    _, handle = busy(OSError("/secret/path is full"))
    with pytest.raises(grpc.RpcError) as raised:
        ask(handle, timeout=20)
    assert raised.value.code() is grpc.StatusCode.INTERNAL
    assert "/secret" not in raised.value.details()
    assert "/secret/path is full" in caplog.text


def test_a_call_whose_time_is_over_is_taken_back(busy):
    async def wait(server):
        try:
            await asyncio.sleep(20)
        except asyncio.CancelledError:
            server.cancelled.set()
            raise

    server, handle = busy(wait)
    with pytest.raises(grpc.RpcError) as raised:
        ask(handle, timeout=0.3)
    assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert server.cancelled.wait(10)
    assert 0 < server.timeouts[0] <= 0.3


def test_more_calls_than_there_is_room_for_are_refused_at_once(busy):
    begun, go_on = threading.Event(), threading.Event()

    async def wait(server):
        begun.set()
        while not go_on.is_set():
            await asyncio.sleep(0.01)
        raise ServingError("NOT_FOUND", "gone")

    _, handle = busy(wait, max_concurrent_calls=1)
    codes = []

    def first():
        try:
            ask(handle, timeout=20)
        except grpc.RpcError as error:
            codes.append(error.code().name)

    thread = threading.Thread(target=first)
    thread.start()
    assert begun.wait(10)
    with pytest.raises(grpc.RpcError) as raised:
        ask(handle, timeout=20)
    assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    go_on.set()
    thread.join()
    assert codes == ["NOT_FOUND"]


def test_calls_that_were_begun_are_finished_before_the_server_stops(model_server):
    begun = threading.Event()

    class Slow(Busy):
        use = model_server.use

        async def predict_of(self, served, inputs, **request):
            begun.set()
            await asyncio.sleep(0.5)
            return await model_server.predict_of(served, inputs, **request)

    handle = serve_grpc(Slow(model_server.metrics, []), "127.0.0.1", 0)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(ask(handle, timeout=20)))
    thread.start()
    assert begun.wait(10)
    began = time.monotonic()
    handle.stop(15)
    thread.join()
    assert time.monotonic() - began < 10
    assert answers[0].model_spec.version.value == 3
    handle.stop()  # twice does nothing


def test_a_port_that_is_taken_is_refused_in_one_sentence(model_server, served):
    with pytest.raises(UserError, match=rf"nothing can listen at 127.0.0.1:{served.port}; give a port that is free"):
        serve_grpc(model_server, "127.0.0.1", served.port)
