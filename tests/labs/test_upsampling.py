from inspect import unwrap

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from labs import upsampling

X = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
POOLED = torch.tensor([[1.0, 2, 6, 3], [3, 5, 2, 1], [1, 2, 2, 1], [7, 3, 4, 8]])

sizes = st.integers(1, 8)
factors = st.integers(1, 4)
seeds = st.integers(0, 2**31 - 1)


def enlarge(method, x, factor, align_corners):
    function = getattr(upsampling, method.replace(" ", "_"))
    return function(x, factor, align_corners) if method in upsampling.INTERPOLATIONS else function(x, factor)


def same(tensor, rows, tolerance=1e-6):
    torch.testing.assert_close(tensor, torch.tensor(rows, dtype=tensor.dtype), atol=tolerance, rtol=0)


def test_nearest_repeats_every_value():
    same(upsampling.nearest(X, 2), [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]])


def test_bed_of_nails_keeps_the_upper_left_corner():
    same(upsampling.bed_of_nails(X, 2), [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]])


def test_bilinear_values_of_the_lecture_need_align_corners_false():
    rows = [[1, 1.25, 1.75, 2], [1.5, 1.75, 2.25, 2.5], [2.5, 2.75, 3.25, 3.5], [3, 3.25, 3.75, 4]]
    same(upsampling.bilinear(X, 2), rows)
    same(upsampling.bilinear(X, 2, align_corners=True)[0], [1, 4 / 3, 5 / 3, 2])


def test_bicubic_values_of_the_lecture():
    rows = [[0.68, 1.02, 1.56, 1.89], [1.35, 1.68, 2.23, 2.56], [2.44, 2.77, 3.32, 3.65], [3.11, 3.44, 3.98, 4.32]]
    same(upsampling.bicubic(X, 2), rows, tolerance=0.005)


def test_bicubic_overshoots_a_step_from_0_to_1():
    step = torch.tensor([[0.0, 0, 0, 0, 1, 1, 1, 1]]).repeat(8, 1)
    enlarged = upsampling.bicubic(step, 2)
    assert enlarged.min().item() == pytest.approx(-0.106, abs=0.001)
    assert enlarged.max().item() == pytest.approx(1.106, abs=0.001)


def test_bicubic_reads_four_pixels_per_axis_not_three():
    inner = upsampling.contributions("bicubic", (8, 8), 2, 7, 7)
    assert len(inner) == 16
    assert sorted({c.row for c in inner}) == [2, 3, 4, 5]
    assert sum(c.weight for c in inner) == pytest.approx(1)
    assert min(c.weight for c in inner) < 0


def test_bicubic_overshoots_a_step_by_exactly_this_much():
    step = torch.tensor([0.0, 0, 0, 0, 1, 1, 1, 1], dtype=torch.float64).expand(8, 8)
    large = upsampling.bicubic(step, 2)
    assert (large.min().item(), large.max().item()) == (-0.10546875, 1.10546875)
    by_weights = upsampling.weights_1d("bicubic", 8, 2) @ step[0]
    assert (by_weights.min().item(), by_weights.max().item()) == (-0.10546875, 1.10546875)


def test_the_cubic_kernel_is_pytorchs_and_differs_from_pillows():
    assert upsampling.cubic_kernel(torch.tensor(1.25)).item() == pytest.approx(-0.10546875)
    assert upsampling.cubic_kernel(torch.tensor(1.25), a=-0.5).item() == pytest.approx(-0.0703125)


def test_bilinear_reads_two_pixels_per_axis_with_the_written_out_weights():
    inner = upsampling.contributions("bilinear", (4, 4), 2, 3, 4)
    # output (3, 4) sits at y = 1.25, x = 1.75
    expected = [(1, 1, 0.75 * 0.25), (1, 2, 0.75 * 0.75), (2, 1, 0.25 * 0.25), (2, 2, 0.25 * 0.75)]
    assert [(c.row, c.column) for c in inner] == [(row, column) for row, column, _ in expected]
    assert [c.weight for c in inner] == pytest.approx([weight for *_, weight in expected])


def test_a_nail_has_one_source_and_a_gap_none():
    assert upsampling.contributions("bed of nails", (2, 2), 2, 2, 2) == [(1, 1, 1.0)]
    assert upsampling.contributions("bed of nails", (2, 2), 2, 1, 2) == []


def test_max_pool_remembers_positions():
    values, positions = upsampling.max_pool(POOLED, 2)
    same(values, [[5, 6], [7, 8]])
    assert positions.tolist() == [[5, 2], [12, 15]]


def test_max_unpool_puts_the_lectures_values_back():
    _, positions = upsampling.max_pool(POOLED, 2)
    same(upsampling.max_unpool(X, positions, (4, 4)), [[0, 0, 2, 0], [0, 1, 0, 0], [0, 0, 0, 0], [3, 0, 0, 4]])


def test_overlapping_windows_share_a_position_and_unpooling_loses_values():
    _, positions = upsampling.max_pool(POOLED, 2, stride=1)
    shared = upsampling.shared_positions(positions)
    assert shared == {5: [(0, 0), (1, 0), (1, 1)], 2: [(0, 1), (0, 2)]}
    values = torch.arange(1.0, 10).reshape(3, 3)
    surviving = upsampling.max_unpool(values, positions, (4, 4))
    assert (surviving != 0).sum().item() == 9 - 3
    assert surviving.tolist() == [[0, 0, 3, 0], [0, 5, 6, 0], [0, 0, 0, 0], [7, 0, 8, 9]]


def test_of_values_that_meet_the_last_window_stays_whatever_the_threads_do():
    """torch's own kernel keeps one or another from run to run with four threads."""
    positions = torch.zeros(64, 40, 40, dtype=torch.int64) + 7
    values = torch.arange(1600.0).reshape(40, 40) + torch.arange(64.0)[:, None, None] * 10_000
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(4)
        for _ in range(30):
            out = upsampling.max_unpool(values, positions, (48, 48))
            assert torch.equal(out[:, 0, 7], values[:, -1, -1])
            assert (out != 0).sum() == 64
    finally:
        torch.set_num_threads(threads)


def test_unpooling_sends_the_gradient_to_the_value_that_stays():
    values = torch.tensor([[1.0, 2], [3, 4]], requires_grad=True)
    positions = torch.tensor([[5, 5], [0, 5]])
    out = upsampling.max_unpool(values, positions, (3, 3))
    assert out.tolist() == [[3, 0, 0], [0, 0, 4], [0, 0, 0]]
    (out * 2).sum().backward()
    assert values.grad.tolist() == [[0, 0], [2, 2]]


def test_positions_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        unwrap(upsampling.max_unpool)(X, torch.zeros(1, 2, dtype=torch.int64), (4, 4))
    for outside in (-1, 16):
        with pytest.raises(ValueError, match="outside the 4x4 map"):
            upsampling.max_unpool(X, torch.tensor([[0, 1], [2, outside]]), (4, 4))
    assert upsampling.max_unpool(X, torch.tensor([[0, 1], [2, 15]]), (4, 4))[3, 3] == 4


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(upsampling.METHODS), sizes, sizes, factors, st.booleans(), seeds)
def test_weight_matrices_equal_the_library(method, height, width, factor, align_corners, seed):
    align_corners = align_corners and method in upsampling.INTERPOLATIONS
    x = torch.randn(height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    rows = upsampling.weights_1d(method, height, factor, align_corners)
    columns = upsampling.weights_1d(method, width, factor, align_corners)
    torch.testing.assert_close(rows @ x @ columns.T, enlarge(method, x, factor, align_corners))


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(upsampling.METHODS), sizes, sizes, factors, st.booleans(), st.data())
def test_contributions_add_up_to_the_output_cell(method, height, width, factor, align_corners, data):
    align_corners = align_corners and method in upsampling.INTERPOLATIONS
    row = data.draw(st.integers(0, height * factor - 1))
    column = data.draw(st.integers(0, width * factor - 1))
    x = torch.arange(1.0, height * width + 1, dtype=torch.float64).reshape(height, width)
    parts = upsampling.contributions(method, (height, width), factor, row, column, align_corners)
    total = sum(part.weight * x[part.row, part.column].item() for part in parts)
    assert total == pytest.approx(enlarge(method, x, factor, align_corners)[row, column].item())


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), seeds)
def test_unpooling_disjoint_windows_keeps_every_maximum_in_its_place(rows, columns, size, seed):
    x = torch.randn(2, 3, rows * size, columns * size, generator=torch.Generator().manual_seed(seed))
    values, positions = upsampling.max_pool(x, size)
    back = upsampling.max_unpool(values, positions, x.shape[-2:])
    assert torch.equal(back, upsampling.max_unpool(values, positions, x.shape[-2:], distinct=True))
    assert torch.equal(back, torch.where(back != 0, x, torch.zeros_like(x)))
    assert (back != 0).sum() == values.numel()
    assert not upsampling.shared_positions(positions[0, 0])


@pytest.mark.parametrize("shape", [(5, 3), (2, 5, 3), (4, 2, 5, 3), (2, 2, 2, 5, 3)])
@pytest.mark.parametrize("method", upsampling.METHODS)
def test_leading_axes_are_kept(method, shape):
    x = torch.randn(*shape)
    out = enlarge(method, x, 3, False)
    assert out.shape == (*shape[:-2], 15, 9)
    torch.testing.assert_close(out.reshape(-1, 15, 9)[-1], enlarge(method, x.reshape(-1, 5, 3)[-1], 3, False))


def test_gradients_flow_through_every_method():
    for method in upsampling.METHODS:
        x = torch.randn(2, 3, 4, 4, requires_grad=True)
        enlarge(method, x, 2, False).sum().backward()
        spread = {"bed of nails": 1.0}.get(method, 4.0)
        assert x.grad.mean().item() == pytest.approx(spread, rel=1e-5)
    x = torch.randn(2, 3, 4, 4, requires_grad=True)
    values, positions = upsampling.max_pool(x, 2)
    upsampling.max_unpool(values, positions, (4, 4)).sum().backward()
    assert x.grad.sum().item() == 2 * 3 * 4


def test_bad_requests_are_refused_in_a_sentence():
    with pytest.raises(ValueError, match="at least 1"):
        upsampling.nearest(X, 0)
    with pytest.raises(ValueError, match="non-empty map"):
        upsampling.bed_of_nails(torch.zeros(0, 3), 2)
    with pytest.raises(ValueError, match="does not fit"):
        upsampling.max_pool(X, 3)
    with pytest.raises(ValueError, match="No weight matrix"):
        upsampling.weights_1d("max unpooling", 2, 2)
    with pytest.raises(ValueError, match="align_corners means nothing"):
        upsampling.weights_1d("nearest", 2, 2, align_corners=True)


def test_bilinear_weights_repeat_the_edge():
    assert upsampling.weights_1d("bilinear", 2, 2).tolist() == [[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]]
    assert upsampling.weights_1d("bilinear", 1, 2).tolist() == [[1], [1]]


@pytest.mark.parametrize(("shape", "size"), [((2, 5), 3), ((5, 2), 3), ((4, 2, 5), 3), ((1, 1), 2)])
def test_a_window_larger_than_either_side_is_refused(shape, size):
    with pytest.raises(ValueError, match=f"A {size}x{size} window does not fit into a {shape[-2]}x{shape[-1]} map"):
        upsampling.max_pool(torch.zeros(shape), size)
