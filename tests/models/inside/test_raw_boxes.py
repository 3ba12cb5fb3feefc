import pytest
import torch
from torchvision.ops import batched_nms

import scenes
from models import catalog
from models.inside import raw_boxes

DETECTORS = [
    name
    for name in ("detector", "detector-narrow", "r-fcn", "ssd", "retinanet", "yolo-anchor", "yolo-cell")
    if name in catalog.shipped()
]


@pytest.fixture(scope="module")
def image():
    return scenes.render(scenes.sample(3147), 224).image


@pytest.mark.parametrize("name", DETECTORS)
def test_what_a_detector_returns_is_left_of_its_raw_boxes(name, image):
    network = catalog.load(name)
    raw = raw_boxes.raw_boxes(network, image, most=100_000)
    assert (raw.scores[:-1] >= raw.scores[1:]).all() and len(raw.boxes) == len(raw.labels) == len(raw.scores)
    assert raw.boxes.min() >= 0 and raw.boxes.max() <= 224 and set(raw.labels.tolist()) == set(range(1, 9))
    best = network(image)
    for box, label, score in list(zip(best.boxes, best.labels, best.scores, strict=True))[:5]:
        same = (raw.labels == label) & ((raw.scores - score).abs() < 1e-4)
        assert float((raw.boxes[same] - box).abs().amax(1).min()) < 0.01
    kept = batched_nms(raw.boxes, raw.scores, raw.labels, 0.5)
    assert float(raw.scores[kept[0]]) == pytest.approx(float(best.scores[0]), abs=1e-4)


@pytest.mark.parametrize("name", DETECTORS)
def test_only_the_best_are_kept_and_all_are_counted(name, image):
    network = catalog.load(name)
    few, all_of_them = (raw_boxes.raw_boxes(network, image, most) for most in (7, 100_000))
    assert len(few.scores) == 7 and few.total == all_of_them.total == len(all_of_them.scores)
    assert torch.equal(few.scores, all_of_them.scores[:7])
