"""Layers and decoding on another Keras backend, in a process of its own: Keras fixes its backend when imported."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

ROOT = Path(__file__).parents[2]
# All that every layer must do, and one test of each thing that is computed: JAX compiles each anew, for minutes.
SAME_TESTS = (
    "tests/conformance/test_layers.py",
    "tests/test_gathering.py",
    "tests/layers/test_attention.py",
    "tests/layers/test_attention_decoder.py::test_stepping_through_a_target_gives_what_teacher_forcing_gives",
    "tests/layers/test_encoder_decoder.py::test_encoding_and_stepping_give_what_the_whole_model_gives",
    "tests/layers/test_running_pooling.py",
    "tests/layers/test_sequence_classifier.py::test_stepping_through_a_stream_gives_what_the_whole_stream_gives",
    "tests/layers/test_sequence_classifier.py::test_padding_changes_nothing_and_holds_the_last_label_of_the_clip",
    "tests/layers/test_sequence_classifier.py::test_an_encoder_reads_the_frames_and_its_state_goes_with_the_others",
    "tests/decoding/test_beam_search.py::test_narrow_beams_keep_the_best_of_every_length",
    "tests/decoding/test_beam_search_repeats.py::test_without_repeats_wide_beams_find_the_best_sentences_that_repeat_nothing",
    "tests/decoding/test_beam_search.py::test_finished_sentences_stand_before_unfinished_ones",
    "tests/decoding/test_beam_search_coverage.py::test_unfinished_sentences_are_scored_by_what_they_cover_too",
    "tests/decoding/test_beam_search_inputs.py::test_the_best_sentences_that_begin_as_given_are_found",
    "tests/decoding/test_beam_search_pruning.py::test_a_great_threshold_gives_nothing_up",
    "tests/decoding/test_next_tokens.py::test_the_most_probable_tokens_behind_each_prefix_are_found",
    "tests/decoding/test_rules.py",
    "tests/decoding/test_sampling.py::test_top_p_counts_among_what_top_k_leaves",
    "tests/decoding/test_sampling.py::test_greedy_takes_the_most_probable_token_at_every_step",
    "tests/decoding/test_sampling.py::test_samples_come_with_their_log_probability_and_attention_best_first",
    "tests/decoding/test_scoring.py::test_log_probabilities_of_sequences_are_sums_over_tokens_but_not_over_padding",
)

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed"),
    pytest.mark.skipif(keras.backend.backend() == "jax", reason="this is the process of its own"),
]


def run_on_jax(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    source_roots = os.pathsep.join(str(ROOT / name) for name in ("shared", "apps"))
    environment = {
        **os.environ,
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": source_roots,
        **environment,
    }
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def compiled_programs(pytestconfig, tmp_path):
    """A folder that outlives the tests, unless pytest is to keep nothing."""
    cache = getattr(pytestconfig, "cache", None)
    return tmp_path if cache is None else cache.mkdir("jax_programs")


@pytest.mark.timeout(900)  # on a busy machine
def test_the_same_tests_pass_on_jax(compiled_programs):
    compiling = {  # takes nearly all the time
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
        "XLA_FLAGS": "--xla_cpu_use_fusion_emitters=false",  # which take as long as all the rest of it
        # Each layer that is made anew is compiled anew, although it is the same program: kept on disk, it is found.
        "JAX_COMPILATION_CACHE_DIR": str(compiled_programs),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    # One process for all of them: each start takes seconds.
    result = run_on_jax("-m", "pytest", "-q", "-p", "no:cacheprovider", *SAME_TESTS, **compiling)
    assert result.returncode == 0, result.stdout[-8000:] + result.stderr[-2000:]
    assert " passed" in result.stdout


def test_layers_and_decoding_need_no_tensorflow():
    result = run_on_jax("-c", "import sys, ostinato.layers, ostinato.decoding; assert 'tensorflow' not in sys.modules")
    assert result.returncode == 0, result.stderr
