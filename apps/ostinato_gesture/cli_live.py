"""The verbs that use a camera: live, record."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ostinato.commands import ModelDefaults, quiet_tensorflow_for, say
from ostinato.commands.whole_numbers import refuse_fractions
from ostinato_gesture.command import DEFAULT_MODEL, FLAG, FLAT, app
from ostinato_gesture.config import EventConfig


@app.command(config=[refuse_fractions, ModelDefaults("--model", DEFAULT_MODEL)])
def live(
    *,
    source: str = "0",
    model: str = DEFAULT_MODEL,
    server: str | None = None,
    events: Annotated[EventConfig, FLAT] = EventConfig(),
    on: Annotated[tuple[str, ...], Parameter(name="--on")] = (),
    headless: Annotated[bool, FLAG] = False,
    every_frame: Annotated[bool, FLAG] = False,
    real_time: bool = True,
    max_frames: int = 0,
    patience: float = 30.0,
) -> int:
    """Name each gesture as it happens, once; hands are drawn in a window. `q` or Escape ends it.

    Events are written as JSON, one object a line, with the time at which they fired.

    Args:
      source: number of a camera, a video file, an rtsp:// or http:// address, or `-` for JPEG images on standard input
        (as `ffmpeg -f mjpeg -` writes).
      model: exported folder, with or without its version, or the name of a shipped model.
      server: address of a server that computes instead, such as http://localhost:8501 or grpc://localhost:8500; it
        serves the same version of MODEL. By TLS: https:// or grpcs://.
      on: GESTURE=COMMAND runs a program at each event of a gesture, in the background and without a shell; it may be
        given several times.
      headless: no window.
      every_frame: one JSON object for every frame, not only for events.
      real_time: play files at their own rate; --no-real-time as fast as the model goes, with no frame dropped.
      max_frames: end after so many frames; 0 goes on until the source ends.
      patience: seconds to wait for a camera or stream that is lost or cannot be reached.
    """
    if not headless:
        from ostinato.frames.window import check_display

        check_display()  # said before the model is loaded
    quiet_tensorflow_for(server)
    from ostinato_gesture.actions import Actions, parse_actions
    from ostinato_gesture.gesture_recognizer import GestureRecognizer
    from ostinato_gesture.live import run_live

    recognizer = GestureRecognizer.load(model, server=server)
    statistics = run_live(
        recognizer,
        source,
        events=events,
        headless=headless,
        every_frame=every_frame,
        real_time=real_time,
        max_frames=max_frames,
        patience=patience,
        act=Actions(parse_actions(on, recognizer.labels, recognizer.none), lambda sentence: say(app, sentence)),
        write=lambda line: print(line, flush=True),
        on_notice=lambda sentence: say(app, sentence),
    )
    say(app, "; ".join([f"{statistics.frames} frames", *statistics.lines()]))
    return 0


@app.command
def record(
    label: Annotated[str, Parameter(name="LABEL")],
    *,
    output: Path = Path("gestures"),
    source: str = "0",
    clips: int = 5,
    seconds: float = 3.0,
    count_down: float = 3.0,
    headless: Annotated[bool, FLAG] = False,
    real_time: bool = True,
    patience: float = 30.0,
) -> int:
    """Record clips of a gesture from a camera, with a count-down before each.

    Five clips of each gesture and some minutes of `none` (hands at rest, on their way, busy with other things) make a
    model: `ostinato-gesture prepare --data gestures --run RUN`, then `train` and `export`.

    Args:
      label: name of the gesture; `none` for what is no gesture.
      output: folder of all gestures; clips are added to its folder LABEL.
      source: number of a camera, a video file, an rtsp:// or http:// address, or `-` for JPEG images on standard input.
      clips: how many are recorded.
      seconds: length of each.
      count_down: seconds before each.
      headless: no window; the count-down is printed.
      real_time: play files at their own rate.
      patience: seconds to wait for a camera or stream that is lost or cannot be reached.
    """
    from ostinato_gesture.record import RecordConfig, record_clips

    config = RecordConfig(clips, seconds, count_down)
    if not headless:
        from ostinato.frames.window import check_display

        check_display()
    written = record_clips(
        source,
        output,
        label,
        config,
        headless=headless,
        real_time=real_time,
        patience=patience,
        on_notice=lambda sentence: say(app, sentence),
    )
    say(app, f"{len(written)} clips of {label} in {output / label}")
    return 0 if len(written) == clips else 1
