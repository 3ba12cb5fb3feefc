"""One size of window for things of every size: shrink the picture step by step, and search every copy of it.

A window of 28 pixels on a copy at half the size covers 56 pixels of the picture. A window that also says where its box
is (a transform, as in `labs.boxes.decode`) need not fit. And a window's class, given to its central pixel, makes the
same machine a segmenter. Sides, strides and boxes (xyxy) are in pixels.

Sources: Adelson et al. 1984 (pyramids); Rowley, Baluja and Kanade 1998 (one window over a pyramid); Sermanet et al.
2014, OverFeat, sections 3.3 and 4 (finer strides by shifts, a box for every window); Long et al. 2015, section 3.2.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from labs.boxes import decode
from labs.sliding_window import window_boxes

Network = Callable[[Float[Tensor, "1 3 h w"]], Float[Tensor, "1 c rows columns"]]


@dataclass(frozen=True)
class Sliding:
    """How a network slides: a `window` of so many pixels, moved by `stride`, at every output of one pass.

    The lectures' classifier: Sliding(28, 4).
    """

    window: int
    stride: int


@dataclass(frozen=True, eq=False)
class Candidates:
    """What windows of all levels say, in no order: `windows` and `boxes` in pixels of the picture, `labels`, and
    `scores`, softmax probabilities; `level`, `row` and `column` say which window it was, `outputs` all its numbers."""

    windows: Float[Tensor, "n 4"]
    boxes: Float[Tensor, "n 4"]
    labels: Int64[Tensor, " n"]
    scores: Float[Tensor, " n"]
    level: Int64[Tensor, " n"]
    row: Int64[Tensor, " n"]
    column: Int64[Tensor, " n"]
    outputs: Float[Tensor, "n c"]

    def __len__(self) -> int:
        return len(self.scores)

    def subset(self, which: Tensor | slice) -> "Candidates":
        """Those at these indices, in this slice, or where a mask is True.

        >>> found = candidates(torch.zeros(4, 1, 3), 4, Sliding(28, 4), level=(28, 36), picture=(28, 36))
        >>> found.subset(found.column > 0).windows[:, 0]
        tensor([4., 8.])
        """
        return Candidates(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


def level_sizes(height: int, width: int, count: int, step: float, window: int) -> list[tuple[int, int]]:
    """(height, width) of the levels of a pyramid, the picture itself first, each `step` times smaller than the last.

    At most `count` of them, and no more once the window does not fit any more. Errors: ValueError for a step of 1 or
    less, or a picture into which the window does not fit.

    >>> level_sizes(224, 224, count=4, step=2.0, window=28)
    [(224, 224), (112, 112), (56, 56), (28, 28)]
    >>> level_sizes(224, 224, count=9, step=2.0, window=28)[-1]
    (28, 28)
    """
    if step <= 1:
        raise ValueError(f"Each level must be smaller than the last: a step above 1, not {step:g}.")
    if window > min(height, width):
        raise ValueError(f"A window of {window} pixels does not fit into {height} × {width}.")
    sizes = [(round(height / step**level), round(width / step**level)) for level in range(count)]
    return [size for size in sizes if min(size) >= window]


def pyramid(
    picture: UInt8[np.ndarray, "h w 3"], sizes: Sequence[tuple[int, int]]
) -> list[UInt8[np.ndarray, "rows columns 3"]]:
    """The picture at each of these (height, width), none larger than it, averaged by area so that nothing aliases.

    >>> [level.shape for level in pyramid(np.zeros((56, 56, 3), np.uint8), [(56, 56), (28, 28)])]
    [(56, 56, 3), (28, 28, 3)]
    """
    return [cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA) for height, width in sizes]


def windows_on(size: tuple[int, int], how: Sliding) -> tuple[int, int]:
    """Rows and columns of windows on a level of this (height, width); 0 where none fits.

    >>> windows_on((224, 224), Sliding(28, 4)), windows_on((27, 32), Sliding(28, 4))
    ((50, 50), (0, 2))
    """
    rows, columns = (max((side - how.window) // how.stride + 1, 0) for side in size)
    return rows, columns


def share_of_first_level(count: int, step: float) -> float:
    """Pixels of all levels over those of the first, 1 + 1/step² + 1/step⁴ + …: what a pyramid costs. It stays below
    step² / (step² - 1), however many levels there are.

    >>> share_of_first_level(1, 2.0), share_of_first_level(2, 2.0), round(share_of_first_level(40, 2.0), 4)
    (1.0, 1.25, 1.3333)
    """
    return sum(step ** (-2 * level) for level in range(count))


def to_picture(
    boxes: Float[Tensor, "*batch 4"], level: tuple[int, int], picture: tuple[int, int]
) -> Float[Tensor, "*batch 4"]:
    """Boxes on a level of this (height, width) in pixels of the picture.

    >>> to_picture(torch.tensor([0.0, 0, 28, 28]), level=(112, 112), picture=(224, 224))
    tensor([ 0.,  0., 56., 56.])
    """
    across, down = picture[1] / level[1], picture[0] / level[0]
    return boxes * boxes.new_tensor([across, down, across, down])


def candidates(
    maps: Float[Tensor, "c rows columns"],
    classes: int,
    how: Sliding,
    level: tuple[int, int],
    picture: tuple[int, int],
    number: int = 0,
) -> Candidates:
    """One candidate per window of a level: the best of its classes but the last, which is "other", and its box.

    Args:
        maps: `classes` scores per window, after them none or four numbers of a box: a transform of the window.
        how: window and stride that made the maps.
        level, picture: (height, width) of the level and of the picture.
        number: of the level.

    Boxes are cut at the picture's border. Without box numbers the windows are the boxes. Errors: ValueError for any
    other number of channels.

    >>> maps = torch.tensor([2.0, 0.0, 0.0, 0, 0.5, 0, 0]).reshape(7, 1, 1)  # three classes and a box, one window
    >>> found = candidates(maps, 3, Sliding(28, 4), level=(28, 28), picture=(56, 56))
    >>> found.labels, found.windows, found.boxes  # half a width to the right, cut at the border
    (tensor([0]), tensor([[ 0.,  0., 56., 56.]]), tensor([[ 0., 28., 56., 56.]]))
    """
    if len(maps) not in (classes, classes + 4):
        raise ValueError(f"{classes} classes need {classes} maps, or {classes + 4} with a box, not {len(maps)}.")
    rows, columns = maps.shape[1:]
    scores, labels = maps[:classes].softmax(0)[:-1].max(0)
    windows = window_boxes(rows, columns, how.window, how.stride).to(maps.device)
    boxes = decode(maps[classes:].permute(1, 2, 0), windows) if len(maps) > classes else windows
    boxes = to_picture(boxes, level, picture).reshape(-1, 4)
    limit = boxes.new_tensor([picture[1], picture[0], picture[1], picture[0]])
    row = torch.arange(rows)[:, None].expand(rows, columns).reshape(-1)
    column = torch.arange(columns).expand(rows, columns).reshape(-1)
    return Candidates(
        to_picture(windows, level, picture).reshape(-1, 4), boxes.clamp(min=0).minimum(limit), labels.reshape(-1),
        scores.reshape(-1), torch.full_like(row, number), row, column, maps.reshape(len(maps), -1).T,
    )  # fmt: skip


def together(found: Sequence[Candidates]) -> Candidates:
    """The candidates of several levels as one.

    >>> one = candidates(torch.zeros(4, 1, 3), 4, Sliding(28, 4), level=(28, 36), picture=(28, 36))
    >>> len(one), len(together([one, one]))
    (3, 6)
    """
    return Candidates(*(torch.cat([getattr(each, name) for each in found]) for name in Candidates.__dataclass_fields__))


def at_stride(
    network: Network, picture: Float[Tensor, "3 h w"], how: Sliding, stride: int
) -> Float[Tensor, "c rows columns"]:
    """The network's maps with a window at every `stride` pixels, whatever the stride of its layers.

    A larger stride leaves outputs out. A smaller one runs the network on shifted copies of the picture and stitches
    their outputs together: (how.stride / stride)² passes. Each output is that of its window cut out and run alone.

    Errors: ValueError for a stride that neither divides that of the network nor is a multiple of it.

    >>> pool = lambda pictures: F.max_pool2d(pictures, 4)
    >>> picture = torch.arange(3 * 36.0).reshape(3, 6, 6)
    >>> at_stride(pool, picture, Sliding(4, 4), 1)[0]
    tensor([[21., 22., 23.],
            [27., 28., 29.],
            [33., 34., 35.]])
    """
    if stride < 1 or (stride % how.stride and how.stride % stride):
        raise ValueError(f"A stride of {stride} neither divides {how.stride}, that of the network, nor is a multiple.")
    if stride >= how.stride:
        every = stride // how.stride
        return network(picture[None])[0][:, ::every, ::every]
    shifts = range(0, how.stride, stride)
    height, width = picture.shape[1:]
    rows, columns = windows_on((height, width), Sliding(how.window, stride))
    found = None
    for top in shifts:
        for left in shifts:
            if min(height - top, width - left) < how.window:
                continue  # no window begins at this shift
            one = network(picture[None, :, top:, left:])[0]
            if found is None:
                found = one.new_zeros(len(one), rows, columns)
            found[:, top // stride :: len(shifts), left // stride :: len(shifts)] = one
    if found is None:
        raise ValueError(f"A window of {how.window} pixels does not fit into {height} × {width}.")
    return found


def scores_of_centres(
    network: Network, picture: Float[Tensor, "3 h w"], how: Sliding, stride: int
) -> Float[Tensor, "c h w"]:
    """For every pixel the scores of the window around it: the sliding window as a segmenter.

    A window of 28 pixels has its central pixel at 14. The picture is mirrored beyond its border, so that every pixel
    has a window. With a stride above 1 a window speaks for the stride × stride pixels around its middle.

    >>> whole = scores_of_centres(lambda pictures: F.max_pool2d(pictures, 5, 1), torch.rand(3, 9, 12), Sliding(5, 1), 3)
    >>> whole.shape, bool((whole[:, :3, :3] == whole[:, :1, :1]).all())
    (torch.Size([3, 9, 12]), True)
    """
    height, width = picture.shape[1:]
    before = how.window // 2 - stride // 2
    after = [max(-(-side // stride) * stride - stride + how.window - before - side, 0) for side in (height, width)]
    wide = F.pad(picture[None], (before, after[1], before, after[0]), mode="reflect")[0]
    maps = at_stride(network, wide, how, stride)
    return maps.repeat_interleave(stride, 1).repeat_interleave(stride, 2)[:, :height, :width]
