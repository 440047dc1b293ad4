"""The verbs that use a model: predict, evaluate, bench."""

from __future__ import annotations

import json
from collections.abc import Sequence
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
from ostinato_video.command import DEFAULT_MODEL, FLAG, FLAT, Format, Layout, TimelineFormat, app, open_run
from ostinato_video.config import TimelineConfig


@app.command(config=[refuse_fractions, ModelDefaults("--model", DEFAULT_MODEL)])
def predict(
    # not a list: of that, cyclopts takes what stands before the first flag only
    *inputs: Annotated[str, Parameter(name="VIDEO", required=True)],
    model: str = DEFAULT_MODEL,
    server: str | None = None,
    timeline: Annotated[TimelineConfig, FLAT] = TimelineConfig(),
    format: TimelineFormat = "text",
    overlay: Path | None = None,
    plot: Path | None = None,
) -> int:
    """Label videos: what happens when, and a label for the whole.

    Args:
      inputs: videos, or folders of videos.
      model: exported folder, with or without its version, or the name of a shipped model (video_activities,
        video_fights).
      server: address of a server that computes instead, such as grpc://localhost:8500; it serves the same version of
        MODEL. http:// works too, and takes far longer: pixels then travel as text. By TLS: grpcs:// or https://.
      format: text for people, one JSON object a video, CSV, or subtitles (SRT, WebVTT).
      overlay: video to write with labels and confidence burnt in; a folder where there are several videos.
      plot: PNG of the timeline with frame scores and key frames; a folder where there are several videos.
    """
    faults = Faults(app.name[0])
    videos = _found(inputs, faults)
    if not videos:
        return faults.exit_code
    quiet_tensorflow_for(server)
    from ostinato_video.output import FORMATS, output_paths
    from ostinato_video.overlaying import write_overlay
    from ostinato_video.plotting import write_plot
    from ostinato_video.video_classifier import VideoClassifier

    overlays = output_paths(overlay, videos, ".mp4", "--overlay")
    plots = output_paths(plot, videos, ".png", "--plot")
    write = FORMATS[format](len(videos))
    classifier = VideoClassifier.load(model, server=server)
    with progress_bar("Watching (seconds of video)") as show:
        results = classifier.classify_each(videos, timeline, on_seconds=show)
        for number, (video, (_, result)) in enumerate(zip(videos, results, strict=True)):
            if isinstance(result, InputError):
                faults.report(result, str(video))
                continue
            if result.damage:
                faults.report(InputError(result.damage), str(video))
            print(write(str(video), result), end="", flush=True)
            try:
                if overlays:
                    write_overlay(overlays[number], video, result, on_seconds=show)
                if plots:
                    write_plot(plots[number], video, result)
            except InputError as error:  # a video that has gone meanwhile
                faults.report(error, str(video))
    return faults.exit_code


@app.command(config=[refuse_fractions, ModelDefaults("--model", DEFAULT_MODEL, unless="--run")])
def evaluate(
    *,
    data: str | None = None,
    split: str = "dev",
    model: str = DEFAULT_MODEL,
    run: Path | None = None,
    layout: Layout | None = None,
    group_by: str = "group",
    folds: int = 0,
    leave_one_out: Annotated[bool, FLAG] = False,
    hold_out: str = "",
    timeline: Annotated[TimelineConfig, FLAT] = TimelineConfig(),
    output: Path | None = None,
    confusion: Path | None = None,
    format: Format = "text",
) -> int:
    """Score a model on videos whose labels are known, or cross-validate the settings of a run.

    Args:
      data: as for `prepare`.
      split: train, dev, test or all.
      model: exported folder, with or without its version, or the name of a shipped model.
      run: run directory: scores its network on --data; without --data, cross-validates its settings on its own
        sequences and keeps the result, with the temperature, for `export`.
      layout: how the data are laid out; found by itself if not given.
      group_by: column of the data that names the group, such as room; several by commas. Of a run, `group` is what it
        was prepared with.
      folds: number of folds of the cross-validation; no group is ever divided.
      leave_one_out: cross-validate by leaving out one group at a time.
      hold_out: groups to hold out, with commas between: trains on the others.
      output: file for what was found in each video, as JSON lines.
      confusion: PNG of the confusion matrix.
      format: text for people, or one JSON object on one line.
    """
    if data is None and run is None:
        raise UserError("give --data with labelled videos to score a model on, or --run to cross-validate its settings")
    if data is None and (folds > 0) + leave_one_out + bool(hold_out) != 1:
        raise UserError("give one of --folds N, --leave-one-out and --hold-out GROUPS to cross-validate a run")
    if data is not None and (folds or leave_one_out or hold_out):
        raise UserError("--folds, --leave-one-out and --hold-out cross-validate a run; leave out --data")
    faults = Faults(app.name[0])
    if data is None:
        assert run is not None
        directory = open_run(run)
        quiet_tensorflow()
        from ostinato_video.evaluate import cross_validate_run

        with progress_bar("Training and scoring folds") as show:
            result = cross_validate_run(
                directory, timeline, num_folds=folds, hold_out=hold_out, group_by=group_by, on_fold=counter(show)
            )
    else:
        from ostinato_video.data import read_examples, select_split

        examples = select_split(read_examples(data, layout, group_by=group_by), split)
        quiet_tensorflow(runs_exported=run is None)
        from ostinato_video.evaluate import evaluate as evaluate_videos

        classifier = _classifier(model, run)
        with progress_bar("Watching videos", len(examples)) as show:
            result = evaluate_videos(classifier, examples, timeline, on_error=faults.report, on_video=counter(show))
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
    video: Path,
    model: str = DEFAULT_MODEL,
    frames: int = 500,
    format: Format = "text",
) -> None:
    """Time the stream from a file: encoder alone, a step of the model, end to end, memory.

    Args:
      video: a video; it is read again and again.
      model: exported folder, with or without its version, or the name of a shipped model.
      frames: how many frames are read end to end.
      format: text for people, or one JSON object on one line.
    """
    if frames < 50:
        raise UserError(f"--frames {frames} is too few to measure anything; give 50 or more")
    from ostinato_video.reading import check_video

    check_video(video)
    quiet_tensorflow(runs_exported=True)
    from ostinato_video.bench import bench_stream
    from ostinato_video.video_classifier import VideoClassifier

    with progress_bar("Timing", frames) as show:
        figures: dict[str, Any] = bench_stream(VideoClassifier.load(model), video, frames, on_frame=counter(show))
    print(json.dumps(figures) if format == "json" else as_table(figures))


def _found(inputs: Sequence[str], faults: Faults) -> list[Path]:
    """Returns the videos that arguments name, and reports what is not there: the others go on."""
    from ostinato.frames.finding import find_videos

    videos = []
    for each in inputs:
        try:
            videos += find_videos([each])
        except InputError as error:
            faults.report(error, each)
    return videos


def _classifier(model: str, run: Path | None) -> Any:
    if run is None:
        from ostinato_video.video_classifier import VideoClassifier

        return VideoClassifier.load(model)
    from ostinato_video.exporting import classifier_of_run

    return classifier_of_run(open_run(run))
