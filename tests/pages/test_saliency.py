"""The saliency page: copies add up in order, maps are complete, the hand and the map say the same."""

import functools
import re

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from labs import occlusion as lab
from labs.saliency import largest_magnitude
from models import catalog
from models.inside import saliency
from models.networks.classifier import Classifier, LoadedClassifier
from pages.saliency import covering, integrated, occlusion_map, scores, shared, smoothgrad
from pages.shared.heat_maps import RAISED
from scenes import THINGS
from ui import components, pictures

PAGE = "saliency"
CAT = THINGS.index("cat")


@functools.cache
def fresh(name):
    """A classifier as it is before training; that for photographs is the real one."""
    if name == shared.PHOTOGRAPHS:
        return LOAD(name)
    torch.manual_seed(3)
    net = Classifier("average", 8).eval().requires_grad_(False)
    with torch.no_grad():
        net.classify.weight.mul_(100)
    return LoadedClassifier(name, net, torch.device("cpu"), {})


LOAD = catalog.load


@pytest.fixture
def untrained(monkeypatch):
    monkeypatch.setattr(catalog, "load", fresh)


@pytest.fixture
def run(visit, untrained):
    """Function: a visit to the page, with a class that the scene has and few copies and steps."""
    few = {"saliency_class": "cat", "saliency_other": "dog", "saliency_copies": 2, "saliency_steps": 2}
    return lambda query=None, **state: visit(PAGE, query, **few | state)


def scene() -> np.ndarray:
    return pictures.from_lab_world(448).image


def captions(at: AppTest) -> str:
    return "\n".join(each.value for each in at.caption)


def plain(text: str) -> float:
    """A printed number."""
    mantissa, _, exponent = text.replace("−", "-").partition("·10")
    return float(mantissa) * 10 ** int(exponent.translate({up: low for low, up in RAISED.items()}) or 0)


def test_the_first_map_is_the_gradients(run, sound, drawn):
    at = sound(run())
    model = fresh(shared.DRAWINGS)
    x = saliency.pixels(model, scene())
    theirs = largest_magnitude(saliency.gradient(model, x, CAT)).numpy()
    heat = drawn.layer("saliency_map", components.Heat)
    np.testing.assert_allclose(heat.values, theirs, rtol=1e-4, atol=1e-7)
    assert heat.vmin == 0 and heat.vmax == pytest.approx(float(np.quantile(theirs, shared.SATURATED)), rel=1e-3)
    assert "logit per step from black to white" in "".join(str(each.proto) for each in at.get("html"))


@pytest.mark.parametrize("method", saliency.METHODS)
def test_contributions_are_signed_over_grey_and_sensitivities_are_not(run, sound, drawn, method):
    sound(run(saliency_method=method))
    heat = drawn.layer("saliency_map", components.Heat)
    signed = method in saliency.CONTRIBUTIONS
    assert (drawn.pictures["saliency_map"].ndim == 2) == signed
    assert heat.vmin == (-heat.vmax if signed else 0)


def test_copies_are_added_in_order_whatever_was_asked_before(run, sound, drawn, untrained):
    """7 copies after 3, and 7 at once, are the mean of the first 7."""
    model = fresh(shared.DRAWINGS)
    x = saliency.pixels(model, scene())
    gradients = [found for _, found in zip(range(7), saliency.noisy_gradients(model, x, CAT, 0.1), strict=False)]
    theirs = largest_magnitude(torch.stack(gradients).mean(0)).numpy()
    for path in ((3, 7), (7,)):
        smoothgrad.copies.clear()
        for count in path:
            at = sound(run(saliency_copies=count))
        np.testing.assert_allclose(
            drawn.layer("saliency_smooth", components.Heat).values, theirs, rtol=1e-3, atol=1e-3 * theirs.max()
        )
        assert at.session_state["saliency_copies"] == 7
        found = smoothgrad.copies(shared.DRAWINGS, scene(), CAT, 0.1)
        assert len(found.maps) == 7


def test_a_picture_is_drawn_before_all_copies_are_there(untrained):
    found = smoothgrad.copies(shared.DRAWINGS, scene(), 0, 0.05)
    assert found.first(5, seconds=0) == 1 and found.first(5, seconds=0) == 2
    assert found.first(2, seconds=0) == 2, "what is there costs nothing"
    assert found.first(5, seconds=600) == 5 and len(found.maps) == 5


def test_the_table_shows_what_adds_up(run, sound, prose):
    said = prose(sound(run(saliency_steps=4)))
    cells = dict(re.findall(r"\| \**([^|*]+?)\** \| \**([^|*]+?)\** \|", said))
    found = {name: plain(cells[name]) for name in ("the difference", "sum of integrated gradients")}
    model = fresh(shared.DRAWINGS)
    theirs = saliency.integrated_gradients(model, saliency.pixels(model, scene()), CAT, saliency.neutral(model), 4)
    assert found["the difference"] == pytest.approx(theirs.score - theirs.start, rel=1e-3)
    assert found["sum of integrated gradients"] == pytest.approx(float(theirs.heat.sum()), rel=1e-3)
    assert "with 4 steps the map misses the difference" in said


@pytest.mark.parametrize(("scored", "half"), [([0, 1, 2, 3, 4], 50), ([4, 4, 4, 0, 0], 75), ([1, 1, 1, 1, 1], None)])
def test_half_of_the_way_of_the_score(scored, half, monkeypatch):
    monkeypatch.setattr(integrated, "PLACES", 4)
    assert integrated.half_way(torch.tensor(scored, dtype=torch.float32)) == half


def test_the_hand_and_the_map_say_the_same(run, sound, drawn, prose):
    """At every place of the map, to the last bit; and the numbers of a chosen place are written as under the hand."""
    at = sound(run(saliency_patch_size=64, saliency_stride=48, saliency_fill="black"))
    at = sound(at.button(key="saliency_run").click().run())
    logits = occlusion_map.place(shared.DRAWINGS, scene(), 64, 48, "black")[0]
    rows = occlusion_map.patches_of(64, 48)
    for row, line in zip(rows, logits, strict=True):
        for patch, value in zip(row, line, strict=True):
            assert covering.covered(shared.DRAWINGS, scene(), patch, "black").equal(value)
    model = fresh(shared.DRAWINGS)
    x = saliency.pixels(model, scene())
    score = float(saliency.scores(model, x[None])[0, CAT])
    cells = drawn.layer("saliency_places", components.Heat)
    assert cells.values.tolist() == (score - logits[..., CAT]).tolist()
    told = re.search(r"Row (\d+), column (\d+)\*\*.*?probability (\S+ → \*\*\S+?\*\*).*?fall \*\*(\S+?)\*\*", prose(at))
    row, column = int(told[1]) - 1, int(told[2]) - 1
    x1, y1, x2, y2 = rows[row][column]
    assert f"It is **x {x1} to {x2}, y {y1} to {y2}**" in prose(at)  # the answer to where it falls most
    assert (row, column) == divmod(int((score - logits[..., CAT]).argmax()), len(rows))
    at = sound(at.button(key="saliency_put").click().run())
    assert drawn.boxes("saliency_covered")[0].xyxy == tuple(map(float, rows[row][column]))
    hand = re.search(r"probability (\S+ → \*\*\S+?\*\*).*a fall of \*\*(\S+?)\*\*", prose(at))
    assert (hand[1], hand[2]) == (told[3], told[4])


def test_the_dragged_patch_covers_the_picture_and_is_kept_in_the_address(run, sound, drawn, prose):
    at = sound(run({"saliency_patch": "30,40,70,60"}, saliency_fill="white"))
    picture = scene().copy()
    assert np.array_equal(drawn.pictures["saliency_covered"][40:60, 30:70], np.full((20, 40, 3), 255, np.uint8))
    picture[40:60, 30:70] = 255
    assert np.array_equal(drawn.pictures["saliency_covered"], picture)
    logits = covering.covered(shared.DRAWINGS, scene(), (30, 40, 70, 60), "white")
    assert f"→ **{float(logits.sigmoid()[CAT]):.3f}**" in prose(at)
    at.session_state["saliency_covered"] = [components.Box("patch", (31.4, 40.0, 71.4, 60.0), editable=True)]
    sound(at.run())
    assert at.query_params["saliency_patch"] in ("31,40,71,60", ["31,40,71,60"])


@pytest.mark.parametrize("place", ["900,900,950,950", "-50,-50,-10,-10", "5,5,5,5", "70,60,30,40"])
def test_a_patch_outside_or_without_size_is_one_of_the_picture(run, sound, drawn, place):
    sound(run({"saliency_patch": place}))
    x1, y1, x2, y2 = drawn.boxes("saliency_covered")[0].xyxy
    assert 0 <= x1 < x2 <= 224 and 0 <= y1 < y2 <= 224


def test_a_link_with_nonsense_says_so_and_falls_back(run, drawn):
    at = run({"saliency_patch": "here"})
    assert not at.exception and ["no box like 80,80,128,128" in each.value for each in at.error] == [True]
    assert drawn.boxes("saliency_covered")[0].xyxy == (80, 80, 128, 128)


def test_a_stride_longer_than_the_patch_is_cut(run, sound):
    at = sound(run(saliency_patch_size=16, saliency_stride=48))
    assert any("A stride of 48 leaves gaps between patches of 16 pixels" in each.value for each in at.info)
    assert "196 places" in at.button(key="saliency_run").label


def test_a_photograph_is_asked_of_a_network_that_knows_photographs(run, sound, prose):
    at = sound(run(saliency_source="Photograph", saliency_photo_class="Egyptian cat", saliency_photo_other="espresso"))
    assert "efficientnet-lite0 ·" in captions(at) and "**espresso**, probability" in prose(at)
    rho = dict(
        re.findall(r"\| (gradient|guided backpropagation) \| logit per step \| means nothing \| (\S+) \|", prose(at))
    )
    assert float(rho["guided backpropagation"]) > 0.9 > float(rho["gradient"].replace("−", "-"))


@pytest.mark.parametrize("colour", [(0, 0, 0), (124, 116, 104), (250, 20, 60)])
def test_a_picture_of_one_colour_gives_sense(run, sound, monkeypatch, colour):
    monkeypatch.setattr(
        pictures, "photograph", lambda *_: pictures.Picture(np.full((224, 224, 3), colour, np.uint8), "x")
    )
    at = sound(run(saliency_source="Photograph", saliency_patch_size=64, saliency_stride=48))  # few places
    sound(at.button(key="saliency_run").click().run())


def test_scores_are_of_the_exact_masks(run, sound, monkeypatch):
    monkeypatch.setattr(scores, "COUNTS", (2, 3))
    monkeypatch.setattr(scores, "JUDGED", (saliency.GRADIENT, scores.CAM, scores.RANDOM))
    scores.judged.clear()
    at = run(saliency_scenes=3)
    assert not at.dataframe
    at = sound(at.button(key="saliency_judge").click().run())
    table = at.dataframe[0].value.set_index("map")
    cases = [case for case in map(scores.case_of, scores.held_out_seeds(3)) if case]
    hit, energy = [], []
    for image, target, mask in cases:
        heat = saliency.saliency(fresh(shared.DRAWINGS), image, target).numpy()
        hit.append(mask.ravel()[heat.argmax()])
        energy.append(heat[mask].sum() / heat.sum())
    assert table.loc[saliency.GRADIENT, "points at it"] == pytest.approx(100 * np.mean(hit), abs=0.06)
    assert table.loc[saliency.GRADIENT, "energy"] == pytest.approx(100 * np.mean(energy), abs=0.06)
    scores.judged.clear()


def test_the_mean_of_the_picture_is_a_fill(untrained):
    x = saliency.pixels(fresh(shared.DRAWINGS), scene())
    filled = lab.occluded(x, (0, 0, 224, 224), covering.fill_of(shared.DRAWINGS, covering.MEAN, x))
    assert filled[:, 0, 0].tolist() == pytest.approx(x.mean((1, 2)).tolist(), abs=1e-5)


def test_without_weights_one_sentence_says_so(visit, monkeypatch):
    shared.asked.clear()

    def refuse(name):
        raise ValueError(f"{name} has no weights yet.")

    monkeypatch.setattr(catalog, "load", refuse)
    at = visit(PAGE)
    assert not at.exception and [each.value for each in at.error] == ["classifier-gap-28 has no weights yet."]


@pytest.mark.parametrize(("image", "wanted"), [(np.full((224, 224, 3), 90, np.uint8), "unicorn"),
                                               (np.zeros((224, 224, 3), np.uint8), "tabby"),
                                               (np.full((224, 224, 3), (0, 90, 200), np.uint8), "")])  # fmt: skip
def test_pictures_without_anything_in_them_make_sense(visit, untrained, sound, monkeypatch, drawn, image, wanted):
    monkeypatch.setattr(pictures, "choose", lambda *_, **__: pictures.Picture(image, "mine.png"))
    sound(visit(PAGE, {"saliency_class": wanted, "predict": "off"}, saliency_copies=2, saliency_steps=2))
    heats = [layer for layers in drawn.layers.values() for layer in layers if isinstance(layer, components.Heat)]
    assert len(heats) >= 8 and all(np.isfinite(heat.values).all() for heat in heats)
