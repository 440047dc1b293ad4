import pytest

from ostinato.training import Progress, watch

pytest.importorskip("tensorboard")


def test_training_is_told_line_by_line_and_drawn_as_curves(tmp_path, capsys):
    with watch(
        tmp_path, score="bleu", score_name="BLEU", epochs={"training": 3}, unit="tokens", per_update=7
    ) as watcher:
        watcher.on_phase("training", 12)
        record = {"epoch": 1, "loss": 4.25, "bleu": 31.5, "updates": 4}
        watcher.on_epoch("training", Progress(epoch=1, best_score=31.5, best_epoch=1, history=[record]))
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "BLEU 31.5" in line
    assert "epoch 1/3" in line
    assert list((tmp_path / "tensorboard" / "training").glob("events.out.tfevents.*"))
