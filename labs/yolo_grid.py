"""The YOLO grid: which cell answers for which thing, and what the network's numbers mean. `labs.yolo_loss` weighs them.

A picture is cut into S×S cells. The cell that a box's centre falls into is responsible for it and has B predictors,
each with a box and a confidence. Two layouts of one cell's numbers:

"cell", S×S×(5B + C), YOLOv1 (Redmon et al. 2016, "You Only Look Once"): B times (x, y, w, h, confidence), then C
classes that the B boxes share. B = 3 here, 2 in the paper.
"anchor", S×S×B×(5 + C), YOLOv2 on (Redmon and Farhadi 2017, "YOLO9000"): each predictor has its own anchor shape and
its own classes, (x, y, w, h, confidence, C classes).

The layout is "anchor" where `anchors` are given, and "cell" where they are None. Boxes are xyxy in pixels of the
picture, anchors width and height in the same pixels, labels count from 1. Cells are counted row, column from the upper
left.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor
from torchvision.ops import batched_nms, clip_boxes_to_image

from labs.boxes import LARGEST_LOG_SCALE, centre_form, corner_form

LAYOUTS = ("cell", "anchor")
ANCHOR_RULES = ("best", "free")
SMALLEST_SIDE = 1e-6  # of a picture: the square root and its gradient stay finite


@dataclass(frozen=True)
class Grid:
    """S×S = cells×cells over a picture of height×width pixels; a cell is height/S tall and width/S wide.

    Errors: ValueError for less than one cell or an empty picture.

    >>> Grid(cells=4, height=200, width=400).pitch
    tensor([100.,  50.])
    """

    cells: int
    height: int
    width: int

    def __post_init__(self):
        if self.cells < 1 or min(self.height, self.width) <= 0:
            raise ValueError("A grid needs at least one cell and a picture with a height and a width.")

    @property
    def pitch(self) -> Float32[Tensor, "2"]:
        """Width and height of a cell in pixels."""
        return torch.tensor([self.width / self.cells, self.height / self.cells])


@dataclass(frozen=True, eq=False)
class Assignment:
    """Who answers for what.

    owner: index of the truth that the cell (k = 1), or its anchor (k = B), is responsible for, else -1.
    labels: its class from 1, else 0.
    cells: row and column of each truth's responsible cell.
    collisions: the truths that nobody answers for: others had taken the cell, or all anchors allowed there.
    """

    owner: Int64[Tensor, "s s k"]
    labels: Int64[Tensor, "s s k"]
    cells: Int64[Tensor, "t 2"]
    collisions: Int64[Tensor, " lost"]


@dataclass(frozen=True, eq=False)
class Target:
    """What training asks of every predictor, k = 1 for the layout "cell" and B for "anchor".

    owner, labels: as in Assignment.
    boxes: the owner's box xyxy in pixels, zeros without owner.
    values: the same as the coordinate loss compares it, see `values_of`; zeros without owner.
    """

    owner: Int64[Tensor, "s s k"]
    labels: Int64[Tensor, "s s k"]
    boxes: Float[Tensor, "s s k 4"]
    values: Float[Tensor, "s s k 4"]


@dataclass(frozen=True, eq=False)
class Prediction:
    """The network's numbers, read.

    >>> cell = torch.tensor([[[0.5, 0.2]]])  # one cell with two predictors, which share its classes
    >>> boxes = torch.zeros(1, 1, 2, 4)
    >>> Prediction(boxes, cell, torch.tensor([[[0.9, 0.1]]]), boxes, torch.zeros(1, 1, 2)).scores
    tensor([[[[0.4500, 0.0500],
              [0.1800, 0.0200]]]])

    boxes: xyxy in pixels, may reach beyond the picture.
    confidence: sigmoid, the IoU that the predictor expects of its box with a thing, 0 to 1.
    classes: softmax, given there is a thing; (*batch, s, s, c) in the layout "cell", (*batch, s, s, b, c) in "anchor".
    values: the boxes as the coordinate loss compares them, see `values_of`.
    logits: the classes before the softmax.
    """

    boxes: Float[Tensor, "*batch s s b 4"]
    confidence: Float[Tensor, "*batch s s b"]
    classes: Float[Tensor, "*either c"]
    values: Float[Tensor, "*batch s s b 4"]
    logits: Float[Tensor, "*either c"]

    @property
    def scores(self) -> Float[Tensor, "*batch s s b c"]:
        """Confidence times class probability (Redmon et al. 2016, eq. 1)."""
        shared = self.classes.ndim == self.confidence.ndim
        return self.confidence[..., None] * (self.classes[..., None, :] if shared else self.classes)


def channels(layout: str, predictors: int, classes: int) -> int:
    """Numbers per cell: 5B + C in the layout "cell", B(5 + C) in "anchor".

    Errors: ValueError for an unknown layout, or less than one predictor or class.

    >>> channels("cell", predictors=2, classes=20), channels("anchor", predictors=5, classes=20)  # v1's, v2's on VOC
    (30, 125)
    """
    if layout not in LAYOUTS or min(predictors, classes) < 1:
        raise ValueError(f"Choose a layout among {', '.join(LAYOUTS)}, and at least one predictor and one class.")
    return 5 * predictors + classes if layout == "cell" else predictors * (5 + classes)


def responsible_cells(boxes: Float[Tensor, "t 4"], grid: Grid) -> Int64[Tensor, "t 2"]:
    """Row and column of the cell that each box's centre falls into.

    A centre on the line between two cells belongs to the right, the lower one; on or beyond the picture's edge to the
    outermost cell.

    >>> responsible_cells(torch.tensor([[210.0, 60.0, 290.0, 80.0]]), Grid(4, 200, 400))  # the centre is (250, 70)
    tensor([[1, 2]])
    """
    column_row = (centre_form(boxes)[..., :2] / grid.pitch.to(boxes)).floor().long()
    return column_row.flip(-1).clamp(0, grid.cells - 1)


def shape_iou(sizes: Float[Tensor, "t 2"], anchors: Float[Tensor, "b 2"]) -> Float[Tensor, "t b"]:
    """IoU of widths and heights with anchors, all placed on one centre.

    >>> shape_iou(torch.tensor([[40.0, 40.0]]), torch.tensor([[20.0, 40.0], [40.0, 40.0]]))
    tensor([[0.5000, 1.0000]])
    """
    common = torch.minimum(sizes[:, None], anchors).prod(-1)
    return common / (sizes.prod(-1)[:, None] + anchors.prod(-1) - common)


def anchor_shapes(
    sizes: Float[Tensor, "t 2"], count: int, seed: int = 0, turns: int = 100
) -> Float[Tensor, "{count} 2"]:
    """`count` typical shapes among widths and heights, smallest first.

    k-means with the distance 1 - IoU (Redmon and Farhadi 2017, section 2), started as k-means++, until nothing moves.
    Errors: ValueError for fewer sizes than shapes, or a size without area.

    >>> anchor_shapes(torch.tensor([[10.0, 10.0], [12.0, 10.0], [40.0, 80.0], [44.0, 80.0]]), count=2)
    tensor([[11., 10.],
            [42., 80.]])
    """
    if count < 1 or len(sizes) < count or not bool((sizes > 0).all()):
        raise ValueError("k-means needs at least one size with an area for every anchor shape.")
    random = torch.Generator().manual_seed(seed)
    shapes = sizes[torch.randint(len(sizes), (1,), generator=random)]
    while len(shapes) < count:
        distance = 1 - shape_iou(sizes, shapes).amax(1)
        shapes = torch.cat([shapes, sizes[torch.multinomial(distance.square() + 1e-9, 1, generator=random)]])
    nearest = None
    for _ in range(turns):
        before, nearest = nearest, shape_iou(sizes, shapes).argmax(1)
        if before is not None and torch.equal(before, nearest):
            break
        members = [sizes[nearest == k] for k in range(count)]
        shapes = torch.stack([m.mean(0) if len(m) else shapes[k] for k, m in enumerate(members)])
    return shapes[shapes.prod(1).argsort()]


def assign(
    boxes: Float[Tensor, "t 4"],
    labels: Int64[Tensor, " t"],
    grid: Grid,
    anchors: Float[Tensor, "b 2"] | None = None,
    rule: str = "free",
) -> Assignment:
    """The responsible cell of each truth.

    Without anchors a cell answers for one truth. With anchors, `rule` says which of its cell's a truth may have:
    "best", YOLOv2's, only the one with the highest shape IoU, so that of two things of one shape one is lost;
    "free", kinder and what this lab's networks are trained with, the one with the highest shape IoU that is free.
    Larger boxes choose first, a choice of this lab: the papers name no order. ValueError: another rule.

    >>> small_and_large = torch.tensor([[2.0, 2.0, 22.0, 22.0], [4.0, 4.0, 40.0, 26.0]])  # both in the upper left cell
    >>> found = assign(small_and_large, torch.tensor([3, 5]), Grid(2, 64, 64))
    >>> found.owner[..., 0], found.collisions
    (tensor([[ 1, -1],
             [-1, -1]]), tensor([0]))
    """
    if rule not in ANCHOR_RULES:
        raise ValueError(f"There is no rule {rule!r} for anchors: choose one of {', '.join(ANCHOR_RULES)}.")
    places = 1 if anchors is None else len(anchors)
    owner = torch.full((grid.cells, grid.cells, places), -1, dtype=torch.int64)
    cells = responsible_cells(boxes, grid)
    sizes = centre_form(boxes)[:, 2:]
    fit = sizes.new_zeros(len(boxes), 1) if anchors is None else shape_iou(sizes, anchors.to(sizes))
    lost = []
    for index in sizes.prod(1).argsort(descending=True, stable=True).tolist():
        row, column = cells[index].tolist()
        free = owner[row, column] < 0
        if rule == "best":
            free &= torch.arange(places) == fit[index].argmax()
        if free.any():
            owner[row, column, fit[index].masked_fill(~free, -1).argmax()] = index
        else:
            lost.append(index)
    # index -1, nobody, reads the label 0 that is appended here
    return Assignment(owner, torch.cat([labels, labels.new_zeros(1)])[owner], cells, torch.tensor(sorted(lost)).long())


def encode(
    boxes: Float[Tensor, "t 4"],
    labels: Int64[Tensor, " t"],
    grid: Grid,
    anchors: Float[Tensor, "b 2"] | None = None,
    rule: str = "free",
) -> Target:
    """True boxes and labels to what training asks of every cell, assigned by `assign`'s `rule`.

    Collided truths are not in it.

    >>> target = encode(torch.tensor([[8.0, 8.0, 24.0, 40.0]]), torch.tensor([3]), Grid(2, 64, 64))
    >>> target.labels[..., 0], target.values[0, 0]  # x and y in the cell; √(16/64), √(32/64)
    (tensor([[3, 0],
             [0, 0]]), tensor([[0.5000, 0.7500, 0.5000, 0.7071]]))
    """
    assignment = assign(boxes, labels, grid, anchors, rule)
    there = assignment.owner >= 0
    filled = torch.cat([boxes, boxes.new_zeros(1, 4)])[assignment.owner]
    values = torch.where(there[..., None], values_of(filled, grid, anchors), 0)
    return Target(assignment.owner, assignment.labels, filled, values)


def values_of(
    boxes: Float[Tensor, "s s k 4"], grid: Grid, anchors: Float[Tensor, "k 2"] | None = None
) -> Float[Tensor, "s s k 4"]:
    """Boxes as the coordinate loss compares them.

    First x and y of the centre, in cells from the cell's upper left corner, 0 to 1 where the cell is responsible. Then
    "cell": √(w/W) and √(h/H), W and H the picture's; "anchor": ln(w/p_w) and ln(h/p_h), p the anchor.

    >>> box, grid = torch.tensor([[[[0.0, 0.0, 16.0, 64.0]]]]), Grid(1, 64, 64)
    >>> values_of(box, grid), values_of(box, grid, anchors=torch.tensor([[16.0, 32.0]]))
    (tensor([[[[0.1250, 0.5000, 0.5000, 1.0000]]]]), tensor([[[[0.1250, 0.5000, 0.0000, 0.6931]]]]))
    """
    form = centre_form(boxes)
    places = form[..., :2] / grid.pitch.to(boxes) - _corners(grid, boxes)
    if anchors is None:
        sizes = (form[..., 2:] / _picture(grid, boxes)).clamp(min=0).sqrt()
    else:
        sizes = (form[..., 2:].clamp(min=SMALLEST_SIDE) / anchors.to(boxes)).log()
    return torch.cat([places, sizes], dim=-1)


def decode(
    raw: Float[Tensor, "*batch s s channels"],
    grid: Grid,
    predictors: int = 3,
    anchors: Float[Tensor, "b 2"] | None = None,
) -> Prediction:
    """Raw network output to boxes, confidences and class probabilities.

    x = (column + σ(t_x)) · W/S and y = (row + σ(t_y)) · H/S are the box's centre.
    "cell": w = W · σ(t_w), h = H · σ(t_h). "anchor": w = p_w · exp(t_w), h = p_h · exp(t_h) (YOLO9000, section 2).
    `predictors` B counts in the layout "cell"; with anchors it is their number.
    Errors: ValueError for channels that B does not fit.

    >>> found = decode(torch.zeros(1, 1, 7), Grid(1, 64, 64), predictors=1)
    >>> found.boxes, found.confidence, found.classes
    (tensor([[[[16., 16., 48., 48.]]]]), tensor([[[0.5000]]]), tensor([[[0.5000, 0.5000]]]))
    """
    numbers, confidence, logits = _split(raw, predictors, anchors)
    places = numbers[..., :2].sigmoid()
    if anchors is None:
        share = numbers[..., 2:].sigmoid().clamp(min=SMALLEST_SIDE)
        values, sides = share.sqrt(), share * _picture(grid, raw)
    else:
        values = numbers[..., 2:].clamp(max=LARGEST_LOG_SCALE)  # only upwards: a thing may be any part of its anchor
        sides = values.exp() * anchors.to(raw)
    centres = (places + _corners(grid, raw)) * grid.pitch.to(raw)
    boxes = corner_form(torch.cat([centres, sides], dim=-1))
    return Prediction(boxes, confidence.sigmoid(), logits.softmax(-1), torch.cat([places, values], dim=-1), logits)


def detect(
    prediction: Prediction, grid: Grid, threshold: float, overlap: float
) -> tuple[Float[Tensor, "n 4"], Int64[Tensor, " n"], Float[Tensor, " n"]]:
    """Boxes clipped to the picture, labels from 1 and scores, best first, of one picture's prediction.

    Every box asks once for every class; scores above `threshold` go through NMS per class, which drops what has an IoU
    above `overlap` with a better box.

    >>> raw = torch.tensor([[[0.0, 0.0, 0.0, 0.0, 3.0, 0.0, 2.0]]])  # one cell: a box, its confidence, two classes
    >>> detect(decode(raw, Grid(1, 64, 64), predictors=1), Grid(1, 64, 64), threshold=0.2, overlap=0.5)
    (tensor([[16., 16., 48., 48.]]), tensor([2]), tensor([0.8390]))
    """
    scores = prediction.scores.flatten(0, -2)
    box, label = (scores > threshold).nonzero(as_tuple=True)
    boxes = clip_boxes_to_image(prediction.boxes.reshape(-1, 4)[box], (grid.height, grid.width))
    kept = batched_nms(boxes, scores[box, label], label, overlap)
    return boxes[kept], label[kept] + 1, scores[box, label][kept]


def _split(
    raw: Float[Tensor, "*cells channels"], predictors: int, anchors: Float[Tensor, "b 2"] | None
) -> tuple[Float[Tensor, "*cells b 4"], Float[Tensor, "*cells b"], Float[Tensor, "*either c"]]:
    # Coordinates, confidences and class logits.
    if anchors is not None:
        each, left = divmod(raw.shape[-1], len(anchors))
        if left or each < 6:
            raise ValueError(f"{raw.shape[-1]} numbers a cell are not {len(anchors)} times 5 + C.")
        raw = raw.unflatten(-1, (len(anchors), each))
        return raw[..., :4], raw[..., 4], raw[..., 5:]
    if raw.shape[-1] <= 5 * predictors:
        raise ValueError(f"{raw.shape[-1]} numbers a cell are too few for {predictors} boxes and a class.")
    boxes = raw[..., : 5 * predictors].unflatten(-1, (predictors, 5))
    return boxes[..., :4], boxes[..., 4], raw[..., 5 * predictors :]


def _corners(grid: Grid, like: Tensor) -> Float[Tensor, "s s 1 2"]:
    # Column and row of every cell.
    steps = torch.arange(grid.cells, device=like.device, dtype=like.dtype)
    row, column = torch.meshgrid(steps, steps, indexing="ij")
    return torch.stack([column, row], dim=-1)[:, :, None]


def _picture(grid: Grid, like: Tensor) -> Float[Tensor, "2"]:
    return like.new_tensor([grid.width, grid.height])
