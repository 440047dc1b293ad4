import json

import numpy as np

from ostinato_caption.captioner import Caption
from ostinato_caption.inputs import PhotoInput
from ostinato_caption.output import as_json, as_text


def caption(text, score):
    tokens = tuple("\u2581" + word for word in text.split())
    return Caption(text, score, 0.0123456, tokens, np.ones((len(tokens), 1, 3), np.float32) / 3)


PHOTO = PhotoInput("a/dog.jpg", "a/dog.jpg", {"id": 7, "image": "overwritten", "name": "Élan"})


def test_one_caption_is_one_line():
    assert as_text(PHOTO, [caption("a dog runs", -1.234)]) == "a/dog.jpg: a dog runs  (score -1.23, p 0.012)"


def test_several_captions_are_numbered_below_the_photo():
    lines = as_text(PHOTO, [caption("a dog", -1.0), caption("a cat", -2.0)]).split("\n")
    assert lines == ["a/dog.jpg:", "  1. a dog  (score -1.00, p 0.012)", "  2. a cat  (score -2.00, p 0.012)"]


def test_json_is_one_line_with_the_fields_of_the_input():
    line = as_json(PHOTO, [caption("a dog", -1.23456), caption("un café", -2.0)])
    assert "\n" not in line
    assert "Élan" in line
    record = json.loads(line)
    assert list(record) == ["id", "image", "name", "captions"]
    assert record["image"] == "a/dog.jpg"
    assert record["captions"][0] == {
        "text": "a dog",
        "score": -1.2346,
        "probability": 0.01235,
        "tokens": ["\u2581a", "\u2581dog"],
    }
