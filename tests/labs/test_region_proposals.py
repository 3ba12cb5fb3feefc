"""Proposals against torchvision's RPN, and how much of the truth ranked lists cover."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.rpn import RegionProposalNetwork, RPNHead
from torchvision.ops import box_iou

from labs import region_proposals

settings.register_profile("anchors", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("anchors")


def boxes(count: int, seed: int, side: float = 100) -> torch.Tensor:
    return region_proposals.random_boxes(count, side, side, seed)


@given(st.integers(0, 10**6), st.integers(1, 40), st.floats(0.1, 0.9), st.integers(1, 30))
def test_filter_equals_torchvisions_rpn(seed, top, threshold, keep):
    generator = torch.Generator().manual_seed(seed)
    counts = [60, 25, 3]
    candidates = torch.cat([boxes(60, seed), boxes(28, seed + 1, 20)]) * 1.5 - 20  # some reach beyond the picture
    logits = torch.randn(88, generator=generator)
    both = {"training": top, "testing": top}
    rpn = RegionProposalNetwork(
        AnchorGenerator(((8,),) * 3), RPNHead(4, 3), 0.7, 0.3, 8, 0.5, both,
        {"training": keep, "testing": keep}, threshold,
    ).eval()  # fmt: skip
    theirs, scores = rpn.filter_proposals(candidates[None], logits[None], [(90, 100)], counts)
    level = torch.repeat_interleave(torch.arange(3), torch.tensor(counts))
    ours = region_proposals.filter_proposals(candidates, logits, level, (90, 100), top, threshold, keep)
    assert torch.equal(ours.boxes[ours.kept], theirs[0])
    torch.testing.assert_close(logits[ours.kept].sigmoid(), scores[0])
    assert len(ours.kept) <= min(keep, len(ours.survivors)) and len(ours.survivors) <= len(ours.top)


def test_filter_of_nothing():
    none = torch.zeros(0)
    kept = region_proposals.filter_proposals(none.reshape(0, 4), none, none.long(), (10, 10)).kept
    assert len(kept) == 0


def test_coverage_and_recall_by_hand():
    truths = torch.tensor([[0.0, 0, 10, 10], [20, 20, 40, 40]])
    ranked = torch.tensor([[0.0, 0, 5, 10], [20, 20, 40, 40], [0, 0, 10, 9]])
    covered = region_proposals.coverage(ranked, truths, 5)
    assert covered[0].tolist() == pytest.approx([0.5, 0.5, 0.9, 0.9, 0.9])
    assert covered[1].tolist() == pytest.approx([0, 1, 1, 1, 1])
    assert region_proposals.recall(covered, 0.5).tolist() == [0.5, 1, 1, 1, 1]
    assert region_proposals.recall(covered, 0.7).tolist() == [0, 0.5, 1, 1, 1]
    assert region_proposals.coverage(ranked[:0], truths, 3).tolist() == [[0, 0, 0], [0, 0, 0]]


def test_recall_without_truth_is_refused():
    with pytest.raises(ValueError, match="no truth"):
        region_proposals.recall(torch.zeros(0, 3), 0.5)


@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 60), st.floats(0, 1))
def test_recall_never_falls_and_ends_at_the_share_of_all(seed, truths, count, threshold):
    truth, ranked = boxes(truths, seed), boxes(count, seed + 1)
    curve = region_proposals.recall(region_proposals.coverage(ranked, truth, count), threshold)
    assert (curve.diff() >= 0).all()
    assert curve[-1] == (box_iou(truth, ranked).amax(1) >= threshold).float().mean()


@given(st.integers(0, 10**6), st.integers(1, 400), st.integers(1, 400))
def test_random_boxes_are_in_the_picture_and_repeatable(seed, height, width):
    found = region_proposals.random_boxes(50, height, width, seed)
    assert (found[:, :2] <= found[:, 2:]).all() and (found >= 0).all()
    assert (found[:, 2] <= width).all() and (found[:, 3] <= height).all()
    assert torch.equal(found, region_proposals.random_boxes(50, height, width, seed))


@given(st.integers(8, 300), st.integers(8, 300), st.lists(st.floats(4, 200), min_size=1, max_size=4), st.floats(0.1, 1))
def test_sliding_windows_stay_inside_and_reach_the_edges(height, width, sizes, step):
    found = region_proposals.sliding_windows(height, width, sizes, [1.0], step)
    fitting = [s for s in sizes if s <= min(height, width)]
    assert (found[:, :2] >= 0).all() and (found[:, 2:] <= torch.tensor([width, height]) + 1e-2).all()
    assert bool(len(found)) == bool(fitting)
    if fitting:
        assert found.amin(0)[:2].tolist() == [0, 0]
        torch.testing.assert_close(found.amax(0)[2:], torch.tensor([width, height]).float(), rtol=1e-4, atol=1e-2)


def test_sliding_windows_by_hand():
    """A 20 px window over 40×30 at half its side: columns 0, 10, 20 and rows 0, 10."""
    found = region_proposals.sliding_windows(30, 40, [20], [1.0], 0.5)
    assert found[:, :2].tolist() == [[0, 0], [10, 0], [20, 0], [0, 10], [10, 10], [20, 10]]
    with pytest.raises(ValueError, match="step"):
        region_proposals.sliding_windows(30, 40, [20], [1.0], 0)
