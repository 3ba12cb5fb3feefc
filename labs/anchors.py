"""Anchors and the region proposal network: where the boxes stand, what they are told to be, what is left of them.

Ren et al. 2015, "Faster R-CNN", section 3. Boxes are float xyxy in pixels of the picture; the anchors of a position are
counted by k = ratio · (number of sizes) + size, and of a picture by (row · width + column) · K + k, as in torchvision.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.ops import batched_nms, clip_boxes_to_image, remove_small_boxes

from labs.boxes import centre_form, decode, iou_matrix

# torchvision: base anchors rounded to whole pixels, centred on the upper left corner of their cell.
# centred: exact sides, centred on the middle of the cell.
CONVENTIONS = ("torchvision", "centred")


def base_anchors(sizes: Sequence[float], ratios: Sequence[float], convention: str = "torchvision") -> Tensor:
    """The K anchors of one position, around the origin: float32 (K, 4), K = len(ratios) · len(sizes).

    `sizes`: side in pixels of the square of equal area. `ratios`: height over width. All > 0. "torchvision" rounds the
    corners to whole pixels (halves to even), so a 16 px anchor of ratio 0.5 is 22×12 and not 22.63×11.31.
    Errors: ValueError for no or non-positive sizes or ratios, or an unknown convention.
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


def centres(rows: int, columns: int, stride: float, convention: str = "torchvision") -> Tensor:
    """Where the anchors of every position of a rows×columns feature map stand: float32 (rows · columns, 2) as x, y."""
    shift = 0.5 if convention == "centred" else 0.0
    y, x = torch.meshgrid(
        (torch.arange(rows, dtype=torch.float32) + shift) * stride,
        (torch.arange(columns, dtype=torch.float32) + shift) * stride,
        indexing="ij",
    )
    return torch.stack([x, y], dim=-1).reshape(-1, 2)


def grid_anchors(base: Tensor, rows: int, columns: int, stride: float, convention: str = "torchvision") -> Tensor:
    """All anchors of a rows×columns feature map, float32 (rows·columns·K, 4); neighbours lie `stride` pixels apart.

    Anchors may reach beyond the picture; nothing is clipped.
    """
    places = centres(rows, columns, stride, convention).repeat(1, 2)
    return (places[:, None] + base).reshape(-1, 4)


def feature_size(height: int, width: int, stride: int) -> tuple[int, int]:
    """Rows and columns of the map that padded convolutions with this total stride make of a picture, rounded up.

    Errors: ValueError for a picture or stride below one pixel.
    """
    if min(height, width, stride) < 1:
        raise ValueError("Height, width and stride start at 1 pixel.")
    return math.ceil(height / stride), math.ceil(width / stride)


@dataclass(frozen=True, eq=False)
class Labelling:
    """What training tells every anchor to be.

    label int64 (A,): 1 positive, 0 negative, -1 ignored.
    match int64 (A,): the truth that a positive anchor must move to, else -1.
    best bool (A,): positive only because it is the best anchor of some truth.
    overlap float (A,): IoU with the truth it overlaps most, 0 to 1.
    reach float (T,): IoU of the best anchor of each truth.
    """

    label: Tensor
    match: Tensor
    best: Tensor
    overlap: Tensor
    reach: Tensor

    def count(self, label: int) -> int:
        """Number of anchors with this label."""
        return int((self.label == label).sum())


def label_anchors(iou: Tensor, positive: float = 0.7, negative: float = 0.3) -> Labelling:
    """Label A anchors from their IoU with T truths, (T, A) in 0 to 1 (Ren et al. 2015, section 3.1.2).

    Positive: IoU >= `positive` with some truth, and the best anchor of each truth with all its ties, however low.
    Negative: IoU < `negative` with every truth. The rest is ignored. Without a truth every anchor is negative. As in
    torchvision, a truth that overlaps no anchor at all has its best IoU, 0, tied at every anchor that misses it.
    Errors: ValueError when the thresholds are not 0 <= negative <= positive <= 1.
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


def concentric_iou(truths: Tensor, base: Tensor) -> Tensor:
    """IoU (T,) of each truth with the best-fitting of K base anchors if it could stand exactly on the truth's centre.

    A bound on what sizes and ratios allow; what a grid loses beyond it, the stride costs.
    """
    truth = (truths[:, 2:] - truths[:, :2])[:, None]
    anchor = (base[:, 2:] - base[:, :2])[None]
    common = torch.minimum(truth, anchor).prod(-1)
    return (common / (truth.prod(-1) + anchor.prod(-1) - common)).amax(-1)


@dataclass(frozen=True, eq=False)
class Decoding:
    """`box` float (4,) xyxy, and the `lines` of LaTeX that lead to it, aligned at the first "="."""

    box: Tensor
    lines: list[str]


def decode_steps(anchor: Tensor, transform: Tensor) -> Decoding:
    """The box (4,) that `transform` (tx, ty, tw, th) makes of `anchor` (4,), with its arithmetic in numbers.

    px, py is the middle of the anchor and pw, ph its sides (Girshick et al. 2014, appendix C).
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


@dataclass(frozen=True, eq=False)
class Filtered:
    """Which boxes survive each step, as indices into the boxes before: int64, best first.

    top: the N of highest objectness of each level. survivors: of those, what non-maximum suppression leaves. kept: the
    first of the survivors, the proposals. `boxes` float (M, 4) are all boxes clipped to the picture.
    """

    top: Tensor
    survivors: Tensor
    kept: Tensor
    boxes: Tensor


def filter_proposals(
    boxes: Tensor,
    scores: Tensor,
    level: Tensor,
    size: tuple[int, int],
    top: int = 600,
    nms_threshold: float = 0.7,
    keep: int = 300,
) -> Filtered:
    """From M decoded boxes (M, 4) with objectness (M,) to at most `keep` proposals, as torchvision's RPN does it.

    Per level (`level` int64 (M,), ascending) take the `top` best; clip to the picture of `size` (height, width); drop
    boxes thinner than 0.001 px; suppress within each level at `nms_threshold`; keep the best over all levels.
    """
    best = []
    for each in level.unique():
        members = (level == each).nonzero()[:, 0]
        best.append(members[scores[members].topk(min(top, len(members))).indices])
    chosen = torch.cat(best) if best else level.new_zeros(0)
    clipped = clip_boxes_to_image(boxes, size)
    chosen = chosen[remove_small_boxes(clipped[chosen], 1e-3)]
    survivors = chosen[batched_nms(clipped[chosen], scores[chosen], level[chosen], nms_threshold)]
    return Filtered(chosen[scores[chosen].argsort(descending=True, stable=True)], survivors, survivors[:keep], clipped)


def coverage(proposals: Tensor, truths: Tensor, length: int) -> Tensor:
    """Best IoU of each truth with the first 1, 2, ... `length` of ranked proposals: float (T, length), never falling.

    A list with fewer than `length` proposals keeps its last value; an empty one covers nothing (0).
    """
    first = iou_matrix(truths, proposals[:length]).cummax(dim=1).values
    if first.shape[1] == 0:
        return torch.zeros(len(truths), length)
    return torch.cat([first, first[:, -1:].expand(-1, length - first.shape[1])], dim=1)


def recall(covered: Tensor, iou_threshold: float) -> Tensor:
    """Share of truths that the first 1, 2, ... N proposals cover with IoU >= the threshold: float (N,) in 0 to 1.

    `covered` (T, N) from `coverage`, of one picture or of many stacked (Hosang et al. 2016, "What makes for effective
    detection proposals?", section 4). Errors: ValueError without a truth, when there is nothing to recall.
    """
    if not len(covered):
        raise ValueError("There is no truth in these pictures, so recall has no value: choose scenes with objects.")
    return (covered >= iou_threshold).float().mean(dim=0)


def random_boxes(count: int, height: int, width: int, seed: int) -> Tensor:
    """Boxes between two uniformly random points of the picture: float32 (count, 4). The same seed, the same boxes."""
    ends = torch.rand(count, 2, 2, generator=torch.Generator().manual_seed(seed)) * torch.tensor([width, height])
    return torch.cat([ends.amin(dim=1), ends.amax(dim=1)], dim=1)


def sliding_windows(
    height: int, width: int, sizes: Sequence[float], ratios: Sequence[float], step: float = 0.5
) -> Tensor:
    """Windows of every size and ratio (height over width) wholly inside the picture, float32 (N, 4), row by row.

    Neighbours lie `step` of their side apart, in 0 (excluded) to 1; the last one touches the edge.
    Errors: ValueError for a step outside that range.
    """
    if not 0 < step <= 1:
        raise ValueError(f"The step of a sliding window is above 0 and at most 1 of its side, not {step:g}.")
    found = [torch.zeros(0, 4)]
    for x1, y1, x2, y2 in base_anchors(sizes, ratios, "centred").tolist():
        w, h = x2 - x1, y2 - y1
        if w > width or h > height:
            continue
        across, down = (torch.linspace(0, room, 1 + math.ceil(room / (step * side) - 1e-9))
                        for room, side in ((width - w, w), (height - h, h)))  # fmt: skip
        y, x = torch.meshgrid(down, across, indexing="ij")
        found.append(torch.stack([x, y, x + w, y + h], dim=-1).reshape(-1, 4))
    return torch.cat(found)


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
        """All parameters of the head."""
        return sum(self.parameters.values())


def head_shapes(
    height: int, width: int, stride: int, channels: int, anchors: int, hidden: int | None = None, per_anchor: int = 2
) -> HeadShapes:
    """The head on a picture of height×width: a 3×3 convolution with `hidden` filters (default: as many as `channels`),
    then two 1×1 convolutions with `per_anchor`·K and 4·K filters.

    `per_anchor` is 2 for the softmax over object and background of the paper and the lectures, 1 for one sigmoid as in
    torchvision. A 3×640×480 input at stride 32 with 512 channels has features 512×20×15. Errors: ValueError for numbers
    below 1.
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
