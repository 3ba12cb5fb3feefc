"""The R-CNN Family: the RPN's regions, the four losses, and training in four steps, with their controls moved."""

import json
import re
from typing import cast

import numpy as np
import pytest
import torch

from labs.boxes import iou_matrix
from models import catalog
from models.inside import two_stages
from models.inside.four_losses import KINDS, open_losses
from models.networks.detector import LoadedDetector
from models.recipes.alternating_detector import STEPS
from pages.rcnn_family import alternating, faster, losses, shared
from ui import pictures

PAGE = "rcnn_family"
pytestmark = pytest.mark.skipif("detector-narrow" not in catalog.shipped(), reason="the detector has no weights yet")
turned = pytest.mark.skipif(not alternating.ready(), reason="it has not been trained in turns yet")


@pytest.fixture
def fine():
    """Function: the visit itself, without an error of these sections; others may still wait for their networks."""

    def checked(at):
        assert not at.exception
        assert not [error.value for error in at.error if "has no weights yet" not in error.value]
        return at

    return checked


def instances() -> tuple:
    view = scene().view
    assert view is not None
    return view.instances


def detector(name: str) -> LoadedDetector:
    return cast(LoadedDetector, catalog.load(name))


def scene(seed: int = shared.SEED):
    return pictures.from_lab_world(seed)


def test_the_first_boxes_of_both_are_drawn_and_what_they_cover_is_counted(visit, fine, drawn, prose):
    at = fine(visit(PAGE, {"predict": "off"}, faster_boxes=7))
    found = two_stages.walk(detector("detector-narrow"), scene().image)
    of_rpn = [box for box in drawn.boxes("faster_rpn") if box.id.startswith("box-")]
    assert sorted(box.xyxy for box in of_rpn) == sorted(map(tuple, found.regions[:7].tolist()))
    assert len([box for box in drawn.boxes("faster_search") if box.id.startswith("box-")]) == 7
    things = torch.tensor(np.array([each.box for each in instances()])).float()
    reached = int((iou_matrix(things, found.regions[:7]).amax(1) >= 0.5).sum())
    assert f"**the RPN**: {reached} of {len(things)} things by the first 7 boxes" in prose(at)


@pytest.mark.parametrize("label", list(losses.NETWORKS))
@pytest.mark.parametrize("kind", KINDS)
def test_each_loss_opens_and_its_boxes_pay_what_is_said(visit, fine, drawn, prose, label, kind):
    name = losses.NETWORKS[label]
    if name not in catalog.shipped():
        pytest.skip("not trained yet")
    of = "losses_anchor" if kind in KINDS[:2] else "losses_region"
    state = {"losses_network": label, "losses_of": losses.NAMES[kind], of: 3}
    at = fine(visit(PAGE, {"predict": "off"}, **state))
    opened = open_losses(detector(name), scene().image, instances())
    batch, adds = opened.of(kind)
    order = adds.argsort(descending=True, stable=True)
    chosen = next(box for box in drawn.boxes("losses_boxes") if box.id == "chosen")
    assert chosen.xyxy == tuple(batch.boxes[order[2]].tolist())
    assert sum(box.id.startswith("paid-") for box in drawn.boxes("losses_boxes")) == 2
    text = prose(at)
    assert f"/ {len(adds)} = **{losses.small(float(adds[order[2]]))}**" in text or "It pays **0**" in text
    share = float(adds[order[:3]].sum() / adds.sum())
    assert f"The first 3 of {len(adds)} pay **{share:.0%}** of {opened.losses[kind]:.4f}" in text


def test_a_scene_without_things_and_a_photograph_make_sense(visit, fine, said):
    at = fine(visit(PAGE, {"predict": "off"}, rcnn_objects=(0, 0)))
    assert "every box is one too many" in said(at)
    at = fine(visit(PAGE, {"predict": "off"}, rcnn_source="Photograph"))
    text = "\n".join([said(at), *(each.value for each in at.info)])
    assert "it has no losses" in text and "nobody can say how many" in text


def test_small_losses_keep_their_digits():
    assert [losses.small(value) for value in (0.0, 0.25, 0.001, 0.00078)] == ["0.0000", "0.2500", "0.0010", "7.8e−04"]


@turned
@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_the_steps_of_the_alternation(visit, fine, said, step):
    at = fine(visit(PAGE, {"predict": "off"}, alternating_step=step))
    text = said(at)
    assert f"**Step {step}, {STEPS[step - 1]}" in text
    card = catalog.card(alternating.ALTERNATING)
    start = next(point for point in card["curve"] if point["stage"] == step).get("box_ap50", 0.0)
    assert f"{start:.2f}. " in text
    for name in (alternating.JOINT, alternating.ALTERNATING):
        assert f"{catalog.card(name)['metrics']['box_ap']:.3f}" in text


def test_what_learns_when_is_that_of_the_paper():
    """Ren et al. 2015, section 3.2: the shared trunk is frozen in steps 3 and 4, and learns in step 2 alone."""
    parts, learns = alternating.PARTS, alternating.LEARNS
    assert [[part for part in parts if parts[part][step] == learns] for step in range(4)] == [
        ["trunk 1", "RPN 1"], ["trunk 2", "heads"], ["RPN 2"], ["heads"]]  # fmt: skip
    assert parts["trunk 2"][2:4] == (alternating.FROZEN,) * 2
    count = alternating.weights()
    assert sum(count.values()) == catalog.card(alternating.JOINT)["parameters"]


@turned
def test_the_cards_hold_both_curves_of_the_same_number_of_steps():
    joint, turns = (catalog.card(name) for name in (alternating.JOINT, alternating.ALTERNATING))
    assert joint["curve"][-1]["step"] == turns["curve"][-1]["step"] == joint["recipe"]["steps"]
    assert sum(stage["steps"] for stage in turns["stages"]) == joint["recipe"]["steps"]
    assert turns["training_seconds"] == sum(stage["training_seconds"] for stage in turns["stages"])
    assert {**joint["recipe"], **turns["recipe"]}.keys() - joint["recipe"].keys() == {"shares"}
    assert all(turns["recipe"][key] == value for key, value in joint["recipe"].items())
    json.dumps([joint, turns], allow_nan=False)


@turned
def test_alternating_training_is_within_three_points_of_joint_training_or_the_page_says_why(visit, fine, said):
    joint, turns = (catalog.card(name)["metrics"]["box_ap"] for name in (alternating.JOINT, alternating.ALTERNATING))
    text = said(fine(visit(PAGE, {"predict": "off"})))
    assert re.search(rf"Alternating training ends {abs(joint - turns):.3f} AP (below|above) joint training", text)
    assert "lost" in text


@pytest.mark.skipif(faster.HANDED not in catalog.shipped(), reason="Fast R-CNN has no weights yet")
@pytest.mark.parametrize("mode", shared.MODES)
def test_both_are_shown_and_the_time_of_the_search_is_asked_beside_that_of_the_rpn(visit, fine, drawn, said, mode):
    text = said(fine(visit(PAGE, {"predict": "off"}, rcnn_count=50, rcnn_mode=mode)))
    assert {"faster_found_2", "faster_found_3"} <= set(drawn.layers)
    told = re.search(rf"does selective search \({mode}\) take\? \*\*(.*?)\*\*.*?: ([\d.]+) times", text)
    assert told
    name, times = told.groups()
    limits = list(faster.TIMES.values())
    at = list(faster.TIMES).index(name)
    assert (limits[at - 1] if at else 0) <= float(times) + 0.05 and float(times) - 0.05 < limits[at]
    assert re.search(r"in Fast R-CNN here it is \d+%\. In Faster R-CNN it is \d+%", text)
