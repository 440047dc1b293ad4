"""A sentence in, translations out, with what each word looked at."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ostinato.errors import InputError
from ostinato_serve.page import samples
from ostinato_serve.page.rendering import page, picture_url
from ostinato_serve.page.tab import Tab, answering
from ostinato_serve.page.uploads import form_of, text_field
from ostinato_serve.page.word_alignment import aligned_words

if TYPE_CHECKING:
    from ostinato_translate import Translator

_NUM_TRANSLATIONS = 3
_MAX_CHARACTERS = 2000
_FORM_BYTES = 2**16
_MOST_PIECES_DRAWN = 80  # of a longer text nobody could read the picture


class TranslateTab(Tab):
    """One model, many languages."""

    key, title = "translations", "Translation"
    application = "ostinato_translate"
    missing = "No model that translates is served here; start the server with the folder of one."

    def values(self) -> dict[str, Any]:
        translators = {name: self._translator(name) for name in self.models()}
        directions = sorted({pair for each in translators.values() for pair in each.directions})
        languages = {language for pair in directions for language in pair}
        return {
            "directions": directions,
            "sources": sorted({source for source, _ in directions}),
            "targets": sorted({target for _, target in directions}),
            "samples": [sentence for sentence in samples.sentences() if sentence.language in languages],
            "max_characters": _MAX_CHARACTERS,
        }

    def routes(self) -> list[BaseRoute]:
        return [Route("/translations", answering(self._translate), methods=["POST"])]

    async def _translate(self, request: Request) -> Response:
        async with form_of(request, _FORM_BYTES, self.limits.upload_seconds) as form:
            model = self.chosen_model(form)
            text, source, target = (text_field(form, name).strip() for name in ("text", "source", "target"))
        if not text:
            raise InputError("type a sentence first")
        if len(text) > _MAX_CHARACTERS:
            raise InputError(f"the text has {len(text)} characters; give at most {_MAX_CHARACTERS} at a time")
        return await self.work.run(self._answer, model, text, source, target)

    def _answer(self, model: str, text: str, source: str, target: str) -> Response:
        from ostinato_translate.alignment_picture import alignment_picture

        translator = self._translator(model)
        if source and (source, target) not in translator.directions:
            known = ", ".join(to for of, to in translator.directions if of == source) or "none"
            raise InputError(
                f"the model has not learned to translate from {source} to {target}; languages to choose: {known}"
            )
        width = translator.decoding.beam_width
        decoding = dataclasses.replace(translator.decoding, num_translations=min(_NUM_TRANSLATIONS, width))
        [translations] = translator.translate(text, target, decoding=decoding)
        best = translations[0]
        return page(
            "translations_result.html",
            text=text,
            source=source,
            target=target,
            best=best,
            others=[other.text for other in translations[1:] if other.text and other.text != best.text],
            alignment=aligned_words(best, text),
            picture=picture_url(alignment_picture(best)) if len(best.pieces) <= _MOST_PIECES_DRAWN else "",
        )

    def _translator(self, name: str) -> Translator:
        from ostinato_translate import Translator

        translator: Translator = self.applications.get(name, Translator)
        return translator
