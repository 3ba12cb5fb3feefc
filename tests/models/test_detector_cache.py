"""One run of the detector per picture, whoever asks and however many at once."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from models import catalog, detector_cache
from models.detector import LoadedDetector, build_detector


@pytest.fixture
def runs(monkeypatch):
    """The pictures that an untrained network was run on."""
    torch.manual_seed(0)
    network = LoadedDetector("detector", build_detector().eval(), torch.device("cpu"), {})
    seen, call = [], LoadedDetector.__call__
    monkeypatch.setattr(catalog, "load", lambda name: network)

    def watch(self, image, **options):
        seen.append(image)
        return call(self, image, **options)

    monkeypatch.setattr(LoadedDetector, "__call__", watch)
    return seen


def picture(value: int) -> np.ndarray:
    return np.full((64, 64, 3), value, np.uint8)


def test_the_network_runs_once_per_picture(runs):
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(detector_cache.look, [picture(1), picture(1), picture(2), picture(1)]))
    assert len(runs) == 2
    assert found[0] is found[1] is found[3] and found[0] is not found[2]


def test_only_what_no_box_needs_is_left_out(runs):
    seen, whole = detector_cache.look(picture(3)), catalog.load("detector")(picture(3), masks=False, keypoints=False)
    assert torch.equal(seen.raw_boxes, whole.raw_boxes) and torch.equal(seen.proposals, whole.proposals)
    assert torch.equal(seen.levels[1].transforms, whole.levels[1].transforms)
    assert seen.roi_features.numel() == 0 and seen.levels[0].features.numel() == 0 and whole.roi_features.numel() > 0


def test_the_oldest_picture_makes_room(runs, monkeypatch):
    monkeypatch.setattr(detector_cache, "MOST", 2)
    for value in (1, 2, 3, 3, 1):
        detector_cache.look(picture(value))
    assert [int(image[0, 0, 0]) for image in runs] == [1, 2, 3, 1]
