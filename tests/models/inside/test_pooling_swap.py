"""Swapping the pooling: as trained it changes nothing, and the shared network never notices, whatever happens."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch.testing import assert_close

import scenes
from labs import roi_align, roi_pooling
from models.inside import pooling_swap
from models.inside.pooling_swap import POOLINGS, detect_with, find_regions, levels_of, swapped_heads
from models.networks.detector import LoadedDetector, build_detector


@pytest.fixture(scope="module")
def detector():
    """Untrained, but sure enough of its guesses that some survive the score threshold."""
    torch.manual_seed(1)
    module = build_detector().eval().requires_grad_(False)
    module.roi_heads.box_predictor.cls_score.weight.mul_(40)
    return LoadedDetector("detector", module, torch.device("cpu"), {})


@pytest.fixture(scope="module")
def picture():
    return scenes.render(scenes.sample(3)).image


@pytest.fixture(scope="module")
def regions(detector, picture):
    return find_regions(detector, picture)


def state(detector):
    """Everything of the shared heads that a swap could disturb."""
    heads = detector.module.roi_heads
    tensors = {name: value.clone() for name, value in detector.module.state_dict().items()}
    return dict(heads._modules), {k: v for k, v in vars(heads).items() if not k.startswith("_")}, tensors


def assert_unchanged(detector, before):
    modules, attributes, tensors = state(detector)
    assert modules == before[0] and all(modules[name] is before[0][name] for name in modules)
    assert attributes == before[1] and not any(m.training for m in detector.module.modules())
    assert all(torch.equal(tensors[name], before[2][name]) for name in before[2])


def test_roi_align_gives_what_the_detector_gives(detector, picture, regions):
    whole, swapped = detector(picture, keypoints=False), detect_with(detector, regions, "RoI Align")
    assert len(whole.boxes) > 0
    assert_close(regions.proposals, whole.proposals, atol=1e-4, rtol=0)
    for name in ("boxes", "labels", "scores", "masks"):
        assert_close(getattr(swapped, name), getattr(whole, name), atol=1e-4, rtol=1e-4)


def test_the_poolings_differ(detector, regions):
    scores = {name: detect_with(detector, regions, name, masks=False).scores for name in POOLINGS}
    found = list(scores.values())
    assert all(len(a) != len(b) or not torch.allclose(a, b) for i, a in enumerate(found) for b in found[:i])


def test_every_operator_is_the_labs(detector, regions):
    """What runs in the heads is what the page shows, also where torchvision's operator does it."""
    features, boxes = regions.features["P3"][0], regions.proposals[:20]
    shown = {
        "RoI Align": lambda: roi_align.roi_align(features, boxes, (7, 7), 1 / 8, 2, aligned=False),
        "RoI Align, aligned": lambda: roi_align.roi_align(features, boxes, (7, 7), 1 / 8, 2, aligned=True),
        "RoI Pool": lambda: roi_pooling.roi_pool(features, boxes, (7, 7), 1 / 8).values,
        "crop and resize": lambda: roi_align.crop_and_resize(features, boxes, (7, 7), 1 / 8),
    }
    for name, pool in POOLINGS.items():
        assert_close(pool(features, boxes, (7, 7), 1 / 8, 2), shown[name](), atol=1e-4, rtol=1e-4)


def test_boxes_go_to_the_detectors_own_levels(detector, picture):
    detector(picture)  # torchvision's pooling learns its scales from the first picture
    theirs = detector.module.roi_heads.box_roi_pool.map_levels
    boxes = torch.tensor([[0, 0, s, s] for s in (3, 56, 111, 112, 113, 200, 223.9, 224, 448, 900)], dtype=torch.float32)
    assert torch.equal(levels_of(boxes), theirs([boxes]))
    assert levels_of(boxes).tolist() == [0, 0, 0, 1, 1, 1, 1, 2, 3, 3]


def test_other_sizes_come_back_in_pixels_of_the_picture(detector, picture):
    large = np.repeat(np.repeat(picture, 2, 0), 2, 1)
    found = find_regions(detector, large)
    assert found.picture == (448, 448) and found.resized == (224, 224)
    result = detect_with(detector, found, "RoI Pool")
    whole = detector(large, keypoints=False)
    assert result.masks.shape[1:] == (448, 448)
    assert result.boxes.max() > 224 and whole.boxes.max() <= 448


def test_the_shared_network_stays_as_it_was(detector, picture, regions):
    before, said = state(detector), detector(picture, keypoints=False)
    for name in POOLINGS:
        detect_with(detector, regions, name)
    assert_unchanged(detector, before)
    again = detector(picture, keypoints=False)
    assert torch.equal(said.boxes, again.boxes) and torch.equal(said.masks, again.masks)


def test_sessions_that_swap_at_once_do_not_meet(detector, picture, regions):
    """Interleaved with plain calls that switch heads off, and with losses in training mode."""
    before = state(detector)
    alone = {name: detect_with(detector, regions, name) for name in POOLINGS}
    instances = scenes.render(scenes.sample(3)).instances

    def visit(index):
        if index % 6 == 4:
            return detector(picture, masks=False, keypoints=False)
        if index % 6 == 5:
            return detector.losses(picture, instances)
        name = list(POOLINGS)[index % 6]
        return name, detect_with(detector, regions, name)

    with ThreadPoolExecutor(4) as pool:
        answers = [answer for answer in pool.map(visit, range(12)) if isinstance(answer, tuple)]
    assert len(answers) == 8
    for name, found in answers:
        assert torch.equal(found.boxes, alone[name].boxes) and torch.equal(found.masks, alone[name].masks)
    assert_unchanged(detector, before)


@pytest.mark.parametrize("at", [1, 4])
def test_a_failure_in_the_middle_leaves_nothing_behind(detector, picture, regions, monkeypatch, at):
    """At the first level of the box head, or only once the mask head pools."""
    before, calls, real = state(detector), [], POOLINGS["RoI Pool"]
    used = len(levels_of(regions.proposals).unique())

    def breaks(*arguments):
        calls.append(arguments[2])
        if len(calls) == 1 + (at > 1) * used:
            raise RuntimeError("out of memory")
        return real(*arguments)

    monkeypatch.setitem(pooling_swap.POOLINGS, "RoI Pool", breaks)
    with pytest.raises(RuntimeError, match="out of memory"):
        detect_with(detector, regions, "RoI Pool")
    assert calls[-1] == ((7, 7) if at == 1 else (14, 14))
    assert_unchanged(detector, before)
    assert len(detect_with(detector, regions, "RoI Align").boxes) == len(detector(picture, keypoints=False).boxes)


def test_the_second_heads_share_every_layer(detector):
    heads = detector.module.roi_heads
    own = swapped_heads(heads, "RoI Pool", masks=False)
    assert own.box_head is heads.box_head and own.mask_predictor is heads.mask_predictor
    assert own.mask_roi_pool is None and heads.mask_roi_pool is not None


def test_an_unknown_pooling_is_named(detector, regions):
    with pytest.raises(ValueError, match="no pooling 'RoI Warp'"):
        detect_with(detector, regions, "RoI Warp")
