"""Selective search (Uijlings et al. 2013): boxes that may hold a thing, from regions that are merged step by step.

A picture is cut into small regions of one colour, and the two neighbours that are most alike are merged until one
region is left: the picture. Every region that there has been gives a box. No box is learned, none has a class.
"""

import heapq
from collections.abc import Collection

import cv2
import numpy as np
from jaxtyping import Float, Int, UInt8
from skimage.segmentation import felzenszwalb

from labs import region_similarity
from labs.region_tree import Hierarchy

OPENCV_MODES = ("single", "fast", "quality")
SIMILARITIES = ("colour", "texture", "size", "fill")  # in this order in Hierarchy.similarities
COLOUR_SPACES = ("RGB", "Grey", "Lab", "HSV", "rgI", "Hue")
SIGMA, SMALLEST = 0.8, 20  # of the start: the paper's smoothing in pixels; fewer pixels are no region


def in_colour_space(picture: UInt8[np.ndarray, "h w 3"], space: str) -> UInt8[np.ndarray, "h w c"]:
    """An RGB picture in one of COLOUR_SPACES, every channel 0 to 255. Grey and Hue have one channel, the others three.

    rgI is red and green as shares of red + green + blue, and the brightness: the shares do not mind shadows.

    >>> in_colour_space(np.array([[[200, 100, 100]]], np.uint8), "rgI")
    array([[[128,  64, 130]]], dtype=uint8)
    """
    if space == "RGB":
        return picture
    if space in ("Lab", "HSV"):
        return cv2.cvtColor(picture, cv2.COLOR_RGB2LAB if space == "Lab" else cv2.COLOR_RGB2HSV_FULL)
    if space == "Hue":
        return cv2.cvtColor(picture, cv2.COLOR_RGB2HSV_FULL)[..., :1]
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None]
    if space == "Grey":
        return grey
    if space != "rgI":
        raise ValueError(f"{space} is no colour space of the search: {', '.join(COLOUR_SPACES)}.")
    shares = picture[..., :2] / np.maximum(picture.sum(2, keepdims=True, dtype=np.int64), 1)
    return np.concatenate([np.round(255 * shares).astype(np.uint8), grey], axis=2)


def start_regions(
    pixels: UInt8[np.ndarray, "h w c"], scale: float, sigma: float = SIGMA, smallest: int = SMALLEST
) -> Int[np.ndarray, "h w"]:
    """The region of each pixel, 0 ... n - 1, by the graph of Felzenszwalb and Huttenlocher 2004.

    Args:
        pixels: of any colour space.
        scale: the paper's k, above 0: the larger, the larger the regions.
        sigma: of the smoothing before, in pixels, 0 or more.
        smallest: regions of fewer pixels are merged with a neighbour.

    >>> start_regions(np.array([[[0], [0], [255]]], np.uint8), scale=0.1, sigma=0, smallest=1)
    array([[0, 0, 1]])
    """
    found = felzenszwalb(pixels, scale=scale, sigma=sigma, min_size=smallest, channel_axis=-1)
    return np.unique(found, return_inverse=True)[1].reshape(found.shape)


def neighbours(labels: Int[np.ndarray, "h w"]) -> Int[np.ndarray, "pairs 2"]:
    """The pairs of regions that touch, also at a corner, each once with the smaller number first.

    >>> neighbours(np.array([[0, 0, 1], [2, 2, 2]]))
    array([[0, 1],
           [0, 2],
           [1, 2]])
    """
    sides = [(labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:]),
             (labels[:-1, :-1], labels[1:, 1:]), (labels[:-1, 1:], labels[1:, :-1])]  # fmt: skip
    pairs = np.concatenate([np.stack([a.ravel(), b.ravel()], axis=1) for a, b in sides])
    return np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)


def hierarchy(
    picture: UInt8[np.ndarray, "h w 3"],
    space: str = "RGB",
    scale: float = 100.0,
    sigma: float = SIGMA,
    use: Collection[str] = SIMILARITIES,
    smallest: int = SMALLEST,
) -> Hierarchy:
    """All regions of an RGB picture, from those of the start to the picture itself.

    Start, colour and texture are looked at in the colour `space`; `use` names the similarities that are added up to
    choose the next pair.

    Errors: ValueError without a similarity to go by.

    >>> picture = np.zeros((40, 40, 3), np.uint8)
    >>> picture[:, 20:] = 255
    >>> hierarchy(picture).boxes[-3:]
    array([[ 0.,  0., 20., 40.],
           [20.,  0., 40., 40.],
           [ 0.,  0., 40., 40.]])
    """
    pixels = in_colour_space(picture, space)
    return merge(start_regions(pixels, scale, sigma, smallest), pixels, picture, use)


def merge(
    labels: Int[np.ndarray, "h w"],
    pixels: UInt8[np.ndarray, "h w c"],
    picture: UInt8[np.ndarray, "h w 3"],
    use: Collection[str] = SIMILARITIES,
) -> Hierarchy:
    """Merge the two neighbours that are most alike until one region is left; of equal pairs, the first.

    `labels` name the regions of the start, 0 ... n - 1; `pixels` are what colour and texture are taken from.

    >>> row = np.array([[[0] * 3, [5] * 3, [250] * 3]], np.uint8)
    >>> tree = merge(np.array([[0, 1, 2]]), row, row)
    >>> tree.children, tree.boxes[3]
    (array([[0, 1],
           [2, 3]]), array([0., 0., 2., 1.]))
    """
    chosen = [SIMILARITIES.index(name) for name in SIMILARITIES if name in use]
    if not chosen:
        raise ValueError("Choose at least one similarity: without any, no two regions are more alike than others.")
    count, total = int(labels.max()) + 1, labels.size
    boxes, sizes, colours = _measured(labels, picture)
    histograms = [
        np.concatenate([of_start, np.zeros((count - 1, of_start.shape[1]))])
        for of_start in (
            region_similarity.colour_histograms(pixels, labels),
            region_similarity.texture_histograms(pixels, labels),
        )
    ]

    def similar(first: Int[np.ndarray, " pairs"], second: Int[np.ndarray, " pairs"]) -> Float[np.ndarray, "pairs 4"]:
        around = _around(boxes[first], boxes[second])
        area = (around[:, 2] - around[:, 0]) * (around[:, 3] - around[:, 1])
        a, b = sizes[first], sizes[second]
        return np.stack([
            *(region_similarity.intersection(each[first], each[second]) for each in histograms),
            region_similarity.size_similarity(a, b, total), region_similarity.fill_similarity(a, b, area, total),
        ], axis=1)  # fmt: skip

    pairs = neighbours(labels)
    touching = [set() for _ in range(2 * count - 1)]
    for first, second in pairs.tolist():
        touching[first].add(second)
        touching[second].add(first)
    parent, children, similarities = np.full(2 * count - 1, -1), [], []
    waiting: list[tuple[float, int, int, list[float]]] = []  # most alike first

    def wait(first: Int[np.ndarray, " pairs"], second: Int[np.ndarray, " pairs"]) -> None:
        four = similar(first, second)
        sums = four[:, chosen].sum(1).round(12)  # equal but for rounding is equal
        for entry in zip((-sums).tolist(), first.tolist(), second.tolist(), four.tolist(), strict=True):
            heapq.heappush(waiting, entry)

    wait(pairs[:, 0], pairs[:, 1])
    for new in range(count, 2 * count - 1):
        _, first, second, four = heapq.heappop(waiting)
        while parent[first] >= 0 or parent[second] >= 0:  # one of them has been merged meanwhile
            _, first, second, four = heapq.heappop(waiting)
        parent[[first, second]] = new
        children.append((first, second))
        similarities.append(four)
        both = int(sizes[first]), int(sizes[second])
        for each in histograms:
            each[new] = region_similarity.merged_histogram(each[first], each[second], both)
        sizes[new] = sum(both)
        boxes[new] = _around(boxes[[first]], boxes[[second]])[0]
        colours[new] = (both[0] * colours[first] + both[1] * colours[second]) / sum(both)
        touching[new] = (touching[first] | touching[second]) - {first, second}
        for other in touching[new]:
            touching[other] -= {first, second}
            touching[other].add(new)
        others = np.array(sorted(touching[new]), dtype=np.int64)
        wait(others, np.full(len(others), new))
    return Hierarchy(
        labels, boxes, sizes, colours, np.array(children, dtype=np.int64).reshape(-1, 2), parent,
        np.array(similarities, dtype=float).reshape(-1, 4),
    )  # fmt: skip


def _measured(labels: Int[np.ndarray, "h w"], picture: UInt8[np.ndarray, "h w 3"]):
    """Boxes, sizes and mean colours of the regions of the start, with room for those to come."""
    count = int(labels.max()) + 1
    room = 2 * count - 1
    boxes, sizes, colours = np.zeros((room, 4)), np.zeros(room, dtype=np.int64), np.zeros((room, 3))
    rows, columns = np.indices(labels.shape)
    for axis, places in enumerate((columns, rows)):
        boxes[:count, axis] = np.inf
        np.minimum.at(boxes[:, axis], labels, places)
        np.maximum.at(boxes[:, axis + 2], labels, places + 1)
    sizes[:count] = np.bincount(labels.ravel())
    for channel in range(3):
        colours[:count, channel] = np.bincount(labels.ravel(), picture[..., channel].ravel()) / sizes[:count]
    return boxes, sizes, colours


def _around(first: Float[np.ndarray, "pairs 4"], second: Float[np.ndarray, "pairs 4"]) -> Float[np.ndarray, "pairs 4"]:
    return np.concatenate([np.minimum(first[:, :2], second[:, :2]), np.maximum(first[:, 2:], second[:, 2:])], axis=1)


def by_opencv(picture: UInt8[np.ndarray, "h w 3"], mode: str = "fast") -> Float[np.ndarray, "n 4"]:
    """The boxes of OpenCV's selective search, xyxy in pixels, roughly from the large regions to the small ones.

    The set is a function of the picture; the order is not: OpenCV multiplies each region's place in the hierarchy by a
    random number, as the paper does, from a generator that nobody can set.

    Args:
        picture: RGB.
        mode: "single" (one colour space, one start), "fast" (two colour spaces, two starts) or "quality" (four colour
            spaces, four starts).

    >>> picture = np.zeros((40, 40, 3), np.uint8)
    >>> picture[:, 20:] = 255
    >>> [0.0, 0.0, 20.0, 40.0] in by_opencv(picture).tolist()
    True
    """
    search = cv2.ximgproc.segmentation.createSelectiveSearchSegmentation()
    search.setBaseImage(np.ascontiguousarray(picture[:, :, ::-1]))
    if mode == "single":
        search.switchToSingleStrategy()
    elif mode == "fast":
        search.switchToSelectiveSearchFast()
    else:
        search.switchToSelectiveSearchQuality()
    boxes = np.asarray(search.process(), float).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]  # from width and height
    return boxes
