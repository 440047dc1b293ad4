import sys

import pytest

from ostinato.errors import DataError
from ostinato.tfds_builder import download, find_builder


class Downloads:
    """A builder whose download ends as it is told."""

    def __init__(self, error=None):
        self.error = error

    def download_and_prepare(self):
        print("10 MiB done")
        if self.error:
            raise self.error


def test_what_a_download_prints_does_not_reach_standard_output(capfd):
    download(Downloads(), "tea")
    assert capfd.readouterr().out == ""


def test_a_download_that_fails_is_one_sentence():
    with pytest.raises(
        DataError, match=r"^tfds:tea could not be downloaded \(disk full\); check the network"
    ) as caught:
        download(Downloads(OSError("disk full\nTraceback")), "tea")
    assert "\n" not in str(caught.value)


def test_a_set_that_does_not_exist_is_refused_with_one_that_does(tmp_path):
    with pytest.raises(DataError, match="TensorFlow Datasets has no 'no_such_set'; try tfds:tea/green"):
        find_builder("no_such_set", tmp_path, such_as="tea/green")


def test_what_is_not_installed_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(DataError, match=r'pip install "ostinato\[tfds\]"'):
        find_builder("tea", such_as="tea/green")
