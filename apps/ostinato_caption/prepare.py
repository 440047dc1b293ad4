"""Raw data to a run directory: vocabulary, examples, features."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from ostinato.errors import DataError, InputError
from ostinato.files import write_atomically
from ostinato.text import Tokenizer, train_sentencepiece
from ostinato_caption.config import PrepareConfig
from ostinato_caption.data import UNLISTED, Example, check_photos, clean_caption
from ostinato_caption.features import cache_features
from ostinato_caption.image_network import fixed_name, image_network
from ostinato_caption.run import Run

_HELD_OUT = 20  # where the data name no splits, about one photo in so many is kept for validation


@dataclasses.dataclass(frozen=True)
class Prepared:
    """What `prepare` found."""

    photos: dict[str, int]
    """usable photos of each split"""
    captions: int
    skipped_photos: int
    """damaged or missing"""
    skipped_captions: int
    """empty, or longer than the greatest length"""
    pieces: int
    """size of the vocabulary"""


def prepare(
    run: Run,
    examples: Sequence[Example],
    config: PrepareConfig,
    *,
    on_error: Callable[[InputError], None] = lambda error: None,
    on_photo: Callable[[], None] = lambda: None,
) -> Prepared:
    """Makes a run directory. One that was made from the same data with the same settings is left as it is.

    Args:
      run: the run directory; made if it is missing.
      examples: captioned photos, as `read_examples` returns them.
      config: settings.
      on_error: told of each photo that cannot be read; it is skipped.
      on_photo: called after each photo.

    Raises:
      DataError: the directory was prepared from other data or with other settings, or no photo can be read.
      ConfigError: there is no such image network.
    """
    config = dataclasses.replace(config, network=fixed_name(config.network))
    examples = _with_splits(examples)
    fingerprint = _fingerprint(examples, config)
    if run.is_prepared_from(fingerprint):
        return Prepared(**run.prepared["counts"])

    check_photos(examples)
    encoder = image_network(config.network)
    run.folder.mkdir(parents=True, exist_ok=True)
    captions = [clean_caption(text) for example in examples if example.split == "train" for text in example.captions]
    if not captions:
        raise DataError("the data hold no training captions; give photos of the split train")
    model = train_sentencepiece(captions, config.vocabulary_size)
    write_atomically(run.tokenizer_path, model)
    tokenizer = Tokenizer(model)

    examples, skipped_captions = _usable(examples, tokenizer, config.max_pieces)
    good = cache_features(
        run.features_path,
        encoder,
        [example.image for example in examples],
        image_size=config.image_size,
        mirrored=config.mirrored,
        num_varied=config.varied,
        on_error=on_error,
        on_photo=on_photo,
    )
    # The damaged ones keep their rows (zeros) but belong to no split.
    kept = set(good)
    examples = [
        example if row in kept else dataclasses.replace(example, split="damaged")
        for row, example in enumerate(examples)
    ]
    lines = (json.dumps(dataclasses.asdict(example), ensure_ascii=False) + "\n" for example in examples)
    write_atomically(run.examples_path, "".join(lines))
    photos = Counter(example.split for example in examples if example.split != "damaged")
    if not photos["train"]:
        raise DataError("no training photo can be read; check the folder of photos")
    prepared = Prepared(
        photos=dict(photos),
        captions=sum(len(example.captions) for example in examples if example.split != "damaged"),
        skipped_photos=len(examples) - len(good),
        skipped_captions=skipped_captions,
        pieces=tokenizer.size,
    )
    run.write_prepared(config, fingerprint, prepared)
    return prepared


def _with_splits(examples: Sequence[Example]) -> list[Example]:
    """Gives photos without a split to training, and some training photos to validation if there are none for it."""
    has_dev = any(example.split == "dev" for example in examples)

    def split(example: Example) -> str:
        if example.split not in ("", "train"):
            return example.split
        # by name, so that a photo never changes sides when others are added
        held_out = zlib.crc32(os.fsencode(Path(example.image).name)) % _HELD_OUT == 0
        return "dev" if held_out and not has_dev else "train"

    named = [
        dataclasses.replace(example, split=split(example), image=str(Path(example.image).resolve()))
        for example in examples
        if example.split != UNLISTED
    ]
    training = [place for place, example in enumerate(named) if example.split == "train"]
    if len(training) > 1 and not any(example.split == "dev" for example in named):
        named[training[-1]] = dataclasses.replace(named[training[-1]], split="dev")
    return named


def _usable(examples: Sequence[Example], tokenizer: Tokenizer, max_pieces: int) -> tuple[list[Example], int]:
    """Cleans training captions and drops empty and overlong ones; those of other splits stay as people wrote them."""
    kept, skipped = [], 0
    for example in examples:
        captions = example.captions
        if example.split == "train":
            captions = tuple(clean_caption(text) for text in captions)
            captions = tuple(text for text in captions if text and len(tokenizer.encode(text)) <= max_pieces)
            skipped += len(example.captions) - len(captions)
        if captions:
            kept.append(dataclasses.replace(example, captions=captions))
    return kept, skipped


def _fingerprint(examples: Sequence[Example], config: PrepareConfig) -> str:
    content = json.dumps([[dataclasses.asdict(example) for example in examples], dataclasses.asdict(config)])
    return hashlib.sha256(content.encode()).hexdigest()
