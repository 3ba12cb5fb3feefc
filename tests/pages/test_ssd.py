"""The SSD page: the pyramid counts as the paper does, rules, mining and grids say what the labs say."""

import re

import numpy as np
import pytest
import torch

import scenes
from labs import anchors, default_boxes, yolo_grid
from labs.boxes import iou_matrix
from labs.hard_negative_mining import multibox_loss
from labs.yolo_grid import Grid
from models import catalog
from models.networks import ssd
from models.recipes.scene_cache import held_out_seeds
from pages.shared import known_truth
from pages.ssd import against_yolo, by_scale, matching, pyramid, shared
from ui import outside_lab_world, pictures

AS_IT_IS = True  # no network is replaced
PAGE = "ssd"
NO_QUESTIONS = {"predict": "off"}


@pytest.fixture(autouse=True)
def three_scenes(monkeypatch):
    """Counts over three scenes: the page's own only take longer."""
    monkeypatch.setattr(by_scale, "held_out_seeds", lambda count: held_out_seeds(min(count, 3)))


@pytest.fixture(scope="module")
def picture():
    return pictures.from_lab_world(14, objects=(2, 6), classes=scenes.THINGS, occlusion=0.35)


@pytest.fixture(scope="module")
def truth(picture):
    return known_truth.truth_of(picture)


def of_kind(drawn, key: str, kind: str) -> list:
    return [box for box in drawn.boxes(key) if box.id.startswith(kind)]


def test_ssd300_has_its_8732_boxes(visit, sound, drawn, prose):
    found = prose(sound(visit(PAGE, NO_QUESTIONS)))
    assert "**8,732 default boxes** in all: 5,776 + 2,166 + 600 + 150 + 36 + 4" in found
    assert "**10×10 × 6 = 600** boxes of 84 px" in found and ":gray[38×38 × 4 = 5,776 boxes of 22 px]" in found
    assert "5,776 of 8,732, 66%" in found
    assert len(of_kind(drawn, "ssd_pyramid", "default-")) == 6


def test_this_labs_pyramid_begins_with_its_own_scales_and_is_the_networks(visit, sound, drawn, prose):
    at = visit(PAGE, NO_QUESTIONS, ssd_smallest=0.1)
    at.segmented_control(key="ssd_grids").set_value(pyramid.OURS).run()
    found = prose(sound(at))
    assert "**6,140 default boxes** in all: 4,704 + 1,176 + 196 + 64" in found
    assert at.session_state["ssd_smallest"] == pytest.approx(0.16)
    defaults = ssd.defaults_of()
    at.query_params["ssd_at"] = "100,60"
    at.session_state["ssd_grid_4"] = "14×14"
    at.run()
    shown = [box.xyxy for box in of_kind(drawn, "ssd_pyramid", "default-")]
    start = 4704 + (3 * 14 + 6) * 6  # row 3, column 6
    np.testing.assert_allclose(shown, defaults.boxes[start : start + 6], atol=1e-3)


@pytest.mark.parametrize(("shapes", "per", "total"), [("squares", 2, 3880), ("3:1", 6, 11640)])
def test_shapes_count(visit, sound, drawn, prose, shapes, per, total):
    found = prose(sound(visit(PAGE, NO_QUESTIONS, ssd_shapes=shapes)))
    assert f"**{total:,} default boxes** in all" in found
    assert len(of_kind(drawn, "ssd_pyramid", "default-")) == per


def test_the_reach_is_the_best_overlap_of_the_whole_pyramid(visit, sound, drawn, truth):
    sound(visit(PAGE, ssd_smallest=0.3, ssd_largest=1.0, ssd_shapes="squares"))
    scales = default_boxes.scales(6, 0.3, 1.0, finest=0.15)
    steps = [step * 224 / 300 for step in default_boxes.SSD300_STEPS]
    found = default_boxes.default_boxes(default_boxes.SSD300_GRIDS, scales, [()] * 6, 224, 224, steps)
    best = iou_matrix(truth.boxes, found.boxes).amax(1)
    labels = [box.label for box in of_kind(drawn, "ssd_pyramid", "truth-")]
    assert [float(label.split()[-1]) for label in labels] == pytest.approx(best.tolist(), abs=0.006)
    dashed = [box.dash for box in of_kind(drawn, "ssd_pyramid", "truth-")]
    assert dashed == (best < 0.5).tolist() and any(dashed)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.9])
def test_three_rules_on_one_scene(visit, sound, drawn, prose, truth, threshold):
    found = prose(sound(visit(PAGE, NO_QUESTIONS, ssd_iou=threshold)))
    defaults = ssd.defaults_of()
    given = default_boxes.match(iou_matrix(truth.boxes, defaults.boxes), threshold)
    positive = int((given.owner >= 0).sum())
    assert f"**{positive} boxes answer**, {6140 - positive:,} are background, none is ignored" in found
    rpn = anchors.label_anchors(iou_matrix(truth.boxes, matching.detector_anchors(224, 224)))
    assert f"| **ignored** | 0 | | {rpn.count(-1):,} | 0 |" in found
    cells = yolo_grid.assign(truth.boxes, truth.labels, Grid(7, 224, 224))
    for i, box in enumerate(truth.boxes):
        row = next(line for line in found.splitlines() if line.startswith(f"| {truth.name(i)} {shared.size_of(box)}"))
        counts = [int(cell) for cell in re.findall(r"\| (\d+) ", row)]
        assert counts == [int((each == i).sum()) for each in (given.owner, rpn.match, cells.owner)]
    dashed = [box for box in of_kind(drawn, "ssd_matching", "default-") if box.dash]
    assert len(dashed) == int(given.forced.sum())
    assert {box.colour for box in of_kind(drawn, "ssd_matching", "default-")} == {
        shared.GRID_COLOURS[k] for k in defaults.grid_of[given.owner >= 0].tolist()
    }


def test_the_detectors_anchors_are_those_of_the_network(picture):
    torch.testing.assert_close(
        matching.detector_anchors(224, 224), catalog.load("detector")(picture.image, False, False).anchors
    )


@pytest.mark.parametrize("ratio", [0, 3, 20])
def test_what_stays_in_the_loss(visit, sound, drawn, prose, picture, truth, ratio):
    found = prose(sound(visit(PAGE, NO_QUESTIONS, ssd_ratio=ratio)))
    said = catalog.load("ssd")(picture.image)
    owner = default_boxes.match(iou_matrix(truth.boxes, said.defaults.boxes)).owner
    loss = multibox_loss(
        said.class_logits, said.transforms, said.defaults.boxes, owner, truth.boxes, truth.labels, ratio
    )
    positives = int(loss.positive.sum())
    assert f"**Loss {float(loss.total):.3f}** for {positives} positives and {ratio * positives} negatives" in found
    shown = {int(box.id.split("-")[1]) for box in of_kind(drawn, "ssd_mining", "negative-")}
    hard = loss.negative.nonzero()[:, 0]
    hardest = hard[loss.classes[hard].argsort(descending=True)][:120].tolist()
    assert shown == set(hardest)
    assert len(of_kind(drawn, "ssd_mining", "positive-")) == positives
    table = drawn.grids["ssd_by_grid"]
    assert table["boxes"].values.sum(0).tolist() == [6140, positives, ratio * positives]
    assert table["loss"].values[:, 3].sum() == pytest.approx(float(loss.total), rel=1e-4)
    np.testing.assert_allclose(table["loss"].values[:, :3].sum(1), table["loss"].values[:, 3], rtol=1e-4)


def test_a_scene_without_things_has_no_loss(visit, sound, prose):
    found = prose(sound(visit(PAGE, NO_QUESTIONS, ssd_objects=(0, 0))))
    assert "**No thing, no positive, no loss**" in found and "**No thing in this scene**" in found


def test_a_silent_grid_finds_nothing(visit, sound, drawn, prose, picture):
    said = catalog.load("ssd")(picture.image)
    for on in (["28×28"], []):
        at = sound(visit(PAGE, ssd_speak=on, ssd_threshold=0.2, ssd_nms=0.6))
        speaks = said.defaults.grid_of == 0 if on else torch.zeros(6140, dtype=torch.bool)
        scores = torch.where(speaks[:, None], said.raw_scores, 0)
        box, _, _ = default_boxes.detect(said.raw_boxes, scores, 0.2, 0.6)
        assert f"**{shared.counted(len(box), 'detection')}** of" in prose(at)
        assert len(of_kind(drawn, "ssd_found", "found-")) == min(len(box), by_scale.MOST_DRAWN)


def test_thresholds_work_on_one_pass(visit, sound, monkeypatch, prose):
    at = sound(visit(PAGE, ssd_threshold=0.9))
    calls, network = [], type(catalog.load("ssd"))
    call = network.__call__
    monkeypatch.setattr(network, "__call__", lambda *given, **more: calls.append(1) or call(*given, **more))
    before = prose(at)
    at.session_state["ssd_threshold"], at.session_state["ssd_ratio"] = 0.05, 9
    at.run()
    assert not calls and prose(at) != before


def test_sizes_are_counted_where_the_truth_is_found(visit, sound, prose):
    found = prose(sound(visit(PAGE, NO_QUESTIONS)))
    every = [by_scale.hits(seed) for seed in held_out_seeds(3)]
    things = [thing for seed in held_out_seeds(3) for thing in scenes.render(scenes.sample(seed)).instances]
    assert sum(len(each.areas) for each in every) == sum(thing.visible >= 0.15 for thing in things)
    areas = np.concatenate([each.areas for each in every])
    grids = np.concatenate([each.grids for each in every])
    assert ((grids >= -1) & (grids < 4)).all()
    small = areas < 32**2
    assert f"**{(grids[small] < 0).mean():.0%}** of the small" in found
    assert ("of the large" in found.split("Missed")[1]) == bool((areas >= 64**2).any())


def test_things_without_a_box_are_those_of_both_rules(prose, visit, sound):
    table = against_yolo.lost(50)
    assert table["things"] == 205 and table["SSD"] < table["YOLOv1"] == 8
    assert f"SSD: **{against_yolo.lost(100)['SSD']} (" in prose(sound(visit(PAGE, NO_QUESTIONS)))


def test_the_cards_stand_side_by_side(visit, prose):
    found = prose(visit(PAGE))
    for name in against_yolo.ROWS:
        metrics = catalog.card(name)["metrics"]
        assert f"| {name} | {against_yolo.ROWS[name]} | {metrics['box_ap']:.3f} | {metrics['box_ap50']:.3f} |" in found


def test_a_photograph_is_outside_what_the_network_knows_and_has_no_truth(visit, sound, prose):
    at = sound(visit(PAGE, ssd_source="Photograph"))
    assert any(outside_lab_world.SENTENCE in each.value for each in at.info)
    assert sum("choose Lab World" in each.value for each in at.info) == 2


def test_without_weights_the_sections_that_need_them_say_so(visit, monkeypatch, drawn, prose):
    def refuse(name):
        raise ValueError(f"{name} has no weights yet.")

    shared.look.clear()
    by_scale.hits.clear()
    against_yolo.seen_by.clear()
    for door in ("load", "card"):
        monkeypatch.setattr(catalog, door, refuse)
    at = visit(PAGE)
    assert not at.exception
    assert len(at.error) == 5 and all("no weights yet" in each.value for each in at.error)
    assert "ssd_pyramid" in drawn.layers and "8,732" in prose(at)
