import numpy as np
import pytest

from ostinato.metrics import tempered_softmax
from ostinato.sequences.confidence import abstain_thresholds, fit_stream_temperature
from ostinato.sequences.outputs import StreamOutput, StreamTruth
from ostinato.sequences.scoring import score_streams


@pytest.fixture(scope="module")
def overconfident():
    """1,500 clips whose labels are drawn from their logits; the network says three times as much."""
    generator = np.random.default_rng(3)
    logits = generator.normal(0, 1.5, (1500, 4))
    labels = [generator.choice(4, p=each) for each in tempered_softmax(logits)]
    truths = [StreamTruth(np.full(2, -1), label, f"person {number % 9}") for number, label in enumerate(labels)]
    return [StreamOutput(np.zeros((2, 4)), 3 * each) for each in logits], truths


def as_recordings(outputs, truths):
    """The same, clips being the frames of recordings of 5; each has one frame more, unlabelled, that says nonsense."""
    nonsense = np.array([[90.0, 0, 0, 0]])
    frames = [
        np.concatenate([np.stack([each.clip_logits for each in outputs[place : place + 5]]), nonsense])
        for place in range(0, len(outputs), 5)
    ]
    labels = [[*(each.label for each in truths[place : place + 5]), -1] for place in range(0, len(truths), 5)]
    return (
        [StreamOutput(each, np.zeros(4)) for each in frames],
        [StreamTruth(np.array(each), -1, "day") for each in labels],
    )


@pytest.mark.parametrize("prepare", [lambda *examples: examples, as_recordings])
def test_the_temperature_undoes_what_the_network_says_too_much(overconfident, prepare):
    outputs, truths = prepare(*overconfident)
    temperature = fit_stream_temperature(outputs, truths)
    assert temperature == pytest.approx(3, rel=0.12)
    before, after = (score_streams([o.tempered(t) for o in outputs], truths) for t in (1.0, temperature))
    assert after["ece"] < 5 < 15 < before["ece"]


def test_what_stays_above_a_threshold_is_right_as_often_as_was_wanted(overconfident):
    outputs, truths = overconfident
    thresholds = abstain_thresholds(outputs, truths)
    assert list(thresholds) == ["90", "95"]
    for precision, found in thresholds.items():
        answers = [
            output.clip_logits.argmax() == truth.label
            for output, truth in zip(outputs, truths, strict=True)
            if tempered_softmax(output.clip_logits).max() >= found["threshold"]
        ]
        assert 100 * np.mean(answers) == pytest.approx(found["precision"])
        assert found["precision"] >= float(precision)
        assert 100 * len(answers) / len(truths) == pytest.approx(found["coverage"])
    assert thresholds["90"]["coverage"] > thresholds["95"]["coverage"] > 0


def test_a_precision_that_no_threshold_gives_has_none():
    output, truth = StreamOutput(np.zeros((1, 2)), np.array([1.0, 0.0])), StreamTruth(np.full(1, -1), 1, "a")
    assert abstain_thresholds([output], [truth], (99,)) == {"99": None}
