"""The Anchors page: the lectures' numbers are on it, extremes are put into words, and no control state breaks it."""

import re
from dataclasses import replace

import numpy as np
import pytest
import streamlit
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labs import region_proposals
from models import catalog
from models.networks.detector import LoadedDetector, build_detector
from pages.anchors import labels, pipeline, proposals, recall, shapes, shared, sliding
from pages.anchors import network as network_section
from ui import components, outside_lab_world

NO_WEIGHTS = "detector has no weights yet: python -m models train detector makes them."
PAGE = "anchors"


@pytest.fixture(scope="module")
def network():
    """The detector as it is before training: the same layers and shapes, without the weights."""
    torch.manual_seed(0)
    return LoadedDetector("detector", build_detector().eval(), torch.device("cpu"), {})


@pytest.fixture
def untrained(monkeypatch, network):
    monkeypatch.setattr(catalog, "load", lambda name: network)
    monkeypatch.setattr(catalog, "card", lambda name: network.card)


@pytest.fixture
def absent(monkeypatch):
    def refuse(name):
        raise ValueError(NO_WEIGHTS)

    streamlit.cache_resource.clear()  # what other tests have left
    for door in ("load", "card"):
        monkeypatch.setattr(catalog, door, refuse)


@pytest.fixture
def run(visit):
    """Function: a visit to the page in a scene of which the tests know the numbers, with recall over few scenes."""
    return lambda query=None, **state: visit(PAGE, query, **{"anchors_scenes": 8, "anchors_seed": 7} | state)


@pytest.fixture
def text(prose):
    """Function: all that the page says."""
    return lambda at: "\n".join(
        [prose(at), *(each.value for kind in (at.info, at.warning, at.error, at.latex) for each in kind)]
    )


def test_without_weights_only_the_network_sections_say_so(run, absent, drawn, text):
    at = run()
    assert not at.exception
    assert [e.value for e in at.error] == [
        "detector has no weights yet: python -m models train detector makes them."
    ] * 4
    assert {"anchors_grid", "anchors_labels"} <= set(drawn.layers)
    assert "**1,800 boxes**" in text(at)


def test_nine_anchors_at_the_chosen_position(run, absent, drawn, text):
    at = run()
    assert "14 × 14 positions × **K = 9** = **1,764 anchors**" in text(at)
    assert len(drawn.boxes("anchors_grid")) == 9


def test_six_and_one_by_their_buttons(run, absent, drawn, text):
    at = run()
    at.button(key="anchors_preset_K = 6").click().run()
    assert "**K = 6**" in text(at) and len(drawn.boxes("anchors_grid")) == 6
    at.button(key="anchors_preset_One anchor").click().run()
    assert "**K = 1**" in text(at) and len(drawn.boxes("anchors_grid")) == 1


@pytest.mark.parametrize(("k", "objectness", "transforms", "total"), [(6, 12, 24, "1,800"), (9, 18, 36, "2,700")])
def test_lecture_shapes(run, absent, k, objectness, transforms, total, text):
    at = run(shapes_k=1, shapes_height=64, shapes_stride=4)
    name = next(name for name, values in shapes.EXAMPLES.items() if values["k"] == k and values["height"] == 640)
    at.button(key=f"shapes_example_{name}").click().run()
    found = text(at)
    assert "| 512×20×15 |" in found
    assert f"| {objectness}×20×15 |" in found and f"| {transforms}×20×15 |" in found
    assert f"**{total} boxes**" in found


def test_a_scene_without_objects(run, sound, untrained, drawn, text):
    at = sound(run(anchors_objects=(0, 0)))
    assert "No object in this scene" in text(at)
    assert "**Negative 1,764** of 1,764" in text(at)
    assert not [box for box in drawn.boxes("anchors_labels") if box.id.startswith("truth")]


def test_a_photograph_has_no_labels(run, absent, text):
    at = run(anchors_source="Photograph")
    assert not at.exception
    assert "Nobody has boxed the things" in text(at)


def test_a_photograph_is_outside_what_the_detector_knows(run, absent):
    wanted = lambda at: any(outside_lab_world.SENTENCE in each.value for each in at.info)  # noqa: E731
    assert wanted(run(anchors_source="Photograph")) and not wanted(run())


@pytest.mark.parametrize(
    ("positive", "negative", "sentence"),
    [
        (0.0, 0.0, "threshold of 0 is met by every anchor"),
        (0.7, 0.0, "no negatives"),
        (1.0, 0.3, "equals its truth"),
        (0.3, 0.7, "lower the negative threshold or raise the positive one"),
    ],
)
def test_extreme_thresholds_in_words(run, absent, positive, negative, sentence, text):
    at = run(anchors_positive=positive, anchors_negative=negative)
    assert not at.exception
    assert sentence in text(at)


def test_labels_differ_by_more_than_colour(run, absent, drawn):
    run(anchors_positive=0.5, anchors_draw=["positive", "best", "ignored", "negative"])
    looks = {}
    for box in drawn.boxes("anchors_labels"):
        looks.setdefault(box.id.rsplit("-", 1)[0], set()).add((box.dash, box.width))
    assert looks["ignored"] == {(True, 1.25)} and looks["negative"] == {(False, 1.0)}
    assert looks["positive"] == {(False, 3.0)}
    assert len(drawn.every("anchors_labels", components.Points)) == 1  # only the negatives have a dot in the middle
    assert len(drawn.boxes("anchors_labels")) < 300


def test_out_of_reach_by_size_and_by_stride(run, absent, text):
    far = text(run(anchors_smallest=128, anchors_sizes=1, anchors_ratio=1.0))
    assert "no size and ratio fits" in far and ":material/check: reached" not in far
    assert "truths are out of reach" in far


def test_the_pyramid_has_the_detectors_anchors(network):
    theirs = network(np.zeros((224, 224, 3), np.uint8), masks=False, keypoints=False).anchors
    assert torch.equal(shared.pyramid()[1], theirs)


def test_the_network_is_on_the_page(run, sound, untrained, drawn, text):
    at = sound(run())
    found = text(at)
    assert "12,543 boxes" in found and "300 proposals" in found
    assert r"b_x &= p_x + p_w\,t_x" in found
    proposed = [box for box in drawn.boxes("anchors_after") if not box.id.startswith("truth")]
    assert len(proposed) == 10
    assert "Recall at 300 proposals" in found


@pytest.mark.skipif(not (catalog.WEIGHTS / "detector.json").exists(), reason="the detector has no weights")
def test_the_trained_networks_own_proposals_are_the_pages(run, text):
    """Before training, objectness has ties, which torchvision's sort and the page's may order differently."""
    remembered = (network_section.look, recall.coverage, recall.coverages)
    for each in remembered:  # of the untrained network
        each.clear()
    found = text(run(anchors_seed=35))
    for each in remembered:
        each.clear()
    assert "The network's own proposals on this picture: 300 :green-badge" in found and "red-badge" not in found
    shares = re.search(r"RPN \*\*([\d.]+)%\*\*.*sliding windows \*\*([\d.]+)%\*\*, random boxes \*\*([\d.]+)%", found)
    rpn, windows, random = map(float, shares.groups())
    assert rpn > 95 and rpn > windows > random


def test_share_zero_leaves_the_anchor(run, untrained, drawn):
    run(anchors_share=0.0)
    found = {box.id: box.xyxy for box in drawn.boxes("anchors_decode")}
    assert found["decoded"] == pytest.approx(found["anchor"], abs=1e-3)


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ({"anchors_nms": 0.0}, "At 0 any common pixel"),
        ({"anchors_nms": 1.0}, "At 1 nothing is suppressed"),
        ({"anchors_found": 0.0}, "IoU 0 is met by boxes"),
        ({"anchors_found": 1.0}, "IoU 1 asks for the exact box"),
    ],
)
def test_extreme_network_thresholds_in_words(run, sound, untrained, state, sentence, text):
    at = sound(run(**state))
    assert sentence in text(at)


def test_a_link_with_nonsense_is_answered_in_a_sentence(run, untrained, text):
    at = run({"anchors_at": "here", "anchors_box": "P4,9,99"})
    assert not at.exception
    assert "anchors_at is not a position" in text(at) and "anchors_box is no anchor" in text(at)


@settings(deadline=None, max_examples=6, suppress_health_check=list(HealthCheck))
@given(
    st.fixed_dictionaries(
        {
            "anchors_stride": st.sampled_from([4, 8, 16, 32]), "anchors_smallest": st.sampled_from([8, 32, 60, 128]),
            "anchors_sizes": st.integers(1, 4), "anchors_ratio": st.floats(1, 4),
            "anchors_convention": st.sampled_from(["torchvision", "centred"]),
            "anchors_of": st.sampled_from(["The grid above", "The detector's pyramid"]),
            "anchors_positive": st.floats(0, 1), "anchors_negative": st.floats(0, 1),
            "shapes_height": st.integers(64, 1024), "shapes_stride": st.sampled_from([4, 8, 16, 32, 64]),
            "shapes_k": st.integers(1, 15), "anchors_seed": st.integers(0, 30),
        }
    )
)  # fmt: skip
def test_no_control_state_breaks_the_page(run, absent, state):
    at = run(**state)
    assert not at.exception
    crossed = [e.value for e in at.error if "weights" not in e.value]
    assert bool(crossed) == (round(state["anchors_negative"], 2) > round(state["anchors_positive"], 2))


@pytest.mark.parametrize(("convention", "place"), [("torchvision", 0.0), ("centred", 0.5)])
def test_the_squares_are_the_cells_in_both_conventions(run, absent, drawn, convention, place):
    """The dots stand where the convention says: on the upper left corners, or in the middles."""
    run(anchors_convention=convention, anchors_stride=32)
    grid = drawn.layer("anchors_grid", components.GridLines)
    dots = drawn.layer("anchors_grid", components.Points).xy
    assert grid.stride == 32 and tuple(grid.offset) == (0.0, 0.0)
    assert np.allclose(np.asarray(dots) / 32 % 1, place)
    assert ("upper left corners" in drawn.options["anchors_grid"]["caption"]) == (convention == "torchvision")


def test_a_truth_missed_by_rounding_alone_is_told_so(run, absent, text):
    """Scene of the page, 0.70: 0.6971 as torchvision rounds, 0.7046 with exact sides."""
    found = text(run())
    assert "| 0.697 | 0.697 | :material/straighten: fits with exact sides (0.705), not as rounded |" in found
    exact = text(run(anchors_convention="centred"))
    assert "exact sides (" not in exact


def test_a_truth_at_exactly_the_threshold_is_reached(run, absent, text, monkeypatch):
    """0.7 in float32 is below 0.7 in float64; count, table and labels follow one rule."""
    monkeypatch.setattr(labels, "iou_matrix", lambda truths, boxes: torch.full((len(truths), len(boxes)), 0.7))
    found = text(run())
    assert "**Every truth is reached**" in found and "not as rounded" not in found
    assert "| 0.700 |" in found and "reached, 0 positive" in found


def test_the_best_of_each_level_are_counted_before_clipping(run, sound, untrained, text):
    """The best 600 of levels of 9408, 2352, 588, 147 and 48 boxes are 1,983, whatever is left of them."""
    assert "the best 600 of each level: **1,983**" in text(sound(run()))


def test_a_box_outside_the_picture_is_empty_once_clipped(run, sound, untrained, text, monkeypatch):
    seen = network_section.look

    def moved(image):
        found = seen(image)
        boxes = found.decoded.clone()
        boxes[-2:] = torch.tensor([300.0, 300.0, 340.0, 340.0])
        return replace(found, decoded=boxes)

    monkeypatch.setattr(proposals, "look", moved)
    assert re.search(r"\*\*1,983\*\*, \d+ of them empty once clipped to the picture", text(sound(run())))


def test_suppression_stays_within_a_level(run, untrained, text):
    assert "suppress duplicates within each level" in text(run())


def test_the_papers_sample_and_the_labs_are_told_apart(run, absent, text):
    found = text(run(anchors_positive=0.5))
    assert "The lab's detector draws 128" in found
    assert "Faster R-CNN, and torchvision by default, draw 256" in found


def test_anchors_beyond_the_picture_are_kept_by_choice(run, absent, text):
    assert "the Faster R-CNN paper leaves such anchors out (section 3.3); torchvision, and the labels below, keep" in (
        text(run())
    )


@pytest.mark.skipif(not (catalog.WEIGHTS / "detector.json").exists(), reason="the detector has no weights")
def test_suppression_pays_where_few_proposals_are_used_and_the_erratum_says_so(run, text):
    remembered = (network_section.look, recall.coverage, recall.coverages)
    for each in remembered:
        each.clear()
    found = text(run())
    covered = recall.coverages(8)
    at = lambda name, threshold, n: float(region_proposals.recall(covered[name], threshold)[n - 1])  # noqa: E731
    for each in remembered:
        each.clear()
    assert at("RPN", 0.5, 10) > at("RPN without suppression", 0.5, 10)
    assert at("RPN", 0.8, 300) < at("RPN without suppression", 0.8, 300)
    assert "It pays where **few** proposals are used" in found and "*without* suppression finds more" in found
    assert "Recall at 10 proposals" in found and "top 300 are many copies" not in found


@pytest.fixture
def default_scene(visit):
    """Function: a visit to the page as it opens."""
    return lambda query=None, **state: visit(PAGE, query, **{"anchors_scenes": 8} | state)


def test_the_page_opens_with_anchors_that_reach_a_truth_by_the_rule(default_scene, absent, drawn, text):
    """The rule of 0.7 can be seen only where some anchor meets it."""
    found = text(default_scene())
    ordinary = [box for box in drawn.boxes("anchors_labels") if box.id.startswith("positive")]
    assert len(ordinary) == 3 and "**1 of 3 truths are out of reach**" in found


# --- the whole network in one row


@pytest.mark.skipif(not (catalog.WEIGHTS / "detector.json").exists(), reason="the detector has no weights")
def test_the_row_has_the_maps_and_counts_of_the_scene(default_scene, drawn):
    for each in (network_section.look, pipeline.walk):
        each.clear()
    default_scene()
    captions = [drawn.options[f"anchors_row_{i}"]["caption"] for i in range(7)]
    assert captions[0] == "3×224×224" and captions[1] == "64×28×28, level P3" and captions[4] == "12×28×28: 4K"
    assert captions[5] == "12,543 boxes on 5 levels" and re.fullmatch(r"1,983 → [\d,]+ → 300 proposals", captions[6])
    assert len(drawn.boxes("anchors_row_5")) == 60 and len(drawn.boxes("anchors_row_6")) == 100
    scores = drawn.layer("anchors_row_3", components.Heat)
    assert scores.values.shape == (28, 28) and scores.values.max() > 0.99
    for step in (1, 2):
        assert drawn.layer(f"anchors_row_{step}", components.Heat).values.shape == (28, 28)


def test_the_pyramid_shows_every_levels_stride_and_anchors(default_scene, untrained, drawn):
    default_scene()
    levels = zip((4, 8, 16, 32, 56), (56, 28, 14, 7, 4), (16, 32, 64, 128, 192), strict=True)
    for i, (stride, side, size) in enumerate(levels):
        key = f"anchors_pyramid_{i}"
        assert drawn.layer(key, components.GridLines).stride == stride
        assert drawn.options[key]["caption"] == f"{side}×{side} cells, anchors of {size} px"
        widths = [box.xyxy[2] - box.xyxy[0] for box in drawn.boxes(key)]
        assert len(widths) == 3 and size in widths


# --- one anchor over one thing


def test_an_anchor_on_its_way_is_negative_ignored_positive(default_scene, absent, drawn, text):
    labels = []
    for share in (0.0, 0.35, 0.5):
        default_scene(anchors_way=share, anchors_truth=2)
        box = next(box for box in drawn.boxes("anchors_slide") if box.id == "anchor")
        labels.append((box.label.split()[0], box.dash))
    assert labels == [("negative", False), ("ignored", True), ("positive", False)]


def test_the_way_over_a_truth_is_its_iou_at_every_place():
    way = sliding.way_over(torch.tensor([10.0, 20, 30, 40]), torch.tensor([-10.0, -10, 10, 10]), steps=4)
    assert way.offsets.tolist() == [-20, -10, 0, 10, 20]
    assert way.overlap.tolist() == pytest.approx([0, 1 / 3, 1, 1 / 3, 0])


def test_another_scene_with_fewer_truths(default_scene, absent):
    at = default_scene(anchors_seed=11)
    at.session_state["anchors_truth"] = 6
    at.run()
    at.session_state["anchors_seed"] = 0
    assert not at.run().exception


# --- the mini-batch and the loss of one anchor


def test_a_mini_batch_has_half_positives_at_most(default_scene, absent, drawn, text):
    every = ["positive", "best", "ignored", "negative"]
    at = default_scene(anchors_batch=True, anchors_positive=0.4, anchors_draw=every)
    assert "**The mini-batch: " in text(at)
    drawn_boxes = {box.id for box in drawn.boxes("anchors_labels") if not box.id.startswith("truth")}
    plus = {name for name in drawn_boxes if name.startswith(("positive", "best"))}
    assert len(drawn_boxes) == 128 and 0 < len(plus) <= 64 and not any(n.startswith("ignored") for n in drawn_boxes)
    at.button(key="anchors_draw_again").click().run()
    assert {box.id for box in drawn.boxes("anchors_labels") if not box.id.startswith("truth")} != drawn_boxes


def test_one_anchor_alone_by_its_link(default_scene, absent, drawn, text):
    found = text(default_scene({"anchors_alone": "700"}))
    assert [box.id for box in drawn.boxes("anchors_labels") if not box.id.startswith("truth")] == ["negative-700"]
    assert "**This anchor (" in found
    default_scene({"anchors_alone": "9999999"})
    assert len(drawn.boxes("anchors_labels")) > 20


@pytest.mark.parametrize(
    ("box", "sentence"),
    [("P4,1,0,0", "a negative has nowhere to go"), ("P3,1,16,11", "smooth L1 distance of its four numbers")],
)
def test_the_loss_of_the_chosen_anchor(default_scene, untrained, text, box, sentence):
    assert sentence in text(default_scene({"anchors_box": box}))


def test_a_photograph_has_no_truth_in_its_captions(default_scene, untrained, drawn):
    default_scene(anchors_source="Photograph")
    assert all("truth" not in drawn.options[key]["caption"] for key in ("anchors_decode", "anchors_before"))
