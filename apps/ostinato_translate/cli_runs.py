"""The verbs that make a model: prepare, train, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from ostinato.commands import ConfigFile, counter, progress_bar, quiet_tensorflow, read_json, read_text, say
from ostinato_translate.command import FLAT, app, open_run
from ostinato_translate.config import DecodingConfig, PrepareConfig, TrainConfig

Layout = Literal["parallel", "tsv", "tmx", "tfds"]
NUM_SAMPLES = 4  # sentences that prove an export


@app.command
def prepare(
    *,
    data: str,
    run: Path,
    layout: Layout | None = None,
    config: Annotated[PrepareConfig, FLAT] = PrepareConfig(),
) -> None:
    """Turn parallel text into a run directory: vocabulary, sentences as piece ids, validation rows.

    Args:
      data: folder of parallel files (train.en, train.de.gz, ...), TSV or TMX file or folder of them, or
        `tfds:wmt16_translate/de-en`.
      run: run directory to make.
      layout: how the data are laid out; found by itself if not given.
    """
    from ostinato_translate.data import open_corpus

    corpus = open_corpus(data, layout)
    if config.start_from:
        quiet_tensorflow()
    from ostinato.timing import peak_memory_mb
    from ostinato_translate.prepare import prepare as prepare_run
    from ostinato_translate.run import Run

    with progress_bar("Reading") as show:
        prepared = prepare_run(Run(run), corpus, config, on_row=counter(show))
    rows = ", ".join(f"{count} {split or 'of no split'}" for split, count in prepared.rows.items())
    left_out = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in prepared.left_out.items() if count)
    languages = ", ".join(f"{count} {language}" for language, count in prepared.sentences.items())
    say(
        app,
        f"{run}: rows: {rows}; training sentences: {languages}; {prepared.pieces} pieces; left out: "
        f"{left_out or 'nothing'}; peak memory {peak_memory_mb():.0f} MB",
    )


@app.command(config=[ConfigFile("--config"), ConfigFile("--run", "train.toml")])
def train(
    *,
    run: Path,
    config: Annotated[
        Path | None, Parameter(help="TOML file with any of the settings below; flags override it.")
    ] = None,
    settings: Annotated[TrainConfig, FLAT] = TrainConfig(),
) -> None:
    """Train on a prepared run directory, or go on where training stopped.

    The settings of a run are kept in its train.toml: the same command without flags resumes it.

    Args:
      run: run directory that `prepare` made.
    """
    directory = open_run(run)
    directory.check_resumes(settings)
    quiet_tensorflow()
    from ostinato.config import write_config
    from ostinato.timing import peak_memory_mb
    from ostinato_translate.train import Training
    from ostinato_translate.watching import watch

    training = Training(directory, settings)
    directory.check_phases(training.epochs)
    with directory.log(), watch(training) as training.watcher:
        write_config(directory.config_path, settings)
        records = training()
    # The last phase decides on the weights that are kept.
    last = [record for record in records if record["phase"] == records[-1]["phase"]]
    best = max(last, key=lambda record: record["bleu"])
    say(
        app,
        f"{run}: trained; best BLEU {best['bleu']:.1f} on dev in phase {best['phase']}, epoch {best['epoch']}; "
        f"peak memory {peak_memory_mb():.0f} MB",
    )


@app.command
def export(
    *,
    run: Path,
    output: Path,
    card: Path | None = None,
    scores: Path | None = None,
    terms: str = "",
    decoding: Annotated[DecodingConfig, FLAT] = DecodingConfig(),
) -> None:
    """Write the next version of a SavedModel, after a fresh process has proved it.

    Args:
      run: completed run directory.
      output: folder of all versions, such as saved_models/translate.
      card: model card (Markdown) to put beside the model.
      scores: file that `evaluate --format json` wrote, kept in interface.json.
      terms: licence of the training data, kept in interface.json.
    """
    decoding.check_search()
    directory = open_run(run)
    directory.check_trained()
    metadata: dict[str, Any] = {"data_terms": terms} if terms else {}
    if scores is not None:
        metadata["scores"] = read_json(scores)
    model_card = read_text(card) if card else None
    quiet_tensorflow()
    from ostinato_translate.exporting import export_run, samples_of_run

    version = export_run(
        directory,
        output,
        decoding=decoding,
        samples=samples_of_run(directory, NUM_SAMPLES),
        metadata=metadata,
        model_card=model_card,
    )
    say(app, f"{version}: proved and ready to serve; try: ostinato-translate predict --model {version} --to CODE TEXT")
