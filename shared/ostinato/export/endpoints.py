from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from ostinato.export.stream import Stream, check_stream


@dataclass(frozen=True)
class Endpoint:
    """One signature of an exported model.

    Attributes:
      name: name of the signature; one of a model's endpoints is `serving_default`, which servers call when not told.
      function: takes the inputs by keyword, returns a dict of output names to tensors. Every output keeps the batch
        dimension. A text output must not end in `_bytes`, or TensorFlow Serving answers it in base64.
      signature: a `tf.TensorSpec` for each input, first dimension None (batch), with a name; or a dict of names to
        specs. Scalar inputs are settings of the whole call: such a signature is asked in REST by columns, not by rows,
        and cannot be served where TensorFlow Serving was told to batch requests.
      binary_inputs: names of the string inputs that are no text (photos, sound): in REST they are `{"b64": ...}`.
      stream: where the endpoint reads one frame at a time and carries state (inputs `state_*`), of what.
    """

    name: str
    function: Callable[..., Mapping[str, tf.Tensor]]
    signature: Sequence[tf.TensorSpec] | Mapping[str, tf.TensorSpec]
    binary_inputs: tuple[str, ...] = ()
    stream: Stream | None = None

    @property
    def specs(self) -> list[tf.TensorSpec]:
        """The inputs in order, each with its name."""
        if isinstance(self.signature, Mapping):
            return [tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in self.signature.items()]
        return list(self.signature)

    def __call__(self, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Calls the function and insists on named outputs, as a plain tensor would be served as `output_0`."""
        outputs = self.function(**inputs)
        if not isinstance(outputs, Mapping):
            raise TypeError(
                f"Endpoint {self.name} returned {type(outputs).__name__}; return a dict of names to tensors."
            )
        return {name: tf.convert_to_tensor(value) for name, value in outputs.items()}


@dataclass(frozen=True)
class Preset:
    """One signature that asks another with fixed settings. Both share one graph, so that it costs next to nothing.

    Attributes:
      name: name of the signature.
      endpoint: whom it asks.
      settings: values of those inputs that callers of this signature do not give, a scalar each; an input with a batch
        dimension gets it for every item, and everywhere in it, as state that is zero.
      outputs: names of those outputs that they get.
    """

    name: str
    endpoint: Endpoint
    settings: Mapping[str, Any]
    outputs: tuple[str, ...]

    @property
    def specs(self) -> list[tf.TensorSpec]:
        """The inputs that are left to the caller, in order."""
        return [spec for spec in self.endpoint.specs if spec.name not in self.settings]

    @property
    def binary_inputs(self) -> tuple[str, ...]:
        """As of the endpoint."""
        return self.endpoint.binary_inputs

    def complete(self, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Returns the endpoint's inputs in the order of its specs."""
        size = next(tf.shape(tensor)[:1] for tensor in inputs.values() if tensor.shape.rank != 0)
        settings = {}
        for spec in self.endpoint.specs:
            if spec.name in self.settings:
                value = tf.constant(self.settings[spec.name], spec.dtype)
                shape = tf.concat([size, spec.shape[1:]], axis=0) if spec.shape.rank else []
                settings[spec.name] = tf.broadcast_to(value, shape)
        return {spec.name: (settings | dict(inputs))[spec.name] for spec in self.endpoint.specs}

    def __call__(self, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Calls the endpoint's function."""
        answer = self.endpoint(self.complete(inputs))
        return {name: answer[name] for name in self.outputs}


Signature = Endpoint | Preset


@dataclass(frozen=True)
class Sample:
    """A fixed request to an endpoint.

    Attributes:
      endpoint: name of the endpoint.
      inputs: what `tf.convert_to_tensor` takes, by input name, with batch dimension or scalar as in the signature.
        Binary strings are given as a list of bytes (a NumPy `S` array would cut trailing zero bytes off).
    """

    endpoint: str
    inputs: Mapping[str, Any]


def sample_tensors(sample: Sample, endpoints: Sequence[Signature]) -> dict[str, tf.Tensor]:
    """The inputs of a sample as tensors of the endpoint's dtypes.

    Raises:
      ValueError: unknown endpoint, missing or surplus inputs, a shape that the signature does not accept.
    """
    endpoint = next((endpoint for endpoint in endpoints if endpoint.name == sample.endpoint), None)
    if endpoint is None:
        raise ValueError(f"A sample is for endpoint {sample.endpoint}; there are {[each.name for each in endpoints]}.")
    specs = {spec.name: spec for spec in endpoint.specs}
    if set(specs) != set(sample.inputs):
        raise ValueError(f"A sample of {endpoint.name} has inputs {sorted(sample.inputs)}, not {sorted(specs)}.")
    tensors = {name: tf.convert_to_tensor(sample.inputs[name], spec.dtype) for name, spec in specs.items()}
    for name, tensor in tensors.items():
        if not specs[name].shape.is_compatible_with(tensor.shape):
            raise ValueError(
                f"A sample of {endpoint.name} has {name} of shape {tensor.shape}, not {specs[name].shape}."
            )
    return tensors


def check_endpoints(endpoints: Sequence[Signature], samples: Sequence[Sample]) -> None:
    """Finds what is sure to fail later.

    Raises:
      ValueError: no endpoint `serving_default`, a name twice, a spec without a name, only scalars, a binary
        input that is no string, an endpoint without a sample, a stream that does not fit.
    """
    names = [endpoint.name for endpoint in endpoints]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"Endpoints need distinct names; given: {names}.")
    if "serving_default" not in names:
        raise ValueError(f"One endpoint is named serving_default; given: {names}.")
    for endpoint in endpoints:
        strings = {spec.name for spec in endpoint.specs if spec.dtype == tf.string}
        if any(spec.name is None for spec in endpoint.specs):
            raise ValueError(f"Every tf.TensorSpec of endpoint {endpoint.name} needs a name.")
        if all(spec.shape.rank == 0 for spec in endpoint.specs):
            raise ValueError(f"Endpoint {endpoint.name} needs an input with a batch dimension.")
        if not strings.issuperset(endpoint.binary_inputs):
            raise ValueError(f"Binary inputs of {endpoint.name} must be among its string inputs {sorted(strings)}.")
        if not any(sample.endpoint == endpoint.name for sample in samples):
            raise ValueError(f"Endpoint {endpoint.name} needs samples, or nothing about it can be proved.")
        if isinstance(endpoint, Endpoint):
            check_stream(endpoint.name, endpoint.stream, endpoint.specs, {each.name: each.specs for each in endpoints})
