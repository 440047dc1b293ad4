import pytest

from ostinato.commands import read_json, read_text
from ostinato.errors import UserError


def test_a_file_is_read_as_text_or_as_json(tmp_path):
    path = tmp_path / "scores.json"
    path.write_text('{"bleu": 41.5, "who": "žena"}', encoding="utf-8")
    assert read_text(path).endswith('"žena"}')
    assert read_json(path) == {"bleu": 41.5, "who": "žena"}


@pytest.mark.parametrize(("content", "said"), [(b"\xff\xfe{}", "is no text in UTF-8"), (b"{bleu}", "is no JSON")])
def test_a_file_of_another_kind_is_named(tmp_path, content, said):
    path = tmp_path / "scores.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"scores\.json {said}"):
        read_json(path)
