"""The regions of a picture as a tree, from many small ones to the picture itself, and what can be asked of it.

`labs.selective_search` makes such trees. Uijlings et al. 2013, sections 3.1 and 4.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """The regions of a picture as a tree: 0 ... n - 1 are those of the start, n + k is what merge k has made.

    Attributes:
        labels: the region of the start that each pixel belongs to.
        boxes: xyxy in pixels around each region. sizes: in pixels. colours: mean RGB, 0 to 255.
        children: the two regions of each merge. parent: of each region; -1 for the last, the whole picture.
        similarities: of the two regions of each merge, colour, texture, size and fill, each 0 to 1.

    >>> example().boxes[-1]
    array([0., 0., 3., 1.])
    """

    labels: Int[np.ndarray, "h w"]
    boxes: Float[np.ndarray, "regions 4"]
    sizes: Int[np.ndarray, " regions"]
    colours: Float[np.ndarray, "regions 3"]
    children: Int[np.ndarray, "merges 2"]
    parent: Int[np.ndarray, " regions"]
    similarities: Float[np.ndarray, "merges 4"]

    @property
    def start(self) -> int:
        """Regions before the first merge."""
        return len(self.sizes) - len(self.children)


def example() -> Hierarchy:
    """A row of three pixels: the first two are merged, and then all.

    >>> example().start
    3
    """
    boxes = np.array([[0.0, 0, 1, 1], [1, 0, 2, 1], [2, 0, 3, 1], [0, 0, 2, 1], [0, 0, 3, 1]])
    return Hierarchy(
        np.array([[0, 1, 2]]), boxes, np.array([1, 1, 1, 2, 3]), np.zeros((5, 3)), np.array([[0, 1], [2, 3]]),
        np.array([3, 3, 4, 4, -1]), np.zeros((2, 4)),
    )  # fmt: skip


def owners(tree: Hierarchy, merges: int) -> Int[np.ndarray, " n"]:
    """The region to which each region of the start belongs after the first `merges` merges.

    >>> tree = example()
    >>> owners(tree, 1)
    array([3, 3, 2])
    """
    at = np.arange(tree.start)
    while True:
        up = tree.parent[at]
        there = (up >= 0) & (up < tree.start + merges)
        if not there.any():
            return at
        at = np.where(there, up, at)


def path_up(tree: Hierarchy, region: int) -> list[int]:
    """A region and all that it was merged into, up to the picture.

    >>> tree = example()
    >>> path_up(tree, 0)
    [0, 3, 4]
    """
    path = [region]
    while tree.parent[path[-1]] >= 0:
        path.append(int(tree.parent[path[-1]]))
    return path


def mask(tree: Hierarchy, region: int) -> Bool[np.ndarray, "h w"]:
    """The pixels of a region.

    >>> tree = example()
    >>> mask(tree, 3)
    array([[ True,  True, False]])
    """
    below, inside = [region], np.zeros(tree.start, dtype=bool)
    while below:
        each = below.pop()
        if each < tree.start:
            inside[each] = True
        else:
            below.extend(tree.children[each - tree.start].tolist())
    return inside[tree.labels]


def ranked(trees: Sequence[Hierarchy], seed: int) -> Float[np.ndarray, "boxes 4"]:
    """The boxes of one or more hierarchies of a picture in one list, each box once.

    A region's place is i = 1 for the last merge, 2 for the one before, ...; boxes are sorted by i times a random number
    of 0 to 1 (section 4.2 of the paper), for the largest regions would come first otherwise, and of several equal boxes
    the first place counts.

    >>> tree = example()
    >>> ranked([tree, tree], seed=0)[:2]
    array([[1., 0., 2., 1.],
           [2., 0., 3., 1.]])
    """
    boxes = np.concatenate([tree.boxes[::-1] for tree in trees])
    places = np.concatenate([np.arange(1, len(tree.boxes) + 1) for tree in trees])
    order = np.argsort(places * np.random.default_rng(seed).random(len(places)), kind="stable")
    firsts = np.unique(boxes[order], axis=0, return_index=True)[1]
    return boxes[order][np.sort(firsts)]
