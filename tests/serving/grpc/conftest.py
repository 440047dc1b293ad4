"""A model that is served by gRPC alone."""

import pytest
import tensorflow as tf

from ostinato.serving import ModelServer
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


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory):
    """The saved toy, as version 3."""
    folder, toy = tmp_path_factory.mktemp("models") / "toy", Toy()
    signatures = {"serving_default": toy.double, "step": toy.step, "measure": toy.measure}
    tf.saved_model.save(toy, str(folder / "3"), signatures=signatures)
    return folder


@pytest.fixture(scope="module")
def model_server(toy_folder):
    with ModelServer({"toy": toy_folder}) as server:
        yield server


@pytest.fixture(scope="module")
def served(model_server):
    """That server by gRPC, whose messages have no more than a mebibyte."""
    handle = serve_grpc(model_server, "127.0.0.1", 0, max_message_bytes=2**20)
    yield handle
    handle.stop(0)
