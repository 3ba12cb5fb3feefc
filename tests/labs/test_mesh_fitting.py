"""The ball of triangles is trimesh's, and a fit does what its losses say."""

import numpy as np
import pytest
import torch
import trimesh

from labs import mesh_losses
from labs.graph_convolution import edges_of
from labs.mesh_fitting import POINTS, Fit, Weights, icosphere


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_the_ball_is_that_of_trimesh(level):
    vertices, faces = icosphere(level)
    theirs = trimesh.creation.icosphere(subdivisions=level)
    ours = trimesh.Trimesh(vertices.numpy(), faces.numpy(), process=False)
    assert ours.is_watertight and ours.is_winding_consistent
    assert (
        (len(vertices), len(faces)) == (len(theirs.vertices), len(theirs.faces)) == (10 * 4**level + 2, 20 * 4**level)
    )
    torch.testing.assert_close(vertices.norm(dim=1), torch.ones(len(vertices)))
    assert ours.volume == pytest.approx(theirs.volume, rel=1e-4) and ours.volume > 0
    assert {tuple(pair) for pair in edges_of(faces).tolist()} == {
        tuple(sorted(pair)) for pair in ours.edges_unique.tolist()
    }


def egg() -> tuple[torch.Tensor, torch.Tensor]:
    vertices, faces = icosphere(3)
    stretched = vertices * torch.tensor([0.5, 0.3, 0.2]) + 0.1 * vertices[:, :1] ** 2
    return mesh_losses.sample_points(stretched, faces, POINTS)


def made(weights: Weights, steps: int = 40) -> Fit:
    fit = Fit(*egg(), weights, level=2)
    for _ in range(steps):
        fit.step()
    return fit


def test_it_begins_as_the_ellipsoid_of_the_targets_box():
    points, normals = egg()
    fit = Fit(points, normals, Weights(), level=2)
    low, high = fit.vertices.detach().amin(0), fit.vertices.detach().amax(0)
    assert bool((low >= points.amin(0) - 1e-5).all()) and bool((high <= points.amax(0) + 1e-5).all())
    torch.testing.assert_close((low + high) / 2, (points.amin(0) + points.amax(0)) / 2, atol=0.02, rtol=0)


def test_each_loss_brings_down_what_it_measures():
    alone, even, smooth = made(Weights()), made(Weights(edge=1.0)), made(Weights(normal=0.05))
    assert np.mean([each[0] for each in alone.losses[-5:]]) < 0.7 * alone.losses[0][0]
    assert even.losses[-1][2] < 0.8 * alone.losses[-1][2]
    assert np.mean([each[1] for each in smooth.losses[-5:]]) < np.mean([each[1] for each in alone.losses[-5:]]) - 0.02


def test_the_same_fit_goes_the_same_way_twice():
    torch.testing.assert_close(made(Weights(0.02, 0.2), 6).vertices, made(Weights(0.02, 0.2), 6).vertices)
    assert len(made(Weights(), 6).losses) == 6
