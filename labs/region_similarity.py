"""How alike two regions of a picture are: in colour, in texture, in size, and in how well they fit into each other.

Uijlings et al. 2013, "Selective Search for Object Recognition", section 3.2. Every similarity lies in 0 to 1, and each
follows from what is known of the two regions: no pixel is looked at again when regions are merged.
"""

import numpy as np
from jaxtyping import Float, Int, Num, UInt8
from scipy.ndimage import gaussian_filter

COLOUR_BINS, TEXTURE_BINS, ORIENTATIONS = 25, 10, 8


def colour_histograms(pixels: UInt8[np.ndarray, "h w c"], labels: Int[np.ndarray, "h w"]) -> Float[np.ndarray, "n d"]:
    """One histogram a region: 25 bins for each channel of 0 to 255, the sum of all d = 25 c bins is 1.

    `labels` names the region of every pixel: 0 ... n - 1, none of them empty.

    >>> colour_histograms(np.array([[[0], [255]]], np.uint8), np.zeros((1, 2), int))[0, [0, 1, 24]]
    array([0.5, 0. , 0.5])
    """
    return _histograms(pixels.astype(np.int64) * COLOUR_BINS // 256, labels, COLOUR_BINS)


def texture_histograms(pixels: UInt8[np.ndarray, "h w c"], labels: Int[np.ndarray, "h w"]) -> Float[np.ndarray, "n d"]:
    """One histogram a region: 10 bins for each channel and each of 8 orientations, the sum of all d = 80 c bins is 1.

    Counted are derivatives of a Gaussian of σ = 1 px along each orientation, 45° apart, where the picture gets
    brighter; where it gets darker counts as 0, for the opposite orientation sees it. The bins share the range from 0 to
    the largest response of the picture. (The paper leaves range and sign open.)

    >>> texture_histograms(np.full((9, 9, 1), 200, np.uint8), np.zeros((9, 9), int)).reshape(8, 10)[:, 0]
    array([0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125])
    """
    smooth = pixels.astype(np.float32)
    down, across = (gaussian_filter(smooth, (1, 1, 0), order=order) for order in ((1, 0, 0), (0, 1, 0)))
    angles = np.arange(ORIENTATIONS) * 2 * np.pi / ORIENTATIONS
    responses = np.concatenate([np.cos(a) * across + np.sin(a) * down for a in angles], axis=2)
    largest = max(float(responses.max()), 1.0)  # less than one step of brightness a pixel is no texture
    bins = np.clip(responses * (TEXTURE_BINS / largest), 0, TEXTURE_BINS - 1).astype(np.int64)
    return _histograms(bins, labels, TEXTURE_BINS)


def _histograms(bins: Int[np.ndarray, "h w c"], labels: Int[np.ndarray, "h w"], count: int):
    regions, channels = int(labels.max()) + 1, bins.shape[2]
    places = (labels[..., None] * channels + np.arange(channels)) * count + bins
    counted = np.bincount(places.ravel(), minlength=regions * channels * count).reshape(regions, -1)
    return counted / counted.sum(1, keepdims=True)


def merged_histogram(
    first: Float[np.ndarray, " d"], second: Float[np.ndarray, " d"], sizes: tuple[int, int]
) -> Float[np.ndarray, " d"]:
    """The histogram of both regions together: their mean, weighted by their `sizes` in pixels.

    >>> merged_histogram(np.array([1.0, 0.0]), np.array([0.0, 1.0]), (30, 10))
    array([0.75, 0.25])
    """
    return (sizes[0] * first + sizes[1] * second) / (sizes[0] + sizes[1])


def intersection(
    first: Float[np.ndarray, "pairs d"], second: Float[np.ndarray, "pairs d"]
) -> Float[np.ndarray, " pairs"]:
    """How much two histograms share, the sum of their smaller bins: the similarity of colour, and that of texture.

    >>> intersection(np.array([[0.5, 0.5, 0.0]]), np.array([[0.2, 0.5, 0.3]]))
    array([0.7])
    """
    return np.minimum(first, second).sum(-1)


def size_similarity(
    first: Num[np.ndarray, " pairs"], second: Num[np.ndarray, " pairs"], total: int
) -> Float[np.ndarray, " pairs"]:
    """High for two small regions, so that small ones are merged first. Sizes, and that of the picture, in pixels.

    >>> size_similarity(np.array([10]), np.array([30]), 100)
    array([0.6])
    """
    return 1 - (first + second) / total


def fill_similarity(
    first: Num[np.ndarray, " pairs"],
    second: Num[np.ndarray, " pairs"],
    around: Num[np.ndarray, " pairs"],
    total: int,
) -> Float[np.ndarray, " pairs"]:
    """High for two regions that fill the box around both, of `around` pixels: a hole is merged with what is around it.

    >>> fill_similarity(np.array([10]), np.array([30]), np.array([60]), 100)
    array([0.8])
    """
    return 1 - (around - first - second) / total
