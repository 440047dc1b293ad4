"""`ostinato-caption`: the verbs. Each parses, calls one function of the application, and writes the result.

TensorFlow is imported within the verbs, so that `--help` is instant.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from ostinato.commands import (
    ConfigFile,
    Faults,
    ModelDefaults,
    as_table,
    counter,
    make_application,
    progress_bar,
    quiet_tensorflow,
    read_json,
    read_text,
    run_application,
    say,
)
from ostinato.commands.whole_numbers import refuse_fractions
from ostinato.errors import InputError, UserError
from ostinato.files import write_atomically
from ostinato_caption.config import DecodingConfig, PrepareConfig, SamplingConfig, TrainConfig

app = make_application("ostinato-caption", "Describes photos in sentences, with where the network looked.")

Format = Literal["text", "json"]
Layout = Literal["flickr8k", "coco", "csv", "tfds"]
FLAT = Parameter(name="*")  # the fields of a dataclass become flags of their own
DEFAULT_MODEL = "caption"


@app.command(config=[refuse_fractions, ModelDefaults("--model", DEFAULT_MODEL)])
def predict(
    # not a list: of that, cyclopts takes what stands before the first flag only
    *inputs: Annotated[str, Parameter(name="PHOTO", required=True)],
    model: str = DEFAULT_MODEL,
    decoding: Annotated[DecodingConfig, FLAT] = DecodingConfig(),
    sample: Annotated[bool, Parameter(negative=())] = False,
    sampling: Annotated[SamplingConfig, FLAT] = SamplingConfig(),
    format: Format = "text",
    explain: Path | None = None,
) -> int:
    """Write captions of photos.

    Args:
      inputs: photos, folders of photos, or `-` for standard input (a photo, or paths or JSON objects with `image`).
      model: exported folder, with or without its version, or the name of a shipped model.
      sample: draw captions at random instead of searching for the most probable.
      format: text for people, or one JSON object a line.
      explain: folder for a picture of each photo that shows where each word looked.
    """
    from ostinato_caption.inputs import expand_inputs

    if not sample:
        decoding.check_search()
        if sampling != SamplingConfig():
            raise UserError("--temperature, --top-k, --top-p and --seed are about drawing at random: add --sample")
    photos = expand_inputs(inputs, sys.stdin.buffer)
    if not photos:
        raise UserError("standard input is empty; give photos, paths or JSON lines, or name files and folders")
    quiet_tensorflow(optimise_graphs=False)
    from ostinato_caption.captioner import Captioner
    from ostinato_caption.output import FORMATS
    from ostinato_caption.pictures import PictureFolder

    captioner = Captioner.load(model)
    results = captioner.caption_each((photo.photo for photo in photos), decoding, sampling if sample else None)
    faults = Faults(app.name[0])
    pictures = PictureFolder(explain) if explain else None
    with progress_bar("Captioning", len(photos)) as show:
        for number, (photo, (_, result)) in enumerate(zip(photos, results, strict=True), start=1):
            if isinstance(result, InputError):
                faults.report(result, photo.name)
            else:
                print(FORMATS[format](photo, result), flush=True)
                if pictures and not isinstance(photo.photo, InputError):
                    pictures.save(photo.name, photo.photo, result[0])
            show(number)
    if pictures:
        say(app, f"{pictures.saved} pictures of where each word looked: {explain}")
    return faults.exit_code


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


@app.command(config=[refuse_fractions, ModelDefaults("--model", DEFAULT_MODEL, unless="--run")])
def evaluate(
    *,
    data: str,
    split: str = "dev",
    model: str = DEFAULT_MODEL,
    run: Path | None = None,
    layout: Layout | None = None,
    decoding: Annotated[DecodingConfig, FLAT] = DecodingConfig(),
    output: Path | None = None,
    format: Format = "text",
) -> int:
    """Score what a model writes about photos that people have captioned.

    Args:
      data: as for `prepare`.
      split: train, dev, test, all, or a text file that lists photo names, one a line.
      model: exported folder, with or without its version, or the name of a shipped model.
      run: completed run directory, to score what has not been exported yet.
      layout: how the data are laid out; found by itself if not given.
      output: file for each photo's caption, its CIDEr-D and the references, worst first, as JSON lines.
      format: text for people, or one JSON object on one line.
    """
    from ostinato_caption.data import check_photos, read_examples, select_split

    decoding.check_search()
    faults = Faults(app.name[0])
    examples = select_split(read_examples(data, layout), split, faults.report)
    check_photos(examples)
    quiet_tensorflow(optimise_graphs=run is not None)
    from ostinato_caption.captioner import Captioner
    from ostinato_caption.evaluate import evaluate as evaluate_captions

    if run is None:
        captioner = Captioner.load(model)
    else:
        from ostinato_caption.exporting import captioner_of_run

        captioner = captioner_of_run(_run(run))
    with progress_bar("Captioning", len(examples)) as show:
        result = evaluate_captions(captioner, examples, decoding, on_error=faults.report, on_photo=counter(show))
    if output is not None:
        worst_first = sorted(result.captions, key=lambda record: record["cider_d"])
        write_atomically(output, "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in worst_first))
    print(json.dumps(result.scores) if format == "json" else as_table(result.scores))
    return faults.exit_code


@app.command
def export(
    *,
    run: Path,
    output: Path,
    photos: Path | None = None,
    card: Path | None = None,
    scores: Path | None = None,
    terms: str = "",
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
    """
    decoding.check_search()
    directory = _run(run)
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
    )
    say(app, f"{version}: proved and ready to serve; try: ostinato-caption predict --model {version} PHOTO")


@app.command
def bench(
    *,
    photos: Path,
    model: str = DEFAULT_MODEL,
    run: Path | None = None,
    beam_width: int = 5,
    batch_size: int = 16,
    repeats: int = 20,
    format: Format = "text",
) -> None:
    """Time captioning against its image network alone, and training where a run directory is given.

    Args:
      photos: folder of photos; they are repeated to fill a batch.
      model: exported folder, with or without its version, or the name of a shipped model.
      run: prepared run directory, to time training of the decoder from its cached features.
      beam_width: of the search.
      batch_size: photos captioned together.
      repeats: how often each is timed; medians are printed.
      format: text for people, or one JSON object on one line.
    """
    if min(beam_width, batch_size, repeats) < 1:
        raise UserError("--beam-width, --batch-size and --repeats must be 1 or more")
    quiet_tensorflow(optimise_graphs=run is not None)
    from ostinato_caption.bench import bench_captioning, bench_training, sample_photos
    from ostinato_caption.captioner import Captioner

    captioner = Captioner.load(model)
    result = bench_captioning(captioner, sample_photos(photos, batch_size), beam_width=beam_width, repeats=repeats)
    figures = result.to_dict()
    if run is not None:
        figures |= bench_training(_run(run), repeats=repeats)
    print(json.dumps(figures) if format == "json" else as_table(figures))


def main() -> None:
    """The console script."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # names of files may hold bytes that are no text
    sys.exit(run_application(app))


def _run(folder: Path) -> Any:
    """Opens a run directory, or raises DataError before TensorFlow is imported."""
    from ostinato_caption.run import Run

    run = Run(folder)
    _ = run.prepared
    return run
