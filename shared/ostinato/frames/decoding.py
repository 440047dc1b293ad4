"""The frames of an opened video, past damage, with where the damage lies."""

from collections.abc import Iterator
from dataclasses import dataclass

import av
from av.container import InputContainer
from av.video.stream import VideoStream

_SPANS_NAMED = 3  # a file with a thousand places of damage is not described by a thousand places
_GUESSED_RATE = 25.0  # frames/s, where a file does not say


@dataclass(frozen=True)
class DecodedFrame:
    """A frame as decoded.

    Attributes:
      number: of the frame, from 0.
      time: seconds from the start of the video.
      end: when the next frame takes its place, seconds.
      picture: pixels as the codec has them.
    """

    number: int
    time: float
    end: float
    picture: av.VideoFrame


class Decoder:
    """Decodes a video stream, in order, from where its container stands.

    After a packet that cannot be decoded it goes on at the next key frame: frames in between would be smeared, and
    those after it are whole.

    Attributes:
      frame_rate: mean frames/s that the file claims.
    """

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self._container = container
        self._stream = stream
        self._time_base = float(stream.time_base or 0)
        self.frame_rate = float(stream.average_rate or stream.guessed_rate or _GUESSED_RATE)
        self._promised_end = _promised_end(container, stream)
        self._start: float | None = None  # of the first frame, on the file's own clock
        self._end = 0.0  # of the last frame decoded
        self._number: int | None = 0  # of the next frame; None after a leap, when it follows from the time
        self._lost_from: float | None = None
        self._broken_stamp: int | None = None  # of a packet that is known to be incomplete
        self._spans: list[tuple[float, float | None]] = []

    @property
    def duration(self) -> float | None:
        """Returns the seconds that the file claims to last; None where it says nothing."""
        return None if self._promised_end is None else self._promised_end - (self._start or 0.0)

    def seek(self, seconds: float) -> None:
        """Moves to the last key frame at or before a time; frames are numbered by the mean rate from then on.

        Raises:
          av.FFmpegError: the file, such as a pipe, cannot be sought in.
        """
        offset = int((seconds + (self._start or 0.0)) / self._time_base) if self._time_base else 0
        self._container.seek(offset, stream=self._stream, backward=True)
        self._end, self._number, self._lost_from = seconds, None, None

    def frames(self) -> Iterator[DecodedFrame]:
        """Yields every frame that can be decoded, in the order in which they are shown."""
        for picture in self._pictures():
            if picture.is_corrupt or (picture.pts is not None and picture.pts == self._broken_stamp):
                self._lose()
            elif self._lost_from is None or picture.key_frame:
                yield self._frame(picture)
        self._finish()

    @property
    def damaged_spans(self) -> list[tuple[float, float | None]]:
        """Returns where frames were lost, so far: (start, end) in seconds, an end of None for that of the file."""
        return list(self._spans)

    def _pictures(self) -> Iterator[av.VideoFrame]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError:  # the container breaks off: what the codec still holds is whole
                yield from self._decoded(None)
                self._lose()
                return
            if packet is None:
                return
            if packet.is_corrupt and packet.pts is not None:
                self._broken_stamp = packet.pts  # its picture comes later: threads of the codec hold those before it
            yield from self._decoded(packet)

    def _decoded(self, packet: av.Packet | None) -> list[av.VideoFrame]:
        try:
            return self._stream.decode(packet)
        except av.FFmpegError:
            self._lose()
            return []

    def _frame(self, picture: av.VideoFrame) -> DecodedFrame:
        stamp = None if picture.pts is None else float(picture.pts) * self._time_base
        if self._start is None:
            self._start = stamp or 0.0
        time = self._end if stamp is None else stamp - self._start
        if self._lost_from is not None:
            self._note(self._lost_from, time)
        duration = (picture.duration or 0) * self._time_base or 1 / self.frame_rate
        self._end = time + duration
        number = round(time * self.frame_rate) if self._number is None else self._number
        self._number = None if self._number is None else number + 1
        return DecodedFrame(number, time, self._end, picture)

    def _lose(self) -> None:
        if self._lost_from is None:
            self._lost_from = self._end

    def _note(self, start: float, end: float | None) -> None:
        """Frames were lost: places with no more than two frames between them, and those after the third, are one."""
        self._lost_from = None
        if self._spans:
            last_start, last_end = self._spans[-1]
            near = last_end is not None and start - last_end <= 2 / self.frame_rate
            if near or len(self._spans) == _SPANS_NAMED:
                self._spans[-1] = last_start, end
                return
        self._spans.append((start, end))

    def _finish(self) -> None:
        """Notes what is missing at the end: what could not be decoded, or what the header promised and is not there."""
        # Headers round: two frames, or a tenth of a second, are no damage.
        allowance = max(0.1, 2 / self.frame_rate)
        if self._lost_from is None and self.duration is not None and self._end < self.duration - allowance:
            self._lose()
        if self._lost_from is not None:
            self._note(self._lost_from, None)


def _promised_end(container: InputContainer, stream: VideoStream) -> float | None:
    """When the pictures end, in seconds of the file's own clock; of the whole file only where nothing else is in it."""
    if stream.duration and stream.time_base:
        return float(((stream.start_time or 0) + stream.duration) * stream.time_base)
    hours, _, rest = stream.metadata.get("DURATION", "").partition(":")  # Matroska: 00:00:03.040000000
    minutes, _, seconds = rest.partition(":")
    if seconds:
        try:
            return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
        except ValueError:
            return None
    if container.duration and len(container.streams) == 1:
        return container.duration / av.time_base
    return None
