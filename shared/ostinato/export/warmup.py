"""Requests in the format that TensorFlow Serving replays as it starts: a TFRecord of `PredictionLog` messages.

Here each request carries its answer where one is known. A server ignores it; the proof compares with it.
Reference: TensorFlow Serving, "SavedModel Warmup".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tensorflow as tf

from ostinato.errors import ModelError
from ostinato.untuned import untuned

WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"
MAX_WARMUP_REQUESTS = 1000  # a server refuses to load a model with more


@dataclass(frozen=True)
class Request:
    """A call of a signature, arrays by name; strings are object arrays of bytes.

    Scalar inputs are settings of the whole call. `answer` is empty where none is known.
    """

    signature: str
    inputs: Mapping[str, np.ndarray]
    answer: Mapping[str, np.ndarray] = field(default_factory=dict)


def write_requests(path: Path, requests: Sequence[Request], model_name: str) -> None:
    """Writes a TFRecord of requests, in order.

    Raises:
      ValueError: more requests than TensorFlow Serving takes.
    """
    from tensorflow_serving.apis import prediction_log_pb2

    if len(requests) > MAX_WARMUP_REQUESTS:
        raise ValueError(f"{len(requests)} requests; TensorFlow Serving takes at most {MAX_WARMUP_REQUESTS}.")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for request in requests:
            log = prediction_log_pb2.PredictionLog()
            predict = log.predict_log
            predict.request.model_spec.name = model_name
            predict.request.model_spec.signature_name = request.signature
            for name, value in request.inputs.items():
                predict.request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
            for name, value in request.answer.items():
                predict.response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
            writer.write(log.SerializeToString())


def read_requests(path: Path) -> list[Request]:
    """Reads what `write_requests` wrote, or what anybody wrote for TensorFlow Serving's Predict; [] without a file.

    Raises:
      ModelError: the file is damaged, or holds a log of another kind.
    """
    from google.protobuf.message import DecodeError
    from tensorflow_serving.apis import prediction_log_pb2

    if not path.is_file():
        return []
    requests = []
    try:
        for record in untuned(tf.data.TFRecordDataset(str(path))).as_numpy_iterator():
            log = prediction_log_pb2.PredictionLog.FromString(record)
            if log.WhichOneof("log_type") != "predict_log":
                raise ModelError(f"{path} holds a request that is no Predict request; export the model again.")
            request = log.predict_log.request
            requests.append(
                Request(
                    signature=request.model_spec.signature_name or "serving_default",
                    inputs={name: tf.make_ndarray(proto) for name, proto in request.inputs.items()},
                    answer={name: tf.make_ndarray(proto) for name, proto in log.predict_log.response.outputs.items()},
                )
            )
    except (tf.errors.OpError, DecodeError) as error:
        raise ModelError(f"{path} is damaged; export the model again.") from error
    return requests


def single_items(requests: Sequence[Request], signature: str) -> list[dict[str, np.ndarray]]:
    """The items of all requests to a signature, one by one, each still with its batch dimension (1)."""
    items = []
    for request in requests:
        if request.signature == signature:
            for index in range(batch_size(request.inputs)):
                items.append(
                    {name: value[index : index + 1] if value.ndim else value for name, value in request.inputs.items()}
                )
    return items


def batch_size(inputs: Mapping[str, np.ndarray]) -> int:
    """How many items a call has."""
    return next(len(value) for value in inputs.values() if value.ndim)
