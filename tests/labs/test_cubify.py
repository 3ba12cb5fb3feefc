"""Cubify: volume and surface counted in voxels, closed, its sides outwards, and close to marching cubes."""

import numpy as np
import pytest
import torch
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import KDTree
from skimage.measure import marching_cubes

from labs.cubify import SIDES, cubify, open_sides

QUICK = settings(deadline=None, max_examples=40)
grids = st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5), st.integers(0, 999)).map(
    lambda s: torch.rand(s[:3], generator=torch.Generator().manual_seed(s[3]))
)
some_full = grids.filter(lambda grid: bool((grid > 0.5).any()))


def as_trimesh(vertices, faces):
    return trimesh.Trimesh(vertices.numpy(), faces.numpy(), process=False)


def test_one_voxel_is_a_cube_of_twelve_triangles():
    vertices, faces = cubify(torch.ones(1, 1, 1))
    assert (len(vertices), len(faces)) == (8, 12)
    assert vertices.amin(0).tolist() == [0, 0, 0] and vertices.amax(0).tolist() == [1, 1, 1]
    assert as_trimesh(vertices, faces).is_watertight and as_trimesh(vertices, faces).volume == pytest.approx(1)


def test_a_voxel_lies_where_its_index_says():
    grid = torch.zeros(2, 3, 4)
    grid[1, 2, 3] = 1
    assert cubify(grid)[0].amin(0).tolist() == [3, 2, 1]  # x, y, z


def test_at_the_threshold_a_voxel_is_empty():
    grid = torch.tensor([[[0.5, 0.6]]])
    assert len(cubify(grid, 0.5)[1]) == 12 and len(cubify(grid, 0.6)[1]) == 0 and len(cubify(grid, 0.49)[1]) == 20


def test_no_full_voxel_gives_an_empty_mesh():
    vertices, faces = cubify(torch.zeros(2, 2, 2))
    assert vertices.shape == (0, 3) and faces.shape == (0, 3)


def test_the_inside_of_a_block_has_no_vertex():
    vertices, faces = cubify(torch.ones(3, 3, 3))
    assert len(vertices) == 4**3 - 2**3 and len(faces) == 6 * 9 * 2


@pytest.mark.parametrize(("grid", "corners"), [([[[1, 0], [0, 1]]], 14), ([[[1, 0], [0, 0]], [[0, 0], [0, 1]]], 15)])
def test_voxels_that_touch_along_an_edge_or_at_a_corner_share_it(grid, corners):
    assert len(cubify(torch.tensor(grid).float())[0]) == corners


@QUICK
@given(some_full)
def test_volume_area_and_closedness(grid):
    vertices, faces = cubify(grid)
    full = grid > 0.5
    mesh = as_trimesh(vertices, faces)
    assert mesh.volume == pytest.approx(int(full.sum()))  # and positive: all sides look outwards
    assert mesh.area == pytest.approx(sum(int(open_sides(full, side).sum()) for side in SIDES))
    directed = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).tolist()
    there, back = sorted(map(tuple, directed)), sorted((b, a) for a, b in directed)
    assert there == back  # every edge is walked as often one way as the other
    assert sorted(set(faces.flatten().tolist())) == list(range(len(vertices)))  # no vertex is left over
    assert len(torch.unique(vertices, dim=0)) == len(vertices)


@QUICK
@given(some_full)
def test_each_vertex_is_near_the_surface_of_marching_cubes(grid):
    vertices, _ = cubify(grid)
    padded = np.pad((grid > 0.5).numpy().astype(np.float32), 1)
    theirs = marching_cubes(padded, 0.5)[0][:, ::-1] - 0.5  # cells' middles to corners, z y x to x y z
    away = KDTree(theirs).query(vertices.numpy())[0]
    assert away.max() < 0.75**0.5 + 1e-6  # half the diagonal of a voxel
