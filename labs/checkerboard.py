"""Checkerboard artefacts: where they come from (uneven overlap) and how to find them in a feature map.

A transposed convolution writes every output pixel as a sum over the filter copies that reach it. If the filter size is
not a multiple of the stride, neighbours get sums of different lengths, and the pattern repeats with the stride: pixels
fall into stride × stride phases. Even with equal lengths the phases use different weights, so a net has to learn them
equal. Both leave the same trace: phase means that differ, which is power at the Nyquist frequency for stride 2.

Source: Odena et al. 2016.
"""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from labs.transposed_convolution import Geometry, tap_matrix

AROUND = range(3, 7)  # frequency bins from a peak to the ones that it is compared with


def overlap_counts(size: int, kernel: int, stride: int) -> Int64[Tensor, " {stride*(size-1)+kernel}"]:
    """How many filter copies land on each output of one axis, before trimming.

    >>> overlap_counts(size=4, kernel=3, stride=2)
    tensor([1, 1, 2, 1, 2, 1, 2, 1, 1])
    >>> overlap_counts(size=4, kernel=4, stride=2)
    tensor([1, 1, 2, 2, 2, 2, 2, 2, 1, 1])
    """
    geometry = Geometry(stride)
    return (tap_matrix(kernel, geometry.stamped_size(size, kernel), geometry) >= 0).sum(0)


def overlap_counts_2d(size: int, kernel: int, stride: int) -> Int64[Tensor, "s s"]:
    """The same on a square map: copies overlap per axis, so the counts multiply.

    >>> overlap_counts_2d(size=2, kernel=3, stride=2)
    tensor([[1, 1, 2, 1, 1],
            [1, 1, 2, 1, 1],
            [2, 2, 4, 2, 2],
            [1, 1, 2, 1, 1],
            [1, 1, 2, 1, 1]])
    """
    counts = overlap_counts(size, kernel, stride)
    return torch.outer(counts, counts)


def path_counts(size: int, kernel: int, stride: int, layers: int) -> Int64[Tensor, " outputs"]:
    """How many ways lead from the `size` inputs to each output of one axis through `layers` >= 1 such layers, one after
    the other: with a filter of ones, what the last layer writes. The unevenness of one layer is the input of the next.

    >>> path_counts(size=2, kernel=3, stride=2, layers=2)
    tensor([1, 1, 2, 1, 3, 2, 3, 1, 2, 1, 1])
    """
    geometry, counts = Geometry(stride), torch.ones(size, dtype=torch.int64)
    for _ in range(layers):
        taps = tap_matrix(kernel, geometry.stamped_size(len(counts), kernel), geometry)
        counts = (counts[:, None] * (taps >= 0)).sum(0)
    return counts


def phase_counts(kernel: int, stride: int) -> Int64[Tensor, " {stride}"]:
    """Copies on an output of each phase (index mod stride), far from the border. Sum: `kernel`.

    >>> phase_counts(kernel=3, stride=2)
    tensor([2, 1])
    """
    return torch.bincount(torch.arange(kernel) % stride, minlength=stride)


def overlaps_evenly(kernel: int, stride: int) -> bool:
    """True when every inner output gets the same number of copies: the stride divides the kernel size.

    >>> overlaps_evenly(kernel=3, stride=2), overlaps_evenly(kernel=4, stride=2)
    (False, True)
    """
    return kernel % stride == 0


def phase_means(features: Float[Tensor, "*batch h w"], period: int = 2) -> Float[Tensor, "*batch {period} {period}"]:
    """Mean of every (row mod period, column mod period) phase.

    Rows and columns beyond the last whole period are left out. Errors: ValueError when there is no whole period.

    >>> phase_means(torch.tensor([[1.0, 2, 1, 2], [3, 4, 3, 8]]))
    tensor([[1., 2.],
            [3., 6.]])
    """
    *leading, height, width = features.shape
    rows, columns = height // period, width // period
    if not rows or not columns:
        raise ValueError(f"A {height}x{width} map has no whole {period}x{period} period: take a larger one.")
    whole = features[..., : rows * period, : columns * period]
    return whole.reshape(*leading, rows, period, columns, period).mean(dim=(-4, -2))


def phase_share(features: Float[Tensor, "c h w"]) -> float:
    """Share of a map's variance that the 2×2 phase alone explains, 0 to 1: variance between phase means / variance.

    Variances add over channels, so that quiet channels do not drown the others. Zero for constant maps.

    >>> stripes, ramp = torch.tensor([[[0.0, 1, 0, 1]] * 2]), torch.tensor([[[0.0, 1, 2, 3]] * 2])
    >>> phase_share(stripes), round(phase_share(ramp), 4)
    (1.0, 0.2)
    """
    means = phase_means(features)
    whole = features[..., : features.shape[-2] // 2 * 2, : features.shape[-1] // 2 * 2]
    total = whole.var(dim=(-2, -1), correction=0).sum()
    return float(means.var(dim=(-2, -1), correction=0).sum() / total) if total > 0 else 0.0


def power_spectrum(features: Float[Tensor, "c h w"], window: bool = False) -> Float[Tensor, "h w"]:
    """Share of the variance at every frequency, over all channels: sum 1, 0 in the middle.

    Centred: bin (h//2, w//2) is frequency 0, the first row and column of an even map are ½ cycle per pixel (Nyquist).
    Without `window` the three Nyquist bins add up to `phase_share`; a Hann window removes the cross that the borders of
    the picture leave, and widens every peak to three bins. A constant map gives all zeros.

    >>> power_spectrum(torch.tensor([0.0, 1]).repeat(4, 2)[None])  # every other column is 1
    tensor([[0., 0., 0., 0.],
            [0., 0., 0., 0.],
            [1., 0., 0., 0.],
            [0., 0., 0., 0.]])
    """
    centred = features - features.mean(dim=(-2, -1), keepdim=True)
    if window:
        height, width = features.shape[-2:]
        centred = centred * torch.outer(torch.hann_window(height), torch.hann_window(width)).to(centred)
    power = torch.fft.fft2(centred).abs().square().sum(0)
    power[0, 0] = 0  # what is left of the mean
    total = power.sum()
    return torch.fft.fftshift(power / total if total > 0 else power)


def nyquist_peak(features: Float[Tensor, "c h w"]) -> float:
    """How far the three Nyquist frequencies stand out: their mean power over the median power around them.

    The map is cropped to even sides of at least 16, the spectrum has a Hann window. Around 1 without a checkerboard.
    Around means 3 to 6 bins away on either axis. Zero for constant maps. Errors: ValueError if too small.

    >>> noise = torch.rand(8, 32, 32, generator=torch.Generator().manual_seed(0))
    >>> round(nyquist_peak(noise), 1), round(nyquist_peak(noise + torch.tensor([0.0, 1]).repeat(32, 16)))
    (1.2, 489)
    """
    height, width = (side // 2 * 2 for side in features.shape[-2:])
    if min(height, width) < 2 * AROUND[-1] + 4:
        raise ValueError(f"A {height}x{width} map is too small for a spectrum: take one of at least 16x16.")
    power = torch.fft.ifftshift(power_spectrum(features[..., :height, :width], window=True))
    offsets = torch.arange(-AROUND[-1], AROUND[-1] + 1)
    ring = torch.maximum(offsets[:, None].abs(), offsets.abs()) >= AROUND[0]
    peaks, floor = [], []
    for row, column in ((0, width // 2), (height // 2, 0), (height // 2, width // 2)):
        patch = power[((row + offsets) % height)[:, None], ((column + offsets) % width)[None]]
        peaks.append(patch[AROUND[-1], AROUND[-1]])
        floor.append(patch[ring])
    surroundings = torch.cat(floor).median()
    return float(torch.stack(peaks).mean() / surroundings) if surroundings > 0 else 0.0
