"""Compares the graph tokenizer with the sentencepiece package on every line of some files, and times it.

    python tests/benchmarks/tokenizer_agreement.py --model tokenizer.model train.de train.en.gz ...

Without `--model`, a vocabulary of 8,000 pieces is learned from the files themselves. Prints how many lines were
compared, how many differ, and the speeds; exits with 1 where a line differs.
"""

from __future__ import annotations

import argparse
import gzip
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

from ostinato.text import Tokenizer, normalise, train_sentencepiece
from ostinato.text.graph import GraphTokenizer


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, help="text in UTF-8, one sentence a line, plain or .gz")
    parser.add_argument("--model", type=Path, help="a SentencePiece model")
    parser.add_argument("--batch", type=int, default=256, help="sentences encoded at a time")
    options = parser.parse_args()

    lines = [normalise(line) for path in options.files for line in lines_of(path)]
    model = options.model.read_bytes() if options.model else train_sentencepiece(lines, 8000)
    python, graph = Tokenizer(model), GraphTokenizer(model)
    started = time.perf_counter()
    expected = [python.encode(line) for line in lines]
    reference = time.perf_counter() - started
    graph.encode(lines[:1])  # traces

    started = time.perf_counter()
    found = []
    for first in range(0, len(lines), options.batch):
        found += graph.encode(lines[first : first + options.batch]).to_list()
    batched = time.perf_counter() - started
    times = []
    for line in lines[:500]:
        text = tf.constant([line])
        started = time.perf_counter()
        graph.encode(text)
        times.append(time.perf_counter() - started)

    differences = [place for place, ids in enumerate(expected) if found[place] != ids]
    print(f"{len(lines)} lines compared, {len(differences)} differences")
    print(f"{len(lines) / batched:.0f} sentences/s in batches of {options.batch}, results as Python lists included")
    print(f"{1000 * statistics.median(times):.2f} ms for one sentence (median of {len(times)})")
    print(f"{len(lines) / reference:.0f} sentences/s by the sentencepiece package, one by one")
    for place in differences[:5]:
        print(lines[place], python.pieces(expected[place]), python.pieces(found[place]), sep="\n  ")
    return 1 if differences else 0


def lines_of(path: Path) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        yield from file


if __name__ == "__main__":
    sys.exit(main())
