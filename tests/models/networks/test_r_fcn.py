"""R-FCN: what it says of a picture follows from its maps by the lab's functions, and nothing runs per region."""

import numpy as np
import pytest
import torch
from torch import nn

from labs import boxes as box_lab
from labs import position_sensitive as ps
from models.inside import region_work
from models.networks import rcnn_taps
from models.networks.r_fcn import CLASSES, PARTS, SAMPLES, UNITS, LoadedRfcn, RfcnDetection, build_r_fcn, pool_of
from scenes import Knobs, render, sample


@pytest.fixture(scope="module")
def network() -> LoadedRfcn:
    torch.manual_seed(0)
    module = build_r_fcn().eval().requires_grad_(False)
    nn.init.normal_(pool_of(module).score_maps.maps.weight, std=0.3)  # answers that differ from box to box
    return LoadedRfcn("r-fcn", module, torch.device("cpu"), {})


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return render(sample(3, Knobs(objects=4))).image


@pytest.fixture(scope="module")
def found(network, image) -> RfcnDetection:
    return network(image)


def test_there_are_k_squared_maps_for_every_class_and_number_of_the_box(found):
    assert found.score_maps.shape == (9, 3, 3, 56, 56) and found.box_maps.shape == (4, 3, 3, 56, 56)
    assert found.score_maps[:, :, :, 0, 0].numel() == ps.map_count(PARTS, CLASSES - 1)
    assert found.parts.shape == (len(found.proposals), 9, 3, 3) and found.scale.tolist() == [0.25, 0.25]
    assert found.masks is None and found.keypoints is None and found.seconds > 0 and found.device == "cpu"


def test_scores_and_boxes_follow_from_the_maps_by_the_labs_functions(found):
    parts = ps.align(found.score_maps, found.proposals, 0.25, SAMPLES)
    torch.testing.assert_close(found.parts, parts, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found.raw_scores, ps.vote(parts).softmax(-1), atol=1e-4, rtol=1e-4)
    votes = ps.vote(ps.align(found.box_maps, found.proposals, 0.25, SAMPLES))
    moved = box_lab.decode(votes / torch.tensor(UNITS), found.proposals)
    torch.testing.assert_close(found.raw_boxes, moved, atol=1e-2, rtol=1e-4)


def test_detections_are_proposals_with_a_class_that_outvotes(found):
    assert len(found.boxes) and bool((found.scores.diff() <= 0).all()) and int(found.labels.min()) >= 1
    for box, label, score in zip(found.boxes[:5], found.labels[:5], found.scores[:5], strict=True):
        same = (found.raw_scores[:, label] - score).abs() < 1e-5
        assert float((found.raw_boxes[same].clamp(0, 224) - box).abs().max(1).values.min()) < 1e-2


def test_a_picture_of_another_size_is_read_in_its_own_pixels(network, image, found):
    large = network(np.repeat(np.repeat(image, 2, axis=0), 2, axis=1))
    assert large.scale.tolist() == [0.125, 0.125]
    torch.testing.assert_close(large.proposals[:20] / 2, found.proposals[:20], atol=0.6, rtol=0.02)
    parts = ps.align(large.score_maps, large.proposals, 0.125, SAMPLES)
    torch.testing.assert_close(large.parts, parts, atol=1e-4, rtol=1e-4)


def test_no_layer_with_weights_comes_after_the_pooling(network):
    heads = rcnn_taps.heads_of(network.module)
    assert not list(heads.box_head.parameters()) and not list(heads.box_predictor.parameters())
    calls = []
    layers = [m for m in network.module.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    handles = [m.register_forward_hook(lambda *_: calls.append(1)) for m in pool_of(network.module).modules()
               if isinstance(m, nn.Conv2d)]  # fmt: skip
    try:
        ready = region_work.prepared(network, np.zeros((224, 224, 3), np.uint8), torch.tensor([[8.0, 8, 90, 90]] * 50))
        per_count = []
        for count in (1, 50):
            calls.clear()
            assert region_work.milliseconds(ready, count, repeats=1) > 0
            per_count.append(len(calls))
    finally:
        for handle in handles:
            handle.remove()
    assert per_count == [6, 6], "four to meet, one to mix, one for the maps, however many regions"
    assert not any(isinstance(m, nn.Linear) for m in layers)


def test_more_boxes_than_there_are_cannot_be_timed(network, image):
    ready = region_work.prepared(network, np.repeat(image, 2, axis=0), torch.tensor([[0.0, 0.0, 224.0, 448.0]]))
    assert ready.boxes.tolist() == [[0.0, 0.0, float(ready.size[1]), float(ready.size[0])]]
    for count in (0, 2):
        with pytest.raises(ValueError, match="There are 1 boxes"):
            region_work.milliseconds(ready, count)
