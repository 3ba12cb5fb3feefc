"""One label and one identity for every pixel: how masks of things and a map of stuff are merged into one.

Masks of things may overlap, and a map of classes cannot tell two dogs apart. In a panoptic map each pixel belongs to
one segment at most, and each thing has a segment of its own. The rule: the surest thing first takes its pixels, each
later one gets what is left; a thing of which too much is taken is dropped; stuff fills what no thing took; too small a
stuff is dropped. The rest is void.

Sources: Kirillov, He, Girshick, Rother, Dollár 2019: Panoptic Segmentation, section 7, and Kirillov, Girshick, He,
Dollár 2019: Panoptic Feature Pyramid Networks, section 3.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int32, Int64, Integer

VOID = 0
Verdict = Literal["kept", "score too low", "mask empty", "too much taken"]


@dataclass(frozen=True)
class Turn:
    """What became of one thing when its turn came.

    Attributes:
        thing: its row among the masks.
        area: pixels of its mask. taken: those of them that surer things already had.
        segment: its identity in the map, from 1; VOID if it was dropped.

    >>> Turn(0, "kept", area=40, taken=10, segment=1).covered
    0.25
    """

    thing: int
    verdict: Verdict
    area: int
    taken: int
    segment: int

    @property
    def covered(self) -> float:
        """The share of its mask that was taken, 0 to 1."""
        return self.taken / self.area if self.area else 0.0


@dataclass(frozen=True, eq=False)
class Panoptic:
    """A panoptic map.

    Attributes:
        segments: int32 (H, W), 1 to S, or VOID. classes: int64 (S,), the class of segment 1, 2 and so on.
        turns: what became of every thing, the surest first.
        dropped: pixels of each kind of stuff that was too small.

    >>> Panoptic(np.array([[1, 1, VOID, 2]], np.int32), np.array([7, 0]), (), {}).pairs().tolist()
    [[[7, 1], [7, 1], [-1, 0], [0, 2]]]
    """

    segments: Int32[np.ndarray, "h w"]
    classes: Int64[np.ndarray, " s"]
    turns: tuple[Turn, ...]
    dropped: dict[int, int]

    def pairs(self) -> Int64[np.ndarray, "h w 2"]:
        """Class and segment of every pixel; a class of -1 means void."""
        return np.stack([np.append(-1, self.classes)[self.segments], self.segments.astype(np.int64)], -1)


def take_turns(
    masks: Bool[np.ndarray, "n h w"],
    scores: Float[np.ndarray, " n"],
    least_score: float = 0.5,
    most_taken: float = 0.5,
) -> tuple[Int32[np.ndarray, "h w"], tuple[Turn, ...]]:
    """Give every pixel to one thing at most: the surest thing first, and of two equally sure ones that which is listed
    first.

    A score of exactly `least_score` suffices, and a thing of which exactly `most_taken` (0 to 1) is taken stays.

    Returns:
        The segment of every pixel, numbered in the order in which they were taken, and the turn of every thing.

    >>> masks = np.array([[[1, 1, 1, 0]], [[0, 0, 1, 1]], [[0, 1, 1, 0]]], bool)
    >>> segments, turns = take_turns(masks, np.array([0.9, 0.8, 0.7]))
    >>> segments.tolist(), [turn.verdict for turn in turns]  # half of the second is taken, and all of the third
    ([[1, 1, 1, 2]], ['kept', 'kept', 'too much taken'])
    """
    segments = np.zeros(masks.shape[1:], np.int32)
    turns: list[Turn] = []
    count = 0
    for thing in np.argsort(-scores, kind="stable").tolist():
        area = int(np.count_nonzero(masks[thing]))
        free = masks[thing] & (segments == VOID)
        taken = area - int(np.count_nonzero(free))
        verdict: Verdict = "kept"
        if scores[thing] < least_score:
            verdict = "score too low"
        elif not area:
            verdict = "mask empty"
        elif taken / area > most_taken or taken == area:
            verdict = "too much taken"
        else:
            count += 1
            segments[free] = count
        turns.append(Turn(thing, verdict, area, taken, count if verdict == "kept" else VOID))
    return segments, tuple(turns)


def merge(
    semantic: Integer[np.ndarray, "h w"],
    stuff: Collection[int],
    masks: Bool[np.ndarray, "n h w"],
    labels: Integer[np.ndarray, " n"],
    scores: Float[np.ndarray, " n"],
    least_score: float = 0.5,
    most_taken: float = 0.5,
    least_area: int = 64,
) -> Panoptic:
    """The panoptic map of a semantic map and of things with masks, classes (`labels`) and scores.

    Stuff gets the pixels that no thing took and that `semantic` gives a class among `stuff`; a kind of stuff with fewer
    than `least_area` pixels left is dropped. All other pixels are void: what `semantic` takes for a thing is one only
    where there is a mask.

    Errors: ValueError if a thing has a class of stuff.

    >>> masks = np.array([[[0, 1, 1, 0, 0]]], bool)
    >>> found = merge(np.array([[0, 0, 7, 7, 2]]), {0, 2}, masks, np.array([7]), np.array([0.9]), least_area=1)
    >>> found.segments.tolist(), found.classes.tolist()  # the second 7 has no mask
    ([[2, 1, 1, 0, 3]], [7, 0, 2])
    """
    if mixed := set(labels.tolist()) & set(stuff):
        raise ValueError(f"Class {min(mixed)} is stuff: no thing can have it.")
    segments, turns = take_turns(masks, scores, least_score, most_taken)
    classes = [int(labels[turn.thing]) for turn in turns if turn.segment != VOID]
    free, dropped = segments == VOID, {}
    for kind in sorted(stuff):
        region = free & (semantic == kind)
        area = int(np.count_nonzero(region))
        if area and area < least_area:
            dropped[kind] = area
        elif area:
            classes.append(kind)
            segments[region] = len(classes)
    return Panoptic(segments, np.array(classes, np.int64), turns, dropped)


def claims(
    masks: Bool[np.ndarray, "n h w"], scores: Float[np.ndarray, " n"], least_score: float = 0.5
) -> Int32[np.ndarray, "h w"]:
    """How many things that are sure enough want each pixel; where it is more than one, they are in conflict.

    >>> claims(np.array([[[1, 1, 0]], [[0, 1, 1]], [[1, 1, 1]]], bool), np.array([0.9, 0.8, 0.1])).tolist()
    [[1, 2, 1]]
    """
    return masks[scores >= least_score].sum(0, dtype=np.int32)
