"""Small pictures at the places of points, on one canvas that shows the page's own background between them."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ui.components import Labels

COLOURS = 240  # for the pictures; the rest of a byte is for frames, and one value for nothing
NOTHING = 255
FRAME = 2  # pixels


@dataclass(frozen=True, eq=False)
class Thumbnails:
    """Pictures as indices uint8 (n, t, t) into `palette`, "#rrggbb"; NOTHING is clear."""

    pictures: NDArray[np.uint8]
    palette: list[str]

    @property
    def size(self) -> int:
        return self.pictures.shape[1]


def framed(tiles: NDArray[np.uint8], colours: list[str], kinds: NDArray[np.int64], size: int) -> Thumbnails:
    """Pictures uint8 (n, H, W, 3) brought to `size` pixels, each in a frame of the colour of its kind.

    All share one palette of COLOURS colours, so that a canvas of them is one byte a pixel.
    """
    small = np.array([cv2.resize(tile, (size, size), interpolation=cv2.INTER_AREA) for tile in tiles])
    few = Image.fromarray(small[:, ::4, ::4].reshape(-1, len(range(0, size, 4)), 3)).quantize(COLOURS)
    sheet = Image.fromarray(small.reshape(-1, size, 3)).quantize(palette=few, dither=Image.Dither.NONE)
    flat = sheet.getpalette() or []
    palette = [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in zip(flat[0::3], flat[1::3], flat[2::3], strict=True)][:COLOURS]
    pictures = np.asarray(sheet, np.uint8).reshape(small.shape[:3]).copy()
    edge = np.ones((size, size), bool)
    edge[FRAME:-FRAME, FRAME:-FRAME] = False
    pictures[:, edge] = (len(palette) + kinds.astype(np.uint8))[:, None]
    return Thumbnails(pictures, [*palette, *colours])


def inked(digits: NDArray[np.floating], colours: list[str], kinds: NDArray[np.int64], size: int) -> Thumbnails:
    """Digits (n, 8, 8) from 0 (paper) to 16 (ink), `size` pixels large, on paper of the colour of their kind."""
    large = np.array([cv2.resize(each.astype(np.float32), (size, size)) for each in digits])
    dark = np.array([np.dot([0.299, 0.587, 0.114], list(bytes.fromhex(each[1:]))) < 128 for each in colours])
    ink = len(colours) + dark[kinds]
    return Thumbnails(
        np.where(large > 9, ink[:, None, None], kinds[:, None, None]).astype(np.uint8), [*colours, "#000000", "#ffffff"]
    )


def fitted(places: NDArray[np.floating], side: int, margin: float) -> NDArray[np.float64]:
    """Places (n, 2) as pixels of a canvas of side×side: one scale for both axes, y upwards, `margin` from the edge."""
    low, high = places.min(0), places.max(0)
    extent = float((high - low).max()) or 1.0
    xy = side / 2 + (places - (low + high) / 2) / extent * (side - 2 * margin)
    return np.stack([xy[:, 0], side - xy[:, 1]], 1).astype(np.float64)


def painted(
    thumbnails: Thumbnails,
    xy: NDArray[np.floating],
    side: int,
    last: tuple[NDArray[np.uint8], NDArray[np.floating]] | None = None,
) -> Labels:
    """A canvas of side×side with every picture's middle at its `xy`, pixels; later ones lie on top.

    What reaches over the edge is cut off.

    `last`: one more picture with its place, as `in_colours_of` makes it, above all others.
    """
    most = max(thumbnails.size, 0 if last is None else len(last[0]))
    canvas = np.full((side + 2 * most, side + 2 * most), NOTHING, np.uint8)
    pictures = [*zip(thumbnails.pictures, xy, strict=True), *([] if last is None else [last])]
    for picture, middle in pictures:
        size = len(picture)
        x, y = (min(max(round(float(at) - size / 2) + most, 0), side + 2 * most - size) for at in middle)
        np.copyto(canvas[y : y + size, x : x + size], picture, where=picture != NOTHING)
    return Labels(canvas[most:-most, most:-most], thumbnails.palette, 1.0)


def in_colours_of(thumbnails: Thumbnails, image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """One more picture uint8 (H, W, 3), `size` pixels large, in the colours of the others."""
    small = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA).astype(np.int32)
    known = np.array([list(bytes.fromhex(each[1:])) for each in thumbnails.palette], np.int32)
    return ((small[:, :, None] - known) ** 2).sum(3).argmin(2).astype(np.uint8)
