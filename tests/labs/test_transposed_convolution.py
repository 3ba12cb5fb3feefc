"""Transposed convolution: the lectures' examples letter by letter, and torch's own functions over random inputs."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from labs import transposed_convolution as tc
from labs.transposed_convolution import Geometry


def numbers(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@st.composite
def geometries(draw) -> Geometry:
    stride, dilation = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    output_padding = draw(st.integers(0, max(stride, dilation) - 1))
    return Geometry(stride, draw(st.integers(0, 4)), output_padding, dilation)


sizes, kernels, seeds = st.integers(1, 7), st.integers(1, 5), st.integers(0, 9999)


def conv(u, w, g):
    function = F.conv1d if u.ndim == 1 else F.conv2d
    return function(u[None, None], w[None, None], stride=g.stride, padding=g.padding, dilation=g.dilation)[0, 0]


def conv_transpose(v, w, g):
    function = F.conv_transpose1d if v.ndim == 1 else F.conv_transpose2d
    options = {"stride": g.stride, "padding": g.padding, "output_padding": g.output_padding, "dilation": g.dilation}
    return function(v[None, None], w[None, None], **options)[0, 0]


def legal(g: Geometry, size: int, kernel: int) -> bool:
    return g.stamped_size(size, kernel) - 2 * g.padding + g.output_padding >= 1


# --- the lectures' rows ----------------------------------------------------------------------------------------------


def symbols(kernel, length, g, padded=True):
    return tc.symbolic_matrix(tc.tap_matrix(kernel, length, g, padded))


def transposed_symbols(kernel, length, g):
    return tc.symbolic_matrix(tc.tap_matrix(kernel, length, g, padded=True).T)


def test_two_inputs_stride_two_without_padding():
    g = Geometry(stride=2)
    assert g.transposed_size(2, 3) == 5
    product = tc.symbolic_product(transposed_symbols(3, 5, g), tc.input_letters(2))
    assert product == ["ax", "ay", "az+bx", "by", "bz"]


def test_convolution_matrix_stride_one():
    g = Geometry(stride=1, padding=1)
    x = symbols(3, 4, g)
    assert x == [
        ["x", "y", "z", "0", "0", "0"],
        ["0", "x", "y", "z", "0", "0"],
        ["0", "0", "x", "y", "z", "0"],
        ["0", "0", "0", "x", "y", "z"],
    ]
    assert tc.input_letters(4, padding=1) == ["0", "a", "b", "c", "d", "0"]
    assert tc.symbolic_product(x, tc.input_letters(4, padding=1)) == ["ay+bz", "ax+by+cz", "bx+cy+dz", "cx+dy"]


def test_transpose_of_the_same_matrix():
    xt = transposed_symbols(3, 4, Geometry(stride=1, padding=1))
    assert (len(xt), len(xt[0])) == (6, 4)
    product = tc.symbolic_product(xt, tc.input_letters(4))
    assert product == ["ax", "ay+bx", "az+by+cx", "bz+cy+dx", "cz+dy", "dz"]


def test_convolution_matrix_stride_two():
    x = symbols(3, 4, Geometry(stride=2, padding=1))
    assert x == [["x", "y", "z", "0", "0", "0"], ["0", "0", "x", "y", "z", "0"]]
    assert tc.symbolic_product(x, tc.input_letters(4, padding=1)) == ["ay+bz", "bx+cy+dz"]


def test_transpose_of_the_stride_two_matrix():
    xt = transposed_symbols(3, 4, Geometry(stride=2, padding=1))
    assert (len(xt), len(xt[0])) == (6, 2)
    assert tc.symbolic_product(xt, tc.input_letters(2)) == ["ax", "ay", "az+bx", "by", "bz", "0"]


def test_five_by_five_is_trimmed_to_four_by_four():
    g = Geometry(stride=2, padding=1, output_padding=1)
    x, weight = torch.tensor([[1.0, 2], [3, 4]]), torch.arange(1.0, 10).reshape(3, 3)
    canvas = tc.scatter_steps(x, weight, g)[-1].canvas
    assert canvas.shape == (5, 5)
    output = tc.trim(canvas, g)
    assert output.shape == (4, 4)
    assert torch.equal(output, canvas[1:, 1:])  # the first row and the first column go
    assert torch.equal(output, conv_transpose(x, weight, g))


def test_seven_and_eight_both_give_four():
    g = Geometry(stride=2, padding=1)
    assert g.convolved_size(7, 3) == 4
    assert g.convolved_size(8, 3) == 4
    assert list(g.sizes_with_output(4, 3)) == [7, 8]
    assert g.transposed_size(4, 3) == 7
    assert Geometry(stride=2, padding=1, output_padding=1).transposed_size(4, 3) == 8


def test_stride_two_is_zero_insertion_and_a_normal_convolution():
    g = Geometry(stride=2)
    v, weight = torch.tensor([2.0, 3]), torch.tensor([1.0, 10, 100])
    assert tc.insert_zeros(v, 2).tolist() == [2, 0, 3]
    assert tc.border(3, g) == (2, 2)
    by_hand = F.conv1d(torch.tensor([[[0.0, 0, 2, 0, 3, 0, 0]]]), torch.tensor([[[100.0, 10, 1]]]))[0, 0]
    assert by_hand.tolist() == [2, 20, 203, 30, 300]
    assert torch.equal(tc.as_normal_convolution(v, weight, g), by_hand)


def test_it_is_not_the_inverse():
    g = Geometry(stride=2, padding=1, output_padding=1)
    u, weight = torch.tensor([1.0, 2, 3, 4, 5, 6, 7, 8]), torch.tensor([1.0, 2, 1])
    there = conv(u, weight, g)
    back = tc.transposed_convolution_matrix(weight, len(there), g) @ there
    assert back.shape == u.shape
    assert not torch.allclose(back, u)


# --- letters and errors ----------------------------------------------------------------------------------------------


def test_letters():
    assert tc.filter_letters(2) == ["x", "y"]
    assert tc.filter_letters(4) == ["w", "x", "y", "z"]
    with pytest.raises(ValueError, match="at most 20"):
        tc.input_letters(21)


@pytest.mark.parametrize("wrong", [{"stride": 0}, {"padding": -1}, {"stride": 2, "output_padding": 2}, {"dilation": 0}])
def test_impossible_geometry_is_refused(wrong):
    with pytest.raises(ValueError):
        Geometry(**wrong)


def test_a_filter_must_fit():
    with pytest.raises(ValueError, match="spans 5"):
        tc.tap_matrix(3, 4, Geometry(dilation=2))
    with pytest.raises(ValueError, match="trims away"):
        Geometry(padding=2).transposed_size(2, 3)


@given(sizes, kernels, geometries())
def test_letters_say_what_the_numbers_say(size, kernel, g):
    assume(legal(g, size, kernel))
    taps = tc.tap_matrix(kernel, g.transposed_size(size, kernel), g, padded=True)[:size]
    weight, v = numbers(kernel, seed=size), numbers(size, seed=kernel)
    values = dict(zip(tc.filter_letters(kernel), weight, strict=True)) | dict(zip("abcdefg", v, strict=False))
    assume(int(taps.max()) == kernel - 1)
    words = tc.symbolic_product(tc.symbolic_matrix(taps.T), tc.input_letters(size))
    spelled = [sum(values[a] * values[b] for a, b in word.split("+")) if word != "0" else 0.0 for word in words]
    expected = tc.transposed_convolution_matrix(weight, size, g, padded=True) @ v
    assert torch.allclose(torch.tensor(spelled, dtype=torch.float64), expected)


# --- torch is the oracle ---------------------------------------------------------------------------------------------


@given(st.integers(1, 12), kernels, geometries(), seeds)
def test_matrix_equals_conv1d(length, kernel, g, seed):
    assume(length + 2 * g.padding >= g.reach(kernel))
    u, weight = numbers(length, seed=seed), numbers(kernel, seed=seed + 1)
    expected = conv(u, weight, g)
    assert torch.allclose(tc.convolution_matrix(weight, length, g) @ u, expected)
    padded = F.pad(u, (g.padding, g.padding))
    assert torch.allclose(tc.convolution_matrix(weight, length, g, padded=True) @ padded, expected)


@given(sizes, kernels, geometries(), seeds)
def test_transposed_matrix_equals_conv_transpose1d(size, kernel, g, seed):
    assume(legal(g, size, kernel))
    v, weight = numbers(size, seed=seed), numbers(kernel, seed=seed + 1)
    expected = conv_transpose(v, weight, g)
    matrix = tc.transposed_convolution_matrix(weight, size, g)
    assert torch.allclose(matrix @ v, expected)
    untrimmed = tc.transposed_convolution_matrix(weight, size, g, padded=True) @ v
    assert torch.allclose(untrimmed[g.padding : len(untrimmed) - g.padding], expected)
    assert torch.allclose(tc.as_normal_convolution(v, weight, g), expected)


@given(sizes, kernels, geometries(), seeds)
def test_adjoint(size, kernel, g, seed):
    assume(g.output_padding < g.stride and legal(g, size, kernel))
    length = g.transposed_size(size, kernel)
    u, v, weight = numbers(length, seed=seed), numbers(size, seed=seed + 1), numbers(kernel, seed=seed + 2)
    x, xt = tc.convolution_matrix(weight, length, g), tc.transposed_convolution_matrix(weight, size, g)
    assert torch.equal(xt, x.T)
    assert torch.allclose((x @ u) @ v, u @ (xt @ v))
    assert torch.allclose(conv(u, weight, g) @ v, u @ conv_transpose(v, weight, g))


@settings(deadline=None)
@given(sizes, sizes, kernels, kernels, geometries(), seeds)
def test_two_axes_equal_conv_transpose2d(height, width, kh, kw, g, seed):
    assume(legal(g, height, kh) and legal(g, width, kw))
    v, weight = numbers(height, width, seed=seed), numbers(kh, kw, seed=seed + 1)
    expected = conv_transpose(v, weight, g)
    assert torch.allclose(tc.trim(tc.scatter_steps(v, weight, g)[-1].canvas, g), expected)
    assert torch.allclose(tc.as_normal_convolution(v, weight, g), expected)
    matrix = tc.transposed_convolution_matrix_2d(weight, (height, width), g)
    assert torch.allclose((matrix @ v.flatten()).reshape(expected.shape), expected)


@settings(deadline=None)
@given(st.integers(1, 8), st.integers(1, 8), kernels, kernels, geometries(), seeds)
def test_doubly_blocked_matrix_equals_conv2d(height, width, kh, kw, g, seed):
    assume(height + 2 * g.padding >= g.reach(kh) and width + 2 * g.padding >= g.reach(kw))
    u, weight = numbers(height, width, seed=seed), numbers(kh, kw, seed=seed + 1)
    expected = conv(u, weight, g)
    matrix = tc.convolution_matrix_2d(weight, (height, width), g)
    assert torch.allclose((matrix @ u.flatten()).reshape(expected.shape), expected)


def test_blocks_are_one_dimensional_matrices():
    g, weight = Geometry(stride=1), numbers(2, 2, seed=0)
    blocks = tc.convolution_matrix_2d(weight, (3, 3), g).reshape(2, 2, 3, 3)  # (block row, row, block column, column)
    assert torch.equal(blocks[0, :, 0], tc.convolution_matrix(weight[0], 3, g))
    assert torch.equal(blocks[0, :, 1], tc.convolution_matrix(weight[1], 3, g))
    assert not blocks[0, :, 2].any()
    assert torch.equal(blocks[1, :, 1], blocks[0, :, 0])


@given(st.integers(1, 40), kernels, st.integers(1, 4), st.integers(0, 4), st.integers(1, 3))
def test_sizes_with_output_are_exactly_those(output, kernel, stride, padding, dilation):
    g = Geometry(stride, padding, 0, dilation)
    fitting = [n for n in range(1, 250) if n + 2 * padding >= g.reach(kernel)]
    assert list(g.sizes_with_output(output, kernel)) == [n for n in fitting if g.convolved_size(n, kernel) == output]


@given(sizes, sizes, st.integers(1, 3), geometries(), seeds)
def test_steps_add_one_stamp_each(height, width, kernel, g, seed):
    v, weight = numbers(height, width, seed=seed), numbers(kernel, kernel, seed=seed + 1)
    steps = tc.scatter_steps(v, weight, g)
    assert [(s.row, s.column) for s in steps] == [(r, c) for r in range(height) for c in range(width)]
    previous = torch.zeros_like(steps[0].canvas)
    for step in steps:
        assert (step.top, step.left) == (step.row * g.stride, step.column * g.stride)
        assert torch.equal(step.stamp, v[step.row, step.column] * weight)
        reach = g.reach(kernel)
        change = (step.canvas - previous)[step.top : step.top + reach, step.left : step.left + reach]
        assert torch.allclose(change[:: g.dilation, :: g.dilation], step.stamp)
        assert int((step.canvas != previous).sum()) == int((step.stamp != 0).sum())
        previous = step.canvas


def test_twenty_inputs_have_letters():
    assert tc.input_letters(20, 1) == ["0", *"abcdefghijklmnopqrst", "0"]
    with pytest.raises(ValueError, match="at most 20 inputs"):
        tc.input_letters(21)


def test_a_matrix_and_a_vector_of_other_lengths_are_refused():
    with pytest.raises(ValueError):
        tc.symbolic_product([["x", "y"]], ["a"])
    with pytest.raises(ValueError):
        tc.symbolic_product([["x"]], ["a", "b"])


def test_a_convolution_needs_an_input():
    assert Geometry(padding=1).convolved_size(1, 3) == 1
    for size, padding in ((0, 3), (-1, 3), (1, 0)):
        with pytest.raises(ValueError, match="does not fit"):
            Geometry(padding=padding).convolved_size(size, 3)
