"""The NMS page's section on published detectors, with weights of the right shapes that the tests make."""

import re

import numpy as np
import pytest
import torch
from torchvision.ops import batched_nms

from models import catalog
from pages.iou_nms_precision_recall import photographs
from ui import pictures

PAGE = "iou_nms_precision_recall"
pytestmark = pytest.mark.skipif("detector" not in catalog.shipped(), reason="the detector has no weights")


@pytest.fixture(autouse=True)
def nothing_here(unpublished):
    """No published weights, and nothing that other tests have cached."""
    photographs.unsuppressed.clear()
    yield
    photographs.unsuppressed.clear()


@pytest.fixture
def run(visit, sound):
    """Function: a visit to the page, which ranks the boxes of few scenes and is sound."""
    return lambda **state: sound(visit(PAGE, **{"pr_scenes": 10} | state))


def test_the_labs_detector_is_the_default(run, said, drawn):
    at = run()
    picture, boxes = drawn.pictures["published_before"], drawn.boxes("published_before")
    raw = photographs.unsuppressed("detector", 1, catalog.load("detector"), picture)
    count = int((raw.scores >= 0.3).sum())
    kept = batched_nms(raw.boxes[:count], raw.scores[:count], raw.labels[:count], 0.5)
    told = said(at)
    assert f"**{count} raw boxes**" in told and f"**{len(kept)} kept**" in told and count > len(kept) > 0
    assert len(boxes) == count and sum(box.dash for box in boxes) == count - len(kept)
    assert [box.id for box in drawn.boxes("published_after")[::-1]] == [f"kept-{i}" for i in kept.tolist()]
    assert "detector would itself suppress above IoU 0.5." in told


@pytest.mark.parametrize("threshold", [0.0, 0.35, 0.7, 1.0])
def test_a_published_detectors_boxes_are_thinned_by_the_labs_nms(run, said, small, drawn, threshold):
    at = run(published_model=small, published_source="Photograph", published_photo="Astronaut",
             published_nms=threshold)  # fmt: skip
    image = pictures.photograph("Astronaut", 336).image
    np.testing.assert_array_equal(drawn.pictures["published_before"], image)
    raw = catalog.load(small).before_nms(image)
    boxes, scores, labels = (each[: photographs.MOST] for each in (raw.boxes, raw.scores, raw.labels))
    kept = batched_nms(boxes, scores, labels, threshold)
    told = said(at)
    count = len(scores)
    assert f"**{count} raw boxes**" in told and f"**{len(kept)} kept**" in told
    assert f"dog {count} → **{len(kept)}**" in told
    after = drawn.boxes("published_after")
    assert {box.id for box in after} == {f"kept-{i}" for i in kept.tolist()}
    suppressed = [int(re.search(r"suppressed (\d+)$", box.note)[1]) for box in after]
    assert sum(suppressed) == count - len(kept) == sum(box.dash for box in drawn.boxes("published_before"))
    assert re.search(rf"{small} · cpu · \d", told)


def test_choosing_a_published_detector_brings_a_photograph(run, small, drawn):
    at = run()
    at.selectbox(key="published_model").set_value(small).run()
    np.testing.assert_array_equal(drawn.pictures["published_before"], pictures.photograph("Cat", 336).image)


def test_the_sliders_never_ask_the_network_again(run, said, small, monkeypatch):
    run(published_model=small)
    monkeypatch.setattr(type(catalog.load(small)), "before_nms", lambda *_: pytest.fail("asked again"))
    at = run(published_model=small, published_nms=0.2, published_score=0.99999)
    assert "No box reaches the score threshold." in said(at)


def test_a_network_that_is_not_here_leaves_the_rest_of_the_page(run, drawn):
    at = run(published_model="retinanet_resnet50_fpn_v2")
    assert at.button(key="published_fetch").label == "Fetch 153 MB"
    assert "published_before" not in drawn.layers and "nms_stage" in drawn.layers


def test_many_boxes_are_cut_and_it_is_said():
    class Many:
        name, own_nms = "many", 0.5

        def before_nms(self, image, lowest):
            from models.networks.published import Objects

            scores = torch.linspace(0.1, 0.9, 1000)
            return Objects(torch.zeros(1000, 4), torch.ones(1000, dtype=torch.int64), scores,
                           [str(i) for i in range(1000)], None, None, None, 0.1, "cpu")  # fmt: skip

    raw = photographs.unsuppressed("many", 2, Many(), np.zeros((2, 2, 3), np.uint8))
    assert raw.total == 1000 and len(raw.scores) == photographs.MOST
    assert raw.names[:2] == ["999", "998"] and float(raw.scores[0]) == pytest.approx(0.9)
