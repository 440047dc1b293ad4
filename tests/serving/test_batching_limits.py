"""What is refused or given up: too much, too late, at a fault and at the end."""

import threading
import time
from concurrent.futures import CancelledError

import numpy as np
import pytest

from ostinato.serving.batch import BatchQueue
from ostinato.serving.batching import BatchingOptions, BatchScheduler
from ostinato.serving.errors import ServingError


def test_a_full_queue_refuses_at_once_and_says_when_to_come_back(scheduler, double):
    queue = BatchQueue(double)
    with scheduler(max_queue=5, max_batch_size=2) as gather:
        with double.held(gather, queue):
            queue.seconds_a_byte = 1.5 / 8  # 8 bytes a row
            answers = [gather.submit(queue, {"x": np.array([number])}, 5) for number in range(5)]
            started = time.monotonic()
            with pytest.raises(ServingError, match="5 requests wait already") as raised:
                gather.submit(queue, {"x": np.array([9])}, 5)
            assert time.monotonic() - started < 0.5
            assert raised.value.code == "UNAVAILABLE"
            assert raised.value.retry_after == 8  # five rows of 1.5 s
        assert [answer.result(5)["y"].tolist() for answer in answers] == [[0], [2], [4], [6], [8]]


def test_a_request_of_too_many_rows_is_refused_and_holds_nobody_up(scheduler, double):
    queue = BatchQueue(double)
    with scheduler(max_rows=3, max_batch_size=2) as gather:
        with pytest.raises(ServingError, match="Task size 4 is larger than maximum input batch size 3") as raised:
            gather.submit(queue, {"x": np.zeros(4)}, 5)
        assert raised.value.code == "INVALID_ARGUMENT"
        assert gather.submit(queue, {"x": np.ones(3)}, 5).result(5)["y"].tolist() == [2, 2, 2]
    assert double.sizes == [3]


def test_inputs_that_wait_have_no_more_bytes_than_allowed(scheduler, double):
    queue = BatchQueue(double)
    with scheduler(max_queue_mb=1.0) as gather, double.held(gather, queue):
        gather.submit(queue, {"x": np.zeros((1, 100_000))}, 5)
        with pytest.raises(ServingError, match="too many bytes wait"):
            gather.submit(queue, {"x": np.zeros((1, 100_000))}, 5)
        gather.submit(queue, {"x": np.zeros((1, 10_000))}, 5)
        with pytest.raises(ServingError, match="too many bytes wait"):
            gather.submit(queue, {"x": np.array([b"\0" * 2**20], object)}, 5)


def test_requests_that_nobody_waits_for_make_room_and_are_not_computed(scheduler, double):
    queue = BatchQueue(double)
    with scheduler(max_queue=3) as gather:
        with double.held(gather, queue):
            given_up = [gather.submit(queue, {"x": np.array([number])}, 5) for number in range(2)]
            too_late = gather.submit(queue, {"x": np.array([7, 7])}, 0.0)
            for answer in given_up:
                assert answer.cancel()
            time.sleep(0.001)
            wanted = [gather.submit(queue, {"x": np.array([number])}, 5) for number in range(3)]
        assert [answer.result(5)["y"].tolist() for answer in wanted] == [[0], [2], [4]]
        with pytest.raises((ServingError, CancelledError)):
            too_late.result(5)
    assert double.sizes == [1, 3]


def test_a_request_past_its_deadline_is_told_so(scheduler, double):
    queue = BatchQueue(double)
    with scheduler() as gather:
        with double.held(gather, queue):
            answer = gather.submit(queue, {"x": np.array([1])}, 0.0)
            time.sleep(0.01)
        with pytest.raises(ServingError, match="waited too long") as raised:
            answer.result(5)
    assert raised.value.code == "DEADLINE_EXCEEDED"


def test_a_fault_of_the_server_is_told_and_the_next_request_answered(scheduler, caplog):
    faults = [ZeroDivisionError("oh")]

    def run(inputs):
        if faults:
            raise faults.pop()
        return dict(inputs)

    queue = BatchQueue(run)
    with scheduler() as gather:
        with pytest.raises(ServingError, match="the server failed") as raised:
            gather.submit(queue, {"x": np.ones(1)}, 5).result(5)
        assert raised.value.code == "INTERNAL"
        assert gather.submit(queue, {"x": np.ones(1)}, 5).result(5)["x"] == [1]
    assert "oh" in caplog.text


def test_stopping_answers_what_waits_and_takes_nothing_new(double):
    queue = BatchQueue(double)
    gather = BatchScheduler(BatchingOptions(num_threads=1, max_batch_size=2, batch_timeout_ms=0.0))
    with double.held(gather, queue):
        answers = [gather.submit(queue, {"x": np.array([number])}, 5) for number in range(5)]
        stopping = threading.Thread(target=gather.stop, args=(5,))
        stopping.start()
        time.sleep(0.02)
        with pytest.raises(ServingError, match="the server stops"):
            gather.submit(queue, {"x": np.array([1])}, 5)
    stopping.join(5)
    assert [answer.result(0)["y"].tolist() for answer in answers] == [[0], [2], [4], [6], [8]]


def test_stopping_refuses_what_it_has_no_time_for(double):
    queue = BatchQueue(double)
    gather = BatchScheduler(BatchingOptions(num_threads=1))
    with double.held(gather, queue):
        answer = gather.submit(queue, {"x": np.array([1])}, 5)
        gather.stop(0.05)
        with pytest.raises(ServingError, match="the server stops") as raised:
            answer.result(0)
    assert raised.value.code == "UNAVAILABLE"
