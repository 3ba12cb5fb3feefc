"""Inflated silhouettes: Poisson's equation where its solution is known, and closed solids that fill their outline."""

import numpy as np
import pytest
import torch
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy import ndimage

from labs import inflated_solid
from labs.inflated_solid import inflate, outline, poisson, volume


def disc(radius: float, x: float = 0.0, y: float = 0.0, side: int = 30) -> np.ndarray:
    """Coverage of a disc around (x, y) on a grid of cells whose middle is 0: nine points a side of a cell."""
    fine = (np.arange(side * 9) + 0.5) / 9 - side / 2
    inside = np.hypot(fine[None] - x, fine[:, None] - y) < radius
    return inside.reshape(side, 9, side, 9).mean((1, 3))


def blobs(seed: int) -> np.ndarray:
    """Smooth random coverage with an empty margin."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(20, 26)), 2.5)
    return np.pad(np.clip(0.5 + 6 * (noise - np.quantile(noise, 0.6)), 0, 1), 2)


def test_a_strip_has_the_parabola_of_its_width():
    strip = np.zeros((9, 400))
    strip[2:7, 1:-1] = 1  # five cells wide: u = 2 (2.5² - y²)
    np.testing.assert_allclose(poisson(strip)[2:7, 200], [4.5, 10.5, 12.5, 10.5, 4.5], atol=1e-6)
    np.testing.assert_allclose(poisson(strip, 0.5), poisson(strip) / 4)


@settings(deadline=None, max_examples=15)
@given(radius=some.floats(4, 13), x=some.floats(-1, 1), y=some.floats(-1, 1))
def test_a_disc_has_the_height_of_a_ball(radius, x, y):
    u = poisson(disc(radius, x, y))
    middle = np.arange(30) + 0.5 - 15
    away = (middle[None] - x) ** 2 + (middle[:, None] - y) ** 2
    inner = u > 0
    np.testing.assert_allclose(u[inner], np.maximum(radius**2 - away, 0)[inner], atol=0.3 * radius)
    assert float(u.max()) == pytest.approx(radius**2, rel=0.03, abs=0.6)


def test_an_l_is_what_a_dense_solver_says():
    ell = np.zeros((9, 9))
    ell[2:7, 2:4] = ell[5:7, 2:7] = 1
    u, inner = poisson(ell), ell > 0
    padded = u.copy()
    for row, column in np.argwhere(inner):
        bent = 0.0
        for axis in ((0, 1), (1, 0)):  # the second derivative through three places, two of them perhaps half a cell off
            (a, left), (b, right) = (
                (1.0, padded[row + d * axis[0], column + d * axis[1]])
                if inner[row + d * axis[0], column + d * axis[1]] else (0.5, 0.0)
                for d in (-1, 1)
            )  # fmt: skip
            bent += 2 / (a + b) * ((left - u[row, column]) / a + (right - u[row, column]) / b)
        assert bent == pytest.approx(-4, abs=1e-8)


def test_the_outline_lies_where_half_a_cell_is_covered():
    row = np.array([[0, 0, 0, 0], [0, 1, 0.25, 0], [0, 0, 0, 0.0]])
    right, left, down, up = outline(row)[:, 1, 1]
    assert (right, left, down, up) == pytest.approx((0.5 / 0.75, 0.5, 0.5, 0.5))
    row[1, 2] = 0.5  # exactly half is not yet inside, and the outline runs through the middle of that cell
    assert outline(row)[0, 1, 1] == 1 and not poisson(row)[1, 2]
    row[1, 1] = 0.51
    assert outline(row)[1, 1, 1] == inflated_solid.CLOSEST


def test_nothing_and_the_edge_are_one_sentence():
    with pytest.raises(ValueError, match="nothing to inflate"):
        poisson(np.full((5, 5), 0.5))
    for place in ((0, 2), (-1, 2), (2, 0), (2, -1)):
        grid = np.zeros((5, 5))
        grid[place] = 1
        with pytest.raises(ValueError, match="must not touch the edge"):
            inflate(grid)


@pytest.mark.parametrize("cell", [1.0, 0.25])
def test_a_disc_becomes_the_ball_of_its_radius(cell):
    ball = inflate(disc(12.0), (-15 * cell + 40, -15 * cell + 7), cell)
    radii = (ball.vertices - torch.tensor([40.0, 7.0, 0.0])).norm(dim=1) / cell
    assert float(radii.min()) > 11.8 and float(radii.max()) < 12.2
    assert volume(ball.vertices, ball.faces) == pytest.approx(4 / 3 * np.pi * (12 * cell) ** 3, rel=0.02)


@settings(deadline=None, max_examples=15)
@given(seed=some.integers(0, 10_000))
def test_any_silhouette_becomes_a_closed_solid_that_fills_it(seed):
    coverage = blobs(seed)
    made = inflate(coverage)
    theirs = trimesh.Trimesh(made.vertices.numpy(), made.faces.numpy(), process=False)
    assert theirs.is_watertight and theirs.is_winding_consistent
    assert volume(made.vertices, made.faces) == pytest.approx(theirs.volume, rel=1e-3) and theirs.volume > 0
    pieces = ndimage.label(coverage > 0.5)[1]
    assert theirs.body_count == pieces
    # front and back alike, and as wide as the outline
    z = made.vertices[:, 2]
    assert float(z.min()) == pytest.approx(-float(z.max()), abs=1e-3)
    rows, columns = np.nonzero(coverage > 0.5)
    low, high = made.vertices.min(0).values, made.vertices.max(0).values
    assert abs(float(low[0]) - columns.min()) < 1 and abs(float(high[0]) - columns.max() - 1) < 1
    assert abs(float(low[1]) - rows.min()) < 1 and abs(float(high[1]) - rows.max() - 1) < 1
