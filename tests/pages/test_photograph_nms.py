"""The NMS page's section on published detectors, with weights of the right shapes that the tests make."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest
from torchvision.ops import batched_nms

from models import catalog
from pages.iou_nms_precision_recall_sections import photographs
from tests.published import empty_cache, knowing, publish, random_state
from ui import components, pictures

PAGE = str(Path(__file__).resolve().parents[2] / "pages" / "iou_nms_precision_recall.py")
SMALL = "fasterrcnn_mobilenet_v3_large_320_fpn"
pytestmark = pytest.mark.skipif("detector" not in catalog.shipped(), reason="the detector has no weights")


@pytest.fixture(scope="module")
def state():
    return knowing(random_state(SMALL), 18)


@pytest.fixture(autouse=True)
def nothing_here(monkeypatch, tmp_path):
    """No published weights, and nothing that other tests have cached."""
    empty_cache(monkeypatch, tmp_path)
    photographs.unsuppressed.clear()
    yield
    photographs.unsuppressed.clear()


@pytest.fixture
def fetched(monkeypatch, state):
    publish(monkeypatch, {SMALL: state})


@pytest.fixture
def drawn(monkeypatch):
    """Picture and boxes of every stage, by key."""
    seen = {}
    show = components.Stage.show

    def watch(self, picture=None, layers=(), **options):
        seen[self.key] = (picture, [b for layer in layers if isinstance(layer, components.Boxes) for b in layer.boxes])
        return show(self, picture, layers, **options)

    monkeypatch.setattr(components.Stage, "show", watch)
    return seen


def visit(**state) -> AppTest:
    at = AppTest.from_file(PAGE, default_timeout=240)
    for key, value in ({"pr_scenes": 10} | state).items():
        at.session_state[key] = value
    at.run()
    assert not at.exception and not [error.value for error in at.error]
    return at


def said(at: AppTest, prose) -> str:
    return "\n".join([prose(at), *(each.value for each in at.caption)])


def test_the_labs_detector_is_the_default(prose, drawn):
    at = visit()
    picture, boxes = drawn["published_before"]
    raw = photographs.unsuppressed("detector", 1, catalog.load("detector"), picture)
    count = int((raw.scores >= 0.3).sum())
    kept = batched_nms(raw.boxes[:count], raw.scores[:count], raw.labels[:count], 0.5)
    told = said(at, prose)
    assert f"**{count} raw boxes**" in told and f"**{len(kept)} kept**" in told and count > len(kept) > 0
    assert len(boxes) == count and sum(box.dash for box in boxes) == count - len(kept)
    assert [box.id for box in drawn["published_after"][1][::-1]] == [f"kept-{i}" for i in kept.tolist()]
    assert "detector would itself suppress above IoU 0.5." in told


@pytest.mark.parametrize("threshold", [0.0, 0.35, 0.7, 1.0])
def test_a_published_detectors_boxes_are_thinned_by_the_labs_nms(fetched, prose, drawn, threshold):
    at = visit(published_model=SMALL, published_source="Photograph", published_photo="Astronaut",
               published_nms=threshold)  # fmt: skip
    image = pictures.photograph("Astronaut", 336).image
    np.testing.assert_array_equal(drawn["published_before"][0], image)
    raw = catalog.load(SMALL).before_nms(image)
    boxes, scores, labels = (each[: photographs.MOST] for each in (raw.boxes, raw.scores, raw.labels))
    kept = batched_nms(boxes, scores, labels, threshold)
    told = said(at, prose)
    count = len(scores)
    assert f"**{count} raw boxes**" in told and f"**{len(kept)} kept**" in told
    assert f"dog {count} → **{len(kept)}**" in told
    after = drawn["published_after"][1]
    assert {box.id for box in after} == {f"kept-{i}" for i in kept.tolist()}
    suppressed = [int(re.search(r"suppressed (\d+)$", box.note)[1]) for box in after]
    assert sum(suppressed) == count - len(kept) == sum(box.dash for box in drawn["published_before"][1])
    assert re.search(rf"{SMALL} · cpu · \d", told)


def test_the_sliders_never_ask_the_network_again(fetched, prose, monkeypatch):
    visit(published_model=SMALL)
    monkeypatch.setattr(type(catalog.load(SMALL)), "before_nms", lambda *_: pytest.fail("asked again"))
    at = visit(published_model=SMALL, published_nms=0.2, published_score=0.99999)
    assert "No box reaches the score threshold." in said(at, prose)


def test_a_network_that_is_not_here_leaves_the_rest_of_the_page(drawn, prose):
    at = visit(published_model="retinanet_resnet50_fpn_v2")
    assert at.button(key="published_fetch").label == "Fetch 153 MB"
    assert "published_before" not in drawn and "nms_stage" in drawn


def test_many_boxes_are_cut_and_it_is_said():
    class Many:
        name, own_nms = "many", 0.5

        def before_nms(self, image, lowest):
            from models.pretrained_networks import Objects

            scores = torch.linspace(0.1, 0.9, 1000)
            return Objects(torch.zeros(1000, 4), torch.ones(1000, dtype=torch.int64), scores,
                           [str(i) for i in range(1000)], None, None, None, 0.1, "cpu")  # fmt: skip

    raw = photographs.unsuppressed("many", 2, Many(), np.zeros((2, 2, 3), np.uint8))
    assert raw.total == 1000 and len(raw.scores) == photographs.MOST
    assert raw.names[:2] == ["999", "998"] and float(raw.scores[0]) == pytest.approx(0.9)
