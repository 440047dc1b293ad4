"""The verbs that make a model: prepare, train, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from ostinato.commands import ConfigFile, Faults, counter, progress_bar, quiet_tensorflow, read_json, read_text, say
from ostinato_caption.command import FLAT, Layout, app, open_run
from ostinato_caption.config import DecodingConfig, PrepareConfig, TrainConfig


@app.command
def prepare(
    *,
    data: str,
    run: Path,
    layout: Layout | None = None,
    config: Annotated[PrepareConfig, FLAT] = PrepareConfig(),
) -> int:
    """Turn captioned photos into a run directory: vocabulary, examples, cached image features.

    Args:
      data: folder in the layout of Flickr8k or COCO, CSV file or folder with captions.csv, or `tfds:coco_captions`.
      run: run directory to make.
      layout: how the data are laid out; found by itself if not given.
    """
    quiet_tensorflow()
    from ostinato.timing import peak_memory_mb
    from ostinato_caption.data import read_examples
    from ostinato_caption.prepare import prepare as prepare_run
    from ostinato_caption.run import Run

    examples = read_examples(data, layout)
    faults = Faults(app.name[0])
    with progress_bar("Computing features", len(examples)) as show:
        prepared = prepare_run(Run(run), examples, config, on_error=faults.report, on_photo=counter(show))
    photos = ", ".join(f"{count} {split}" for split, count in prepared.photos.items())
    say(
        app,
        f"{run}: photos: {photos}; {prepared.captions} captions, {prepared.pieces} pieces; skipped "
        f"{prepared.skipped_photos} photos and {prepared.skipped_captions} captions; "
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

    The settings of a run are kept in its train.toml: the same command without flags resumes it.

    Args:
      run: run directory that `prepare` made.
    """
    quiet_tensorflow()
    from ostinato.config import write_config
    from ostinato.timing import peak_memory_mb
    from ostinato_caption.run import Run
    from ostinato_caption.train import Training
    from ostinato_caption.watching import watch

    directory = Run(run)
    _ = directory.prepared  # an unprepared directory is refused before anything is written
    directory.check_resumes(settings)
    with directory.log(), watch(directory, settings) as watcher:
        training = Training(directory, settings, watcher)
        training.check_phases()
        write_config(directory.config_path, settings)
        records = training()
    # The last phase decides on the weights that are kept.
    last = [record for record in records if record["phase"] == records[-1]["phase"]]
    best = max(last, key=lambda record: record["cider_d"])
    say(
        app,
        f"{run}: trained; best CIDEr-D {best['cider_d']:.1f}, BLEU-4 {best['bleu_4']:.1f} on dev in phase "
        f"{best['phase']}, epoch {best['epoch']}; peak memory {peak_memory_mb():.0f} MB",
    )


@app.command
def export(
    *,
    run: Path,
    output: Path,
    photos: Path | None = None,
    card: Path | None = None,
    scores: Path | None = None,
    terms: str = "",
    min_uses: int = 0,
    decoding: Annotated[DecodingConfig, FLAT] = DecodingConfig(),
) -> None:
    """Write the next version of a SavedModel, after a fresh process has proved it.

    Args:
      run: completed run directory.
      output: folder of all versions, such as saved_models/caption.
      photos: folder with two photos or more for the proof and for warm-up; photos of the run if not given.
      card: model card (Markdown) to put beside the model.
      scores: file that `evaluate --format json` wrote, kept in interface.json.
      terms: licence of the training data, kept in interface.json.
      min_uses: leave out pieces that the training captions use less often: the model answers sooner.
    """
    decoding.check_search()
    directory = open_run(run)
    metadata: dict[str, Any] = {"data_terms": terms} if terms else {}
    if scores is not None:
        metadata["scores"] = read_json(scores)
    model_card = read_text(card) if card else None
    quiet_tensorflow()
    from ostinato_caption.bench import sample_photos
    from ostinato_caption.exporting import export_run, photos_of_run

    version = export_run(
        directory,
        output,
        decoding=decoding,
        sample_photos=sample_photos(photos, 3) if photos else photos_of_run(directory, 3),
        metadata=metadata,
        model_card=model_card,
        min_uses=min_uses,
    )
    say(app, f"{version}: proved and ready to serve; try: ostinato-caption predict --model {version} PHOTO")
