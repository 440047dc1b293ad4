import gzip
import io
import json
from pathlib import Path

import pytest

from ostinato.errors import InputError
from ostinato_translate.inputs import read_inputs


def read(*arguments, files=(), standard_input=b"", scored=False):
    return list(read_inputs(arguments, files, io.BytesIO(standard_input), scored=scored))


def test_arguments_are_texts_and_a_hyphen_is_standard_input():
    inputs = read("A dog.", "-", "-5 degrees", standard_input=b"Ein Hund.\r\nzwei\n")
    assert [item.text for item in inputs] == ["A dog.", "Ein Hund.", "zwei", "-5 degrees"]
    assert [item.name for item in inputs] == [
        '"A dog."',
        "standard input, line 1",
        "standard input, line 2",
        '"-5 degrees"',
    ]
    assert [item.is_line for item in inputs] == [False, True, True, False]


def test_files_are_read_line_by_line_compressed_or_not(tmp_path):
    plain, compressed = tmp_path / "a.txt", tmp_path / "b.txt.gz"
    plain.write_bytes("\ufeffžena\n\n a\u2028b \n".encode())
    compressed.write_bytes(gzip.compress(b"c\nd"))
    inputs = read(files=[plain, compressed])
    assert [item.text for item in inputs] == ["žena", "", " a\u2028b ", "c", "d"]
    assert inputs[-1].name == f"{compressed}, line 2"


def test_a_line_that_is_no_utf8_is_named_and_the_others_go_on():
    first, faulty, last = read("-", standard_input=b"one\ntw\xff\nthree\n")
    assert (first.text, last.text) == ("one", "three")
    assert isinstance(faulty.text, InputError)
    assert "standard input, line 2 is no UTF-8" in str(faulty.text)


def test_an_argument_that_is_no_utf8_is_named_by_its_number():
    _, faulty = read("good", b"tw\xff".decode("utf-8", "surrogateescape"))
    assert isinstance(faulty.text, InputError)
    assert "text 2 is no UTF-8" in str(faulty.text)


def test_lines_may_be_json_objects_whose_fields_are_kept():
    lines = [{"id": 7, "text": "A dog.", "tags": ["x"]}, {"text": "žena", "id": 8}]
    inputs = read("-", standard_input=("\n" + "\n".join(map(json.dumps, lines))).encode())
    assert [item.text for item in inputs] == ["", "A dog.", "žena"]
    assert [item.fields for item in inputs] == [{}, *lines]


def test_text_may_begin_with_a_brace():
    inputs = read("-", standard_input=b'{he laughs}\n{"text": "x"}\n')
    assert [item.text for item in inputs] == ["{he laughs}", '{"text": "x"}']


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('{"text": "a"', "line 2 is no JSON object; check"),
        ("[1, 2]", "line 2 is no JSON object, but"),
        ('{"txt": "a"}', 'line 2 has no field "text"'),
        ('{"text": 7}', 'line 2 has no field "text"'),
    ],
)
def test_a_faulty_json_line_is_named_by_its_number(line, fault):
    good, faulty = read("-", standard_input=f'{{"text": "a"}}\n{line}\n'.encode())
    assert good.text == "a"
    assert fault in str(faulty.text)


def test_texts_to_be_scored_have_their_translations_beside_them():
    assert [(item.text, item.translation) for item in read("a\tb", scored=True)] == [("a", "b")]
    inputs = read("-", standard_input=b"A dog.\tEin Hund.\n\nA cat.\n", scored=True)
    assert [(item.text, item.translation) for item in inputs[:2]] == [("A dog.", "Ein Hund."), ("", "")]
    assert "line 3 has no translation to score" in str(inputs[2].text)
    json_lines = b'{"text": "a", "translation": "b"}\n{"text": "a"}\n'
    good, faulty = read("-", standard_input=json_lines, scored=True)
    assert (good.text, good.translation) == ("a", "b")
    assert 'line 2 has no field "translation"' in str(faulty.text)


def test_a_long_text_is_named_by_its_beginning():
    assert read("x" * 99)[0].name == '"' + "x" * 40 + '\u2026"'


def test_lines_are_read_as_they_are_needed():
    def endless():
        while True:
            yield b"more\n"

    inputs = read_inputs(["-"], [], endless())
    assert [next(inputs).text for _ in range(3)] == ["more"] * 3


def test_a_missing_file_is_an_error():
    with pytest.raises(FileNotFoundError):
        read(files=[Path("nowhere.txt")])
