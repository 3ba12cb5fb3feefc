"""The heads on given regions: they say what the whole network says, and their parts make up all of it."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.detection.roi_heads import keypointrcnn_inference, maskrcnn_inference, paste_masks_in_image

import scenes
from models import catalog
from models.inside import pooling_swap, region_heads
from models.inside.region_heads import BOXES, HEADS, KEYPOINTS, MASKS


@pytest.fixture(scope="module")
def seen():
    detector, image = catalog.load("detector"), scenes.render(scenes.sample(14)).image
    return detector, image, pooling_swap.find_regions(detector, image)


def test_each_head_says_what_the_whole_network_says(seen):
    detector, image, regions = seen
    found = detector(image)
    (masks,) = maskrcnn_inference(region_heads.logits(detector, regions, MASKS, found.boxes), [found.labels])
    torch.testing.assert_close(paste_masks_in_image(masks, found.boxes, image.shape[:2])[:, 0], found.masks)
    maps = region_heads.logits(detector, regions, KEYPOINTS, found.boxes)
    (joints,), _ = keypointrcnn_inference(maps, [found.boxes])
    torch.testing.assert_close(joints, found.keypoints)
    scores = region_heads.logits(detector, regions, BOXES, found.proposals).softmax(1)
    torch.testing.assert_close(scores, found.raw_scores, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(region_heads.proposals(regions), found.proposals)


def test_the_parts_are_the_whole_network(seen):
    detector, image, regions = seen
    parts = region_heads.parts(detector, regions)
    assert sum(part.parameters for part in parts) == sum(each.numel() for each in detector.module.parameters())
    with FlopCounterMode(display=False) as counter:
        found = detector(image)
    times = {BOXES: len(found.proposals), MASKS: len(found.boxes), KEYPOINTS: len(found.boxes)}
    whole = sum(part.once + part.per_region * times.get(part.name, 0) for part in parts)
    assert whole == counter.get_total_flops() // 2


@pytest.mark.parametrize(("head", "last"), [(BOXES, (36,)), (MASKS, (9, 28, 28)), (KEYPOINTS, (14, 56, 56))])
def test_layers_are_told_in_their_order(seen, head, last):
    detector, _, regions = seen
    told = region_heads.shapes(detector, head)
    assert told[-1][1] == last
    part = next(part for part in region_heads.parts(detector, regions) if part.name == head)
    assert sum(parameters for _, _, parameters in told) == part.parameters
    assert not any(layer._forward_hooks for layer in detector.module.modules())


def test_a_head_is_timed(seen):
    detector, _, regions = seen
    boxes = region_heads.proposals(regions)[:2]
    assert all(region_heads.milliseconds(detector, regions, head, boxes, repeats=1) > 0 for head in HEADS)


def test_no_such_pooling(seen):
    detector, _, regions = seen
    with pytest.raises(ValueError, match="no pooling"):
        region_heads.logits(detector, regions, MASKS, regions.proposals[:1], "RoI Guess")
