import gzip

import pytest

from ostinato.errors import DataError, UserError
from ostinato_translate.sentence_pairs import ScoredText, read_pairs, read_split


@pytest.fixture
def folder(tmp_path):
    for name, lines in {
        "train.en": "a b",
        "train.de": "A B",
        "test_small.en": "one two three",
        "test_small.de": "eins  drei",
        "test_small.cs": "jedna dva tři",
        "test_large.en": "four five",
        "test_large.de": "vier fünf",
    }.items():
        (tmp_path / name).write_text("".join(line + "\n" for line in lines.split(" ")), encoding="utf-8")
    return tmp_path


def test_two_files_are_read_line_by_line(folder):
    (folder / "c.gz").write_bytes(gzip.compress(b"x\ny\n\n"))
    pairs = read_pairs(folder / "test_small.en", folder / "c.gz", "en", "de")
    assert pairs.name == "en-de"
    assert pairs.sources == ["one", "two", "three"]
    assert pairs.references == ["x", "y", ""]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"x\ny\n", r"test_small\.en has 3 lines and .*other has 2; give files that are parallel"),
        (b"x\n\xff\nz\n", r"other, line 2: is no UTF-8"),
    ],
)
def test_files_that_are_not_parallel_or_no_text_are_one_sentence(folder, content, said):
    (folder / "other").write_bytes(content)
    with pytest.raises(DataError, match=said):
        read_pairs(folder / "test_small.en", folder / "other", "en", "de")


def test_empty_files_are_refused(folder):
    (folder / "empty").touch()
    with pytest.raises(DataError, match="are empty"):
        read_pairs(folder / "empty", folder / "empty", "en", "de")


def test_a_split_is_read_in_the_directions_that_it_has(folder):
    directions = [("en", "de"), ("de", "cs"), ("en", "fr")]
    english, german = read_split(str(folder), None, "test", directions)
    assert (english.name, german.name) == ("en-de", "de-cs")
    assert sorted(english.sources) == ["five", "four", "one", "three"]  # a row without German is no pair
    assert german.references == ["jedna", "tři"]


def test_a_split_may_be_one_group_of_parallel_files(folder):
    (pairs,) = read_split(str(folder), None, "test_large", [("de", "en")])
    assert pairs.sources == ["vier", "fünf"]
    (everything,) = read_split(str(folder), "parallel", "all", [("de", "en")])
    assert len(everything.sources) == 6


def test_a_split_that_is_not_there_is_one_sentence_with_those_that_are(folder):
    with pytest.raises(DataError, match=r"'holiday' \(one of train, dev, test, all, test_large, test_small, train\)"):
        read_split(str(folder), None, "holiday", [("de", "en")])
    with pytest.raises(DataError, match="in cs-fr; name others"):
        read_split(str(folder), None, "test", [("cs", "fr")])


LEARNED = [("en", "de"), ("de", "en"), ("en", "cs")]


def test_text_to_score_is_two_files_or_a_split_in_the_directions_asked_for(folder):
    files = ScoredText(source=folder / "train.en", reference=folder / "train.de", from_="en", to="DE")
    assert [pairs.name for pairs in files.read([])] == ["en-de"]
    data = str(folder)
    assert [pairs.name for pairs in ScoredText(data=data).read(LEARNED)] == ["en-de", "de-en", "en-cs"]
    assert [pairs.name for pairs in ScoredText(data=data, from_="en").read(LEARNED)] == ["en-de", "en-cs"]
    assert [pairs.name for pairs in ScoredText(data=data, to="en").read(LEARNED)] == ["de-en"]
    assert [pairs.name for pairs in ScoredText(data=data, from_="cs", to="de").read(LEARNED)] == ["cs-de"]
    with pytest.raises(UserError, match="no such direction"):
        ScoredText(data=data, to="fr").read(LEARNED)


@pytest.mark.parametrize(
    "flags", [{}, {"source": "x", "data": "y"}, {"source": "x", "reference": "y"}, {"data": "x", "to": "no code"}]
)
def test_flags_that_are_missing_or_too_many_are_refused(flags):
    with pytest.raises(UserError, match="--"):
        ScoredText(**flags).check()
