"""One shape pulled onto another: a ball of triangles whose corners go where the losses of Mesh R-CNN send them.

No network takes part. What moves are the corners themselves, by Adam, in units in which the target's longest side is 1.
Source: Gkioxari, Malik, Johnson 2019 (Mesh R-CNN, section 3.2), whose losses these are.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from labs import mesh_losses

GOLDEN = (1 + 5**0.5) / 2
POINTS = 800  # drawn on each of the two surfaces at every step
RATE = 0.01  # of Adam: at most about a hundredth of the longest side a step


@dataclass(frozen=True)
class Weights:
    """What each loss counts beside the Chamfer distance, >= 0."""

    normal: float = 0.0
    edge: float = 0.0


def icosphere(level: int) -> tuple[Float[Tensor, "v 3"], Int64[Tensor, "f 3"]]:
    """The ball of radius 1 as triangles: an icosahedron, each of whose triangles is cut into four `level` times.

    >>> vertices, faces = icosphere(2)
    >>> len(vertices), len(faces)
    (162, 320)
    """
    ends = torch.tensor([[-1, GOLDEN], [1, GOLDEN], [-1, -GOLDEN], [1, -GOLDEN]])
    none = torch.zeros(4, 1)
    vertices = torch.cat([torch.cat([ends, none], 1), torch.cat([none, ends], 1),
                          torch.cat([ends[:, 1:], none, ends[:, :1]], 1)])  # fmt: skip
    faces = torch.tensor([
        [0, 11, 5], [0, 5, 1], [0, 1, 7], [0, 7, 10], [0, 10, 11], [1, 5, 9], [5, 11, 4], [11, 10, 2], [10, 7, 6],
        [7, 1, 8], [3, 9, 4], [3, 4, 2], [3, 2, 6], [3, 6, 8], [3, 8, 9], [4, 9, 5], [2, 4, 11], [6, 2, 10], [8, 6, 7],
        [9, 8, 1],
    ])  # fmt: skip
    for _ in range(level):
        sides = torch.stack([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]], 1).sort(2).values.reshape(-1, 2)
        pairs, middle = torch.unique(sides, dim=0, return_inverse=True)
        ab, bc, ca = (middle.reshape(-1, 3) + len(vertices)).unbind(1)
        a, b, c = faces.unbind(1)
        vertices = torch.cat([vertices, vertices[pairs].mean(1)])
        faces = torch.cat([torch.stack(three, 1) for three in ((a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca))])
    return torch.nn.functional.normalize(vertices, dim=1), faces


def edges_of(faces: Int64[Tensor, "f 3"]) -> Int64[Tensor, "e 2"]:
    """Each edge once, the smaller number first.

    >>> edges_of(torch.tensor([[0, 1, 2], [2, 1, 3]])).tolist()
    [[0, 1], [0, 2], [1, 2], [1, 3], [2, 3]]
    """
    sides = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    return torch.unique(sides.sort(1).values, dim=0)


class Fit:
    """A ball on its way to a target; `step` moves it.

    Attributes:
        vertices: (v, 3), where its corners are now; faces: (f, 3).
        losses: for each step made, (Chamfer, normal, edge) before it, not yet weighted.
    """

    def __init__(self, points: Float[Tensor, "n 3"], normals: Float[Tensor, "n 3"], weights: Weights, level: int = 3):
        """`points` lie on the target's surface, with the unit `normals` there."""
        self.target, self.target_normals, self.weights = points, normals, weights
        ball, self.faces = icosphere(level)
        low, high = points.amin(0), points.amax(0)
        self.vertices = ((low + high) / 2 + ball * (high - low) / 2).requires_grad_()
        self.edges = edges_of(self.faces)
        self.adam = torch.optim.Adam([self.vertices], RATE)
        self.losses: list[tuple[float, float, float]] = []

    def step(self) -> None:
        """One step down the weighted sum of the three losses."""
        points, normals = mesh_losses.sample_points(self.vertices, self.faces, POINTS, seed=len(self.losses))
        pairs = mesh_losses.pair(points, self.target)
        chamfer = mesh_losses.chamfer(points, self.target, pairs)
        normal = mesh_losses.normal_loss(points, normals, self.target, self.target_normals, pairs)
        edge = mesh_losses.edge_loss(self.vertices, self.edges)
        loss = chamfer + self.weights.normal * normal + self.weights.edge * edge
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()
        self.losses.append((chamfer.item(), normal.item(), edge.item()))
