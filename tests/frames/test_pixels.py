import av
import numpy as np
import pytest

from ostinato.frames.pixels import fitted_size, upright_pixels

RED = np.full((37, 52, 3), (200, 40, 30), np.uint8)


def tagged(matrix, primaries=9, transfer=2):
    """A red frame whose YUV is that of a matrix of H.273, with tags as given."""
    known = {2: 5, 8: 5, 10: 9}.get(matrix, matrix)
    frame = av.VideoFrame.from_ndarray(RED, format="rgb24").reformat(format="yuv444p", dst_colorspace=known)
    frame.colorspace, frame.color_primaries, frame.color_trc = matrix, primaries, transfer
    return frame


@pytest.mark.parametrize("matrix", [1, 2, 5, 6, 8, 9, 10])
@pytest.mark.parametrize(("primaries", "transfer"), [(1, 1), (2, 2), (9, 2), (9, 16), (9, 18)])
def test_frames_keep_their_colours_however_they_are_tagged(matrix, primaries, transfer):
    np.testing.assert_allclose(upright_pixels(tagged(matrix, primaries, transfer)), RED, atol=4)


def test_large_frames_are_made_smaller_and_small_ones_stay():
    assert fitted_size(1920, 1080, 224) == (224, 126)
    assert fitted_size(31, 997, 100) == (3, 100)
    assert fitted_size(1, 9999, 100) == (1, 100)
    assert fitted_size(64, 48, 224) == fitted_size(64, 48, None) == (64, 48)
    assert upright_pixels(tagged(1), max_side=20).shape == (14, 20, 3)
