"""Translation sets of TensorFlow Datasets, such as `tfds:ted_hrlr_translate/pt_to_en`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ostinato.errors import DataError
from ostinato.tfds_builder import download, find_builder
from ostinato.untuned import untuned
from ostinato_translate.languages import language_code
from ostinato_translate.rows import Row, split_of

_EXAMPLE = "ted_hrlr_translate/pt_to_en"
_USUAL_SPLITS = ("train", "validation", "test")


def open_tfds(
    name: str, data_dir: str | Path | None = None
) -> tuple[set[str], Callable[[Sequence[str]], Iterator[Row]]]:
    """Opens a translation set of TensorFlow Datasets, downloading it on first use.

    Args:
      name: such as `wmt16_translate/de-en`. Its examples are a translation (texts by language), or have one as a
        feature, also one of varying languages, as `ted_multi_translate` has.
      data_dir: where TensorFlow Datasets keeps its files; its own default if not given.

    Returns:
      The codes of its languages, and a function that yields its rows with those of the given languages.

    Raises:
      DataError: TensorFlow Datasets is not installed, has no such set, or it cannot be downloaded.
    """
    builder = find_builder(name, data_dir, such_as=_EXAMPLE)
    feature = _translation_feature(builder.info.features or {})
    if feature is None:
        raise DataError(f"tfds:{name} has no texts by language; name a translation set, such as {_EXAMPLE}")
    download(builder, name)
    # The library's mock data stand for splits of any name and therefore name none.
    splits = list(builder.info.splits) or _USUAL_SPLITS

    def read(languages: Sequence[str]) -> Iterator[Row]:
        for split in splits:
            dataset = builder.as_dataset(split=split, shuffle_files=False, as_supervised=False)
            for record in untuned(dataset).as_numpy_iterator():
                texts = _texts(record[feature] if feature else record)
                yield Row(split_of(split) or split, {code: texts[code] for code in texts if code in languages})

    features = builder.info.features
    names = _languages_of(features[feature] if feature else features)
    return {code for code in map(language_code, names) if code}, read


def _translation_feature(features: Mapping[str, Any]) -> str | None:
    """Returns the name of the feature that has the texts; empty where the whole example is it, None if none is."""
    places = {"": features, **features}
    return next((name for name, feature in places.items() if len(_languages_of(feature)) > 1), None)


def _languages_of(feature: Any) -> list[str]:
    import tensorflow_datasets as tfds

    if isinstance(feature, tfds.features.TranslationVariableLanguages):
        return list(feature.languages or ())
    if not isinstance(feature, tfds.features.FeaturesDict):
        return []
    return [name for name, part in feature.items() if isinstance(part, tfds.features.Text) and language_code(name)]


def _texts(record: Mapping[str, Any]) -> dict[str, str]:
    """Returns the texts of a translation by language code."""
    if set(record) == {"language", "translation"}:  # of varying languages
        record = {name.decode(): text for name, text in zip(*map(record.get, ("language", "translation")), strict=True)}
    codes = {name: language_code(name) for name in record}
    return {code: record[name].decode(errors="replace") for name, code in codes.items() if code}
