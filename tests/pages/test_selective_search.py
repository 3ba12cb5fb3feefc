"""The Selective Search page: what is drawn is what the lab says of the picture, at every place of its controls."""

import time

import numpy as np
import pytest
import streamlit as st
import torch

from labs import proposal_recall, region_proposals, region_tree, selective_search, sliding_window
from models import catalog
from models.recipes.scene_cache import held_out_seeds
from pages.selective_search import climbing, merging, recall, searched, shared
from pages.selective_search.searched import LENGTH, METHODS, Listed, Scene
from pages.shared import offered
from ui import components, pictures
from ui.components import Labels

PAGE = "selective_search"
OFF = {"predict": "off"}


def scene(seed: int = shared.SEED) -> np.ndarray:
    return pictures.from_lab_world(seed, objects=(2, 6)).image


def uploaded(monkeypatch, image: np.ndarray) -> None:
    """A picture without a known truth in place of the chosen one."""
    monkeypatch.setattr(pictures, "choose", lambda *_, **__: pictures.Picture(image, "mine.png"))


@pytest.mark.parametrize("merges", [0, 60, 139])
def test_regions_pair_and_boxes_after_so_many_merges(visit, sound, drawn, prose, merges):
    at = sound(visit(PAGE, selective_merges=merges))
    tree = selective_search.hierarchy(scene())
    assert tree.start == 140
    owners = region_tree.owners(tree, merges)
    expected = tree.colours[owners].round().astype(np.uint8)[tree.labels]
    np.testing.assert_array_equal(drawn.pictures["selective_regions"], expected)
    assert len(np.unique(owners)) == 140 - merges
    left = "**1** region left" if merges == 139 else f"**{140 - merges}** regions left"
    assert f"**140** regions at the start, {left} after {merges} of 139 merges" in prose(at)
    assert f"**{140 + merges}** boxes so far" in prose(at)
    newest = [box for box in drawn.boxes("selective_boxes") if box.id.startswith("region")]
    assert [box.xyxy for box in newest] == [tuple(box) for box in tree.boxes[110 + merges : 140 + merges]]
    outline, pair = drawn.layer("selective_regions", Labels), drawn.grids["selective_pair"]["pair"].values[:, 0]
    if merges == 139:
        assert outline is None and np.isnan(pair[:4]).all() and "Nothing is left to merge" in prose(at)
    else:
        np.testing.assert_allclose(pair, [*tree.similarities[merges], tree.similarities[merges].sum()])
        for number, region in enumerate(tree.children[merges].tolist(), start=1):
            inside = outline.values == number
            assert inside.any() and region_tree.mask(tree, region)[inside].all()
        assert outline.palette == [None, shared.BLUE, shared.ORANGE]


def test_green_boxes_are_those_that_fit_a_thing(visit, sound, drawn):
    sound(visit(PAGE, selective_merges=0))
    early = {box.id for box in drawn.boxes("selective_boxes") if box.id.startswith("best")}
    sound(visit(PAGE, selective_merges=139))
    boxes = [box for box in drawn.boxes("selective_boxes") if box.id.startswith("best")]
    assert [box.label for box in boxes] == ["cat 1.00", "dog 0.91", "duck 0.72"] and len(early) < 3
    assert all(box.colour == shared.GREEN for box in boxes)


def test_the_slider_waits_at_the_last_regions_until_a_hand_moves_it(visit, sound):
    at = sound(visit(PAGE))
    assert at.session_state["selective_merges"] == 140 - merging.LEFT
    at.session_state["selective_scale"] = 300
    sound(at.run())
    fewer = selective_search.hierarchy(scene(), scale=300).start
    assert at.session_state["selective_merges"] == fewer - merging.LEFT
    at.session_state["selective_merges"] = 5
    at.session_state["selective_scale"] = 100
    assert sound(at.run()).session_state["selective_merges"] == 5


def test_the_controls_of_the_start_and_of_the_sum_reach_the_lab(visit, sound, drawn, prose):
    at = sound(visit(PAGE, selective_space="HSV", selective_scale=200, selective_sigma=1.0,
                     selective_alike=["Size", "Fill"], selective_merges=10))  # fmt: skip
    tree = selective_search.hierarchy(scene(), "HSV", 200, 1.0, ("size", "fill"))
    assert f"**{tree.start}** regions at the start" in prose(at)
    pair = drawn.grids["selective_pair"]["pair"]
    assert pair.values[4, 0] == pytest.approx(tree.similarities[10, 2:].sum())
    assert [row[0] is not None for row in pair.colour] == [False, False, True, True, False]


def test_without_a_similarity_the_page_says_so(visit):
    at = visit(PAGE, selective_alike=[])
    assert not at.exception
    assert any("Choose at least one similarity" in error.value for error in at.error)
    at = visit(PAGE, selective_sums=[])
    assert not at.exception and any("Choose at least one colour space" in error.value for error in at.error)


@pytest.mark.parametrize("image", [
    np.zeros((224, 224, 3), np.uint8), np.zeros((2, 1, 3), np.uint8),
    np.repeat(np.arange(224, dtype=np.uint8)[None, :, None], 224, 0).repeat(3, 2),
], ids=["without texture", "two pixels", "in grey"])  # fmt: skip
def test_pictures_with_little_to_see(visit, sound, drawn, prose, monkeypatch, image):
    uploaded(monkeypatch, image)
    at = sound(visit(PAGE, OFF, selective_spaces=["RGB", "Hue"]))
    told = prose(at)
    if np.ptp(image) == 0:
        assert "The start has **one** region, the picture itself" in told
        np.testing.assert_array_equal(drawn.pictures["selective_regions"], image)
    assert "truth" not in " ".join(options.get("caption", "") for options in drawn.options.values())


def test_a_scene_without_things_makes_sense(visit, sound, drawn):
    sound(visit(PAGE, {"selective_objects": ["0", "0"], "predict": "off"}))
    assert not [box for box in drawn.boxes("selective_boxes") if box.id.startswith(("best", "truth"))]


def test_the_answers_are_those_of_the_lab(visit, sound, prose):
    tree, without = (selective_search.hierarchy(scene(), use=use)
                     for use in (("colour", "texture", "size", "fill"), ("colour", "texture", "fill")))  # fmt: skip
    counts = [sum(tree.sizes[r] < 100 for r in np.unique(region_tree.owners(tree, 69))) for tree in (tree, without)]
    assert counts[1] > counts[0]
    told = prose(sound(visit(PAGE, {"predict-selective-boxes": "140", "predict-selective-size": "more"})))
    assert "You said **140**. It is **279**, because every merge leaves one region less and adds one box" in told
    assert f"{counts[1]} without, {counts[0]} with it" in told and "You said **“more”**, and that is right" in told
    differ = len(np.unique(tree.boxes, axis=0))
    assert f"140 + 139 = **279** regions, each with its box; **{differ}** boxes differ" in told
    assert f"has {sliding_window.all_boxes(224, 224):,} boxes" in told


def test_small_regions_left_are_counted_after_every_merge():
    tree = selective_search.hierarchy(scene(3))
    left = merging.small_left(tree)
    assert len(left) == tree.start
    for merges in (0, 1, 50, tree.start - 1):
        assert left[merges] == (tree.sizes[np.unique(region_tree.owners(tree, merges))] < merging.SMALL).sum()


# --- one region in the tree


def test_a_click_takes_the_region_there_and_the_slider_climbs(visit, sound, drawn, prose):
    click = {"x": 30.4, "y": 200.9, "what": None, "when": 1}
    heard = {"selective_tree.live": {"message": {"sequence": 1, "click": click}}}
    at = sound(visit(PAGE, selective_up=3, **heard))
    assert at.query_params["selective_at"] in ("30,200", ["30,200"])
    tree = selective_search.hierarchy(scene())
    path = region_tree.path_up(tree, int(tree.labels[200, 30]))
    region = path[3]
    assert f"Column 30, row 200, **3 of {len(path) - 1}** steps up: region **{region}** of" in prose(at)
    boxes = {box.id: box.xyxy for box in drawn.boxes("selective_tree")}
    assert boxes == {f"region-{region}": tuple(tree.boxes[region]), "parent": tuple(tree.boxes[path[4]])}
    outline = drawn.layer("selective_tree", Labels).values
    for number, part in enumerate(tree.children[region - tree.start].tolist(), start=1):
        assert region_tree.mask(tree, part)[outline == number].all() and (outline == number).any()


def test_the_ends_of_the_way_up(visit, sound, drawn, prose):
    told = prose(sound(visit(PAGE, {"selective_at": "5,5"}, selective_up=0)))
    assert "**0 of" in told and "A region of the start: it has no parts." in told
    at = sound(visit(PAGE, {"selective_at": "999,-4"}, selective_up=999))
    assert "Column 223, row 0" in prose(at)
    assert [box.xyxy for box in drawn.boxes("selective_tree")] == [(0, 0, 224, 224)], "the picture has no parent"


def test_a_place_that_means_nothing_is_answered_in_a_sentence(visit):
    at = visit(PAGE, {"selective_at": "there"})
    assert not at.exception
    assert [error.value for error in at.error] == [
        "The link's selective\\_at is no place like 40,28: click on the picture instead."
    ] or "selective_at is no place like 40,28" in at.error[0].value


def test_leaves_stand_side_by_side_and_parents_between_them():
    tree = region_tree.example()
    assert sorted(climbing.places(tree)[:3].tolist()) == [0, 1, 2]
    assert climbing.places(tree)[3] in (0.5, 1.5)
    figure = climbing.drawn(tree, [0, 3, 4], 1)
    assert list(figure.data[1].y) == [0, 1, 2] and list(figure.data[2].y) == [1]


# --- more than one search


def test_searches_multiply_and_each_box_is_listed_once(visit, sound, drawn, prose):
    at = sound(visit(PAGE, OFF, selective_spaces=["Grey", "rgI"], selective_sums=["T + S + F", "F"],
                     selective_scales=[100]))  # fmt: skip
    trees = [selective_search.hierarchy(scene(), space, 100, use=use)
             for space in ("Grey", "rgI") for use in (("texture", "size", "fill"), ("fill",))]  # fmt: skip
    union = np.unique(np.concatenate([tree.boxes for tree in trees]), axis=0)
    assert f"| this page, 4 searches | {len(union):,} |" in prose(at)
    assert f"| OpenCV, fast | {len(selective_search.by_opencv(scene())):,} |" in prose(at)
    assert "OpenCV, quality" not in prose(at) and "| 635,040,000 |" in prose(at) and "57,768,120,000" in prose(at)
    things, names = shared.things_of(pictures.from_lab_world(shared.SEED, objects=(2, 6)))
    best = shared.fits(union, things).amax(0)
    labels = [box.label for box in drawn.boxes("selective_best") if box.id.startswith("best")]
    assert labels == [f"{name} {float(fit):.2f}" for name, fit in zip(names, best, strict=True)]


def test_a_photograph_has_the_boxes_that_were_marked_by_hand(visit, sound, drawn):
    sound(visit(PAGE, OFF, selective_source="Photograph"))
    marked = pictures.photograph("Cat").things
    there = [box.xyxy for box in drawn.boxes("selective_best") if box.id.startswith("truth")]
    np.testing.assert_allclose(there, [thing.box for thing in marked], atol=1e-3)


# --- recall and precision


def fake(covered: float, hit: float) -> Scene:
    """One thing that every method covers by `covered`; of four proposals one has the IoU `hit`."""
    listed = Listed(torch.full((1, LENGTH), covered), torch.tensor([hit, 0, 0, 0]), 0.25)
    return Scene(torch.tensor([3]), dict.fromkeys(METHODS, listed))


def test_the_table_says_recall_and_precision_at_the_threshold(visit, sound, drawn, prose, monkeypatch):
    st.cache_resource.clear()
    shared_scenes = {seed: fake(0.8, 0.6) for seed in held_out_seeds(4)}
    monkeypatch.setattr(recall, "known", lambda: shared_scenes)
    asked = {"predict-selective-precision": "10 to 30 %"}
    at = sound(visit(PAGE, asked, selective_scenes=4, selective_found=0.6))
    rows = drawn.grids["selective_methods"]["methods"]
    assert rows.rows == list(METHODS)
    np.testing.assert_allclose(rows.values, [[4, 100, 25, 0.8, 250]] * 7, rtol=1e-6)
    assert "You said **10 to 30 %**, and that is right" in prose(at) and "Precision **25.0%**" in prose(at)
    sound(visit(PAGE, asked, selective_scenes=4, selective_found=0.81))
    np.testing.assert_allclose(drawn.grids["selective_methods"]["methods"].values, [[4, 0, 0, 0.8, 250]] * 7, rtol=1e-6)


def test_each_curve_ends_with_its_list():
    curves = dict.fromkeys(METHODS, np.linspace(0, 1, LENGTH))
    figure = recall.chart(curves, {name: 50 if name == "RPN" else LENGTH for name in METHODS}, 0.5)
    lines = {trace.name: trace for trace in figure.data if trace.mode == "lines"}
    assert lines["RPN"].x[-1] == 50 and lines["random boxes"].x[-1] == LENGTH
    assert lines["RPN"].y[-1] == pytest.approx(49 / 1999)


@pytest.mark.skipif("detector" not in catalog.shipped(), reason="the detector has no weights yet")
def test_one_scene_searched_by_all_methods():
    seed = held_out_seeds(1)[0]
    found = searched.searched(seed)
    assert list(found.by_method) == list(METHODS)
    for name, listed in found.by_method.items():
        assert listed.covered.shape == (len(found.labels), LENGTH) and 0 < len(listed.overlaps) <= LENGTH, name
        assert listed.seconds >= 0 and float(listed.covered[:, -1].max()) == pytest.approx(float(listed.overlaps.max()))
    ends = {name: float(each.covered[:, -1].mean()) for name, each in found.by_method.items()}
    assert ends["eight searches"] > ends["random boxes"]
    tree = selective_search.hierarchy(pictures.from_lab_world(seed).image)
    assert len(found.by_method["one search"].overlaps) == len(np.unique(tree.boxes, axis=0))
    assert float(region_proposals.recall(found.by_method["RPN"].covered, 0.5)[-1]) == 1
    assert proposal_recall.precision(found.by_method["OpenCV fast"].overlaps, 0.5) < 0.2


def test_work_goes_on_where_it_was_stopped(monkeypatch):
    asked = []
    monkeypatch.setattr(searched, "searched", lambda seed: asked.append(seed) or fake(1, 1))
    monkeypatch.setattr(catalog, "load", lambda name: None)
    there = {}
    steps = searched.work(3, there)
    assert next(steps) == (1, 3, "Scenes") and len(there) == 1
    assert [step[0] for step in searched.work(3, there)] == [1, 2, 3]
    assert asked == list(held_out_seeds(3))


def test_the_button_begins_the_work_and_stop_ends_it(visit, sound, monkeypatch):
    st.cache_resource.clear()

    def endless(*_):
        while True:
            yield 3, 8, "Scenes"

    monkeypatch.setattr(recall, "known", dict)
    monkeypatch.setattr(recall, "work", endless)
    at = sound(visit(PAGE))
    at.button(key="selective_search_scenes").click().run()
    _, job = at.session_state["_selective_search_scenes"]
    end = time.monotonic() + 60
    while job.look() is None and time.monotonic() < end:
        time.sleep(0.02)
    assert job.running and job.look() == (3, 8, "Scenes")
    at.button(key="selective_search_scenes_stop").click().run()
    assert not job.running and offered.SAID["stopped"] in [each.value for each in at.caption]


def test_outlines_are_two_pixels_wide_also_at_the_frame():
    mask = np.zeros((9, 9), bool)
    mask[:, :6] = True
    drawn_values = shared.outlines([mask], ["#000000"]).values
    assert drawn_values[4].tolist() == [1, 1, 0, 0, 1, 1, 0, 0, 0] and (drawn_values[:2, :6] == 1).all()
    assert isinstance(shared.outlines([mask], ["#000000"]), components.Labels)
