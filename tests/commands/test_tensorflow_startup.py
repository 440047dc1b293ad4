import os
import subprocess
import sys
from pathlib import Path

import pytest

from ostinato.commands import tensorflow_startup

SOURCE_ROOT = Path(__file__).parents[2] / "shared"

WORK = """
import gc, sys
from ostinato.commands import quiet_tensorflow

tf = quiet_tensorflow()
assert quiet_tensorflow() is tf
assert gc.isenabled() and gc.get_freeze_count() > 100_000  # TensorFlow's objects, which no collection walks through

class Lengths(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, texts):
        return {"lengths": tf.strings.length(texts), "noise": tf.random.uniform([3])}

lengths = Lengths()
tf.saved_model.save(lengths, sys.argv[1], signatures={"serving_default": lengths.__call__})
loaded = tf.saved_model.load(sys.argv[1])
print(loaded.signatures["serving_default"](tf.constant(["abc", "odd"]))["lengths"].numpy().tolist())
if sys.argv[2] == "fit":
    import keras

    model = keras.Sequential([keras.Input((5, 3)), keras.layers.LSTM(7), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(tf.zeros([4, 5, 3]), tf.zeros([4, 1]), verbose=0)
sys.stderr.write("own message")
"""


def environment(**changes):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "KERAS_"))}
    return {**kept, "PYTHONPATH": str(SOURCE_ROOT), **changes}


def run(script, **changes):
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment(**changes), check=True
    )


def test_import_saved_model_and_training_write_nothing_to_standard_error(tmp_path):
    process = subprocess.run(
        [sys.executable, "-c", WORK, str(tmp_path / "model"), "fit"],
        capture_output=True,
        text=True,
        env=environment(KERAS_BACKEND="tensorflow"),
        check=False,
    )
    assert (process.returncode, process.stdout, process.stderr) == (0, "[3, 3]\n", "own message")


@pytest.mark.parametrize(
    ("server", "starts"), [(None, True), ("grpc://localhost:8500", True), ("http://localhost:8501", False)]
)
def test_tensorflow_is_started_where_this_process_computes_or_grpc_needs_it(server, starts, monkeypatch):
    started = []
    monkeypatch.setattr(tensorflow_startup, "quiet_tensorflow", lambda **options: started.append(options))
    tensorflow_startup.quiet_tensorflow_for(server)
    assert started == ([{"runs_exported": True}] if starts else [])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("import os; os.write(2, b'missing library\\n'); raise ImportError('broken')", "missing library\n"),
        ("import os; os.write(2, b'noise\\n')", ""),
    ],
)
def test_what_a_failing_import_says_is_shown_and_what_a_good_one_says_is_not(tmp_path, body, expected):
    (tmp_path / "tensorflow.py").write_text(body)
    script = (
        "import os\n"
        "from ostinato.commands import quiet_tensorflow\n"
        "try: quiet_tensorflow()\n"
        "except ImportError: os.write(2, b'')\n"
    )
    process = run(script, PYTHONPATH=os.pathsep.join([str(tmp_path), str(SOURCE_ROOT)]))
    assert process.stderr == expected


@pytest.mark.parametrize("runs_exported", [True, False])
def test_programs_that_make_no_model_begin_without_keras_and_may_import_it_later(runs_exported):
    script = (
        "import sys\n"
        "from ostinato.commands import quiet_tensorflow\n"
        f"tf = quiet_tensorflow(runs_exported={runs_exported})\n"
        "print('keras' in sys.modules, 'jax' in sys.modules, 'zeros' in vars(tf))\n"
        "import keras\n"
        "print(keras.layers.Dense(2)(tf.zeros([3, 5])).shape, tf.keras.layers.Dense is keras.layers.Dense)\n"
    )
    process = run(script, KERAS_BACKEND="tensorflow")
    taken, made = process.stdout.splitlines()
    assert made == "(3, 2) True"
    assert process.stderr == ""
    if runs_exported:
        assert taken == "False False False"
    else:
        assert taken.split()[::2] == ["True", "True"]


@pytest.mark.parametrize("installed", ["a package", "a library"])
def test_devices_that_are_plugged_in_are_looked_for_where_there_are_any(tmp_path, monkeypatch, installed):
    assert not tensorflow_startup._has_plugged_in_devices()
    if installed == "a package":
        (tmp_path / "tensorflow-plugins").mkdir()
        monkeypatch.syspath_prepend(tmp_path)
    else:
        monkeypatch.setenv("TF_PLUGGABLE_DEVICE_LIBRARY_PATH", "/somewhere/device.so")
    assert tensorflow_startup._has_plugged_in_devices()


def test_all_of_tensorflow_is_imported_where_devices_are_plugged_in(tmp_path):
    (tmp_path / "tensorflow-plugins").mkdir()
    script = (
        "from ostinato.commands import quiet_tensorflow\nprint('zeros' in vars(quiet_tensorflow(runs_exported=True)))\n"
    )
    assert run(script, PYTHONPATH=os.pathsep.join([str(tmp_path), str(SOURCE_ROOT)])).stdout == "True\n"


@pytest.mark.parametrize(
    ("how", "keeps"), [({}, True), ({"runs_exported": True}, True), ({"runs_exported": True, "serves": True}, False)]
)
def test_programs_keep_what_is_freed_but_servers_give_it_back(monkeypatch, how, keeps):
    asked = []
    monkeypatch.setattr(tensorflow_startup, "keep_freed_memory", lambda: asked.append("to keep it"))
    tensorflow_startup.quiet_tensorflow(**how)
    assert asked == ["to keep it"] * keeps
