"""Cubify: from a grid of voxels to a mesh of triangles, a small cube for each voxel that is full.

Neighbours share corners, and a side between two full voxels is left out, so that only the surface remains. It is
closed: every edge belongs to an even number of triangles, two, or four where two voxels touch along an edge alone.
Source: Gkioxari, Malik, Johnson 2019 (Mesh R-CNN, section 3.1).
"""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

# The four corners of a voxel's side, as x, y, z from the voxel's own first corner, counter-clockwise from outside.
SIDES = {
    (-1, 0, 0): ((0, 0, 0), (0, 0, 1), (0, 1, 1), (0, 1, 0)),
    (1, 0, 0): ((1, 0, 0), (1, 1, 0), (1, 1, 1), (1, 0, 1)),
    (0, -1, 0): ((0, 0, 0), (1, 0, 0), (1, 0, 1), (0, 0, 1)),
    (0, 1, 0): ((0, 1, 0), (0, 1, 1), (1, 1, 1), (1, 1, 0)),
    (0, 0, -1): ((0, 0, 0), (0, 1, 0), (1, 1, 0), (1, 0, 0)),
    (0, 0, 1): ((0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)),
}


def open_sides(full: Bool[Tensor, "z y x"], direction: tuple[int, int, int]) -> Bool[Tensor, "z y x"]:
    """Which full voxels have an empty one, or the end of the grid, next to them in a direction given as x, y, z.

    >>> open_sides(torch.tensor([[[True, True, False]]]), (1, 0, 0))
    tensor([[[False,  True, False]]])
    """
    padded = torch.nn.functional.pad(full, (1, 1, 1, 1, 1, 1))
    beside = padded.roll([-step for step in reversed(direction)], (0, 1, 2))[1:-1, 1:-1, 1:-1]
    return full & ~beside


def cubify(
    occupancy: Float[Tensor, "z y x"], threshold: float = 0.5
) -> tuple[Float[Tensor, "v 3"], Int64[Tensor, "f 3"]]:
    """Vertices as x, y, z in voxels from the grid's first corner, and triangles: (b - a) × (c - a) points outwards.

    A voxel is full above the threshold. Without a full voxel both are empty.

    >>> vertices, faces = cubify(torch.ones(1, 1, 2))
    >>> len(vertices), len(faces)
    (12, 20)
    """
    full = occupancy > threshold
    corners = []
    for direction, side in SIDES.items():
        first = open_sides(full, direction).nonzero().flip(1)  # x, y, z
        corners.append(first[:, None] + torch.tensor(side, device=full.device))
    quads = torch.cat(corners)  # (q, 4, 3)
    y, x = full.shape[1] + 1, full.shape[2] + 1
    places, corner_of = torch.unique((quads[..., 2] * y + quads[..., 1]) * x + quads[..., 0], return_inverse=True)
    vertices = torch.stack([places % x, places // x % y, places // (x * y)], dim=1).float()
    return vertices, corner_of[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3)
