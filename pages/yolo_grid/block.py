"""The output as a block of S×S fibres: the chosen cell's fibre pulled out, and the way from its numbers to boxes."""

import numpy as np

from labs import yolo_grid
from models.networks.yolo import YoloDetection
from pages.yolo_grid.shared import BLUE, GREEN, ORANGE, VERMILION
from scenes import THINGS
from ui.components import Box, Boxes, Heat, Lines, Points, stage, words

WIDTH, HEIGHT = 640, 252  # of the drawing, in its own units
LEFT, TOP, SIDE = 16, 70, 150  # the front of the block
DEEP = (62, -44)  # from the front to the back: the channels
FIBRE, PITCH, ROW = 330, 22, 30  # where the fibre begins, the width of a number, the height of a piece
INK = "#7A7F87"  # readable on light and dark


def pipeline(found: YoloDetection, threshold: float, overlap: float) -> None:
    """The whole way in one row, with the numbers of now."""
    scores = found.prediction.scores
    left = len(yolo_grid.detect(found.prediction, found.grid, threshold, overlap)[0])
    boxes = found.prediction.confidence.numel()
    above = int((scores > threshold).sum())
    words(
        f"**{found.raw.numel():,}** numbers → **{boxes:,}** boxes, times {scores.shape[-1]} classes → "
        f"**{scores.numel():,}** scores → **{above:,}** above {threshold:.2f} → NMS → "
        f"**{left:,}** {'box' if left == 1 else 'boxes'}",
        "yolo_pipeline",
    )


def pieces(found: YoloDetection, cell: tuple[int, int]) -> list[list[tuple[str, float, str]]]:
    """The fibre of a cell as the network lays it out, cut into pieces: (name, number as it is read, colour) each.

    In the layout "cell" B boxes of 5 and one piece of classes; in "anchor" B pieces of 5 + C.
    """
    said = found.prediction
    sizes = ("√w", "√h") if found.anchors is None else ("ln w/p", "ln h/p")
    cut = []
    for k in range(found.predictors):
        numbers = zip(("x", "y", *sizes), said.values[cell][k].tolist(), strict=True)
        piece = [(f"box {k + 1}, {name}", value, BLUE) for name, value in numbers]
        cut.append([*piece, (f"box {k + 1}, confidence", float(said.confidence[cell][k]), ORANGE)])
    rows = said.classes[cell].reshape(-1, len(THINGS)).tolist()
    classes = [[(f"class {name}", value, GREEN) for name, value in zip(THINGS, row, strict=True)] for row in rows]
    if found.anchors is None:
        return [*cut, classes[0]]
    return [[*box, *row] for box, row in zip(cut, classes, strict=True)]


def draw(found: YoloDetection, cell: tuple[int, int]) -> None:
    cut, cells = pieces(found, cell), found.grid.cells
    boxes, (at_x, at_y) = fibre(cut), front(cell, cells)
    chosen = Box("block-cell", (at_x, at_y, at_x + SIDE / cells, at_y + SIDE / cells), colour=VERMILION, width=3)
    middle = at_y + SIDE / cells / 2
    names = [f"box {k + 1}" for k in range(found.predictors)] + (["classes"] if found.anchors is None else [])
    heads = ["x", "y", "w", "h", "conf."] + ([] if found.anchors is None else ["classes"])
    places = [(FIBRE - 62, 46 + ROW * k) for k in range(len(cut))]
    places += [(FIBRE + PITCH * k - 3, 22) for k in range(len(heads))]
    channels = found.raw.shape[-1]
    places += [(LEFT + SIDE / 2 - 14, TOP + SIDE + 18), (LEFT + SIDE / 2, TOP + DEEP[1] - 14)]
    stage("yolo_block", zoom=False, width=WIDTH, window=2).show(
        size=(WIDTH, HEIGHT),
        layers=[
            Heat(found.prediction.confidence.amax(-1).numpy(), "cividis", vmin=0, vmax=1, opacity=0.9, smooth=False,
                 xyxy=(LEFT, TOP, LEFT + SIDE, TOP + SIDE)),
            Lines(edges(cells), colour=INK, width=1),
            Lines(np.array([[at_x + SIDE / cells, middle, FIBRE - 68, 46.0]]), colour=VERMILION, arrow=True),
            Boxes([*boxes, chosen]),
            Points(np.array(places, dtype=float), INK, 0.1,
                   labels=[*names, *heads, f"{cells}×{cells}", f"{channels} channels"]),
        ],
        alt=f"The output as a block of {cells}×{cells}×{channels} numbers, with the {channels} of row {cell[0]}, "
        f"column {cell[1]} pulled out",
        caption=f"{cells}×{cells} cells, {channels} numbers deep. The front shows the confidence; pulled out are the "
        f"{channels} numbers of row {cell[0]}, column {cell[1]}: the fuller, the larger. Point at one to read it.",
    )  # fmt: skip


def front(cell: tuple[int, int], cells: int) -> tuple[float, float]:
    """Upper left corner of a cell on the front of the block."""
    return LEFT + SIDE * cell[1] / cells, TOP + SIDE * cell[0] / cells


def edges(cells: int) -> np.ndarray:
    """The block's lines (N, 4): the grid on its front, and top and right side going back to the depth of DEEP."""
    right, bottom, (dx, dy) = LEFT + SIDE, TOP + SIDE, DEEP
    steps = np.linspace(0, SIDE, cells + 1)
    lines = [(LEFT + t, TOP, LEFT + t, bottom) for t in steps] + [(LEFT, TOP + t, right, TOP + t) for t in steps]
    lines += [(LEFT + t, TOP, LEFT + t + dx, TOP + dy) for t in steps]
    lines += [(right, TOP + t, right + dx, TOP + t + dy) for t in steps]
    lines += [(LEFT + dx, TOP + dy, right + dx, TOP + dy), (right + dx, TOP + dy, right + dx, bottom + dy)]
    return np.array(lines, dtype=float)


def fibre(cut: list[list[tuple[str, float, str]]]) -> list[Box]:
    """Every number of the fibre, one piece a line."""
    return [
        Box(f"number-{k}-{i}", (FIBRE + PITCH * i, 34 + ROW * k, FIBRE + PITCH * (i + 1), 34 + ROW * k + PITCH),
            colour=colour, width=1, fill=min(1.0, abs(value)), note=f"{name}: {value:.2f}")
        for k, piece in enumerate(cut) for i, (name, value, colour) in enumerate(piece)
    ]  # fmt: skip
