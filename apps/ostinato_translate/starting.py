"""What a run takes over from an exported model that it goes on from: vocabulary, network and weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from ostinato.config import write_config
from ostinato.errors import ConfigError, ModelError
from ostinato.export import LoadedModel, load_model
from ostinato.files import write_atomically
from ostinato.text import Tokenizer
from ostinato.training import save_weights
from ostinato_translate.config import TrainConfig
from ostinato_translate.model import make_model
from ostinato_translate.run import Run


def take_over(run: Run, start_from: str, languages: Sequence[str]) -> None:
    """Writes the files of a run that come from a model: tokenizer, settings of the network, weights to begin with.

    Args:
      run: a run directory that is being prepared.
      start_from: the model's folder or name.
      languages: codes of those that the run is to learn.

    Raises:
      ModelError: there is no such model, it is no translation model, or one of a version that did not say what its
        network is.
      ConfigError: it does not know one of the languages.
    """
    model = load_model(start_from)
    model.check_application("ostinato_translate", "translations")
    config = _train_config(model)
    known = model.metadata["languages"]
    if unknown := [language for language in languages if language not in known]:
        raise ConfigError(
            f"the model in {model.path} knows {', '.join(known)}, not {', '.join(unknown)}; name languages that it "
            "knows by --languages, or prepare without --start-from"
        )
    tokenizer = Tokenizer.load(model.assets["tokenizer.model"])
    network = make_model(config, tokenizer.size)
    weights = {weight.name.removesuffix(":0"): weight.numpy() for weight in model.weights}
    try:
        network.set_weights([weights[weight.path].astype(np.float32) for weight in network.weights])
    except (KeyError, ValueError) as error:
        raise ModelError(f"the weights in {model.path} are not those of its network; export it again") from error
    write_atomically(run.tokenizer_path, tokenizer.model)
    write_config(run.config_path, config)
    save_weights(run.start_path, network)


def _train_config(model: LoadedModel) -> TrainConfig:
    network = model.metadata.get("network")
    if network is None:
        raise ModelError(
            f"the model in {model.path} does not say what its network is, as models that are exported today do; "
            "export its run again"
        )
    return dataclasses.replace(TrainConfig(), **network)
