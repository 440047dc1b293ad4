"""The verbs that make a model: prepare, train, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from ostinato.commands import (
    ConfigFile,
    Faults,
    counter,
    progress_bar,
    quiet_tensorflow,
    read_json,
    read_text,
    say,
)
from ostinato_gesture.command import FLAT, Layout, app, open_run
from ostinato_gesture.config import EventConfig, PrepareConfig, TrainConfig


@app.command
def prepare(
    *,
    data: str,
    run: Path,
    layout: Layout | None = None,
    recordings: str | None = None,
    events: str | None = None,
    config: Annotated[PrepareConfig, FLAT] = PrepareConfig(),
) -> int:
    """Turn labelled clips into a run directory: landmarks of the hands in every frame, labels, splits.

    Args:
      data: folder (manifest.csv, segments.csv, or a folder of videos for each gesture), a CSV file, or an archive of
        sequences of any features (.npz).
      run: run directory to make.
      layout: how videos are laid out; found by itself if not given.
      recordings: of archives: another one, of long recordings with the gestures that --events names.
      events: table (CSV: recording, start_frame, end_frame, label) of the gestures in recordings.
    """
    from ostinato_gesture.data import read_data

    examples = read_data(data, layout, group_by=config.group_by, recordings=recordings, events=events)
    quiet_tensorflow()
    from ostinato.timing import peak_memory_mb
    from ostinato_gesture.prepare import prepare as prepare_run
    from ostinato_gesture.run import Run

    faults = Faults(app.name[0])
    with progress_bar("Finding hands", len(examples)) as show:
        prepared = prepare_run(
            Run(run),
            examples,
            config,
            on_error=faults.report,
            on_frame=lambda done, seconds: show(done, f"Finding hands ({seconds:.0f} s of this one)"),
        )
    sequences = ", ".join(f"{count} {split}" for split, count in prepared.sequences.items())
    say(
        app,
        f"{run}: sequences: {sequences}; {prepared.frames} frames, {prepared.seconds:.0f} s, hands in "
        f"{100 * prepared.hand_share:.1f} %; labels: {', '.join(Run(run).labels)}; skipped {prepared.skipped}, damaged "
        f"in part {prepared.damaged}; peak memory {peak_memory_mb():.0f} MB",
    )
    return faults.exit_code


@app.command(config=[ConfigFile("--config"), ConfigFile("--run", "train.toml")])
def train(
    *,
    run: Path,
    config: Annotated[
        Path | None, Parameter(help="TOML file with any of the settings below; flags override it.")
    ] = None,
    settings: Annotated[TrainConfig, FLAT] = TrainConfig(),
) -> None:
    """Train on a prepared run directory, or go on where training stopped; says what is confused.

    The settings of a run are kept in its train.toml: the same command without flags resumes it.

    Args:
      run: run directory that `prepare` made.
    """
    directory = open_run(run)
    directory.check_resumes(settings)
    quiet_tensorflow()
    from ostinato.config import write_config
    from ostinato.timing import peak_memory_mb
    from ostinato_gesture.train import Training
    from ostinato_gesture.watching import watch

    training = Training(directory, settings)
    with directory.log(), watch(training) as training.watcher:
        write_config(directory.config_path, settings)
        records = training()
    with progress_bar("Holding out clips, to see what is confused", settings.folds) as show:
        advice = training.check(counter(show))
    for line in advice.lines() if advice is not None else []:
        say(app, line)
    say(app, f"{run}: trained; {training.told(records)}; peak memory {peak_memory_mb():.0f} MB")


@app.command
def export(
    *,
    run: Path,
    output: Path,
    card: Path | None = None,
    scores: Path | None = None,
    terms: str = "",
    events: Annotated[EventConfig, FLAT] = EventConfig(),
) -> None:
    """Write the next version of a SavedModel, after a fresh process has proved it, and the step as a LiteRT file.

    The temperature that a cross-validation fitted (`train`, `evaluate --run`) goes into the model.

    Args:
      run: completed run directory.
      output: folder of all versions, such as saved_models/gesture.
      card: model card (Markdown) to put beside the model.
      scores: file that `evaluate --format json` wrote, kept in interface.json.
      terms: licence of the training data, kept in interface.json.
    """
    directory = open_run(run)
    directory.check_trained()
    metadata: dict[str, Any] = {"data_terms": terms} if terms else {}
    if scores is not None:
        metadata["scores"] = read_json(scores)
    model_card = read_text(card) if card else None
    quiet_tensorflow()
    from ostinato_gesture.exporting import export_run

    version = export_run(directory, output, events=events, metadata=metadata, model_card=model_card)
    use = "live" if directory.kind == "landmarks" and directory.none is not None else "predict RECORDING"
    say(app, f"{version}: proved and ready to serve; try: ostinato-gesture {use} --model {version}")
