import numpy as np
import pytest

from ostinato.sequences import SequenceStore, SequenceWriter


def written_store(folder, sequences):
    """Writes sequences, each a dict of the arguments of `end_sequence` and `features` [F, D], and returns the store."""
    folder.mkdir(parents=True, exist_ok=True)
    store = SequenceStore(folder)
    with SequenceWriter(store) as writer:
        for number, sequence in enumerate(sequences):
            sequence = {"name": f"clip {number}", "group": "nobody", "split": "train", **sequence}
            writer.append(sequence.pop("features"))
            writer.end_sequence(sequence.pop("name"), **sequence)
    return store


def ordered(generator, label, frames):
    """Features [F, 3] of a clip in which two things happen, and their order is the label: no single frame has it."""
    features = generator.normal(0, 0.2, (frames, 3))
    first, second = (0, 1) if label == 0 else (1, 0)
    features[: frames // 2, first] += 2
    features[frames // 2 :, second] += 2
    return features


@pytest.fixture(scope="session")
def write_store():
    return written_store


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """40 clips of two labels from 5 people, 6 to 9 frames long, which it takes a memory to tell apart."""
    generator = np.random.default_rng(5)
    return written_store(
        tmp_path_factory.mktemp("clips"),
        [
            {
                "features": ordered(generator, number % 2, 6 + number % 4),
                "label": number % 2,
                "group": f"person {number % 5}",
                "split": "dev" if number % 5 == 4 else "train",
            }
            for number in range(40)
        ],
    )


@pytest.fixture(scope="session")
def recordings(tmp_path_factory):
    """4 recordings of 40 frames whose frames say what they are: background, what lies between, 3 frames unlabelled."""
    generator = np.random.default_rng(6)
    sequences = []
    for number in range(4):
        labels = np.repeat([0, 1, 0, 2, 0], 8)
        features = generator.normal(0, 0.3, (40, 3)) + 2 * np.eye(3)[labels]
        labels[-3:] = -1
        sequences.append({"features": features, "frame_labels": labels, "group": f"day {number}"})
    return written_store(tmp_path_factory.mktemp("recordings"), sequences)
