import numpy as np
import pytest

from ostinato.export.dtypes import array_dtype, as_array


def test_strings_are_objects_and_every_other_name_is_numpys():
    assert array_dtype("string").hasobject
    assert array_dtype("uint8") == np.uint8
    assert np.array([1.5], array_dtype("bfloat16")).astype(float) == 1.5


def test_text_becomes_bytes_and_bytes_keep_their_zeros():
    strings = as_array([["süß", b"\x00\x00"]], "string")
    assert strings.dtype == object
    assert strings.tolist() == [["süß".encode(), b"\x00\x00"]]
    assert as_array("word", "string").shape == ()


def test_numbers_take_the_dtype_of_the_tensor():
    assert as_array([0.1, 2], "float32").dtype == np.float32
    assert as_array(2, "float32") == 2
    assert as_array([[1, 255]], "uint8").tolist() == [[1, 255]]
    frames = np.zeros((3, 5), np.float32)
    assert as_array(frames, "float32") is frames


@pytest.mark.parametrize(
    ("value", "name", "message"),
    [
        ([1.5], "int32", "is float64 instead of int32"),
        ([256], "uint8", "holds numbers that are no uint8"),
        ([-1], "uint8", "holds numbers that are no uint8"),
        ([2**40], "int32", "holds numbers that are no int32"),
        (["1"], "int32", "instead of int32"),
        ([1], "string", "holds int instead of text or bytes"),
    ],
)
def test_nothing_is_rounded_to_integers_cut_off_or_made_text(value, name, message):
    with pytest.raises(ValueError, match=message):
        as_array(value, name)
