"""Checkerboard: counts against torch's transposed convolution of ones, measures against patterns put in by hand."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from labs import checkerboard

sizes, kernels, strides = st.integers(1, 12), st.integers(1, 7), st.integers(1, 4)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def board(height: int, width: int) -> torch.Tensor:
    return (-1.0) ** (torch.arange(height)[:, None] + torch.arange(width))


def test_three_by_two_is_uneven():
    assert checkerboard.overlap_counts(4, 3, 2).tolist() == [1, 1, 2, 1, 2, 1, 2, 1, 1]
    assert checkerboard.phase_counts(3, 2).tolist() == [2, 1]
    assert not checkerboard.overlaps_evenly(3, 2)


def test_four_by_two_is_even_inside():
    assert checkerboard.overlap_counts(4, 4, 2).tolist() == [1, 1, 2, 2, 2, 2, 2, 2, 1, 1]
    assert checkerboard.phase_counts(4, 2).tolist() == [2, 2]
    assert checkerboard.overlaps_evenly(4, 2)


@given(sizes, kernels, strides)
def test_counts_are_the_transposed_convolution_of_ones(size, kernel, stride):
    expected = F.conv_transpose2d(torch.ones(1, 1, size, size), torch.ones(1, 1, kernel, kernel), stride=stride)[0, 0]
    assert torch.equal(checkerboard.overlap_counts_2d(size, kernel, stride).float(), expected)


@given(kernels, strides)
def test_inner_counts_repeat_the_phase_counts(kernel, stride):
    counts = checkerboard.overlap_counts(20, kernel, stride)
    phases = checkerboard.phase_counts(kernel, stride)
    inner = range(kernel, len(counts) - kernel)
    assert [int(counts[i]) for i in inner] == [int(phases[i % stride]) for i in inner]
    assert phases.sum() == kernel
    assert checkerboard.overlaps_evenly(kernel, stride) == (len(phases.unique()) == 1)


def test_phase_means_by_hand():
    features = torch.tensor([[1.0, 2, 3, 4, 9], [5, 6, 7, 8, 9]])
    assert checkerboard.phase_means(features).tolist() == [[2, 3], [6, 7]]
    with pytest.raises(ValueError, match="larger"):
        checkerboard.phase_means(features, period=3)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 99))
def test_phase_share_is_the_power_at_the_three_nyquist_frequencies(rows, columns, seed):
    features = noise(3, 2 * rows, 2 * columns, seed=seed) + 5
    share = checkerboard.phase_share(features)
    spectrum = checkerboard.power_spectrum(features)
    middle_row, middle_column = rows, columns
    expected = spectrum[0, 0] + spectrum[0, middle_column] + spectrum[middle_row, 0]
    assert share == pytest.approx(float(expected), abs=1e-9)
    assert float(spectrum.sum()) == pytest.approx(1)
    assert 0 <= share <= 1 + 1e-9


def test_pure_patterns():
    assert checkerboard.phase_share(board(8, 8)[None]) == pytest.approx(1)
    assert checkerboard.phase_share(torch.ones(2, 8, 8)) == 0
    assert checkerboard.power_spectrum(torch.full((1, 8, 8), 3.0)).sum() == 0
    smooth = torch.sin(torch.arange(32) * 2 * torch.pi / 16).expand(1, 32, 32)
    assert checkerboard.phase_share(smooth) == pytest.approx(0, abs=1e-6)


def test_the_peak_stands_out_only_with_a_checkerboard():
    ground = noise(8, 64, 48)
    assert 0.2 < checkerboard.nyquist_peak(ground) < 5
    assert checkerboard.nyquist_peak(ground + 0.5 * board(64, 48)) > 50
    assert checkerboard.nyquist_peak((ground + 0.5 * board(64, 48))[:, 1:, 1:]) > 50  # odd sides are cropped
    assert checkerboard.nyquist_peak(torch.ones(1, 16, 16)) == 0
    with pytest.raises(ValueError, match="16x16"):
        checkerboard.nyquist_peak(torch.ones(1, 14, 14))


def test_the_peak_over_the_median_of_the_ring_three_to_six_bins_away():
    features = noise(2, 24, 40, seed=5) + 0.2 * board(24, 40)
    power = checkerboard.power_spectrum(features, window=True)  # Nyquist in the first row and column
    peaks, around = [], []
    for row, column in ((12, 0), (0, 20), (0, 0)):
        peaks.append(power[row, column])
        for down in range(-6, 7):
            for across in range(-6, 7):
                if max(abs(down), abs(across)) >= 3:
                    around.append(power[(row + down) % 24, (column + across) % 40])
    assert len(around) == 3 * (13 * 13 - 5 * 5)
    expected = torch.stack(peaks).mean() / torch.stack(around).median()
    assert checkerboard.nyquist_peak(features) == pytest.approx(float(expected), rel=1e-9)


def test_a_border_is_no_checkerboard():
    """A ramp jumps where the picture ends, which puts power on the axes up to Nyquist; the window removes it."""
    ramp = torch.arange(64.0, dtype=torch.float64).expand(1, 64, 64) + noise(1, 64, 64) * 0.01
    plain, windowed = (checkerboard.power_spectrum(ramp, window=window) for window in (False, True))
    assert windowed[32, 0] < 1e-3 * plain[32, 0]
    assert checkerboard.nyquist_peak(ramp) < 5


def test_an_uneven_filter_leaves_the_pattern_an_even_one_does_not():
    x = noise(1, 4, 24, 24).abs()
    share = {
        k: checkerboard.phase_share(F.conv_transpose2d(x, x.new_ones(4, 1, k, k), stride=2)[0][:, 4:-4, 4:-4])
        for k in (3, 4)
    }
    assert share[3] > 0.3
    assert share[4] < 0.01


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (2, 3), (3, 2), (4, 2), (6, 4)])
def test_ways_through_layers_are_what_torch_writes_with_filters_of_ones(kernel, stride, layers):
    counts = torch.ones(1, 1, 5)
    for _ in range(layers):
        counts = torch.nn.functional.conv_transpose1d(counts, torch.ones(1, 1, kernel), stride=stride)
    assert checkerboard.path_counts(5, kernel, stride, layers).tolist() == counts[0, 0].tolist()
    if layers == 1:
        assert checkerboard.path_counts(5, kernel, stride, 1).equal(checkerboard.overlap_counts(5, kernel, stride))
