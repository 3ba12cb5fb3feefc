"""Cost and receptive field of the two stacks: against torch's counter and torch's gradients."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from labs import encoder_decoder as lab
from labs import sliding_window

# Pools, further convolutions, width, same cost. The lab is called in the test: checked, it draws random numbers.
plans = st.tuples(st.integers(0, 3), st.integers(0, 6), st.integers(1, 4), st.booleans())


def planned(pools, more, width, flag):
    return lab.plan(2 * pools + 1 + more, pools, width, 32, flag)


@settings(deadline=None, max_examples=12)
@given(plans)
def test_multiply_adds_are_torchs_and_the_shape_comes_back(plan):
    steps = planned(*plan)
    network = lab.build(steps)
    assert sliding_window.multiply_adds(network, 1, 3, 32, 32) == lab.multiply_adds(steps)
    assert tuple(network(torch.zeros(1, 3, 32, 32)).shape) == (1, steps[-1].outputs, 32, 32)
    assert steps[-1].activations == steps[-1].outputs * 32 * 32


@settings(deadline=None, max_examples=20)
@given(plans, st.integers(0, 31), st.integers(0, 31))
def test_the_field_is_where_gradients_reach(plan, row, column):
    steps = planned(*plan)
    network = lab.build(steps)
    for index, layer in enumerate(network):
        if isinstance(layer, nn.Conv2d):
            layer.weight.fill_(1.0 / layer.weight[0].numel())
        elif isinstance(layer, nn.MaxPool2d):
            network[index] = nn.AvgPool2d(2)  # the same field, but every pixel of it has a gradient
    image = torch.ones(1, 3, 32, 32, dtype=torch.float64, requires_grad=True)
    network.double()(image)[0, 0, row, column].backward()
    for axis, at in ((2, row), (1, column)):
        reached = image.grad[0].sum(0).sum(axis - 1).nonzero()[:, 0]
        assert lab.field(steps, at, 32) == (int(reached.min()), int(reached.max()))


@pytest.mark.parametrize("depth", [1, 9, 27])
def test_without_pools_the_field_is_one_plus_two_l(depth):
    first, last = lab.field(lab.plan(depth, 0, 4, 224), 112, 224)
    assert last - first + 1 == 1 + 2 * depth
    assert lab.field(lab.plan(depth, 0, 4, 224), 0, 224) == (0, depth)


def test_down_and_up_is_cheaper_and_sees_further():
    flat, both = lab.plan(14, 0, 16, 224), lab.plan(14, 4, 16, 224)
    assert sum(step.kind == "conv" for step in both) == sum(step.kind == "conv" for step in flat) == 14
    assert lab.multiply_adds(both) < lab.multiply_adds(flat) / 2
    assert lab.field(both, 112, 224)[1] - lab.field(both, 112, 224)[0] > 100
    assert [step.size for step in both if step.kind == "pool"] == [112, 56, 28, 14]
    wide = lab.plan(14, 4, 16, 224, doubling=True)
    assert max(step.outputs for step in wide) == 256 and max(step.outputs for step in both) == 16
    assert lab.multiply_adds(wide) < 1.5 * lab.multiply_adds(flat)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [((8, 4, 16, 224), "at least 9"), ((9, 4, 16, 100), "cannot be halved 4"), ((9, -1, 16, 32), "need at least")],
)
def test_what_cannot_be_built_is_refused(arguments, said):
    with pytest.raises(ValueError, match=said):
        lab.plan(*arguments)


def test_a_network_is_frozen_in_eval_mode_and_its_convolutions_have_no_bias():
    network = lab.build(lab.plan(3, 1, 4, 16))
    assert [type(layer) for layer in network] == [
        nn.Conv2d, nn.ReLU, nn.MaxPool2d, nn.Conv2d, nn.ReLU, nn.Upsample, nn.Conv2d, nn.ReLU,
    ]  # fmt: skip
    assert all(layer.bias is None for layer in network if isinstance(layer, nn.Conv2d))
    assert not network.training and not any(p.requires_grad for p in network.parameters())
