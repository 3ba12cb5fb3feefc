"""The Semantic Segmentation page's network: the maps are the network's, the arrows follow it, skips can be left out."""

from itertools import pairwise

import numpy as np
import pytest

from labs import segmentation_metrics
from models import catalog
from pages.semantic_segmentation import architecture, network_drawing
from pages.semantic_segmentation.shared import PALETTE
from scenes import CLASSES
from ui import components, pictures

PAGE = "semantic_segmentation"
ORDER = [
    "picture", "down, 224", "down, 112", "down, 56", "down, 28", "bottom, 14", "upsampled, 28", "up, 28",
    "upsampled, 56", "up, 56", "upsampled, 112", "up, 112", "upsampled, 224", "up, 224", "scores",
]  # fmt: skip
CHANNELS = [3, 16, 32, 64, 128, 128, 128, 64, 64, 32, 32, 16, 16, 16, 13]


def test_every_map_of_the_pass_is_drawn_at_its_place(visit, sound, drawn):
    sound(visit(PAGE))
    boxes = drawn.boxes("segmentation_network")
    assert [box.id for box in boxes] == [*ORDER, "classes"]
    assert [box.label for box in boxes] == [*map(str, CHANNELS), "class"]
    found = catalog.load("segmenter-bilinear")(pictures.from_lab_world(24).image, keep_stages=True)
    heats = drawn.every("segmentation_network", components.Heat)
    assert [heat.xyxy for heat in heats] == [box.xyxy for box in boxes[1:-1]]
    by_name = dict(zip(ORDER[1:], heats, strict=True))
    for name, features in (
        ("down, 112", found.encoded[1][1]), ("bottom, 14", found.encoded[4][1]), ("upsampled, 28", found.stages[0][1]),
        ("up, 224", found.stages[7][1]), ("scores", found.logits),
    ):  # fmt: skip
        np.testing.assert_allclose(by_name[name].values, features.abs().mean(0), rtol=2e-3, atol=2e-3)
    canvas = drawn.layer("segmentation_network", components.Labels)
    x1, y1, x2, y2 = map(int, boxes[-1].xyxy)
    first = len(canvas.palette) - 1 - len(CLASSES)
    shown = canvas.values[y1:y2, x1:x2] - first
    assert canvas.palette[first:-1] == PALETTE and set(np.unique(shown)) <= set(np.unique(found.labels))
    assert shown[0, 0] == found.labels[0, 0] and shown[-1, -1] == found.labels[-3, -3]


def test_no_map_covers_another_and_arrows_touch_none():
    at = [*network_drawing.places(5), network_drawing.place(network_drawing.CLASS, 0)]
    inside = lambda x, y, box: box[0] <= x <= box[2] and box[1] <= y <= box[3]  # noqa: E731
    for i, (x1, y1, x2, y2) in enumerate(at):
        assert 0 <= x1 < x2 <= network_drawing.WIDTH and 0 <= y1 < y2 <= network_drawing.HEIGHT
        assert not [box for box in at[:i] if x1 < box[2] and box[0] < x2 and y1 < box[3] and box[1] < y2]
    for a, b in pairwise(at):
        arrow = network_drawing.arrow(a, b)
        assert not [box for box in at if inside(*arrow[:2], box) or inside(*arrow[2:], box)]
        middle = lambda box: np.array([box[0] + box[2], box[1] + box[3]]) / 2  # noqa: E731
        assert np.linalg.norm(middle(a) - arrow[:2]) < np.linalg.norm(middle(a) - arrow[2:])


@pytest.mark.parametrize(("choice", "skips"), [("none", 0), ("28", 1), ("28 + 56", 2), ("28 + 56 + 112", 3)])
def test_a_skip_connection_left_out_is_not_drawn_and_not_added(visit, sound, drawn, choice, skips):
    sound(visit(PAGE, segmentation_skips=choice))
    lines = drawn.every("segmentation_network", components.Lines)
    boxes = {box.id: box.xyxy for box in drawn.boxes("segmentation_network")}
    dashed = [segment for layer in lines if layer.dash for segment in layer.segments]
    assert len(dashed) == skips
    for (x1, y1, x2, y2), side in zip(dashed, (28, 56, 112), strict=False):
        start, end = boxes[f"down, {side}"], boxes[f"upsampled, {side}"]
        assert start[2] < x1 < x2 < end[0] and start[1] < y1 < start[3] and end[1] < y2 < end[3]
    found = catalog.load("segmenter-bilinear")(pictures.from_lab_world(24).image, keep_stages=True, skips=skips)
    heats = dict(zip(ORDER[1:], drawn.every("segmentation_network", components.Heat), strict=True))
    np.testing.assert_allclose(heats["up, 112"].values, found.stages[5][1].abs().mean(0), rtol=2e-3, atol=2e-3)


def test_each_skip_connection_brings_boundaries_back(visit, sound, drawn, prose):
    at = sound(visit(PAGE))
    network, view = catalog.load("segmenter-bilinear"), pictures.from_lab_world(24).view
    scores = []
    for index, name in enumerate(architecture.CHOICES):
        labels = network(view.image, skips=index).labels
        np.testing.assert_array_equal(drawn.layer(f"segmentation_skips_{index}", components.Labels).values, labels)
        confusion = segmentation_metrics.confusion_matrix(view.semantic, labels, len(CLASSES))
        miou = segmentation_metrics.scene_mean_iou(confusion)
        edges = segmentation_metrics.boundary_f(view.semantic, labels, len(CLASSES), 1.0)
        assert f"**{name}** · mIoU **{miou:.2f}** · boundary F **{edges:.2f}**" in prose(at)
        wrong = drawn.layer(f"segmentation_skips_wrong_{index}", components.Labels).values == len(CLASSES)
        np.testing.assert_array_equal(wrong, labels != view.semantic)
        scores.append((miou, edges))
    for (miou, edges), (better, sharper) in pairwise(scores):
        assert better > miou + 0.03 and sharper > edges + 0.1


def test_a_click_on_a_map_enlarges_it_and_the_channel_is_chosen(visit, sound, drawn, prose):
    click = {"x": 190.0, "y": 210.0, "what": "up, 56", "when": 1}
    at = sound(visit(PAGE, segmentation_channel="2nd",
                     **{"segmentation_network.live": {"message": {"sequence": 1, "click": click}}}))  # fmt: skip
    assert "**32 × 56 × 56**" in prose(at)
    features = catalog.load("segmenter-bilinear")(pictures.from_lab_world(24).image, keep_stages=True).stages[3][1]
    second = features[features.abs().mean((1, 2)).argsort(descending=True)[1]]
    heat = drawn.layer("segmentation_layer_map", components.Heat)
    np.testing.assert_allclose(heat.values, second, rtol=2e-3, atol=2e-3)
    assert next(box for box in drawn.boxes("segmentation_network") if box.id == "up, 56").width == 4
    sound(visit(PAGE, segmentation_layer="picture"))
    np.testing.assert_array_equal(drawn.pictures["segmentation_layer_map"], pictures.from_lab_world(24).image)


def test_a_pass_is_made_once_for_each_number_of_skip_connections(visit, sound, monkeypatch):
    runs = []
    network = catalog.load("segmenter-bilinear")
    whole = type(network).__call__
    monkeypatch.setattr(
        type(network), "__call__", lambda self, image, keep_stages=False, skips=3: (
            runs.append(skips) if keep_stages else None, whole(self, image, keep_stages, skips))[1]
    )  # fmt: skip
    architecture._inside.clear()
    at = sound(visit(PAGE, segmentation_seed=25))
    assert sorted(runs) == [0, 1, 2, 3]
    for layer in ("picture", "scores"):
        at.session_state["segmentation_layer"] = layer
        at.run()
    at.session_state["segmentation_skips"] = "none"
    sound(at.run())
    assert sorted(runs) == [0, 1, 2, 3]


def test_a_photograph_is_drawn_without_scores(visit, sound, drawn, prose):
    at = sound(visit(PAGE, segmentation_source="Photograph"))
    assert len(drawn.boxes("segmentation_network")) == 16
    assert "boundary F" not in prose(at) and "segmentation_skips_wrong_0" not in drawn.layers


def test_a_score_map_per_class_and_where_it_wins(visit, sound, drawn, prose):
    at = sound(visit(PAGE, segmentation_class="dog", segmentation_more_fog=0.0))
    found = catalog.load("segmenter-bilinear")(drawn.pictures["segmentation_picture"])
    dog = CLASSES.index("dog")
    np.testing.assert_array_equal(drawn.layer("segmentation_class_scores", components.Heat).values, found.logits[dog])
    won = drawn.layer("segmentation_class_won", components.Labels).values == dog
    np.testing.assert_array_equal(won, found.logits.argmax(0).numpy() == dog)
    assert won.any() and f"**{won.sum():,}** of 50,176 pixels become **dog**" in prose(at)
    assert "merges instances" in prose(at)


def test_the_question_of_the_skip_connections_has_the_score_as_its_answer(visit, sound, prose):
    at = sound(visit(PAGE, {"predict-segmentation-skips": "0.15"}))
    view = pictures.from_lab_world(24).view
    labels = catalog.load("segmenter-bilinear")(view.image, skips=0).labels
    edges = segmentation_metrics.boundary_f(view.semantic, labels, len(CLASSES), 1.0)
    assert f"{edges:.2f}" in prose(at) and "because a map of 14 × 14 places" in prose(at)
