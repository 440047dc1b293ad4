from pathlib import Path

import tensorflow as tf

from ostinato.export import Endpoint, Preset, unexported_model


def test_a_model_that_is_not_exported_answers_as_if_it_were():
    specs = [tf.TensorSpec((None,), tf.int32, name="x"), tf.TensorSpec((), tf.int32, name="factor")]
    product = Endpoint("multiply", lambda x, factor: {"product": x * factor}, specs)
    double = Preset("serving_default", product, {"factor": 2}, ("product",))
    model = unexported_model(Path("run"), [double, product], None, metadata={"application": "ostinato_count"})
    answer = model.signatures["multiply"](x=tf.constant([1, 2, 3]), factor=tf.constant(5))
    assert answer["product"].numpy().tolist() == [5, 10, 15]
    assert list(model.signatures) == ["multiply"]
    assert model.metadata == {"application": "ostinato_count"}
