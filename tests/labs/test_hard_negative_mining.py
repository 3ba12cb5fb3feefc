"""Hard negative mining and the loss of SSD against torchvision's own."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
from torchvision.models.detection.ssd import SSD
from torchvision.ops import box_iou

from labs import default_boxes, region_proposals
from labs.hard_negative_mining import hardest_negatives, multibox_loss

settings.register_profile("ssd", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ssd")


class _Trunk(torch.nn.Module):
    out_channels = (4,)


@pytest.fixture(scope="module")
def network() -> SSD:
    """torchvision's SSD, of which only the loss is asked."""
    return SSD(_Trunk(), DefaultBoxGenerator([[2]], scales=[0.3, 0.6]), (100, 100), 5)


@given(seed=some.integers(0, 999), things=some.integers(1, 5))
def test_the_loss_is_torchvisions(network, seed, things):
    random = torch.Generator().manual_seed(seed)
    defaults = region_proposals.random_boxes(80, 100, 100, seed)
    truths = region_proposals.random_boxes(things, 100, 100, seed + 5000)
    labels = torch.randint(1, 5, (things,), generator=random)
    logits = 3 * torch.randn(80, 5, generator=random)
    transforms = torch.randn(80, 4, generator=random)
    owner = default_boxes.match(box_iou(truths, defaults)).owner
    found = multibox_loss(logits, transforms, defaults, owner, truths, labels)
    head = {"bbox_regression": transforms[None], "cls_logits": logits[None]}
    theirs = network.compute_loss([{"boxes": truths, "labels": labels}], head, [defaults], [owner])
    positives = found.positive.sum()
    if 4 * positives > 80:  # torchvision then counts positives twice, for want of negatives
        return
    counted = found.positive | found.negative
    torch.testing.assert_close(found.classes[counted].sum() / positives, theirs["classification"])
    torch.testing.assert_close(found.moves.sum() / positives, theirs["bbox_regression"])
    torch.testing.assert_close(found.total, theirs["classification"] + theirs["bbox_regression"])


@given(seed=some.integers(0, 999), ratio=some.floats(0, 6))
def test_three_times_as_many_as_positives_and_none_is_easier_than_a_dropped_one(seed, ratio):
    random = torch.Generator().manual_seed(seed)
    losses, positive = torch.rand(50, generator=random), torch.rand(50, generator=random) < 0.1
    kept = hardest_negatives(losses, positive, ratio)
    assert not (kept & positive).any()
    wanted = min(-int(-ratio * positive.sum() // 1), int((~positive).sum()))
    assert int(kept.sum()) == wanted
    dropped = ~kept & ~positive
    if kept.any() and dropped.any():
        assert losses[kept].min() >= losses[dropped].max()


def test_of_equal_losses_the_first_boxes_stay():
    kept = hardest_negatives(torch.ones(6), torch.tensor([1, 0, 0, 0, 0, 0]).bool(), 3)
    assert kept.tolist() == [False, True, True, True, False, False]


def test_where_negatives_run_out_no_positive_is_counted_among_them():
    kept = hardest_negatives(torch.tensor([0.5, 0.9, 0.1, 0.7]), torch.tensor([1, 1, 0, 1]).bool(), 3)
    assert kept.tolist() == [False, False, True, False]


def test_without_positives_there_is_no_loss():
    found = multibox_loss(
        torch.randn(4, 3), torch.randn(4, 4), torch.tensor([[0.0, 0, 8, 8]] * 4), torch.full((4,), -1),
        torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64),
    )  # fmt: skip
    assert not found.negative.any() and float(found.total) == 0 and bool((found.classes > 0).all())


def test_a_negative_ratio_is_refused():
    with pytest.raises(ValueError, match="0 negatives or more"):
        hardest_negatives(torch.ones(2), torch.zeros(2).bool(), -1)


def test_the_hardest_are_chosen_without_a_gradient_and_the_loss_has_one():
    logits = torch.randn(6, 3, requires_grad=True)
    transforms = torch.randn(6, 4, requires_grad=True)
    box = torch.tensor([[0.0, 0, 8, 8]])
    owner = torch.tensor([0, -1, -1, -1, -1, -1])
    found = multibox_loss(logits, transforms, box.repeat(6, 1), owner, box, torch.tensor([1]), 2)
    found.total.backward()
    reached = logits.grad.abs().sum(1) > 0
    assert torch.equal(reached, found.positive | found.negative)
    assert torch.equal(transforms.grad.abs().sum(1) > 0, found.positive)
