import numpy as np
import pytest

from ostinato.errors import InputError
from ostinato_gesture.inputs import find_recordings


def test_archives_give_each_of_their_sequences_a_name(tmp_path):
    path = tmp_path / "glove.npz"
    np.savez(path, features=np.arange(10).reshape(5, 2), lengths=[2, 3], names=["one", "two"])
    (first, features), (second, others) = find_recordings([path])
    assert (first, second) == (f"{path}:one", f"{path}:two")
    np.testing.assert_array_equal(features, [[0, 1], [2, 3]])
    np.testing.assert_array_equal(others, [[4, 5], [6, 7], [8, 9]])


def test_a_damaged_archive_is_told_in_its_place(tmp_path):
    path = tmp_path / "glove.npz"
    path.write_bytes(b"no archive")
    clip = tmp_path / "clip.mp4"
    clip.touch()
    (name, error), (other, video) = find_recordings([path, clip])
    assert (name, other, video) == (str(path), str(clip), clip)
    assert isinstance(error, InputError)
    assert "cannot be read" in str(error)


def test_a_folder_without_videos_is_told(tmp_path):
    with pytest.raises(InputError):
        find_recordings([tmp_path])
