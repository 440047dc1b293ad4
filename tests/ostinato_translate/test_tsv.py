import gzip

import pytest

from ostinato.errors import DataError
from ostinato_translate.rows import Row
from ostinato_translate.tsv import read_header, read_tsv


def write(folder, *lines, name="corpus.tsv"):
    content = "".join(line + "\n" for line in lines).encode()
    (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return folder / name


def test_columns_are_languages_and_the_split(tmp_path):
    path = write(
        tmp_path, "EN\tpt_BR\tscore\tsplit", "one\tum\t0.5\ttrain", 'a "b\tü\t\tvalid', "\tx\t1\t", "c\td\te\tgold"
    )
    assert read_header(path) == ["en", "pt-br", "", "split"]
    assert list(read_tsv(path, ["en", "pt-br"])) == [
        Row("train", {"en": "one", "pt-br": "um"}),
        Row("dev", {"en": 'a "b', "pt-br": "ü"}),
        Row("", {"en": "", "pt-br": "x"}),
        Row("gold", {"en": "c", "pt-br": "d"}),
    ]


@pytest.mark.parametrize("name", ["dev.tsv", "dev.tsv.gz"])
def test_without_such_a_column_the_name_tells_the_split(tmp_path, name):
    path = write(tmp_path, "de\ten\tfr", "eins\tone\tun", "", name=name)
    assert list(read_tsv(path, ["fr", "de"])) == [Row("dev", {"de": "eins", "fr": "un"})]


@pytest.mark.parametrize("header", ["", "source\ttarget", "de", "de\tsplit", "de\tDE", "Ein Haus\tA house"])
def test_a_header_without_two_languages_is_refused(tmp_path, header):
    with pytest.raises(
        DataError, match=r"corpus\.tsv, line 1: expected a header of two or more different language codes"
    ):
        read_header(write(tmp_path, header))


@pytest.mark.parametrize(("line", "number"), [("one", 1), ("one\teins\tun", 3)])
def test_a_row_of_another_width_is_named_with_its_line(tmp_path, line, number):
    path = write(tmp_path, "en\tde", "two\tzwei", line)
    with pytest.raises(DataError, match=rf"line 3: has {number} columns, not 2"):
        list(read_tsv(path, ["de", "en"]))
