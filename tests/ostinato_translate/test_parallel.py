import gzip

import pytest

from ostinato.errors import DataError
from ostinato_translate.parallel import find_groups, languages_of, read_parallel
from ostinato_translate.rows import Row


def write(folder, **files):
    for name, lines in files.items():
        name = name.replace("__", ".")
        content = "".join(line + "\n" for line in lines).encode()
        (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return folder


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, train__en=["one", "two", "three"], train__de__gz=["eins", "", "drei"], train__fr=["un", "deux", ""])
    write(tmp_path, test_2016_flickr__de__gz=["sieben"], test_2016_flickr__en__gz=["seven"])
    write(tmp_path, val__en=["five"], README__md=["read me"], notes__txt=["a"], alone__en=["b"], __en=["hidden"])
    write(tmp_path, train__ids=["a", "b", "c"], train__tsv=["de\ten"], notes__md=["a"], train__log__gz=["done"])
    return tmp_path


def test_files_that_differ_in_their_language_belong_together(folder):
    groups = find_groups(folder)
    assert {stem: list(files) for stem, files in groups.items()} == {
        "test_2016_flickr": ["de", "en"],
        "train": ["de", "en", "fr"],
    }
    assert languages_of(groups) == {"de", "en", "fr"}


def test_rows_are_the_lines_of_all_languages_with_the_split_of_the_name(folder):
    assert list(read_parallel(find_groups(folder), ["de", "en", "fr"])) == [
        Row("test", {"de": "sieben", "en": "seven"}),
        Row("train", {"de": "eins", "en": "one", "fr": "un"}),
        Row("train", {"de": "", "en": "two", "fr": "deux"}),
        Row("train", {"de": "drei", "en": "three", "fr": ""}),
    ]


def test_files_of_languages_that_are_not_asked_for_are_not_opened(folder):
    (folder / "train.de.gz").write_bytes(b"damaged")
    rows = list(read_parallel(find_groups(folder), ["en", "fr"]))
    assert [row.sentences for row in rows][1] == {"en": "two", "fr": "deux"}
    assert len(rows) == 3  # the test files are in one of the two only


def test_a_plain_file_goes_before_its_compressed_one(folder):
    write(folder, train__de=["uno", "due", "tre"])
    (row, *_) = read_parallel({"train": find_groups(folder)["train"]}, ["de", "en"])
    assert row.sentences["de"] == "uno"


@pytest.mark.parametrize("shorter", ["en", "de"])
def test_files_of_different_lengths_are_named_with_their_lines(tmp_path, shorter):
    lengths = {"en": 7, "de": 7, "fr": 7, shorter: 5}
    write(tmp_path, **{f"train__{language}": ["x"] * length for language, length in lengths.items()})
    rows = read_parallel(find_groups(tmp_path), ["de", "en", "fr"])
    listed = ", ".join(rf"train\.{language} {lengths[language]}" for language in ("de", "en", "fr"))
    with pytest.raises(DataError, match=rf"the lines of parallel files must be as many, not {listed}; align them"):
        list(rows)


def test_rows_come_before_the_files_have_been_read_to_their_ends(tmp_path):
    write(tmp_path, train__en=["one", "two"], train__de=["eins", "zwei"])
    with (tmp_path / "train.de").open("ab") as file:
        file.write(b"\xff" * 100_000)
    assert next(read_parallel(find_groups(tmp_path), ["de", "en"])).sentences == {"de": "eins", "en": "one"}
