"""A photo in, captions out, with what each word looked at."""

from __future__ import annotations

import dataclasses
import io
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ostinato.errors import InputError
from ostinato_serve.page import samples
from ostinato_serve.page.rendering import page, picture_url
from ostinato_serve.page.tab import Tab, answering
from ostinato_serve.page.uploads import file_field, form_of, shown_name, text_field

if TYPE_CHECKING:
    from ostinato_caption import Caption

_NUM_CAPTIONS = 3
_LARGEST_SIDE = 1024  # pixels of the photo as the page shows it


class CaptionTab(Tab):
    """Photos, dropped, chosen, taken or sampled."""

    key, title = "captions", "Captions"
    application = "ostinato_caption"
    missing = "No model that captions photos is served here; start the server with the folder of one."

    def values(self) -> dict[str, Any]:
        return {"samples": samples.photos().values(), "max_mb": self.limits.max_photo_mb}

    def routes(self) -> list[BaseRoute]:
        return [Route("/captions", answering(self._caption), methods=["POST"])]

    async def _caption(self, request: Request) -> Response:
        max_bytes = int(self.limits.max_photo_mb * 2**20)
        async with form_of(request, max_bytes, self.limits.upload_seconds) as form:
            model, file = self.chosen_model(form), file_field(form, "photo")
            sample = samples.photos().get(text_field(form, "sample"))
            if sample is not None:
                content, name = sample.path.read_bytes(), sample.description
            elif file is not None:
                content, name = await file.read(), shown_name(file.filename)
            else:
                raise InputError("choose a photo first")
        return await self.work.run(self._answer, model, content, name, sample)

    def _answer(self, model: str, content: bytes, name: str, sample: samples.Sample | None) -> Response:
        from ostinato.images.reading import read_photo
        from ostinato_caption import Captioner
        from ostinato_caption.pictures import attention_picture

        captioner: Captioner = self.applications.get(model, Captioner)
        photo = read_photo(content)
        beam_width = captioner.decoding.beam_width
        decoding = dataclasses.replace(captioner.decoding, num_captions=min(_NUM_CAPTIONS, beam_width))
        [captions] = captioner.caption([photo], decoding)
        upright = _upright(photo)
        return page(
            "captions_result.html",
            name=name,
            sample=sample,
            photo=picture_url(upright, "JPEG"),
            captions=[_shown(caption) for caption in captions],
            all_words=picture_url(attention_picture(upright, captions[0]), "JPEG"),
        )


def _upright(photo: bytes) -> Image.Image:
    """The photo as the page shows it: RGB, transparency on white, made smaller.

    Pillow decodes it again: to build the graph that decodes photos for the network would take seconds here.
    """
    with Image.open(io.BytesIO(photo)) as image:
        image.thumbnail((_LARGEST_SIDE, _LARGEST_SIDE))
        shown = ImageOps.exif_transpose(image).convert("RGBA")
    ground = Image.new("RGBA", shown.size, "white")
    return Image.alpha_composite(ground, shown).convert("RGB")


def _shown(caption: Caption) -> dict[str, Any]:
    """A caption as the template takes it: words, each with its grid as numbers from 0 to 255."""
    words = [
        {
            "text": word,
            "grid": ",".join(str(value) for value in np.uint8(255 * grid / (grid.max() or 1)).ravel().tolist()),
            "columns": grid.shape[1],
        }
        for word, grid in caption.words()
    ]
    return {"text": caption.text, "probability": caption.probability, "words": words}
