import pytest

from ostinato.serving.retrying import CallFailed, with_retries


class Clock:
    """Time that passes only where somebody sleeps or works."""

    def __init__(self):
        self.now = 100.0
        self.pauses = []

    def sleep(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds


def ask(failures, *, timeout=60.0, attempts=5, seconds_each=0.0, jitter=1.0):
    """Asks one who fails so many times first; returns what the clock saw, the times that were left, and the answer."""
    clock, left, coming = Clock(), [], iter(failures)

    def attempt(seconds):
        left.append(seconds)
        clock.now += seconds_each
        for failure in coming:
            raise failure
        return "answer"

    try:
        answer = with_retries(
            attempt,
            timeout=timeout,
            attempts=attempts,
            clock=lambda: clock.now,
            sleep=clock.sleep,
            jitter=lambda: jitter,
        )
    except CallFailed as failure:
        answer = failure
    return clock.pauses, left, answer


def busy(retry_after=None):
    return CallFailed("UNAVAILABLE", "busy", may_retry=True, retry_after=retry_after)


def test_pauses_double_from_attempt_to_attempt():
    pauses, left, answer = ask([busy(), busy(), busy()])
    assert answer == "answer"
    assert pauses == pytest.approx([0.1, 0.2, 0.4])
    assert left == pytest.approx([60, 59.9, 59.7, 59.3])


def test_chance_takes_off_up_to_half_of_a_pause():
    pauses, _, _ = ask([busy(), busy()], jitter=0.0)
    assert pauses == pytest.approx([0.05, 0.1])


def test_no_pause_grows_beyond_some_seconds():
    pauses, _, _ = ask([busy()] * 10, attempts=11, timeout=1000)
    assert max(pauses) == 5.0


def test_a_server_that_names_a_time_is_not_asked_before_it():
    pauses, _, answer = ask([busy(retry_after=3), busy(retry_after=0.01)])
    assert answer == "answer"
    assert pauses == pytest.approx([3, 0.2])


def test_a_time_that_comes_too_late_is_not_waited_for():
    pauses, left, answer = ask([busy(retry_after=3600)], timeout=60)
    assert (pauses, len(left)) == ([], 1)
    assert answer.code == "UNAVAILABLE"


def test_after_the_last_attempt_its_failure_is_told():
    failures = [busy() for _ in range(3)]
    _, left, answer = ask(failures, attempts=3)
    assert len(left) == 3
    assert answer is failures[-1]


def test_what_may_not_be_retried_is_told_at_once():
    refused = CallFailed("INVALID_ARGUMENT", "wrong dtype", retry_after=0.1)
    pauses, left, answer = ask([refused])
    assert (pauses, len(left)) == ([], 1)
    assert answer is refused


def test_time_bounds_all_attempts_together():
    _, left, answer = ask([busy()] * 9, timeout=10, attempts=10, seconds_each=4)
    assert left == pytest.approx([10, 5.9, 1.7])
    assert answer.code == "UNAVAILABLE"


def test_no_attempt_at_all_is_a_mistake():
    with pytest.raises(ValueError, match="allow 1 or more"):
        ask([], attempts=0)
