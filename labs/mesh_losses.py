"""How far is one mesh from another? Points drawn on both surfaces, and what their nearest neighbours say.

Sources: Gkioxari, Malik, Johnson 2019 (Mesh R-CNN, section 3.2: losses; section 4.1: metrics); Fan, Su, Guibas 2017
(Chamfer distance); Tatarchenko et al. 2019 (F1 at a distance).
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from scipy.spatial import KDTree
from torch import Tensor


def corners_of(
    vertices: Float[Tensor, "v 3"], faces: Int64[Tensor, "f 3"]
) -> tuple[Float[Tensor, "f 3"], Float[Tensor, "f 3"], Float[Tensor, "f 3"]]:
    """The three corners of each triangle.

    >>> corners_of(torch.eye(3), torch.tensor([[2, 0, 1]]))[0]
    tensor([[0., 0., 1.]])
    """
    first, second, third = (vertices.index_select(0, faces[:, i]) for i in range(3))  # its gradient is quicker
    return first, second, third


def normals_of(vertices: Float[Tensor, "v 3"], faces: Int64[Tensor, "f 3"]) -> Float[Tensor, "f 3"]:
    """(b - a) × (c - a) of each triangle: it points outwards, and its length is twice the triangle's area.

    >>> normals_of(torch.tensor([[0.0, 0, 0], [2, 0, 0], [0, 3, 0]]), torch.tensor([[0, 1, 2]]))
    tensor([[0., 0., 6.]])
    """
    a, b, c = corners_of(vertices, faces)
    return torch.linalg.cross(b - a, c - a)


def sample_points(
    vertices: Float[Tensor, "v 3"], faces: Int64[Tensor, "f 3"], count: int, seed: int = 0
) -> tuple[Float[Tensor, "n 3"], Float[Tensor, "n 3"]]:
    """Points that lie evenly on the surface, and the unit normal at each; gradients flow back to the vertices.

    A triangle is drawn with a chance in proportion to its area; within it a point is
    (1 - √r) a + √r (1 - s) b + √r s c, with r and s even in 0 to 1.

    Errors: ValueError for a mesh without area.

    >>> flat = torch.tensor([[0.0, 0, 5], [1, 0, 5], [0, 1, 5]])
    >>> points, normals = sample_points(flat, torch.tensor([[0, 1, 2]]), 3)
    >>> points[:, 2], normals[0]
    (tensor([5., 5., 5.]), tensor([0., 0., 1.]))
    """
    normals = normals_of(vertices, faces)
    areas = normals.detach().norm(dim=1)
    if not len(faces) or not float(areas.sum()) > 0:
        raise ValueError("A mesh without area has no surface to draw points on.")
    random = torch.Generator(vertices.device).manual_seed(seed)
    ends = areas.cumsum(0)
    drawn = torch.rand(count, generator=random, device=vertices.device) * ends[-1]
    which = torch.searchsorted(ends, drawn).clamp(max=len(faces) - 1)
    r, s = torch.rand(2, count, 1, generator=random, device=vertices.device)
    a, b, c = corners_of(vertices, faces[which])
    points = (1 - r.sqrt()) * a + r.sqrt() * ((1 - s) * b + s * c)
    return points, torch.nn.functional.normalize(normals.index_select(0, which), dim=1)


def nearest(points: Float[Tensor, "n 3"], others: Float[Tensor, "m 3"]) -> Int64[Tensor, "n"]:
    """The index of the nearest of the others for each point, looked up in a tree (SciPy).

    >>> nearest(torch.tensor([[0.0, 0, 0]]), torch.tensor([[0.0, 0, 3], [0, 1, 0]]))
    tensor([1])
    """
    tree = KDTree(others.detach().cpu().numpy())
    return torch.from_numpy(tree.query(points.detach().cpu().numpy())[1]).to(points.device)


class Pairs(NamedTuple):
    """Of each of `points` the nearest of `others`, and of each of `others` the nearest of `points`."""

    there: Int64[Tensor, "n"]
    back: Int64[Tensor, "m"]


def pair(points: Float[Tensor, "n 3"], others: Float[Tensor, "m 3"]) -> Pairs:
    """Nearest neighbours both ways. Both losses below need them: looked up once, they may be handed to both.

    >>> pair(torch.tensor([[0.0, 0, 0]]), torch.tensor([[0.0, 0, 3], [0, 1, 0]])).back.tolist()
    [0, 0]
    """
    return Pairs(nearest(points, others), nearest(others, points))


def chamfer(
    points: Float[Tensor, "n 3"], others: Float[Tensor, "m 3"], pairs: Pairs | None = None
) -> Float[Tensor, ""]:
    """Chamfer distance: the mean squared distance to the nearest other point, both ways, summed. In squared lengths.

    >>> chamfer(torch.tensor([[0.0, 0, 0]]), torch.tensor([[0.0, 0, 1], [0, 2, 0]]))
    tensor(3.5000)
    """
    there, back = pairs or pair(points, others)
    towards = (points - others.index_select(0, there)).square().sum(1).mean()
    return towards + (others - points.index_select(0, back)).square().sum(1).mean()


def normal_agreement(
    points: Float[Tensor, "n 3"],
    normals: Float[Tensor, "n 3"],
    others: Float[Tensor, "m 3"],
    their_normals: Float[Tensor, "m 3"],
    pairs: Pairs | None = None,
) -> Float[Tensor, ""]:
    """Normal consistency, 0 to 1: the mean |cosine| between a point's normal and that of the nearest other point, of
    both ways.

    >>> here, up, across = torch.zeros(1, 3), torch.tensor([[0.0, 0, 1]]), torch.tensor([[0.0, 0.6, 0.8]])
    >>> normal_agreement(here, up, here, across)
    tensor(0.8000)
    """
    there, back = pairs or pair(points, others)
    towards = (normals * their_normals.index_select(0, there)).sum(1).abs().mean()
    return (towards + (their_normals * normals.index_select(0, back)).sum(1).abs().mean()) / 2


def normal_loss(
    points: Float[Tensor, "n 3"],
    normals: Float[Tensor, "n 3"],
    others: Float[Tensor, "m 3"],
    their_normals: Float[Tensor, "m 3"],
    pairs: Pairs | None = None,
) -> Float[Tensor, ""]:
    """The paper's absolute normal distance: -|cosine| to the nearest, mean of each way, summed; -2 at best.

    >>> here, up = torch.zeros(1, 3), torch.tensor([[0.0, 0, 1]])
    >>> normal_loss(here, up, here, -up)
    tensor(-2.)
    """
    return -2 * normal_agreement(points, normals, others, their_normals, pairs)


def edge_loss(vertices: Float[Tensor, "v 3"], edges: Int64[Tensor, "e 2"]) -> Float[Tensor, ""]:
    """The mean squared length of the edges: it draws vertices together, so that none flies away.

    >>> edge_loss(torch.tensor([[0.0, 0, 0], [0, 0, 2], [0, 3, 0]]), torch.tensor([[0, 1], [0, 2]]))
    tensor(6.5000)
    """
    return (vertices.index_select(0, edges[:, 0]) - vertices.index_select(0, edges[:, 1])).square().sum(1).mean()


def f1(points: Float[Tensor, "n 3"], others: Float[Tensor, "m 3"], distance: float) -> float:
    """F1 at a distance, 0 to 1: the harmonic mean of precision (the share of points within that distance of one of the
    others) and recall (the share of the others within it of one of the points).

    >>> f1(torch.tensor([[0.0, 0, 0], [0, 0, 9]]), torch.tensor([[0.0, 0, 1.0]]), 1.0)
    0.6666666666666666
    """
    there, back = pair(points, others)
    precision = float(((points - others[there]).norm(dim=1) <= distance).double().mean())
    recall = float(((others - points[back]).norm(dim=1) <= distance).double().mean())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
