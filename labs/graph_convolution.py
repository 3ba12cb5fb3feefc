"""Convolution on a mesh: each vertex looks at its neighbours along the edges, and at the picture below it.

Sources: Wang et al. 2018 (Pixel2Mesh); Gkioxari, Malik, Johnson 2019 (Mesh R-CNN, section 3.1: vertex alignment, graph
convolution).
"""

import torch
from jaxtyping import Float, Int64
from torch import Tensor


def edges_of(faces: Int64[Tensor, "f 3"]) -> Int64[Tensor, "e 2"]:
    """The edges of a mesh, each once, the smaller vertex first.

    >>> edges_of(torch.tensor([[0, 1, 2], [2, 1, 3]])).tolist()
    [[0, 1], [0, 2], [1, 2], [1, 3], [2, 3]]
    """
    pairs = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).sort(1).values
    count = int(faces.max()) + 1 if len(faces) else 1
    numbers = torch.unique(pairs[:, 0] * count + pairs[:, 1])
    return torch.stack([numbers // count, numbers % count], dim=1)


def sum_of_neighbours(features: Float[Tensor, "v c"], edges: Int64[Tensor, "e 2"]) -> Float[Tensor, "v c"]:
    """For each vertex the sum of what its neighbours have; zeros for a vertex without any.

    >>> sum_of_neighbours(torch.tensor([[1.0], [10.0], [100.0]]), torch.tensor([[0, 1], [1, 2]]))
    tensor([[ 10.],
            [101.],
            [ 10.]])
    """
    total = torch.zeros_like(features)
    total = total.index_add(0, edges[:, 0], features.index_select(0, edges[:, 1]))
    return total.index_add(0, edges[:, 1], features.index_select(0, edges[:, 0]))


def graph_convolution(
    features: Float[Tensor, "v c"],
    edges: Int64[Tensor, "e 2"],
    own: Float[Tensor, "d c"],
    others: Float[Tensor, "d c"],
    bias: Float[Tensor, "d"],
) -> Float[Tensor, "v d"]:
    """ReLU(W0 fᵢ + b + Σⱼ W1 fⱼ), j over the neighbours of i: one matrix for the vertex, one for all its neighbours.

    >>> pair, edge = torch.tensor([[1.0], [2.0]]), torch.tensor([[0, 1]])
    >>> graph_convolution(pair, edge, torch.tensor([[1.0]]), torch.tensor([[-1.0]]), torch.zeros(1))
    tensor([[0.],
            [1.]])
    """
    # The product before the sum: it is linear, and most layers have fewer channels after it.
    neighbours = sum_of_neighbours(features @ others.T, edges)
    return torch.relu(torch.nn.functional.linear(features, own, bias) + neighbours)


def vertex_alignment(
    maps: Float[Tensor, "n c h w"], points: Float[Tensor, "v 2"], picture: Int64[Tensor, "v"], cell: float
) -> Float[Tensor, "v c"]:
    """What the feature maps hold where the vertices fall into the picture, between the middles of four cells.

    Args:
        points: x, y in pixels; z plays no part. Beyond the middles of the outermost cells their value goes on.
        picture: which of the maps each vertex reads.
        cell: pixels per cell of the maps.

    >>> maps = torch.arange(4.0).reshape(1, 1, 2, 2)  # cells of 4 pixels, with middles at 2 and 6
    >>> vertex_alignment(maps, torch.tensor([[2.0, 2], [4, 2], [4, 4]]), torch.zeros(3, dtype=torch.int64), 4.0)
    tensor([[0.0000],
            [0.5000],
            [1.5000]])
    """
    corners, shares = corners_read(points, cell, (maps.shape[-1], maps.shape[-2]))
    flat = maps.permute(0, 2, 3, 1).flatten(0, 2)
    places = (picture[:, None] * maps.shape[-2] + corners[..., 1]) * maps.shape[-1] + corners[..., 0]
    return (flat.index_select(0, places.flatten()).reshape(*places.shape, -1) * shares[..., None]).sum(1)


def corners_read(
    points: Float[Tensor, "v 2"], cell: float, size: tuple[int, int]
) -> tuple[Int64[Tensor, "v 4 2"], Float[Tensor, "v 4"]]:
    """The four cells that a bilinear reading takes for each point, as column and row, and their shares, which sum to 1.

    Args:
        points: x, y in pixels. cell: pixels per cell. size: columns and rows of the map.

    >>> corners_read(torch.tensor([[5.0, 2.0]]), 4.0, (3, 3))
    (tensor([[[0, 0],
             [1, 0],
             [0, 1],
             [1, 1]]]), tensor([[0.2500, 0.7500, 0.0000, 0.0000]]))
    """
    last = torch.tensor(size, device=points.device) - 1
    place = (points / cell - 0.5).clamp(min=0).minimum(last.to(points))
    low = place.floor().minimum((last - 1).clamp(min=0).to(points))
    part = place - low
    low = low.long()
    high = (low + 1).minimum(last)
    columns = torch.stack([low[:, 0], high[:, 0], low[:, 0], high[:, 0]], dim=1)
    rows = torch.stack([low[:, 1], low[:, 1], high[:, 1], high[:, 1]], dim=1)
    x, y = part.unbind(1)
    shares = torch.stack([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y], dim=1)
    return torch.stack([columns, rows], dim=-1), shares
