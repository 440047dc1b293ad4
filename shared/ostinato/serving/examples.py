"""`:classify` and `:regress`, which ask a model with `tf.Example` records: what TensorFlow Serving answers to them.

No export of Ostinato takes such records, so what is here are the refusals: of requests that hold none, and of
signatures that are not made for it. TensorFlow Serving looks at the inputs and outputs of a signature, and at its
`method_name` only where it is started with `--enable_signature_method_name_check`: by default it is not, and so here.

Reference: TensorFlow Serving, "RESTful API", and its classifier.cc, regressor.cc and json_tensor.cc.
"""

from __future__ import annotations

from typing import Any, Literal, NoReturn

import numpy as np

from ostinato.serving.errors import ServingError
from ostinato.serving.json_body import cut, parse_object, refuse, shown
from ostinato.serving.json_values import bytes_of, is_base64, kind_of
from ostinato.serving.servable import Servable

Method = Literal["classify", "regress"]

_INT64 = range(-(2**63), 2**63)
_FLOAT32 = float(np.finfo(np.float32).max)


def signature_asked(body: bytes) -> str:
    """The name of the signature that a body asks with examples; empty where it names none.

    Raises:
      ServingError: INVALID_ARGUMENT, it holds no examples.
    """
    document = parse_object(body)
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        refuse(f"JSON Value: {shown(document)} not formatted correctly. 'signature_name' key must be a string value.")
    if "context" in document:
        _check_example(document["context"])
    if "examples" not in document:
        refuse(f"JSON Value: {shown(document)} When method is classify, key 'examples' is expected and was not found")
    examples = document["examples"]
    if not isinstance(examples, list):
        refuse(f"JSON Value: {shown(document)} Expecting 'examples' value to be an list/array")
    if not examples:
        refuse(f"JSON Value: {shown(document)} 'examples' value is an empty array")
    for example in examples:
        _check_example(example)
    return name


def refuse_examples(method: Method, servable: Servable, signature_name: str) -> NoReturn:
    """Says why a signature cannot be asked with examples.

    Raises:
      ServingError: INVALID_ARGUMENT, there is none of that name, or it is not made for it; UNIMPLEMENTED, it is.
    """
    name = signature_name or "serving_default"
    signature = servable.signature_defs.get(name)
    if signature is None:
        refuse(f"No signature was found with the name: {cut(name)}")
    if len(signature.inputs) != 1:
        refuse("Expected one input Tensor.")
    if method == "classify":
        _refuse_to_classify(signature)
    else:
        _refuse_to_regress(signature)
    raise ServingError("UNIMPLEMENTED", f"this server answers :predict only, not :{method}")


def _refuse_to_classify(signature: Any) -> None:
    if len(signature.outputs) not in (1, 2):
        refuse(f"Expected one or two output Tensors, found {len(signature.outputs)}")
    if "inputs" not in signature.inputs:
        refuse(f"No classification inputs found in SignatureDef: {signature}")
    if not {"classes", "scores"} & set(signature.outputs):
        refuse(
            'Expected classification signature outputs to contain at least one of "classes" or "scores". '
            f"Signature was: {signature}"
        )


def _refuse_to_regress(signature: Any) -> None:
    if len(signature.outputs) != 1:
        refuse("Expected one output Tensor.")
    if "inputs" not in signature.inputs:
        refuse(f"No regression inputs found in SignatureDef: {signature}")
    if "outputs" not in signature.outputs:
        refuse(f"No regression outputs found in SignatureDef: {signature}")


def _check_example(example: Any) -> None:
    """Refuses what is no record of features, each a value or a list of values of one kind."""
    if not isinstance(example, dict):
        refuse(f"Example must be JSON object but got JSON {kind_of(example)}")
    for name, content in example.items():
        kinds: list[str] = []
        for value in content if isinstance(content, list) else [content]:
            kinds.append(_feature_kind(name, value))
            if kinds[-1] != kinds[0]:
                refuse(f"Unexpected element type in feature: {cut(name)} expecting type: {kinds[0]}")


def _feature_kind(name: str, value: Any) -> str:
    """The list of a `tf.train.Feature` that a value goes into."""
    if isinstance(value, str) or is_base64(value):
        bytes_of(value)
        return "bytes"
    if isinstance(value, float):
        if np.isfinite(value) and abs(value) > _FLOAT32:
            refuse(f"Cannot convert JSON value: {value} to float without loss of precision.")
        return "float"
    if not isinstance(value, int):
        refuse(f"Feature: {cut(name)} has element with unexpected JSON type: {kind_of(value)}")
    if value not in _INT64:
        refuse(f"Feature: {cut(name)} has uint64 element. Only int64 is supported.")
    return "int64"
