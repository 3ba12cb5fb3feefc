"""Losses and scores of meshes: brute force and trimesh as oracles; what is drawn lies on the surface, evenly."""

import pytest
import torch
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from labs import mesh_losses as ml

QUICK = settings(deadline=None, max_examples=40)
clouds = st.tuples(st.integers(1, 30), st.integers(1, 30), st.integers(0, 999)).map(
    lambda s: torch.randn(s[0] + s[1], 3, generator=torch.Generator().manual_seed(s[2])).split([s[0], s[1]])
)
BOX = trimesh.creation.box(extents=(1, 2, 3))
VERTICES, FACES = torch.tensor(BOX.vertices).float(), torch.tensor(BOX.faces).long()


def unit(cloud):
    return torch.nn.functional.normalize(cloud.flip(1) + 0.1, dim=1)


def test_normals_are_trimeshs():
    normals = ml.normals_of(VERTICES, FACES)
    assert_close(normals.norm(dim=1) / 2, torch.tensor(BOX.area_faces).float())
    assert_close(torch.nn.functional.normalize(normals, dim=1), torch.tensor(BOX.face_normals).float())


def test_points_lie_on_the_surface_evenly():
    points, normals = ml.sample_points(VERTICES, FACES, 8000)
    half = VERTICES.amax(0)
    on_side = (points.abs() - half).abs() < 1e-5
    assert on_side.any(1).all() and (points.abs() <= half + 1e-5).all()
    shares = torch.stack([(normals[:, axis].abs() > 0.5).double().mean() for axis in range(3)])
    assert_close(shares, torch.tensor([6.0, 3, 2]).double() / 11, atol=0.02, rtol=0)  # of 2 (6 + 3 + 2) area
    assert ((normals * points / half).sum(1) > 0.99).all()  # outwards
    for axis in range(3):  # on the sides across another axis, even along this one
        along = points[normals[:, axis].abs() < 0.5, axis] / half[axis]
        assert float(along.abs().mean()) == pytest.approx(0.5, abs=0.02) and abs(float(along.mean())) < 0.03


def test_a_triangle_is_filled_evenly_and_the_same_seed_draws_the_same():
    corners, face = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]), torch.tensor([[0, 1, 2]])
    points, _ = ml.sample_points(corners, face, 6000, seed=3)
    assert_close(points[:, :2].mean(0), torch.tensor([1 / 3, 1 / 3]), atol=0.01, rtol=0)
    assert float((points[:, 0] + points[:, 1] > 0.5).double().mean()) == pytest.approx(0.75, abs=0.02)
    assert_close(ml.sample_points(corners, face, 6000, seed=3)[0], points)
    assert not torch.equal(ml.sample_points(corners, face, 6000, seed=4)[0], points)


def test_gradients_reach_the_vertices():
    vertices = VERTICES.clone().requires_grad_()
    points, _ = ml.sample_points(vertices, FACES, 500)
    points[:, 2].sum().backward()
    assert float(vertices.grad[:, 2].sum()) == pytest.approx(500, rel=1e-4) and not vertices.grad[:, :2].any()


@pytest.mark.parametrize("faces", [torch.zeros(0, 3, dtype=torch.int64), torch.tensor([[0, 0, 1]])])
def test_without_area_one_sentence(faces):
    with pytest.raises(ValueError, match="without area"):
        ml.sample_points(VERTICES, faces, 5)


@QUICK
@given(clouds)
def test_chamfer_normals_and_f1_are_those_of_brute_force(both):
    points, others = both
    away = torch.cdist(points, others)
    assert_close(ml.chamfer(points, others), (away.min(1).values ** 2).mean() + (away.min(0).values ** 2).mean())
    cosines = (unit(points) @ unit(others).T).abs()
    there = cosines[range(len(points)), away.argmin(1)].mean()
    back = cosines[away.argmin(0), range(len(others))].mean()
    assert_close(ml.normal_agreement(points, unit(points), others, unit(others)), (there + back) / 2)
    assert_close(ml.normal_loss(points, unit(points), others, unit(others)), -there - back)
    for distance in (0.0, 0.7, 100.0):
        precision, recall = ((away.min(axis).values <= distance).double().mean() for axis in (1, 0))
        theirs = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        assert ml.f1(points, others, distance) == pytest.approx(float(theirs))


def test_f1_counts_what_is_exactly_that_far_and_is_0_without_any():
    one, other = torch.zeros(1, 3), torch.tensor([[0.0, 2, 0]])
    assert (ml.f1(one, other, 2.0), ml.f1(one, other, 1.99)) == (1.0, 0.0)


def test_pairs_may_be_looked_up_once():
    points, others = torch.randn(20, 3), torch.randn(30, 3)
    pairs = ml.pair(points, others)
    assert_close(ml.chamfer(points, others, pairs), ml.chamfer(points, others))
    wrong = ml.Pairs(pairs.there.flip(0), pairs.back.flip(0))
    assert ml.chamfer(points, others, wrong) > ml.chamfer(points, others)  # they are what is used


def test_the_edge_loss_is_the_mean_square_of_trimeshs_lengths():
    edges = torch.tensor(BOX.edges_unique).long()
    assert float(ml.edge_loss(VERTICES, edges)) == pytest.approx((BOX.edges_unique_length**2).mean(), rel=1e-5)
