"""The YOLO grid: which cell answers for which thing, what the network's numbers mean, and what they cost.

A picture is cut into S×S cells. The cell that a box's centre falls into is responsible for it and has B predictors,
each with a box and a confidence. Two layouts of one cell's numbers:

"cell", S×S×(5B + C), YOLOv1 (Redmon et al. 2016, "You Only Look Once"): B times (x, y, w, h, confidence), then C
classes that the B boxes share. B = 3 here, 2 in the paper.
"anchor", S×S×B×(5 + C), YOLOv2 on (Redmon and Farhadi 2017, "YOLO9000"): each predictor has its own anchor shape and
its own classes, (x, y, w, h, confidence, C classes).

The layout is "anchor" where `anchors` are given, and "cell" where they are None. Boxes are float xyxy in pixels of the
picture, anchors float (B, 2) width and height in the same pixels, labels int64 from 1. Cells are counted row, column
from the upper left. A leading `...` stands for any batch axes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import batched_nms, clip_boxes_to_image

from labs.boxes import LARGEST_LOG_SCALE, centre_form, corner_form, iou

LAYOUTS = ("cell", "anchor")
ANCHOR_RULES = ("best", "free")
LAMBDA_COORD, LAMBDA_NOOBJ = 5.0, 0.5  # Redmon et al. 2016, section 2.2
SMALLEST_SIDE = 1e-6  # of a picture: the square root and its gradient stay finite


@dataclass(frozen=True)
class Grid:
    """S×S = cells×cells over a picture of height×width pixels; a cell is height/S tall and width/S wide.

    Errors: ValueError for less than one cell or an empty picture.
    """

    cells: int
    height: float
    width: float

    def __post_init__(self):
        if self.cells < 1 or min(self.height, self.width) <= 0:
            raise ValueError("A grid needs at least one cell and a picture with a height and a width.")

    @property
    def pitch(self) -> Tensor:
        """Width and height of a cell in pixels, (2,)."""
        return torch.tensor([self.width / self.cells, self.height / self.cells])


@dataclass(frozen=True, eq=False)
class Assignment:
    """Who answers for what.

    owner int64 (S, S, K): index of the truth that the cell (K = 1), or its anchor (K = B), is responsible for, else -1.
    labels int64 (S, S, K): its class from 1, else 0.
    cells int64 (T, 2): row and column of each truth's responsible cell.
    collisions int64 (X,): the truths that nobody answers for: others had taken the cell, or all anchors allowed there.
    """

    owner: Tensor
    labels: Tensor
    cells: Tensor
    collisions: Tensor


@dataclass(frozen=True, eq=False)
class Target:
    """What training asks of every predictor, K = 1 for the layout "cell" and B for "anchor".

    owner, labels int64 (S, S, K): as in Assignment.
    boxes float (S, S, K, 4): the owner's box xyxy in pixels, zeros without owner.
    values float (S, S, K, 4): the same as the coordinate loss compares it, see `values_of`; zeros without owner.
    """

    owner: Tensor
    labels: Tensor
    boxes: Tensor
    values: Tensor


@dataclass(frozen=True, eq=False)
class Prediction:
    """The network's numbers, read.

    boxes float (..., S, S, B, 4): xyxy in pixels, may reach beyond the picture.
    confidence float (..., S, S, B): sigmoid, the IoU that the predictor expects of its box with a thing, 0 to 1.
    classes float (..., S, S, C) in the layout "cell", (..., S, S, B, C) in "anchor": softmax, given there is a thing.
    values float (..., S, S, B, 4): the boxes as the coordinate loss compares them, see `values_of`.
    logits: the classes before the softmax, same shape.
    """

    boxes: Tensor
    confidence: Tensor
    classes: Tensor
    values: Tensor
    logits: Tensor

    @property
    def scores(self) -> Tensor:
        """Confidence times class probability, (..., S, S, B, C) (Redmon et al. 2016, eq. 1)."""
        shared = self.classes.ndim == self.confidence.ndim
        return self.confidence[..., None] * (self.classes[..., None, :] if shared else self.classes)


@dataclass(frozen=True, eq=False)
class GridLoss:
    """The loss of N pictures in its terms and cells, each float (N, S, S) with its λ already multiplied in.

    responsible bool (N, S, S, B): the predictors that answer for a thing.
    target_confidence float (N, S, S, B): what the confidence should be, the IoU where responsible and 0 elsewhere.
    """

    coordinates: Tensor
    object_confidence: Tensor
    no_object_confidence: Tensor
    classes: Tensor
    responsible: Tensor
    target_confidence: Tensor

    @property
    def terms(self) -> dict[str, Tensor]:
        """The four terms by name."""
        names = ("coordinates", "object_confidence", "no_object_confidence", "classes")
        return {name: getattr(self, name) for name in names}

    @property
    def total(self) -> Tensor:
        """All terms over all cells, the mean over the pictures: a scalar."""
        return sum(self.terms.values()).sum(dim=(1, 2)).mean()


def channels(layout: str, predictors: int, classes: int) -> int:
    """Numbers per cell: 5B + C in the layout "cell", B(5 + C) in "anchor".

    Errors: ValueError for an unknown layout, or less than one predictor or class.
    """
    if layout not in LAYOUTS or min(predictors, classes) < 1:
        raise ValueError(f"Choose a layout among {', '.join(LAYOUTS)}, and at least one predictor and one class.")
    return 5 * predictors + classes if layout == "cell" else predictors * (5 + classes)


def responsible_cells(boxes: Tensor, grid: Grid) -> Tensor:
    """Row and column int64 (T, 2) of the cell that each box's centre falls into, for boxes (T, 4).

    A centre on the line between two cells belongs to the right, the lower one; on or beyond the picture's edge to the
    outermost cell.
    """
    column_row = (centre_form(boxes)[..., :2] / grid.pitch.to(boxes)).floor().long()
    return column_row.flip(-1).clamp(0, grid.cells - 1)


def shape_iou(sizes: Tensor, anchors: Tensor) -> Tensor:
    """IoU (T, B) of widths and heights (T, 2) with anchors (B, 2), all placed on one centre."""
    common = torch.minimum(sizes[:, None], anchors).prod(-1)
    return common / (sizes.prod(-1)[:, None] + anchors.prod(-1) - common)


def anchor_shapes(sizes: Tensor, count: int, seed: int = 0, turns: int = 100) -> Tensor:
    """`count` typical shapes among sizes (T, 2), width and height: float (count, 2), smallest first.

    k-means with the distance 1 - IoU (Redmon and Farhadi 2017, section 2), started as k-means++, until nothing moves.
    Errors: ValueError for fewer sizes than shapes, or a size without area.
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
    boxes: Tensor, labels: Tensor, grid: Grid, anchors: Tensor | None = None, rule: str = "free"
) -> Assignment:
    """The responsible cell of each truth, boxes (T, 4) and labels (T,).

    Without anchors a cell answers for one truth. With anchors, `rule` says which of its cell's a truth may have:
    "best", YOLOv2's, only the one with the highest shape IoU, so that of two things of one shape one is lost;
    "free", kinder and what this lab's networks are trained with, the one with the highest shape IoU that is free.
    Larger boxes choose first, a choice of this lab: the papers name no order. ValueError: another rule.
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


def encode(boxes: Tensor, labels: Tensor, grid: Grid, anchors: Tensor | None = None, rule: str = "free") -> Target:
    """Truth boxes (T, 4) and labels (T,) from 1 to what training asks of every cell, assigned by `assign`'s `rule`.

    Collided truths are not in it.
    """
    assignment = assign(boxes, labels, grid, anchors, rule)
    there = assignment.owner >= 0
    filled = torch.cat([boxes, boxes.new_zeros(1, 4)])[assignment.owner]
    values = torch.where(there[..., None], values_of(filled, grid, anchors), 0)
    return Target(assignment.owner, assignment.labels, filled, values)


def values_of(boxes: Tensor, grid: Grid, anchors: Tensor | None = None) -> Tensor:
    """Boxes (S, S, K, 4) as the coordinate loss compares them, same shape.

    First x and y of the centre, in cells from the cell's upper left corner, 0 to 1 where the cell is responsible. Then
    "cell": √(w/W) and √(h/H), W and H the picture's; "anchor": ln(w/p_w) and ln(h/p_h), p the anchor.
    """
    form = centre_form(boxes)
    places = form[..., :2] / grid.pitch.to(boxes) - _corners(grid, boxes)
    if anchors is None:
        sizes = (form[..., 2:] / _picture(grid, boxes)).clamp(min=0).sqrt()
    else:
        sizes = (form[..., 2:].clamp(min=SMALLEST_SIDE) / anchors.to(boxes)).log()
    return torch.cat([places, sizes], dim=-1)


def decode(raw: Tensor, grid: Grid, predictors: int = 3, anchors: Tensor | None = None) -> Prediction:
    """Raw network output (..., S, S, channels) to boxes, confidences and class probabilities.

    x = (column + σ(t_x)) · W/S and y = (row + σ(t_y)) · H/S are the box's centre.
    "cell": w = W · σ(t_w), h = H · σ(t_h). "anchor": w = p_w · exp(t_w), h = p_h · exp(t_h) (YOLO9000, section 2).
    `predictors` B counts in the layout "cell"; with anchors it is their number.
    Errors: ValueError for channels that B does not fit.
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


def loss(
    raw: Tensor, targets: Sequence[Target], grid: Grid, predictors: int = 3, anchors: Tensor | None = None,
    lambda_coord: float = LAMBDA_COORD, lambda_noobj: float = LAMBDA_NOOBJ,
) -> GridLoss:  # fmt: skip
    """The loss of raw outputs (N, S, S, channels) for N targets, as in Redmon et al. 2016, eq. 3, but for three things.

    Coordinates: λ_coord times the squared error of `values_of`, for responsible predictors. Confidence: squared error
    to the IoU of the predicted box with the truth (no gradient through the IoU) where responsible; λ_noobj times the
    squared error to 0 for all others, also for the other predictors of a cell that has a thing. Classes: cross entropy.

    The three: the paper's class term is the squared error of the probabilities (`squared_class_error`); its outputs are
    linear, and here confidences go through a sigmoid, classes through a softmax, boxes through what `decode` says; and
    YOLOv2's exception, no loss for a predictor that has an IoU above 0.6 with some truth, is not made.

    Responsible is in "cell" the predictor of the cell whose box has the highest IoU with the truth right now (where no
    box meets it, the one with the smallest coordinate error, as in the authors' code), in "anchor" the anchor that
    `assign` gave it to.
    """
    found = decode(raw, grid, predictors, anchors)
    owner, labels, boxes, values = (
        torch.stack([getattr(target, key) for target in targets]).to(raw.device)
        for key in ("owner", "labels", "boxes", "values")
    )
    there = owner >= 0
    error = (found.values - values).square().sum(-1)
    with torch.no_grad():
        overlap = iou(found.boxes, boxes.to(raw))
        if anchors is None:
            rank = torch.where(overlap.amax(-1, keepdim=True) > 0, overlap, -error)
            responsible = there & F.one_hot(rank.argmax(-1), rank.shape[-1]).bool()
        else:
            responsible = there
        wanted = torch.where(responsible, overlap, 0)
    miss = (found.confidence - wanted).square()
    logits = found.logits if anchors is not None else found.logits[..., None, :]
    surprise = -logits.log_softmax(-1).gather(-1, (labels - 1).clamp(min=0)[..., None])[..., 0]
    return GridLoss(
        coordinates=lambda_coord * (error * responsible).sum(-1),
        object_confidence=(miss * responsible).sum(-1),
        no_object_confidence=lambda_noobj * (miss * ~responsible).sum(-1),
        classes=(surprise * there).sum(-1),
        responsible=responsible,
        target_confidence=wanted,
    )


def squared_class_error(classes: Tensor, label: int) -> Tensor:
    """The paper's class term of one cell, Σ (p − p̂)²: class probabilities (..., C), a label from 1; float (...)."""
    asked = F.one_hot(torch.tensor(label - 1, device=classes.device), classes.shape[-1])
    return (classes - asked).square().sum(-1)


def detect(prediction: Prediction, grid: Grid, threshold: float, overlap: float) -> tuple[Tensor, Tensor, Tensor]:
    """Boxes (N, 4) clipped to the picture, labels (N,) from 1 and scores (N,), best first, of one picture's prediction.

    Every box asks once for every class; scores above `threshold` go through NMS per class, which drops what has an IoU
    above `overlap` with a better box.
    """
    scores = prediction.scores.flatten(0, -2)
    box, label = (scores > threshold).nonzero(as_tuple=True)
    boxes = clip_boxes_to_image(prediction.boxes.reshape(-1, 4)[box], (grid.height, grid.width))
    kept = batched_nms(boxes, scores[box, label], label, overlap)
    return boxes[kept], label[kept] + 1, scores[box, label][kept]


def _split(raw: Tensor, predictors: int, anchors: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    # Coordinates (..., B, 4), confidences (..., B) and class logits, (..., C) or (..., B, C).
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


def _corners(grid: Grid, like: Tensor) -> Tensor:
    # Column and row of every cell, (S, S, 1, 2).
    steps = torch.arange(grid.cells, device=like.device, dtype=like.dtype)
    row, column = torch.meshgrid(steps, steps, indexing="ij")
    return torch.stack([column, row], dim=-1)[:, :, None]


def _picture(grid: Grid, like: Tensor) -> Tensor:
    return like.new_tensor([grid.width, grid.height])
