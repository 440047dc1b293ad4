import threading
import time

import numpy as np
import pytest

from ostinato.serving.batch import BatchQueue
from ostinato.serving.errors import ServingError


def test_what_waits_at_the_same_time_is_computed_together_and_each_gets_its_own(scheduler, double):
    queue = BatchQueue(double)
    with scheduler(max_batch_size=8) as gather:
        with double.held(gather, queue):
            asked = [np.arange(3 * number, 3 * number + 1 + number % 2) for number in range(7)]
            answers = [gather.submit(queue, {"x": x}, 5) for x in asked]
        for x, answer in zip(asked, answers, strict=True):
            np.testing.assert_array_equal(answer.result(5)["y"], 2 * x)
    assert double.sizes == [1, 7, 3]  # ten rows, of which eight fit but the sixth request has two


def test_requests_of_many_threads_never_get_another_s_rows(scheduler, double):
    queue = BatchQueue(double)
    wrong = []

    def ask(client):
        generator = np.random.default_rng(client)
        for _ in range(50):
            x = generator.integers(0, 1000, (generator.integers(1, 5), generator.integers(1, 4)))
            if not np.array_equal(gather.submit(queue, {"x": x}, 5).result(5)["y"], 2 * x):
                wrong.append(x)

    with scheduler(num_threads=3, max_batch_size=5, batch_timeout_ms=1.0) as gather:
        threads = [threading.Thread(target=ask, args=(client,)) for client in range(9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert max(double.sizes) > 4


def test_only_equal_sizes_and_settings_go_together(scheduler, double):
    queue = BatchQueue(double)
    with scheduler() as gather:
        with double.held(gather, queue):
            narrow = [gather.submit(queue, {"x": np.ones((2, 3))}, 5) for _ in range(3)]
            wide = [gather.submit(queue, {"x": np.ones((1, 5))}, 5) for _ in range(2)]
            thrice = [gather.submit(queue, {"x": np.ones((1, 3)), "factor": np.array(3)}, 5) for _ in range(2)]
        assert [answer.result(5)["y"].shape for answer in narrow + wide] == [(2, 3)] * 3 + [(1, 5)] * 2
        assert thrice[0].result(5)["y"].tolist() == [[3, 3, 3]]
    assert double.sizes == [1, 6, 2, 2]


def test_a_request_with_no_row_or_of_scalars_alone_or_too_large_is_computed_alone(scheduler):
    sizes = []

    def shapes(inputs):
        sizes.append([array.shape for array in inputs.values()])
        return dict(inputs)

    queue = BatchQueue(shapes)
    with scheduler(max_batch_size=3) as gather:
        asked = [{"x": np.ones((0, 2))}, {"x": np.array(5)}, {"x": np.ones(7)}, {"x": np.ones(2), "z": np.ones(3)}]
        for inputs in asked:
            assert gather.submit(queue, inputs, 5).result(5)["x"].shape == inputs["x"].shape
    assert sizes == [[(0, 2)], [()], [(7,)], [(2,), (3,)]]


def test_one_bad_request_does_not_spoil_its_neighbours(scheduler, double):
    queue = BatchQueue(double)
    with scheduler() as gather:
        with double.held(gather, queue):
            answers = [gather.submit(queue, {"x": np.array([number])}, 5) for number in (0, 1, -2, 3, 4, 5, -6)]
        for number, answer in zip((0, 1, -2, 3, 4, 5, -6), answers, strict=True):
            if number < 0:
                with pytest.raises(ServingError, match=f"negative: {number}"):
                    answer.result(5)
            else:
                assert answer.result(5)["y"].tolist() == [2 * number]


def test_an_output_that_belongs_to_no_row_makes_each_request_be_computed_alone(scheduler):
    sizes = []

    def mean(inputs):
        sizes.append(len(inputs["x"]))
        return {"mean": inputs["x"].mean()}

    queue = BatchQueue(mean)
    with scheduler(batch_timeout_ms=50.0) as gather:
        answers = [gather.submit(queue, {"x": np.array([number])}, 5) for number in (1, 2, 3)]
        assert [float(answer.result(5)["mean"]) for answer in answers] == [1, 2, 3]
        assert float(gather.submit(queue, {"x": np.array([4, 6])}, 5).result(5)["mean"]) == 5
    assert sizes == [3, 1, 1, 1, 2]


def test_a_request_waits_for_others_no_longer_than_the_batch_timeout(scheduler, double):
    queue = BatchQueue(double)
    with scheduler(batch_timeout_ms=40.0, max_batch_size=3) as gather:
        started = time.monotonic()
        gather.submit(queue, {"x": np.array([1])}, 5).result(5)
        assert time.monotonic() - started >= 0.04
        started = time.monotonic()
        answers = [gather.submit(queue, {"x": np.array([1])}, 5) for _ in range(3)]  # full: no reason to wait
        answers[0].result(5)
        assert time.monotonic() - started < 0.04
    assert double.sizes == [1, 3]


def test_a_batch_is_no_larger_than_what_is_expected_to_be_computed_in_its_time(scheduler, double):
    class Unchanging(BatchQueue):
        def learn(self, seconds, num_bytes):
            self.seconds_a_byte = 0.2 / 8  # 8 bytes a row

    queue = Unchanging(double)
    queue.learn(0.0, 0)
    with scheduler(max_batch_seconds=0.5) as gather:
        with double.held(gather, queue):
            answers = [gather.submit(queue, {"x": np.full(rows, rows)}, 5) for rows in (1, 1, 1, 7, 1)]
        assert [answer.result(5)["y"][0] for answer in answers] == [2, 2, 2, 14, 2]
    assert double.sizes == [1, 2, 1, 7, 1]  # seven rows take longer alone, but are not divided


def test_what_a_batch_takes_is_learned_from_those_before_it():
    queue = BatchQueue(dict)
    for _ in range(50):
        queue.learn(2.0, 100)
    assert queue.seconds_a_byte == pytest.approx(0.02, rel=0.01)
    queue.learn(20.0, 100)  # held up by something else
    for _ in range(3):
        queue.learn(2.0, 100)
    assert queue.seconds_a_byte == pytest.approx(0.02, rel=0.2)
    queue.learn(0.0, 0)  # no rows, no bytes


def test_the_model_that_waited_longest_comes_first(scheduler, double):
    order = []

    def queue(name):
        return BatchQueue(lambda inputs: order.append(name) or dict(inputs))

    busy, first, second = BatchQueue(double), queue("first"), queue("second")
    with scheduler() as gather, double.held(gather, busy):
        for each in (first, second, first):
            gather.submit(each, {"x": np.ones(1)}, 5)
            time.sleep(0.002)
    assert order == ["first", "second"]
