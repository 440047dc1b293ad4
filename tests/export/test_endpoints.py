import pytest
import tensorflow as tf

from ostinato.export.endpoints import Endpoint, Preset, Sample, check_endpoints, sample_tensors

WORDS = Endpoint("serving_default", lambda text: {"text": text}, [tf.TensorSpec((None,), tf.string, name="text")])
NUMBERS = Endpoint("sum", lambda x: {"sum": x}, {"x": tf.TensorSpec((None, 3), tf.float32)})
SAMPLES = [Sample("serving_default", {"text": ["a"]}), Sample("sum", {"x": [[1, 2, 3]]})]


def test_inputs_are_named_by_their_specs_or_by_the_keys_of_a_dict():
    assert [spec.name for spec in WORDS.specs] == ["text"]
    assert [spec.name for spec in NUMBERS.specs] == ["x"]
    check_endpoints([WORDS, NUMBERS], SAMPLES)


def test_samples_take_the_dtype_of_the_signature():
    assert sample_tensors(SAMPLES[1], [WORDS, NUMBERS])["x"].dtype == tf.float32


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (Sample("nowhere", {}), "endpoint nowhere"),
        (Sample("sum", {}), r"inputs \[\], not \['x'\]"),
        (Sample("sum", {"x": [[1, 2, 3]], "y": [1]}), r"not \['x'\]"),
        (Sample("sum", {"x": [[1, 2]]}), r"shape \(1, 2\), not \(None, 3\)"),
        (Sample("sum", {"x": [1, 2, 3]}), r"shape \(3,\), not \(None, 3\)"),
    ],
)
def test_a_sample_that_does_not_fit_is_refused(sample, message):
    with pytest.raises(ValueError, match=message):
        sample_tensors(sample, [WORDS, NUMBERS])


@pytest.mark.parametrize(
    ("endpoints", "message"),
    [
        ([], "distinct names"),
        ([WORDS, WORDS], "distinct names"),
        ([NUMBERS], "named serving_default"),
        ([Endpoint("serving_default", dict, [tf.TensorSpec((None,))])], "needs a name"),
        ([Endpoint("serving_default", dict, {"width": tf.TensorSpec((), tf.int32)})], "with a batch dimension"),
        ([WORDS, Endpoint("sum", dict, NUMBERS.signature, ("x",))], "among its string inputs"),
        ([WORDS, NUMBERS, Endpoint("third", dict, NUMBERS.signature)], "third needs samples"),
    ],
)
def test_endpoints_that_cannot_be_exported_are_refused(endpoints, message):
    with pytest.raises(ValueError, match=message):
        check_endpoints(endpoints, SAMPLES)


def test_an_endpoint_must_name_its_outputs():
    bare = Endpoint("serving_default", lambda text: text, WORDS.signature)
    with pytest.raises(TypeError, match="return a dict"):
        bare({"text": tf.constant(["a"])})


def test_a_fixed_setting_holds_for_the_whole_call_or_for_every_item():
    specs = [
        tf.TensorSpec((None,), tf.string, name="text"),
        tf.TensorSpec((None,), tf.string, name="ending"),
        tf.TensorSpec((), tf.int32, name="times"),
    ]
    asked = Endpoint("ask", lambda text, ending, times: {"text": text + ending, "times": times[None]}, specs)
    preset = Preset("serving_default", asked, {"ending": "!", "times": 3}, ("text", "times"))
    assert [spec.name for spec in preset.specs] == ["text"]
    answer = preset({"text": tf.constant(["a", "b", "c"])})
    assert answer["text"].numpy().tolist() == [b"a!", b"b!", b"c!"]
    assert answer["times"].numpy().tolist() == [3]
