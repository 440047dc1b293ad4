import pytest

from ostinato.errors import InputError
from ostinato.frames.finding import find_videos


def test_folders_give_their_videos_sorted_and_files_come_as_given(tmp_path):
    for name in ("b/late.MP4", "b/early.mov", "b/notes.txt", "b/.hidden.mp4", ".cache/x.mp4", "a.webm"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    named = tmp_path / "b" / "notes.txt"
    expected = [named, tmp_path / "a.webm", tmp_path / "b" / "early.mov", tmp_path / "b" / "late.MP4"]
    assert find_videos([named, str(tmp_path)]) == expected


def test_a_missing_path_and_a_folder_without_videos_are_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.mp4 does not exist"):
        find_videos([tmp_path / "none.mp4"])
    with pytest.raises(InputError, match="holds no videos"):
        find_videos([tmp_path])
