"""SSD of the lab: its default boxes, loss and detections are those that torchvision's own network works with."""

import numpy as np
import pytest
import torch
from torchvision.models.detection.image_list import ImageList

import scenes
from labs import default_boxes
from models.networks import rcnn_taps, ssd
from models.networks.detector import Trunk
from models.recipes import ssd as recipe
from scenes import THINGS


@pytest.fixture(scope="module")
def network():
    """Untrained, with a louder head: a few scores are high."""
    torch.manual_seed(0)
    module = ssd.build_ssd(Trunk()).eval()
    with torch.no_grad():
        for head in module.head.classification_head.module_list:
            head.weight.mul_(3)
    return recipe.wrap("ssd", module, torch.device("cpu"), {"name": "ssd"})


@pytest.fixture(scope="module")
def view():
    return scenes.render(scenes.sample(14), 224)


def test_the_default_boxes_are_those_of_torchvisions_generator(network):
    maps = [torch.zeros(1, 1, cells, cells) for cells in ssd.GRIDS]
    theirs = network.module.anchor_generator(ImageList(torch.zeros(1, 3, 224, 224), [(224, 224)]), maps)[0]
    torch.testing.assert_close(ssd.defaults_of().boxes, theirs, atol=1e-3, rtol=1e-5)
    assert default_boxes.count(ssd.GRIDS, ssd.RATIOS) == [4704, 1176, 196, 64]


def test_the_loss_of_a_picture_is_torchvisions(network, view):
    boxes, labels = ssd.truth_of(view.instances)
    found = network(view.image)
    ours = ssd.losses_of(found.logits, found.transforms, found.defaults.boxes, boxes, labels)
    picture = torch.from_numpy(view.image.copy()).permute(2, 0, 1).float() / 255
    with torch.no_grad(), rcnn_taps.training_mode(network.module):
        theirs = network.module([picture], [{"boxes": boxes, "labels": labels}])
    assert float(ours.total) == pytest.approx(float(sum(theirs.values())), rel=1e-3)
    assert int(ours.negative.sum()) == 3 * int(ours.positive.sum()) > 0


def test_the_labs_detections_are_those_of_the_network(network, view):
    found = network(view.image, threshold=0.3)
    box, label, score = default_boxes.detect(found.raw_boxes, found.raw_scores, 0.3, ssd.NMS_OVERLAP)
    assert 0 < len(found.boxes) <= ssd.LARGEST_COUNT
    count = len(found.boxes)
    torch.testing.assert_close(score[:count], found.scores, atol=1e-5, rtol=1e-5)
    assert torch.equal(label[:count], found.labels)
    torch.testing.assert_close(found.raw_boxes[box[:count]], found.boxes, atol=1e-2, rtol=1e-4)


def test_a_threshold_is_of_one_call(network, view):
    before = network.module.score_thresh
    assert len(network(view.image, threshold=0.9).boxes) <= len(network(view.image, threshold=0.1).boxes)
    assert network.module.score_thresh == before == ssd.SCORE_THRESHOLD


def test_a_picture_of_another_size_has_its_boxes_in_its_own_pixels(network):
    image = np.random.default_rng(0).integers(0, 255, (150, 300, 3), np.uint8)
    found = network(image, threshold=0.01)
    assert found.raw_boxes[:, 0::2].max() <= 300 and found.raw_boxes[:, 1::2].max() <= 150
    assert found.defaults.boxes.shape == found.raw_boxes.shape == (6140, 4)
    assert found.raw_scores.shape == (6140, len(THINGS) + 1)
    assert found.masks is found.keypoints is found.keypoint_scores is None and found.seconds > 0
    torch.testing.assert_close(found.raw_scores.sum(1), torch.ones(6140))


def test_the_numbers_of_a_pyramid_are_those_of_the_pass(network, view):
    found = network(view.image)
    picture = torch.from_numpy(view.image.copy()).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        images, _ = network.module.transform([picture[0]])
        logits, transforms = ssd.numbers_of(network.module, network.module.backbone.trunk(images.tensors))
    torch.testing.assert_close(logits[0], found.logits, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(transforms[0], found.transforms, atol=1e-4, rtol=1e-4)


def test_the_trunk_is_the_detectors_and_stays():
    module = ssd.build_ssd(Trunk())
    assert isinstance(module.backbone.trunk, Trunk)
    assert not any(each.requires_grad for each in module.backbone.trunk.parameters())
    assert all(each.requires_grad for name, each in module.named_parameters() if "trunk" not in name)
    own = sum(each.numel() for name, each in module.named_parameters() if "trunk" not in name)
    assert 2 * own < 0.7e6  # bytes in half precision
