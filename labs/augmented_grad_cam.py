"""Augmented Grad-CAM: many coarse maps of turned and shifted views make one fine map.

A network's map g_l of view x_l = A_l x is modelled as D A_l h: the fine map h, warped like the picture, then averaged
over the cells of the coarse map. This module makes the views, holds A_l and D as matrices, and says which cells of a
view's map may be believed; `labs.super_resolution` solves for h.

Coordinates are continuous, pixel i spans i to i+1 (torch's align_corners=False), and everything turns about the middle
of the picture. Angles in radians, positive from x to y (clockwise on the screen).

Source: Morbidelli, Carrera, Rossi, Fragneto and Boracchi 2020 (Augmented Grad-CAM).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Float32, Float64
from scipy import sparse
from torch import Tensor

from labs.super_resolution import RIDGE, TOTAL_VARIATION, Problem

FINE = 56  # cells a side of the fine map
VIEWS, ANGLE, SHIFT, SIDE = 32, 0.5, 30.0, 224  # radians and pixels to either side; the paper's, of 100 views
WHOLE = 1 - 1e-5  # a cell that keeps that much of its weight inside the picture saw no fill


@dataclass(frozen=True, eq=False)
class Warps:
    """Rotations about the middle of a square picture, followed by shifts.

    Attributes:
        angles: radians.
        shifts: to the right and down, in shares of the picture's side.
    """

    angles: Float64[Tensor, " views"]
    shifts: Float64[Tensor, "views 2"]

    def __len__(self) -> int:
        return len(self.angles)

    def sampling(self) -> Float64[Tensor, "views 2 3"]:
        """Where each output reads, as `affine_grid` wants it: output to input, picture = -1 to 1.

        >>> quarter_right = Warps(torch.zeros(1).double(), torch.tensor([[0.25, 0]]).double())
        >>> quarter_right.sampling()  # each output reads a quarter of the picture, 0.5 of -1 to 1, further to the left
        tensor([[[ 1.0000,  0.0000, -0.5000],
                 [-0.0000,  1.0000, -0.0000]]], dtype=torch.float64)
        """
        cos, sin = self.angles.cos(), self.angles.sin()
        back = torch.stack([torch.stack([cos, sin], -1), torch.stack([-sin, cos], -1)], -2)
        return torch.cat([back, -(back @ (2 * self.shifts)[..., None])], -1)

    def unwarping(self) -> Float64[Tensor, "views 2 3"]:
        """The same for the inverse warp.

        >>> Warps(torch.zeros(1).double(), torch.tensor([[0.25, 0]]).double()).unwarping()
        tensor([[[1.0000, -0.0000, 0.5000],
                 [0.0000, 1.0000, 0.0000]]], dtype=torch.float64)
        """
        cos, sin = self.angles.cos(), self.angles.sin()
        forth = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)
        return torch.cat([forth, (2 * self.shifts)[..., None]], -1)


@dataclass(frozen=True, eq=False)
class Posed:
    """A problem for `labs.super_resolution`, ready to be solved.

    Attributes:
        problem: for the maps divided by `scale`, believed cells only.
        mean: of the unwarped maps in their own units; over `scale` it is the first guess.
        believed: the cells that take part.
        scale: the largest magnitude of all maps, in their units; 1 if they are all zero.
    """

    problem: Problem
    mean: Float32[Tensor, "s s"]
    believed: Bool[Tensor, "views n n"]
    scale: float


def random_warps(
    views: int = VIEWS, angle: float = ANGLE, shift: float = SHIFT, side: int = SIDE, seed: int = 0
) -> Warps:
    """Warps for so many views; view 0 is the picture itself, the others are uniform in ±angle and, per axis, ±shift.

    Args:
        views: at least 1. The first views of a seed are the same for any number of them.
        angle: largest rotation, radians, 0 to π.
        shift: largest shift along each axis, pixels, 0 to half the side.
        side: of the picture in pixels.
        seed: of the draw.

    Raises:
        ValueError: a value out of range.

    >>> random_warps(views=3).angles
    tensor([ 0.0000, -0.4835,  0.1066], dtype=torch.float64)
    """
    if views < 1:
        raise ValueError(f"At least one view is needed, not {views}.")
    if not 0 <= angle <= np.pi or not 0 <= shift <= side / 2:
        raise ValueError(f"Angles go from 0 to π and shifts to {side / 2:g} pixels, not {angle:g} and {shift:g}.")
    draws = torch.from_numpy(np.random.default_rng(seed).uniform(-1, 1, (views, 3)))
    draws[0] = 0
    return Warps(draws[:, 0] * angle, draws[:, 1:] * (shift / side))


def warp_pictures(image: Float[Tensor, "c s s"], warps: Warps, fill: Sequence[float]) -> Float[Tensor, "views c s s"]:
    """All views of one picture in one batch, bilinear, beyond its edges `fill`: a value for each channel.

    View 0 of `random_warps` is the picture itself, untouched. Errors: ValueError if the picture is not square, or
    `fill` has another number of channels.

    >>> half_right = Warps(torch.zeros(1).double(), torch.tensor([[0.5, 0]]).double())
    >>> warp_pictures(torch.tensor([[[1.0, 2], [3, 4]]]), half_right, fill=[9.0])
    tensor([[[[9., 1.],
              [9., 3.]]]])
    """
    if image.ndim != 3 or image.shape[1] != image.shape[2] or len(fill) != len(image):
        raise ValueError(
            f"Views are made of a square picture (C, S, S) and C fill values, not {tuple(image.shape)} and {len(fill)}."
        )
    colour = image.new_tensor(fill).view(-1, 1, 1)
    # grid_sample fills with zeros, so the fill colour becomes the zero
    views = _sample((image - colour).expand(len(warps), *image.shape), warps.sampling()) + colour
    still = (warps.angles == 0) & (warps.shifts == 0).all(1)
    views[still] = image
    return views


def warp_matrix(warps: Warps, size: int = FINE) -> sparse.csr_array:
    """A = (A_1; …; A_L), bilinear, zeros beyond the edges: float32 (L·size², size²) for L views.

    A times a flattened map is what `grid_sample` makes of it, one view after the other; its transpose is the adjoint.

    >>> half_right = Warps(torch.zeros(1).double(), torch.tensor([[0.5, 0]]).double())
    >>> warp_matrix(half_right, size=2) @ np.array([1, 2, 3, 4], np.float32)
    array([0., 1., 0., 3.], dtype=float32)
    """
    grid = F.affine_grid(warps.sampling(), [len(warps), 1, size, size], align_corners=False)
    places = ((grid + 1) * (size / 2) - 0.5).numpy().reshape(-1, 2)  # x and y in cells, cell 0 has its centre at 0
    corner = np.floor(places).astype(np.int64)
    fraction = places - corner
    rows, columns, weights = [], [], []
    for right in (0, 1):
        for down in (0, 1):
            x, y = corner[:, 0] + right, corner[:, 1] + down
            weight = np.abs(1 - right - fraction[:, 0]) * np.abs(1 - down - fraction[:, 1])
            inside = np.flatnonzero((x >= 0) & (x < size) & (y >= 0) & (y < size) & (weight > 1e-9))
            rows.append(inside)
            columns.append((y * size + x)[inside])
            weights.append(weight[inside].astype(np.float32))
    entries = (np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.csr_array(entries, shape=(len(places), size * size))


def pooling_matrix(size: int, cells: int) -> sparse.csr_array:
    """D: the average of each (size / cells)² block of a map, float32 (cells², size²).

    Errors: ValueError unless `cells` divides `size`.

    >>> pooling_matrix(size=2, cells=1).toarray()
    array([[0.25, 0.25, 0.25, 0.25]], dtype=float32)
    """
    _check(size, cells)
    step = size // cells
    one_axis = sparse.kron(sparse.eye_array(cells), np.full((1, step), 1 / step), format="csr")
    return sparse.kron(one_axis, one_axis, format="csr").astype(np.float32)


def view_operator(warps: Warps, size: int, cells: int) -> sparse.csr_array:
    """K = (D A_1; …; D A_L), float32 (L·cells², size²) for L views: from the fine map to all coarse maps, flattened.

    >>> view_operator(random_warps(views=3), size=8, cells=2).shape
    (12, 64)
    """
    pooling = sparse.block_diag([pooling_matrix(size, cells)] * len(warps), format="csr")
    return (pooling @ warp_matrix(warps, size)).tocsr()


def believed_cells(operator: sparse.csr_array, cells: int) -> Bool[Tensor, "views {cells} {cells}"]:
    """Which cells of which view lie wholly inside the picture. The others saw some fill.

    `operator` is K: a row's weights add up to the share of its cell that is inside.

    >>> half_right = Warps(torch.zeros(1).double(), torch.tensor([[0.5, 0]]).double())
    >>> believed_cells(view_operator(half_right, size=4, cells=2), cells=2)
    tensor([[[False,  True],
             [False,  True]]])
    """
    return torch.from_numpy(np.asarray(operator.sum(axis=1)).reshape(-1, cells, cells) >= WHOLE)


def pose(
    maps: Float[Tensor, "views n n"],
    warps: Warps,
    total_variation: float = TOTAL_VARIATION,
    ridge: float = RIDGE,
    size: int = FINE,
    positive: bool = True,
) -> Posed:
    """From the maps of all views to the problem whose solution is the fine map.

    Args:
        maps: from the views of `warps`, n a divisor of `size`; ≥ 0 where `positive`.
        total_variation, ridge: λ and μ, for maps of 0 to 1.
        size: cells a side of the fine map.
        positive: ask for h ≥ 0, as fits maps after a ReLU.

    Raises:
        ValueError: a map for each view is missing, sizes that do not fit, or a negative weight.

    >>> posed = pose(torch.full((1, 7, 7), 2.0), random_warps(views=1))
    >>> posed.scale, posed.problem.operator.shape, posed.mean.shape  # 7² equations for 56² cells
    (2.0, (49, 3136), torch.Size([56, 56]))
    """
    if len(maps) != len(warps) or maps.ndim != 3 or maps.shape[1] != maps.shape[2]:
        raise ValueError(f"{len(warps)} views need as many square maps, not {tuple(maps.shape)}.")
    operator = view_operator(warps, size, maps.shape[-1])
    believed = believed_cells(operator, maps.shape[-1])
    scale = float(maps.abs().max()) or 1.0
    rows = believed.flatten().numpy()
    problem = Problem(operator[rows], maps.float().numpy().ravel()[rows] / scale, total_variation, ridge, positive)
    return Posed(problem, mean_unwarped(maps, believed, warps, size), believed, scale)


def unwarped(
    maps: Float[Tensor, "views n n"], believed: Bool[Tensor, "views n n"], warps: Warps, size: int = FINE
) -> tuple[Float32[Tensor, "views {size} {size}"], Float32[Tensor, "views {size} {size}"]]:
    """Every view's map enlarged and turned back: values and their weights.

    `believed` comes from `believed_cells`. The weight is how much of a place comes from believed cells of the view,
    0 to 1; values are already multiplied by it.

    >>> half_right = Warps(torch.zeros(1).double(), torch.tensor([[0.5, 0]]).double())
    >>> believed = torch.tensor([[[False, True], [False, True]]])
    >>> unwarped(torch.tensor([[[9.0, 1], [9, 3]]]), believed, half_right, size=2)
    (tensor([[[1., 0.],
              [3., 0.]]]), tensor([[[1., 0.],
              [1., 0.]]]))
    """
    stack = torch.stack([maps.float() * believed, believed.float()], dim=1)
    large = F.interpolate(stack, (size, size), mode="bilinear", align_corners=False)
    values, weights = _sample(large, warps.unwarping()).unbind(1)
    return values, weights


def mean_unwarped(
    maps: Float[Tensor, "views n n"], believed: Bool[Tensor, "views n n"], warps: Warps, size: int = FINE
) -> Float32[Tensor, "{size} {size}"]:
    """The simple answer: the mean of the unwarped maps, each place over the views that saw it.

    Zero where no view saw anything; view 0 of `random_warps` sees all.

    >>> still_and_half_right = Warps(torch.zeros(2).double(), torch.tensor([[0, 0], [0.5, 0]]).double())
    >>> believed = torch.tensor([[[True, True], [True, True]], [[False, True], [False, True]]])
    >>> mean_unwarped(torch.tensor([[[1.0, 2], [3, 4]], [[9, 5], [9, 7]]]), believed, still_and_half_right, size=2)
    tensor([[3., 2.],
            [5., 4.]])
    """
    values, weights = (part.sum(0) for part in unwarped(maps, believed, warps, size))
    return torch.where(weights > 0, values / weights.clamp(min=1e-6), 0)


def enlarged(coarse: Float[Tensor, "n n"], size: int = FINE) -> Float32[Tensor, "{size} {size}"]:
    """One map enlarged bilinearly between its cells: no super-resolution.

    >>> enlarged(torch.tensor([[0.0, 4], [0, 4]]), size=4)[0]
    tensor([0., 1., 3., 4.])
    """
    return F.interpolate(coarse[None, None].float(), (size, size), mode="bilinear", align_corners=False)[0, 0]


def _sample(
    pictures: Float[Tensor, "views c s s"], matrices: Float[Tensor, "views 2 3"]
) -> Float[Tensor, "views c s s"]:
    grid = F.affine_grid(matrices.to(pictures), list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _check(size: int, cells: int) -> None:
    if cells < 1 or size % cells:
        raise ValueError(f"A fine map of {size} cells a side cannot be pooled to {cells}: take a multiple of {cells}.")
