"""A box that the hand holds on a scene: large enough, inside the picture, and from the address."""

import numpy as np

from ui import page
from ui.components import address

SIZE = 224  # pixels a side of the picture
SMALLEST = 8.0  # pixels a side: less a hand cannot hold
MIDDLE = (72.0, 72.0, 152.0, 152.0)


def linked_box(link: str) -> tuple[float, float, float, float] | None:
    """The box in the address, cut to the picture; None if there is none."""
    try:
        found = address.numbers(link, 4)
    except ValueError:
        page.problem(f"The link's {link} is no box like 70,90,180,200: drag the box on the picture instead.")
        return None
    return None if found is None else grown(found)


def grown(box) -> tuple[float, float, float, float]:
    """The box in order, inside the picture, with at least SMALLEST pixels a side."""
    given = np.asarray(box, np.float64)
    low = np.clip(np.minimum(given[:2], given[2:]), 0, SIZE - SMALLEST)
    high = np.clip(np.maximum(given[:2], given[2:]), low + SMALLEST, SIZE)
    return xyxy((*low, *high))


def xyxy(box) -> tuple[float, float, float, float]:
    """Four floats, as a stage wants them."""
    x1, y1, x2, y2 = (float(value) for value in box)
    return x1, y1, x2, y2
