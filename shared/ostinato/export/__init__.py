"""SavedModels that prove themselves before anybody can load them. Nothing here knows an application.

    ostinato.export.archive    export_model: writes, proves and publishes the next version
    ostinato.export.endpoints  Endpoint, Preset, Sample: what is exported, and what it is tried on
    ostinato.export.proof      `python -m ostinato.export.proof FOLDER`: the proof, in a process of its own
    ostinato.export.loading    load_model: an exported folder as Python functions
    ostinato.export.stored_signatures  load_stored_signatures: what loading does, but for models with tables
    ostinato.export.runtime    what runs stored functions, without the rest of TensorFlow
    ostinato.export.model      Model: what applications ask, whether it was loaded or is on a server
    ostinato.export.stream     Stream: a signature that reads frame by frame what another one reads whole
    ostinato.export.streaming_session  StreamingSession: a stream that a loaded model reads
    ostinato.export.settings   settings of a user as scalar inputs
    ostinato.export.row_groups in_groups: a batch of any size in bounded memory, within the graph
    ostinato.export.unexported unexported_model: the same functions of what is not exported yet
    ostinato.export.versions   find_model: a folder or the name of a shipped model; no TensorFlow

A version folder, in the layout of TensorFlow Serving (which ignores what it does not know):

    saved_model.pb, variables/                      the graph, the weights
    assets.extra/tf_serving_warmup_requests         replayed by a server as it starts
    assets.extra/proof_samples                      further fixed samples with their answers, if there are any
    assets.extra/NAME                               the application's own files (tokenizer, labels, ...)
    interface.json, curl.txt, sample_requests/      how to ask it, with a real request and its answer
    proof.json                                      what the proof checked
    model_card.md                                   what it is good for
"""

import importlib
from typing import TYPE_CHECKING, Any

from ostinato.export.loading import LoadedModel, load_model
from ostinato.export.model import Model
from ostinato.export.streaming_session import StreamingSession
from ostinato.export.versions import find_model, shipped_models

if TYPE_CHECKING:
    from ostinato.export.archive import export_model
    from ostinato.export.endpoints import Endpoint, Preset, Sample
    from ostinato.export.sample_streams import stream_samples
    from ostinato.export.stream import Stream
    from ostinato.export.unexported import unexported_model

__all__ = [
    "Endpoint",
    "LoadedModel",
    "Model",
    "Preset",
    "Sample",
    "Stream",
    "StreamingSession",
    "export_model",
    "find_model",
    "load_model",
    "shipped_models",
    "stream_samples",
    "unexported_model",
]

# Imported when they are first asked for: who finds or loads a model does not wait for what writes one, and the proof
# runs without it.
_LATER = {
    "export_model": "ostinato.export.archive",
    "Endpoint": "ostinato.export.endpoints",
    "Preset": "ostinato.export.endpoints",
    "Sample": "ostinato.export.endpoints",
    "Stream": "ostinato.export.stream",
    "stream_samples": "ostinato.export.sample_streams",
    "unexported_model": "ostinato.export.unexported",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LATER[name]), name)
