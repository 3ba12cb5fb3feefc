"""The class activation page: its sums hold to the last digit, extremes are put into words, no control breaks it."""

import functools
import re

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

import scenes
from labs import weak_localization as wl
from models import catalog
from models.recipes import classifier as classifier_recipe
from pages.class_activation import augmented, grad_cam, quality, responds, shared
from pages.shared import heat_maps
from scenes import THINGS
from ui import components, outside_lab_world

PAGE = "class_activation"
NAMES = classifier_recipe.NAMES
trained = pytest.mark.skipif(not set(NAMES) <= set(catalog.shipped()), reason="the classifiers have no weights yet")


@functools.cache
def fresh(name):
    """A classifier as it is before training: the same layers and shapes, weights of a seed. One that comes with a
    package is what it is."""
    if name in catalog.pretrained_names():
        return catalog.pretrained(name).load(name)
    torch.manual_seed(3)
    net = classifier_recipe.build(name).eval().requires_grad_(False)
    with torch.no_grad():  # scores far enough from 0 that a lost term would be seen
        net.classify.weight.mul_(100)
    return classifier_recipe.wrap(name, net, torch.device("cpu"), {"metrics": {"map_single": 0.5, "map_multi": 0.25}})


CACHES = (shared.classified, grad_cam.attributed, augmented.place, quality.place)


@pytest.fixture
def untrained(monkeypatch):
    monkeypatch.setattr(catalog, "load", fresh)
    monkeypatch.setattr(catalog, "card", lambda name: fresh(name).card)


@pytest.fixture
def run(visit):
    """Function: a visit to the page, with two classes of a scene open that has both."""
    first = {"cam_seed": 62, "cam_class": "car", "cam_other": "cat"}
    return lambda query=None, **state: visit(PAGE, query, **first | state)


def captions(at: AppTest) -> str:
    return "\n".join(each.value for each in at.caption)


def places(drawn, key) -> dict:
    return {box.id: box.xyxy for box in drawn.boxes(key)}


def plain(text: str) -> float:
    """A printed number."""
    mantissa, _, exponent = text.replace("−", "-").partition("·10")
    return float(mantissa) * 10 ** int(exponent.translate({up: low for low, up in heat_maps.RAISED.items()}) or 0)


def test_without_weights_one_sentence_says_so(run, monkeypatch):
    shared.classified.clear()

    load = catalog.load

    def refuse(name):
        if name in catalog.pretrained_names():  # comes with a package, is not trained here
            return load(name)
        raise ValueError(f"{name} has no weights yet: python -m models train {name} makes them.")

    monkeypatch.setattr(catalog, "load", refuse)
    at = run()
    assert not at.exception
    assert [e.value for e in at.error] == [
        "classifier-gap has no weights yet: python -m models train classifier-gap makes them."
    ]


def test_the_score_is_the_mean_of_the_map(run, sound, untrained):
    at = sound(run())
    pairs = re.findall(r"its mean is \*\*(.+?)\*\*, the score S is \*\*(.+?)\*\*", captions(at))
    assert len(pairs) == 2
    seen = fresh("classifier-gap")(shared_picture())
    for (mean, score), name in zip(pairs, ("car", "cat"), strict=True):
        assert plain(mean) == pytest.approx(plain(score), rel=2e-3)
        assert plain(score) == pytest.approx(float(seen.logits[THINGS.index(name)]), rel=1e-3)


def shared_picture():
    from ui import pictures

    return pictures.from_lab_world(62, objects=(2, 6), classes=THINGS, occlusion=0.35, light=None, fog=None,
                                   noise=None).image  # fmt: skip


def test_the_table_adds_up(run, sound, untrained):
    at = sound(run())
    table = next(each.value for each in at.markdown if "| map |" in each.value)
    rows = [
        [cell.strip() for cell in row.strip("|").split("|")] for row in table[table.index("| map |") :].splitlines()[2:]
    ]
    shares, here = ([plain(row[i]) for row in rows[:-1]] for i in (3, 5))
    total = rows[-1]
    for terms, printed in ((shares, total[3].removeprefix("**S = ")), (here, total[5].removeprefix("**M = "))):
        assert sum(terms) == pytest.approx(plain(printed.strip("*")), abs=0.006 * sum(map(abs, terms)))
    for row in rows[:5]:
        assert plain(row[1]) * plain(row[2]) == pytest.approx(plain(row[3]), rel=0.02)
        assert plain(row[1]) * plain(row[4]) == pytest.approx(plain(row[5]), rel=0.02, abs=1e-6)


def test_the_sum_grows_to_the_map(run, sound, untrained, drawn, prose):
    at = sound(run(cam_terms=7))
    seven = drawn.layer("cam_sum", components.Heat).values
    assert "Σ of **7** maps" in prose(at)
    sound(run())
    seen = fresh("classifier-gap")(shared_picture())
    whole = shared.activation(seen, THINGS.index("car")).numpy()
    np.testing.assert_allclose(drawn.layer("cam_sum", components.Heat).values, whole, rtol=1e-3, atol=1e-4)
    assert np.abs(seven - whole).max() > 0.01 * np.abs(whole).max()


def test_the_threshold_moves_the_box(run, sound, untrained, drawn, prose):
    at = sound(run())
    wide = places(drawn, "cam_box")
    assert "M above 0.20 × max" in prose(at) and "IoU with the truth" in prose(at)
    seen = fresh("classifier-gap")(shared_picture())
    heat = shared.at_picture_size(shared.activation(seen, THINGS.index("car")))
    assert wide["weak"] == tuple(wl.weak_box(heat).tolist())
    sound(run(cam_share=0.9))
    narrow = places(drawn, "cam_box")
    assert narrow["truth-0"] == wide["truth-0"]
    assert np.prod(np.diff(np.reshape(narrow["weak"], (2, 2)), axis=0)) < np.prod(
        np.diff(np.reshape(wide["weak"], (2, 2)), axis=0)
    )


def test_no_positive_evidence_is_said_in_words(run, sound, untrained, drawn, monkeypatch):
    seen = fresh("classifier-gap")(shared_picture())
    against = type(seen)(
        seen.logits - 50, seen.probabilities, seen.features, -seen.weights.abs(), seen.seconds, seen.device
    )
    monkeypatch.setattr("pages.class_activation.two_classes.classified", lambda name, image: against)
    at = sound(run())
    assert captions(at).count("**No positive evidence**") >= 2
    assert "No positive evidence: no cell speaks for car" in "\n".join(each.value for each in at.info)
    assert "weak" not in places(drawn, "cam_box")


def test_grad_cam_is_cam_over_its_area(run, sound, untrained, drawn, prose):
    at = sound(run())
    found = re.search(r"Largest difference: (\S+?)\*\*, of values up to (\S+)\. ", prose(at))
    assert plain(found[1]) < 1e-4 * plain(found[2])
    np.testing.assert_allclose(
        drawn.layer("cam_divided", components.Heat).values,
        drawn.layer("cam_grad", components.Heat).values,
        rtol=1e-3,
        atol=plain(found[2]) * 1e-4,
    )
    assert "CAM / 196" in prose(at)


@pytest.mark.parametrize(("layer", "side"), [("conv112", 112), ("conv56b", 56), ("residual14", 14)])
def test_grad_cam_at_any_layer(run, sound, untrained, drawn, layer, side):
    sound(run(cam_layer=layer))
    assert drawn.layer("cam_layer_map", components.Heat).values.shape == (side, side)


def test_another_method_has_pixels_and_a_sign(run, sound, untrained, drawn):
    sound(run(cam_method="input × gradient"))
    heat = drawn.layer("cam_method_map", components.Heat)
    assert heat.values.shape == (224, 224) and heat.palette == "diverging" and heat.vmin == -heat.vmax
    sound(run(cam_method="saliency"))
    assert drawn.layer("cam_method_map", components.Heat).palette == "inferno"


def test_three_networks_side_by_side(run, sound, untrained, drawn, said):
    at = sound(run({"predict-cam-peak": "0,0"}))
    peak = drawn.layer("cam_classifier-gap-28", components.Heat).values
    row, column = divmod(int(peak.argmax()), 28)
    assert f"row {row + 1}, column {column + 1} of 28 × 28" in said(at) and "It is **x" in said(at)
    sizes = [drawn.layer(f"cam_{name}", components.Heat).values.shape for name in shared.NETWORKS]
    assert sizes == [(14, 14), (14, 14), (28, 28)]
    rows = at.dataframe[0].value
    assert list(rows["network"]) == ["GAP, 14×14", "GMP, 14×14", "GAP, 28×28"]
    assert list(rows["mAP, one thing"]) == [0.5] * 3
    gap, gmp, larger = (rows["S"] - rows["mean of M"]).abs()
    assert gap < 2e-3 and larger < 2e-3 and gmp > 0.01
    assert len(drawn.every("cam_classifier-gmp", components.Points)) == 1
    assert not drawn.every("cam_classifier-gap", components.Points)


def test_augmented_runs_when_asked_and_the_result_stays(run, sound, untrained, drawn):
    at = sound(run(cam_views=4))
    assert "cam_fine_0" not in drawn.layers and not drawn.every("cam_views_strip", components.Heat)
    at = sound(at.button(key="cam_run").click().run())
    fine = [drawn.layer(f"cam_fine_{i}", components.Heat) for i in range(3)]
    assert {heat.values.shape for heat in fine} == {(56, 56)}
    assert len({heat.vmax for heat in fine}) == 1, "one colour scale for all three"
    strip = drawn.layer("cam_views_strip", components.Heat)
    assert np.isnan(strip.values).any(), "cells that saw the fill are left out"
    assert "primal-dual" in captions(at) and "subgradient" in captions(at)
    drawn.layers.clear()
    again = sound(run(cam_views=4))
    assert "cam_fine_2" in drawn.layers, "the next visitor finds it there"
    assert "cam_run" not in {button.key for button in again.button}, "nothing is left to run"


def test_the_misfit_and_the_gap_are_in_sight(run, sound, untrained, prose):
    at = sound(run(cam_views=2))
    at = sound(at.button(key="cam_run").click().run())
    assert re.search(r"Of the fine map's E \*\*\d+% is misfit\*\*", prose(at))
    assert captions(at).count("of which the misfit") == 3 and "duality gap" in captions(at)


def test_primal_dual_ends_lowest(untrained):
    image = shared_picture()
    result = augmented.run(image, 5, augmented.Settings(4, 0.5, 30.0, 0.005, 0.0005), lambda share, text: None)
    best = min(result.found.objectives)
    assert all(best <= min(values) + 1e-3 for values in result.subgradient.values())
    assert len({round(values[0], 4) for values in (result.found.objectives, *result.subgradient.values())}) == 1


def test_the_table_of_quality_names_its_winners(run, sound, untrained, monkeypatch, prose):
    few = (quality.CAM, quality.SOBEL, quality.RANDOM)
    monkeypatch.setattr(quality, "METHODS", few)
    at = sound(run())
    assert "What wins on this picture" not in prose(at)
    at = sound(at.button(key="cam_measure").click().run())
    rows = at.dataframe[1].value
    assert list(rows["map"]) == list(few)
    assert {"points at it", "energy / area", "IoU at 20 %", "best IoU", "deletion", "insertion"} <= set(rows.columns)
    assert list(rows[quality.FORGOTTEN])[1:] == [1.0, 1.0], "a control does not ask the network"
    assert abs(rows[quality.FORGOTTEN][0]) < 1
    best = rows["map"][int(rows["deletion"].argmin())]
    assert f"deletion (less is better): **{best}**" in prose(at)
    assert (rows["best IoU"] >= rows["IoU at 20 %"] - 1e-9).all()


@pytest.mark.parametrize("palette", [heat_maps.SIGNED, heat_maps.POSITIVE])
def test_a_colour_bar_is_painted_like_the_map(palette):
    """Zero, the thirds that a straight fade would leave white, and the ends."""
    limit, colours = 8.0, heat_maps.bar_colours(palette, 8.0)
    low = -limit if palette == heat_maps.SIGNED else 0.0
    values = np.linspace(low, limit, len(colours))
    painted = components.heat_pixels(components.Heat(values[None], palette, low, limit))[0]
    for colour, pixel in zip(colours, painted.tolist(), strict=True):
        found = [float(part) for part in colour[5:-1].split(",")]
        assert found == pytest.approx([*pixel[:3], pixel[3] / 255], abs=1e-3)
    alpha = [float(colour[5:-1].split(",")[3]) for colour in colours]
    if palette == heat_maps.SIGNED:
        half, middle = alpha[len(alpha) * 3 // 4], alpha[len(alpha) // 2]
        assert half == pytest.approx(0.5**0.75, abs=0.02) and middle < 0.03
    else:
        assert set(alpha) == {1.0}


def test_a_feature_map_speaks_for_no_class_before_its_weight(run, sound, untrained):
    bars = {each.proto.body for each in sound(run()).get("html") if "feature maps" in each.proto.body}
    assert len(bars) == 1
    assert ">strong<" in next(iter(bars)) and "speaks for" not in next(iter(bars))


def test_probabilities_are_of_each_class_by_itself(run, sound, untrained):
    assert "Each class by itself (sigmoid): they need not add up to 1." in captions(sound(run()))


def test_cutting_before_and_after_enlarging_differ_and_the_page_says_so(run, sound, untrained, monkeypatch):
    model, image, target = fresh("classifier-gap"), shared_picture(), THINGS.index("motorcycle")
    seen = model(image)
    cam, grad = (quality.map_of(method, model, image, target) for method in (quality.CAM, quality.GRAD_CAM))
    mask = np.zeros(image.shape[:2], bool)
    mask[60:150, 60:150] = True
    score = lambda heat: quality.quality_of.energy_over_area(heat, mask)  # noqa: E731
    early = shared.at_picture_size(shared.activation(seen, target).clamp(min=0))
    assert score(early) == pytest.approx(score(grad), rel=1e-3)
    assert abs(score(cam) - score(grad)) > 1e-3 * score(grad)
    quality.place.clear()
    monkeypatch.setattr(quality, "METHODS", (quality.CAM, quality.RANDOM))
    said = captions(sound(run().button(key="cam_measure").click().run()))
    assert "nearly the same value" in said and "before the map is enlarged" in said
    assert "cannot tell them apart" not in said
    quality.place.clear()


def test_a_photograph_is_outside_what_the_classifiers_know(run, sound, untrained):
    wanted = lambda at: any(outside_lab_world.SENTENCE in each.value for each in at.info)  # noqa: E731
    assert wanted(sound(run(cam_source="Photograph"))) and not wanted(sound(run()))


@pytest.mark.parametrize(
    ("photograph", "why"),
    [("Moon", "Nobody has marked the things in this picture"), ("Cat", "ImageNet's names, none of Lab World's")],
)
def test_a_photograph_has_no_truth(run, sound, untrained, drawn, photograph, why):
    at = sound(run(cam_source="Photograph", cam_photo=photograph))
    assert why in captions(at)
    assert not [name for name in places(drawn, "cam_box") if name.startswith("truth")]
    assert "IoU of 20 % box" not in at.dataframe[0].value.columns


def test_a_class_that_is_not_there_has_no_truth(run, sound, untrained):
    at = sound(run(cam_class="street sign"))
    assert "There is no street sign in this scene" in captions(at)


def test_a_link_restores_classes_cell_and_threshold(visit, sound, untrained, prose):
    at = sound(visit(PAGE, {"cam_class": "dog", "cam_other": "car", "cam_cell": "3,4", "cam_share": "0.5"}))
    assert "score of dog?" in prose(at) and "row 3, column 4" in prose(at) and "M above 0.50 × max" in prose(at)


@pytest.mark.parametrize("cell", ["here", "99,1"])
def test_a_link_with_nonsense_falls_back_to_the_strongest_cell(run, sound, untrained, prose, cell):
    at = sound(run({"cam_cell": cell}))
    seen = fresh("classifier-gap")(shared_picture())
    heat = shared.activation(seen, THINGS.index("car"))
    row, column = np.unravel_index(int(heat.argmax()), heat.shape)
    assert f"row {row}, column {column}" in prose(at)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (-0.0, "0"), (-1.5, "−1.5"), (2.3e-9, "2.3·10⁻⁹"), (1234.6, "1235"), (7.31249, "7.31")],
)
def test_numbers_as_they_are_printed(value, text):
    assert heat_maps.number(value) == text


@settings(deadline=None, max_examples=4, suppress_health_check=list(HealthCheck))
@given(
    st.fixed_dictionaries(
        {
            "cam_class": st.sampled_from(["most probable", *THINGS]),
            "cam_other": st.sampled_from(["next best", *THINGS]),
            "cam_cells": st.sampled_from(["smooth", "as they are"]), "cam_share": st.floats(0, 0.95),
            "cam_terms": st.integers(1, 192), "cam_seed": st.integers(0, 40),
            "cam_objects": st.sampled_from([(0, 0), (2, 6), (12, 12)]),
            "cam_views": st.sampled_from(augmented.VIEWS), "cam_angle": st.floats(0, 1),
            "cam_layer": st.sampled_from(["conv112", "residual28", "residual14c"]),
        }
    )
)  # fmt: skip
def test_no_control_state_breaks_the_page(run, sound, untrained, state):
    sound(run(**state))


@trained
def test_the_trained_network_finds_what_is_there(run, sound, prose):
    for cache in CACHES:
        cache.clear()
    at = sound(run(cam_class="most probable", cam_other="next best"))
    assert "**car** · probability" in prose(at) and "**cat** · probability" in prose(at)


@trained
def test_the_rule_of_20_percent_is_measured(run, sound, prose):
    for cache in CACHES:
        cache.clear()
    at = sound(run())
    metrics = catalog.card("classifier-gap")["metrics"]
    assert f"mean IoU of **{metrics['weak_box_iou_large']:.2f}** for things of 80 pixels and more" in captions(at)
    assert f"**on the thing** in: GAP, 14×14 {metrics['peak_on_thing']:.0%}" in prose(at)


@trained
def test_augmented_grad_cam_gains_on_the_first_picture(visit, sound, prose):
    for cache in CACHES:
        cache.clear()
    at = sound(sound(visit(PAGE)).button(key="cam_run").click().run())
    assert "is **nearer to the truth** here" in prose(at)
    found = re.findall(r"IoU of the 20 % box \*\*(.+?)\*\*, of the best box \*\*(.+?)\*\*", captions(at))
    (one, one_best), _, (fine, fine_best) = [tuple(map(float, pair)) for pair in found]
    assert fine >= one + 0.05 and fine_best > one_best


@trained
@pytest.mark.parametrize("name", NAMES)
def test_the_peak_lies_on_the_thing(name):
    metrics = catalog.card(name)["metrics"]
    assert metrics["peak_on_thing"] >= 0.85 and metrics["weak_box_iou_large"] >= 0.40
    assert abs(metrics["offset_x_px"]) <= 4 and abs(metrics["offset_y_px"]) <= 4
    assert metrics["map_single"] >= 0.97 and metrics["map_multi"] >= 0.90


@trained
def test_two_things_of_one_picture_are_told_apart_on_the_first_picture(visit, sound, prose):
    """Each class's map is stronger on its own thing than on the other, and has its largest value there."""
    for cache in CACHES:
        cache.clear()
    rows = re.findall(r"\| \*\*(.+?)\*\* \| (\S+) \| (\S+) \| on the (.+?) \|", prose(sound(visit(PAGE))))
    assert len(rows) == 2
    (first, own, elsewhere, there), (second, other_elsewhere, other_own, other_there) = rows
    assert (there, other_there) == (first, second)
    assert plain(own) > 3 * plain(elsewhere) and plain(other_own) > 3 * plain(other_elsewhere)


def test_signed_maps_lie_on_grey(run, sound, untrained, drawn):
    """Blue sky and blue evidence cannot be told apart."""
    sound(run())
    for key in ("cam_map", "cam_other_map", "cam_sum", "cam_box", "cam_classifier-gap", "cam_grad"):
        assert drawn.pictures[key].ndim == 2 and drawn.pictures[key].min() >= 128
    assert drawn.pictures["cam_picture"].ndim == 3


@pytest.mark.parametrize(("index", "words"), [(0, "An early layer"), (4, ""), (8, "The last layer")])
def test_a_layer_is_called_early_only_where_it_is(index, words):
    said = grad_cam.depth(index, 9)
    assert said.strip().startswith(words) and bool(said) == bool(words)


def test_a_map_shows_the_places_where_it_is_largest(run, sound, untrained, monkeypatch, drawn):
    """Of few scenes; every patch holds the picture around the cell with the largest value, best first."""
    monkeypatch.setattr(responds, "SCENES", 9)
    responds.peaks.clear()
    at = sound(run())
    assert "cam_patches" not in drawn.pictures, "nothing is looked at unasked"
    sound(at.button(key="cam_look").click().run())
    channel = int(re.search(r"feature map (\d+)", drawn.options["cam_patches"]["alt"])[1])
    network, maxima = fresh("classifier-gap"), []
    for seed in range(10_000_000, 10_000_009):
        maxima.append(float(network(scenes.render(scenes.sample(seed), 224).image).features[channel].max()))
    shown = [plain(box.label) for box in drawn.boxes("cam_patches")]
    assert shown == pytest.approx(sorted(maxima, reverse=True)[: responds.BEST], rel=6e-3)
    assert drawn.pictures["cam_patches"].shape == (64, 8 * 64, 3)
