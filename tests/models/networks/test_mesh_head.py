"""The mesh head: its boxes and grids, and a batch of meshes that is what each mesh is alone."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from models.networks import mesh_head
from models.networks.detector import LEVELS
from models.networks.mesh_head import VOXELS, MeshHead

BOXES = torch.tensor([[20.0, 30, 60, 130], [100.0, 40, 190, 90]])


@pytest.fixture(scope="module")
def head() -> MeshHead:
    torch.manual_seed(0)
    head = MeshHead().eval().requires_grad_(False)
    for stage in head.stages:
        torch.nn.init.normal_(stage.step.weight, std=0.5)  # steps that can be seen
    return head


@pytest.fixture(scope="module")
def levels() -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(1)
    return {name: torch.randn(2, 64, 56 // 2**i, 56 // 2**i, generator=random) for i, name in enumerate(LEVELS)}


def test_boxes_grow_around_their_middle():
    assert mesh_head.grown(BOXES, 2.0).tolist() == [[0, -20, 80, 180], [55, 15, 235, 115]]
    assert mesh_head.longest(BOXES).tolist() == [100, 90]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 999))
def test_a_full_box_and_how_far_it_reaches_beyond_are_two_ways_to_say_it(seed):
    random = torch.Generator().manual_seed(seed)
    boxes = torch.rand(5, 2, generator=random).repeat(1, 2) * 100 + torch.tensor([0.0, 0, 20, 50])
    full = mesh_head.full_from(boxes, torch.rand(5, 4, generator=random))
    assert (full[:, :2] <= boxes[:, :2]).all() and (full[:, 2:] >= boxes[:, 2:]).all()  # beyond is outwards
    assert_close(mesh_head.full_from(boxes, mesh_head.beyond_of(boxes, full)), full, atol=1e-3, rtol=1e-4)


def test_the_grid_is_a_little_larger_than_the_box_and_deep_enough_for_any_inflated_solid():
    corners, sides = mesh_head.grids(BOXES)
    ends = corners + VOXELS * sides
    assert_close(ends[:, :2] - corners[:, :2], (BOXES[:, 2:] - BOXES[:, :2]) * 1.15)
    assert_close((ends + corners)[:, :2] / 2, (BOXES[:, 2:] + BOXES[:, :2]) / 2)
    assert_close(ends[:, 2], -corners[:, 2])
    # Between two parallel lines 2b apart u is 2 (b² - x²): no solid is deeper than √2 b, b half the shorter side.
    assert (ends[:, 2] >= 2**0.5 / 2 * torch.tensor([40.0, 50])).all()


def test_a_batch_of_meshes_is_each_mesh_alone(head, levels):
    grids = torch.rand(2, VOXELS, VOXELS, VOXELS, generator=torch.Generator().manual_seed(2)) * 0.51
    meshes = [mesh_head.blocky(each, 0.5) for each in grids]
    maps, logits = head.grid(levels, [BOXES[:1], BOXES[1:]])
    assert maps.shape == (2, 64, VOXELS, VOXELS) and logits.shape == grids.shape
    picture = torch.tensor([0, 1])
    both = head.refine(meshes, BOXES, levels["P2"], picture, maps)
    for row in (0, 1):
        one = slice(row, row + 1)
        alone = head.refine(meshes[one], BOXES[one], levels["P2"], picture[one], maps[one])
        vertices, faces = both.of(row)
        assert torch.equal(faces, meshes[row][1]) and torch.equal(alone.faces, faces)
        assert len(vertices) == mesh_head.STAGES + 1
        for mine, theirs in zip(vertices, alone.vertices, strict=True):
            assert_close(mine, theirs, atol=1e-3, rtol=1e-4)
        corner, side = (each[row] for each in mesh_head.grids(BOXES))
        assert_close(vertices[0], corner + meshes[row][0] * side, atol=1e-3, rtol=1e-4)  # the blocky mesh comes first
        moved = (vertices[1] - vertices[0]).abs().max()
        assert 0 < moved <= mesh_head.REACH * float(mesh_head.longest(BOXES)[row]) + 1e-3


def test_vertices_look_at_the_picture_where_they_stand(head, levels):
    """Another picture elsewhere changes nothing; another picture below the thing does."""
    box, mesh = BOXES[:1], mesh_head.blocky(torch.ones(VOXELS, VOXELS, VOXELS), 0.5)
    none, maps = torch.zeros(1, dtype=torch.int64), torch.zeros(1, 64, VOXELS, VOXELS)
    before = head.refine([mesh], box, levels["P2"], none, maps).vertices[-1]
    for columns, changes in ((slice(25, 56), False), (slice(8, 12), True)):
        fine = levels["P2"].clone()
        fine[0, :, :, columns] += 3
        assert torch.equal(head.refine([mesh], box, fine, none, maps).vertices[-1], before) != changes


def test_there_is_always_a_mesh():
    faint = torch.full((VOXELS, VOXELS, VOXELS), 0.1)
    faint[3, 4, 5] = 0.3
    vertices, faces = mesh_head.blocky(faint, 0.5)
    assert vertices.amin(0).tolist() == [5, 4, 3] and len(faces) == 12
    assert len(mesh_head.blocky(faint, 0.05)[1]) == 6 * VOXELS**2 * 2
