"""Joints as heat maps: torchvision's targets, loss and decoding as the oracle, and the rules at their boundaries."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from torchvision.models.detection import roi_heads as theirs

from labs import keypoint_heat_maps as lab

BOX = torch.tensor([[10.0, 20.0, 66.0, 132.0]])  # 56 x 112 pixels


def joints_of(*places: tuple[float, float, float]) -> torch.Tensor:
    return torch.tensor([places])


def at(x: int, y: int, side: int = 56) -> int:
    return y * side + x


@pytest.mark.parametrize(
    ("joint", "place"),
    [
        ((10.0, 20.0, 2.0), at(0, 0)),
        ((10.99, 21.99, 2.0), at(0, 0)),
        ((11.0, 22.0, 2.0), at(1, 1)),
        ((66.0, 132.0, 2.0), at(55, 55)),  # on the edge: the last cell
        ((65.99, 20.0, 1.0), at(55, 0)),  # hidden counts too
        ((66.01, 30.0, 2.0), None),
        ((9.99, 30.0, 2.0), None),
        ((30.0, 19.99, 2.0), None),
        ((30.0, 132.01, 2.0), None),
        ((30.0, 30.0, 0.0), None),
    ],
)
def test_a_joint_lies_in_one_cell_or_does_not_count(joint, place):
    aim = lab.targets(joints_of(joint), BOX, 56)
    assert bool(aim.count) == (place is not None)
    assert int(aim.places) == (place or 0)
    masks = lab.one_hot(aim, 56)[0, 0]
    assert masks.sum() == (place is not None)
    if place is not None:
        assert masks.flatten()[place] == 1


@pytest.mark.parametrize("box", [[10.0, 20, 10, 40], [10.0, 20, 40, 20], [40.0, 20, 10, 60]])
def test_a_box_without_area_has_no_grid(box):
    with pytest.raises(ValueError, match="above 0"):
        lab.targets(joints_of((10.0, 20.0, 2.0)), torch.tensor([box]), 56)


def test_a_map_that_knows_nothing_costs_the_logarithm_of_its_places():
    aim = lab.targets(joints_of((30.0, 30.0, 2.0)), BOX, 56)
    assert float(lab.loss(torch.zeros(1, 1, 56, 56), aim)) == pytest.approx(math.log(56 * 56), abs=1e-5)  # 8.05
    assert float(lab.loss(torch.where(lab.one_hot(aim, 56) > 0, 50.0, 0.0), aim)) == pytest.approx(0, abs=1e-5)


def test_no_joint_that_counts_costs_nothing_and_has_a_gradient():
    logits = torch.randn(1, 2, 8, 8, requires_grad=True)
    nothing = lab.loss(logits, lab.targets(joints_of((0.0, 0.0, 2.0), (30.0, 30.0, 0.0)), BOX, 8))
    nothing.backward()
    assert nothing.item() == 0 and not logits.grad.any()


@given(seed=some.integers(0, 9999), side=some.sampled_from([7, 14, 56]), persons=some.integers(0, 4))
@settings(deadline=None, max_examples=40)
def test_targets_and_loss_are_torchvisions(seed, side, persons):
    random = torch.Generator().manual_seed(seed)
    low = 100 * torch.rand(persons, 2, generator=random)
    boxes = torch.cat([low, low + 1 + 100 * torch.rand(persons, 2, generator=random)], 1)
    share = 1.3 * torch.rand(persons, 14, 2, generator=random) - 0.15
    share[:, 0] = 1.0  # on the far corner
    at = boxes[:, None, :2] + share * (boxes[:, None, 2:] - boxes[:, None, :2])
    at[:, 0] = boxes[:, 2:]
    joints = torch.cat([at, torch.randint(3, (persons, 14, 1), generator=random).float()], -1)
    aim = lab.targets(joints, boxes, side)
    places, valid = theirs.keypoints_to_heatmap(joints, boxes, side)
    assert torch.equal(aim.places, places) and torch.equal(aim.count.long(), valid)
    logits = 5 * torch.randn(persons, 14, side, side, generator=random)
    expected = theirs.keypointrcnn_loss(logits, [boxes], [joints], [torch.arange(persons)])
    torch.testing.assert_close(lab.loss(logits, aim), expected)


@given(seed=some.integers(0, 9999))
@settings(deadline=None, max_examples=25)
def test_the_enlarged_map_is_read_as_torchvision_reads_it(seed):
    random = torch.Generator().manual_seed(seed)
    low = 100 * torch.rand(2, generator=random)
    box = torch.cat([low, low + 0.4 + 90 * torch.rand(2, generator=random)])  # also under one pixel
    logits = torch.randn(5, 28, 28, generator=random)
    found, _ = theirs.heatmaps_to_keypoints(logits[None], box[None])
    torch.testing.assert_close(lab.enlarged_best(logits, box), found[0, :, :2])


def test_the_best_cell_is_named_by_its_middle_and_the_first_of_equals_wins():
    logits = torch.zeros(2, 3, 4)
    logits[0, 2, 3] = 1
    assert lab.best_cells(logits).tolist() == [[3.5, 2.5], [0.5, 0.5]]
    assert lab.in_picture(lab.best_cells(logits)[:1], BOX[0], (3, 4)).tolist() == [
        [pytest.approx(10 + 3.5 * 14), pytest.approx(20 + 2.5 * 112 / 3)]
    ]


@pytest.mark.parametrize(
    ("row", "x"), [([1.0, 4, 3], 1.75), ([3.0, 4, 1], 1.25), ([2.0, 4, 2], 1.5), ([4.0, 3, 0], 0.5), ([0.0, 3, 4], 2.5)]
)
def test_a_quarter_towards_the_larger_neighbour(row, x):
    line = torch.tensor([[row]])
    assert lab.quarter_shifted(line)[0].tolist() == [x, 0.5]
    assert lab.quarter_shifted(line.transpose(1, 2))[0].tolist() == [0.5, x]


@given(seed=some.integers(0, 999))
@settings(deadline=None, max_examples=20)
def test_the_mean_place_follows_the_probabilities(seed):
    logits = 3 * torch.randn(4, 6, 5, generator=torch.Generator().manual_seed(seed))
    shares = lab.probabilities(logits)
    torch.testing.assert_close(shares.sum((-2, -1)), torch.ones(4))
    rows, columns = torch.meshgrid(torch.arange(6) + 0.5, torch.arange(5) + 0.5, indexing="ij")
    expected = torch.stack([(shares * columns).sum((1, 2)), (shares * rows).sum((1, 2))], 1)
    torch.testing.assert_close(lab.mean_place(logits), expected)
    sure = torch.full((1, 6, 5), -1e4)
    sure[0, 4, 2] = 0
    assert lab.mean_place(sure)[0].tolist() == [2.5, 4.5]
