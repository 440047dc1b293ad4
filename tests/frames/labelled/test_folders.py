import pytest

from ostinato.frames.labelled.folders import read_folders


@pytest.fixture
def tree(tmp_path):
    """Makes empty files and returns the folder of all."""

    def make(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path

    return make


def found(root):
    return [(example.group, example.split, example.label) for example in read_folders(root)]


def test_a_video_has_the_label_of_its_folder_and_is_a_group_of_its_own(tree):
    root = tree("wave/2.mp4", "wave/deeper/1.MOV", "nod/a.avi", "nod/notes.txt", "nod/.hidden.mp4", ".git/x.mp4")
    assert found(root) == [
        ("nod/a.avi", "", "nod"),
        ("wave/2.mp4", "", "wave"),
        ("wave/deeper/1.MOV", "", "wave"),
    ]


def test_folders_of_splits_stand_above_those_of_labels(tree):
    root = tree("Train/wave/1.mp4", "validation/nod/1.mp4", "test/wave/1.mp4")
    assert found(root) == [
        ("Train/wave/1.mp4", "train", "wave"),
        ("test/wave/1.mp4", "test", "wave"),
        ("validation/nod/1.mp4", "dev", "nod"),
    ]


def test_a_label_may_be_called_like_a_split(tree):
    assert [label for _, _, label in found(tree("test/1.mp4", "wave/1.mp4"))] == ["test", "wave"]


def test_a_folder_without_videos_gives_none(tree):
    assert found(tree("wave/notes.txt", "1.mp4")) == []
