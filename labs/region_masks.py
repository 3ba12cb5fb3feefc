"""Masks of regions: how a truth becomes a 28x28 target, what its pixels cost, and how a small mask becomes a large one.

Boxes are xyxy in pixels of the picture, masks are 0 to 1. A region's mask has M x M cells, whatever the size of its
box: cutting the truth resizes it to M x M, pasting back resizes M x M to the box. Both are bilinear, one axis at a
time. Both have Mask R-CNN's first conventions, as torchvision has them to this day: the target is read half a pixel too
far down and right (`labs.roi_align`, aligned=False), and the box that is pasted into is rounded down to whole pixels
and one pixel larger.

Sources: He et al. 2017, section 3; torchvision's `roi_heads`. Losses are natural logarithms, in nats.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from scipy import ndimage
from torch import Tensor
from torch.nn.functional import log_softmax, pad, softplus

from labs.roi_align import hat_weights, roi_align

SIZE = 28  # cells a side, M
PADDING = 1  # empty cells around a mask, before it is resized: without them it could not end inside its box


def targets(
    masks: Float[Tensor, "n h w"], boxes: Float[Tensor, "n 4"], size: int = SIZE, aligned: bool = False
) -> Float[Tensor, "n {size} {size}"]:
    """What the head should answer: the part of each true mask inside its box, resized to size x size.

    Cells on the edge of the thing get a share between 0 and 1. Equal to torchvision's `project_masks_on_boxes`;
    `aligned` reads at the right half pixel.

    >>> mask = torch.zeros(1, 8, 8)
    >>> mask[0, :, :4] = 1  # the left half
    >>> targets(mask, torch.tensor([[0.0, 0.0, 8.0, 8.0]]), size=4)[0, 0]
    tensor([1.0000, 0.7500, 0.0000, 0.0000])
    >>> targets(mask, torch.tensor([[0.0, 0.0, 8.0, 8.0]]), size=4, aligned=True)[0, 0]
    tensor([1., 1., 0., 0.])
    """
    cut = [
        roi_align(mask[None], box[None], (size, size), 1.0, -1, aligned)[0]
        for mask, box in zip(masks, boxes, strict=True)
    ]
    return torch.cat(cut) if cut else masks.new_zeros(0, size, size)


def sigmoid_losses(
    logits: Float[Tensor, "n k m m"], labels: Int64[Tensor, "n"], target: Float[Tensor, "n m m"]
) -> Float[Tensor, "n m m"]:
    """Binary cross-entropy of every cell, on the mask of the region's own class alone; the other k - 1 are not asked.

    Their mean over all regions and cells is torchvision's `maskrcnn_loss`.

    >>> sigmoid_losses(torch.zeros(1, 2, 1, 1), torch.tensor([1]), torch.ones(1, 1, 1))
    tensor([[[0.6931]]])
    """
    own = logits[torch.arange(len(labels), device=logits.device), labels]
    return target * softplus(-own) + (1 - target) * softplus(own)


def softmax_losses(
    logits: Float[Tensor, "n k m m"], labels: Int64[Tensor, "n"], target: Float[Tensor, "n m m"]
) -> Float[Tensor, "n m m"]:
    """Cross-entropy of every cell over all classes, 0 the background: what belongs to the thing should say the region's
    class, all else background, whatever it is.

    >>> softmax_losses(torch.zeros(1, 2, 1, 1), torch.tensor([1]), torch.ones(1, 1, 1))
    tensor([[[0.6931]]])
    """
    shares = log_softmax(logits, dim=1)
    own = shares[torch.arange(len(labels), device=logits.device), labels]
    return -target * own - (1 - target) * shares[:, 0]


def softmax_log_odds(logits: Float[Tensor, "n k m m"]) -> Float[Tensor, "n k m m"]:
    """The logits whose sigmoid is the softmax: each class against all others together, z_c - log Σ exp z_j, j ≠ c.

    So a network that was trained with a softmax is asked like any other.

    >>> softmax_log_odds(torch.tensor([0.0, 1.0, 2.0]).reshape(1, 3, 1, 1)).sigmoid().flatten()
    tensor([0.0900, 0.2447, 0.6652])
    """
    others = logits[:, None].expand(-1, logits.shape[1], -1, -1, -1)
    itself = torch.eye(logits.shape[1], dtype=torch.bool, device=logits.device)[None, :, :, None, None]
    return logits - others.masked_fill(itself, -torch.inf).logsumexp(2)


@dataclass(frozen=True, eq=False)
class Pasting:
    """How an M x M mask becomes pixels: `box`, whole pixels x1, y1, x2, y2 that are painted, the last ones included;
    `rows` (h, M + 2) and `columns` (w, M + 2), how much of each padded cell every pixel of an axis takes."""

    box: tuple[int, int, int, int]
    rows: Float[Tensor, "h cells"]
    columns: Float[Tensor, "w cells"]


def pasting(box: Float[Tensor, "4"], size: int = SIZE, padding: int = PADDING) -> Pasting:
    """Where the cells of a mask go when it is pasted into a box.

    The box grows with the empty cells around the mask, its corners are rounded towards 0, and it is one pixel wider and
    higher than their difference.

    >>> there = pasting(torch.tensor([10.0, 10.0, 14.0, 12.0]), size=2)
    >>> there.box, there.rows.shape, there.columns.shape
    ((8, 9, 16, 13), torch.Size([5, 4]), torch.Size([9, 4]))
    """
    grown = (size + 2 * padding) / size
    half = (box[2:] - box[:2]) * 0.5
    middle = (box[2:] + box[:2]) * 0.5
    x1, y1, x2, y2 = torch.cat([middle - half * grown, middle + half * grown]).to(torch.int64).tolist()
    cells = size + 2 * padding
    return Pasting((x1, y1, x2, y2), resizing(cells, max(y2 - y1 + 1, 1)), resizing(cells, max(x2 - x1 + 1, 1)))


def resizing(cells: int, pixels: int) -> Float[Tensor, "{pixels} {cells}"]:
    """How much of each cell every pixel takes on one axis: two neighbours, by distance. A row sums to 1.

    Pixel i has its middle at (i + ½) · cells / pixels - ½, as an index of cells (align_corners=False).

    >>> resizing(cells=2, pixels=4)
    tensor([[1.0000, 0.0000],
            [0.7500, 0.2500],
            [0.2500, 0.7500],
            [0.0000, 1.0000]])
    """
    return hat_weights((torch.arange(pixels) + 0.5) * (cells / pixels) - 0.5, cells)


def paste(
    mask: Float[Tensor, "m m"], box: Float[Tensor, "4"], shape: tuple[int, int], padding: int = PADDING
) -> Float[Tensor, "h w"]:
    """The mask of a region as a mask of the picture of `shape` (h, w), 0 outside the box.

    Equal to torchvision's `paste_masks_in_image`.

    >>> paste(torch.ones(2, 2), torch.tensor([1.0, 1.0, 3.0, 3.0]), (4, 5))
    tensor([[0.0000, 0.0000, 0.0000, 0.0000, 0.0000],
            [0.0000, 0.4900, 0.7000, 0.4900, 0.0000],
            [0.0000, 0.7000, 1.0000, 0.7000, 0.0000],
            [0.0000, 0.4900, 0.7000, 0.4900, 0.0000]])
    """
    there = pasting(box, len(mask), padding)
    values = there.rows @ pad(mask, (padding,) * 4) @ there.columns.T
    x1, y1, _, _ = there.box
    left, top = max(x1, 0), max(y1, 0)
    right, bottom = min(x1 + values.shape[1], shape[1]), min(y1 + values.shape[0], shape[0])
    pasted = mask.new_zeros(shape)
    if right > left and bottom > top:
        pasted[top:bottom, left:right] = values[top - y1 : bottom - y1, left - x1 : right - x1]
    return pasted


def paste_exactly(mask: Float[Tensor, "m m"], box: Float[Tensor, "4"], shape: tuple[int, int]) -> Float[Tensor, "h w"]:
    """The same without any rounding: each pixel asks for the place of its own middle in the box, and beyond the
    outermost cells the mask fades to 0.

    Equal to `grid_sample` as Detectron2 uses it. With `targets(..., aligned=True)` a mask comes back where it was cut.

    >>> paste_exactly(torch.ones(2, 2), torch.tensor([1.0, 1.0, 3.0, 3.0]), (4, 4))
    tensor([[0., 0., 0., 0.],
            [0., 1., 1., 0.],
            [0., 1., 1., 0.],
            [0., 0., 0., 0.]])
    """
    size = len(mask)
    axes = []
    for axis, pixels in ((1, shape[0]), (0, shape[1])):
        share = (torch.arange(pixels) + 0.5 - box[axis]) / (box[axis + 2] - box[axis])
        axes.append(hat_weights(share * size - 0.5 + PADDING, size + 2 * PADDING, border=0.0))
    return axes[0] @ pad(mask, (PADDING,) * 4) @ axes[1].T


def above(probability: Float[Tensor, "*shape"], threshold: float) -> Bool[Tensor, "*shape"]:
    """The mask: every pixel whose probability reaches the threshold.

    >>> above(torch.tensor([0.4, 0.5, 0.6]), 0.5)
    tensor([False,  True,  True])
    """
    return probability >= threshold


def mask_iou(found: Bool[Tensor, "h w"], truth: Bool[Tensor, "h w"]) -> float:
    """Pixels that both have over pixels that one has, 0 to 1; 0 where both are empty.

    >>> mask_iou(torch.tensor([[True, True, False]]), torch.tensor([[False, True, True]]))
    0.3333333333333333
    """
    union = int((found | truth).sum())
    return int((found & truth).sum()) / union if union else 0.0


def to_edge(truth: Bool[Tensor, "h w"]) -> Float[Tensor, "h w"]:
    """How far every pixel is from the edge of the mask, in pixels: ½ for those that touch it, positive on both sides.

    Infinite everywhere if the mask is empty or full.

    >>> to_edge(torch.tensor([[False, False, True, True]]))
    tensor([[1.5000, 0.5000, 0.5000, 1.5000]])
    """
    if not bool(truth.any()) or bool(truth.all()):
        return torch.full(truth.shape, torch.inf)
    inside = ndimage.distance_transform_edt(truth.numpy())
    outside = ndimage.distance_transform_edt(~truth.numpy())
    return torch.from_numpy(inside + outside).float() - 0.5


def wrong_by_distance(
    found: Bool[Tensor, "h w"], truth: Bool[Tensor, "h w"], within: list[float]
) -> Float[Tensor, " d"]:
    """Of the pixels where both masks differ, the share that lies at most so far from the true edge; 0 where none do.

    >>> found = torch.tensor([[True, True, True, True, False, False]])
    >>> wrong_by_distance(found, torch.tensor([[False, False, True, True, True, True]]), [1.0, 2.0])
    tensor([0.2500, 0.5000])
    """
    wrong = found != truth
    distance = to_edge(truth)[wrong]
    return torch.tensor([float((distance <= each).float().mean()) if len(distance) else 0.0 for each in within])
