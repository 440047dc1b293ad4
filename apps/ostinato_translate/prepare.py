"""Parallel text to a run directory: vocabulary, sentences as piece ids, validation rows."""

from __future__ import annotations

import dataclasses
import hashlib
import heapq
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np

from ostinato.array_file import ArrayFile
from ostinato.errors import DataError
from ostinato.files import write_atomically
from ostinato.text import Tokenizer, train_sentencepiece
from ostinato.text.normalise import normalise
from ostinato_translate.cleaning import Cleaner, LeftOut, hash_row, normalise_row
from ostinato_translate.config import PrepareConfig
from ostinato_translate.data import Corpus
from ostinato_translate.languages import language_token
from ostinato_translate.run import Run
from ostinato_translate.starting import starting_version, take_over, take_over_nothing

# Where the data name no validation rows, one of so many is held out, and no more than so many of a large corpus.
_HELD_OUT_SHARE = 20
_MOST_HELD_OUT = 1000
_TRAINING = ("train", "")
_LARGEST_FOR_UINT16 = 2**16


@dataclasses.dataclass(frozen=True)
class Prepared:
    """What `prepare` found."""

    rows: dict[str, int]
    """rows of each split: of train and dev those that are used, of others all"""
    sentences: dict[str, int]
    """training sentences of each language"""
    left_out: dict[str, int]
    """what was cleaned away from the training rows, as `LeftOut` has it"""
    tokens: int
    """pieces of all training sentences"""
    pieces: int
    """size of the vocabulary"""


@dataclasses.dataclass(frozen=True)
class _Survey:
    """What one must know of a corpus before its rows can be used."""

    fingerprint: str
    rows: Counter[str]
    """of each split"""
    held_out: frozenset[int]
    """hashes of the training rows that are kept for validation"""


def prepare(run: Run, corpus: Corpus, config: PrepareConfig, *, on_row: Callable[[], None] = lambda: None) -> Prepared:
    """Makes a run directory. One that was made from the same data with the same settings is left as it is.

    The corpus is read once each for the fingerprint, the vocabulary if one is learned, and the arrays, and is never in
    memory as a whole. Only training rows go into vocabulary and arrays.

    Args:
      run: the run directory; made if it is missing.
      corpus: parallel text, as `open_corpus` returns it.
      config: settings.
      on_row: called after each row that has become arrays.

    Raises:
      DataError: the directory was prepared from other data or with other settings, the data cannot be read, lack a
        language, or hold no training rows.
      ConfigError, ModelError: it cannot start from that model, see `starting_version`.
    """
    languages = corpus.choose_languages(config.languages)
    start = starting_version(config.start_from, languages) if config.start_from else None
    config = dataclasses.replace(config, languages=languages, start_from=str(start or ""))
    survey = _survey(corpus, config)
    if run.is_prepared_from(survey.fingerprint):
        return Prepared(**run.prepared["counts"])

    cleaner = Cleaner(config)
    training = (row for split, row in _used_rows(corpus, survey, cleaner, config) if split == "train")
    first = next(training, None)
    if first is None:
        raise _nothing_left(corpus, "row", cleaner.left_out)
    if start:
        take_over(run, start)
    else:
        take_over_nothing(run)
        model = train_sentencepiece(
            (text for row in itertools.chain([first], training) for text in row.values()),
            config.vocabulary_size,
            control_symbols=[language_token(language) for language in languages],
        )
        write_atomically(run.tokenizer_path, model)
    tokenizer = Tokenizer.load(run.tokenizer_path)

    cleaner = Cleaner(config)
    dev_rows = []
    sentences = Counter(dict.fromkeys(languages, 0))
    num_rows = num_tokens = 0
    dtype = np.uint16 if tokenizer.size <= _LARGEST_FOR_UINT16 else np.uint32
    with ArrayFile(run.tokens_path, dtype) as tokens, ArrayFile(run.offsets_path, np.int64) as offsets:
        offsets.append([0])
        for split, row in _used_rows(corpus, survey, cleaner, config):
            if split == "dev":
                dev_rows.append(row)
                continue
            kept = cleaner.limit({language: tokenizer.encode(text) for language, text in row.items()})
            if kept and split == "held_out":
                dev_rows.append({language: row[language] for language in kept})
            elif kept:
                ids = [kept.get(language, []) for language in languages]
                ends = num_tokens + np.cumsum([len(sentence) for sentence in ids])
                tokens.append([piece_id for sentence in ids for piece_id in sentence])
                offsets.append(ends)
                num_rows, num_tokens = num_rows + 1, int(ends[-1])
                sentences.update(kept.keys())
            on_row()
    _check_enough(corpus, sentences, len(dev_rows), cleaner.left_out)
    write_atomically(run.dev_path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in dev_rows))
    prepared = Prepared(
        rows={**survey.rows, "train": num_rows, "dev": len(dev_rows)},
        sentences=dict(sentences),
        left_out=dataclasses.asdict(cleaner.left_out),
        tokens=num_tokens,
        pieces=tokenizer.size,
    )
    run.write_prepared(config, survey.fingerprint, prepared)
    return prepared


def _survey(corpus: Corpus, config: PrepareConfig) -> _Survey:
    """Reads all rows once."""
    settings = dataclasses.asdict(config)
    if not config.start_from:
        del settings["start_from"]  # runs that were prepared before there was such a setting have none either
    content = hashlib.sha256(json.dumps(settings).encode())
    counts: Counter[str] = Counter()
    candidates = _SmallestHashes(_MOST_HELD_OUT)
    for row in corpus.read(config.languages):
        content.update(json.dumps([row.split, row.sentences]).encode())
        counts["train" if row.split in _TRAINING else row.split] += 1
        if row.split in _TRAINING and not counts["dev"]:
            normalised = normalise_row(row.sentences)
            if len(normalised) > 1:
                candidates.add(hash_row(normalised))
    if not counts["train"]:
        raise DataError(f"{corpus.name} has no training rows; name a file train, or give rows without a split")
    num_held_out = 0 if counts["dev"] else max(1, counts["train"] // _HELD_OUT_SHARE)
    return _Survey(content.hexdigest(), counts, frozenset(candidates.smallest(num_held_out)))


class _SmallestHashes:
    """The smallest of many hashes, each once: a choice that depends on neither order nor duplicates."""

    def __init__(self, most: int):
        self._most = most
        self._negated: list[int] = []  # a heap has its smallest first, and the greatest is the one to replace

    def add(self, row_hash: int) -> None:
        if (len(self._negated) == self._most and -row_hash <= self._negated[0]) or -row_hash in self._negated:
            return
        heapq.heappush(self._negated, -row_hash)
        if len(self._negated) > self._most:
            heapq.heappop(self._negated)

    def smallest(self, number: int) -> list[int]:
        return [-negated for negated in heapq.nlargest(number, self._negated)]


def _used_rows(
    corpus: Corpus, survey: _Survey, cleaner: Cleaner, config: PrepareConfig
) -> Iterator[tuple[str, dict[str, str]]]:
    """Yields `train` or `held_out` and what cleaning leaves of a training row, `dev` and a row as people wrote it."""
    for row in corpus.read(config.languages):
        if row.split in _TRAINING:
            kept = cleaner.clean(row.sentences)
            if kept:
                yield "held_out" if survey.held_out and hash_row(kept) in survey.held_out else "train", kept
        elif row.split == "dev":
            as_written = {language: text.strip() for language, text in row.sentences.items() if normalise(text)}
            if len(as_written) > 1:
                yield "dev", as_written


def _check_enough(corpus: Corpus, sentences: Counter[str], num_dev_rows: int, left_out: LeftOut) -> None:
    """Raises DataError where a language cannot be learned, or what is learned not be watched."""
    for language, number in sentences.items():
        if not number:
            raise _nothing_left(corpus, f"sentence in {language!r}", left_out)
    if not num_dev_rows:
        raise DataError(f"{corpus.name} has no validation row in two of the languages; give more text")


def _nothing_left(corpus: Corpus, what: str, left_out: LeftOut) -> DataError:
    counts = dataclasses.asdict(left_out).items()
    reasons = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts)
    return DataError(f"{corpus.name} has no training {what} after cleaning ({reasons}); give more, or other languages")
