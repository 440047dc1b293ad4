import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from ostinato.errors import InputError
from ostinato_translate.alignment_picture import AlignmentFolder, alignment_picture
from ostinato_translate.inputs import TextInput

CELL, MARGIN, TITLE = 30, 14, 52


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


def cells_of(picture, rows, columns):
    """Returns the brightness of each cell, int [rows, columns]: the map stands in the lower right corner."""
    height, width = rows * CELL, columns * CELL
    pixels = np.asarray(picture).astype(int).sum(axis=2)[-MARGIN - height : -MARGIN, -MARGIN - width : -MARGIN]
    return pixels.reshape(rows, CELL, columns, CELL)[:, 3:-3, :, 3:-3].mean(axis=(1, 3))


def test_a_cell_is_dark_where_a_piece_looked():
    cells = cells_of(alignment_picture(translated(3, 15, looked=(4, 0, 14))), 3, 15)
    assert [int(np.argmin(row)) for row in cells] == [4, 0, 14]
    assert np.sum(cells < 400) == 3
    assert np.sum(cells > 750) == 42


def test_labels_stand_beside_the_rows_and_above_the_columns():
    picture = np.asarray(alignment_picture(translated(4, 15, looked=()))).min(axis=2)
    map_top, map_left = picture.shape[0] - MARGIN - 4 * CELL, picture.shape[1] - MARGIN - 15 * CELL
    for row in range(4):
        assert picture[map_top + CELL * row :][:CELL, : map_left - 2].min() < 60
    for column in range(15):
        assert picture[TITLE : map_top - 2, map_left + CELL * column :][:, :CELL].min() < 60


@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (0, 3), (1, 1), (150, 3), (700, 900)])
def test_translations_of_all_lengths_make_pictures_one_can_look_at(rows, columns):
    picture = alignment_picture(translated(rows, columns, looked=()))
    assert picture.mode == "RGB"
    assert 300 < picture.width < 4000
    assert 60 < picture.height < 4000


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


def test_the_best_translation_of_each_text_is_saved_and_faults_are_passed_on(tmp_path):
    alignments = AlignmentFolder(tmp_path)
    fault = (TextInput("line 2", "b"), InputError("is too long"))
    good = (TextInput("line 3", "c"), {"de": [translated(), None], "fr": [translated()]})
    assert list(alignments.saving([fault, good])) == [fault, good]
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["0002.de.png", "0002.fr.png"]
