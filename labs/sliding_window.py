"""A classifier slid over a picture window by window, and the same weights run once over the whole picture.

A fully connected layer on an h×w map is a convolution with an h×w filter; seen so, a classifier takes pictures of any
size and gives one vector of scores per window (Sermanet et al. 2014, OverFeat, section 3.5; Long et al. 2015, 3.1).
Sides and strides are in pixels.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from labs.receptive_field import Layer, output_sizes, trace

# The lectures' example: 4 filters of 5×5×3, pool 4, 100 filters of 6×6×4, one filter of 1×1×100 per output.
CLASSES = ("car", "motorcycle", "street sign", "other")
LAYERS = (Layer("conv", 5), Layer("max pool", 4, 4), Layer("conv", 6), Layer("conv", 1))
NAMES = ("conv 5×5×3", "max pool 4", "conv 6×6×4", "conv 1×1×100")


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


def classifier(outputs: int = len(CLASSES), seed: int = 0) -> nn.Sequential:
    """The example's network with random weights, in eval mode: 28×28 pictures to `outputs` scores.

    Four class scores, or eight with the four coordinates of a box beside them. The same seed, the same weights.

    >>> classifier(outputs=8)(torch.zeros(1, 3, 28, 28)).shape
    torch.Size([1, 8, 1, 1])
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = nn.Sequential(
            nn.Conv2d(3, 4, 5), nn.ReLU(), nn.MaxPool2d(4), nn.Conv2d(4, 100, 6), nn.ReLU(), nn.Conv2d(100, outputs, 1)
        )
    return network.eval().requires_grad_(False)


def map_sizes(size: int) -> list[int]:
    """Side of the picture and of the map after each of LAYERS. Errors: ValueError for pictures below 28 pixels.

    >>> map_sizes(28), map_sizes(36)
    ([28, 24, 6, 1, 1], [36, 32, 8, 3, 3])
    """
    return output_sizes(LAYERS, size)


def window_on_each_map() -> list[tuple[int, int]]:
    """Window and stride as they appear on the picture and on the map after each layer but the last.

    What one output sees of each map, by the rule for receptive fields.

    >>> window_on_each_map()
    [(28, 4), (24, 4), (6, 1), (1, 1)]
    """
    fields = [trace(LAYERS[depth:])[-1] for depth in range(len(LAYERS))]
    return [(field.size, field.jump) for field in fields]


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


def multiply_adds(network: nn.Module, *shape: int) -> int:
    """Multiply-adds of one pass over float zeros of that shape, as torch counts them (two operations each).

    >>> multiply_adds(nn.Conv2d(3, 4, kernel_size=5), 1, 3, 28, 28)  # 24 · 24 · 4 outputs, 5 · 5 · 3 each
    172800
    """
    parameter = next(network.parameters())
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(shape, device=parameter.device))
    return counter.get_total_flops() // 2
