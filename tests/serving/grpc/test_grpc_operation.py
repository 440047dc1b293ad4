"""What whoever runs a server by gRPC relies on: tokens, overload, failures, deadlines, how it stops."""

import asyncio
import threading
import time
from contextlib import nullcontext

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from ostinato.errors import ServerError, UserError
from ostinato.serving import ServingError
from ostinato.serving.client import ServingClient
from ostinato.serving.grpc_server import serve_grpc

ROWS = np.float32([[1, 2, 3], [0.1, -1e-30, 7]])


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
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "toy"
    request.inputs["x"].CopyFrom(tf.make_tensor_proto(ROWS))
    with grpc.insecure_channel(f"127.0.0.1:{handle.port}") as channel:
        return prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, timeout=timeout)


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
