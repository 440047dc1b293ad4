"""The verb that labels a camera or a stream while it runs: live."""

from __future__ import annotations

from typing import Annotated

from ostinato.commands import quiet_tensorflow_for, say
from ostinato.errors import UserError
from ostinato_video.command import DEFAULT_MODEL, FLAG, app


@app.command
def live(
    *,
    source: str = "0",
    model: str = DEFAULT_MODEL,
    server: str | None = None,
    headless: Annotated[bool, FLAG] = False,
    real_time: bool = True,
    max_frames: int = 0,
    patience: float = 30.0,
) -> int:
    """Label a camera or stream live; the newest frame wins. `q` or Escape ends the window.

    Args:
      source: number of a camera, a video file, an rtsp:// or http:// address, or `-` for JPEG images on standard input
        (as `ffmpeg -f mjpeg -` writes).
      model: exported folder, with or without its version, or the name of a shipped model.
      server: address of a server that computes instead, such as grpc://localhost:8500; it serves the same version of
        MODEL. http:// works too, and takes far longer: pixels then travel as text. By TLS: grpcs:// or https://.
      headless: no window: one JSON object a frame on standard output.
      real_time: play files at their own rate; --no-real-time as fast as the model goes, with no frame dropped.
      max_frames: end after so many frames; 0 goes on until the source ends.
      patience: seconds to wait for a camera or stream that was lost.
    """
    if not patience >= 0:  # nor NaN
        raise UserError(f"--patience {patience:g} is not 0 or more; give seconds to wait")
    if max_frames < 0:
        raise UserError(f"--max-frames {max_frames} is negative; give 0 for no end")
    if not headless:
        from ostinato.frames.window import check_display

        check_display()  # said before the model is loaded
    from ostinato.frames.sources import is_file
    from ostinato_video.reading import check_video

    if is_file(source):
        check_video(source)
    quiet_tensorflow_for(server)
    from ostinato_video.live import run_live
    from ostinato_video.video_classifier import VideoClassifier

    statistics = run_live(
        VideoClassifier.load(model, server=server),
        source,
        headless=headless,
        real_time=real_time,
        max_frames=max_frames,
        patience=patience,
        write=lambda line: print(line, flush=True),
        on_notice=lambda sentence: say(app, sentence),
    )
    say(app, "; ".join(statistics.lines()))
    return 0
