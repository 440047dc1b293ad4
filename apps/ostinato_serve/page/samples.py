"""Sample inputs, one click away: `samples/` of the checkout or of the installed package."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PIL import Image

import ostinato

_SHOWN_PHOTOS = 8
_THUMBNAIL_SIDE = 240  # pixels


@dataclass(frozen=True)
class Sample:
    """A file that ships.

    Attributes:
      name: by which it is asked for.
      path: of the file.
      description: what is to be seen in it, in a few words.
      licence: of the file, empty where it is this project's own.
      source: address of where it came from.
    """

    name: str
    path: Path
    description: str
    licence: str = ""
    source: str = ""


@dataclass(frozen=True)
class Sentence:
    """A sample sentence and the code of its language."""

    text: str
    language: str


def samples_folder() -> Path | None:
    """Where samples lie; None where this installation has none."""
    package = Path(ostinato.__file__).resolve().parent
    checkout = package.parents[1]
    places = [checkout / "samples"] if (checkout / "pyproject.toml").is_file() else []
    return next((place for place in [*places, package / "samples"] if place.is_dir()), None)


@cache
def photos() -> dict[str, Sample]:
    """Photos by name, each described by the first of its captions."""
    folder = _folder("photos")
    if folder is None:
        return {}
    descriptions = {row["image"]: row["caption"] for row in reversed(_rows(folder / "captions.csv"))}
    origins = {row["image"]: row for row in _rows(folder / "ATTRIBUTION.csv")}
    found = {}
    for path in sorted(folder.glob("*.jpg"))[:_SHOWN_PHOTOS]:
        origin = origins.get(path.name, {})
        found[path.name] = Sample(
            path.name,
            path,
            descriptions.get(path.name, "a photo").strip().rstrip("."),
            origin.get("licence", ""),
            origin.get("photo_url", ""),
        )
    return found


@cache
def thumbnail(path: Path) -> bytes:
    """A photo as a JPEG that is small enough to be shown before anybody asks for it."""
    content = io.BytesIO()
    with Image.open(path) as photo:
        photo.thumbnail((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE))
        photo.convert("RGB").save(content, "JPEG", quality=80)
    return content.getvalue()


@cache
def sentences() -> tuple[Sentence, ...]:
    """The first sentences of `sentences.txt` (English) and of `sentences.LANGUAGE.txt`."""
    folder = samples_folder()
    if folder is None:
        return ()
    found = []
    for path, language, most in [
        (folder / "sentences.txt", "en", 3),
        *((path, path.suffixes[0][1:], 1) for path in sorted(folder.glob("sentences.*.txt"))),
    ]:
        if path.is_file():
            lines = path.read_text(encoding="utf-8").splitlines()
            found += [Sentence(line, language) for line in lines[:most]]
    return tuple(found)


@cache
def files(kind: str, suffix: str) -> dict[str, Sample]:
    """Files by name, each with what it says of itself in `descriptions.csv`.

    Args:
      kind: folder in `samples`, such as `videos`.
      suffix: of the files.
    """
    folder = _folder(kind)
    if folder is None:
        return {}
    rows = {row["file"]: row["description"] for row in _rows(folder / "descriptions.csv")}
    return {
        path.name: Sample(path.name, path, rows.get(path.name, path.stem)) for path in sorted(folder.glob(f"*{suffix}"))
    }


def _folder(kind: str) -> Path | None:
    folder = samples_folder()
    return folder / kind if folder is not None and (folder / kind).is_dir() else None


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
