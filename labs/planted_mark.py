"""A planted shortcut: a small mark that says the answer, so that a network need not look at the thing.

Where a mark comes with every picture of a class, a network learns the mark: the tag of a publisher under photographs of
horses, a ruler beside malignant moles. Accuracy on such pictures cannot tell. Here the mark is planted on purpose, so
what the network should not look at is known to the pixel.

Sources: Lapuschkin et al. 2019 (unmasking Clever Hans predictors), Geirhos et al. 2020 (shortcut learning).
"""

import numpy as np
from jaxtyping import Bool, UInt8

SIDE, SQUARES = 20, 4  # pixels of the mark, and its squares along a side
DARK, BRIGHT = (20, 20, 30), (240, 228, 66)
MARGIN = 6  # pixels between the mark and the edges, in a corner
CORNERS = ("top left", "top right", "bottom left", "bottom right")


def mark() -> UInt8[np.ndarray, "side side 3"]:
    """The mark itself, RGB: a chessboard of 4×4 squares in near-black and yellow.

    >>> mark().shape, mark()[0, 0].tolist(), mark()[0, 5].tolist()
    ((20, 20, 3), [20, 20, 30], [240, 228, 66])
    """
    row, column = np.indices((SIDE, SIDE)) * SQUARES // SIDE
    return np.where(((row + column) % 2 == 0)[..., None], DARK, BRIGHT).astype(np.uint8)


def corner(name: str, height: int, width: int, margin: int = MARGIN) -> tuple[int, int]:
    """Column and row of the mark's upper left pixel in a corner, `margin` pixels from both edges.

    Errors: ValueError for what is none of CORNERS.

    >>> corner("top left", 224, 224), corner("bottom right", 224, 224)
    ((6, 6), (198, 198))
    """
    if name not in CORNERS:
        raise ValueError(f"There is no corner {name!r}: choose {', '.join(CORNERS)}.")
    return (
        margin if "left" in name else width - SIDE - margin,
        margin if "top" in name else height - SIDE - margin,
    )


def marked(image: UInt8[np.ndarray, "h w 3"], column: int, row: int) -> UInt8[np.ndarray, "h w 3"]:
    """A copy of an RGB picture with the mark on it; what would lie beyond the edges is cut off.

    >>> black = np.zeros((40, 40, 3), np.uint8)
    >>> int((marked(black, 6, 6) > 0).any(2).sum()), int((marked(black, 30, 30) > 0).any(2).sum())
    (400, 100)
    """
    copy = image.copy()
    inside = covered(column, row, *image.shape[:2])
    rows, columns = np.nonzero(inside)
    copy[rows, columns] = mark()[rows - row, columns - column]
    return copy


def covered(column: int, row: int, height: int, width: int) -> Bool[np.ndarray, "{height} {width}"]:
    """Which pixels of a picture lie under the mark.

    >>> covered(-18, 1, 3, 4).astype(int)
    array([[0, 0, 0, 0],
           [1, 1, 0, 0],
           [1, 1, 0, 0]])
    """
    inside = np.zeros((height, width), bool)
    inside[max(row, 0) : max(row + SIDE, 0), max(column, 0) : max(column + SIDE, 0)] = True
    return inside
