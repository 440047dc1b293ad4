"""The verbs that make a model: prepare, train, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from ostinato.commands import ConfigFile, Faults, progress_bar, quiet_tensorflow, read_json, read_text, say
from ostinato_video.command import FLAT, Layout, app, open_run
from ostinato_video.config import PrepareConfig, TimelineConfig, TrainConfig


@app.command
def prepare(
    *,
    data: str,
    run: Path,
    layout: Layout | None = None,
    config: Annotated[PrepareConfig, FLAT] = PrepareConfig(),
) -> int:
    """Turn labelled videos into a run directory: features of every frame, labels, splits.

    Args:
      data: folder (segments.csv, manifest.csv, or a folder of videos for each class), a CSV file, or `tfds:ucf101`.
      run: run directory to make.
      layout: how the data are laid out; found by itself if not given.
    """
    from ostinato_video.data import read_examples

    examples = read_examples(data, layout, group_by=config.group_by)
    quiet_tensorflow()
    from ostinato.timing import peak_memory_mb
    from ostinato_video.prepare import prepare as prepare_run
    from ostinato_video.run import Run

    faults = Faults(app.name[0])
    with progress_bar("Reading videos", len(examples)) as show:
        prepared = prepare_run(
            Run(run),
            examples,
            config,
            on_error=faults.report,
            on_frame=lambda done, seconds: show(done, f"Reading videos ({seconds:.0f} s of this one)"),
        )
    videos = ", ".join(f"{count} {split}" for split, count in prepared.videos.items())
    say(
        app,
        f"{run}: videos: {videos}; {prepared.frames} frames, {prepared.seconds:.0f} s; labels: "
        f"{', '.join(Run(run).labels)}; skipped {prepared.skipped_videos}, damaged in part {prepared.damaged_videos}; "
        f"peak memory {peak_memory_mb():.0f} MB",
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
    """Train on a prepared run directory, or go on where training stopped.

    The settings of a run are kept in its train.toml: the same command without flags resumes it. With
    --fine-tune-blocks N a second phase follows, in which the last N blocks of the image network learn from the videos.

    Args:
      run: run directory that `prepare` made.
    """
    directory = open_run(run)
    directory.check_resumes(settings)
    quiet_tensorflow()
    from ostinato.config import write_config
    from ostinato.timing import peak_memory_mb
    from ostinato_video.train import Training
    from ostinato_video.watching import watch

    training = Training(directory, settings)
    training.check_phases()
    with directory.log(), watch(training) as training.watcher:
        write_config(directory.config_path, settings)
        records = training()
    say(app, f"{run}: trained; {training.told(records)}; peak memory {peak_memory_mb():.0f} MB")


@app.command
def export(
    *,
    run: Path,
    output: Path,
    card: Path | None = None,
    scores: Path | None = None,
    terms: str = "",
    timeline: Annotated[TimelineConfig, FLAT] = TimelineConfig(),
) -> None:
    """Write the next version of a SavedModel, after a fresh process has proved it.

    The temperature that a cross-validation fitted (`evaluate --run`) goes into the model.

    Args:
      run: completed run directory.
      output: folder of all versions, such as saved_models/video_activities.
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
    from ostinato.sequences.cross_validation import CROSS_VALIDATION, read_temperature
    from ostinato_video.exporting import export_run, sample_clips

    version = export_run(
        directory,
        output,
        timeline=timeline,
        temperature=read_temperature(directory.folder / CROSS_VALIDATION) or 1.0,
        samples=sample_clips(directory),
        metadata=metadata,
        model_card=model_card,
    )
    say(app, f"{version}: proved and ready to serve; try: ostinato-video predict --model {version} VIDEO")
