"""The lectures' numbers on windows, and that one pass gives every window's own scores."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from labs import sliding_window as lab


def test_places_of_a_window_and_all_boxes():
    assert lab.positions(5, 7, 2, 3) == 4 * 5
    assert lab.positions(5, 7, 6, 3) == 0
    assert lab.all_boxes(600, 800) == lab.all_boxes(800, 600) == 57_768_120_000


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 12), st.integers(1, 12))
def test_all_boxes_is_the_sum_over_all_windows(height, width):
    every = sum(lab.positions(height, width, h, w) for h in range(1, height + 1) for w in range(1, width + 1))
    assert lab.all_boxes(height, width) == every


@pytest.mark.parametrize(("side", "sizes"), [(28, [24, 6, 1, 1]), (32, [28, 7, 2, 2]), (224, [220, 55, 50, 50])])
def test_sizes_of_the_lectures_classifier(side, sizes):
    assert lab.map_sizes(side) == [side, *sizes]
    assert tuple(lab.classifier()(torch.zeros(1, 3, side, side)).shape) == (1, 4, sizes[-1], sizes[-1])


def test_the_window_on_every_map():
    assert lab.window_on_each_map() == [(28, 4), (24, 4), (6, 1), (1, 1)]


def test_a_small_picture_is_refused():
    with pytest.raises(ValueError, match="too small"):
        lab.map_sizes(24)
    with pytest.raises(ValueError, match="does not fit"):
        lab.windows_along(27, 28, 4)


def test_windows_of_32_and_of_224():
    assert lab.windows_along(32, 28, 4) ** 2 == 4
    assert lab.windows_along(224, 28, 4) ** 2 == 2500


def test_eight_channels_with_a_box():
    assert len(lab.CLASSES) == 4 and lab.CLASSES == ("car", "motorcycle", "street sign", "other")
    assert tuple(lab.classifier(4 + 4)(torch.zeros(1, 3, 32, 32)).shape) == (1, 8, 2, 2)


@settings(deadline=None, max_examples=8)
@given(st.integers(28, 60), st.integers(28, 60), st.integers(0, 99), st.sampled_from([1, 3, 50]))
def test_the_same_weights_give_the_same_scores_window_by_window(height, width, seed, batch):
    picture = torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed))
    network = lab.classifier(8, seed)
    told = []
    slid = lab.scores_by_window(network, picture, 28, 4, batch, lambda done, total: told.append((done, total)))
    torch.testing.assert_close(slid, lab.scores_at_once(network, picture), atol=1e-5, rtol=1e-5)
    assert slid.std() > 0
    windows = lab.windows_along(height, 28, 4) * lab.windows_along(width, 28, 4)
    assert told[-1] == (windows, windows) and len(told) == -(-windows // batch)


def test_the_seed_makes_the_weights_and_leaves_the_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, second = lab.classifier(4, 1), lab.classifier(4, 1)
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert not torch.equal(next(first.parameters()), next(lab.classifier(4, 2).parameters()))


def test_multiply_adds_by_hand():
    """conv 5×5×3: 75 · 4 · 24²; conv 6×6×4: 144 · 100; conv 1×1×100: 100 · 4."""
    network = lab.classifier()
    assert lab.multiply_adds(network, 1, 3, 28, 28) == 75 * 4 * 24**2 + 144 * 100 + 400 == 187_600
    assert lab.multiply_adds(network, 1, 3, 224, 224) == 75 * 4 * 220**2 + (144 * 100 + 400) * 2500


@pytest.mark.parametrize(
    ("size", "window", "stride", "count"), [(5, 1, 1, 5), (5, 5, 1, 1), (5, 5, 9, 1), (5, 2, 2, 2), (6, 2, 2, 3)]
)
def test_windows_along_one_axis(size, window, stride, count):
    assert lab.windows_along(size, window, stride) == count


@pytest.mark.parametrize(("size", "window", "stride"), [(5, 6, 1), (5, 0, 1), (5, 1, 0), (5, -1, 1)])
def test_windows_that_cannot_be_are_refused(size, window, stride):
    with pytest.raises(ValueError, match=f"{window} pixels at stride {stride} does not fit into {size}"):
        lab.windows_along(size, window, stride)


def test_multiply_adds_are_whole():
    assert type(lab.multiply_adds(lab.classifier(), 1, 3, 28, 28)) is int


@pytest.mark.parametrize(
    ("window", "count"), [((5, 7), 1), ((5, 8), 0), ((6, 7), 0), ((2, 8), 0), ((6, 3), 0), ((9, 9), 0), ((1, 1), 35)]
)
def test_a_window_that_does_not_fit_has_no_place(window, count):
    assert lab.positions(5, 7, *window) == count
