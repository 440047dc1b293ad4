import dataclasses
import shutil

import numpy as np
import pytest

from ostinato.errors import DataError
from ostinato.sequences.store import UNLABELLED
from ostinato_video.config import PrepareConfig, TrainConfig
from ostinato_video.data import read_examples
from ostinato_video.features import squared
from ostinato_video.frame_batches import FrameBatches
from ostinato_video.prepare import prepare
from ostinato_video.reading import open_video
from ostinato_video.run import Run

CONFIG = TrainConfig(fine_tune_batch_size=3, fine_tune_window=7, class_balance=0.0, frame_loss=0.75)


@pytest.fixture(scope="module")
def run(squares, with_quick_network, tmp_path_factory):
    """Of the four recordings the second has no more than eleven frames, and the third is a clip."""
    folder = shutil.copytree(squares, tmp_path_factory.mktemp("frame_batches") / "data")
    config = PrepareConfig(frame_rate=12.5, image_size=32, mirrored=False, one_in=0)
    examples = read_examples(folder, group_by="day")
    examples[2] = dataclasses.replace(examples[2], group="clip", segments=(), label="red")
    prepared = Run(folder.parent / "run")
    with with_quick_network():
        prepare(prepared, examples, config)
    return prepared


def videos_of(batches, num_streams):
    """Puts the windows of each row together again: [frames, targets, weights] of each video, in the order of ends."""
    videos: list[tuple[list, ...]] = []
    current: dict[int, tuple[list, ...]] = {}
    for (frames, mask, starts), targets, weights in batches:
        for place in range(num_streams):
            if not mask[place].any():
                assert not weights[place].any()
                continue
            kept = mask[place]
            if starts[place]:
                current[place] = ([], [], [], [])
                videos.append(current[place])
            own = np.append(kept, False)
            parts = (frames[place][kept], targets[place][own], weights[place][own], targets[place, -1:])
            for whole, part in zip(current[place], parts, strict=True):
                whole.append(part)
    return [[np.concatenate(part) for part in video] for video in videos]


def test_every_video_comes_once_whole_and_in_order(run):
    batches = FrameBatches(run, range(4), CONFIG)
    epoch = list(batches(0))
    assert len(epoch) == batches.num_batches(0) == 8  # one of the three rows has two videos, of four windows each
    videos = videos_of(epoch, 3)
    assert [len(video[0]) for video in videos] == [25] * 4
    wanted = {}
    for row, record in enumerate(run.store.records):
        with open_video(record.name, 12.5) as reader:
            wanted[row] = squared([frame.image for frame in reader], 32)
    seen = [next(row for row, frames in wanted.items() if np.array_equal(frames, video[0])) for video in videos]
    assert sorted(seen) == [0, 1, 2, 3]
    for row, (_, targets, weights, _) in zip(seen, videos, strict=True):
        assert targets.argmax(axis=1).tolist() == run.store.truth_of(row).tolist()
        assert weights[:7] == pytest.approx(0.75 / 7)
    assert batches.num_frames == 100


def test_the_whole_is_labelled_by_what_was_seen_so_far_unless_a_video_has_a_label(run):
    recording, clip = (list(FrameBatches(run, [row], CONFIG)(0)) for row in (0, 2))
    labels = run.store.truth_of(0)
    for number, (_, targets, weights) in enumerate(recording, start=1):
        so_far = np.bincount(labels[: 7 * number], minlength=3)
        np.testing.assert_allclose(targets[0, -1], so_far / so_far.sum(), rtol=1e-6)
        assert weights[0, -1] == 0.25
    assert run.store.records[2].label != UNLABELLED
    assert all(targets[0, -1].argmax() == run.store.records[2].label for _, targets, _ in clip)


def test_the_order_depends_on_seed_and_epoch_alone(run):
    def order(epoch, **changes):
        config = dataclasses.replace(CONFIG, fine_tune_batch_size=1, **changes)
        return [float(inputs[0].sum()) for inputs, _, _ in FrameBatches(run, range(4), config)(epoch)]

    assert order(0) == order(0)
    assert len({tuple(order(epoch, seed=seed)) for epoch in range(3) for seed in (1, 2)}) > 2


def test_videos_are_mirrored_now_and_then_where_the_run_has_mirrored_ones(run, tmp_path, with_quick_network):
    mirrored = Run(tmp_path / "run")
    examples = [
        dataclasses.replace(example, group="all", split="train")
        for example in read_examples(run.folder.parent / "data")
    ]
    with with_quick_network():
        prepare(mirrored, examples, dataclasses.replace(run.prepare_config, mirrored=True))
    plain, turned = 0, 0
    for epoch in range(4):
        for video in videos_of(FrameBatches(mirrored, mirrored.store.rows("train"), CONFIG)(epoch), 3):
            dark = video[0][5].min(axis=-1)  # the square is on the right
            on_the_right = dark[:, 16:].mean() < dark[:, :16].mean()
            plain, turned = plain + on_the_right, turned + (not on_the_right)
    assert plain > 2
    assert turned > 2


def test_rare_labels_count_more(run):
    (_, targets, weights), *_ = FrameBatches(run, [0], dataclasses.replace(CONFIG, class_balance=1.0))(0)
    counts = np.bincount(run.store.truth_of(0), minlength=3)
    for row, weight in zip(targets[0, :-1], weights[0, :-1], strict=True):
        assert weight == pytest.approx(0.75 / 7 * counts.mean() / counts[row.argmax()], rel=1e-5)


def test_videos_that_have_gone_or_changed_are_named(run, tmp_path, paint_video):
    folder = shutil.copytree(run.folder, tmp_path / "run")
    video = tmp_path / "moved.mp4"
    records = (folder / "sequences.jsonl").read_text().replace(run.store.records[1].name, str(video))
    (folder / "sequences.jsonl").write_text(records)
    with pytest.raises(DataError, match=r"1 videos of .* are gone, such as .*moved\.mp4; .*--fine-tune-blocks 0"):
        Run(folder).check_can_fine_tune(range(4))
    paint_video(video, ["red"] * 9)
    with pytest.raises(DataError, match=r"moved\.mp4 has fewer frames than when it was prepared"):
        list(FrameBatches(Run(folder), range(4), CONFIG)(0))
