"""RetinaNet: torchvision's losses and detections, classes without background, and a trunk that is the detector's."""

import math

import numpy as np
import pytest
import torch
from torchvision.models.detection.retinanet import RetinaNetClassificationHead
from torchvision.ops import box_iou

from labs import anchors as anchor_lab
from labs import focal_loss
from models.networks.detector import build_detector
from models.networks.retinanet import (
    ANCHOR_SIZES,
    OBJECTIVES,
    PER_POSITION,
    STRIDES,
    LoadedRetinaNet,
    build_retinanet,
)
from scenes import THINGS, Knobs, render, sample


def loaded(name: str) -> LoadedRetinaNet:
    torch.manual_seed(0)
    module = build_retinanet(OBJECTIVES[name]).eval()
    torch.nn.init.normal_(module.head.classification_head.cls_logits.weight, std=0.5)  # answers that differ
    torch.nn.init.normal_(module.head.regression_head.bbox_reg.weight, std=0.1)
    return LoadedRetinaNet(name, module, torch.device("cpu"), {})


@pytest.fixture(scope="module")
def network() -> LoadedRetinaNet:
    return loaded("retinanet")


@pytest.fixture(scope="module")
def view():
    return render(sample(3, Knobs(objects=4)))


def test_its_trunk_is_the_detectors_weight_for_weight(network):
    theirs = build_detector().backbone.state_dict()
    assert set(network.module.backbone.state_dict()) == set(theirs)
    network.module.backbone.load_state_dict(theirs)


def test_a_detection_holds_what_the_pages_need(network, view):
    found = network(view.image)
    count = sum((224 // stride) ** 2 for stride in STRIDES) * PER_POSITION
    assert count == 6174 and found.anchors.shape == found.transforms.shape == found.decoded.shape == (count, 4)
    assert found.logits.shape == (count, len(THINGS)), "a sigmoid for each class and none for background"
    assert found.level_of.bincount().tolist() == [4704, 1176, 294]
    assert [tuple(level.shape) for level in found.features] == [(64, 28, 28), (64, 14, 14), (64, 7, 7)]
    assert len(found.boxes) > 0 and found.labels.min() >= 1 and found.labels.max() <= len(THINGS)
    assert (found.scores.diff() <= 0).all() and found.masks is found.keypoints is None
    assert found.seconds > 0 and found.device == "cpu"


def test_what_it_finds_is_among_what_its_anchors_say(network, view):
    found = network(view.image)
    best = found.logits.sigmoid()
    for box, label, score in zip(found.boxes, found.labels, found.scores, strict=True):
        at = (best[:, label - 1] - score).abs() < 1e-6
        assert at.any()
        clipped = found.decoded[at].clamp(0, 224)
        assert (clipped - box).abs().amax(1).min() < 1e-2


def test_anchors_are_those_of_the_lab(network, view):
    found = network(view.image)
    expected = [
        anchor_lab.grid_anchors(anchor_lab.base_anchors(sizes, (0.5, 1.0, 2.0)), 224 // stride, 224 // stride, stride)
        for sizes, stride in zip(ANCHOR_SIZES, STRIDES, strict=True)
    ]
    torch.testing.assert_close(found.anchors, torch.cat(expected))


def test_another_size_gives_boxes_in_its_own_pixels(network):
    image = np.random.default_rng(0).integers(0, 256, (448, 448, 3), dtype=np.uint8)
    small, large = network(image[::2, ::2].copy()), network(image)
    torch.testing.assert_close(large.anchors, 2 * small.anchors)
    wide = network(image[:224])
    assert wide.anchors.shape == wide.decoded.shape and (wide.boxes[:, 3] <= 224).all()


def test_the_match_is_that_of_the_labs_rule(network, view):
    found = network(view.image)
    truth = torch.tensor(np.array([i.box for i in view.instances])).float()
    match = network.match(found, truth)
    given = anchor_lab.label_anchors(box_iou(truth, found.anchors), focal_loss.POSITIVE, focal_loss.NEGATIVE)
    assert torch.equal(match >= 0, given.label == 1) and torch.equal(match == -1, given.label == 0)
    assert torch.equal(match[match >= 0], given.match[match >= 0])
    assert (network.match(found, torch.zeros(0, 4)) == -1).all()


def test_the_classes_loss_is_torchvisions_but_for_the_labels_that_count_from_one(network, view):
    found, truth = network(view.image), torch.tensor(np.array([i.box for i in view.instances])).float()
    match, labels = network.match(found, truth), torch.tensor([THINGS.index(i.label) + 1 for i in view.instances])
    ours = network.module.head.classification_head
    theirs = RetinaNetClassificationHead.compute_loss(
        ours, [{"labels": labels - 1}], {"cls_logits": found.logits[None]}, [match]
    )
    assert float(theirs) == pytest.approx(network.losses(view.image, view.instances)["classification"], rel=1e-4)


@pytest.mark.parametrize("name", list(OBJECTIVES))
def test_each_network_pays_by_its_own_objective(name, view):
    network = loaded(name)
    found, truth = network(view.image), torch.tensor(np.array([i.box for i in view.instances])).float()
    match, labels = network.match(found, truth), torch.tensor([THINGS.index(i.label) for i in view.instances])
    right, rule = focal_loss.wanted(match, labels, len(THINGS)), OBJECTIVES[name]
    asked = match != -2
    if rule.negatives:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            torch.empty(1).uniform_()  # the transform of torchvision draws a size of the picture
            asked = focal_loss.sampled(match, rule.negatives, int(torch.randint(2**31, ())))
        assert int(asked.sum()) == 4 * int((match >= 0).sum())
    paid = focal_loss.focal_loss(found.logits[asked], right[asked], rule.gamma, rule.alpha).sum()
    said = network.losses(view.image, view.instances)["classification"]
    assert said == pytest.approx(float(paid) / int((match >= 0).sum()), rel=1e-4)


def test_losses_repeat_leave_the_network_as_it_was_and_bear_an_empty_scene(view):
    network = loaded("retinanet-sampled")
    random = torch.get_rng_state()
    first, second = (network.losses(view.image, view.instances) for _ in range(2))
    assert first == second and set(first) == {"classification", "bbox_regression"}
    assert not any(m.training for m in network.module.modules()) and torch.equal(torch.get_rng_state(), random)
    empty = render(sample(3, Knobs(objects=0)))
    losses = network.losses(empty.image, empty.instances)
    assert losses["bbox_regression"] == 0 and np.isfinite(losses["classification"])


def test_before_training_every_sigmoid_says_the_prior(view):
    torch.manual_seed(0)
    network = LoadedRetinaNet("x", build_retinanet(OBJECTIVES["retinanet"]).eval(), torch.device("cpu"), {})
    said = network(view.image).logits
    assert float(said.mean()) == pytest.approx(-math.log(99), abs=0.05)
