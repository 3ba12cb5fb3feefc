"""Counting across a line: who crosses a segment, at which frame, and to which side?

A thing stands where the middle of its box's lower side is, its foot point. A track crosses between two frames where it
is known if its foot point changes sides and the way between cuts the segment, ends included. A point on the line itself
belongs to the right side, so who stops on it crosses once.

The line goes from its first to its second end, (x1, y1, x2, y2) in pixels; seen along it, with y pointing down as in
pictures, LEFT and RIGHT are the two sides.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from labs.tracking import TENTATIVE, Tracked

LEFT, RIGHT = "left", "right"


class Crossing(NamedTuple):
    """Who crossed: the frame in which the track is first on the other side, its number and class, and the side on which
    it is now.

    >>> Crossing(7, 2, 1, LEFT).direction
    'left'
    """

    frame: int
    track: int
    label: int
    direction: str


def foot(box: Float[np.ndarray, "*boxes 4"]) -> Float[np.ndarray, "*boxes 2"]:
    """Where the thing in a box xyxy stands: the middle of the lower side.

    >>> foot(np.array([10.0, 20, 14, 28]))
    array([12., 28.])
    """
    return np.stack([(box[..., 0] + box[..., 2]) / 2, box[..., 3]], -1)


def side(line: Float[np.ndarray, "4"], point: Float[np.ndarray, "2"]) -> str:
    """LEFT or RIGHT of the line, seen along it; on it is RIGHT.

    >>> side(np.array([0.0, 0, 0, 10]), np.array([3.0, 5.0]))  # looking down, a larger x is on the left
    'left'
    """
    return LEFT if _turn(line, point) < 0 else RIGHT


def _turn(line: Float[np.ndarray, "4"], point: Float[np.ndarray, "2"]) -> float:
    """Twice the area of the triangle of line and point, in square pixels: below 0 on the left."""
    (x1, y1, x2, y2), (x, y) = line, point
    return float((x2 - x1) * (y - y1) - (y2 - y1) * (x - x1))


def crosses(line: Float[np.ndarray, "4"], before: Float[np.ndarray, "2"], after: Float[np.ndarray, "2"]) -> bool:
    """Whether the way from one point to the other changes sides and cuts the segment, whose ends belong to it.

    >>> line = np.array([0.0, 0, 0, 10])
    >>> crosses(line, np.array([-1.0, 5]), np.array([1.0, 5])), crosses(line, np.array([-1.0, 15]), np.array([1.0, 15]))
    (True, False)
    """
    if side(line, before) == side(line, after):
        return False
    way = np.concatenate([before, after])
    return _turn(way, line[:2]) * _turn(way, line[2:]) <= 0


def crossings(frames: Sequence[Sequence[Tracked]], line: Float[np.ndarray, "4"]) -> list[Crossing]:
    """All crossings of a film in the order of its frames. Tentative tracks do not count yet; where a track is unknown
    for some frames, its way is the straight one between its two nearest places. A line without length is never crossed.

    >>> way = [[Tracked(1, 3, np.array([x, 0.0, x + 2, 5]), 0.9, "found")] for x in (-3.0, -1.5, 0.5)]
    >>> crossings(way, np.array([0.0, 0, 0, 10]))
    [Crossing(frame=2, track=1, label=3, direction='left')]
    """
    last, seen = {}, []
    for index, frame in enumerate(frames):
        for each in frame:
            if each.state == TENTATIVE:
                continue
            place = foot(np.asarray(each.box, np.float64))
            if each.track in last and crosses(line, last[each.track], place):
                seen.append(Crossing(index, each.track, each.label, side(line, place)))
            last[each.track] = place
    return seen


def tally(seen: Iterable[Crossing]) -> dict[int, dict[str, int]]:
    """How many crossed, by class and direction; only classes of which somebody did.

    >>> tally([Crossing(2, 1, 3, LEFT), Crossing(9, 1, 3, RIGHT), Crossing(9, 2, 3, LEFT)])
    {3: {'left': 2, 'right': 1}}
    """
    counts: dict[int, dict[str, int]] = {}
    for each in seen:
        counts.setdefault(each.label, {LEFT: 0, RIGHT: 0})[each.direction] += 1
    return counts
