import subprocess
import sys
from pathlib import Path

import pytest

from ostinato.commands import run_application
from ostinato_serve import running
from ostinato_serve.cli import app

ROOT = Path(__file__).parents[2]


@pytest.fixture
def served(monkeypatch):
    """What `serve` was called with."""
    calls = []
    monkeypatch.setattr(running, "serve", lambda *arguments, **settings: calls.append((arguments, settings)))
    monkeypatch.delenv("OSTINATO_TOKEN", raising=False)
    return calls


def test_help_starts_no_framework():
    heavy = "tensorflow,keras,uvicorn,starlette,grpc"
    code = f"import sys, ostinato_serve.cli; print([name for name in '{heavy}'.split(',') if name in sys.modules])"
    environment = {"PYTHONPATH": f"{ROOT / 'shared'}:{ROOT / 'apps'}"}
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert ended.stdout == "[]\n"


def test_flags_and_a_file_set_what_is_served_and_how(served, tmp_path, monkeypatch):
    (tmp_path / "serve.toml").write_text("max_batch_size = 8\nport = 9000\n")
    monkeypatch.setenv("OSTINATO_TOKEN", "sesame")
    arguments = ["run", "a", "b", "--config", str(tmp_path / "serve.toml"), "--port", "9001", "--no-grpc", "--quiet"]
    assert run_application(app, arguments) == 0
    ((arguments, settings),) = served
    folders, models_config, bind, batching, *_, token = arguments
    assert (folders, models_config, token, settings) == (("a", "b"), None, "sesame", {"quiet": True})
    assert (bind.host, bind.port, bind.grpc, bind.allow_remote) == ("127.0.0.1", 9001, False, False)
    assert (batching.max_batch_size, batching.num_threads > 0) == (8, True)


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--port", "70000"),
        ("--port", "a"),
        ("--max-batch-size", "0"),
        ("--max-batch-seconds", "-1.0"),
        ("--batch-timeout-ms", "inf"),  # a clock cannot wait that long
        ("--batch-threads", "100000"),
        ("--max-queue", "0"),
        ("--max-queue-mb", "inf"),
        ("--max-rows", "0"),
        ("--drain-seconds", "0"),
        ("--timeout-seconds", "nan"),
        ("--poll-seconds", "1e+300"),
        ("--max-video-mb", "inf"),
    ],
)
def test_a_setting_out_of_range_is_named(served, capsys, flag, value):
    assert run_application(app, ["run", flag, value]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert value in message
    assert served == []


def test_what_cannot_be_served_is_one_sentence(monkeypatch, capsys, tmp_path):
    monkeypatch.delenv("OSTINATO_TOKEN", raising=False)
    for arguments, sentence in [
        (["--host", ""], "host: name an address to listen at, such as 127.0.0.1"),
        (["--host", "0.0.0.0"], "--host 0.0.0.0 lets other machines ask; add --allow-remote"),
        (["--host", "0.0.0.0", "--allow-remote"], "--host 0.0.0.0 lets other machines ask; set OSTINATO_TOKEN"),
        ([str(tmp_path / "nothing")], f"No model {tmp_path / 'nothing'}"),
    ]:
        assert run_application(app, ["run", *arguments]) == 2
        message = capsys.readouterr().err
        assert message.startswith(f"ostinato-serve: {sentence}")
        assert message.count("\n") == 1
