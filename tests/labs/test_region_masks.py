"""Masks of regions: cutting, pasting and loss are torchvision's, the exact way is Detectron2's, over random inputs."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as some
from torchvision.models.detection.roi_heads import maskrcnn_loss, paste_masks_in_image, project_masks_on_boxes

from labs import region_masks as rm

HEIGHT, WIDTH = 40, 52
few = settings(max_examples=40, deadline=None)


def boxes(random: torch.Generator, count: int, outside: float = 8.0) -> torch.Tensor:
    """Boxes that touch the picture, some of them partly outside."""
    low = torch.rand(count, 2, generator=random) * torch.tensor([WIDTH - 2.0, HEIGHT - 2.0]) - outside * (
        torch.rand(count, 2, generator=random) < 0.3
    )
    return torch.cat([low, low.clamp(min=0) + 1 + torch.rand(count, 2, generator=random) * 30], 1)


@few
@given(seed=some.integers(0, 9999), size=some.sampled_from([1, 7, 14, 28]))
def test_targets_are_cut_as_torchvision_cuts_them(seed, size):
    random = torch.Generator().manual_seed(seed)
    masks, where = (torch.rand(3, HEIGHT, WIDTH, generator=random) > 0.5).float(), boxes(random, 3)
    theirs = project_masks_on_boxes(masks, where, torch.arange(3), size)
    torch.testing.assert_close(rm.targets(masks, where, size), theirs, atol=1e-4, rtol=1e-4)


def test_no_region_has_no_target():
    assert rm.targets(torch.zeros(0, 8, 8), torch.zeros(0, 4)).shape == (0, 28, 28)


@few
@given(seed=some.integers(0, 9999), size=some.sampled_from([1, 2, 14, 28]))
def test_masks_are_pasted_as_torchvision_pastes_them(seed, size):
    random = torch.Generator().manual_seed(seed)
    masks, where = torch.rand(3, size, size, generator=random), boxes(random, 3)
    theirs = paste_masks_in_image(masks[:, None], where, (HEIGHT, WIDTH))[:, 0]
    ours = torch.stack([rm.paste(mask, box, (HEIGHT, WIDTH)) for mask, box in zip(masks, where, strict=True)])
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("box", [(-90.0, -90, -60, -60), (100.0, 5, 120, 9), (5.0, 200, 9, 220)])
def test_a_box_outside_the_picture_paints_nothing(box):
    assert not rm.paste(torch.ones(28, 28), torch.tensor(box), (HEIGHT, WIDTH)).any()


@few
@given(seed=some.integers(0, 9999), size=some.sampled_from([2, 14, 28]))
def test_without_rounding_a_mask_is_pasted_as_grid_sample_does(seed, size):
    random = torch.Generator().manual_seed(seed)
    mask, box = torch.rand(size, size, generator=random), boxes(random, 1)[0]
    y = (torch.arange(HEIGHT) + 0.5 - box[1]) / (box[3] - box[1]) * 2 - 1
    x = (torch.arange(WIDTH) + 0.5 - box[0]) / (box[2] - box[0]) * 2 - 1
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)[None]
    theirs = F.grid_sample(mask[None, None], grid, align_corners=False)[0, 0]
    torch.testing.assert_close(rm.paste_exactly(mask, box, (HEIGHT, WIDTH)), theirs, atol=2e-4, rtol=1e-4)


def test_without_rounding_a_mask_comes_back_where_it_was_cut_and_with_whole_pixels_it_does_not():
    truth = torch.zeros(1, 32, 32)
    truth[0, 9:20, 6:23] = 1
    box = torch.tensor([6.0, 9, 23, 20])
    exact = rm.paste_exactly(rm.targets(truth, box[None], 28, aligned=True)[0], box, (32, 32))
    assert rm.mask_iou(rm.above(exact, 0.5), truth[0].bool()) == 1
    whole = rm.paste(rm.targets(truth, box[None], 28)[0], box, (32, 32))
    assert rm.mask_iou(rm.above(whole, 0.5), truth[0].bool()) < 1


@few
@given(seed=some.integers(0, 9999))
def test_the_mean_of_the_sigmoid_losses_is_that_of_torchvision(seed):
    random = torch.Generator().manual_seed(seed)
    masks, where = (torch.rand(4, HEIGHT, WIDTH, generator=random) > 0.5).float(), boxes(random, 4)
    labels, logits = torch.randint(9, (4,), generator=random), 8 * torch.randn(4, 9, 28, 28, generator=random)
    theirs = maskrcnn_loss(logits, [where], [masks], [labels], [torch.arange(4)])
    ours = rm.sigmoid_losses(logits, labels, rm.targets(masks, where)).mean()
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)


@few
@given(seed=some.integers(0, 9999))
def test_the_softmax_losses_are_the_librarys_cross_entropy(seed):
    random = torch.Generator().manual_seed(seed)
    logits, labels = 8 * torch.randn(3, 5, 4, 4, generator=random), torch.randint(1, 5, (3,), generator=random)
    hard = (torch.rand(3, 4, 4, generator=random) > 0.5).float()
    classes = torch.where(hard > 0, labels[:, None, None], 0)
    theirs = F.cross_entropy(logits, classes, reduction="none")
    torch.testing.assert_close(rm.softmax_losses(logits, labels, hard), theirs, atol=1e-5, rtol=1e-4)
    half = rm.softmax_losses(logits, labels, torch.full_like(hard, 0.5))
    both = rm.softmax_losses(logits, labels, torch.ones_like(hard)), rm.softmax_losses(logits, labels, 0 * hard)
    torch.testing.assert_close(half, sum(both) / 2)
    torch.testing.assert_close(rm.softmax_log_odds(logits).sigmoid(), logits.softmax(1), atol=1e-5, rtol=1e-4)


@given(cells=some.integers(1, 40), pixels=some.integers(1, 60))
def test_a_pixel_blends_two_neighbours_as_interpolate_does(cells, pixels):
    weights = rm.resizing(cells, pixels)
    theirs = F.interpolate(torch.eye(cells)[None], pixels, mode="linear", align_corners=False)[0].T
    torch.testing.assert_close(weights, theirs, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(weights.sum(1), torch.ones(pixels))
    assert int((weights > 0).sum(1).max()) <= 2


def test_the_box_grows_by_the_empty_cells_and_is_one_pixel_larger():
    there = rm.pasting(torch.tensor([28.0, 56.0, 56.0, 112.0]))
    assert there.box == (27, 54, 57, 114)  # a cell is 1 x 2 pixels; 27 to 57, both painted
    assert there.rows.shape == (61, 30) and there.columns.shape == (31, 30)
    assert rm.pasting(torch.tensor([5.0, 5, 5, 5])).box == (5, 5, 5, 5)
    assert rm.pasting(torch.tensor([-2.9, 0.9, 3.0, 3.0]), size=2).box == (-5, 0, 5, 4), "rounded towards 0"


def test_the_threshold_itself_is_in_the_mask():
    assert rm.above(torch.tensor([0.5, 0.4999]), 0.5).tolist() == [True, False]
    assert rm.above(torch.zeros(2), 0.0).all() and not rm.above(torch.full((2,), 0.999), 1.0).any()


def test_iou_of_masks_with_nothing_and_of_equals():
    none, some_pixels = torch.zeros(2, 2, dtype=torch.bool), torch.tensor([[True, False], [False, False]])
    assert rm.mask_iou(none, none) == 0 and rm.mask_iou(none, some_pixels) == 0
    assert rm.mask_iou(some_pixels, some_pixels) == 1


def test_distances_to_the_edge():
    row = torch.tensor([[False, False, True, True, True]])
    assert rm.to_edge(row).tolist() == [[1.5, 0.5, 0.5, 1.5, 2.5]]
    assert rm.to_edge(torch.zeros(2, 2, dtype=torch.bool)).isinf().all()
    assert rm.to_edge(torch.ones(2, 2, dtype=torch.bool)).isinf().all()
    assert rm.wrong_by_distance(row, row, [1.0]).tolist() == [0.0], "nothing is wrong"
    found = torch.tensor([[True, False, True, True, True]])
    assert rm.wrong_by_distance(found, row, [1.0, 1.5]).tolist() == [0.0, 1.0]
