"""SPP-net: vectors are the pyramid over the detector's own map, margins linear in them, the trunk is stored once."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from labs import boxes as box_lab
from labs import spatial_pyramid
from models import catalog
from models.networks.spp import LENGTH, LOWEST_MARGIN, NMS_OVERLAP, PyramidDetection
from scenes import THINGS


@pytest.fixture(scope="module")
def network():
    return catalog.load("spp")


@pytest.fixture(scope="module")
def found(network, view, regions) -> PyramidDetection:
    return network(view.image, regions)


def test_the_vectors_are_the_pyramid_over_the_detectors_map(view, regions, found):
    theirs = catalog.load("detector")(view.image, masks=False, keypoints=False).levels[1].features
    torch.testing.assert_close(found.features, theirs, atol=1e-4, rtol=1e-3)
    cells = spatial_pyramid.cells(torch.from_numpy(regions), 8, (28, 28))
    assert torch.equal(found.cells, cells) and found.vectors.shape == (len(regions), LENGTH) and LENGTH == 64 * 21
    for index in (0, len(regions) // 2, len(regions) - 1):
        assert torch.equal(found.vectors[index], spatial_pyramid.pool_region(found.features, cells[index]).flatten())


def test_margins_are_linear_and_boxes_are_moved_by_their_class(network, regions, found):
    module = network.module
    scaled = (found.vectors - module.mean.cpu()) / module.deviation.cpu()
    margins = scaled @ module.svm.weight.cpu().T + module.svm.bias.cpu()
    torch.testing.assert_close(found.margins, margins, atol=1e-3, rtol=1e-3)
    transforms = (scaled @ module.box.weight.cpu().T + module.box.bias.cpu()).reshape(-1, len(THINGS), 4)
    moved = box_lab.decode(transforms, torch.from_numpy(regions)[:, None]).clamp(0, 224)
    torch.testing.assert_close(found.moved, moved, atol=1e-2, rtol=1e-3)


def test_detections_are_sure_apart_from_each_other_and_best_first(found):
    assert len(found.boxes) and (found.scores.diff() <= 0).all()
    assert (found.scores > LOWEST_MARGIN).all()
    for label in found.labels.unique():
        own = found.boxes[found.labels == label]
        overlaps = box_lab.iou_matrix(own, own) - torch.eye(len(own))
        assert (overlaps <= NMS_OVERLAP + 1e-5).all()
    assert found.seconds == pytest.approx(found.trunk_seconds + found.pool_seconds + found.head_seconds)


def test_no_region_gives_no_detection_and_regions_may_be_of_a_larger_picture(network, view, regions, found):
    none = network(view.image, np.zeros((0, 4)))
    assert none.boxes.shape == (0, 4) and none.vectors.shape == (0, LENGTH) and none.moved.shape == (0, 8, 4)
    large = network(np.repeat(np.repeat(view.image, 2, 0), 2, 1), 2 * regions[:5])
    assert torch.equal(large.cells, found.cells[:5])
    torch.testing.assert_close(large.moved / 2, found.moved[:5], atol=3.0, rtol=0.05)


def test_the_trunk_is_the_detectors_and_not_stored_again(network):
    file = catalog.WEIGHTS / "spp.safetensors"
    assert not any(key.startswith("backbone") for key in load_file(file)) and file.stat().st_size < 700_000
    theirs = catalog.load("detector").module.backbone.state_dict()
    assert all(torch.equal(value, theirs[key]) for key, value in network.module.backbone.state_dict().items())


def test_the_card_keeps_the_bar():
    card = catalog.card("spp")
    assert card["metrics"]["box_ap50"] >= 0.60 and card["metrics"]["scenes"] == 500
    assert sum(card["stages"].values()) == pytest.approx(card["training_seconds"], abs=3)
