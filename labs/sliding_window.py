"""A classifier slid over a picture window by window, and the same weights run once over the whole picture.

A fully connected layer on an h×w map is a convolution with an h×w filter; seen so, a classifier takes pictures of any
size and gives one vector of scores per window (Sermanet et al. 2014, OverFeat, section 3.5; Long et al. 2015, 3.1).
Sides and strides are in pixels, boxes xyxy in pixels.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from labs.receptive_field import Layer, output_sizes, trace

# The lectures' example: 4 filters of 5×5×3, pool 4, 100 filters of 6×6×4, one filter of 1×1×100 per output.
CLASSES = ("car", "motorcycle", "street sign", "other")
LAYERS = (Layer("conv", 5), Layer("max pool", 4, 4), Layer("conv", 6), Layer("conv", 1))
NAMES = ("conv 5×5×3", "max pool 4", "conv 6×6×4", "conv 1×1×100")
WINDOW, STRIDE = 28, 4  # of one output on the picture: window_on_each_map()[0]


class Windows(NamedTuple):
    """Windows that speak for a class: `boxes` xyxy, `labels` indices into CLASSES, `scores` 0 to 1, best first."""

    boxes: Float[Tensor, "n 4"]
    labels: Int64[Tensor, " n"]
    scores: Float[Tensor, " n"]


def positions(height: int, width: int, window_height: int, window_width: int) -> int:
    """Places of one window in a picture, (H-h+1)(W-w+1); 0 where it does not fit.

    >>> positions(3, 4, window_height=2, window_width=2)
    6
    """
    return max(height - window_height + 1, 0) * max(width - window_width + 1, 0)


def all_boxes(height: int, width: int) -> int:
    """Boxes of every size at every place, H(H+1)/2 · W(W+1)/2: the sum of `positions` over all windows.

    >>> all_boxes(2, 2), all_boxes(224, 224)
    (9, 635040000)
    """
    return height * (height + 1) // 2 * (width * (width + 1) // 2)


def windows_along(size: int, window: int, stride: int) -> int:
    """Windows along one axis. Errors: ValueError when not even one fits.

    >>> windows_along(36, window=28, stride=4)
    3
    """
    if window > size or min(window, stride) < 1:
        raise ValueError(f"A window of {window} pixels at stride {stride} does not fit into {size}.")
    return (size - window) // stride + 1


def layers(outputs: int = len(CLASSES), filters: int = 4, units: int = 100) -> nn.Sequential:
    """The example's layers, freshly initialised: pictures (N, 3, H, W) to scores (N, outputs, rows, columns).

    Four class scores, or eight with the four coordinates of a box beside them. More `filters` and `units` make it
    wider; its shape, and so its window and stride, stay.

    >>> layers(outputs=8)(torch.zeros(1, 3, 32, 28)).shape
    torch.Size([1, 8, 2, 1])
    """
    return nn.Sequential(
        nn.Conv2d(3, filters, 5), nn.ReLU(), nn.MaxPool2d(4), nn.Conv2d(filters, units, 6), nn.ReLU(),
        nn.Conv2d(units, outputs, 1),
    )  # fmt: skip


def classifier(outputs: int = len(CLASSES), seed: int = 0) -> nn.Sequential:
    """The example's network with random weights, in eval mode. The same seed, the same weights.

    >>> classifier(outputs=8)(torch.zeros(1, 3, 28, 28)).shape
    torch.Size([1, 8, 1, 1])
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = layers(outputs)
    return network.eval().requires_grad_(False)


def as_convolution(dense: nn.Linear, height: int, width: int) -> nn.Conv2d:
    """A fully connected layer on flattened maps of height × width as a convolution: the same weights, reshaped.

    Row u of the weights (units, channels · height · width) becomes filter u (channels, height, width). Errors:
    ValueError where the layer's inputs are no whole number of such maps.

    >>> dense = nn.Linear(144, 100)
    >>> as_convolution(dense, 6, 6).weight.shape
    torch.Size([100, 4, 6, 6])
    """
    if dense.in_features % (height * width):
        raise ValueError(f"{dense.in_features} inputs are no maps of {height} × {width}.")
    channels = dense.in_features // (height * width)
    convolution = nn.Conv2d(
        channels, dense.out_features, (height, width), bias=dense.bias is not None, dtype=dense.weight.dtype
    )
    with torch.no_grad():
        convolution.weight.copy_(dense.weight.reshape(convolution.weight.shape))
        if convolution.bias is not None:
            convolution.bias.copy_(dense.bias)
    return convolution


def as_fully_connected(convolution: nn.Conv2d) -> nn.Linear:
    """The inverse of `as_convolution`: one row of weights for each filter.

    >>> as_fully_connected(nn.Conv2d(4, 100, 6)).weight.shape
    torch.Size([100, 144])
    """
    dense = nn.Linear(
        convolution.weight[0].numel(), convolution.out_channels, convolution.bias is not None,
        dtype=convolution.weight.dtype,
    )  # fmt: skip
    with torch.no_grad():
        dense.weight.copy_(convolution.weight.flatten(1))
        if convolution.bias is not None:
            dense.bias.copy_(convolution.bias)
    return dense


def with_dense_layers(network: nn.Sequential) -> nn.Sequential:
    """`layers` as a classifier is usually drawn: after the pool the map is flattened, then two fully connected layers.

    It takes 28×28 pictures alone: (N, 3, 28, 28) to (N, outputs).

    >>> with_dense_layers(classifier())(torch.zeros(2, 3, 28, 28)).shape
    torch.Size([2, 4])
    """
    first, relu, pool, hidden, other, last = network
    dense = [as_fully_connected(each) for each in (hidden, last) if isinstance(each, nn.Conv2d)]
    return nn.Sequential(first, relu, pool, nn.Flatten(), dense[0], other, dense[1]).eval().requires_grad_(False)


def map_sizes(size: int) -> list[int]:
    """Side of the picture and of the map after each of LAYERS. Errors: ValueError for pictures below 28 pixels.

    >>> map_sizes(28), map_sizes(36)
    ([28, 24, 6, 1, 1], [36, 32, 8, 3, 3])
    """
    return output_sizes(LAYERS, size)


def window_on_each_map() -> list[tuple[int, int]]:
    """Window and stride as they appear on the picture and on the map after each layer but the last.

    What one output sees of each map, by the rule for receptive fields: strides are multiplied.

    >>> window_on_each_map()
    [(28, 4), (24, 4), (6, 1), (1, 1)]
    """
    fields = [trace(LAYERS[depth:])[-1] for depth in range(len(LAYERS))]
    return [(field.size, field.jump) for field in fields]


def window_boxes(rows: int, columns: int, window: int = WINDOW, stride: int = STRIDE) -> Float[Tensor, "r c 4"]:
    """Every output's window on the picture.

    >>> window_boxes(2, 1)[1, 0]
    tensor([ 0.,  4., 28., 32.])
    """
    y, x = torch.meshgrid(torch.arange(rows) * stride, torch.arange(columns) * stride, indexing="ij")
    return torch.stack([x, y, x + window, y + window], dim=-1).float()


def scores_by_window(
    network: nn.Module,
    picture: Float[Tensor, "3 h w"],
    window: int,
    stride: int,
    batch: int = 1,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> Float[Tensor, "c rows columns"]:
    """Cut every window out and classify it on its own.

    Args:
        network: (N, 3, window, window) to (N, C, 1, 1).
        batch: windows per pass.
        report: called after each pass with the number of windows done and of all.

    >>> scores_by_window(classifier(), torch.zeros(3, 36, 32), window=28, stride=4).shape
    torch.Size([4, 3, 2])
    """
    rows, columns = (windows_along(side, window, stride) for side in picture.shape[1:])
    crops = picture.unfold(1, window, stride).unfold(2, window, stride)  # (3, rows, columns, window, window), a view
    found = []
    for start in range(0, rows * columns, batch):
        places = torch.arange(start, min(start + batch, rows * columns))
        found.append(network(crops[:, places // columns, places % columns].transpose(0, 1))[:, :, 0, 0])
        report(int(places[-1]) + 1, rows * columns)
    return torch.cat(found).T.reshape(-1, rows, columns)


def scores_at_once(network: nn.Module, picture: Float[Tensor, "3 h w"]) -> Float[Tensor, "c rows columns"]:
    """The same scores in one pass over the whole picture.

    >>> network, picture = classifier(), torch.rand(3, 36, 32)
    >>> torch.allclose(scores_at_once(network, picture), scores_by_window(network, picture, 28, 4), atol=1e-6)
    True
    """
    return network(picture[None])[0]


def above(
    probabilities: Float[Tensor, "c rows columns"], boxes: Float[Tensor, "rows columns 4"], threshold: float
) -> Windows:
    """The windows that say a class, the last one ("other") left out, with at least this probability.

    A window that says two classes stands there twice. Equal scores come in the order of the classes, then of reading.

    >>> p = torch.tensor([0.6, 0.3, 0.1]).view(3, 1, 1)
    >>> above(p, window_boxes(1, 1), 0.5)
    Windows(boxes=tensor([[ 0.,  0., 28., 28.]]), labels=tensor([0]), scores=tensor([0.6000]))
    """
    spoken = probabilities[:-1]
    labels, rows, columns = (spoken >= threshold).nonzero(as_tuple=True)
    scores = spoken[labels, rows, columns]
    order = scores.argsort(descending=True, stable=True)
    return Windows(boxes[rows, columns][order], labels[order], scores[order])


def filter_places(size: int, kernel: int) -> Int64[Tensor, " size"]:
    """On how many of its places along one axis a filter covers each pixel. Errors: ValueError where it does not fit.

    >>> filter_places(7, kernel=3)
    tensor([1, 2, 3, 3, 3, 2, 1])
    """
    windows_along(size, kernel, 1)
    pixels = torch.arange(size)
    return pixels.clamp(max=size - kernel) - (pixels - kernel + 1).clamp(min=0) + 1


def times_convolved(
    height: int, width: int, kernel: int = 5, window: int | None = None, stride: int = STRIDE
) -> Int64[Tensor, "h w"]:
    """How often each pixel is multiplied with the weights of one filter of kernel × kernel.

    In one pass over the whole picture; with `window`, in all windows together, each convolved on its own. Windows
    overlap, so the same product is computed again and again.

    >>> times_convolved(3, 4, kernel=2)
    tensor([[1, 2, 2, 1],
            [2, 4, 4, 2],
            [1, 2, 2, 1]])
    >>> times_convolved(224, 224).max(), times_convolved(224, 224, window=28).max()
    (tensor(25), tensor(900))
    """

    def along(size: int) -> Tensor:
        if window is None:
            return filter_places(size, kernel)
        counts = torch.zeros(size, dtype=torch.int64)
        for first in range(0, windows_along(size, window, stride) * stride, stride):
            counts[first : first + window] += filter_places(window, kernel)
        return counts

    return along(height)[:, None] * along(width)[None]  # rows and columns of windows are independent


def multiply_adds(network: nn.Module, *shape: int) -> int:
    """Multiply-adds of one pass over float zeros of that shape, as torch counts them (two operations each).

    >>> multiply_adds(nn.Conv2d(3, 4, kernel_size=5), 1, 3, 28, 28)  # 24 · 24 · 4 outputs, 5 · 5 · 3 each
    172800
    """
    parameter = next(network.parameters())
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(shape, device=parameter.device))
    return counter.get_total_flops() // 2
