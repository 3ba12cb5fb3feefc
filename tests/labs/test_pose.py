"""Poses: the frame of a box there and back, the masked loss, mirrors, PCK, and OKS as pycocotools computes it."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import scenes
from labs import pose

SEEDS = some.integers(0, 9999)


def drawn(seed: int, *shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 200


def test_the_joints_are_those_of_the_lecture_in_the_order_of_the_scenes():
    assert len(pose.JOINTS) == 14 and tuple(name.replace(" ", "_") for name in pose.JOINTS) == scenes.JOINTS
    for name, other in zip(pose.JOINTS, pose.MIRRORED, strict=True):
        swapped = {"left": "right", "right": "left"}
        assert pose.JOINTS[other] == " ".join(swapped.get(word, word) for word in name.split())


@given(seed=SEEDS)
def test_pixels_come_back_from_the_frame_of_the_box(seed):
    joints, corner, size = drawn(seed, 3, 14, 2), drawn(seed + 1, 3, 2), drawn(seed + 2, 3, 2) + 5
    box = torch.cat([corner, corner + size], -1)
    numbers = pose.normalised(joints, box)
    torch.testing.assert_close(pose.in_pixels(numbers, box), joints, rtol=1e-4, atol=1e-3)
    corners = torch.stack([box[:, :2], box[:, 2:]], 1).repeat(1, 7, 1)
    torch.testing.assert_close(
        pose.normalised(corners, box)[:, :2], torch.tensor([[-0.5] * 2, [0.5] * 2]).repeat(3, 1, 1)
    )


def test_the_square_has_the_middle_of_the_box_and_its_longer_side():
    assert pose.square(torch.tensor([40.0, 20.0, 60.0, 100.0])).tolist() == [0, 10, 100, 110]
    assert pose.square(torch.tensor([0.0, 0.0, 10.0, 4.0]), 1.0).tolist() == [0, -3, 10, 7]


@given(seed=SEEDS, count=some.integers(0, 14))
def test_what_does_not_count_has_no_loss_and_no_gradient(seed, count):
    guess, truth = drawn(seed, 14, 2).requires_grad_(True), drawn(seed + 1, 14, 2)
    counts = torch.arange(14) < count
    loss = pose.masked_l2(guess, torch.where(counts[:, None], truth, torch.nan), counts)
    theirs = sum(float((guess.detach()[i] - truth[i]).square().sum()) for i in range(count)) / max(count, 1)
    assert float(loss.detach()) == pytest.approx(theirs, rel=1e-4)
    loss.backward()
    assert guess.grad is not None and not guess.grad[count:].any()
    if count:
        assert guess.grad[:count].any()


def test_the_mean_is_over_the_joints_that_count():
    guess, counts = torch.tensor([3.0, 4.0]).expand(14, 2), torch.arange(14) < 2
    assert float(pose.masked_l2(guess, torch.zeros(14, 2), counts)) == 25


@given(seed=SEEDS, width=some.floats(1, 500))
def test_a_mirror_exchanges_left_and_right_and_twice_is_nothing(seed, width):
    joints = drawn(seed, 2, 14, 3)
    found = pose.mirrored(joints, width)
    torch.testing.assert_close(pose.mirrored(found, width), joints, rtol=1e-4, atol=1e-3)
    left, right = pose.JOINTS.index("left hand"), pose.JOINTS.index("right hand")
    torch.testing.assert_close(found[:, left, 0], width - joints[:, right, 0])
    assert found[:, left, 1:].equal(joints[:, right, 1:]), "y and visibility go along"


def test_a_translation_moves_every_joint():
    assert pose.translated(torch.zeros(14, 2), torch.tensor([5.0, -3.0])).tolist() == [[5, -3]] * 14


@pytest.mark.parametrize(("off", "right"), [(19.9, True), (20.0, True), (20.1, False)])
def test_pck_counts_up_to_its_threshold_and_no_further(off, right):
    truth = torch.zeros(14, 2)
    counts = torch.arange(14) == 3
    marks = pose.pck(truth + torch.tensor([0.0, off]), truth, counts, torch.tensor(100.0), 0.2)
    assert float(marks.pck) == right and marks.right[3] == right


def test_pck_is_over_all_persons_together_and_nan_without_joints():
    truth = torch.zeros(2, 14, 2)
    guess = truth.clone()
    guess[1, :, 0] = 50.0
    counts = torch.zeros(2, 14, dtype=torch.bool)
    counts[0, :6], counts[1, :2] = True, True
    heights = torch.tensor([100.0, 100.0])
    assert float(pose.pck(guess, truth, counts, heights, 0.2).pck) == 0.75
    assert float(pose.pck(guess, truth, counts, torch.tensor([100.0, 250.0]), 0.2).pck) == 1.0
    assert pose.pck(guess, truth, torch.zeros_like(counts), heights, 0.2).pck.isnan()


@given(seed=SEEDS, count=some.integers(1, 14))
def test_oks_is_that_of_pycocotools(seed, count):
    generator = torch.Generator().manual_seed(seed)
    truth, noise = drawn(seed, 14, 2) + 1, 12 * torch.randn(14, 2, generator=generator)
    guess, counts, area = truth + noise, torch.arange(14) < count, 1000 + 4000 * torch.rand(1, generator=generator)
    rows = torch.cat([truth, 2.0 * counts[:, None]], 1) * counts[:, None]
    annotation = {
        "id": 1, "image_id": 1, "category_id": 1, "area": float(area), "iscrowd": 0, "bbox": [0, 0, 200, 200],
        "keypoints": rows.flatten().tolist(), "num_keypoints": count,
    }  # fmt: skip
    truths = COCO()
    truths.dataset = {"info": {}, "images": [{"id": 1}], "annotations": [annotation], "categories": [{"id": 1}]}
    truths.createIndex()
    said = torch.cat([guess, torch.ones(14, 1)], 1).flatten().tolist()
    judge = COCOeval(
        truths, truths.loadRes([{"image_id": 1, "category_id": 1, "score": 1.0, "keypoints": said}]), "keypoints"
    )
    judge.params.kpt_oks_sigmas = np.array(pose.SIGMAS)
    judge.params.imgIds, judge.params.catIds = [1], [1]
    judge._prepare()
    assert float(pose.oks(guess, truth, counts, area[0])) == pytest.approx(
        float(judge.computeOks(1, 1)[0, 0]), abs=1e-4
    )


def test_a_hip_may_be_farther_off_than_a_hand():
    truth, off = torch.zeros(14, 2), torch.tensor([10.0, 0.0])
    hip, hand = (torch.arange(14) == pose.JOINTS.index(name) for name in ("left hip", "left hand"))
    area = torch.tensor(2500.0)
    found = [float(pose.oks(truth + off, truth, counts, area)) for counts in (hip, hand)]
    theirs = [float(np.exp(-100 / (2 * 2500 * (2 * sigma) ** 2))) for sigma in (0.107, 0.062)]
    assert found == pytest.approx(theirs, rel=1e-4) and found[0] > found[1]
    assert pose.oks(truth, truth, torch.zeros(14, dtype=torch.bool), area).isnan()


@given(seed=SEEDS)
def test_a_second_look_moves_a_joint_inside_its_patch(seed):
    joints, side = drawn(seed, 2, 14, 2), drawn(seed + 1, 2) + 1
    boxes = pose.patches(joints, side)
    torch.testing.assert_close((boxes[..., :2] + boxes[..., 2:]) / 2, joints)
    torch.testing.assert_close(boxes[..., 2] - boxes[..., 0], side[:, None].expand(2, 14), rtol=1e-3, atol=1e-3)
    corner = pose.refined(joints, torch.full((2, 14, 2), 0.5), side)
    torch.testing.assert_close(corner, boxes[..., 2:])
