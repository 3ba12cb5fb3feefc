"""Windows on every level of a pyramid: where they lie, what finer strides give, and which pixel a window speaks for."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from labs import image_pyramid as lab
from labs import sliding_window
from labs.boxes import encode
from labs.image_pyramid import Sliding

EXAMPLE = Sliding(28, 4)  # of the lectures' classifier


def picture_of(height: int, width: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed))


def test_the_examples_network_slides_as_the_lectures_say():
    assert sliding_window.window_on_each_map()[0] == (EXAMPLE.window, EXAMPLE.stride)
    assert lab.windows_on((28, 28), EXAMPLE) == (1, 1)
    assert lab.windows_on((32, 32), EXAMPLE) == (2, 2)
    assert lab.windows_on((224, 224), EXAMPLE) == (50, 50)
    assert lab.windows_on((27, 224), EXAMPLE) == (0, 50)


def test_levels_end_where_the_window_fits_no_more():
    assert lab.level_sizes(224, 112, 3, 2.0, 28) == [(224, 112), (112, 56), (56, 28)]
    assert lab.level_sizes(224, 112, 4, 2.0, 28) == [(224, 112), (112, 56), (56, 28)]
    assert lab.level_sizes(28, 28, 5, 1.5, 28) == [(28, 28)]
    assert lab.level_sizes(224, 224, 1, 1.5, 28) == [(224, 224)]


@pytest.mark.parametrize("step", [1.0, 0.5])
def test_levels_must_become_smaller(step):
    with pytest.raises(ValueError, match="a step above 1"):
        lab.level_sizes(224, 224, 3, step, 28)


def test_a_picture_smaller_than_the_window_is_refused():
    with pytest.raises(ValueError, match="28 pixels does not fit into 27 × 40"):
        lab.level_sizes(27, 40, 1, 2.0, 28)
    with pytest.raises(ValueError, match="does not fit into 27 × 40"):
        lab.at_stride(sliding_window.classifier(), picture_of(27, 40), EXAMPLE, 2)


@given(st.integers(1, 12), st.floats(1.05, 3))
def test_the_price_is_a_geometric_series_below_its_limit(count, step):
    share = lab.share_of_first_level(count, step)
    assert share == pytest.approx((1 - step ** (-2 * count)) / (1 - step**-2))
    assert share < step**2 / (step**2 - 1)


def test_levels_are_the_picture_made_smaller_without_aliasing():
    """A checkerboard of single pixels is plain grey at half the size."""
    board = np.repeat((np.indices((56, 56)).sum(0) % 2 * 200).astype(np.uint8)[..., None], 3, axis=2)
    whole, half = lab.pyramid(board, [(56, 56), (28, 28)])
    np.testing.assert_array_equal(whole, board)
    np.testing.assert_array_equal(half, np.full((28, 28, 3), 100))


@given(st.integers(28, 224), st.integers(28, 224), st.integers(28, 300), st.integers(28, 300))
def test_the_whole_level_is_the_whole_picture(height, width, tall, wide):
    box = lab.to_picture(torch.tensor([0.0, 0, width, height]), (height, width), (tall, wide))
    torch.testing.assert_close(box, torch.tensor([0.0, 0, wide, tall]))


@settings(deadline=None, max_examples=12)
@given(st.integers(28, 52), st.integers(28, 52), st.sampled_from([1, 2, 4, 8, 12]), st.integers(0, 99))
def test_every_stride_gives_each_window_its_own_scores(height, width, stride, seed):
    network, picture = sliding_window.classifier(8, seed), picture_of(height, width, seed)
    alone = sliding_window.scores_by_window(network, picture, 28, stride, batch=200)
    torch.testing.assert_close(lab.at_stride(network, picture, EXAMPLE, stride), alone, atol=1e-5, rtol=1e-5)
    assert alone.shape[1:] == lab.windows_on((height, width), Sliding(28, stride))


@pytest.mark.parametrize(("stride", "passes"), [(1, 16), (2, 4), (4, 1), (8, 1)])
def test_a_finer_stride_costs_passes(stride, passes):
    network, ran = sliding_window.classifier(), []
    lab.at_stride(lambda x: ran.append(1) or network(x), picture_of(60, 60), EXAMPLE, stride)
    assert len(ran) == passes


@pytest.mark.parametrize("stride", [3, 6, 0, -4])
def test_a_stride_that_does_not_fit_the_networks_is_refused(stride):
    with pytest.raises(ValueError, match=f"stride of {stride} neither"):
        lab.at_stride(sliding_window.classifier(), picture_of(40, 40), EXAMPLE, stride)


@settings(deadline=None)
@given(st.integers(0, 999), st.integers(1, 5), st.integers(1, 5), st.sampled_from([(28, 28), (56, 56), (84, 112)]))
def test_a_box_that_the_network_would_learn_comes_back(seed, rows, columns, level):
    """`encode` makes the targets: with them as maps, the candidates are the boxes themselves."""
    random = torch.Generator().manual_seed(seed)
    picture = (224, 224)
    corner = 100 * torch.rand(rows, columns, 2, generator=random)
    boxes = torch.cat([corner, corner + 5 + 90 * torch.rand(rows, columns, 2, generator=random)], -1)
    on_level = boxes * torch.tensor([level[1], level[0]] * 2) / 224
    transforms = encode(on_level, sliding_window.window_boxes(rows, columns)).permute(2, 0, 1)
    scores = torch.randn(4, rows, columns, generator=random)
    found = lab.candidates(torch.cat([scores, transforms]), 4, EXAMPLE, level, picture, number=3)
    torch.testing.assert_close(found.boxes, boxes.reshape(-1, 4), atol=1e-2, rtol=1e-4)
    best, which = scores.softmax(0)[:3].max(0)
    assert torch.equal(found.labels, which.flatten()) and torch.equal(found.scores, best.flatten())
    assert found.level.unique().tolist() == [3]
    assert torch.equal(found.outputs, torch.cat([scores, transforms]).flatten(1).T)
    assert [found.row.tolist(), found.column.tolist()] == [
        [row for row in range(rows) for _ in range(columns)], list(range(columns)) * rows,
    ]  # fmt: skip


def test_without_a_box_the_window_is_the_box_and_other_is_no_label():
    maps = torch.tensor([0.0, 1.0, 2.0, 9.0]).reshape(4, 1, 1)
    found = lab.candidates(maps, 4, EXAMPLE, (28, 28), (112, 56))
    assert found.boxes.tolist() == found.windows.tolist() == [[0, 0, 56, 112]]
    assert found.labels.tolist() == [2] and float(found.scores) == pytest.approx(float(maps.flatten().softmax(0)[2]))


@pytest.mark.parametrize("channels", [3, 5, 7, 9])
def test_other_numbers_of_channels_are_refused(channels):
    with pytest.raises(ValueError, match=f"or 8 with a box, not {channels}"):
        lab.candidates(torch.zeros(channels, 1, 1), 4, EXAMPLE, (28, 28), (28, 28))


def test_levels_are_put_together_in_order():
    maps = torch.zeros(4, 1, 2)
    pair = [lab.candidates(maps, 4, EXAMPLE, (28, 32), (224, 256), number=level) for level in (0, 1)]
    both = lab.together(pair)
    assert len(both) == 4 and both.level.tolist() == [0, 0, 1, 1]
    assert len(both.subset(both.level == 1)) == 2


@settings(deadline=None, max_examples=20)
@given(st.integers(30, 50), st.integers(30, 50), st.sampled_from([1, 2, 4, 8]), st.integers(0, 99))
def test_a_window_speaks_for_the_pixels_around_its_middle(height, width, stride, seed):
    network, picture = sliding_window.classifier(4, seed), picture_of(height, width, seed)
    whole = lab.scores_of_centres(network, picture, EXAMPLE, stride)
    assert whole.shape == (4, height, width)
    # Any pixel's window, cut by hand out of the mirrored picture: its middle is the middle of the pixel's block.
    wide = torch.from_numpy(np.pad(picture.numpy(), ((0, 0), (28, 28), (28, 28)), mode="reflect"))
    for row, column in ((0, 0), (height // 2, width // 3), (height - 1, width - 1)):
        top, left = (at // stride * stride + stride // 2 - 14 + 28 for at in (row, column))
        alone = network(wide[None, :, top : top + 28, left : left + 28])[0, :, 0, 0]
        torch.testing.assert_close(whole[:, row, column], alone, atol=1e-5, rtol=1e-5)


def test_at_stride_one_every_pixel_is_the_middle_of_its_window():
    """A network that gives the pixel at 14 of its window back gives the picture back."""
    middle = lambda pictures: pictures[:, :, 14 : pictures.shape[2] - 13, 14 : pictures.shape[3] - 13]  # noqa: E731
    picture = picture_of(31, 40)
    assert torch.equal(lab.scores_of_centres(middle, picture, Sliding(28, 1), 1), picture)
