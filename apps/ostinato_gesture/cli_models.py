"""The verbs that use a model: predict, evaluate, bench."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

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
from ostinato_gesture.command import DEFAULT_MODEL, FLAG, FLAT, EventFormat, Format, Layout, app, open_run
from ostinato_gesture.config import EventConfig


@app.command(config=[refuse_fractions, ModelDefaults("--model", DEFAULT_MODEL)])
def predict(
    # not a list: of that, cyclopts takes what stands before the first flag only
    *inputs: Annotated[str, Parameter(name="CLIP", required=True)],
    model: str = DEFAULT_MODEL,
    server: str | None = None,
    events: Annotated[EventConfig, FLAT] = EventConfig(),
    format: EventFormat = "text",
) -> int:
    """Recognise gestures in recordings: which, when, and a label for the whole.

    Args:
      inputs: videos, folders of videos, or archives of sequences (.npz) for a model of other features.
      model: exported folder, with or without its version, or the name of a shipped model.
      server: address of a server that computes instead, such as http://localhost:8501 or grpc://localhost:8500; it
        serves the same version of MODEL. By TLS: https:// or grpcs://.
      format: text for people, one JSON object a recording, CSV, or subtitles (SRT, WebVTT).
    """
    quiet_tensorflow_for(server)
    from ostinato_gesture.gesture_recognizer import GestureRecognizer
    from ostinato_gesture.inputs import find_recordings
    from ostinato_gesture.output import FORMATS

    recordings = find_recordings(inputs)
    write = FORMATS[format](len(recordings))
    recognizer = GestureRecognizer.load(model, server=server)
    faults = Faults(app.name[0])
    with progress_bar("Watching (seconds of video)") as show:
        results = recognizer.recognize_each((recording for _, recording in recordings), events, on_seconds=show)
        for (name, _), (_, result) in zip(recordings, results, strict=True):
            if isinstance(result, InputError):
                faults.report(result, name)
                continue
            if result.damage:
                faults.report(InputError(result.damage), name)
            if not result.hand_share:
                say(app, f"{name}: no hand was found in any frame")
            print(write(name, result), end="", flush=True)
    return faults.exit_code


@app.command(config=[refuse_fractions, ModelDefaults("--model", DEFAULT_MODEL, unless="--run")])
def evaluate(
    *,
    data: str | None = None,
    recordings: str | None = None,
    event_table: Annotated[str | None, Parameter(name="--events")] = None,
    split: str = "dev",
    model: str = DEFAULT_MODEL,
    run: Path | None = None,
    layout: Layout | None = None,
    group_by: str = "group",
    folds: int = 0,
    leave_one_out: Annotated[bool, FLAG] = False,
    hold_out: str = "",
    compare: bool = True,
    events: Annotated[EventConfig, FLAT] = EventConfig(),
    output: Path | None = None,
    confusion: Path | None = None,
    format: Format = "text",
) -> int:
    """Score a model on recordings whose gestures are known, or cross-validate the settings of a run.

    Args:
      data: as for `prepare`.
      recordings: as for `prepare`.
      event_table: as for `prepare`.
      split: train, dev, test or all.
      model: exported folder, with or without its version, or the name of a shipped model.
      run: run directory: scores its network on --data; without --data, cross-validates its settings on its own
        sequences and keeps the result, with the temperature, for `export`.
      layout: how videos are laid out; found by itself if not given.
      group_by: column of the data that names the group, such as a signer.
      folds: number of folds of the cross-validation; no group is ever divided.
      leave_one_out: cross-validate by leaving out one group at a time.
      hold_out: groups to hold out, with commas between: trains on the others.
      compare: train the network without recurrence too, to see what recurrence gives: it takes almost as long again.
      output: file for what was found in each recording, as JSON lines.
      confusion: PNG of the confusion matrix.
      format: text for people, or one JSON object on one line.
    """
    if data is None and run is None:
        raise UserError("give --data with labelled clips to score a model on, or --run to cross-validate its settings")
    if data is None and (folds > 0) + leave_one_out + bool(hold_out) != 1:
        raise UserError("give one of --folds N, --leave-one-out and --hold-out GROUPS to cross-validate a run")
    if data is not None and (folds or leave_one_out or hold_out):
        raise UserError("--folds, --leave-one-out and --hold-out cross-validate a run; leave out --data")
    faults = Faults(app.name[0])
    if data is None:
        assert run is not None
        directory = open_run(run)
        quiet_tensorflow()
        from ostinato_gesture.evaluate import cross_validate_run

        with progress_bar("Training and scoring folds") as show:
            result = cross_validate_run(
                directory, events, num_folds=folds, hold_out=hold_out, compare=compare, on_fold=counter(show)
            )
    else:
        from ostinato_gesture.data import read_data, select_split

        examples = select_split(
            read_data(data, layout, group_by=group_by, recordings=recordings, events=event_table), split
        )
        quiet_tensorflow(runs_exported=run is None)
        from ostinato_gesture.evaluate import evaluate as evaluate_recordings

        recognizer = _recognizer(model, run)
        with progress_bar("Watching recordings", len(examples)) as show:
            result = evaluate_recordings(
                recognizer, examples, events, on_error=faults.report, on_recording=counter(show)
            )
    if output is not None:
        write_atomically(output, "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in result.records))
    if confusion is not None:
        result.save_confusion(confusion)
        say(app, f"confusion matrix: {confusion}")
    print(json.dumps(result.scores) if format == "json" else result.as_text())
    return faults.exit_code


@app.command
def bench(
    *,
    video: Path | None = None,
    model: str = DEFAULT_MODEL,
    frames: int = 500,
    format: Format = "text",
) -> None:
    """Time the stream: finding hands, the network, end to end from a file, memory.

    Args:
      video: a video with hands in it, read again and again; without one the network alone is timed.
      model: exported folder, with or without its version, or the name of a shipped model.
      frames: how many frames are read end to end, or by the network alone: 108000 are an hour at 30 frames/s.
      format: text for people, or one JSON object on one line.
    """
    if frames < 50:
        raise UserError(f"--frames {frames} is too few to measure anything; give 50 or more")
    quiet_tensorflow(runs_exported=True)
    from ostinato_gesture.bench import bench_network, bench_stream
    from ostinato_gesture.gesture_recognizer import GestureRecognizer

    recognizer = GestureRecognizer.load(model)
    figures: dict[str, Any]
    if video is None or not recognizer.facts.reads_images:
        figures = bench_network(recognizer, frames)
    else:
        with progress_bar("Timing", frames) as show:
            figures = bench_stream(recognizer, video, frames, on_frame=counter(show))
    print(json.dumps(figures) if format == "json" else as_table(figures))


def _recognizer(model: str, run: Path | None) -> Any:
    if run is None:
        from ostinato_gesture.gesture_recognizer import GestureRecognizer

        return GestureRecognizer.load(model)
    from ostinato_gesture.exporting import recognizer_of_run

    return recognizer_of_run(open_run(run))
