import json
import re

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format, wrappers_pb2
from tensorflow_serving.config import model_server_config_pb2

from ostinato.commands import run_application
from ostinato.errors import ModelError, UserError
from ostinato.export.loading import read_interface
from ostinato.serving.repository import ModelConfig
from ostinato_serve.cli import app
from ostinato_serve.config_files import inputs_of, models_config
from ostinato_serve.config_files import write_config_files as write

IMAGE = "registry.example/serving:1"
PHOTOS = {"image_bytes": {"dtype": "string", "shape": [None]}}
WIDTH = {"beam_width": {"dtype": "int32", "shape": []}}
FRAMES = {"frames": {"dtype": "uint8", "shape": [None, None, 5, 7, 3]}}


@pytest.fixture
def models(tmp_path):
    """Photos, with settings and without, and videos of any length."""
    signatures = {
        "caption": {"serving_default": {"inputs": PHOTOS}, "beam_search": {"inputs": PHOTOS | WIDTH}},
        "video": {"serving_default": {"inputs": FRAMES}},
    }
    found = {}
    for name, each in signatures.items():
        version = tmp_path / "saved models" / name / "3"
        version.mkdir(parents=True)
        (version / "saved_model.pb").touch()
        (version / "interface.json").write_text(json.dumps({"signatures": each}))
        found[name] = ModelConfig(version.parent)
    return found


def write_config_files(output, models, **options):
    return write(output, models, **{"image": IMAGE, **options})


def parsed(text):
    return text_format.Parse(text, model_server_config_pb2.ModelServerConfig()).model_config_list.config


def test_every_model_is_listed_where_it_lies_in_the_container(models, tmp_path):
    write_config_files(tmp_path / "serving", models)
    configs = parsed((tmp_path / "serving" / "models.config").read_text())
    assert [(each.name, each.base_path, each.model_platform) for each in configs] == [
        ("caption", "/models/caption", "tensorflow"),
        ("video", "/models/video", "tensorflow"),
    ]
    compose = (tmp_path / "serving" / "docker-compose.yml").read_text()
    for name, config in models.items():
        assert f'source: "{config.folder}", target: "/models/{name}", read_only: true' in compose


def test_requests_are_joined_where_only_their_number_differs(models, tmp_path):
    found = write_config_files(tmp_path, models)
    assert found["caption"].can_be_joined
    assert found["caption"].settings == ("beam_search",)
    assert not found["video"].can_be_joined
    assert [each.name for each in parsed((tmp_path / "batched_models.config").read_text())] == ["caption"]
    alone, batched = (tmp_path / "docker-compose.yml").read_text().split("  batched:\n")
    assert "--enable_batching" not in alone
    assert "--enable_batching=true" in batched
    assert "--enable_model_warmup=false" in batched  # a request with settings would fail there
    assert "/models/video" not in batched


def test_where_no_requests_can_be_joined_there_is_one_server(models, tmp_path):
    write_config_files(tmp_path, {"video": models["video"]})
    files = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert files == {"docker-compose.yml", "models.config", "monitoring.config"}
    assert "batch" not in (tmp_path / "docker-compose.yml").read_text()


def definitions():
    """Messages of TensorFlow Serving whose definitions come with no package."""
    number = ".google.protobuf.Int64Value"
    counts = ("max_batch_size", "batch_timeout_micros", "max_enqueued_batches", "num_batch_threads")
    messages = {
        "BatchingParameters": dict.fromkeys(counts, number),
        "PrometheusConfig": {"enable": "bool", "path": "string"},
        "MonitoringConfig": {"prometheus_config": ".PrometheusConfig"},
    }
    file = descriptor_pb2.FileDescriptorProto(name="serving.proto", syntax="proto3")
    file.dependency.append(wrappers_pb2.DESCRIPTOR.name)
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for place, (field, kind) in enumerate(fields.items(), start=1):
            scalar = {"bool": 8, "string": 9}.get(kind)
            message.field.add(name=field, number=place, label=1, type=scalar or 11, type_name=None if scalar else kind)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(name)) for name in messages}


def test_batching_and_monitoring_are_what_the_server_reads(models, tmp_path):
    write_config_files(tmp_path, models)
    types = definitions()
    batching = text_format.Parse((tmp_path / "batching.config").read_text(), types["BatchingParameters"]())
    assert (batching.max_batch_size.value, batching.batch_timeout_micros.value) == (32, 1000)
    assert min(batching.max_enqueued_batches.value, batching.num_batch_threads.value) > 0
    monitoring = text_format.Parse((tmp_path / "monitoring.config").read_text(), types["MonitoringConfig"]())
    assert monitoring.prometheus_config.enable
    assert monitoring.prometheus_config.path == "/monitoring/prometheus/metrics"


def test_versions_and_labels_are_kept(tmp_path):
    models = {
        "newest": ModelConfig(tmp_path),
        "two": ModelConfig(tmp_path, latest=2),
        "every": ModelConfig(tmp_path, latest=None),
        "some": ModelConfig(tmp_path, specific=(3, 5), labels={"stable": 3}),
    }
    newest, two, every, some = parsed(models_config(models))
    assert newest.model_version_policy.WhichOneof("policy_choice") is None
    assert two.model_version_policy.latest.num_versions == 2
    assert every.model_version_policy.HasField("all")
    assert list(some.model_version_policy.specific.versions) == [3, 5]
    assert dict(some.version_labels) == {"stable": 3}


def test_the_image_is_named_with_its_version_and_ports_are_this_machines(models, tmp_path):
    write_config_files(tmp_path, models)
    compose = (tmp_path / "docker-compose.yml").read_text()
    assert compose.count(f'image: "{IMAGE}"') == 2
    ports = [line.split('"')[1] for line in compose.splitlines() if '"127.0.0.1:' in line]
    assert ports == ["127.0.0.1:8500:8500", "127.0.0.1:8501:8501", "127.0.0.1:8510:8500", "127.0.0.1:8511:8501"]


def test_a_dollar_in_a_path_is_no_variable_of_compose(models, tmp_path):
    folder = models["video"].folder.rename(tmp_path / "a $HOME")
    write_config_files(tmp_path, {"video": ModelConfig(folder)})
    assert f'source: "{tmp_path}/a $$HOME"' in (tmp_path / "docker-compose.yml").read_text()


def test_the_verb_says_what_it_wrote_and_what_is_not_batched(models, tmp_path, capsys):
    words = ["config", str(models["video"].folder), str(models["caption"].folder), "--output", str(tmp_path / "out")]
    assert run_application(app, words) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        f"ostinato-serve: docker-compose.yml and what it needs for video, caption: {tmp_path / 'out'}",
        "ostinato-serve: video: requests are not batched, as they differ in size",
        "ostinato-serve: caption: the batched server does not answer beam_search: settings come along",
    ]
    compose = (tmp_path / "out" / "docker-compose.yml").read_text()
    assert re.search(r'image: "tensorflow/serving:\d+\.\d+\.\d+"', compose)
    assert run_application(app, words) == 2
    assert "add --overwrite" in capsys.readouterr().err
    assert run_application(app, [*words, "--overwrite"]) == 0


def test_files_that_are_there_stay_unless_it_is_said(models, tmp_path):
    (tmp_path / "batching.config").write_text("mine")
    with pytest.raises(UserError, match=r"has batching\.config already; name another --output, or add --overwrite"):
        write_config_files(tmp_path, models)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["batching.config"]
    write_config_files(tmp_path, models, overwrite=True)
    assert (tmp_path / "batching.config").read_text() != "mine"
    assert not list(tmp_path.glob(".*"))


def test_where_no_folder_can_be_made_it_is_said(models, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written to"):
        write_config_files(tmp_path / "file", models)


def test_a_model_without_an_interface_is_refused_before_anything_is_written(models, tmp_path):
    (models["video"].folder / "3" / "interface.json").unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        write_config_files(tmp_path / "serving", models)
    assert not (tmp_path / "serving").exists()


def test_scalars_are_settings_and_free_sizes_are_not_to_be_joined(models):
    version = models["caption"].folder / "3"
    assert read_interface(version)["signatures"].keys() == {"serving_default", "beam_search"}
    assert inputs_of(version).settings == ("beam_search",)
