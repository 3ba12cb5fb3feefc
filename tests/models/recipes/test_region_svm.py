"""What SVMs and regressors learn from: the labels of regions for every class, which regions are kept, and the fit."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.svm import LinearSVC

from models.networks.region_svm import RegionSvms
from models.recipes.region_svm import (
    NORM,
    Examples,
    Rules,
    chosen,
    fit_regressors,
    fit_svms,
    hard_ones,
    labelled,
    together,
    truths,
)  # fmt: skip
from models.recipes.scene_cache import InstanceRecord
from scenes import THINGS

CAR, CAT = THINGS.index("car"), THINGS.index("cat")


def record(name: str, box: list[float], visible: float = 1.0) -> InstanceRecord:
    return InstanceRecord(1, THINGS.index(name) + 1, box, visible, [])


def test_a_true_box_is_positive_for_its_class_and_negative_for_the_others():
    records = [record("car", [0.0, 0, 40, 40]), record("cat", [100.0, 100, 140, 140])]
    regions = torch.tensor([[0.0, 0, 40, 40], [0, 0, 40, 30], [100, 100, 140, 108], [160, 0, 200, 40]])
    labels, transforms = labelled(regions, records, Rules())
    assert labels[:, CAR].tolist() == [1, 0, -1, -1] and labels[:, CAT].tolist() == [-1, -1, -1, -1]
    near = ~transforms[:, :, 0].isnan()
    assert near[:, CAR].tolist() == [True, True, False, False] and not near[:, CAT].any()
    torch.testing.assert_close(transforms[1, CAR], torch.tensor([0, 5 / 30, 0, np.log(4 / 3)]).float())


def test_a_thing_that_is_hardly_seen_is_neither_asked_for_nor_a_negative():
    hidden = [record("car", [0.0, 0, 40, 40], visible=0.1)]
    assert len(truths(hidden, 0.15)[0]) == 0 and len(truths(hidden, 0.05)[0]) == 1
    labels, _ = labelled(torch.tensor([[0.0, 0, 40, 40], [100, 0, 140, 40]]), hidden, Rules())
    assert labels[0].tolist() == [0] * 8 and labels[1].tolist() == [-1] * 8


def test_regions_are_kept_near_things_on_them_and_elsewhere_no_more_than_the_rules_say():
    records = [record("car", [50.0, 50, 90, 90])]
    random = np.random.default_rng(0)
    corner = random.uniform(0, 180, (300, 2))
    far = np.concatenate([corner, corner + random.uniform(10, 40, (300, 2))], 1)
    on = np.array([[50, 50, 90, 90 - i] for i in range(10)], float)
    regions = torch.from_numpy(np.concatenate([on, far])).float()
    rules = Rules(some=3, near=2, moved=4)
    kept = chosen(regions, records, rules, np.random.default_rng(1))
    assert (kept < 10).sum() == 4 and 2 <= (kept >= 10).sum() <= 5
    assert torch.equal(kept, chosen(regions, records, rules, np.random.default_rng(1))), "the same by the same chance"
    assert len(chosen(regions, [], rules, np.random.default_rng(1))) == 3, "without things only negatives"
    assert len(chosen(torch.zeros(0, 4), records, rules, np.random.default_rng(1))) == 0


def test_the_hardest_negatives_of_any_class_are_kept():
    margins, labels = torch.full((5, 8), -3.0), torch.full((5, 8), -1, dtype=torch.int8)
    margins[1, CAT], margins[2, CAR], margins[3, CAR] = 0.5, -0.5, 2.0
    labels[3, CAR] = 0  # it overlaps a car: no negative for cars, and sure of no other class
    transforms = torch.full((5, 8, 4), torch.nan)
    assert hard_ones(margins, labels, transforms, Rules()).tolist() == [1, 2]
    assert hard_ones(margins, labels, transforms, Rules(hard=1)).tolist() == [1]
    transforms[4, CAT] = 0
    assert hard_ones(margins, labels, transforms, Rules(hard=1)).tolist() == [1, 4]


@pytest.fixture(scope="module")
def examples() -> Examples:
    random = torch.Generator().manual_seed(0)
    features = torch.randn(160, 12, generator=random)
    labels = torch.where(features[:, :8] > 0.3, 1, -1).to(torch.int8)
    labels[:5] = 0
    transforms = features[:, 4:].unsqueeze(2) * torch.tensor([0.1, -0.1, 0.2, 0.0])
    transforms[40:] = torch.nan
    half = [Examples(features[rows], labels[rows], transforms[rows]) for rows in (slice(0, 80), slice(80, None))]
    return together(half)


def test_svms_are_scikit_learns_without_what_is_left_out(examples):
    head, rules = RegionSvms(12).requires_grad_(False), Rules(c=0.1)
    fit_svms(head, examples, rules)
    assert float((examples.features * head.scale).norm(dim=1).mean()) == pytest.approx(NORM, rel=1e-5)
    scaled = (examples.features * head.scale).numpy()
    theirs = LinearSVC(C=0.1, dual=False).fit(scaled[5:], examples.labels[5:, 3])
    np.testing.assert_allclose(head(examples.features)[0][:, 3], theirs.decision_function(scaled), atol=1e-3)


def test_a_class_without_an_example_says_no_and_moves_nothing(examples):
    head = RegionSvms(12).requires_grad_(False)
    without = Examples(examples.features, examples.labels.clone(), examples.transforms.clone())
    without.labels[:, 2], without.transforms[:, 2] = -1, torch.nan
    fit_svms(head, without, Rules())
    fit_regressors(head, without, Rules())
    margins, transforms = head(examples.features)
    assert (margins[:, 2] == -1).all() and (transforms[:, 2] == 0).all() and (transforms[:, 3] != 0).any()


def test_regressors_are_ridge_on_the_regions_of_their_class_alone(examples):
    head, rules = RegionSvms(12).requires_grad_(False), Rules(penalty=50.0)
    head.scale.fill_(2.0)
    fit_regressors(head, examples, rules)
    theirs = Ridge(alpha=50.0).fit(2 * examples.features[:40], examples.transforms[:40, 6])
    np.testing.assert_allclose(head(examples.features)[1][:, 6], theirs.predict(2 * examples.features), atol=1e-4)
