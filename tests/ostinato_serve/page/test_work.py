import asyncio
import threading

import pytest

from ostinato.serving.errors import ServingError
from ostinato_serve.page.work import Work


def test_a_few_run_a_few_wait_and_the_rest_is_refused():
    work, begun, go = Work(num_threads=2, max_waiting=3), [], threading.Event()

    def compute(number):
        begun.append(number)
        go.wait(10)
        return 10 * number

    async def ask():
        tasks = []
        for number in range(7):
            tasks.append(asyncio.ensure_future(work.run(compute, number)))
            await asyncio.sleep(0.01)
        running = sorted(begun)
        go.set()
        return running, await asyncio.gather(*tasks, return_exceptions=True)

    running, answers = asyncio.run(ask())
    assert running == [0, 1]
    assert answers[:5] == [0, 10, 20, 30, 40]
    assert [error.http_status for error in answers[5:]] == [503, 503]


def test_what_goes_wrong_in_a_thread_comes_out_of_it():
    async def ask():
        await Work().run(lambda: (_ for _ in ()).throw(ServingError("NOT_FOUND", "no such model")))

    with pytest.raises(ServingError, match="no such model"):
        asyncio.run(ask())
