"""One run of the detector per picture, whoever asks and however many at once."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
import torch

from models.inside import detector_cache
from models.networks.detector import LoadedDetector, build_detector


@pytest.fixture
def runs(monkeypatch):
    """An untrained network, and the pictures that it was run on."""
    torch.manual_seed(0)
    network = LoadedDetector("detector", build_detector().eval(), torch.device("cpu"), {})
    seen, call = [], LoadedDetector.__call__

    def watch(self, image, **options):
        seen.append(image)
        return call(self, image, **options)

    monkeypatch.setattr(LoadedDetector, "__call__", watch)
    return network, seen


def picture(value: int) -> np.ndarray:
    return np.full((64, 64, 3), value, np.uint8)


def test_the_network_runs_once_per_picture(runs):
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(partial(detector_cache.look, runs[0]), map(picture, (1, 1, 2, 1))))
    assert len(runs[1]) == 2
    assert found[0] is found[1] is found[3] and found[0] is not found[2]


def test_only_what_no_box_needs_is_left_out(runs):
    network, _ = runs
    seen, whole = detector_cache.look(network, picture(3)), network(picture(3), masks=False, keypoints=False)
    assert torch.equal(seen.raw_boxes, whole.raw_boxes) and torch.equal(seen.proposals, whole.proposals)
    assert torch.equal(seen.levels[1].transforms, whole.levels[1].transforms)
    assert seen.roi_features.numel() == 0 and seen.levels[0].features.numel() == 0 and whole.roi_features.numel() > 0


def test_the_oldest_picture_makes_room(runs, monkeypatch):
    monkeypatch.setattr(detector_cache, "MOST", 2)
    for value in (1, 2, 3, 3, 1):
        detector_cache.look(runs[0], picture(value))
    assert [int(image[0, 0, 0]) for image in runs[1]] == [1, 2, 3, 1]
