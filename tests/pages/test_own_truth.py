"""The truth drawn by hand on an own picture: judged as Lab World's is, kept in the link, loaded, and compared."""

import json
from contextlib import redirect_stdout
from io import StringIO

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as some
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from labs import coco_file
from labs.average_precision import Confusion
from labs.coco_file import Mark
from models import catalog
from pages.localization.one_thing import losses
from pages.shared import drawing_link, drawn_scores, own_mask, own_truth
from pages.shared.photograph_found import look
from scenes import CLASSES
from ui import components, pictures

SIZE = (224, 224)
PHOTOGRAPH = {"ssd_source": "Photograph", "ssd_photo": "Astronaut", "ssd_draw": "true"}
PAINTED = {"segmentation_source": "Photograph", "segmentation_photo": "Cat", "segmentation_draw": "true"}
GREEN, PURPLE = own_truth.GREEN, own_truth.PURPLE

boxes = some.tuples(*[some.integers(0, 223)] * 2, *[some.integers(1, 224)] * 2).map(
    lambda b: (float(b[0]), float(b[1]), float(min(b[0] + b[2], 224)), float(min(b[1] + b[3], 224)))
)
drawings = some.lists(some.builds(Mark, some.sampled_from(own_truth.KNOWN), boxes), max_size=6)


@given(marks=drawings)
@example(marks=[Mark("traffic light", (0.0, 0.0, 224.0, 224.0))])
def test_boxes_come_back_from_a_link(marks):
    found = drawing_link.marks_of(drawing_link.text_of(marks), own_truth.KNOWN, SIZE)
    assert [(each.name, each.box) for each in found] == [(each.name, each.box) for each in marks]


@pytest.mark.parametrize(
    "text",
    ["dog", "dog-1-2-3", "dog-1-2-3-4-5", "unicorn-1-2-3-4", "dog-9-2-3-4", "dog-1-4-3-4", "dog-0-0-225-9",
     "dog-0-0-9-225", "dog--1-0-9-9", "dog-1-1-²-9", "dog-1-2-1e3-4", "dog-0-0-" + "9" * 5000 + "-9", "_"],
)  # fmt: skip
def test_a_link_that_does_not_fit_the_picture_is_refused_in_a_sentence(text):
    with pytest.raises(ValueError, match="does not fit this picture"):
        drawing_link.marks_of(text, own_truth.KNOWN, SIZE)


@given(seed=some.integers(0, 9999), share=some.sampled_from([0.0, 0.3, 1.0]))
def test_paint_comes_back_from_a_link(seed, share):
    random = np.random.default_rng(seed)
    values = random.integers(1, 14, (20, 30), np.uint8) * (random.random((20, 30)) < share)
    values = values.astype(np.uint8)
    np.testing.assert_array_equal(drawing_link.values_of(drawing_link.packed(values), (20, 30), 14), values)


def test_paint_of_another_picture_or_a_bomb_is_refused_in_a_sentence():
    text = drawing_link.packed(np.full((20, 30), 13, np.uint8))
    bomb = drawing_link.packed(np.ones((4000, 4000), np.uint8))
    for wrong, size, paints in ((text, (30, 21), 14), (text, (20, 30), 13), (bomb, (20, 30), 14), ("!é", (2, 2), 3),
                                ("eNpj", (2, 2), 3)):  # fmt: skip
        with pytest.raises(ValueError, match="does not fit this picture"):
            drawing_link.values_of(wrong, size, paints)


def test_precision_recall_and_every_verdict_of_a_small_case():
    marks = [Mark("dog", (0.0, 0.0, 8.0, 10.0)), Mark("dog", (20.0, 0.0, 28.0, 10.0))]
    found = np.array([[0, 0, 8, 8], [0, 0, 8, 10], [22, 4, 30, 14], [50, 50, 60, 60], [20, 0, 28, 10]], float)
    said, scores = ["dog", "dog", "dog", "dog", "cat"], np.array([0.9, 0.8, 0.7, 0.6, 0.4])
    judged = drawn_scores.judged(found, said, scores, marks, 0.5, 0.8)
    assert judged.confusion == Confusion(true=1, false=3, missed=1)  # the cat's class is not drawn
    assert [verdict.kind for verdict in judged.judgement.verdicts] == [
        "true",
        "duplicate",
        "localisation",
        "background",
    ]
    told = drawn_scores.lines(judged, 0.8)
    assert "✓ **1 dog**: found by dog 0.90, IoU 0.80" in told
    assert "✗ **2 dog**: missed; the nearest is dog 0.70, IoU 0.29" in told
    assert "dog 0.60: false, nothing is drawn there" in told
    line = drawn_scores.figures("ssd", judged, 0.8)
    assert "precision **0.25** (1 of 4) · recall **0.50** (1 of 2) · AP at IoU 0.80 **0.505**" in line
    every = drawn_scores.judged(found, said, scores, marks, 0.4, 0.8, every=True)  # at the threshold counts
    assert every.confusion.false == 4 and "another class is there" in drawn_scores.lines(every, 0.8)
    nothing = drawn_scores.figures("ssd", drawn_scores.judged(found[:0], [], scores[:0], marks[:0], 0.5, 0.5), 0.5)
    assert nothing.count("undefined") == 4


@pytest.mark.parametrize("seed", range(5))
def test_ap_of_a_drawing_is_that_of_pycocotools(seed):
    """What is judged here is written as a file, which pycocotools judges: AP@[.5:.95] and AP at one IoU."""
    random = np.random.default_rng(seed)
    corners = random.integers(0, 180, (6, 2)).astype(float)
    marks = [Mark(str(random.choice(["dog", "cat"])), (x, y, x + 30, y + 40)) for x, y in corners]
    found = np.concatenate([np.array([mark.box for mark in marks])] * 2) + random.normal(0, 5, (12, 4))
    said, scores = [mark.name for mark in marks] * 2, np.sort(random.random(12))[::-1]
    judged = drawn_scores.judged(found, said, scores, marks, 0.5, 0.75)
    written = coco_file.write(marks, SIZE, "p.png")
    numbers = {each["name"]: each["id"] for each in written["categories"]}
    results = [
        {"image_id": 1, "category_id": numbers[name], "score": score, "bbox": [x1, y1, x2 - x1, y2 - y1]}
        for (x1, y1, x2, y2), name, score in zip(found.tolist(), said, scores.tolist(), strict=True)
    ]
    with redirect_stdout(StringIO()):
        truth = COCO()
        truth.dataset = written
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    assert judged.coco == pytest.approx(evaluation.stats[0]) and judged.ap == pytest.approx(evaluation.stats[2])


def test_a_link_opens_the_drawing_and_the_page_judges_by_it(visit, sound, prose, drawn):
    network = catalog.load("ssd")
    image = pictures.photograph("Astronaut").image
    found = look(network, image, heads=False)
    name, place = found.names[0], drawing_link.rounded(found.boxes[0], SIZE)
    link = drawing_link.text_of([Mark(name, place), Mark("zebra", (0.0, 0.0, 20.0, 30.0))])
    at = sound(
        visit("ssd", PHOTOGRAPH | {"ssd_truth": link, "ssd_truth_2": "zebra-0-0-20-30", "ssd_truth_score": "0.05"})
    )
    first, second = drawn.boxes("ssd_truth_stage")
    assert (first.label, first.xyxy, first.colour, first.dash) == (f"1 ✓ {name}", place, GREEN, False)
    assert (second.label, second.colour, second.dash) == ("2 ✗ zebra", PURPLE, True)
    marks = drawing_link.marks_of(link, own_truth.KNOWN, SIZE)
    judged = own_truth.judge(network, pictures.photograph("Astronaut"), marks, 0.05, 0.5, False)
    told = prose(at)
    assert drawn_scores.figures("ssd", judged, 0.5) in told and "recall **0.50** (1 of 2)" in told
    assert f"✗ A1 {name}: the second drawing has no such box" in told and "✓ A2 and B1: zebra, IoU 1.00" in told
    assert "agreement (F1) **0.67**" in told
    assert "ssd knows no zebra: there it can only miss." in [part for each in at.caption for part in [each.value[:43]]]
    np.testing.assert_array_equal(drawn.grids["ssd_truth_two_matrix"]["iou"].values[1], [1.0])
    assert at.query_params["ssd_truth"] == link and at.query_params["ssd_truth_2"] == "zebra-0-0-20-30"

    at.selectbox(key="ssd_photo").set_value("Coffee").run()  # another picture: nothing is drawn on it
    assert drawn.boxes("ssd_truth_stage") == [] and "ssd_truth" not in at.query_params
    at.selectbox(key="ssd_photo").set_value("Astronaut").run()
    assert [box.xyxy for box in drawn.boxes("ssd_truth_stage")] == [first.xyxy, second.xyxy]
    # The hand draws a box and presses the button before the lab has answered: one run hears of both.
    own = {"id": "own", "xyxy": [30, 30, 60, 60]}
    kept = [{"id": box.id, "xyxy": list(box.xyxy)} for box in (first, second)]
    at.session_state["ssd_truth_stage.live"] = {"message": {"boxes": [*kept, own], "sequence": 1}}
    at.button(key="ssd_truth_stage_clear").click().run()
    assert drawn.boxes("ssd_truth_stage") == [] and "Draw the first box" in prose(at)
    at.button(key="ssd_truth_undo").click().run()
    assert len(drawn.boxes("ssd_truth_stage")) == 3 and sound(at).query_params["ssd_truth"].startswith(link)


def test_a_broken_link_is_one_sentence_and_the_rest_is_there(visit, drawn):
    at = visit("ssd", PHOTOGRAPH | {"ssd_truth": "dog-0-0-900-9"})
    assert [error.value for error in at.error] == [
        "The link's drawing does not fit this picture, so it was left out: draw or load it anew."
    ]
    assert not at.exception and drawn.boxes("ssd_truth_stage") == [] and "ssd_truth" not in at.query_params


def test_too_many_boxes_for_a_link_are_said_and_still_judged(visit, sound, said, drawn):
    many = [components.Box(f"box-{i}", (i, i, i + 9.0, i + 9.0), "traffic light", editable=True) for i in range(190)]
    # As after a file that was loaded on this picture before.
    at = sound(visit("ssd", PHOTOGRAPH))
    at.session_state["ssd_truth_stage"] = many
    at.run()
    assert drawing_link.TOO_LONG in said(at) and "ssd_truth" not in at.query_params
    assert "(0 of 190)" in said(at) and len(drawn.boxes("ssd_truth_stage")) == 190


def test_lab_world_has_its_truth_and_a_link_for_another_picture_says_so(visit, sound, said):
    at = sound(visit("ssd", {"ssd_truth": "dog-0-0-9-9"}))
    assert "The link holds a truth drawn on another picture" in said(at) and "Draw the truth" not in said(at)
    assert at.query_params["ssd_truth"] == "dog-0-0-9-9"


@pytest.mark.parametrize(
    ("page", "key", "photo"),
    [("position_sensitive", "rfcn", "source"), ("iou_nms_precision_recall", "published", "source"),
     ("iou_nms_precision_recall", "nms", "source"), ("speed_accuracy", "trade", "source"),
     ("localization", "localization", "source"), ("yolo_grid", "yolo_published", "photo"),
     ("mesh_rcnn", "mesh", "source"), ("dense_captioning", "densecap", "source")],
)  # fmt: skip
def test_other_detectors_are_judged_too(visit, sound, prose, drawn, page, key, photo):
    query = {f"{key}_source": "Photograph"} if photo == "source" else {}
    at = sound(
        visit(page, query | {f"{key}_photo": "Astronaut", f"{key}_draw": "true", f"{key}_truth": "dog-0-0-99-99"})
    )
    assert [box.label[:2] for box in drawn.boxes(f"{key}_truth_stage")] == ["1 "]
    assert prose(at).count("recall **0.00** (0 of 1)") == (2 if page in ("yolo_grid", "speed_accuracy") else 1)


def test_the_losses_of_localization_are_those_of_the_largest_box_drawn(visit, sound, prose):
    said = catalog.load("localizer-joint")(pictures.photograph("Cat").image)
    place = drawing_link.rounded(said.box.tolist(), SIZE)
    link = drawing_link.text_of([Mark("dog", (0.0, 0.0, 9.0, 9.0)), Mark(said.label, place)])
    query = {"localization_source": "Photograph", "localization_photo": "Cat", "localization_draw": "true"}
    at = sound(visit("localization", query | {"localization_truth": link, "localization_truth_score": "0.05"}))
    told = losses(said.box, torch.tensor(place)).replace("\n\n", " · ")
    assert f"against the {said.label} that you drew: {told}" in prose(at)
    assert f"found by {said.label}" in prose(at) and "recall **0.50** (1 of 2)" in prose(at)


def test_a_painting_judges_a_segmenter_and_two_are_compared(visit, sound, prose, said, drawn):
    image = pictures.photograph("Cat").image
    labels = catalog.load("segmenter-bilinear")(image).labels
    mine, other = np.zeros((2, *SIZE), np.uint8)
    mine[:112] = labels[:112] + 1
    mine[112:140] = (labels[112:140] + 1) % len(CLASSES) + 1  # all wrong
    other[100:140] = mine[100:140]
    links = {"segmentation_truth": drawing_link.packed(mine), "segmentation_truth_2": drawing_link.packed(other)}
    assert max(map(len, links.values())) <= drawing_link.LONGEST, "choose a picture with larger areas"
    at = sound(visit("semantic_segmentation", PAINTED | links))
    assert "pixel accuracy **0.800**" in prose(at) and "**62%** of the pixels painted" in prose(at)
    assert (
        "Cohen's kappa **1.000**, over 8,960 pixels that both painted · only yours 22,400 · only the second 0"
        in prose(at)
    )
    fate = drawn.layer("segmentation_truth_fate", components.Labels).values
    assert np.bincount(fate.ravel()).tolist() == [84 * 224, 112 * 224, 28 * 224]
    assert at.query_params["segmentation_truth"] == links["segmentation_truth"]
    marks = own_mask.marks_of(mine, CLASSES)
    read = coco_file.read(json.dumps(coco_file.write(marks, SIZE, "Cat")).encode(), CLASSES, SIZE, "Cat", masks=True)
    np.testing.assert_array_equal(own_mask.values_of(read.marks, CLASSES, SIZE), mine)


def test_a_painting_judges_all_five_ways_of_upsampling(visit, sound, prose, drawn):
    image = pictures.photograph("Cat").image
    said = {name.removeprefix("segmenter-"): catalog.load(name)(image).labels for name in catalog.names("segmentation")}
    values = np.zeros(SIZE, np.uint8)
    values[:112] = said["bilinear"][:112] + 1
    query = {"scene_source": "Photograph", "scene_photo": "Cat", "scene_draw": "true"}
    at = sound(visit("upsampling", query | {"scene_truth": drawing_link.packed(values)}))
    for name, labels in said.items():
        right = (labels[:112] + 1 == values[:112]).mean()
        assert f"**{name}**: mIoU" in prose(at) and f"pixel accuracy **{right:.3f}**" in prose(at)
    fate = drawn.layer("scene_truth_fate", components.Labels).values
    first = next(iter(said))
    assert (fate == 1).sum() == (said[first][:112] + 1 == values[:112]).sum() and "50%** of the pixels" in prose(at)
    at.segmented_control(key="scene_truth_shown").set_value("bilinear").run()
    assert (drawn.layer("scene_truth_fate", components.Labels).values == 1).sum() == 112 * 224
    assert sound(at).query_params["scene_truth_shown"] == "bilinear"
    drawn.layers.clear()
    sound(visit("upsampling", at.query_params))  # a link shows the same network
    assert (drawn.layer("scene_truth_fate", components.Labels).values == 1).sum() == 112 * 224


def test_a_broken_painting_is_one_sentence(visit, prose):
    at = visit("semantic_segmentation", PAINTED | {"segmentation_truth": "eNpj"})
    (error,) = at.error
    assert error.value.startswith("The link's painting does not fit this picture") and not at.exception
    assert "Paint the first class" in prose(at)
