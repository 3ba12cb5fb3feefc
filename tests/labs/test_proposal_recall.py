"""Precision and best overlap of proposals: literal values, and both edges of the threshold."""

import pytest
import torch

from labs import proposal_recall

TRUTHS = torch.tensor([[0.0, 0, 10, 10], [20, 20, 30, 40]])


def test_each_proposal_counts_with_the_thing_that_it_fits_best():
    proposals = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 5], [20, 20, 30, 30], [50, 50, 60, 60]])
    overlaps = proposal_recall.best_overlaps(proposals, TRUTHS)
    assert overlaps.tolist() == [1.0, 0.5, 0.5, 0.0]
    assert proposal_recall.precision(overlaps, 0.5) == 0.75, "as much as the threshold is enough"
    assert proposal_recall.precision(overlaps, 0.51) == 0.25
    assert proposal_recall.precision(overlaps, 0.0) == 1


def test_without_things_nothing_fits():
    assert proposal_recall.best_overlaps(TRUTHS, TRUTHS[:0]).tolist() == [0, 0]
    assert proposal_recall.precision(torch.zeros(3), 0.5) == 0
    with pytest.raises(ValueError, match="no precision"):
        proposal_recall.precision(torch.zeros(0), 0.5)


def test_classes_count_alike_however_many_things_they_have():
    best, labels = torch.tensor([1.0, 1.0, 1.0, 0.5]), torch.tensor([3, 3, 3, 8])
    assert proposal_recall.mean_average_best_overlap(best, labels) == 0.75
    with pytest.raises(ValueError, match="no overlap is the best"):
        proposal_recall.mean_average_best_overlap(best[:0], labels[:0])
