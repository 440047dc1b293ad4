import asyncio
import shutil
import threading
import time

import numpy as np
import pytest

from ostinato.serving import BatchingOptions, ModelConfig, ModelServer, ServingError
from ostinato.serving.servable import Servable


@pytest.fixture
def server(add_version):
    folder = add_version(1).parent
    options = BatchingOptions(num_threads=1, max_queue=4, max_batch_seconds=60.0)
    config = ModelConfig(folder, labels={"stable": 1})
    with ModelServer({"toy": config}, batching=options, poll_seconds=60) as server:
        yield server


class Held(threading.Event):
    """Lets go once it is set."""

    def __init__(self):
        super().__init__()
        self.started = threading.Event()


@pytest.fixture
def held(monkeypatch):
    """Models compute only after `set` is called; `started` says that one would like to."""
    go = Held()
    run = Servable.run

    def waiting(self, signature_name, inputs, outputs=()):
        go.started.set()
        assert go.wait(10)
        return run(self, signature_name, inputs, outputs)

    monkeypatch.setattr(Servable, "run", waiting)
    yield go
    go.set()


def x(*values):
    return {"x": np.float32(values)}


def in_thread(function, *arguments, **settings):
    """Starts a call in a thread; returns a function that waits for what it returns or raises."""
    result = []

    def call():
        try:
            result.append((function(*arguments, **settings), None))
        except ServingError as error:
            result.append((None, error))

    thread = threading.Thread(target=call)
    thread.start()

    def wait():
        thread.join(10)
        value, error = result[0]
        if error is not None:
            raise error
        return value

    return wait


def test_a_prediction_says_which_version_gave_it(server):
    prediction = server.predict("toy", x(1, 3))
    assert prediction.version == 1
    assert prediction.outputs["y"].tolist() == [1.5, 2.5]
    assert server.predict("toy", x(1), label="stable").version == 1


def test_asked_from_an_event_loop_the_same_comes_back(server):
    async def ask():
        with server.use("toy") as served:
            return await asyncio.gather(*(server.predict_of(served, x(number)) for number in range(4)))

    assert [prediction.outputs["y"].tolist() for prediction in asyncio.run(ask())] == [[1], [1.5], [2], [2.5]]


def test_only_the_outputs_that_are_named_come_back(server):
    inputs = {"numbers": np.int32([[1, 2]]), "text": np.array([b"a"], object)}
    outputs = server.predict("toy", inputs, signature="several", outputs=["text", "total"]).outputs
    assert list(outputs) == ["text", "total"]


def test_requests_that_come_together_are_counted_as_one_batch(server, held):
    first = in_thread(server.predict, "toy", x(0))
    held.started.wait(5)
    others = [in_thread(server.predict, "toy", x(number, number)) for number in range(3)]
    while server._scheduler.num_waiting < 3:
        time.sleep(0.001)
    held.set()
    assert first().outputs["y"].tolist() == [1]
    assert [other().outputs["y"].tolist() for other in others] == [[1, 1], [1.5, 1.5], [2, 2]]
    labels = {"model": "toy", "version": "1", "signature": "serving_default"}
    value = server.metrics.registry.get_sample_value
    assert value("ostinato_serve_batch_rows_count", labels) == 2
    assert value("ostinato_serve_batch_rows_sum", labels) == 7


def test_overload_is_refused_at_once_and_nothing_that_was_accepted_is_lost(server, held):
    accepted = [in_thread(server.predict, "toy", x(0))]
    held.started.wait(5)
    accepted += [in_thread(server.predict, "toy", x(number)) for number in range(4)]
    while server._scheduler.num_waiting < 4:
        time.sleep(0.001)
    started = time.monotonic()
    for _ in range(20):
        with pytest.raises(ServingError) as raised:
            server.predict("toy", x(1))
        assert (raised.value.code, raised.value.retry_after) == ("UNAVAILABLE", 1.0)
    assert time.monotonic() - started < 1
    held.set()
    assert sorted(each().outputs["y"].tolist() for each in accepted) == [[1], [1], [1.5], [2], [2.5]]
    labels = {"model": "toy", "version": "1", "signature": "serving_default"}
    assert server.metrics.registry.get_sample_value("ostinato_serve_refused_requests_total", labels) == 20


def test_a_request_without_an_answer_in_time_is_given_up(server, held):
    with pytest.raises(ServingError, match=r"no answer within 0.05 s") as raised:
        server.predict("toy", x(1), timeout_seconds=0.05)
    assert raised.value.code == "DEADLINE_EXCEEDED"
    with server.use("toy") as served, pytest.raises(ServingError, match=r"no answer within 0.05 s"):
        asyncio.run(server.predict_of(served, x(1), timeout_seconds=0.05))
    held.set()
    assert server.predict("toy", x(1)).outputs["y"].tolist() == [1.5]
    with server.use("toy") as served:
        assert served.num_uses == 1  # this one: what was given up holds nothing


def test_a_new_version_answers_without_a_request_lost(server, add_version):
    lost, versions, stop = [], set(), threading.Event()

    def ask(number):
        while not stop.is_set():
            try:
                prediction = server.predict("toy", x(number))
            except ServingError as error:
                lost.append(error)
                return
            versions.add(prediction.version)
            if prediction.outputs["y"].tolist() != [number / 2 + prediction.version]:
                lost.append(prediction)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    add_version(2)
    server.repository.poll()
    time.sleep(0.1)
    stop.set()
    for thread in threads:
        thread.join()
    assert lost == []
    assert versions == {1, 2}
    assert [(each.version, each.state) for each in server.status("toy")] == [(2, "AVAILABLE"), (1, "END")]


def test_a_version_that_is_removed_while_it_computes_still_answers(server, add_version, held):
    running = in_thread(server.predict, "toy", x(3))
    held.started.wait(5)
    shutil.rmtree(add_version(2).parent / "1")
    held.set()  # warm-up is a run too, and the toy has none
    server.repository.poll()
    assert running().version == 1
    assert server.predict("toy", x(3)).version == 2


def test_a_broken_new_version_leaves_the_old_one_at_work(server, add_version, caplog):
    broken = add_version(2)
    shutil.rmtree(broken / "variables")
    server.repository.poll()
    assert server.predict("toy", x(1)).version == 1
    assert [(each.version, each.state) for each in server.status("toy")] == [(2, "END"), (1, "AVAILABLE")]
    assert str(broken.parent) not in server.status("toy")[0].error_message
    assert "version 2 was not loaded" in caplog.text


def test_the_metadata_are_tensorflow_s_own_messages(server):
    metadata = server.metadata("toy")
    assert (metadata.name, metadata.version) == ("toy", 1)
    assert metadata.signature_defs["positive"].inputs["x"].tensor_shape.dim[0].size == -1
    assert "__saved_model_init_op" in metadata.signature_defs  # listed by TensorFlow Serving too


def test_stopping_finishes_what_was_begun(add_version, held):
    server = ModelServer({"toy": add_version(1).parent}, poll_seconds=60)
    server.start()
    running = in_thread(server.predict, "toy", x(1))
    held.started.wait(5)
    stopping = threading.Thread(target=server.stop, args=(10,))
    stopping.start()
    time.sleep(0.05)
    with pytest.raises(ServingError, match="the server stops"):
        server.predict("toy", x(1))
    held.set()
    assert running().outputs["y"].tolist() == [1.5]
    stopping.join(10)
    assert server.status("toy")[0].state == "END"
