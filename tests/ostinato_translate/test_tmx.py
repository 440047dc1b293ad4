import gzip

import pytest

from ostinato.errors import DataError
from ostinato_translate.rows import Row
from ostinato_translate.tmx import read_tmx

HEAD = '<?xml version="1.0" encoding="{encoding}"?>\n<!DOCTYPE tmx SYSTEM "tmx14.dtd">\n<tmx version="1.4"><header/>'
UNIT = '<tu><tuv xml:lang="en-US"><seg>{0}</seg></tuv><tuv lang="DE"><seg>{1}</seg></tuv></tu>'


def memory(*units, encoding="UTF-8"):
    return HEAD.format(encoding=encoding) + "<body>" + "\n".join(units) + "</body></tmx>"


def write(folder, text, name="memory.tmx", encoding="utf-8"):
    content = text.encode(encoding)
    (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return folder / name


def sentences(path, languages=None):
    return [row.sentences for row in read_tmx(path, languages)]


def test_units_become_rows_by_language_without_country(tmp_path):
    path = write(tmp_path, memory(UNIT.format("One &amp; two &#8364;.", "Größe\n  drei"), UNIT.format("", "x")))
    assert list(read_tmx(path)) == [
        Row("", {"en": "One & two €.", "de": "Größe\n  drei"}),
        Row("", {"en": "", "de": "x"}),
    ]
    assert sentences(path, ["de"]) == [{"de": "Größe\n  drei"}, {"de": "x"}]


@pytest.mark.parametrize(("name", "split"), [("train.tmx", "train"), ("test.de-en.tmx.gz", "test")])
def test_the_name_tells_the_split(tmp_path, name, split):
    (row,) = read_tmx(write(tmp_path, memory(UNIT.format("a", "b")), name=name))
    assert row.split == split


def test_formatting_inside_a_segment_is_no_text_and_highlighted_text_is(tmp_path):
    marked = 'A <bpt i="1">&lt;b></bpt><hi>bold</hi><ept i="1">&lt;/b></ept> move<ph>{x <sub>deep</sub>}</ph>.'
    assert sentences(write(tmp_path, memory(UNIT.format(marked, "b")))) == [{"en": "A bold move.", "de": "b"}]


def test_the_first_segment_of_a_language_counts_and_notes_do_not(tmp_path):
    unit = (
        "<tu><note>n</note><prop>p</prop><tuv xml:lang='en-GB'><note>m</note><seg>colour</seg></tuv>"
        "<tuv xml:lang='en-US'><seg>color</seg></tuv><tuv xml:lang='fr'><seg>couleur</seg></tuv></tu>"
    )
    path = write(tmp_path, memory(unit, UNIT.format("a", "b")))
    assert sentences(path) == [{"en": "colour", "fr": "couleur"}, {"en": "a", "de": "b"}]


def test_other_encodings_are_read_as_the_file_declares_them(tmp_path):
    for encoding in ("UTF-16", "ISO-8859-1"):
        path = write(tmp_path, memory(UNIT.format("a", "Größe"), encoding=encoding), encoding=encoding.lower())
        assert sentences(path) == [{"en": "a", "de": "Größe"}]


def test_names_of_characters_that_the_document_type_declares_elsewhere_are_those_of_html(tmp_path):
    assert sentences(write(tmp_path, memory(UNIT.format("caf&eacute;&nbsp;noir", "b"))))[0]["en"] == "café\xa0noir"


def test_units_are_read_as_a_stream(tmp_path):
    path = write(tmp_path, memory(*(UNIT.format(f"one {number}", f"eins {number}") for number in range(5000))))
    path.write_bytes(path.read_bytes()[:-100])
    rows = read_tmx(path)
    assert [next(rows).sentences["en"] for _ in range(3)] == ["one 0", "one 1", "one 2"]
    with pytest.raises(DataError, match=r"memory\.tmx, line \d+: is no well-formed XML"):
        list(rows)


ENTITIES = (
    '<!DOCTYPE tmx [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><tmx><body>' + UNIT.format("&b;", "x") + "</body></tmx>"
)
OUTSIDE = '<!DOCTYPE tmx [<!ENTITY a SYSTEM "/etc/passwd">]><tmx><body>' + UNIT.format("&a;", "x") + "</body></tmx>"


@pytest.mark.parametrize("text", [ENTITIES, OUTSIDE])
def test_documents_that_declare_entities_are_refused(tmp_path, text):
    with pytest.raises(DataError, match=r"line 1: declares the entity 'a'"):
        sentences(write(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "line 1: is no well-formed XML"),
        ("plain text", "line 1: is no well-formed XML"),
        ("<tmx><body><tu></body></tmx>", r"line 1: is no well-formed XML \(mismatched tag\)"),
        ("<html/>", "is no TMX: it begins with <html>"),
        ("<tmx>\n<tu><tuv><seg>a</seg></tuv></tu></tmx>", "line 2: <tuv> has no language code, but ''"),
    ],
)
def test_what_is_no_translation_memory_is_refused_in_one_sentence(tmp_path, text, fault):
    with pytest.raises(DataError, match=rf"memory\.tmx.*{fault}") as caught:
        sentences(write(tmp_path, text))
    assert "\n" not in str(caught.value)
