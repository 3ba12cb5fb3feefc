"""The lectures' numbers on windows, and that one pass gives every window's own scores."""

import pytest
import torch
import torch.nn.functional as F
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


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 5), st.integers(1, 6), st.integers(1, 6), st.integers(1, 7), st.integers(0, 5), st.integers(0, 5),
    st.integers(0, 9999), st.booleans(),
)  # fmt: skip
def test_a_fully_connected_layer_is_a_convolution(channels, height, width, units, more_rows, more_columns, seed, bias):
    """For any size and any weights: every place of the filter gives what the layer gives for that patch alone."""
    random = torch.Generator().manual_seed(seed)
    dense = torch.nn.Linear(channels * height * width, units, bias, dtype=torch.float64).requires_grad_(False)
    for parameter in dense.parameters():
        parameter.normal_(generator=random)
    maps = torch.randn(1, channels, height + more_rows, width + more_columns, generator=random, dtype=torch.float64)
    convolution = lab.as_convolution(dense, height, width)
    found = convolution(maps)[0]
    assert found.shape == (units, more_rows + 1, more_columns + 1)
    for row in range(more_rows + 1):
        for column in range(more_columns + 1):
            patch = maps[:, :, row : row + height, column : column + width].flatten(1)
            torch.testing.assert_close(found[:, row, column], dense(patch)[0], atol=1e-12, rtol=1e-12)
    torch.testing.assert_close(F.unfold(maps, (height, width))[0].T @ dense.weight.T, (found.flatten(1).T - (
        dense.bias if bias else 0)), atol=1e-12, rtol=1e-12)  # fmt: skip
    back = lab.as_fully_connected(convolution)
    assert torch.equal(back.weight, dense.weight) and (back.bias is None) == (not bias)
    assert not bias or torch.equal(back.bias, dense.bias)


def test_inputs_that_are_no_maps_are_refused():
    with pytest.raises(ValueError, match="145 inputs are no maps of 6 × 6"):
        lab.as_convolution(torch.nn.Linear(145, 2), 6, 6)


@settings(deadline=None, max_examples=10)
@given(st.integers(28, 70), st.integers(28, 70), st.sampled_from([4, 8]), st.integers(0, 99))
def test_crops_through_fully_connected_layers_give_the_scores_of_the_map(height, width, outputs, seed):
    """Equal to the digits that are printed, at any size of the picture."""
    picture = torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed)).double()
    network = lab.classifier(outputs, seed).double()
    whole, dense = lab.scores_at_once(network, picture), lab.with_dense_layers(network)
    boxes = lab.window_boxes(*whole.shape[1:])
    for row in range(whole.shape[1]):
        for column in range(whole.shape[2]):
            left, top, right, bottom = boxes[row, column].int().tolist()
            alone = dense(picture[None, :, top:bottom, left:right])[0]
            torch.testing.assert_close(whole[:, row, column], alone, atol=1e-9, rtol=0)


def test_one_unit_of_the_lectures_has_144_weights():
    hidden = lab.classifier()[3]
    assert lab.as_fully_connected(hidden).weight.shape == (100, 144) and hidden.weight[0].shape == (4, 6, 6)
    assert sum(each.numel() for each in lab.classifier().parameters()) == 304 + 14_500 + 404


def test_a_wider_network_has_the_same_windows():
    wide = lab.layers(filters=32, units=256)
    assert wide(torch.zeros(1, 3, 32, 224)).shape == (1, 4, 2, 50)


def test_strides_are_multiplied():
    assert lab.window_on_each_map()[0] == (lab.WINDOW, lab.STRIDE) == (28, 1 * 4 * 1 * 1)
    assert lab.window_boxes(50, 50)[49, 49].tolist() == [196, 196, 224, 224]


@pytest.mark.parametrize(("threshold", "labels"), [(0.6, [0]), (0.61, []), (0.3, [0, 0, 1]), (0.2, [0, 0, 1, 1])])
def test_windows_above_a_threshold(threshold, labels):
    """Two windows, three classes of which the last is "other"; a score at the threshold counts."""
    probabilities = torch.tensor([[0.6, 0.3, 0.1], [0.3, 0.2, 0.5]]).T.reshape(3, 1, 2)
    found = lab.above(probabilities, lab.window_boxes(1, 2), threshold)
    assert found.labels.tolist() == labels
    assert found.scores.tolist() == sorted(found.scores.tolist(), reverse=True)
    assert len(found.boxes) == len(labels)
    if labels:
        assert found.boxes[0].tolist() == [0, 0, 28, 28]


@settings(deadline=None, max_examples=25)
@given(st.integers(7, 20), st.integers(7, 20), st.integers(1, 5), st.integers(5, 7), st.integers(1, 4))
def test_how_often_a_pixel_is_convolved_is_what_torch_counts(height, width, kernel, window, stride):
    """Ones, convolved with ones and spread back: the number of filter places over each pixel."""
    ones = torch.ones(1, 1, kernel, kernel, dtype=torch.float64)
    once = F.conv_transpose2d(F.conv2d(torch.zeros(1, 1, height, width).double(), ones) * 0 + 1, ones)[0, 0]
    assert torch.equal(lab.times_convolved(height, width, kernel).double(), once)
    slid = torch.zeros(height, width, dtype=torch.float64)
    for top in range(0, height - window + 1, stride):
        for left in range(0, width - window + 1, stride):
            inside = F.conv_transpose2d(torch.ones(1, 1, *[window - kernel + 1] * 2).double(), ones)[0, 0]
            slid[top : top + window, left : left + window] += inside
    assert torch.equal(lab.times_convolved(height, width, kernel, window, stride).double(), slid)


def test_the_work_of_the_middle_pixel():
    """25 places of a 5×5 filter, and each of them lies in 6 × 6 windows: 24 places along a window, 4 apart."""
    assert int(lab.times_convolved(224, 224)[112, 112]) == 25
    assert int(lab.times_convolved(224, 224, window=28).max()) == 36 * 25 == 900
    with pytest.raises(ValueError, match="does not fit"):
        lab.times_convolved(4, 9)
