"""Layers and decoding on another Keras backend, in a process of its own: Keras fixes its backend when imported."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

ROOT = Path(__file__).parents[2]
SAME_TESTS = (
    "tests/conformance/test_layers.py",
    "tests/layers/test_attention.py",
    "tests/layers/test_attention_decoder.py",
    "tests/layers/test_encoder_decoder.py",
    "tests/layers/test_sequence_classifier.py",
    "tests/decoding",
)
# That it learns is no question of the backend: that every weight is moved the right way is among the tests of layers.
LEFT_OUT = (
    "--deselect",
    "tests/layers/test_sequence_classifier.py::test_the_mark_seen_last_is_learned_with_recurrence_and_cannot_be_without",
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
        # Each layer that is made anew is compiled anew, although it is the same program: kept on disk, it is found.
        "JAX_COMPILATION_CACHE_DIR": str(compiled_programs),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    # One process for all of them: each start takes seconds.
    result = run_on_jax("-m", "pytest", "-q", "-p", "no:cacheprovider", *SAME_TESTS, *LEFT_OUT, **compiling)
    assert result.returncode == 0, result.stdout[-8000:] + result.stderr[-2000:]
    assert " passed" in result.stdout


def test_layers_and_decoding_need_no_tensorflow():
    result = run_on_jax("-c", "import sys, ostinato.layers, ostinato.decoding; assert 'tensorflow' not in sys.modules")
    assert result.returncode == 0, result.stderr
