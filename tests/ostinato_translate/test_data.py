import pytest

from ostinato.errors import DataError
from ostinato_translate.data import detect_layout, open_corpus
from ostinato_translate.rows import Row

TMX = (
    '<tmx><body><tu><tuv lang="fr"><seg>un</seg></tuv><tuv lang="de"><seg>eins</seg></tuv></tu>'
    '<tu><tuv lang="en"><seg>two</seg></tuv><tuv lang="de"><seg>zwei</seg></tuv></tu></body></tmx>'
)


@pytest.fixture
def folders(tmp_path):
    """One folder for each layout."""
    for layout, files in {
        "parallel": {"train.en": "one\ntwo\n", "train.de": "eins\nzwei\n", "README.md": "about"},
        "tsv": {"train.tsv": "en\tde\none\teins\n", "test.tsv": "fr\tde\nsept\tsieben\n", "README.md": "about"},
        "tmx": {"all.tmx": TMX},
        "none": {"README.md": "about", "train.en": "alone\n"},
        "empty": {},
    }.items():
        (tmp_path / layout).mkdir()
        for name, text in files.items():
            (tmp_path / layout / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("layout", "languages", "rows"),
    [
        (
            "parallel",
            ("de", "en"),
            [Row("train", {"de": "eins", "en": "one"}), Row("train", {"de": "zwei", "en": "two"})],
        ),
        (
            "tsv",
            ("de", "en", "fr"),
            [Row("test", {"fr": "sept", "de": "sieben"}), Row("train", {"en": "one", "de": "eins"})],
        ),
        ("tmx", ("de", "en", "fr"), [Row("", {"fr": "un", "de": "eins"}), Row("", {"en": "two", "de": "zwei"})]),
    ],
)
def test_the_layout_is_found_by_the_files_and_the_corpus_read_as_often_as_one_likes(folders, layout, languages, rows):
    assert detect_layout(folders / layout) == layout
    for given in (None, layout):
        corpus = open_corpus(folders / layout, given)
        assert corpus.languages == languages
        for _ in range(2):
            assert list(corpus.read(languages)) == rows


def test_a_single_file_is_a_corpus(folders):
    assert open_corpus(folders / "tsv" / "test.tsv").languages == ("de", "fr")
    assert open_corpus(folders / "tmx" / "all.tmx").languages == ("de", "en", "fr")
    (folders / "tsv" / "test.tsv").rename(folders / "table")
    assert open_corpus(folders / "table", "tsv").languages == ("de", "fr")


def test_languages_are_chosen_from_those_that_are_there(folders):
    corpus = open_corpus(folders / "tsv")
    assert corpus.choose_languages(()) == ("de", "en", "fr")
    assert corpus.choose_languages(("fr", "de")) == ("de", "fr")
    with pytest.raises(DataError, match=r"tsv has no language 'cs'; it has de, en, fr$"):
        corpus.choose_languages(("de", "cs"))


@pytest.mark.parametrize("folder", ["empty", "none"])
def test_a_folder_without_parallel_text_is_refused(folders, folder):
    with pytest.raises(DataError, match=rf"{folder} has no parallel files such as train\.en and train\.de, no \.tsv"):
        open_corpus(folders / folder)


@pytest.mark.parametrize(
    ("layout", "fault"),
    [
        ("parallel", "is no folder with parallel files"),
        ("tsv", r"has no files that end in \.tsv"),
        ("tmx", r"has no files that end in \.tmx"),
        ("pdf", "there is no layout 'pdf'; use one of parallel, tsv, tmx, tfds"),
    ],
)
def test_a_layout_that_does_not_fit_is_refused(folders, layout, fault):
    with pytest.raises(DataError, match=fault):
        open_corpus(folders / "empty", layout)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DataError, match=r"there is no file or folder .*nowhere; give parallel text with --data"):
        open_corpus(tmp_path / "nowhere")


def test_one_language_alone_is_refused(tmp_path):
    (tmp_path / "all.tmx").write_text('<tmx><tu><tuv lang="fr"><seg>un</seg></tuv></tu></tmx>')
    with pytest.raises(DataError, match="has text in fr only; translation needs two"):
        open_corpus(tmp_path)
