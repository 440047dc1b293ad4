"""Times `ostinato-video` against the design of the Keras.io recipe "Video Classification with a CNN-RNN Architecture".

    python tests/benchmarks/keras_video_recipe.py --data FOLDER [--videos 40] [--rounds 2]

Both read the same labelled clips, compute features of their frames and train a recurrent classifier on them, in turns.

The recipe (Paul 2021), written anew after its description: the first 20 frames of each clip, cropped to their middle
square, 224 x 224; InceptionV3 with average pooling asked frame by frame with `predict`; GRU(16), GRU(8), dropout 0.4,
Dense(8), softmax; Adam, 10 epochs, batches of 32 (of `fit`), a third of the clips for validation. Its ImageNet weights
are replaced by random ones, which take as long and need no download. Ours is what `prepare` and `train` do with their
defaults, at 10 frames/s, on as many seconds of video.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import keras
import numpy as np

from ostinato.frames.labelled import VideoExample
from ostinato.sequences.run_training import RunTraining
from ostinato_video.config import PrepareConfig, TrainConfig
from ostinato_video.data import read_examples
from ostinato_video.prepare import prepare
from ostinato_video.run import Run

SIZE, LENGTH, FEATURES = 224, 20, 2048


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="labelled clips, as `ostinato-video prepare` takes them")
    parser.add_argument("--videos", type=int, default=40, help="so many of them, evenly chosen")
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    examples = read_examples(options.data)
    examples = examples[:: max(1, len(examples) // options.videos)][: options.videos]
    figures: dict[str, list[float]] = {"recipe_features": [], "recipe_training": [], "features": [], "training": []}
    for _ in range(options.rounds):
        for name, seconds in {**time_recipe(examples), **time_ours(examples)}.items():
            figures[name].append(round(seconds, 2))
    recipe = min(figures["recipe_features"]) + min(figures["recipe_training"])
    ours = min(figures["features"]) + min(figures["training"])
    print(json.dumps({"videos": len(examples), "seconds": figures, "times_faster": round(recipe / ours, 1)}))


def time_ours(examples: Sequence[VideoExample]) -> dict[str, float]:
    """Seconds of `prepare` and `train`."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder))
        start = time.perf_counter()
        prepare(run, list(examples), PrepareConfig())
        prepared = time.perf_counter()
        RunTraining(run, TrainConfig())()
        return {"features": prepared - start, "training": time.perf_counter() - prepared}


def time_recipe(examples: Sequence[VideoExample]) -> dict[str, float]:
    """Seconds of feature extraction and of training, in the recipe's way."""
    start = time.perf_counter()
    extractor = feature_extractor()
    features = np.zeros((len(examples), LENGTH, FEATURES), np.float32)
    masks = np.zeros((len(examples), LENGTH), bool)
    for row, example in enumerate(examples):
        frames = recipe_frames(example.video)
        for place, frame in enumerate(frames):
            features[row, place] = extractor.predict(frame[None], verbose=0)[0]
        masks[row, : len(frames)] = True
    extracted = time.perf_counter()
    names = sorted({example.label for example in examples if example.label})
    labels = np.array([names.index(example.label) for example in examples if example.label])
    model = recipe_model(len(names))
    model.fit([features, masks], labels, validation_split=0.3, epochs=10, verbose=0)
    return {"recipe_features": extracted - start, "recipe_training": time.perf_counter() - extracted}


def feature_extractor() -> keras.Model:
    network = keras.applications.InceptionV3(
        weights=None, include_top=False, pooling="avg", input_shape=(SIZE, SIZE, 3)
    )
    images = keras.Input((SIZE, SIZE, 3))
    return keras.Model(images, network(keras.applications.inception_v3.preprocess_input(images)))


def recipe_frames(path: str) -> np.ndarray:
    """Returns the first frames of a clip, float32 [F, 224, 224, 3]."""
    capture = cv2.VideoCapture(path)
    frames = []
    for _ in itertools.islice(itertools.count(), LENGTH):
        is_read, frame = capture.read()
        if not is_read:
            break
        height, width = frame.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        frames.append(cv2.resize(frame[top : top + side, left : left + side], (SIZE, SIZE))[:, :, ::-1])
    capture.release()
    return np.array(frames, np.float32)


def recipe_model(num_labels: int) -> keras.Model:
    features, mask = keras.Input((LENGTH, FEATURES)), keras.Input((LENGTH,), dtype="bool")
    x = keras.layers.GRU(16, return_sequences=True)(features, mask=mask)
    x = keras.layers.GRU(8)(x)
    x = keras.layers.Dropout(0.4)(x)
    x = keras.layers.Dense(8, activation="relu")(x)
    model = keras.Model([features, mask], keras.layers.Dense(num_labels, activation="softmax")(x))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


if __name__ == "__main__":
    main()
