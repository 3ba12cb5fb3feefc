"""SVMs and regressors as plain tensors, and what NMS leaves of the regions that they speak for."""

import torch
from torch import nn

from labs import boxes as box_lab
from models.networks.region_svm import MOST, RegionSvms, survivors
from scenes import THINGS


def test_margins_and_transforms_are_linear_in_the_scaled_features():
    torch.manual_seed(0)
    head, features = RegionSvms(6).requires_grad_(False), torch.randn(5, 6)
    head.scale.fill_(0.5)
    margins, transforms = head(features)
    torch.testing.assert_close(margins, nn.functional.linear(features / 2, head.svms.weight, head.svms.bias))
    whole = nn.functional.linear(features / 2, head.regressors.weight, head.regressors.bias)
    assert transforms.shape == (5, 8, 4)
    torch.testing.assert_close(transforms[:, 3], whole[:, 12:16])


def said(*margins: tuple[int, int, float], count: int) -> torch.Tensor:
    """Margins (count, 8), all far below, but for those given as (region, class, margin)."""
    found = torch.full((count, len(THINGS)), -5.0)
    for region, category, margin in margins:
        found[region, category] = margin
    return found


def test_regions_are_moved_by_the_regressor_of_their_class_and_cut_to_the_picture():
    boxes = torch.tensor([[10.0, 10, 30, 30], [190, 190, 220, 220]])
    transforms = torch.zeros(2, len(THINGS), 4)
    transforms[0, 2] = torch.tensor([0.1, 0, 0, 0])
    transforms[0, 4] = torch.tensor([0.0, 0.2, 0, 0])
    transforms[1, 2] = torch.tensor([0.5, 0, 0, 0])
    found, labels, scores, regions = survivors(boxes, said((0, 2, 1.5), (0, 4, 0.5), (1, 2, 2.0), count=2), transforms,
                                               (224, 224))  # fmt: skip
    assert scores.tolist() == [2.0, 1.5, 0.5] and labels.tolist() == [3, 3, 5] and regions.tolist() == [1, 0, 0]
    assert found.tolist() == [[205, 190, 224, 220], [12, 10, 32, 30], [10, 14, 30, 34]]


def test_nms_is_within_a_class_above_three_tenths_and_what_is_surely_no_is_left_out():
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 4], [0, 0, 10, 2.9], [50, 50, 60, 60]])
    still = torch.zeros(4, len(THINGS), 4)
    everywhere = said((0, 0, 1.0), (1, 0, 0.9), (2, 0, 0.8), (1, 1, 0.7), (3, 0, -1.0), count=4)
    _, labels, _scores, regions = survivors(boxes, everywhere, still, (100, 100))
    assert regions.tolist() == [0, 2, 1] and labels.tolist() == [1, 1, 2]
    assert survivors(boxes, everywhere, still, (100, 100), lowest=0.95)[3].tolist() == [0]
    nothing = survivors(torch.zeros(0, 4), torch.zeros(0, 8), torch.zeros(0, 8, 4), (100, 100))
    assert [len(each) for each in nothing] == [0, 0, 0, 0]


def test_no_more_than_the_best_hundred_are_left():
    grid = torch.tensor([[20.0 * x, 20 * y, 20 * x + 10, 20 * y + 10] for x in range(11) for y in range(11)])
    margins = said(*((i, 0, i / 100) for i in range(121)), count=121)
    found, _, _scores, regions = survivors(grid, margins, torch.zeros(121, 8, 4), (224, 224))
    assert len(found) == MOST == 100 and regions.tolist() == list(range(120, 20, -1))
    torch.testing.assert_close(box_lab.area(found), torch.full((100,), 100.0))
