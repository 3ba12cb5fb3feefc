"""Ridge least squares in closed form: equal to scikit-learn's over random inputs, and the paper's rule of examples."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some
from sklearn.linear_model import Ridge

from labs import box_regression
from labs import boxes as box_lab
from labs.box_regression import PAPER_OVERLAP, PAPER_PENALTY, examples, ridge


@given(
    seed=some.integers(0, 999), count=some.integers(1, 30), features=some.integers(1, 30),
    penalty=some.sampled_from([1e-2, 1.0, 1000.0, 1e6]),
)  # fmt: skip
def test_it_is_scikit_learns_ridge_with_few_examples_and_with_many(seed, count, features, penalty):
    random = np.random.default_rng(seed)
    x, t = random.normal(size=(count, features)), random.normal(size=(count, 4))
    ours = ridge(torch.from_numpy(x), torch.from_numpy(t), penalty)
    theirs = Ridge(alpha=penalty).fit(x, t)
    np.testing.assert_allclose(ours.weights.T, theirs.coef_, atol=1e-7)
    np.testing.assert_allclose(ours(torch.from_numpy(x)), theirs.predict(x), atol=1e-7)


def test_the_larger_the_penalty_the_less_is_moved_until_only_the_mean_is_left():
    random = torch.Generator().manual_seed(0)
    x, t = torch.randn(40, 6, generator=random), torch.randn(40, 4, generator=random)
    norms = [float(ridge(x, t, penalty).weights.norm()) for penalty in (0.1, 1, 10, 1000, 1e9)]
    assert norms == sorted(norms, reverse=True) and norms[-1] < 1e-5
    torch.testing.assert_close(ridge(x, t, 1e12)(x), t.mean(0).expand(40, 4), atol=1e-5, rtol=0)


def test_examples_overlap_by_more_than_the_papers_six_tenths():
    assert (PAPER_OVERLAP, PAPER_PENALTY) == (0.6, 1000)
    truth = torch.tensor([[0.0, 0, 10, 10], [100, 0, 110, 20]])
    regions = torch.tensor([[0.0, 0, 10, 6], [0, 0, 10, 7], [100, 0, 110, 20], [50, 50, 60, 60]])
    near, t = examples(regions, truth)
    assert near.tolist() == [False, True, True, False], "0.6 itself is not above 0.6"
    torch.testing.assert_close(box_lab.decode(t, regions[near]), truth)
    assert examples(regions, torch.zeros(0, 4))[0].tolist() == [False] * 4
    assert examples(torch.zeros(0, 4), truth)[1].shape == (0, 4)


def test_what_cannot_be_is_said():
    with pytest.raises(ValueError, match="at least one example"):
        ridge(torch.zeros(0, 3), torch.zeros(0, 4), 1.0)
    with pytest.raises(ValueError, match="must be above 0, not 0"):
        ridge(torch.zeros(2, 3), torch.zeros(2, 4), 0.0)
    assert box_regression.ridge(torch.ones(1, 3), torch.ones(1, 4), 1.0)(torch.zeros(1, 3)).tolist() == [[1.0] * 4]
