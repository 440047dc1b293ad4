import threading

import numpy as np
import pytest

from ostinato.errors import InputError
from ostinato.frames.reading import Frame
from ostinato_video.reading import FRAMES_AT_ONCE, LARGEST_SIDE, chunks_of, open_video


def frames_of(sizes):
    return [Frame(np.full((*size, 3), number, np.uint8), number / 5, 3 * number) for number, size in enumerate(sizes)]


def test_chunks_hold_all_frames_in_order():
    chunks = list(chunks_of(frames_of([(5, 7)] * (2 * FRAMES_AT_ONCE + 3))))
    assert [len(chunk.times) for chunk in chunks] == [FRAMES_AT_ONCE, FRAMES_AT_ONCE, 3]
    assert np.concatenate([chunk.images for chunk in chunks])[:, 0, 0, 0].tolist() == list(range(35))
    np.testing.assert_allclose(np.concatenate([chunk.times for chunk in chunks]), np.arange(35) / 5)
    assert np.concatenate([chunk.numbers for chunk in chunks]).tolist() == list(range(0, 105, 3))


def test_frames_of_another_size_begin_another_chunk():
    chunks = list(chunks_of(frames_of([(5, 7), (5, 7), (7, 5), (7, 5), (7, 5), (5, 7)])))
    assert [chunk.images.shape for chunk in chunks] == [(2, 5, 7, 3), (3, 7, 5, 3), (1, 5, 7, 3)]


def test_chunks_of_large_frames_have_fewer():
    chunks = list(chunks_of(frames_of([(1500, 3000)] * 5)))
    assert [len(chunk.times) for chunk in chunks] == [2, 2, 1]
    chunks = list(chunks_of(frames_of([(5, 7)] * 5), bytes_at_once=3 * 5 * 7 * 3))
    assert [len(chunk.times) for chunk in chunks] == [3, 2]


def test_no_frames_are_no_chunk():
    assert list(chunks_of([])) == []


def test_what_fails_while_frames_are_read_is_raised_behind_the_chunks_before():
    def failing():
        yield from frames_of([(5, 7)] * FRAMES_AT_ONCE)
        yield frames_of([(5, 7)])[0]
        raise InputError("gone")

    chunks = chunks_of(failing())
    assert len(next(chunks).times) == FRAMES_AT_ONCE
    with pytest.raises(InputError, match="gone"):
        next(chunks)


def test_nobody_reads_on_once_the_chunks_are_closed():
    read = []

    def endless():
        while True:
            read.append(threading.current_thread())
            yield frames_of([(5, 7)])[0]

    chunks = chunks_of(endless())
    next(chunks)
    chunks.close()
    assert len(read) <= 2 * FRAMES_AT_ONCE + 2
    assert not read[0].is_alive()


def test_large_videos_are_made_smaller(tmp_path):
    from ostinato.frames.video_writer import VideoWriter

    with VideoWriter(tmp_path / "wide.mp4", frame_rate=5, size=(1280, 64)) as video:
        video.write(np.zeros((64, 1280, 3), np.uint8))
    with open_video(tmp_path / "wide.mp4", 5.0) as reader:
        assert next(reader).image.shape == (32, LARGEST_SIDE, 3)
