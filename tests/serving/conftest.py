import asyncio
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import numpy as np
import pytest
import tensorflow as tf

from ostinato.export.warmup import WARMUP_FILE, Request, write_requests
from ostinato.serving import BatchingOptions, ModelConfig, ModelServer, ServingError
from ostinato.serving.batching import BatchScheduler
from ostinato.serving.rest import RestLimits, rest_application


def specs(**inputs):
    return {name: tf.TensorSpec(shape, dtype, name=name) for name, (shape, dtype) in inputs.items()}


class Toy(tf.Module):
    """Half of the input plus a weight, and signatures with inputs and outputs of all kinds."""

    def __init__(self, weight=2.0):
        super().__init__()
        self.weight = tf.Variable(weight)

    @tf.function(autograph=False)
    def half_plus(self, x):
        return {"y": x / 2 + self.weight}

    @tf.function(autograph=False)
    def several(self, numbers, text):
        return {"total": tf.reduce_sum(numbers, axis=1), "text": text, "echo_bytes": tf.strings.join([text, "!"])}

    @tf.function(autograph=False)
    def scaled(self, x, scale):
        return {"y": x * scale}

    @tf.function(autograph=False)
    def kinds(self, flag, byte, long, real):
        return {"flag": tf.logical_not(flag), "byte": byte, "long": long + 1, "real": real / 3}

    @tf.function(autograph=False)
    def positive(self, x):
        with tf.control_dependencies([tf.debugging.assert_positive(x, "x must be positive")]):
            return {"root": tf.sqrt(x)}

    @tf.function(autograph=False)
    def mean(self, x):
        return {"mean": tf.reduce_mean(x)}

    @tf.function(autograph=False)
    def three_outputs(self, x):
        return {"one": x, "two": 2 * x, "three": 3 * x}

    @tf.function(autograph=False)
    def examples(self, inputs):
        return {"lengths": tf.strings.length(inputs)}


def write_toy(folder, weight=2.0, warmup=()):
    toy = Toy(weight)
    calls = {
        "serving_default": toy.half_plus.get_concrete_function(**specs(x=(None, tf.float32))),
        "several": toy.several.get_concrete_function(
            **specs(numbers=([None, None], tf.int32), text=([None], tf.string))
        ),
        "scaled": toy.scaled.get_concrete_function(**specs(x=([None, 2], tf.float32), scale=([], tf.float32))),
        "kinds": toy.kinds.get_concrete_function(
            **specs(flag=([None], tf.bool), byte=([None], tf.uint8), long=([None], tf.int64), real=([None], tf.float64))
        ),
        "positive": toy.positive.get_concrete_function(**specs(x=([None], tf.float32))),
        "three_outputs": toy.three_outputs.get_concrete_function(**specs(x=([None], tf.float32))),
        "examples": toy.examples.get_concrete_function(**specs(inputs=([None], tf.string))),
        "mean": toy.mean.get_concrete_function(**specs(x=([None], tf.float32))),
    }
    tf.saved_model.save(toy, str(folder), signatures=calls)
    if warmup:
        write_requests(folder / WARMUP_FILE, [Request("serving_default", {"x": x}) for x in warmup], "toy")
    return folder


@pytest.fixture(scope="session")
def save_toy():
    """Saves the model into a folder."""
    return write_toy


@pytest.fixture(scope="session")
def toy_versions(tmp_path_factory):
    """Versions of one model, to be copied: by number, y = x / 2 + number."""
    root = tmp_path_factory.mktemp("versions")
    return {number: write_toy(root / str(number), float(number)) for number in (1, 2)}


@pytest.fixture
def add_version(toy_versions, tmp_path):
    """Publishes a copy of a version in the folder `toy`, as an export does: written beside it, renamed into place."""

    def add(number, source=None):
        folder = tmp_path / "toy"
        partial = tmp_path / f"partial-{number}"
        shutil.copytree(toy_versions[source or number], partial)
        folder.mkdir(exist_ok=True)
        return partial.rename(folder / str(number))

    return add


@pytest.fixture(scope="module")
def server(toy_versions):
    """Serves both versions of the toy."""
    config = ModelConfig(toy_versions[1].parent, latest=2, labels={"stable": 1})
    with ModelServer({"toy": config}, batching=BatchingOptions(num_threads=1), poll_seconds=60) as server:
        yield server


@pytest.fixture(scope="module")
def application(server):
    """The REST interface of that server, with limits that a test reaches soon."""
    return rest_application(server, limits=RestLimits(max_body_mb=0.25, max_bodies_mb=0.5, body_seconds=0.3))


def ask_application(application, method, path, body=None, **headers):
    """The answer to a request that goes through no network."""

    async def send():
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            content = body if body is None or isinstance(body, bytes | str) else json.dumps(body)
            return await client.request(method, path, content=content, headers=headers)

    return asyncio.run(send())


@pytest.fixture(scope="session")
def ask():
    """Asks a REST interface: (application, method, path, body, **headers)."""
    return ask_application


@contextmanager
def batch_scheduler(**options) -> Iterator[BatchScheduler]:
    scheduler = BatchScheduler(BatchingOptions(**{"num_threads": 1, "batch_timeout_ms": 0.0, **options}))
    try:
        yield scheduler
    finally:
        scheduler.stop(5)


@pytest.fixture(scope="session")
def scheduler():
    """Gathers requests until the block ends: (**options); nothing waits for others, if it is not told to."""
    return batch_scheduler


class Doubling:
    """Doubles x, remembers the sizes of its batches, refuses negative numbers, and waits for `go` if that is held."""

    def __init__(self):
        self.sizes, self.go, self.started = [], threading.Event(), threading.Event()
        self.go.set()

    def __call__(self, inputs):
        self.started.set()
        assert self.go.wait(5)
        self.sizes.append(len(inputs["x"]))
        if (inputs["x"] < 0).any():
            raise ServingError("INVALID_ARGUMENT", f"negative: {inputs['x'].min()}")
        return {"y": inputs["x"] * inputs.get("factor", 2)}

    @contextmanager
    def held(self, scheduler, queue):
        """A first request is being computed until the block ends."""
        self.go.clear()
        self.started.clear()
        scheduler.submit(queue, {"x": np.zeros(1)}, 5)
        assert self.started.wait(5)
        self.sizes.clear()
        try:
            yield
        finally:
            self.go.set()


@pytest.fixture
def double():
    return Doubling()
