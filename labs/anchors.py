"""Anchors of a region proposal network: where the boxes stand, what training tells them to be, how they are moved.

Ren et al. 2015, "Faster R-CNN", section 3. Boxes are xyxy in pixels of the picture; the k anchors of a position are
counted by ratio · (number of sizes) + size, and those of a picture by (row · width + column) · k + that, as in
torchvision. What is left of them in the end: `labs.region_proposals`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Float32, Int64
from torch import Tensor

from labs.boxes import centre_form, decode

# torchvision: base anchors rounded to whole pixels, centred on the upper left corner of their cell.
# centred: exact sides, centred on the middle of the cell.
CONVENTIONS = ("torchvision", "centred")


def base_anchors(
    sizes: Sequence[float], ratios: Sequence[float], convention: str = "torchvision"
) -> Float32[Tensor, "{len(ratios)*len(sizes)} 4"]:
    """The anchors of one position, around the origin.

    `sizes`: side in pixels of the square of equal area. `ratios`: height over width. All > 0. "torchvision" rounds the
    corners to whole pixels (halves to even), so a 16 px anchor of ratio 0.5 is 22×12 and not 22.63×11.31.
    Errors: ValueError for no or non-positive sizes or ratios, or an unknown convention.

    >>> base_anchors(sizes=[16], ratios=[0.5, 1, 2])
    tensor([[-11.,  -6.,  11.,   6.],
            [ -8.,  -8.,   8.,   8.],
            [ -6., -11.,   6.,  11.]])
    """
    if not len(sizes) or not len(ratios) or min(*sizes, *ratios) <= 0:
        raise ValueError("Anchors need at least one size and one ratio, all above 0.")
    if convention not in CONVENTIONS:
        raise ValueError(f"Choose a convention among {', '.join(CONVENTIONS)}, not {convention!r}.")
    tall = torch.tensor(ratios, dtype=torch.float32).sqrt()
    side = torch.tensor(sizes, dtype=torch.float32)
    width = ((1 / tall)[:, None] * side).flatten()
    height = (tall[:, None] * side).flatten()
    base = torch.stack([-width, -height, width, height], dim=1) / 2
    return base.round() if convention == "torchvision" else base


def centres(
    rows: int, columns: int, stride: float, convention: str = "torchvision"
) -> Float32[Tensor, "{rows*columns} 2"]:
    """Where the anchors of every position of a rows×columns feature map stand, as x, y.

    >>> centres(rows=1, columns=3, stride=16, convention="centred")
    tensor([[ 8.,  8.],
            [24.,  8.],
            [40.,  8.]])
    """
    shift = 0.5 if convention == "centred" else 0.0
    y, x = torch.meshgrid(
        (torch.arange(rows, dtype=torch.float32) + shift) * stride,
        (torch.arange(columns, dtype=torch.float32) + shift) * stride,
        indexing="ij",
    )
    return torch.stack([x, y], dim=-1).reshape(-1, 2)


def grid_anchors(
    base: Float32[Tensor, "k 4"], rows: int, columns: int, stride: float, convention: str = "torchvision"
) -> Float32[Tensor, "{rows*columns}*k 4"]:
    """All anchors of a rows×columns feature map; neighbours lie `stride` pixels apart.

    Anchors may reach beyond the picture; nothing is clipped.

    >>> grid_anchors(base_anchors([16], [1.0]), rows=1, columns=2, stride=16)
    tensor([[-8., -8.,  8.,  8.],
            [ 8., -8., 24.,  8.]])
    """
    places = centres(rows, columns, stride, convention).repeat(1, 2)
    return (places[:, None] + base).reshape(-1, 4)


def feature_size(height: int, width: int, stride: int) -> tuple[int, int]:
    """Rows and columns of the map that padded convolutions with this total stride make of a picture, rounded up.

    Errors: ValueError for a picture or stride below one pixel.

    >>> feature_size(height=480, width=650, stride=32)
    (15, 21)
    """
    if min(height, width, stride) < 1:
        raise ValueError("Height, width and stride start at 1 pixel.")
    return math.ceil(height / stride), math.ceil(width / stride)


@dataclass(frozen=True, eq=False)
class Labelling:
    """What training tells every anchor to be.

    label: 1 positive, 0 negative, -1 ignored.
    match: the truth that a positive anchor must move to, else -1.
    best: positive only because it is the best anchor of some truth.
    overlap: IoU with the truth it overlaps most, 0 to 1.
    reach: IoU of the best anchor of each truth.
    """

    label: Int64[Tensor, " anchors"]
    match: Int64[Tensor, " anchors"]
    best: Bool[Tensor, " anchors"]
    overlap: Float[Tensor, " anchors"]
    reach: Float[Tensor, " truths"]

    def count(self, label: int) -> int:
        """Number of anchors with this label.

        >>> label_anchors(torch.tensor([[0.8, 0.5, 0.1]])).count(1)
        1
        """
        return int((self.label == label).sum())


def label_anchors(iou: Float[Tensor, "truths anchors"], positive: float = 0.7, negative: float = 0.3) -> Labelling:
    """Label anchors from their IoU with truths, 0 to 1 (Ren et al. 2015, section 3.1.2).

    Positive: IoU >= `positive` with some truth, and the best anchor of each truth with all its ties, however low.
    Negative: IoU < `negative` with every truth. The rest is ignored. Without a truth every anchor is negative. As in
    torchvision, a truth that overlaps no anchor at all has its best IoU, 0, tied at every anchor that misses it.
    Errors: ValueError when the thresholds are not 0 <= negative <= positive <= 1.

    >>> given = label_anchors(torch.tensor([[0.8, 0.5, 0.6, 0.1], [0.0, 0.4, 0.2, 0.1]]))
    >>> given.label, given.best  # 0.4 is below 0.7, but nothing overlaps the second truth better
    (tensor([ 1,  1, -1,  0]), tensor([False,  True, False, False]))
    """
    if not 0 <= negative <= positive <= 1:
        raise ValueError(
            f"An anchor cannot be positive from IoU {positive:g} and negative below {negative:g}: "
            "keep 0 ≤ negative threshold ≤ positive threshold ≤ 1."
        )
    truths, count = iou.shape
    if not truths or not count:
        none = torch.zeros(count, dtype=torch.int64)
        return Labelling(none, none - 1, none.bool(), iou.new_zeros(count), iou.new_zeros(truths))
    overlap, nearest = iou.max(dim=0)
    reach = iou.max(dim=1).values
    reached = overlap >= positive
    best = (iou == reach[:, None]).any(dim=0)
    label = torch.full((count,), -1, dtype=torch.int64)
    label[overlap < negative] = 0
    label[reached | best] = 1
    return Labelling(label, torch.where(label == 1, nearest, -1), best & ~reached, overlap, reach)


def concentric_iou(truths: Float[Tensor, "truths 4"], base: Float[Tensor, "k 4"]) -> Float[Tensor, " truths"]:
    """IoU of each truth with the best-fitting base anchor if it could stand exactly on the truth's centre.

    A bound on what sizes and ratios allow; what a grid loses beyond it, the stride costs.

    >>> concentric_iou(torch.tensor([[10.0, 10, 42, 26]]), base_anchors([16], [1.0]))  # 16×16 of 32×16
    tensor([0.5000])
    """
    truth = (truths[:, 2:] - truths[:, :2])[:, None]
    anchor = (base[:, 2:] - base[:, :2])[None]
    common = torch.minimum(truth, anchor).prod(-1)
    return (common / (truth.prod(-1) + anchor.prod(-1) - common)).amax(-1)


@dataclass(frozen=True, eq=False)
class Decoding:
    """The `box`, xyxy, and the `lines` of LaTeX that lead to it, aligned at the first "="."""

    box: Float[Tensor, "4"]
    lines: list[str]


def decode_steps(anchor: Float[Tensor, "4"], transform: Float[Tensor, "4"]) -> Decoding:
    r"""The box that `transform` (tx, ty, tw, th) makes of `anchor`, with its arithmetic in numbers.

    px, py is the middle of the anchor and pw, ph its sides (Girshick et al. 2014, appendix C).

    >>> steps = decode_steps(torch.tensor([0.0, 0, 20, 10]), torch.tensor([0.5, 0, 0, 0]))
    >>> steps.box
    tensor([10.,  0., 30., 10.])
    >>> print(steps.lines[0])
    b_x &= p_x + p_w\,t_x \\ &= 10.0 + 20.0 \cdot (0.500) = 20.0
    """
    box = decode(transform, anchor)
    tx, ty, tw, th = transform.tolist()
    (px, py, pw, ph), (bx, by, bw, bh) = (centre_form(each).tolist() for each in (anchor, box))
    lines = [
        rf"b_x &= p_x + p_w\,t_x \\ &= {px:.1f} + {pw:.1f} \cdot ({tx:.3f}) = {bx:.1f}",
        rf"b_y &= p_y + p_h\,t_y \\ &= {py:.1f} + {ph:.1f} \cdot ({ty:.3f}) = {by:.1f}",
        rf"b_w &= p_w\,e^{{t_w}} \\ &= {pw:.1f} \cdot e^{{{tw:.3f}}} = {bw:.1f}",
        rf"b_h &= p_h\,e^{{t_h}} \\ &= {ph:.1f} \cdot e^{{{th:.3f}}} = {bh:.1f}",
    ]
    return Decoding(box, lines)


@dataclass(frozen=True)
class HeadShapes:
    """Shapes (channels, rows, columns) around the RPN's head, its number of boxes, and its parameters by layer."""

    features: tuple[int, int, int]
    objectness: tuple[int, int, int]
    transforms: tuple[int, int, int]
    boxes: int
    parameters: dict[str, int]

    @property
    def total(self) -> int:
        """All parameters of the head.

        >>> head_shapes(640, 480, stride=32, channels=512, anchors=9).total
        2387510
        """
        return sum(self.parameters.values())


def head_shapes(
    height: int, width: int, stride: int, channels: int, anchors: int, hidden: int | None = None, per_anchor: int = 2
) -> HeadShapes:
    """The head on a picture of height×width: a 3×3 convolution with `hidden` filters (default: as many as `channels`),
    then two 1×1 convolutions with `per_anchor`·k and 4·k filters for the k `anchors` of a position.

    `per_anchor` is 2 for the softmax over object and background of the paper and the lectures, 1 for one sigmoid as in
    torchvision. Errors: ValueError for numbers below 1.

    >>> head = head_shapes(640, 480, stride=32, channels=512, anchors=9)
    >>> head.features, head.objectness, head.transforms, head.boxes
    ((512, 20, 15), (18, 20, 15), (36, 20, 15), 2700)
    """
    hidden = channels if hidden is None else hidden
    if min(channels, anchors, hidden, per_anchor) < 1:
        raise ValueError("Channels, filters and anchors per position start at 1.")
    rows, columns = feature_size(height, width, stride)
    convolutions = {"3×3 convolution": (9 * channels, hidden), "objectness, 1×1": (hidden, per_anchor * anchors),
                    "transforms, 1×1": (hidden, 4 * anchors)}  # fmt: skip
    return HeadShapes(
        (channels, rows, columns),
        (per_anchor * anchors, rows, columns),
        (4 * anchors, rows, columns),
        anchors * rows * columns,
        {name: (weights + 1) * filters for name, (weights, filters) in convolutions.items()},
    )
