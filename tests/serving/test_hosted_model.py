import json

import numpy as np
import pytest

from ostinato.errors import InputError, ModelError
from ostinato.serving.errors import ServingError
from ostinato.serving.hosted_model import hosted_model
from ostinato.serving.model_server import ModelServer

INTERFACE = {"signatures": {}, "metadata": {"application": "toys"}}


@pytest.fixture
def describe(add_version):
    """Publishes a version that says what it is."""

    def publish(number):
        folder = add_version(number)
        (folder / "interface.json").write_text(json.dumps(INTERFACE))
        (folder / "assets.extra").mkdir(exist_ok=True)
        (folder / "assets.extra" / "labels.txt").write_text("yes no")
        return folder

    return publish


def test_what_the_server_has_loaded_answers_as_a_model(describe, tmp_path):
    folder = describe(1)
    with ModelServer({"toy": tmp_path / "toy"}) as server:
        model = hosted_model(server, "toy")
        assert model.metadata == {"application": "toys"}
        assert model.assets == {"labels.txt": folder / "assets.extra" / "labels.txt"}
        assert model.call("positive", {"x": np.array([9.0, 4.0], np.float32)})["root"].tolist() == [3.0, 2.0]
        assert b'model="toy"' in server.metrics.page()


def test_what_the_graph_refuses_is_an_error_of_the_input(describe, tmp_path):
    describe(1)
    with ModelServer({"toy": tmp_path / "toy"}) as server:
        model = hosted_model(server, "toy")
        with pytest.raises(InputError, match="x must be positive"):
            model.call("positive", {"x": np.array([-9.0], np.float32)})


def test_a_version_that_was_let_go_is_not_replaced_by_another_under_its_user(describe, tmp_path):
    describe(1)
    with ModelServer({"toy": tmp_path / "toy"}, poll_seconds=600) as server:
        model = hosted_model(server, "toy")
        describe(2)
        server.repository.poll()
        with pytest.raises(ServingError, match="not found"):
            model.call("positive", {"x": np.array([9.0], np.float32)})
        assert hosted_model(server, "toy").version == 2


def test_a_model_of_others_has_nothing_to_say(add_version, tmp_path):
    add_version(1)
    with ModelServer({"toy": tmp_path / "toy"}) as server:
        with pytest.raises(ModelError, match=r"interface\.json"):
            hosted_model(server, "toy")
        with pytest.raises(ServingError, match="not found"):
            hosted_model(server, "another")
