import gc
import time

import pytest

from ostinato.serving.errors import ServingError
from ostinato.serving.json_body import parse_object
from ostinato.serving.rest_requests import read_request
from ostinato.serving.servable import Signature, TensorInfo

SIGNATURE = Signature({"x": TensorInfo("x:0", "float32", None)}, {}, "")


def test_a_body_of_more_lists_than_any_tensor_needs_is_refused_before_it_is_read():
    started = time.monotonic()
    with pytest.raises(ServingError, match="More than 3000000 lists and objects"):
        parse_object(b'{"instances": [' + b"[]," * 3_000_000 + b"[]]}")
    assert time.monotonic() - started < 1


def test_many_lists_are_read_without_collecting_garbage_meanwhile():
    seen = []
    gc.callbacks.append(lambda phase, info: seen.append(phase))
    try:
        read = parse_object(b'{"x": [' + b"[1]," * 200_000 + b"[1]]}")
    finally:
        gc.callbacks.pop()
    assert len(read["x"]) == 200_001
    assert gc.isenabled()
    assert len(seen) < 20  # it is looked through a thousand times otherwise


@pytest.mark.parametrize("body", [b"[", b"{", b'{"a": [' + b"[1]," * 100_000])
def test_garbage_is_collected_again_after_a_body_that_is_no_json(body):
    with pytest.raises(ServingError, match="JSON Parse error"):
        parse_object(body)
    assert gc.isenabled()


def test_a_byte_order_mark_is_passed_over():
    assert parse_object(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


@pytest.mark.parametrize("wrong", ["[1, 2]", '"a"', "[[1]]"])
def test_the_one_row_of_very_many_that_does_not_fit_costs_little(wrong):
    started = time.monotonic()
    with pytest.raises(ServingError):
        read_request(('{"instances": [' + "[1]," * 300_000 + wrong + "]}").encode(), lambda name: SIGNATURE)
    assert time.monotonic() - started < 5
