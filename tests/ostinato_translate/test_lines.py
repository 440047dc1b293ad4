import gzip

import pytest

from ostinato.errors import DataError
from ostinato_translate.lines import read_blocks, read_lines

TEXT = "first\n\nthird, café\u2028same line\x85still\x0bthe same\rand so on\r\nlast"
LINES = ["first", "", "third, café\u2028same line\x85still\x0bthe same\rand so on", "last"]


def test_only_line_feeds_end_lines(tmp_path):
    for end in ("", "\n"):
        (tmp_path / "a.en").write_bytes((TEXT + end).encode())
        assert list(read_lines(tmp_path / "a.en")) == LINES


def test_compressed_files_are_read_alike(tmp_path):
    (tmp_path / "a.en.gz").write_bytes(gzip.compress(TEXT.encode()))
    assert list(read_lines(tmp_path / "a.en.gz")) == LINES
    assert b"".join(read_blocks(tmp_path / "a.en.gz", size=7)) == TEXT.encode()


def test_a_byte_order_mark_is_no_text(tmp_path):
    (tmp_path / "a.en").write_bytes(b"\xef\xbb\xbffirst\n\xef\xbb\xbfsecond\n")
    assert list(read_lines(tmp_path / "a.en")) == ["first", "\ufeffsecond"]


def test_a_line_of_ten_thousand_characters_is_one_line(tmp_path):
    (tmp_path / "a.en").write_text("x" * 10_000 + "\ny\n")
    assert list(map(len, read_lines(tmp_path / "a.en"))) == [10_000, 1]


def test_an_empty_file_has_no_lines(tmp_path):
    (tmp_path / "a.en").touch()
    assert list(read_lines(tmp_path / "a.en")) == []


def test_a_line_that_is_no_utf8_is_named_with_its_number(tmp_path):
    (tmp_path / "a.de").write_bytes("gut\nauch gut\nschön\n".encode("latin-1"))
    lines = read_lines(tmp_path / "a.de")
    assert [next(lines), next(lines)] == ["gut", "auch gut"]
    with pytest.raises(DataError, match=r"a\.de, line 3: is no UTF-8 \(invalid .*save the file as UTF-8") as caught:
        next(lines)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kept", [slice(0, -9), slice(0, 40), slice(5, None)])
@pytest.mark.parametrize("reader", [read_lines, read_blocks])
def test_a_damaged_compressed_file_is_named(tmp_path, kept, reader):
    content = gzip.compress("\n".join(map(str, range(2000))).encode())
    (tmp_path / "a.de.gz").write_bytes(content[kept])
    with pytest.raises(DataError, match=r"a\.de\.gz is no whole gzip file"):
        list(reader(tmp_path / "a.de.gz"))


@pytest.mark.parametrize("reader", [read_lines, read_blocks])
def test_a_missing_file_is_named(tmp_path, reader):
    with pytest.raises(DataError, match=r"none\.de cannot be read \(No such file"):
        list(reader(tmp_path / "none.de"))
