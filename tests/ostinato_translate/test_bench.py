import time
from typing import Any

import pytest

from ostinato_translate.bench import bench_training, bench_translation, matrix_product_gflops
from ostinato_translate.config import DecodingConfig, TrainConfig


class Slow:
    """Stands in for a translator: a millisecond a call, and another a sentence."""

    decoding = DecodingConfig(num_translations=3, length_penalty=0.5)

    def __init__(self):
        self.asked = []

    def translate(self, texts, to, *, decoding):
        self.asked.append((texts, to, decoding))
        time.sleep(0.001 + 0.001 * (1 if isinstance(texts, str) else len(texts)))


def test_all_sentences_are_timed_together_and_some_alone():
    translator: Any = Slow()
    texts = [f"sentence {number}" for number in range(20)]
    bench = bench_translation(translator, texts, "de", beam_width=4, repeats=5)
    alone = [asked for asked in translator.asked if isinstance(asked[0], str)]
    assert [text for text, _, _ in alone[:5]] == [texts[0], texts[4], texts[8], texts[12], texts[16]]
    assert len(translator.asked) == 3 * 5 + 5  # two rounds of each are warm-up
    assert all((decoding.beam_width, decoding.num_translations) == (4, 1) for _, _, decoding in translator.asked)
    assert bench.sentences == 20
    assert 2 <= bench.call_ms <= bench.slowest_call_ms
    assert 100 < bench.sentences_per_second < 20 / 0.021
    assert set(bench.to_dict()) >= {"sentences_per_second", "call_ms", "peak_memory_mb"}


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_training_is_timed_on_a_run_of_any_size(run, precision, monkeypatch, eager):
    asked = []

    def peak(dtype):
        asked.append(dtype)
        return 50.0

    monkeypatch.setattr("ostinato_translate.bench.matrix_product_gflops", peak)
    config = TrainConfig(
        embedding_size=8,
        encoder_units=8,
        encoder_layers=1,
        units=8,
        attention_units=4,
        tokens_per_batch=60,
        precision=precision,
    )
    figures = bench_training(run, config, repeats=2)
    assert figures["target_tokens_per_second"] > 0
    assert figures["update_ms"] > 0
    assert figures["peak_gflops"] == 50
    assert figures["share_of_peak"] == pytest.approx(2 * figures["gflops"], abs=0.2)
    assert asked == ["float32" if precision == "float32" else "bfloat16"]
    assert not run.metrics_path.exists()
    assert not run.begun_phases()


def test_a_matrix_product_is_fast():
    assert matrix_product_gflops("float32", side=256) > 0.1
