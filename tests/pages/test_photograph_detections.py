"""Published detectors on the YOLO and RoI pages, with weights of the right shapes that the tests make."""

import re

import numpy as np
import pytest
import torch

from models import catalog
from models.networks.published import Objects
from pages.shared import photograph_detections as detections
from pages.shared import photograph_found as found
from scenes import THINGS
from ui import components, pictures

YOLO, ROI = "yolo_grid", "roi_pooling"
trained = pytest.mark.skipif(
    not {"detector", "yolo-cell", "yolo-anchor"} <= set(catalog.shipped()), reason="the lab's networks have no weights"
)
pytestmark = trained


@pytest.fixture(autouse=True)
def nothing_here(unpublished):
    """No published weights, and nothing that other tests have cached."""
    found._look.clear()
    yield
    found._look.clear()


def labels(drawn, key) -> list[str]:
    """Best first."""
    return [box.note for box in drawn.boxes(key)[::-1]]


def test_yolo_page_begins_with_the_labs_networks(visit, sound, said, prose, drawn):
    at = sound(visit(YOLO))
    image = drawn.pictures["yolo_published_1_found"]
    for name, key in (("yolo-anchor", "yolo_published_1_found"), ("detector", "yolo_published_2_found")):
        options = {"masks": False, "keypoints": False} if name == "detector" else {}
        result = catalog.load(name)(image, **options)
        sure = result.scores >= 0.5
        expected = [
            f"{THINGS[c - 1]} {s:.2f}" for c, s in zip(result.labels[sure], result.scores[sure], strict=True)
        ]  # fmt: skip
        assert labels(drawn, key) == expected and expected
        assert re.search(rf"{name} · cpu · \d", said(at))
    assert "**One stage**" in prose(at) and "**Two stages**" in prose(at)
    assert re.search(r"Two stages took \*\*[\d.]+ times\*\* the time of one", prose(at))
    assert "has seen no photograph" in prose(at)


def test_a_published_network_that_is_not_here_leaves_the_other(visit, sound, prose, drawn):
    at = sound(visit(YOLO, {"yolo_published_one_model": "retinanet_resnet50_fpn_v2"}))
    assert at.button(key="yolo_published_one_fetch").label == "Fetch 153 MB"
    assert "yolo_published_2_found" in drawn.layers and "yolo_published_1_found" not in drawn.layers
    assert "Two stages took" not in prose(at)


def test_a_published_detector_on_a_photograph(visit, sound, said, small, drawn):
    at = sound(visit(YOLO, {"yolo_published_two_model": small, "yolo_published_photo": "Astronaut"}))
    image = pictures.photograph("Astronaut", 448).image
    np.testing.assert_array_equal(drawn.pictures["yolo_published_2_found"], image)
    result = catalog.load(small)(image)
    assert isinstance(result, Objects)
    sure = result.scores >= 0.5
    boxes = drawn.boxes("yolo_published_2_found")[::-1]
    np.testing.assert_allclose([box.xyxy for box in boxes], result.boxes[sure].numpy(), rtol=1e-5)
    assert len(boxes) == int(sure.sum()) > 0 and boxes[0].note.startswith("dog ")
    told = said(at)
    assert "Knows **80 classes** of COCO’s photographs (person, bicycle, car, motorcycle …)" in told
    assert "a box AP of 22.8 on COCO-val2017" in told
    assert "yolo-anchor knows only Lab World" in told and "Lab World is drawn" not in told
    assert f"{small} · cpu · " in told


def test_the_score_slider_filters_and_never_asks_the_network_again(visit, sound, prose, drawn, monkeypatch):
    crowded = {"roi_published_photo": "Cat"}  # of which a network that knows drawings is not sure
    sound(visit(ROI, crowded))
    asked = []
    monkeypatch.setattr(type(catalog.load("detector")), "__call__", lambda *_, **__: asked.append(1))
    counts = []
    for least in (0.05, 0.5, 0.95):
        at = sound(visit(ROI, crowded | {"roi_published_score": least}))
        counts.append(len(labels(drawn, "roi_published_found")))
        assert all(float(note.split()[-1]) >= least - 0.005 for note in labels(drawn, "roi_published_found"))
        every = len(found.look(catalog.load("detector"), drawn.pictures["roi_published_found"]).scores)
        assert f"**{counts[-1]} of {every}** detections reach {least:.2f}" in prose(at)
    assert not asked and counts == sorted(counts, reverse=True) and counts[0] > counts[-1]


def test_roi_page_has_masks_and_joints(visit, sound, prose, drawn):
    at = sound(visit(ROI, roi_seed=13))
    image = drawn.pictures["roi_published_found"]
    result = catalog.load("detector")(image)
    chosen = (result.scores >= 0.5).nonzero()[:, 0].tolist()
    assert any(THINGS[result.labels[i] - 1] == "person" for i in chosen), "choose a scene with a person"
    painted = drawn.layer("roi_published_found", components.Labels).values
    np.testing.assert_array_equal(painted == 1, result.masks[chosen[0]].numpy() >= 0.5)
    np.testing.assert_array_equal(painted > 0, (result.masks[chosen].numpy() >= 0.5).any(0))
    persons = [i for i in chosen if THINGS[result.labels[i] - 1] == "person"]
    dots = drawn.layer("roi_published_found", components.Points).xy
    expected = [result.keypoints[i, k, :2].tolist() for i in persons
                for k in (result.keypoint_scores[i] > 0).nonzero()[:, 0]]  # fmt: skip
    np.testing.assert_allclose(dots, expected, rtol=1e-5)
    told = prose(at)
    assert "| box | 7×7 | 9 scores, one of them background’s, and boxes |" in told
    assert "| mask | 14×14 | 28×28 for each class |" in told
    assert "| keypoint | 14×14 | a 56×56 heat map for each joint |" in told
    assert "the mean of 2×2 samples" in told


def test_a_network_without_the_other_heads_says_so(visit, sound, said, small, drawn):
    at = sound(visit(ROI, {"roi_published_model": small}))
    told = said(at)
    assert "| box | 7×7 | 91 scores" in told
    assert "This network has no mask and no keypoint head." in told
    assert drawn.layer("roi_published_found", components.Labels) is None
    assert f"{small} knows photographs, and Lab World is drawn" in told


def test_choosing_a_published_network_brings_a_photograph_and_back_the_drawing(visit, sound, small, drawn):
    at = sound(visit(ROI))
    above = drawn.pictures["roi_published_found"]
    at.selectbox(key="roi_published_model").set_value(small).run()
    photograph = pictures.photograph("Astronaut", 448).image
    np.testing.assert_array_equal(drawn.pictures["roi_published_found"], photograph)
    assert sound(at).query_params["roi_published_photo"] == "Astronaut"
    at.selectbox(key="roi_published_photo").set_value("Coffee").run()
    at.selectbox(key="roi_published_model").set_value("detector").run()
    assert at.selectbox(key="roi_published_photo").value == "Coffee"  # a picture of one's own choice stays
    at.selectbox(key="roi_published_photo").set_value("Astronaut").run()
    at.selectbox(key="roi_published_model").set_value(small).run()
    at.selectbox(key="roi_published_model").set_value("detector").run()
    np.testing.assert_array_equal(drawn.pictures["roi_published_found"], above)


def test_what_a_link_says_of_network_and_picture_stays(visit, sound, small, drawn):
    link = {"roi_published_model": small, "roi_published_photo": "The picture above"}
    at = sound(visit(ROI, link))
    at.run()
    assert at.selectbox(key="roi_published_photo").value == "The picture above"


def test_order_of_the_offers():
    roi = [offer.name for offer in detections.two_stages(("instance segmentation", "keypoints"))]
    assert roi[:3] == ["detector", "maskrcnn_resnet50_fpn_v2", "keypointrcnn_resnet50_fpn"]
    assert len(roi) == len(set(roi)) == 5
    assert [offer.name for offer in detections.one_stage()][-1] == "retinanet_resnet50_fpn_v2"
    both = {offer.name for offer in (*detections.one_stage(), *detections.two_stages())}
    assert set(catalog.pretrained_names("detection")) < both


def test_stages_are_those_of_the_architecture():
    from models.pretrained import published

    for name in catalog.pretrained_names("detection"):
        module = published.blank(name)
        assert hasattr(module, "roi_heads") == (name not in detections.ONE_STAGE)


def test_shapes_in_the_table_are_those_that_the_heads_return():
    module = catalog.load("detector").module
    heads = module.roi_heads
    features = torch.zeros(2, 64, *heads.mask_roi_pool.output_size)
    assert heads.mask_predictor(heads.mask_head(features)).shape[-2:] == (28, 28)
    features = torch.zeros(2, 64, *heads.keypoint_roi_pool.output_size)
    assert heads.keypoint_predictor(heads.keypoint_head(features)).shape[-2:] == (56, 56)


def test_joints_of_coco_hang_together():
    from models.pretrained import published

    names = published.card("keypointrcnn_resnet50_fpn")["keypoint_names"]
    limbs = {frozenset((names[a], names[b])) for a, b in found.COCO_SKELETON}
    assert len(limbs) == 19 and frozenset(("left_knee", "left_ankle")) in limbs
    assert frozenset(("right_shoulder", "right_elbow")) in limbs and frozenset(("left_hip", "right_hip")) in limbs


def test_joints_that_the_network_is_unsure_of_are_not_drawn():
    joints = np.arange(34, dtype=np.float32).reshape(1, 17, 2)
    scores = np.full((1, 17), -1.0, np.float32)
    scores[0, [13, 15]] = 2.0
    one = found.Found(np.zeros((1, 4)), ["person"], np.ones(1), None, joints, scores, tuple("k" * 17),
                      found.COCO_SKELETON, (8, 8), 0.0, "cpu")  # fmt: skip
    lines, points = found.bodies(one, [0])
    np.testing.assert_array_equal(lines.segments, [[*joints[0, 15], *joints[0, 13]]])
    np.testing.assert_array_equal(points.xy, joints[0, [13, 15]])
    assert found.bodies(one, []) == []
