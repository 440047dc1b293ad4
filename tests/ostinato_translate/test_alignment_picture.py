import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from ostinato_translate.alignment_picture import AlignmentFolder, alignment_picture


@dataclasses.dataclass
class Translated:
    """As `Translation`, of which a picture needs no more."""

    text: str
    pieces: tuple[str, ...]
    source_pieces: tuple[str, ...]
    attention: np.ndarray
    score: float = -0.123456


def translated(num_pieces=3, num_source_pieces=5, looked=(4, 0, 2)):
    attention = np.zeros((num_pieces, num_source_pieces), np.float32)
    for row, column in enumerate(looked[:num_pieces]):
        attention[row, column] = 1
    pieces = tuple(f"\u2581wört{i}" for i in range(num_pieces))
    return Translated(" ".join(pieces), pieces, tuple(f"\u2581s{i}" for i in range(num_source_pieces)), attention)


def test_a_cell_is_dark_where_a_piece_looked():
    picture = np.asarray(alignment_picture(translated())).astype(int).sum(axis=2)
    left, top, cell = 14 + 170, 44 + 170, 30
    cells = picture[top : top + 3 * cell, left : left + 5 * cell].reshape(3, cell, 5, cell)
    inside = cells[:, 3:-3, :, 3:-3].mean(axis=(1, 3))
    assert [int(np.argmin(row)) for row in inside] == [4, 0, 2]
    assert np.sum(inside < 400) == 3
    assert np.sum(inside > 750) == 12


def test_labels_stand_beside_the_rows_and_above_the_columns():
    picture = np.asarray(alignment_picture(translated(2, 4, looked=(3, 0)))).min(axis=2)
    assert picture[44 + 170 : 44 + 170 + 60, 14 : 14 + 160].min() < 60
    for column in range(4):
        left = 14 + 170 + 30 * column
        assert picture[44 : 44 + 160, left + 2 : left + 28].min() < 60


@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (0, 3), (1, 1), (150, 3), (700, 900)])
def test_translations_of_all_lengths_make_pictures_one_can_look_at(rows, columns):
    picture = alignment_picture(translated(rows, columns, looked=()))
    assert picture.mode == "RGB"
    assert 300 < picture.width < 4000
    assert 200 < picture.height < 4000


def test_pictures_and_numbers_are_saved_under_the_number_of_the_text(tmp_path):
    alignments = AlignmentFolder(tmp_path / "new" / "folder")
    alignments.save(7, "A dog.", "de", translated())
    alignments.save(7, "A dog.", "pt-br", translated())
    folder = tmp_path / "new" / "folder"
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["0007.de.json", "0007.de.png", "0007.pt-br.json", "0007.pt-br.png"]
    assert alignments.saved == 2
    record = json.loads((folder / "0007.de.json").read_text(encoding="utf-8"))
    assert record["attention"] == [[0, 0, 0, 0, 1], [1, 0, 0, 0, 0], [0, 0, 1, 0, 0]]
    assert (record["text"], record["to"], record["score"]) == ("A dog.", "de", -0.1235)
    assert record["pieces"][0] == "\u2581wört0"
    with Image.open(folder / "0007.de.png") as picture:
        assert picture.format == "PNG"
