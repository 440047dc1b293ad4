import json
import shlex

import numpy as np
import pytest
import tensorflow as tf

from ostinato.export.archive import export_model
from ostinato.export.endpoints import Endpoint, Sample


@pytest.fixture
def reader(tmp_path, dense, proof_in_this_process):
    """A model that takes bytes and text and says how long they are; its folder and what its interface says."""

    def measure(photo_bytes, text):
        return {"length": tf.strings.length(photo_bytes), "shout": tf.strings.upper(text)}

    signature = {"photo_bytes": tf.TensorSpec((None,), tf.string), "text": tf.TensorSpec((None,), tf.string)}
    samples = [
        Sample("serving_default", {"photo_bytes": [b"\xff" * 3_000, b"\x00\xff\x00"], "text": ["big", "it's small"]}),
        Sample("long", {"photo_bytes": [b"\xfe" * 2_000, b"\xff" * 1_500], "text": ["x", "y"]}),
    ]
    endpoints = [Endpoint(name, measure, signature, ("photo_bytes",)) for name in ("serving_default", "long")]
    folder = export_model(tmp_path / "reader", dense, endpoints, samples, metadata={"words": 7})
    return folder, json.loads((folder / "interface.json").read_text())


def test_signatures_are_described(reader):
    _, interface = reader
    assert interface["model"] == "reader"
    assert interface["metadata"] == {"words": 7}
    signature = interface["signatures"]["serving_default"]
    assert signature["inputs"] == {
        "photo_bytes": {"dtype": "string", "shape": [None], "binary": True},
        "text": {"dtype": "string", "shape": [None], "binary": False},
    }
    assert signature["outputs"] == {
        "length": {"dtype": "int32", "shape": [None]},
        "shout": {"dtype": "string", "shape": [None]},
    }


def test_the_sample_is_the_smallest_item_with_its_answer(reader):
    _, interface = reader
    assert interface["signatures"]["serving_default"]["sample"] == {
        "request": {
            "signature_name": "serving_default",
            "instances": [{"photo_bytes": {"b64": "AP8A"}, "text": "it's small"}],
        },
        "answer": {"predictions": [{"length": 3, "shout": "IT'S SMALL"}]},
    }


def test_the_curl_lines_send_the_samples(reader):
    folder, interface = reader
    comment, *lines = (folder / "curl.txt").read_text().splitlines()
    assert comment.startswith("#")
    for name, line in zip(("serving_default", "long"), lines, strict=True):
        signature = interface["signatures"][name]
        assert line == signature["curl"]
        command, _, option, data, url = shlex.split(line)
        assert (command, option, url) == ("curl", "--data", "http://localhost:8501/v1/models/reader:predict")
        if data.startswith("@"):
            data = (folder / data[1:]).read_text()
        assert json.loads(data) == signature["sample"]["request"]


def test_short_requests_stand_in_the_line_and_long_ones_in_a_file(reader):
    _, interface = reader
    assert "@" not in interface["signatures"]["serving_default"]["curl"]
    assert "@sample_requests/long.json" in interface["signatures"]["long"]["curl"]


def test_floats_are_shown_as_short_as_they_are(export, five_numbers):
    folder = export(samples=[Sample("serving_default", {"numbers": np.full((2, 5), [[0.1], [0.2]])})])
    assert "0.1," in (folder / "sample_requests" / "serving_default.json").read_text()
    assert "0.100000001" not in (folder / "interface.json").read_text()


def test_a_row_of_numbers_stands_on_one_line_whatever_texts_hold(tmp_path, dense, proof_in_this_process):
    def middle(image, text):
        return {"pixels": image, "text": text}

    signature = {"image": tf.TensorSpec((None, 2, 3), tf.uint8), "text": tf.TensorSpec((None,), tf.string)}
    texts = ["[\n 1,\n 2\n]", '"[ 3, 4 ]"']
    sample = Sample("serving_default", {"image": np.arange(12).reshape(2, 2, 3), "text": texts})
    folder = export_model(tmp_path / "rows", dense, [Endpoint("serving_default", middle, signature)], [sample])
    text = (folder / "interface.json").read_text()
    assert "[0, 1, 2]" in text or "[6, 7, 8]" in text
    assert json.loads(text)["signatures"]["serving_default"]["sample"]["answer"]["predictions"][0]["text"] in texts
