"""How R-CNN makes regions of any shape into pictures of one size: warped, or in a square with or without context.

Boxes are xyxy in pixels of the picture; a crop is `size` pixels a side. Around the region lies a border of `padding`
pixels of the crop, filled with what surrounds the region in the picture. Source: Girshick et al. 2014 (R-CNN),
section 2.1 and appendix A; the paper takes 227 and a border of 16.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torchvision.ops import roi_align

from labs.boxes import centre_form, corner_form

WARP, WITH_CONTEXT, WITHOUT_CONTEXT = WAYS = ("warp", "square with context", "square without context")
PAPER_SIZE, PAPER_PADDING = 227, 16


def sources(
    boxes: Float[Tensor, "n 4"], size: int = PAPER_SIZE, padding: float = PAPER_PADDING, way: str = WARP
) -> Float[Tensor, "n 4"]:
    """The part of the picture that fills the crop, border included; it may reach beyond the picture.

    A square is the tightest around the region. The region, or its square, takes the middle size - 2 · padding pixels
    of the crop, so its surroundings grow by the factor size / (size - 2 · padding).

    Errors: ValueError for a box without area, a border that leaves no room, or another way.

    >>> sources(torch.tensor([[10.0, 20, 50, 40]]), size=40, padding=10)
    tensor([[-10.,  10.,  70.,  50.]])
    >>> sources(torch.tensor([[10.0, 20, 50, 40]]), size=40, padding=0, way="square with context")
    tensor([[10., 10., 50., 50.]])
    """
    if way not in WAYS:
        raise ValueError(f"There is no way {way!r}: choose {', '.join(WAYS)}.")
    if not 0 <= 2 * padding < size:
        raise ValueError(f"A border of {padding:g} pixels leaves no room in a crop of {size}.")
    form = centre_form(boxes)
    sides = form[..., 2:]
    if not bool((sides > 0).all()):
        raise ValueError("A region needs a width and a height above 0.")
    if way != WARP:
        sides = sides.amax(-1, keepdim=True).expand_as(sides)
    return corner_form(torch.cat([form[..., :2], sides * (size / (size - 2 * padding))], dim=-1))


def crops(
    picture: Float[Tensor, "c h w"],
    boxes: Float[Tensor, "n 4"],
    size: int = PAPER_SIZE,
    padding: float = PAPER_PADDING,
    way: str = WARP,
) -> Float[Tensor, "n c size size"]:
    """Every region as a picture of its own. Where there is no picture the crop is 0, and so it is outside the region
    and its border for a square without context.

    Hand over the picture minus its mean: what is missing is then the mean, as in the paper. Each pixel of a crop is the
    mean of bilinear samples, enough of them that none is skipped where a region shrinks.

    >>> region = torch.tensor([[0.0, 0, 8, 4]])
    >>> crops(torch.ones(1, 8, 8), region, size=4, padding=0, way="square without context")[0, 0]
    tensor([[0., 0., 0., 0.],
            [1., 1., 1., 1.],
            [1., 1., 1., 1.],
            [0., 0., 0., 0.]])
    """
    there = sources(boxes, size, padding, way)
    found = roi_align(picture[None], [there], size, spatial_scale=1.0, sampling_ratio=-1, aligned=True)
    if way == WITHOUT_CONTEXT:
        found = found * inside(boxes, there, size, padding)[:, None]
    return found


def inside(
    boxes: Float[Tensor, "n 4"], there: Float[Tensor, "n 4"], size: int, padding: float
) -> Bool[Tensor, "n size size"]:
    """Which pixels of the crops show the region or its border; `there` are its `sources`.

    >>> box = torch.tensor([[0.0, 0, 8, 4]])
    >>> inside(box, sources(box, 4, 0, "square with context"), 4, 0)[0, :, 0]
    tensor([False,  True,  True, False])
    """
    scale = (there[:, 2:] - there[:, :2]) / size  # pixels of the picture to one of the crop
    middles = there[:, None, :2] + (torch.arange(size)[None, :, None] + 0.5) * scale[:, None]
    border = padding * scale
    low, high = boxes[:, None, :2] - border[:, None], boxes[:, None, 2:] + border[:, None]
    x, y = ((middles >= low) & (middles <= high)).unbind(-1)
    return y[:, :, None] & x[:, None, :]


def computed_pixels(count: int, size: int) -> int:
    """Pixels that the network looks at for `count` crops.

    >>> computed_pixels(2000, 227)  # a picture of 224×224 has 50,176
    103058000
    """
    return count * size * size
