import contextlib
import functools
import io
import re
import sys

import pytest

from ostinato.training import Progress, ProgressBar

EPOCHS = {"frozen": 5, "fine_tune": 2}


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock():
    return Clock()


def record(epoch, score, *, updates=20):
    return {"epoch": epoch, "loss": 4.0 / epoch, "cider_d": score, "updates": updates * epoch, "seconds": 8.0}


def progress_after(*scores, **changes):
    best = max(range(len(scores)), key=lambda i: scores[i])
    history = [record(epoch, score) for epoch, score in enumerate(scores, start=1)]
    return Progress(len(scores), scores[best], best + 1, history, **changes)


def make_bar(stream, clock, **options):
    options = {"score": "cider_d", "score_name": "CIDEr-D", "epochs": EPOCHS, **options}
    return ProgressBar(stream, clock=clock, **options)


@pytest.fixture
def shown(monkeypatch):
    """What is shown in bars: (phase, total), then (done, description) of each move, then None."""
    moves: list[tuple | None] = []

    @contextlib.contextmanager
    def bar(description, total):
        moves.append((description, total))
        try:
            yield lambda done, description=None: moves.append((done, description))
        finally:
            moves.append(None)

    monkeypatch.setattr("ostinato.training.progress_bar.progress_bar", bar)
    return moves


def test_without_a_terminal_each_epoch_is_a_line(clock):
    stream = io.StringIO()
    with make_bar(stream, clock, unit="photos", per_update=32) as bar:
        bar.on_phase("frozen", 100)
        bar.on_epoch("frozen", Progress())
        clock.now += 10.0
        bar.on_epoch("frozen", progress_after(51.26))
        clock.now += 10.0
        bar.on_epoch("frozen", progress_after(51.26, 48.0))
    assert stream.getvalue().splitlines() == [
        "frozen: epoch 1/5  loss 4.000  CIDEr-D 51.3  best CIDEr-D 51.3  80 photos/s  0:00:40 left",
        "frozen: epoch 2/5  loss 2.000  CIDEr-D 48.0  best CIDEr-D 51.3  80 photos/s  0:00:30 left",
    ]


def test_where_nothing_is_scored_the_loss_stands_alone(clock):
    stream = io.StringIO()
    with make_bar(stream, clock, score=None, score_name=None) as bar:
        bar.on_phase("frozen", 100)
        bar.on_epoch("frozen", Progress())
        bar.on_epoch("frozen", progress_after(1.0))
    assert stream.getvalue() == "frozen: epoch 1/5  loss 4.000  2.5 updates/s  0:00:00 left\n"


def test_a_resumed_phase_says_where_it_goes_on_and_measures_from_there(clock):
    stream = io.StringIO()
    bar = make_bar(stream, clock)
    bar.on_phase("frozen", 100)
    bar.on_epoch("frozen", progress_after(40.0, 51.26, 48.0))
    clock.now += 10.0
    bar.on_epoch("frozen", progress_after(40.0, 51.26, 48.0, 60.0))
    first, second = stream.getvalue().splitlines()
    assert first == "frozen: goes on after epoch 3/5  best CIDEr-D 51.3"
    assert second.endswith("0:00:10 left")


def test_an_early_stop_is_told_with_its_reason(clock):
    stream = io.StringIO()
    bar = make_bar(stream, clock)
    bar.on_phase("frozen", 100)
    bar.on_epoch("frozen", Progress())
    bar.on_epoch("frozen", progress_after(51.0, 48.0, 47.0, stopped_early=True))
    assert stream.getvalue().endswith("stops, no better since epoch 1\n")


def test_phases_of_unknown_length_and_scores_without_a_name_are_shown_as_they_are(clock):
    stream = io.StringIO()
    bar = ProgressBar(stream, score="cider_d", clock=clock)
    bar.on_phase("other", 100)
    bar.on_epoch("other", Progress())
    bar.on_epoch("other", progress_after(51.0))
    assert stream.getvalue().startswith("other: epoch 1  loss 4.000  cider_d 51.0")


def train_an_epoch(bar, clock, epoch, losses):
    bar.on_epoch_begin(epoch)
    for batch, loss in enumerate(losses):
        clock.now += 0.5
        bar.on_train_batch_end(batch, {"loss": loss})
    bar.on_epoch_end(epoch, {"loss": losses[-1]})


def test_the_speed_is_that_of_the_phase(clock, shown):
    with make_bar(Terminal(), clock, unit="frames", per_update={"frozen": 100, "fine_tune": 8}) as bar:
        for phase in ("frozen", "fine_tune"):
            bar.on_phase(phase, 9)
            train_an_epoch(bar, clock, 0, [1.5])
    said = [move[1] for move in shown if move and move[0] == 1 and "scoring" not in move[1]]
    assert said == ["frozen: epoch 1/5  loss 1.500  200 frames/s", "fine_tune: epoch 1/2  loss 1.500  16 frames/s"]


def test_on_a_terminal_the_bar_counts_updates_and_no_line_is_written(clock, shown):
    stream = Terminal()
    with make_bar(stream, clock, unit="tokens", per_update=2600) as bar:
        bar.on_phase("frozen", 100)
        bar.on_epoch("frozen", Progress())
        train_an_epoch(bar, clock, 0, [3.214, 3.1])
        bar.on_epoch("frozen", progress_after(51.26))
        train_an_epoch(bar, clock, 1, [3.0])
    assert stream.getvalue() == ""
    assert shown == [
        ("frozen", 100),
        (0, None),
        (1, "frozen: epoch 1/5  loss 3.214  5,200 tokens/s"),
        (2, "frozen: epoch 1/5  loss 3.100  5,200 tokens/s"),
        (2, "frozen: epoch 1/5  scoring"),
        (20, None),
        (21, "frozen: epoch 2/5  loss 3.000  best CIDEr-D 51.3  5,200 tokens/s"),
        (21, "frozen: epoch 2/5  scoring  best CIDEr-D 51.3"),
        None,
    ]


def test_each_phase_has_its_own_bar(clock, shown):
    with make_bar(Terminal(), clock) as bar:
        bar.on_phase("frozen", 100)
        bar.on_epoch("frozen", progress_after(51.0))
        bar.on_phase("fine_tune", 30)
        bar.on_epoch("fine_tune", Progress())
        train_an_epoch(bar, clock, 0, [2.5])
    assert shown[:4] == [("frozen", 100), (20, None), None, ("fine_tune", 30)]
    assert shown[5] == (1, "fine_tune: epoch 1/2  loss 2.500  2.0 updates/s")  # no best score of another phase
    assert shown[-1] is None


def test_the_bar_goes_away_whatever_happens(clock, shown):
    def train():
        with make_bar(Terminal(), clock) as bar:
            bar.on_phase("frozen", 100)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train()
    assert shown == [("frozen", 100), None]


def test_a_real_bar_shows_phase_updates_and_time_left(clock, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "160")
    with make_bar(terminal, clock) as bar:
        bar.on_phase("frozen", 100)
        bar.on_epoch("frozen", progress_after(51.26))
        train_an_epoch(bar, clock, 1, [3.214] * 5)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    assert "frozen: epoch 2/5  scoring  best CIDEr-D 51.3" in text
    assert "25/100" in text


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()], ids=["file", "terminal"])
def test_training_tells_it_all_it_needs(run_in, tmp_path, shown, stream):
    with ProgressBar(stream, score="score", epochs={"frozen": 3}) as bar:
        for epochs in (2, 3):
            bar.on_phase("frozen", 4 * epochs)
            run_in(tmp_path, epochs=epochs, callbacks=[bar], on_epoch=functools.partial(bar.on_epoch, "frozen"))
    if stream.isatty():
        told = [move for move in shown if move and isinstance(move[1], str)]
        assert [done for done, text in told if "loss" in text] == list(range(1, 13))
        assert all(re.match(r"frozen: epoch [123]/3  (loss \d|scoring)", text) for _, text in told)
    else:
        lines = [line.split("  ")[0] for line in stream.getvalue().splitlines()]
        assert lines == [
            "frozen: epoch 1/3",
            "frozen: epoch 2/3",
            "frozen: goes on after epoch 2/3",
            "frozen: epoch 3/3",
        ]
