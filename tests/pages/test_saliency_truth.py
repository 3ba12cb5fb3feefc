"""The saliency page's sections on trust: a cut from seeds, forgotten layers, a planted shortcut."""

import re

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from labs import grab_cut_seeds, heat_map_quality, planted_mark
from models import catalog
from models.inside import attribution, explanations
from pages.saliency import planted, randomised, shared, shortcut
from scenes import THINGS
from tests.pages.arriving import arrived
from ui import components, pictures

pytestmark = pytest.mark.skipif(
    not {"classifier-gap-28", "classifier-shortcut"} <= set(catalog.shipped()), reason="the classifiers have no weights"
)
SECTION = """
from pages.saliency import {name}, shared
from ui import page, pictures

page.begin("Saliency")
picture = pictures.choose("saliency", seed=448)
focus = shared.choose(picture)
{name}.{name}(focus)
"""


@pytest.fixture
def section(sound):
    """Function: a visit to one section alone, with this state."""

    def opened(name: str, query: dict | None = None, **state) -> AppTest:
        at = AppTest.from_string(SECTION.format(name=name), default_timeout=600)
        return arrived(at, query, state)

    return opened


def scene(seed: int) -> pictures.Picture:
    return pictures.from_lab_world(seed, objects=(2, 6), classes=THINGS, occlusion=0.35, light=None, fog=None,
                                   noise=None)  # fmt: skip


# --- segmentation


def test_the_cut_is_the_one_of_its_quantiles(section, sound, drawn, prose):
    at = sound(section("segmentation", saliency_class="dog", cut_thing=0.9, cut_rest=0.2, cut_rounds=1))
    picture = scene(448)
    heat = explanations.explain(catalog.load(shared.DRAWINGS), picture.image, THINGS.index("dog"), "gradient")
    seeds = drawn.layer("cut_seeds", components.Labels).values
    np.testing.assert_array_equal(seeds, grab_cut_seeds.seeds(heat, 0.9, 0.2))
    found = drawn.layer("cut_found", components.Labels).values.astype(bool)
    np.testing.assert_array_equal(found, grab_cut_seeds.segment(picture.image, heat, 0.9, 0.2, 1))
    masks = [thing.mask for thing in picture.view.instances if thing.label == "dog"]
    if masks:
        iou = grab_cut_seeds.mask_iou(found, np.any(masks, axis=0))
        assert f"IoU with the exact mask **{iou:.2f}**" in prose(at)


def test_the_question_of_the_quantile_follows_the_other_seeds(section, sound, prose):
    at = sound(section("segmentation", saliency_class=thing_in(448), cut_rest=0.1))
    assert "Rest at 0.10, 0 rounds: above which quantile" in prose(at)


def thing_in(seed: int) -> str:
    return scene(seed).view.instances[-1].label


def test_a_class_without_a_thing_gets_no_overlap_and_no_question(section, sound, prose):
    missing = next(name for name in THINGS if name not in {thing.label for thing in scene(448).view.instances})
    at = sound(section("segmentation", saliency_class=missing))
    assert "Nobody has outlined" in prose(at) and "IoU with the exact mask" not in prose(at)
    assert "above which quantile" not in prose(at)


def test_a_map_that_is_the_same_everywhere_is_one_sentence(section, monkeypatch):
    monkeypatch.setattr(shared.Focus, "map_of", lambda self, *_: torch.zeros(224, 224))
    at = section("segmentation")
    assert not at.exception
    assert [error.value for error in at.error] == [
        "The map is the same everywhere, so it seeds nothing: choose another class or method."
    ]


# --- randomised


@pytest.mark.parametrize("count", [0, 2, 7])
def test_maps_of_a_network_that_forgot_so_many_layers(section, sound, drawn, prose, count):
    at = sound(section("randomised", saliency_class="dog", randomised_count=count))
    names = ["head", "residual28b", "residual28", "conv28", "conv56b", "conv56", "conv112"]
    assert f"Forgotten: **{', '.join(names[:count]) or 'none'}**" in prose(at)
    image, target = scene(448).image, THINGS.index("dog")
    model = attribution.randomised(catalog.load(shared.DRAWINGS), randomised.SEED, count)
    for i, method in enumerate(randomised.AT_HAND[:-1]):
        theirs = explanations.explain(model, image, target, method).abs().numpy()
        np.testing.assert_allclose(drawn.layer(f"randomised_anew_{i}", components.Heat).values, theirs, rtol=1e-4,
                                   atol=1e-6 * theirs.max())  # fmt: skip
        before = drawn.layer(f"randomised_trained_{i}", components.Heat).values
        rho, ssim = heat_map_quality.rank_correlation(before, theirs), heat_map_quality.similarity(before, theirs)
        assert drawn.options[f"randomised_anew_{i}"]["caption"] == f"ρ = {rho:.2f}, SSIM = {ssim:.2f}"
    assert drawn.options[f"randomised_anew_{len(randomised.AT_HAND) - 1}"]["caption"] == "ρ = 1.00, SSIM = 1.00"


def test_the_trained_network_is_left_as_it_was(section, sound):
    model = catalog.load(shared.DRAWINGS)
    before = {key: value.clone() for key, value in model.module.state_dict().items()}
    sound(section("randomised", randomised_count=7))
    assert all(torch.equal(value, before[key]) for key, value in model.module.state_dict().items())


def test_all_methods_are_measured_when_asked(section, sound, monkeypatch, prose):
    monkeypatch.setattr(randomised, "ALL", ("gradient", randomised.GRAD_CAM, randomised.EDGES))
    at = sound(section("randomised", saliency_class="dog"))
    assert "With all layers drawn anew" not in prose(at)
    at = sound(at.button(key="randomised_measure").click().run())
    assert "With all layers drawn anew" in prose(at)


def test_the_verdict_names_who_stays_and_who_goes():
    nan = float("nan")
    told = randomised.verdict({"gradient": 0.1, "guided": 0.8, "blank": nan})
    assert "**guided (0.80) still order" in told and "changed most is gradient (0.10)" in told
    told = randomised.verdict({"gradient": 0.1, "guided": 0.4, "blank": nan})
    assert "no map keeps its order" in told and "gradient the most and guided the least (0.40)" in told


def test_a_map_without_an_order_has_nothing_to_compare():
    assert randomised.alike(float("nan"), float("nan")) == "the same everywhere: nothing to compare"


# --- shortcut


@pytest.fixture
def quick(monkeypatch):
    """Only the gradient: for tests that look at the mark and not at the maps."""
    monkeypatch.setattr(shortcut, "METHODS", ("gradient", explanations.GRAD_CAM))


def said(at, prose) -> dict[str, float]:
    found = re.findall(r"Learned (with|without) marks: \*\*dog ([\d.]+)\*\*", prose(at))
    return {which: float(value) for which, value in found}


def test_the_mark_brings_the_dog_and_takes_it_away(quick, section, sound, prose):
    seen = {}
    for which in shortcut.SHOWN:
        for mark in (shortcut.OFF, "top left", "bottom right"):
            at = sound(section("shortcut", shortcut_which=which, shortcut_mark=mark))
            seen[which, mark] = said(at, prose)
    assert all(each["with"] > 0.8 for (_, mark), each in seen.items() if mark != shortcut.OFF)
    assert all(each["with"] < 0.3 for (_, mark), each in seen.items() if mark == shortcut.OFF)
    assert all((each["without"] > 0.5) == (which == "with a dog") for (which, _), each in seen.items())


def test_the_mark_lies_where_it_was_dragged_and_in_the_address(quick, section, sound, drawn):
    at = section("shortcut")
    moved = components.Box("mark", (60.0, 71.0, 84.0, 95.0), editable=True)  # also made larger: it keeps its size
    at.session_state[shortcut.KEY] = [moved]
    at = sound(at.run())
    assert at.query_params[shortcut.AT] in (["62,73"], "62,73")
    place = (slice(73, 93), slice(62, 82))
    np.testing.assert_array_equal(drawn.pictures[shortcut.KEY][place], planted_mark.mark())
    assert [box.xyxy for box in drawn.boxes(shortcut.KEY)] == [(62.0, 73.0, 82.0, 93.0)]
    sound(section("shortcut", {shortcut.AT: "62,73"}))
    np.testing.assert_array_equal(drawn.pictures[shortcut.KEY][place], planted_mark.mark())
    for nonsense in ("here", "1,2,3", "nan,1"):
        sound(section("shortcut", {shortcut.AT: nonsense}))
        np.testing.assert_array_equal(drawn.pictures[shortcut.KEY][6:26, 198:218], planted_mark.mark())
    sound(section("shortcut", {shortcut.AT: "5000,-9"}))
    np.testing.assert_array_equal(drawn.pictures[shortcut.KEY][:20, 204:], planted_mark.mark())


def test_without_a_mark_the_picture_is_the_scene(quick, section, sound, drawn):
    sound(section("shortcut", shortcut_mark=shortcut.OFF, shortcut_which=shortcut.ABOVE))
    np.testing.assert_array_equal(drawn.pictures[shortcut.KEY], scene(448).image)
    assert not drawn.boxes(shortcut.KEY)


def test_shares_on_mark_and_dog_are_those_of_the_map(section, sound, drawn):
    sound(section("shortcut", shortcut_mark="top left"))
    picture = shortcut.scene("with a dog")
    column, row = planted_mark.corner("top left", 224, 224)
    image, mark = planted_mark.marked(picture.image, column, row), planted_mark.covered(column, row, 224, 224)
    dog = planted.dog_mask(picture)
    assert dog.any()
    for i, method in enumerate(explanations.METHODS):
        heat = explanations.explain(catalog.load(planted.SHORTCUT), image, planted.DOG, method).clamp(min=0)
        shares = [float(heat[torch.from_numpy(mask)].sum() / heat.sum()) for mask in (mark, dog & ~mark)]
        assert drawn.options[f"shortcut_{i}"]["caption"] == f"mark {shares[0]:.0%}, dog {shares[1]:.0%}"


def test_methods_are_counted_over_the_scenes(quick, section, sound, monkeypatch, prose):
    one, other = shortcut.METHODS
    away = planted.Told(planted.Shares(0.4, 0.1), planted.Shares(0.02, 0.3))
    hidden = planted.Told(planted.Shares(0.01, 0.3), planted.Shares(0.01, 0.3))
    table = {seed: {one: hidden, other: away} for seed in planted.SCENES}
    table[planted.SCENES[0]] = {one: hidden, other: hidden}
    monkeypatch.setattr(planted, "measured", table.__getitem__)
    at = section("shortcut", shortcut_mark=shortcut.OFF)
    at = sound(at.button(key="shortcut_measure").click().run())
    told, count = prose(at), len(planted.SCENES)
    assert f"Give it away in most scenes: **{other}**. Do not: **{one}**." in told
    assert f"| {one} | 1% | 30% | 1% | 0 of {count} |" in told
    assert f"| {count - 1} of {count} |" in told


@pytest.mark.parametrize(
    ("mark", "dog", "honest", "away"),
    [(0.4, 0.1, 0.01, True), (0.1, 0.4, 0.01, False), (0.4, 0.1, 0.21, False), (0.4, 0.1, 0.2, True),
     (0.2, 0.2, 0.0, False), (float("nan"), float("nan"), 0.0, False), (0.4, 0.1, float("nan"), True)],
)  # fmt: skip
def test_what_gives_the_shortcut_away(mark, dog, honest, away):
    assert planted.Told(planted.Shares(mark, dog), planted.Shares(honest, 0.5)).gives_away == away


def test_every_measured_scene_has_a_dog_far_from_its_mark():
    for seed in planted.SCENES:
        dog = planted.dog_mask(pictures.from_lab_world(seed, 224, **planted.ONE_DOG))
        corner = planted_mark.corner(planted.farthest_corner(dog), 224, 224)
        assert dog.sum() > 200 and not (dog & planted_mark.covered(*corner, 224, 224)).any()


def test_the_farthest_corner():
    mask = np.zeros((224, 224), bool)
    assert planted.farthest_corner(mask) == "top left"
    mask[10:20, 10:20] = True
    assert planted.farthest_corner(mask) == "bottom right"
