"""What the verbs print: captions, as text for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from ostinato_caption.captioner import Caption
from ostinato_caption.inputs import PhotoInput


def as_text(photo: PhotoInput, captions: Sequence[Caption]) -> str:
    """One line where there is one caption; else the photo's name, and a line for each, best first."""
    lines = [f"{caption.text}  (score {caption.score:.2f}, p {caption.probability:.2g})" for caption in captions]
    if len(lines) == 1:
        return f"{photo.name}: {lines[0]}"
    return "\n".join([f"{photo.name}:", *(f"  {number}. {line}" for number, line in enumerate(lines, start=1))])


def as_json(photo: PhotoInput, captions: Sequence[Caption]) -> str:
    """One object a line; the fields of the JSON input come first."""
    written = [
        {
            "text": caption.text,
            "score": round(caption.score, 4),
            "probability": float(f"{caption.probability:.4g}"),
            "tokens": list(caption.tokens),
        }
        for caption in captions
    ]
    return json.dumps({**photo.fields, "image": photo.name, "captions": written}, ensure_ascii=False)


FORMATS: dict[str, Callable[[PhotoInput, Sequence[Caption]], str]] = {"text": as_text, "json": as_json}
