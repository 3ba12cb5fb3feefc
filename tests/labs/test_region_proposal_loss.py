"""The mini-batch and the loss of an anchor are torchvision's."""

import pytest
import torch
from torchvision.models.detection._utils import BalancedPositiveNegativeSampler
from torchvision.models.detection.rpn import RegionProposalNetwork

from labs import region_proposal_loss as rpl
from labs.boxes import encode


@pytest.mark.parametrize(("positives", "negatives"), [(3, 500), (200, 500), (80, 20), (0, 300), (5, 0)])
def test_a_batch_has_as_many_of_each_as_torchvisions(positives, negatives):
    label = torch.tensor([1] * positives + [0] * negatives + [-1] * 40)[torch.randperm(positives + negatives + 40)]
    drawn = rpl.draw_batch(label, 128, 0.5, seed=1)
    plus, minus = BalancedPositiveNegativeSampler(128, 0.5)([label.float()])
    assert (label[drawn] == 1).sum() == plus[0].sum() and (label[drawn] == 0).sum() == minus[0].sum()
    assert len(drawn.unique()) == len(drawn) and (label[drawn] >= 0).all()


def test_the_same_seed_draws_the_same():
    label = torch.tensor([1, 0] * 200)
    assert torch.equal(rpl.draw_batch(label, 64, 0.5, 3), rpl.draw_batch(label, 64, 0.5, 3))
    assert not torch.equal(rpl.draw_batch(label, 64, 0.5, 3), rpl.draw_batch(label, 64, 0.5, 4))


@pytest.mark.parametrize(("count", "share"), [(0, 0.5), (8, -0.1), (8, 1.1)])
def test_an_impossible_batch_is_refused(count, share):
    with pytest.raises(ValueError, match="mini-batch"):
        rpl.draw_batch(torch.zeros(4, dtype=torch.int64), count, share, 0)


def test_the_losses_of_a_batch_add_up_to_torchvisions():
    generator = torch.Generator().manual_seed(0)
    corners = torch.rand(12, 2, generator=generator) * 100
    anchors = torch.cat([corners, corners + 10 + torch.rand(12, 2, generator=generator) * 40], 1)
    truths = anchors + torch.randn(12, 4, generator=generator) * 3
    logits, moves = torch.randn(12, generator=generator) * 4, torch.randn(12, 4, generator=generator) * 0.2
    label = torch.tensor([1, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0, 0])
    proposer = RegionProposalNetwork(None, None, 0.7, 0.3, 64, 0.5, {}, {}, 0.7)
    theirs = proposer.compute_loss(logits[:, None], moves, [label.float()], [encode(truths, anchors)])
    own = [rpl.anchor_loss(logits[i], moves[i], anchors[i], truths[i], int(label[i])) for i in range(12)]
    assert sum(float(each.objectness) for each in own) / 12 == pytest.approx(float(theirs[0]), rel=1e-5)
    assert sum(float(each.move) for each in own) / 12 == pytest.approx(float(theirs[1]), rel=1e-5)


def test_an_ignored_anchor_costs_nothing():
    box = torch.tensor([0.0, 0, 8, 8])
    found = rpl.anchor_loss(torch.tensor(3.0), torch.ones(4), box, box + 2, label=-1)
    assert found.objectness == 0 and found.move == 0 and found.target.tolist() == [0.25, 0.25, 0, 0]
    with pytest.raises(ValueError, match="positive"):
        rpl.anchor_loss(torch.tensor(3.0), torch.ones(4), box, box, label=2)
