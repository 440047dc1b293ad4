"""Times `ostinato-translate` against JoeyNMT, English to German, in turns on the same machine.

    python tests/benchmarks/joeynmt_comparison.py --data FOLDER --config CONFIG.yaml --joeynmt PYTHON [--rounds 2]

FOLDER has `train`, `val` and `test_2016_flickr` of Multi30k, `.en.gz` and `.de.gz`. PYTHON is the interpreter of an
environment where `pip install joeynmt==2.3.0 sentencepiece==0.2.0 importlib_metadata` was run, CONFIG.yaml a training
of JoeyNMT whose files lie under `data/`.

Training: target tokens a second, as each program reports them, over the updates that CONFIG.yaml asks for and as many
of ours, with networks of the same sizes: embeddings 256, two layers of bidirectional LSTMs 256, a decoder of 512 with
attention, 6,000 pieces.

Decoding: sentences a second of `test_2016_flickr`, beam 5. JoeyNMT's network has only just begun to learn and would
write on to the greatest length, so that length is set to the mean length of the references: about what a trained
network writes, since JoeyNMT drops sentences that are done. `--as-configured` leaves it as CONFIG.yaml has it. Ours is
the model that ships, whole, from text to text; of JoeyNMT only the search is counted, as it reports it ("Generation
took").
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import sentencepiece

TEST, PIECES = "test_2016_flickr", 6000
_OURS = "from ostinato_translate.cli import main; main()"
_TOKENS = re.compile(r"Step:\s+(\d+),.*Tokens per Sec:\s+(\d+)")
_GENERATION = re.compile(r"Generation took ([\d.]+)\[sec\]")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of Multi30k")
    parser.add_argument("--config", type=Path, required=True, help="JoeyNMT's configuration")
    parser.add_argument("--joeynmt", required=True, help="Python interpreter that has JoeyNMT")
    parser.add_argument("--updates", type=int, default=0, help="of training; those of the configuration if 0")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--as-configured", action="store_true", help="let JoeyNMT write on to its greatest length")
    options = parser.parse_args()
    figures: dict[str, list[float]] = {"joeynmt_tokens": [], "joeynmt_sentences": [], "tokens": [], "sentences": []}
    with tempfile.TemporaryDirectory() as folder:
        peer, ours = Joey(Path(folder), options), Ours(Path(folder), options)
        for _ in range(options.rounds):
            figures["joeynmt_tokens"].append(peer.train())
            figures["tokens"].append(ours.train(peer.updates))
            figures["joeynmt_sentences"].append(peer.translate())
            figures["sentences"].append(ours.translate())
            print(json.dumps(figures), file=sys.stderr)
    best = {name: max(values) for name, values in figures.items()}
    print(
        json.dumps(
            {
                "target_tokens_per_second": [best["tokens"], best["joeynmt_tokens"]],
                "training_times_faster": round(best["tokens"] / best["joeynmt_tokens"], 1),
                "sentences_per_second": [best["sentences"], best["joeynmt_sentences"]],
                "decoding_times_faster": round(best["sentences"] / best["joeynmt_sentences"], 1),
            }
        )
    )


class Joey:
    """JoeyNMT in a folder of its own."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self.folder, self.python = folder / "joeynmt", options.joeynmt
        data = self.folder / "data"
        data.mkdir(parents=True)
        for split in ("train", "val", TEST):
            for language in ("en", "de"):
                with gzip.open(options.data / f"{split}.{language}.gz", "rb") as file:
                    (data / f"{split.split('_')[0]}.{language}").write_bytes(file.read())
        sentencepiece.SentencePieceTrainer.train(
            input=[str(data / "train.en"), str(data / "train.de")],
            model_prefix=str(data / "joint"),
            model_type="bpe",
            vocab_size=PIECES,
            minloglevel=2,
        )
        tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(data / "joint.model"))
        pieces = [tokenizer.id_to_piece(number) for number in range(PIECES)]
        special = {"<unk>", "<s>", "</s>"}
        (data / "vocab.txt").write_text("".join(f"{piece}\n" for piece in pieces if piece not in special))
        references = (data / "test.de").read_text(encoding="utf-8").splitlines()
        self.num_sentences = len(references)
        length = math.ceil(statistics.mean(len(tokenizer.encode(line)) for line in references))

        config = options.config.read_text(encoding="utf-8")
        self.updates = options.updates or int(re.findall(r"^ *updates: *(\d+)", config, re.MULTILINE)[0])
        changes = {
            "updates": self.updates,
            "logging_freq": max(1, self.updates // 6),
            "validation_freq": self.updates,  # once, on a few sentences: only then is there a checkpoint
            "beam_size": 5,
        }
        if not options.as_configured:
            changes["max_output_length"] = length
        for name, value in changes.items():
            config = re.sub(rf"^( *){name}:.*", rf"\g<1>{name}: {value}", config, flags=re.MULTILINE)
        for language in ("en", "de"):
            lines = (data / f"val.{language}").read_text(encoding="utf-8").splitlines()
            (data / f"val.{language}").write_text("\n".join(lines[:10]) + "\n", encoding="utf-8")
        (self.folder / "config.yaml").write_text(config, encoding="utf-8")

    def train(self) -> float:
        """Target tokens a second, the first sixth of the updates left out."""
        found = [(int(step), float(tokens)) for step, tokens in _TOKENS.findall(self._run("train", "--skip-test"))]
        return statistics.median(tokens for step, tokens in found[1:] or found)

    def translate(self) -> float:
        """Sentences a second of the test set."""
        seconds = _GENERATION.findall(self._run("test"))
        return round(self.num_sentences / float(seconds[-1]), 1)

    def _run(self, *words: str) -> str:
        command = [self.python, "-m", "joeynmt", words[0], "config.yaml", *words[1:]]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"JoeyNMT failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        return done.stdout + done.stderr


class Ours:
    """`ostinato-translate` with the same sizes for training, and with the model that ships for decoding."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self.run, self.source = folder / "run", options.data / f"{TEST}.en.gz"
        self._call(
            *("prepare", "--data", options.data, "--run", self.run),
            *("--languages", "en", "--languages", "de", "--vocabulary-size", PIECES),
        )
        settings = 'directions = ["en-de"]\ntokens_per_batch = 2400\n'
        (self.run / "train.toml").write_text(settings, encoding="utf-8")

    def train(self, updates: int) -> float:
        """Target tokens a second."""
        said = self._call("bench", "--run", self.run, "--repeats", updates, "--format", "json")
        return json.loads(said)["target_tokens_per_second"]

    def translate(self) -> float:
        """Sentences a second of the test set."""
        said = self._call("bench", "--source", self.source, "--to", "de", "--repeats", 1, "--format", "json")
        return json.loads(said)["sentences_per_second"]

    def _call(self, *words: object) -> str:
        command = [sys.executable, "-c", _OURS, *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"ostinato-translate failed: {done.stderr[-2000:]}")
        return done.stdout


if __name__ == "__main__":
    main()
