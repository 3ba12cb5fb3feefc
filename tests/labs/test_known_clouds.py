"""Clouds whose widths and distances are known are as wide and as far as asked, and t-SNE takes both away."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from labs import known_clouds, t_sne


@given(seed=some.integers(0, 10_000), ratio=some.floats(1, 10))
def test_the_clouds_are_what_was_asked_for(seed, ratio):
    points, groups = known_clouds.two_widths(ratio, 2000, seed)
    narrow, wide = known_clouds.widths(points, groups)
    assert narrow == pytest.approx(2**0.5, rel=0.1) and wide / narrow == pytest.approx(ratio, rel=0.1)
    points, groups = known_clouds.two_distances(ratio, 2000, seed)
    first, second = known_clouds.steps(points, groups)
    assert first == pytest.approx(10, rel=0.02) and second / first == pytest.approx(ratio, rel=0.02)


def test_one_gaussian_has_one_group():
    points, groups = known_clouds.one_gaussian(500, 8, seed=3)
    assert points.shape == (500, 8) and not groups.any()
    assert np.abs(points.mean(0)).max() < 0.2 and points.std(0) == pytest.approx(np.ones(8), abs=0.1)


def test_widths_and_steps_by_hand():
    points = np.array([[0.0, 0.0], [0.0, 2.0], [10.0, 1.0], [10.0, 1.0]])
    groups = np.array([0, 0, 1, 1])
    assert known_clouds.middles(points, groups).tolist() == [[0, 1], [10, 1]]
    assert known_clouds.widths(points, groups).tolist() == [1, 0]
    assert known_clouds.steps(points, groups).tolist() == [10]


@given(seed=some.integers(0, 10_000))
def test_points_thrown_blindly_lie_as_thrown(seed):
    places = np.random.default_rng(seed).uniform(size=(3000, 2))
    assert known_clouds.evenness(places) == pytest.approx(1, abs=0.05)


@given(seed=some.integers(0, 10_000), scale=some.floats(0.01, 100))
def test_evenness_knows_no_units_and_pairs_lie_in_clumps(seed, scale):
    places = np.random.default_rng(seed).uniform(size=(200, 2))
    whole = known_clouds.evenness(places)
    assert known_clouds.evenness(places * scale + 5) == pytest.approx(whole, rel=1e-6)
    assert known_clouds.evenness(np.concatenate([places, places + 1e-4])) < 0.1


def test_points_without_an_area_are_refused_in_a_sentence():
    with pytest.raises(ValueError, match="span no area"):
        known_clouds.evenness(np.stack([np.arange(9.0), np.zeros(9)], 1))


def test_tsne_takes_widths_and_distances_away():
    for cloud, measure in ((known_clouds.two_widths, known_clouds.widths), (known_clouds.two_distances,
                                                                          known_clouds.steps)):  # fmt: skip
        points, groups = cloud(5.0)
        *_, last = t_sne.descend(points, t_sne.Settings(20.0, iterations=500, exaggerated=100), every=100)
        true, seen = measure(points, groups), measure(last.places, groups)
        assert true[1] / true[0] > 4.5 and seen[1] / seen[0] < 1.5


def test_small_perplexity_makes_clumps_of_one_gaussian_and_large_none():
    found = {}
    for perplexity in (2, 40):
        points, _ = known_clouds.one_gaussian()
        *_, last = t_sne.descend(points, t_sne.Settings(perplexity, iterations=500, exaggerated=100), every=100)
        found[perplexity] = known_clouds.evenness(last.places)
    assert found[2] < 0.85 < 0.98 < found[40]
