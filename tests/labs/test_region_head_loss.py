"""The head's losses: torchvision's own function over random regions, and the rule's boundary."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some
from torchvision.models.detection._utils import BoxCoder, Matcher
from torchvision.models.detection.roi_heads import fastrcnn_loss

from labs import boxes, region_head_loss


def drawn(seed: int, count: int, truths: int):
    """Regions, truths near some of them, and their labels."""
    random = torch.Generator().manual_seed(seed)
    corner = 150 * torch.rand(count, 2, generator=random)
    regions = torch.cat([corner, corner + 5 + 60 * torch.rand(count, 2, generator=random)], 1)
    picks = torch.randint(count, (truths,), generator=random)
    there = regions[picks] + torch.tensor([0.0, 0, 4, 4]) * torch.rand(truths, 1, generator=random)
    return random, regions, there, torch.randint(1, 9, (truths,), generator=random)


@given(seed=some.integers(0, 999), count=some.integers(1, 30), truths=some.integers(1, 4))
def test_the_sums_are_the_losses_of_torchvision(seed, count, truths):
    random, regions, there, labels = drawn(seed, count, truths)
    label, match = region_head_loss.name(regions, there, labels)
    matched = Matcher(0.5, 0.5, allow_low_quality_matches=False)(boxes.iou_matrix(there, regions))
    assert torch.equal(label, torch.where(matched >= 0, labels[matched.clamp(min=0)], 0))
    logits = torch.randn(count, 9, generator=random)
    transforms = torch.randn(count, 9, 4, generator=random)
    ours = region_head_loss.region_losses(logits, transforms, regions, there[match], label)
    targets = BoxCoder(region_head_loss.WEIGHTS).encode([there[match]], [regions])
    theirs = fastrcnn_loss(logits, transforms.flatten(1), [label], list(targets))
    torch.testing.assert_close((ours.name.sum(), ours.move.sum()), theirs, rtol=1e-4, atol=1e-5)
    assert bool((ours.move[label == 0] == 0).all()), "background has nowhere to go"


def test_half_of_an_overlap_is_enough_and_less_is_background():
    truth, labels = torch.tensor([[0.0, 0, 10, 10]]), torch.tensor([4])
    regions = torch.tensor([[0.0, 0, 10, 5], [0, 0, 10, 4.9]])
    assert region_head_loss.name(regions, truth, labels).label.tolist() == [4, 0]
    assert region_head_loss.name(regions, truth, labels, positive=0.51).label.tolist() == [0, 0]


def test_without_truths_all_is_background_and_without_regions_nothing_is_paid():
    regions = torch.tensor([[0.0, 0, 10, 5]])
    named = region_head_loss.name(regions, torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64))
    assert named.label.tolist() == [0] and named.match.tolist() == [0]
    empty = region_head_loss.region_losses(
        torch.zeros(0, 9), torch.zeros(0, 9, 4), regions[:0], regions[:0], named.label[:0]
    )
    assert float(empty.name.sum()) == float(empty.move.sum()) == 0.0


def test_two_even_classes_cost_log_two_however_many_regions_share_it():
    box = torch.tensor([[0.0, 0, 20, 10]]).expand(4, 4)
    label = torch.zeros(4, dtype=torch.int64)
    losses = region_head_loss.region_losses(torch.zeros(4, 2), torch.zeros(4, 2, 4), box, box, label)
    assert float(losses.name.sum()) == pytest.approx(0.6931, abs=1e-4)
