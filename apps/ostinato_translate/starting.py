"""What a run takes over from an exported model that it goes on from: vocabulary, network and weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ostinato.config import write_config
from ostinato.errors import ConfigError, ModelError
from ostinato.export import find_model, load_model
from ostinato.export.loading import read_interface
from ostinato.files import write_atomically
from ostinato.text import Tokenizer
from ostinato_translate.config import TrainConfig
from ostinato_translate.run import Run
from ostinato_translate.written_pieces import WRITTEN_PIECES


def starting_version(start_from: str, languages: Sequence[str]) -> Path:
    """Returns the version folder that a name stands for today, so that a later one is not taken for it; no TensorFlow.

    Args:
      start_from: a model's folder or name.
      languages: codes of those that a run is to learn.

    Raises:
      ModelError: there is no such model, or none that can be gone on from.
      ConfigError: it does not know one of the languages.
    """
    version = find_model(start_from).resolve()
    facts = read_interface(version).get("metadata", {})
    if facts.get("application") != "ostinato_translate" or "network" not in facts:
        raise ModelError(
            f"the model in {version} is no translation model that says what its network is, as those exported today "
            "do; name another, or export its run again"
        )
    known = facts["languages"]
    if unknown := [language for language in languages if language not in known]:
        raise ConfigError(
            f"the model in {version} knows {', '.join(known)}, not {', '.join(unknown)}; name languages that it knows "
            "by --languages, or prepare without --start-from"
        )
    return version


def take_over(run: Run, version: Path) -> None:
    """Writes the files of a run that come from a model: tokenizer, settings of the network, weights to begin with.

    Args:
      run: a run directory that is being prepared.
      version: what `starting_version` returned.

    Raises:
      ModelError: the model is damaged.
    """
    # Nothing else in preparing needs TensorFlow.
    from ostinato.training import save_weights
    from ostinato_translate.model import make_model

    model = load_model(version)
    weights = {weight.name: weight.numpy() for weight in model.weights}
    try:
        tokenizer = Tokenizer.load(model.assets["tokenizer.model"])
        config = dataclasses.replace(TrainConfig(), **model.metadata["network"])
        network = make_model(config, tokenizer.size)
        network.set_weights([weights[weight.path].astype(np.float32) for weight in network.weights])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"tokenizer and weights in {version} are not those of its network; export it again") from error
    run.start_pieces_path.unlink(missing_ok=True)  # of another model, by a preparation that failed
    save_weights(run.start_path, network)
    write_config(run.config_path, config)
    write_atomically(run.tokenizer_path, tokenizer.model)
    if WRITTEN_PIECES in model.assets:
        write_atomically(run.start_pieces_path, model.assets[WRITTEN_PIECES].read_bytes())


def take_over_nothing(run: Run) -> None:
    """Removes what an earlier preparation took over that did not come to its end."""
    if run.start_path.exists():
        run.config_path.unlink(missing_ok=True)
        run.start_pieces_path.unlink(missing_ok=True)
        run.start_path.unlink()
