"""From photos to an exported model: prepare, train, evaluate, export, bench."""

import json
import shutil
import signal
import time

import pytest

PHASES = [*(("frozen", epoch) for epoch in range(1, 13)), ("fine_tune", 1), ("self_critical", 1)]


def records(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_preparing_names_the_damaged_photo_and_goes_on_without_it(data, prepared):
    result = prepared.result
    assert (result.code, result.out) == (1, "")
    damaged, summary = result.faults
    assert str(data / "damaged.jpg") in damaged
    assert "photos: 5 train, 2 dev; 35 captions" in summary
    assert "skipped 1 photos" in summary


def test_training_goes_through_its_phases_and_says_so(trained):
    result = trained.result
    assert (result.code, result.out) == (0, "")
    assert [(record["phase"], record["epoch"]) for record in records(trained.folder)] == PHASES
    frozen = [record["loss"] for record in records(trained.folder) if record["phase"] == "frozen"]
    assert frozen[-1] < frozen[0] - 2
    assert "trained; best CIDEr-D" in result.faults[-1]
    assert "in phase self_critical, epoch 1" in result.faults[-1]
    assert "frozen: best CIDEr-D" in (trained.folder / "train.log").read_text()


def test_preparing_again_is_no_work_and_other_settings_are_refused(data, prepared, caption):
    before = {path: path.stat().st_mtime_ns for path in prepared.folder.iterdir()}
    words = ("prepare", "--data", data, "--run", prepared.folder)
    again = caption(*words, "--image-size", 96, "--vocabulary-size", 400, "--max-pieces", 60)
    assert (again.code, len(again.faults)) == (0, 1)
    other = caption(*words, "--image-size", 64)
    assert (other.code, len(other.faults)) == (2, 1)
    assert "was prepared from other data or settings; name a new --run" in other.err
    assert {path: path.stat().st_mtime_ns for path in prepared.folder.iterdir()} == before


def test_a_photo_folder_that_is_missing_is_one_sentence(data, trained, caption, tmp_path):
    shutil.copy(data / "captions.csv", tmp_path)
    for words in (("prepare", "--run", tmp_path / "run"), ("evaluate", "--run", trained.folder, "--split", "all")):
        result = caption(*words, "--data", tmp_path)
        assert (result.code, len(result.faults)) == (2, 1)
        assert "none of the 8 photos is there" in result.err
    assert not (tmp_path / "run").exists()


def test_the_settings_of_a_run_are_kept(trained, caption):
    text = (trained.folder / "train.toml").read_text()
    assert "\nunits = 48\n" in text
    assert "captions_per_photo = 5\n" in text
    refused = caption("train", "--run", trained.folder, "--units", 25)
    assert refused.code == 2
    assert "was begun with units = 48, not 25" in refused.err
    assert (trained.folder / "train.toml").read_text() == text


def test_an_unknown_key_is_refused_with_the_one_that_was_meant(prepared, caption, tmp_path):
    (tmp_path / "wrong.toml").write_text("unist = 7\n")
    result = caption("train", "--run", prepared.folder, "--config", tmp_path / "wrong.toml")
    assert (result.code, len(result.faults)) == (2, 1)
    assert 'unknown setting "unist"; did you mean "units"?' in result.err
    assert not (prepared.folder / "train.toml").exists()


def test_training_that_is_killed_resumes_without_gap_or_double_epoch(
    prepared, trained, settings, start, caption, tmp_path
):
    run = shutil.copytree(prepared.folder, tmp_path / "run")
    # The first phase alone: that each of the others resumes is tested with painted squares.
    words = ("train", "--run", run, "--config", settings, "--fine-tune-epochs", 0, "--self-critical-epochs", 0)
    with start(*words) as process:
        deadline = time.monotonic() + 200
        while not (run / "metrics.jsonl").exists() or not records(run):
            assert process.poll() is None, process.stderr.read().decode()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    undisturbed = [record for record in records(trained.folder) if record["phase"] == "frozen"]
    before = records(run)
    assert 1 <= len(before) < len(undisturbed)
    assert caption(*words).code == 0
    assert records(run)[: len(before)] == before  # those epochs were not run again
    assert [record["epoch"] for record in records(run)] == [record["epoch"] for record in undisturbed]
    for resumed, expected in zip(records(run), undisturbed, strict=True):
        for name in ("loss", "learning_rate", "updates"):
            assert resumed[name] == pytest.approx(expected[name], rel=0.02, abs=0.02)


def test_exporting_leaves_a_version_with_its_proof(exported):
    result = exported.result
    assert (result.code, result.out) == (0, "")
    version = exported.folder / "1"
    assert f"{version}: proved and ready to serve" in result.err
    assert len(result.faults) == 1
    proof = json.loads((version / "proof.json").read_text())
    assert set(proof["signatures"]) == {"serving_default", "explain", "beam_search", "sample", "embed"}
    assert json.loads((version / "interface.json").read_text())["metadata"]["data_terms"] == "CC BY 2.0"
    assert not [path for path in exported.folder.iterdir() if path.name != "1"]


def test_a_run_that_is_not_trained_is_neither_exported_nor_evaluated(data, prepared, caption, tmp_path):
    for words in (("export", "--output", tmp_path / "model"), ("evaluate", "--data", data)):
        result = caption(*words, "--run", prepared.folder)
        assert (result.code, len(result.faults)) == (2, 1)
        assert "holds no trained model yet; run `train` to its end first" in result.err
    assert not (tmp_path / "model").exists()


def test_a_vocabulary_of_nothing_is_not_exported(trained, caption, tmp_path):
    result = caption("export", "--run", trained.folder, "--output", tmp_path / "model", "--min-uses", 10**6)
    assert (result.code, len(result.faults)) == (2, 1)
    assert "--min-uses 1000000: no piece is used so often" in result.err
    assert not (tmp_path / "model").exists()


def test_the_exported_model_scores_as_the_run_does(data, trained, exported, caption, tmp_path):
    interface = json.loads((exported.folder / "1" / "interface.json").read_text())
    max_length = interface["metadata"]["decoding"]["max_length"]
    scores, captions = [], []
    for given in (("--run", trained.folder), ("--model", exported.folder)):
        output = tmp_path / f"{given[0]}.jsonl"
        words = ("evaluate", *given, "--data", data, "--split", "all", "--format", "json", "--output", output)
        result = caption(*words, "--max-length", max_length)
        assert result.code == 1  # the damaged photo
        assert "damaged.jpg" in result.err
        assert len(result.faults) == len(result.lines) == 1
        scores.append(json.loads(result.out))
        assert scores[-1].pop("decoding")["beam_width"] == 5
        captions.append([json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()])
    keys = {"bleu_1", "bleu_2", "bleu_3", "bleu_4", "cider_d", "rouge_l", "num_examples", "signature"}
    assert keys <= set(scores[0])
    assert scores[0]["num_examples"] == 7
    assert scores[1] == pytest.approx(scores[0])
    for caption_of_run in captions[0]:
        word = caption_of_run["references"][0].split()[0]
        assert set(caption_of_run["caption"].split()) == {word}  # it has learned what is in each photo
    for records in captions:
        worst_first = [record["cider_d"] for record in records]
        assert worst_first == sorted(worst_first)
        assert len(records[0]["references"]) == 5
    assert {record["image"]: record["caption"] for record in captions[0]} == {
        record["image"]: record["caption"] for record in captions[1]
    }


def test_a_split_may_be_a_file_and_the_scores_a_table(data, exported, caption, tmp_path):
    names = [path.name for path in sorted(data.glob("0*.jpg"))[:3]]
    (tmp_path / "mine.txt").write_text("\n".join([*names, "unknown.jpg"]))
    words = ("evaluate", "--model", exported.folder / "1", "--data", data / "captions.csv")
    result = caption(*words, "--split", tmp_path / "mine.txt", "--beam-width", 2)
    assert result.code == 1
    assert "1 of its photos have no captions, such as unknown.jpg" in result.err
    table = dict(line.split(maxsplit=1) for line in result.lines)
    assert table["num_examples"] == "3"
    assert table["decoding"].startswith("beam_width 2,")


def test_bench_times_captioning_and_training(data, trained, exported, caption):
    words = ("bench", "--photos", data, "--model", exported.folder, "--run", trained.folder)
    result = caption(*words, "--batch-size", 3, "--repeats", 2, "--format", "json")
    assert (result.code, result.err) == (0, "")
    figures = json.loads(result.out)
    assert figures["photos"] == 3
    assert figures["encoder_ms"] > 0
    assert figures["ratio"] > 0
    assert figures["target_tokens_per_second"] > 0
    assert len(records(trained.folder)) == len(PHASES)
