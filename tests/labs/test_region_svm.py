"""R-CNN's SVMs: the paper's thresholds to the letter, margins as scikit-learn has them, which negatives are hard."""

import numpy as np
import pytest
import torch
from sklearn.svm import LinearSVC

from labs.region_svm import NEGATIVE, POSITIVE, hard, hinge, label_regions, margins

TRUTH = torch.tensor([[0.0, 0, 10, 10]])


@pytest.mark.parametrize(
    ("height", "label"), [(10.0, 1), (9.99, 0), (5.0, 0), (3.0, 0), (2.99, -1), (0.5, -1)]
)  # fmt: skip
def test_only_the_true_box_is_positive_and_below_three_tenths_is_negative(height, label):
    assert (POSITIVE, NEGATIVE) == (1.0, 0.3)
    region = torch.tensor([[0.0, 0, 10, height]])
    assert label_regions(region.double(), TRUTH.double()).item() == label


def test_the_fine_tunings_threshold_and_the_best_of_several_things():
    regions = torch.tensor([[0.0, 0, 10, 5], [0, 0, 10, 4], [20, 0, 30, 9]])
    assert label_regions(regions, TRUTH, positive=0.5).tolist() == [1, 0, -1]
    both = torch.cat([TRUTH, torch.tensor([[20.0, 0, 30, 10]])])
    assert label_regions(regions, both, positive=0.5).tolist() == [1, 0, 1]
    assert label_regions(regions, torch.zeros(0, 4)).tolist() == [-1, -1, -1], "without a thing all are negative"
    assert label_regions(torch.zeros(0, 4), TRUTH).shape == (0,)
    with pytest.raises(ValueError, match=r"Positive regions start at an IoU of 0\.2, below"):
        label_regions(regions, TRUTH, positive=0.2)


def test_margins_are_scikit_learns_decision_function():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(60, 5)), random.integers(0, 2, 60)
    svm = LinearSVC(random_state=0).fit(x, y)
    ours = margins(torch.from_numpy(x), torch.from_numpy(svm.coef_), torch.from_numpy(svm.intercept_))
    np.testing.assert_allclose(ours[:, 0], svm.decision_function(x), atol=1e-12)


def test_negatives_beyond_the_margin_cost_nothing_and_are_not_hard():
    margin = torch.tensor([-1.0, -0.99, 0.0, 3.0, -5.0, 0.2])
    label = torch.tensor([-1, -1, -1, -1, -1, 1])
    torch.testing.assert_close(hinge(margin, label), torch.tensor([0.0, 0.01, 1.0, 4.0, 0.0, 0.8]))
    assert hard(margin, label).tolist() == [3, 2, 1]
    assert hard(margin, torch.zeros(6, dtype=torch.int64)).tolist() == [], "what is left out is not asked"
