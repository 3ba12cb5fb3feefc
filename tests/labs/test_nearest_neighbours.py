"""Nearest neighbours: scikit-learn as the oracle over random vectors, ties and boundaries by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some
from sklearn.neighbors import NearestNeighbors

from labs import nearest_neighbours as nn

METRICS = {"euclidean": nn.euclidean, "cosine": nn.cosine}


@pytest.mark.parametrize("metric", METRICS)
@given(
    seed=some.integers(0, 999),
    count=some.integers(2, 40),
    size=some.integers(2, 30),
    scale=some.sampled_from([0.01, 50]),
)
def test_neighbours_and_distances_are_those_of_scikit_learn(metric, seed, count, size, scale):
    random = torch.Generator().manual_seed(seed)
    gallery = scale * torch.randn(count, size, generator=random)
    queries = scale * torch.randn(5, size, generator=random)
    k = min(count, 7)
    theirs = NearestNeighbors(n_neighbors=k, metric=metric, algorithm="brute").fit(gallery.double().numpy())
    far, numbers = theirs.kneighbors(queries.double().numpy())
    ours = METRICS[metric](queries.double(), gallery.double())
    found = nn.nearest(ours, k)
    np.testing.assert_allclose(ours.gather(1, found).numpy(), far, atol=1e-9 * scale, rtol=1e-7)
    assert found.tolist() == numbers.tolist()  # random vectors: no ties


@given(seed=some.integers(0, 999))
def test_a_picture_of_the_gallery_is_left_out_of_its_own_neighbours(seed):
    gallery = torch.randn(12, 5, generator=torch.Generator().manual_seed(seed)).double()
    theirs = NearestNeighbors(n_neighbors=3).fit(gallery.numpy()).kneighbors(return_distance=False)  # leaves itself out
    found = nn.nearest(nn.euclidean(gallery, gallery), 3, torch.eye(12, dtype=torch.bool))
    assert found.tolist() == theirs.tolist()


def test_of_equal_distances_the_smaller_number_comes_first():
    gallery = torch.tensor([[1.0, 0], [0, 1], [-1, 0], [0, 0], [0, -1]])
    distances = nn.euclidean(torch.zeros(1, 2), gallery)
    assert nn.nearest(distances, 5).tolist() == [[3, 0, 1, 2, 4]]
    twins = torch.tensor([[2.0, 2]] * 4)
    found = nn.nearest(nn.euclidean(twins, twins), 3, torch.eye(4, dtype=torch.bool))
    assert found.tolist() == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]


def test_equal_vectors_are_at_distance_zero():
    row = torch.full((3, 64), 0.1) * 1000.1
    assert not nn.euclidean(row, row).isnan().any()
    assert float(nn.euclidean(row, row).max()) == 0.0
    assert (nn.squared_distances(row, row) >= 0).all()


def test_far_from_the_origin_small_distances_survive():
    """Without the mean taken off, |a|² + |b|² - 2ab loses them all in single precision."""
    gallery = torch.tensor([[3000.0], [3000.5], [3002.0]])
    assert nn.euclidean(gallery[:1], gallery).tolist() == [[0.0, 0.5, 2.0]]


def test_cosine_knows_no_length_and_no_direction_of_nothing():
    a = torch.tensor([[3.0, 4.0]])
    b = torch.tensor([[30.0, 40], [-3, -4], [4, -3], [0, 0]])
    assert nn.cosine(a, b)[0].tolist() == pytest.approx([0, 2, 1, 1], abs=1e-6)


@pytest.mark.parametrize(("k", "itself"), [(0, False), (4, False), (3, True)])
def test_more_than_there_are_cannot_be_found(k, itself):
    distances = torch.zeros(3, 3)
    left = 2 if itself else 3
    with pytest.raises(ValueError, match=f"There are {left} pictures to find"):
        nn.nearest(distances, k, torch.eye(3, dtype=torch.bool) if itself else None)
    assert nn.nearest(distances, left, torch.eye(3, dtype=torch.bool) if itself else None).shape == (3, left)


def test_precision_by_hand():
    same = torch.tensor([[True, True, False], [False, True, True], [False, False, False]])
    assert nn.precision_at_k(same).tolist() == pytest.approx([1 / 3, 1 / 2, 4 / 9])
    assert nn.precision_at_k(torch.ones(2, 5, dtype=torch.bool)).tolist() == [1] * 5


@given(seed=some.integers(0, 999), kinds=some.integers(1, 5))
def test_chance_is_what_neighbours_in_any_order_have(seed, kinds):
    """The precision over all the others, whatever their order."""
    labels = torch.randint(kinds, (20,), generator=torch.Generator().manual_seed(seed))
    others = nn.nearest(torch.zeros(20, 20), 19, torch.eye(20, dtype=torch.bool))
    everyone = nn.precision_at_k(labels[others] == labels[:, None])[-1]
    assert nn.chance(labels) == pytest.approx(float(everyone), abs=1e-6)
