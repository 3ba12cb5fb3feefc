"""The focal loss: the paper's ratios, torchvision's loss, a gradient that never breaks, and who is asked."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some
from torchvision.ops import sigmoid_focal_loss

from labs import focal_loss, region_proposal_loss
from labs.focal_loss import (
    cumulative_share,
    down_weighted,
    outputs,
    prior_bias,
    sampled,
    wanted,
)


@given(seed=some.integers(0, 999), gamma=some.floats(0, 5), alpha=some.floats(0, 1), scale=some.floats(0.1, 12))
def test_it_is_torchvisions(seed, gamma, alpha, scale):
    random = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(40, 8, generator=random, dtype=torch.float64)
    targets = torch.rand(40, 8, generator=random) < 0.3
    theirs = sigmoid_focal_loss(logits, targets.double(), alpha, gamma)
    torch.testing.assert_close(focal_loss.focal_loss(logits, targets, gamma, alpha), theirs)
    unweighted = sigmoid_focal_loss(logits, targets.double(), -1, gamma)
    torch.testing.assert_close(focal_loss.focal_loss(logits, targets, gamma, None), unweighted)


@pytest.mark.parametrize(("p", "times"), [(0.5, 4), (0.9, 100), (0.968, 977)])
def test_ratios_of_the_lecture(p, times):
    assert round(float(down_weighted(torch.tensor(p, dtype=torch.float64), 2))) == times
    logit = torch.tensor([math.log(p / (1 - p))], dtype=torch.float64)
    yes = torch.tensor([True])
    entropy, focal = (focal_loss.focal_loss(logit, yes, gamma, None) for gamma in (0.0, 2.0))
    assert float(entropy) == pytest.approx(-math.log(p)) and round(float(entropy / focal)) == times


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
def test_neither_loss_nor_gradient_breaks_where_the_answer_is_certain(gamma):
    logits = torch.tensor([200.0, -200.0, 200.0, -200.0], requires_grad=True)
    loss = focal_loss.focal_loss(logits, torch.tensor([True, True, False, False]), gamma, 0.25)
    loss.sum().backward()
    loss = loss.detach()
    assert loss[0] == 0 and loss[3] == 0
    assert loss[1] == pytest.approx(50.0) and loss[2] == pytest.approx(150.0)
    assert logits.grad is not None and torch.isfinite(logits.grad).all()


@pytest.mark.parametrize(("gamma", "alpha"), [(-0.1, 0.25), (2, -0.01), (2, 1.01)])
def test_nonsense_is_refused(gamma, alpha):
    with pytest.raises(ValueError, match="γ starts at 0"):
        focal_loss.focal_loss(torch.zeros(1), torch.tensor([True]), gamma, alpha)


def test_alpha_at_its_ends_forgets_one_side():
    both = torch.tensor([True, False])
    assert focal_loss.focal_loss(torch.zeros(2), both, 0.0, 0.0).tolist() == pytest.approx([0, math.log(2)])
    assert focal_loss.focal_loss(torch.zeros(2), both, 0.0, 1.0).tolist() == pytest.approx([math.log(2), 0])


@given(prior=some.floats(0.001, 0.999))
def test_the_bias_says_the_prior(prior):
    assert float(torch.sigmoid(torch.tensor(prior_bias(prior)))) == pytest.approx(prior, rel=1e-4)


@pytest.mark.parametrize("prior", [0.0, 1.0, -1.0, 2.0])
def test_a_prior_that_no_sigmoid_can_say(prior):
    with pytest.raises(ValueError, match="between 0 and 1"):
        prior_bias(prior)
    assert prior_bias(0.5) == 0


def test_ignored_and_negative_anchors_are_asked_for_nothing():
    right = wanted(torch.tensor([-2, 1, -1, 0]), torch.tensor([7, 0]), 8)
    assert right.nonzero().tolist() == [[1, 0], [3, 7]]
    assert not wanted(torch.tensor([-1, -1]), torch.zeros(0, dtype=torch.int64), 8).any()


@given(seed=some.integers(0, 99), negatives=some.integers(1, 5))
def test_a_sample_holds_all_positives_and_so_many_negatives(seed, negatives):
    random = torch.Generator().manual_seed(seed)
    match = torch.randint(-2, 3, (400,), generator=random)
    match[torch.rand(400, generator=random) < 0.8] = -1
    drawn = sampled(match, negatives, seed)
    positives = int((match >= 0).sum())
    assert drawn[match >= 0].all() and not drawn[match == -2].any()
    assert int(drawn[match == -1].sum()) == min(negatives * positives, int((match == -1).sum()))
    assert torch.equal(drawn, sampled(match, negatives, seed))
    label = torch.where(match >= 0, 1, torch.where(match == -1, 0, -1))
    theirs = region_proposal_loss.draw_batch(label, (1 + negatives) * positives, 1 / (1 + negatives), seed)
    assert abs(len(theirs) - int(drawn.sum())) <= 1, "as many as the RPN's rule draws"


def test_without_a_thing_some_negatives_are_still_drawn():
    assert int(sampled(torch.full((50,), -1), 3, 0).sum()) == 3
    assert int(sampled(torch.tensor([-1, -2]), 3, 0).sum()) == 1
    assert not torch.equal(sampled(torch.full((50,), -1), 3, 0), sampled(torch.full((50,), -1), 3, 1))


def test_shares_are_of_the_easiest_first():
    losses, difficulty = torch.tensor([4.0, 1.0, 3.0, 2.0]), torch.tensor([3.0, 0.0, 2.0, 1.0])
    assert cumulative_share(losses, difficulty).tolist() == pytest.approx([0.1, 0.3, 0.6, 1.0])
    assert cumulative_share(torch.zeros(3), torch.arange(3.0)).tolist() == [0, 0, 0]
    assert cumulative_share(torch.zeros(0), torch.zeros(0)).tolist() == []


def test_sizes_of_the_outputs():
    """COCO's 80 classes and the paper's 9 anchors: K·A = 720 maps; a softmax with background would need 729."""
    assert outputs(224, 224, 8, 9, 80) == (28, 28, 720, 36)
    assert outputs(224, 224, 8, 9, 80, background=True) == (28, 28, 729, 36)
    assert outputs(225, 224, 32, 1, 1) == (8, 7, 1, 4)
    assert outputs(224, 224, 8, 6, 8).numbers == 28 * 28 * 72
    with pytest.raises(ValueError, match="start at 1"):
        outputs(224, 224, 8, 0, 80)
