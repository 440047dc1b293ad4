import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ostinato.errors import ModelError, ServerError
from ostinato.export import StreamingSession
from ostinato.export.saved_graph import SignatureDescription, TensorDescription
from ostinato.serving.served_model import ServedModel, interface_of, served_model

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path):
    """A model as it may lie on a machine that only asks: its facts and files, and a graph that nobody reads."""
    version = tmp_path / "toy" / "7"
    (version / "assets.extra").mkdir(parents=True)
    (version / "saved_model.pb").write_bytes(b"")
    (version / "assets.extra" / "labels.txt").write_text("yes no")
    (version / "interface.json").write_text(json.dumps({"signatures": {}, "metadata": {"labels": ["yes", "no"]}}))
    return version


class Client:
    def __init__(self):
        self.asked = []

    def predict(self, inputs, signature):
        self.asked.append((signature, inputs))
        total = inputs["frame"] + inputs["state_sum"]
        return {"scores": total, "state_sum": total}


def test_a_served_model_has_the_facts_of_the_folder_and_asks_for_its_version(folder, monkeypatch):
    monkeypatch.setenv("OSTINATO_TOKEN", "secret")
    model = served_model(folder.parent, "http://localhost:1")
    assert model.metadata["labels"] == ["yes", "no"]
    assert model.assets == {"labels.txt": folder / "assets.extra" / "labels.txt"}
    assert (model.client.model, model.client.version) == ("toy", 7)
    assert model.client.token == "secret"


def test_the_folder_of_a_version_may_be_named_in_any_way_that_leads_there(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert served_model(".", "http://localhost:1").client.model == "toy"


def test_a_folder_without_a_number_is_refused(folder):
    newest = folder.rename(folder.parent / "newest")
    with pytest.raises(ModelError, match="is no NAME/VERSION"):
        served_model(newest, "http://localhost:1")


def test_what_is_no_address_is_refused_before_anything_is_asked(folder):
    with pytest.raises(ServerError, match="'somewhere' is no address of a server"):
        served_model(folder, "somewhere")


def test_a_stream_carries_its_state_to_the_server_and_back(folder):
    described = SignatureDescription(
        {
            "frame": TensorDescription("float32", (None, 3)),
            "gain": TensorDescription("float32", ()),
            "state_sum": TensorDescription("float32", (None, 3)),
        },
        {},
    )
    client = Client()
    session = StreamingSession(ServedModel(folder, interface_of("step", described), {}, client))
    frame = np.ones((2, 3))
    for number in range(1, 4):
        assert session.step(frame, gain=1)["scores"].tolist() == [[number] * 3] * 2
    assert [signature for signature, _ in client.asked] == ["step"] * 3
    assert client.asked[0][1]["gain"].shape == ()


def test_no_application_starts_tensorflow_to_ask_a_server():
    script = (
        "import sys\n"
        "from ostinato_caption import Captioner\n"
        "from ostinato_gesture import GestureRecognizer\n"
        "from ostinato_translate import Translator\n"
        "from ostinato_video import VideoClassifier\n"
        "Captioner.load(server='http://localhost:1'), Translator.load(server='http://localhost:1')\n"
        "VideoClassifier.load(server='http://localhost:1').stream()\n"
        "print({'tensorflow', 'keras', 'grpc'} & set(sys.modules))\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(str(ROOT / name) for name in ("shared", "apps"))}
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    assert answer.stdout == "set()\n"
