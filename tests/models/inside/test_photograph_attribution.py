"""Grad-CAM and CAM of the published classifiers: against captum on a network of one's own, and by hand."""

from types import MethodType

import numpy as np
import pytest
import torch
from captum import attr
from torch import nn
from torchvision import models as torchvision_models

from models import catalog, device
from models.inside import photograph_attribution
from models.pretrained import published
from tests.published import random_state

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def networks():
    made = {}

    def get(name):
        if name not in made:
            made[name] = published.wrap(name, random_state(name), CPU)
        return made[name]

    return get


@pytest.fixture
def image():
    return np.random.default_rng(5).integers(0, 256, (150, 260, 3), np.uint8)


def head(name: str) -> photograph_attribution.Head:
    return photograph_attribution.head_of(catalog.pretrained(name).blank(name).eval())


def test_heads_are_those_of_the_papers():
    resnet, vgg, mobile = map(head, ("resnet50", "vgg16", "mobilenet_v3_large"))
    assert (resnet.layer, resnet.maps, resnet.pooled) == ("layer4", (2048, 7, 7), (1, 1))
    assert resnet.linear == ((2048, 1000),)
    assert (vgg.layer, vgg.maps, vgg.pooled) == ("features.29", (512, 14, 14), (7, 7))
    assert vgg.linear == ((25088, 4096), (4096, 4096), (4096, 1000))
    assert (mobile.layer, mobile.maps, mobile.pooled) == ("features.16", (960, 7, 7), (1, 1))
    assert mobile.linear == ((960, 1280), (1280, 1000))
    lite = head("efficientnet-lite0")
    assert (lite.layer, lite.maps, lite.pooled) == ("last_maps", (1280, 7, 7), (1, 1))
    assert lite.linear == ((1280, 1000),)
    assert [each.has_cam for each in (resnet, vgg, mobile, lite)] == [True, False, False, True]


def test_every_classifier_on_the_list_has_a_head():
    for name in catalog.pretrained_names("classification"):
        assert head(name).maps[0] > 100


@pytest.mark.parametrize("name", ["resnet50", "mobilenet_v3_large"])
def test_grad_cam_is_captums_on_a_network_of_its_own(networks, image, name):
    network = networks(name)
    found = photograph_attribution.explain(network, image, 7)
    oracle = torchvision_models.get_model(name).eval()
    oracle.load_state_dict(random_state(name))
    layer = oracle.layer4 if name == "resnet50" else oracle.features[-1]
    x = network.tensor(image)[None].requires_grad_()
    expected = attr.LayerGradCam(oracle, layer).attribute(x, target=7)[0, 0].detach()
    assert expected.std() > 0 and found.grad_cam.shape == (7, 7)
    torch.testing.assert_close(found.grad_cam, expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))
    assert found.score == pytest.approx(float(network(image).logits[7]), rel=1e-3)
    assert found.seconds > 0 and found.device == "cpu"


def test_cam_of_resnet_is_grad_cam_times_its_cells(networks, image):
    found = photograph_attribution.explain(networks("resnet50"), image, 3)
    largest = float(found.cam.abs().max())
    assert largest > 0
    assert (found.grad_cam * found.cam.numel() - found.cam).abs().max() < 1e-4 * largest
    assert float(found.cam.mean()) + found.bias == pytest.approx(found.score, rel=1e-4, abs=1e-5 * largest)


def test_hidden_layers_leave_no_cam(networks, image):
    found = photograph_attribution.explain(networks("mobilenet_v3_large"), image, 3)
    assert found.cam is None and found.bias is None


def test_the_shared_network_is_neither_hooked_nor_asked_for_gradients(networks, image, monkeypatch):
    network = networks("mobilenet_v3_large")
    asked = []
    monkeypatch.setattr(network.module, "forward", lambda *_: asked.append(1))
    with torch.inference_mode():
        photograph_attribution.explain(network, image, 0)
    assert not asked and not network.lock.locked()
    for part in network.module.modules():
        assert not part._forward_hooks and not part._forward_pre_hooks and not part._backward_hooks
    assert all(p.grad is None and not p.requires_grad for p in network.module.parameters())


def test_gradients_are_in_single_precision_where_the_network_is_in_half(networks, image):
    exact = networks("mobilenet_v3_large")
    half = published.wrap("mobilenet_v3_large", random_state("mobilenet_v3_large"), CPU)
    half.module.forward = MethodType(device._autocast(type(half.module).forward, "cpu"), half.module)
    found, expected = (photograph_attribution.explain(each, image, 2) for each in (half, exact))
    assert not torch.equal(half(image).logits, exact(image).logits)
    assert torch.equal(found.grad_cam, expected.grad_cam)


@pytest.mark.parametrize("target", [-1, 1000])
def test_no_such_class(networks, image, target):
    with pytest.raises(ValueError, match="Classes go from 0 to 999"):
        photograph_attribution.explain(networks("mobilenet_v3_large"), image, target)


@pytest.mark.parametrize("size", [(150, 260), (448, 448), (500, 333), (224, 224)])
def test_the_window_is_what_the_preset_cuts_out(networks, size):
    """A picture that says at each pixel where it is, prepared by torchvision."""
    network, (height, width) = networks("mobilenet_v3_large"), size
    y, x = np.mgrid[:height, :width]
    where = np.stack([x * 255 / (width - 1), y * 255 / (height - 1), 0 * x], -1).round().astype(np.uint8)
    shown = network.tensor(where)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (network._preprocess.mean, network._preprocess.std))
    shown = shown * std + mean
    x1, y1, x2, y2 = network.window(height, width)
    cell_x, cell_y = (x2 - x1) / 224, (y2 - y1) / 224
    middle = shown[:, 112, 112]  # half a pixel right of and below the centre of the window
    assert float(middle[0]) * (width - 1) == pytest.approx((x1 + x2) / 2 + cell_x / 2 - 0.5, abs=0.02 * width)
    assert float(middle[1]) * (height - 1) == pytest.approx((y1 + y2) / 2 + cell_y / 2 - 0.5, abs=0.02 * height)
    assert float(shown[0, 112, 20]) * (width - 1) == pytest.approx(x1 + 20.5 * cell_x - 0.5, abs=1.5)
    assert float(shown[1, 200, 112]) * (height - 1) == pytest.approx(y1 + 200.5 * cell_y - 0.5, abs=1.5)


def test_out_of_memory_is_said(networks, image, monkeypatch):
    def full(*_):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(nn.Linear, "forward", full)
    with pytest.raises(device.OutOfMemory, match="mobilenet_v3_large needs more memory"):
        photograph_attribution.explain(networks("mobilenet_v3_large"), image, 0)
