"""From a silhouette to a solid: Poisson's equation blows the outline up like a pillow.

Inside the outline u solves Δu = -4, with u = 0 on the outline, and the solid is all (x, y, z) with z² <= u(x, y). For a
disc u = R² - r², so its solid is exactly the ball of the same radius. Any other silhouette becomes a smooth closed toy
that seen from the front fills its outline and nothing else. Lengths are in the unit of `cell`; x goes to the right, y
down, z away from whoever looks.

Sources: Grady, Tasdizen, Whitaker 2005 (inflating segments by Poisson's equation); Shortley and Weller 1938 (the
outline between two cells); Lorensen and Cline 1987 (marching cubes).
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int, Int64
from scipy import sparse
from scipy.sparse.linalg import spsolve
from skimage.measure import marching_cubes
from torch import Tensor

INSIDE = 0.5  # a cell belongs to the thing where more than this share of it is covered
CLOSEST = 0.05  # of a cell: the outline never comes nearer to the middle of a cell, or its row would have no end
STEPS = ((0, 1), (0, -1), (1, 0), (-1, 0))


@dataclass(frozen=True, eq=False)
class Mesh:
    """A closed surface of triangles: `vertices` float32 (V, 3) as x, y, z, and `faces` int64 (F, 3), the indices of
    three vertices each, so ordered that (b - a) × (c - a) points outwards."""

    vertices: Tensor
    faces: Tensor


def outline(coverage: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "4 h w"]:
    """How far the outline is from the middle of each inner cell, 0 to 1 cells, to the right, left, down and up; 1 also
    where the neighbour is an inner cell.

    >>> outline(np.array([[0, 0, 0], [0, 1.0, 0.25], [0, 0, 0]]))[:, 1, 1]
    array([0.66666667, 0.5       , 0.5       , 0.5       ])
    """
    level = coverage - INSIDE
    far = np.ones((4, *coverage.shape))
    for side, (down, right) in enumerate(STEPS):
        beside = np.roll(level, (-down, -right), (0, 1))
        crossed = (level > 0) & (beside <= 0)
        far[side][crossed] = np.maximum(level[crossed] / (level[crossed] - beside[crossed]), CLOSEST)
    return far


def poisson(coverage: Float[np.ndarray, "h w"], cell: float = 1.0) -> Float[np.ndarray, "h w"]:
    """u in the middle of each cell, >= 0: Δu = -4 inside the outline, u = 0 on it and outside. In squared lengths.

    Errors: ValueError where no cell is covered by more than half, or the thing touches the edge of the grid.

    >>> poisson(np.pad(np.ones((1, 3)), 1))[1, 1:4].round(3)
    array([0.386, 0.477, 0.386])
    """
    inner = coverage > INSIDE
    if not inner.any():
        raise ValueError("This silhouette covers no cell by more than half, so there is nothing to inflate.")
    if inner[[0, -1]].any() or inner[:, [0, -1]].any():
        raise ValueError("A silhouette must not touch the edge of its grid.")
    number = np.full(coverage.shape, -1)
    number[inner] = np.arange(inner.sum())
    far = outline(coverage)
    rows, columns, values = [], [], []
    diagonal = np.zeros(inner.sum())
    for side, (down, right) in enumerate(STEPS):
        beside = np.roll(number, (-down, -right), (0, 1))[inner]
        near, opposite = far[side][inner], far[side ^ 1][inner]
        weight = 2 / (near * (near + opposite))  # of the neighbour, or of the outline in its place, where u is 0
        diagonal += weight
        rows.append(np.flatnonzero(beside >= 0))
        columns.append(beside[beside >= 0])
        values.append(-weight[beside >= 0])
    rows.append(np.arange(len(diagonal)))
    columns.append(rows[-1])
    values.append(diagonal)
    places = (np.concatenate(rows), np.concatenate(columns))
    matrix = sparse.csc_matrix((np.concatenate(values), places), shape=(len(diagonal),) * 2)
    u = np.zeros(coverage.shape)
    u[inner] = spsolve(matrix, np.full(len(diagonal), 4.0 * cell**2), permc_spec="MMD_AT_PLUS_A")
    return u


def level_set(
    u: Float[np.ndarray, "h w"], coverage: Float[np.ndarray, "h w"], cell: float = 1.0
) -> tuple[Float[np.ndarray, "d h w"], float]:
    """u(x, y) - z² on a grid of cubic cells, positive inside the solid, and the z of its first layer.

    Beyond the outline u goes on falling as it fell inside, so that the surface crosses between two cells where the
    outline does.

    >>> bar = np.pad(np.ones((1, 3)), 1)
    >>> field, first = level_set(poisson(bar), bar)
    >>> field.shape, first, field[2, 1].round(3)
    ((5, 3, 5), -2.0, array([-0.386,  0.386,  0.477,  0.386, -0.386]))
    """
    inner, far = coverage > INSIDE, outline(coverage)
    total, count = np.zeros_like(u), np.zeros_like(u)
    for side, (down, right) in enumerate(STEPS):
        share = np.maximum(far[side], CLOSEST)
        beyond = np.roll(np.where(inner & (far[side] < 1), -u * (1 - share) / share, 0), (down, right), (0, 1))
        total, count = total + beyond, count + (beyond < 0)
    fallen = np.where(count > 0, total / np.maximum(count, 1), -(cell**2))
    deep = int(np.ceil(np.sqrt(u.max()) / cell)) + 1
    z = np.arange(-deep, deep + 1) * cell
    return np.where(inner, u, fallen)[None] - (z**2)[:, None, None], float(z[0])


def inflate(coverage: Float[np.ndarray, "h w"], corner: tuple[float, float] = (0.0, 0.0), cell: float = 1.0) -> Mesh:
    """The closed solid of a silhouette, whose grid has its upper left corner there and cells of that side.

    Errors: ValueError as in `poisson`.

    >>> rows, columns = np.mgrid[:43, :43] - 21.0
    >>> ball = inflate(np.clip(20.5 - np.hypot(rows, columns), 0, 1), (-21.5, -21.5))
    >>> radii = ball.vertices.norm(dim=1)
    >>> bool(radii.min() > 19.6), bool(radii.max() < 20.2)
    (True, True)
    """
    volume, first = level_set(poisson(coverage, cell), coverage, cell)
    corners, faces, *_ = marching_cubes(volume, 0.0, gradient_direction="ascent", allow_degenerate=False)
    start = np.array([corner[0] + cell / 2, corner[1] + cell / 2, first])
    vertices = torch.from_numpy((corners[:, ::-1] * cell + start).astype(np.float32))
    return Mesh(vertices, torch.from_numpy(faces[:, ::-1].astype(np.int64)))


def volume(vertices: Float[Tensor, "v 3"], faces: Int64[Tensor, "f 3"]) -> float:
    """What a closed mesh encloses, in cubed lengths; negative if its triangles look inwards.

    >>> corners = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    >>> round(volume(corners, torch.tensor([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])), 4)
    0.1667
    """
    a, b, c = vertices[faces].unbind(1)
    return float((a * torch.linalg.cross(b, c)).sum() / 6)


SEEN, HIDDEN, OUTSIDE = range(3)


def fates(places: Float[np.ndarray, "n 2"], panoptic: Int[np.ndarray, "h w"], identity: int) -> Int[np.ndarray, "n"]:
    """What becomes of points x, y of a thing in a picture whose panoptic map is given: SEEN where the pixel belongs to
    the thing, HIDDEN where to something else, OUTSIDE where the picture has ended.

    >>> fates(np.array([[0.5, 0.5], [1.0, 0.5], [2.0, 0.5]]), np.array([[10, 11]]), 10)
    array([0, 1, 2])
    """
    columns, rows = np.floor(places).astype(int).T
    height, width = panoptic.shape
    within = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    found = np.where(within, HIDDEN, OUTSIDE)
    found[within] = np.where(panoptic[rows[within], columns[within]] == identity, SEEN, HIDDEN)
    return found
