"""Principal components: those of scikit-learn over random vectors, up to the sign, and sense at the edges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from sklearn.decomposition import PCA

from labs.principal_components import principal_components, project


def cloud(seed: int, count: int, size: int) -> np.ndarray:
    """Vectors that differ along each axis by another amount, so that no two directions are equally good."""
    random = np.random.default_rng(seed)
    turned, _ = np.linalg.qr(random.normal(size=(size, size)))
    return (random.normal(size=(count, size)) * 2.0 ** np.arange(size)) @ turned + random.normal(size=size)


@given(seed=some.integers(0, 10_000), count=some.integers(12, 40), size=some.integers(2, 9), kept=some.integers(1, 4))
def test_they_are_those_of_the_library_up_to_the_sign(seed, count, size, kept):
    vectors, kept = cloud(seed, count, size), min(kept, size)
    ours, theirs = principal_components(vectors, kept), PCA(kept, svd_solver="full").fit(vectors)
    np.testing.assert_allclose(ours.shares, theirs.explained_variance_ratio_, atol=1e-9)
    signs = np.sign((ours.directions * theirs.components_).sum(1))
    assert set(np.abs(signs)) == {1}
    np.testing.assert_allclose(ours.directions, signs[:, None] * theirs.components_, atol=1e-6)
    new = cloud(seed + 1, 5, size)
    np.testing.assert_allclose(project(new, ours), theirs.transform(new) * signs, atol=1e-6 * np.abs(new).max())


@given(seed=some.integers(0, 10_000), count=some.integers(2, 20), size=some.integers(1, 8))
def test_a_projection_never_makes_a_distance_longer(seed, count, size):
    vectors = np.random.default_rng(seed).normal(size=(count, size))
    places = project(vectors, principal_components(vectors))
    for i in range(count):
        assert (np.linalg.norm(places - places[i], axis=1) <= np.linalg.norm(vectors - vectors[i], axis=1) + 1e-9).all()


def test_the_same_vectors_give_the_same_picture():
    vectors = cloud(3, 20, 5)
    first, again = principal_components(vectors), principal_components(vectors[::-1])
    np.testing.assert_allclose(first.directions, again.directions, atol=1e-8)
    assert (first.directions[np.arange(2), np.abs(first.directions).argmax(1)] > 0).all()


@pytest.mark.parametrize("vectors", [np.ones((5, 3)), np.ones((1, 4)), np.zeros((3, 1))], ids=str)
def test_without_variance_all_lie_in_one_place(vectors):
    found = principal_components(vectors)
    assert found.directions.shape == (2, vectors.shape[1]) and found.shares.tolist() == [0, 0]
    assert project(vectors, found).tolist() == [[0, 0]] * len(vectors)


def test_one_number_a_vector_has_one_direction():
    found = principal_components(np.array([[1.0], [2.0], [6.0]]))
    assert found.shares.tolist() == [1, 0] and project(np.array([[3.0]]), found).tolist() == [[0, 0]]


@pytest.mark.parametrize("vectors", [np.zeros((0, 3)), np.array([[1.0, np.nan]]), np.array([[np.inf, 1.0]])], ids=str)
def test_what_has_no_components_is_refused_in_a_sentence(vectors):
    with pytest.raises(ValueError, match="at least one vector, and finite numbers"):
        principal_components(vectors)
