import numpy as np
import pytest

from ostinato.array_file import ArrayFile


@pytest.mark.parametrize("dtype", [np.uint16, np.uint32, np.int64])
def test_what_is_appended_is_mapped_as_one_array(tmp_path, dtype):
    with ArrayFile(tmp_path / "ids.npy", dtype) as file:
        for values in ([3, 5, 7], [], np.arange(11), [65535]):
            file.append(values)
    array = np.load(tmp_path / "ids.npy", mmap_mode="r")
    assert array.dtype == dtype
    assert array.tolist() == [3, 5, 7, *range(11), 65535]


def test_many_appended_values_are_all_there(tmp_path):
    with ArrayFile(tmp_path / "ids.npy", np.int64) as file:
        for number in range(997):
            file.append(range(number, number + 3))
    assert np.array_equal(np.load(tmp_path / "ids.npy"), np.concatenate([np.arange(n, n + 3) for n in range(997)]))


def test_nothing_appended_is_an_empty_array(tmp_path):
    with ArrayFile(tmp_path / "ids.npy", np.uint16):
        pass
    assert np.load(tmp_path / "ids.npy").shape == (0,)


def test_where_writing_breaks_off_the_file_of_before_stays(tmp_path):
    np.save(tmp_path / "ids.npy", np.array([3]))
    with pytest.raises(ValueError, match="invalid literal"), ArrayFile(tmp_path / "ids.npy", np.uint16) as file:
        file.append([5, int("no number")])
    assert np.load(tmp_path / "ids.npy").tolist() == [3]
    assert [path.name for path in tmp_path.iterdir()] == ["ids.npy"]


def test_a_value_that_does_not_fit_is_refused(tmp_path):
    with pytest.raises(OverflowError), ArrayFile(tmp_path / "ids.npy", np.uint16) as file:
        file.append([65536])
    assert list(tmp_path.iterdir()) == []
