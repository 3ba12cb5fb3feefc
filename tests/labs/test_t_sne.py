"""t-SNE written out is that of scikit-learn and openTSNE; in steps it is what openTSNE does in one go."""

import itertools

import numpy as np
import openTSNE
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from openTSNE.affinity import PerplexityBasedNN
from scipy.spatial.distance import squareform
from sklearn.manifold import _t_sne as scikit
from sklearn.metrics.pairwise import euclidean_distances

from labs import t_sne
from labs.t_sne import Settings

QUICK = Settings(5.0, iterations=60, exaggerated=20)


def cloud(seed: int, count: int, size: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, size))


@given(seed=some.integers(0, 10_000), count=some.integers(2, 20), size=some.integers(1, 6))
def test_squared_distances_are_those_of_the_library(seed, count, size):
    vectors = 10 * cloud(seed, count, size)
    theirs = euclidean_distances(vectors, squared=True)
    np.testing.assert_allclose(t_sne.squared_distances(vectors), theirs, atol=1e-9)


@given(seed=some.integers(0, 10_000), count=some.integers(12, 30), wanted=some.floats(3, 9))
def test_p_is_that_of_scikit_learn(seed, count, wanted):
    vectors = cloud(seed, count, 4)
    ours = t_sne.affinities(vectors, wanted)
    theirs = scikit._joint_probabilities(t_sne.squared_distances(vectors).astype(np.float32), wanted, 0)
    np.testing.assert_allclose(ours, squareform(theirs), atol=2e-5)
    np.testing.assert_array_equal(ours, ours.T)
    assert ours.sum() == pytest.approx(1) and not ours.diagonal().any()


@given(seed=some.integers(0, 1000))
@settings(max_examples=20)
def test_p_is_that_of_opentsne_where_all_are_neighbours(seed):
    vectors = cloud(seed, 20, 4)
    theirs = PerplexityBasedNN(vectors, 6, method="exact", k_neighbors=19).P.toarray()
    np.testing.assert_allclose(t_sne.affinities(vectors, 6.0), theirs, atol=1e-6)


@given(seed=some.integers(0, 10_000), wanted=some.floats(1.01, 19))
def test_the_neighbours_have_the_perplexity_that_was_asked_for(seed, wanted):
    distances = np.random.default_rng(seed).uniform(1, 50, 20)
    assert t_sne.perplexity(t_sne.neighbour_probabilities(distances, wanted)) == pytest.approx(wanted, rel=1e-6)


def test_perplexity_of_equally_likely_neighbours_is_their_number():
    assert t_sne.perplexity(np.full(7, 1 / 7)) == pytest.approx(7)
    found = t_sne.neighbour_probabilities(np.zeros(9), 4.0)  # equal vectors: no width can tell them apart
    np.testing.assert_allclose(found, np.full(9, 1 / 9))


@pytest.mark.parametrize("wanted", [0.5, 4.0])
def test_a_perplexity_that_cannot_be_is_refused(wanted):
    with pytest.raises(ValueError, match="needs at least"):
        t_sne.affinities(np.eye(4), wanted)


@given(seed=some.integers(0, 10_000), count=some.integers(8, 24))
def test_divergence_and_gradient_are_those_of_scikit_learn(seed, count):
    vectors, places = cloud(seed, count, 5), 3 * cloud(seed + 1, count, 2)
    p = t_sne.affinities(vectors, 4.0)
    error, slope = scikit._kl_divergence(places.ravel(), squareform(p), 1, count, 2)
    assert t_sne.kl_divergence(p, t_sne.student_affinities(places)) == pytest.approx(error, rel=1e-6)
    np.testing.assert_allclose(t_sne.gradient(p, places), slope.reshape(-1, 2), atol=1e-9)


@given(seed=some.integers(0, 1000))
@settings(max_examples=20)
def test_the_gradient_is_that_of_autograd(seed):
    p = t_sne.affinities(cloud(seed, 12, 3), 3.0)
    places = torch.tensor(cloud(seed + 1, 12, 2), requires_grad=True)
    weights = (1 / (1 + (places[:, None] - places).square().sum(2))) * (1 - torch.eye(12))
    given_ = torch.tensor(p)
    q = weights / weights.sum()
    loss = torch.where(given_ > 0, given_ * (given_.clamp(min=1e-300) / q.clamp(min=1e-300)).log(), 0).sum()
    (slope,) = torch.autograd.grad(loss, places)
    np.testing.assert_allclose(t_sne.gradient(p, places.detach().numpy()), slope.numpy(), atol=1e-9)


def test_in_steps_it_is_what_opentsne_does_in_one_go(monkeypatch):
    monkeypatch.setattr(t_sne, "EXAGGERATION", 16.0)  # a power of two leaves no dust in p however often it is undone
    vectors = cloud(0, 60, 8)
    *_, last = t_sne.descend(vectors, QUICK)
    near = PerplexityBasedNN(vectors, 5, method="exact", random_state=0)
    whole = openTSNE.TSNE(
        n_jobs=1, early_exaggeration=16, early_exaggeration_iter=20, n_iter=40, negative_gradient_method="bh",
    ).fit(affinities=near, initialization=next(t_sne.descend(vectors, QUICK)).places)  # fmt: skip
    np.testing.assert_allclose(last.places, np.asarray(whole), rtol=1e-6, atol=1e-6)


def test_the_divergence_of_a_frame_is_the_one_written_out():
    """openTSNE leaves out far pairs; with all pairs in, it counts what the lab counts."""
    vectors = cloud(1, 25, 6)
    *_, before, last = t_sne.descend(vectors, Settings(8.0, iterations=41, exaggerated=10), every=1)
    ours = t_sne.kl_divergence(t_sne.affinities(vectors, 8.0), t_sne.student_affinities(before.places))
    assert last.kl == pytest.approx(ours, rel=0.02)


def test_frames_come_in_order_and_once_more_the_same():
    first, again = (list(t_sne.descend(cloud(2, 40, 5), QUICK, every=7)) for _ in range(2))
    assert [frame.iteration for frame in first] == [0, 7, 14, 20, 27, 34, 41, 48, 55, 60]
    assert [frame.exaggerated for frame in first] == [True] * 4 + [False] * 6
    assert first[0].kl is None and first[-1].kl < first[1].kl
    assert first[-1].errors == tuple((frame.iteration, frame.kl) for frame in first[1:])
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.places, other.places)
    assert not np.shares_memory(first[-1].places, first[-2].places)


def test_a_run_that_is_left_and_taken_up_again_is_the_same_run():
    vectors = cloud(2, 40, 5)
    run = t_sne.descend(vectors, QUICK)
    list(itertools.islice(run, 4))
    *_, other = t_sne.descend(vectors, QUICK)  # another one in between
    *_, last = run
    np.testing.assert_array_equal(last.places, other.places)


def test_three_groups_come_apart():
    groups = np.repeat(np.eye(3) * 20, 20, axis=0) + cloud(0, 60, 3)
    *_, last = t_sne.descend(groups, Settings(8.0, iterations=200, exaggerated=60))
    middles = last.places.reshape(3, 20, 2).mean(1)
    widths = last.places.reshape(3, 20, 2).std(1).max()
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(middles, 2)) > 3 * widths


def test_too_large_a_perplexity_is_lowered():
    vectors = cloud(0, 13, 3)
    assert t_sne.most_perplexity(13) == 4
    *_, most = t_sne.descend(vectors, Settings(4.0, iterations=20))
    *_, more = t_sne.descend(vectors, Settings(1000.0, iterations=20))
    np.testing.assert_array_equal(most.places, more.places)


def test_equal_vectors_give_finite_places():
    *_, last = t_sne.descend(np.ones((20, 4)), QUICK)
    assert np.isfinite(last.places).all()


@pytest.mark.parametrize("vectors", [np.eye(3), np.full((9, 2), np.nan)], ids=["three", "not a number"])
def test_what_cannot_be_plotted_is_refused_in_a_sentence(vectors):
    with pytest.raises(ValueError, match="at least 4 vectors, and finite numbers"):
        next(t_sne.descend(vectors, QUICK))


@given(seed=some.integers(0, 1000), k=some.integers(1, 15))
@settings(max_examples=30)
def test_the_first_landing_place_is_that_of_opentsne(seed, k):
    vectors, new = cloud(seed, 30, 4), cloud(seed + 1, 3, 4)
    near = PerplexityBasedNN(vectors, 8, method="exact")
    plot = openTSNE.TSNEEmbedding(cloud(seed + 2, 30, 2), near)
    theirs = plot.prepare_partial(new, "median", k, perplexity=5)
    np.testing.assert_allclose(t_sne.median_of_nearest(vectors, np.array(plot), new, k), theirs, atol=1e-9)


def test_a_new_vector_lands_in_its_group_and_moves_nobody():
    groups = np.repeat(np.eye(3) * 20, 20, axis=0) + cloud(0, 60, 3)
    *_, last = t_sne.descend(groups, Settings(8.0, iterations=200, exaggerated=60))
    before = last.places.copy()
    new = np.eye(3) * 20 + 0.5
    found = t_sne.land(groups, last.places, new)
    np.testing.assert_array_equal(last.places, before)
    middles = last.places.reshape(3, 20, 2).mean(1)
    nearest = np.linalg.norm(found[:, None] - middles, axis=2).argmin(1)
    assert nearest.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(found, t_sne.land(groups, last.places, new))


def test_a_vector_like_none_of_them_lands_at_a_finite_place():
    vectors = cloud(0, 40, 4)
    *_, last = t_sne.descend(vectors, QUICK)
    assert np.isfinite(t_sne.land(vectors, last.places, np.full((1, 4), 1e6))).all()
