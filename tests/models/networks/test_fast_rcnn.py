"""Fast R-CNN on its given regions: torchvision's own result, frames of the picture, and the gradient on it."""

import numpy as np
import pytest
import torch

from models import catalog
from models.networks import rcnn_taps
from models.networks.detector import LEVELS
from models.networks.fast_rcnn import FastDetection
from scenes import THINGS


@pytest.fixture(scope="module")
def network():
    return catalog.load("fast-rcnn")


@pytest.fixture(scope="module")
def found(network, view, regions) -> FastDetection:
    return network(view.image, regions)


def test_it_is_what_torchvision_makes_of_the_regions(network, view, regions, found):
    image = torch.from_numpy(view.image.copy()).permute(2, 0, 1).float() / 255
    with torch.inference_mode():
        theirs = network.module([image], [torch.from_numpy(regions)])[0]
    for name in ("boxes", "labels", "scores"):
        torch.testing.assert_close(getattr(found, name), theirs[name].cpu())
    assert len(found.boxes) and (found.scores.diff() <= 0).all()


def test_every_region_has_scores_boxes_a_level_and_7_by_7_features(found, regions):
    count = len(regions)
    assert found.raw_scores.shape == (count, len(THINGS) + 1) and found.raw_boxes.shape == (count, len(THINGS), 4)
    torch.testing.assert_close(found.raw_scores.sum(1), torch.ones(count))
    assert found.roi_features.shape == (count, 48, 7, 7)
    assert list(found.levels) == list(LEVELS[:4]) and found.levels["P2"].shape == (48, 56, 56)
    side = (torch.from_numpy(regions)[:, 2:] - torch.from_numpy(regions)[:, :2]).prod(1).sqrt()
    assert ((found.level_of == 0) == (side < 112)).all()  # P2 up to half of the canonical 224
    assert found.seconds == pytest.approx(found.trunk_seconds + found.head_seconds) and found.head_seconds > 0


def test_the_levels_are_those_of_the_trunk_whatever_the_regions(network, view, regions, found):
    few = network(view.image, regions[:1])
    torch.testing.assert_close(few.levels["P3"], found.levels["P3"])
    torch.testing.assert_close(few.raw_scores[0], found.raw_scores[0], atol=1e-4, rtol=1e-4)


def test_no_region_gives_no_detection(network, view):
    found = network(view.image, np.zeros((0, 4)))
    assert found.boxes.shape == (0, 4) and found.raw_boxes.shape == (0, 8, 4) and found.raw_scores.shape == (0, 9)


def test_regions_are_in_pixels_of_a_picture_of_any_size(network, view, found, regions):
    twice = np.repeat(np.repeat(view.image, 2, 0), 2, 1)
    large = network(twice, 2 * regions)
    assert large.levels["P2"].shape == found.levels["P2"].shape
    torch.testing.assert_close(large.boxes[:1] / 2, found.boxes[:1], atol=1.0, rtol=0.02)
    image = torch.zeros(3, 448, 448)
    _, (scaled,), _ = rcnn_taps.resized(network.module.transform, [image], [torch.tensor([[10.0, 20, 30, 40]])])
    assert scaled.tolist() == [[5.0, 10, 15, 20]]


def test_the_losses_are_those_of_the_scores_and_background_has_no_box(network, view, regions, found):
    for index, label in ((0, 0), (3, 2)):
        slope = network.gradient(view.image, regions[index : index + 1], [label], regions[index : index + 1] + 2)
        assert slope.loss_class == pytest.approx(-float(found.raw_scores[index, label].log()), rel=1e-2, abs=1e-4)
        assert (slope.loss_box > 0) == (label > 0)


def test_a_step_against_the_gradient_lowers_the_loss(network, view, regions):
    index, label = 5, 3
    ask = lambda image: network.gradient(image, regions[index : index + 1], [label], regions[index : index + 1])  # noqa: E731
    before = ask(view.image)
    assert before.gradient.shape == view.image.shape and np.abs(before.gradient).max() > 0
    step = view.image.astype(int) - np.sign(before.gradient).astype(int)
    after = ask(step.clip(0, 255).astype(np.uint8))
    assert after.loss_class + after.loss_box < before.loss_class + before.loss_box


def test_the_gradient_leaves_no_trace_in_the_network(network, view, regions):
    network.gradient(view.image, regions[:1], [1], regions[:1])
    assert all(p.grad is None and not p.requires_grad for p in network.module.parameters())
    assert not network.module.training


def test_the_card_keeps_the_bar():
    card = catalog.card("fast-rcnn")
    assert card["metrics"]["box_ap50"] >= 0.80 and card["metrics"]["scenes"] == 500
    assert (catalog.WEIGHTS / "fast-rcnn.safetensors").stat().st_size < 2_200_000
