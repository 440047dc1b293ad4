"""The verbs that use a model: predict, evaluate, bench."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ostinato.commands import (
    Faults,
    ModelDefaults,
    as_table,
    counter,
    progress_bar,
    quiet_tensorflow,
    quiet_tensorflow_for,
    say,
)
from ostinato.commands.whole_numbers import refuse_fractions
from ostinato.errors import InputError, UserError
from ostinato.files import write_atomically
from ostinato_caption.command import DEFAULT_MODEL, FLAT, Format, Layout, app, open_run
from ostinato_caption.config import DecodingConfig, SamplingConfig

if TYPE_CHECKING:
    from ostinato_caption.pictures import PictureFolder


@app.command(config=[refuse_fractions, ModelDefaults("--model", DEFAULT_MODEL)])
def predict(
    # not a list: of that, cyclopts takes what stands before the first flag only
    *inputs: Annotated[str, Parameter(name="PHOTO", required=True)],
    model: str = DEFAULT_MODEL,
    server: str | None = None,
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
      server: address of a server that computes instead, such as http://localhost:8501 or grpc://localhost:8500; it
        serves the same version of MODEL. By TLS: https:// or grpcs://.
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
    quiet_tensorflow_for(server)
    from ostinato_caption.captioner import Captioner
    from ostinato_caption.output import FORMATS

    captioner = Captioner.load(model, server=server)
    results = captioner.caption_each((photo.photo for photo in photos), decoding, sampling if sample else None)
    faults = Faults(app.name[0])
    pictures = _picture_folder(explain) if explain else None
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


def _picture_folder(folder: Path) -> PictureFolder:
    quiet_tensorflow(runs_exported=True)  # it decodes the photos as the model saw them
    from ostinato_caption.pictures import PictureFolder

    return PictureFolder(folder)


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
    quiet_tensorflow(runs_exported=run is None)
    from ostinato_caption.captioner import Captioner
    from ostinato_caption.evaluate import evaluate as evaluate_captions

    if run is None:
        captioner = Captioner.load(model)
    else:
        from ostinato_caption.exporting import captioner_of_run

        captioner = captioner_of_run(open_run(run))
    with progress_bar("Captioning", len(examples)) as show:
        result = evaluate_captions(captioner, examples, decoding, on_error=faults.report, on_photo=counter(show))
    if output is not None:
        worst_first = sorted(result.captions, key=lambda record: record["cider_d"])
        write_atomically(output, "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in worst_first))
    print(json.dumps(result.scores) if format == "json" else as_table(result.scores))
    return faults.exit_code


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
    quiet_tensorflow(runs_exported=run is None)
    from ostinato_caption.bench import bench_captioning, bench_training, sample_photos
    from ostinato_caption.captioner import Captioner

    captioner = Captioner.load(model)
    result = bench_captioning(captioner, sample_photos(photos, batch_size), beam_width=beam_width, repeats=repeats)
    figures = result.to_dict()
    if run is not None:
        figures |= bench_training(open_run(run), repeats=repeats)
    print(json.dumps(figures) if format == "json" else as_table(figures))
