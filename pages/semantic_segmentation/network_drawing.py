"""Where every map of a segmenter stands in its drawing: down at the left, up at the right, skip connections across."""

import cv2
import numpy as np

from models.networks.segmenter import SKIPS
from pages.semantic_segmentation.shared import BLUE, ORANGE, PALETTE
from scenes import CLASSES
from ui.components import Box, Boxes, Heat, Labels, Lines, Points

WIDTH, HEIGHT = 720, 600
GREY = "#5F6670"
ROWS = ((98, 76), (86, 214), (70, 338), (56, 447), (44, 543))  # side and middle of the maps of each level
PICTURE, DOWN, BOTTOM, RAISED, UP, SCORES, CLASS = 62, 181, 240, 300, 419, 538, 657  # middles of the columns


def place(column: float, level: int) -> tuple[float, float, float, float]:
    """xyxy of the map of this level in the column around this middle."""
    side, row = ROWS[level]
    return (column - side / 2, row - side / 2, column + side / 2, row + side / 2)


def places(levels: int) -> list[tuple[float, float, float, float]]:
    """Of every map in the order of the pass: the picture, down, the bottom, then upsampled and up in turn, scores."""
    bottom = levels - 1
    down = [place(DOWN, level) for level in range(bottom)]
    rising = [place(column, level) for level in reversed(range(bottom)) for column in (RAISED, UP)]
    return [place(PICTURE, 0), *down, place(BOTTOM, bottom), *rising, place(SCORES, 0)]


def drawing(layers, image: np.ndarray, labels: np.ndarray, shown: int, skips: int, chosen: str) -> list:
    """The layers of a stage of WIDTH × HEIGHT: maps, arrows, numbers of channels, the picture and every pixel's class.

    `layers` have a name, channels, side and maps (4, h, w), of which `shown` is drawn, and `chosen` is the name of the
    one that stands out; `image` is uint8 (H, W, 3), `labels` are uint8 (H, W).
    """
    levels = len(ROWS)
    at = places(levels)
    last = place(CLASS, 0)
    heats = [Heat(layer.maps[shown].astype(np.float32), opacity=1.0, smooth=False, xyxy=xyxy)
             for layer, xyxy in list(zip(layers, at, strict=True))[1:]]  # fmt: skip
    boxes = [
        Box(layer.name, xyxy, f"{layer.channels}", *((ORANGE, False, False, 4) if layer.name == chosen else (GREY,)),
            note=f"{layer.name}: {layer.channels} × {layer.side} × {layer.side}")
        for layer, xyxy in zip(layers, at, strict=True)
    ]  # fmt: skip
    forward = np.array([arrow(a, b) for a, b in zip(at, [*at[1:], last], strict=True)])
    down, raised = at[2:levels], at[levels + 1 : -1 : 2]  # no connection at the picture's own size
    across = np.array([arrow(a, b) for a, b in zip(reversed(down), raised[:SKIPS], strict=True)])
    sides = [(4.0, ROWS[level][1]) for level in range(1, levels)]
    return [
        *heats,
        _both_ends(image, labels, at[0], last),
        Lines(forward, colour=BLUE, arrow=True),
        *([Lines(across[:skips], colour=ORANGE, width=3, dash=True, arrow=True)] if skips else []),
        Boxes([*boxes, Box("classes", last, "class", GREY, note="The class with the largest score")]),
        Points(np.array(sides), radius=0, labels=[f"{each.side}²" for each in layers[2 : levels + 1]]),
    ]


def _both_ends(image: np.ndarray, labels: np.ndarray, first: tuple, last: tuple) -> Labels:
    """The picture, in six steps of each colour, and the class map at their places, nothing elsewhere."""
    steps = [f"#{r:02x}{g:02x}{b:02x}" for r in range(0, 256, 51) for g in range(0, 256, 51) for b in range(0, 256, 51)]
    small = cv2.resize(image, (ROWS[0][0],) * 2, interpolation=cv2.INTER_AREA)
    sixths = np.rint(small / 51).astype(np.uint8)
    canvas = np.full((HEIGHT, WIDTH), len(steps) + len(CLASSES), np.uint8)
    for values, xyxy in ((sixths @ np.array([36, 6, 1], np.uint8), first), (labels + len(steps), last)):
        x1, y1, x2, y2 = map(round, xyxy)
        rows, columns = np.arange(y2 - y1) * len(values) // (y2 - y1), np.arange(x2 - x1) * len(values) // (x2 - x1)
        canvas[y1:y2, x1:x2] = values[np.ix_(rows, columns)]
    return Labels(canvas, [*steps, *PALETTE, None], 1.0)


def arrow(start: tuple, end: tuple) -> tuple[float, float, float, float]:
    """From the edge of one map to the edge of another, past the number above it: x1, y1, x2, y2."""
    middle = (start[1] + start[3]) / 2, (end[1] + end[3]) / 2
    if start[1] < end[3] and end[1] < start[3]:  # side by side
        return (start[2] + 2, middle[1], end[0] - 3, middle[1])
    if start[1] > end[3]:  # up
        return (min(start[2], end[2]) - 8, start[1] - 2, end[2] - 8, end[3] + 4)
    if start[0] + start[2] == end[0] + end[2]:  # down
        return (end[2] - 6, start[3] + 2, end[2] - 6, end[1] - 4)
    return ((start[0] + start[2]) / 2, start[3] + 2, end[0] - 3, middle[1])
