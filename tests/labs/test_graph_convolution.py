"""Graph convolution: a dense adjacency matrix, trimesh's edges and torch's grid_sample as oracles."""

import pytest
import torch
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import grid_sample
from torch.testing import assert_close

from labs import graph_convolution as gc

QUICK = settings(deadline=None, max_examples=40)
seeds = st.integers(0, 999).map(lambda seed: torch.Generator().manual_seed(seed))


def some_faces(random, vertices=7, count=9):
    return torch.stack([torch.randperm(vertices, generator=random)[:3] for _ in range(count)])


@QUICK
@given(seeds)
def test_edges_are_trimeshs(random):
    faces = some_faces(random)
    theirs = trimesh.Trimesh(torch.rand(7, 3).numpy(), faces.numpy(), process=False).edges_unique
    assert gc.edges_of(faces).tolist() == sorted(theirs.tolist())


def test_no_face_has_no_edge():
    assert gc.edges_of(torch.zeros(0, 3, dtype=torch.int64)).shape == (0, 2)


@QUICK
@given(seeds)
def test_the_sum_is_that_of_the_adjacency_matrix(random):
    edges = gc.edges_of(some_faces(random))
    adjacency = torch.zeros(9, 9)  # vertices 7 and 8 have no neighbour
    adjacency[edges[:, 0], edges[:, 1]] = adjacency[edges[:, 1], edges[:, 0]] = 1
    features = torch.randn(9, 4, generator=random)
    assert_close(gc.sum_of_neighbours(features, edges), adjacency @ features)
    own, others, bias = (torch.randn(*s, generator=random) for s in ((5, 4), (5, 4), (5,)))
    theirs = torch.relu(features @ own.T + bias + adjacency @ features @ others.T)
    assert_close(gc.graph_convolution(features, edges, own, others, bias), theirs)


@QUICK
@given(seeds, st.integers(1, 6), st.integers(1, 6), st.sampled_from([1.0, 4.0, 7.5]))
def test_vertex_alignment_is_grid_sample(random, height, width, cell):
    maps = torch.randn(2, 3, height, width, generator=random)
    size = torch.tensor([width, height]) * cell
    points = (torch.rand(40, 2, generator=random) * 1.6 - 0.3) * size  # some beyond the picture
    picture = torch.randint(2, (40,), generator=random)
    theirs = torch.stack(
        [
            grid_sample(
                maps[i : i + 1], (p / size * 2 - 1)[None, None, None], padding_mode="border", align_corners=False
            )
            for i, p in zip(picture.tolist(), points, strict=True)
        ]
    )
    assert_close(gc.vertex_alignment(maps, points, picture, cell), theirs.reshape(40, 3), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("point", "cells", "shares"),
    [
        ((0.0, 0.0), [0, 0], [1, 0, 0, 0]),  # beyond the middle of the first cell
        ((6.0, 2.0), [1, 0], [1, 0, 0, 0]),  # in the middle of a cell
        ((12.0, 12.0), [2, 2], [0, 0, 0, 1]),  # beyond the middle of the last
        ((4.0, 4.0), [0, 0], [0.25, 0.25, 0.25, 0.25]),  # where four cells meet
    ],
)
def test_the_corners_that_are_read(point, cells, shares):
    corners, found = gc.corners_read(torch.tensor([point]), 4.0, (3, 3))
    read = int(found[0].argmax())
    if max(shares) == 1:
        assert corners[0, read].tolist() == cells and float(found[0, read]) == 1
    else:
        assert found[0].tolist() == shares and corners[0, 0].tolist() == cells
    assert float(found.sum()) == pytest.approx(1)
