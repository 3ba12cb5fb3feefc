import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labs import receptive_field as rf

layers = st.lists(
    st.one_of(
        st.builds(rf.conv, st.sampled_from([1, 3, 5]), st.integers(1, 2), st.integers(1, 2)),
        st.just(rf.Layer("conv", 2)),
        st.just(rf.Layer("conv", 3, 2)),
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.parametrize("count", range(17))
def test_l_stacked_3x3_convs_see_1_plus_2l(count):
    assert rf.trace(rf.stack(count))[-1] == rf.Field(size=1 + 2 * count, jump=1, start=0.0)


def test_pooling_makes_the_field_grow_faster():
    with_pools = rf.stack(6, pool_after=2)
    assert [layer.kind for layer in with_pools] == ["conv", "conv", "max pool"] * 2 + ["conv", "conv"]
    # by hand: +2 +2 (jump 1), +1, +4 +4 (jump 2), +2, +8 +8 (jump 4)
    assert [field.size for field in rf.trace(with_pools)] == [1, 3, 5, 6, 10, 14, 16, 24, 32]
    assert [field.jump for field in rf.trace(with_pools)] == [1, 1, 1, 2, 2, 2, 4, 4, 4]
    assert rf.trace(with_pools)[-1].start == 1.5
    assert rf.output_sizes(with_pools, 32) == [32, 32, 32, 16, 16, 16, 8, 8, 8]


def test_dilation_spreads_the_kernel():
    assert rf.trace([rf.conv(dilation=1), rf.conv(dilation=2), rf.conv(dilation=4)])[-1].size == 15


def test_a_box_counts_whole_pixels():
    assert rf.trace(rf.stack(1))[-1].box(10, 20) == (19, 9, 22, 12)


@settings(deadline=None, max_examples=60)
@given(layers)
@example([rf.Layer("conv", 3, 2), rf.conv(5, 2, 2)] * 2)
def test_the_measured_field_of_a_network_of_ones_is_the_computed_box(stack):
    size = 2 * rf.trace(stack)[-1].size + 32  # so that no field reaches a border: what a stride leaves over is not read
    centre = rf.output_sizes(stack, size)[-1] // 2
    box = rf.trace(stack)[-1].box(centre, centre)
    measured = rf.bounding_box(rf.measure(stack, size, "all ones", trials=1))
    assert min(box) >= 0 and max(box) <= size
    assert measured == tuple(int(side) for side in box)


@pytest.mark.parametrize("filling", rf.FILLINGS)
def test_the_effective_field_is_smaller_than_the_theoretical_one(filling):
    stack = rf.stack(10)
    strength = rf.measure(stack, 64, filling)
    assert strength.shape == (64, 64) and strength.max() == 1
    left, top, right, bottom = rf.trace(stack)[-1].box(32, 32)
    outside = torch.ones(64, 64, dtype=torch.bool)
    outside[int(top) : int(bottom), int(left) : int(right)] = False
    assert strength[outside].max() == 0
    assert 5 < rf.effective_size(strength) < 21


def test_all_ones_weights_count_paths():
    # 3 convs: the path count along one axis is the trinomial row 1 3 6 7 6 3 1
    path = torch.tensor([1.0, 3, 6, 7, 6, 3, 1])
    strength = rf.measure(rf.stack(3), 15, "all ones", trials=1)
    torch.testing.assert_close(strength[4:11, 4:11], torch.outer(path, path) / 49)


def test_effective_share_of_the_field_falls_with_depth():
    shares = [
        rf.effective_size(rf.measure(rf.stack(count), 64, "all ones", trials=1)) / (1 + 2 * count)
        for count in (2, 6, 12, 20)
    ]
    assert shares == sorted(shares, reverse=True) and shares[-1] < 0.5


def test_effective_size_counts_pixels_above_the_share_of_the_peak():
    strength = torch.zeros(9, 9)
    strength[2:6, 2:6] = 0.046
    strength[4, 4] = 1
    strength[8, 8] = 0.045
    assert rf.effective_size(strength) == 4
    assert rf.bounding_box(strength) == (2, 2, 9, 9)


def test_a_map_without_influence_has_no_effective_size():
    assert rf.effective_size(torch.zeros(5, 5)) == 0.0
    assert rf.effective_size(torch.ones(5, 5)) == 5.0


def test_the_same_seed_gives_the_same_map():
    stack = rf.stack(4, pool_after=2)
    assert torch.equal(rf.measure(stack, 32, seed=3), rf.measure(stack, 32, seed=3))
    assert not torch.equal(rf.measure(stack, 32, seed=3), rf.measure(stack, 32, seed=4))


def test_relu_stands_between_convolutions_and_not_after_the_last():
    alone, pair = rf.stack(1), [rf.conv()] * 2
    assert torch.equal(rf.measure(alone, 16, "random"), rf.measure(alone, 16, "random + ReLU"))
    assert not torch.equal(rf.measure(pair, 16, "random"), rf.measure(pair, 16, "random + ReLU"))


def test_bad_requests_are_refused_in_a_sentence():
    with pytest.raises(ValueError, match="too small"):
        rf.measure(rf.stack(10, pool_after=1), 64)
    with pytest.raises(ValueError, match="filling"):
        rf.measure(rf.stack(1), 8, "zeros")
    with pytest.raises(ValueError, match="start at 1"):
        rf.Layer("conv", 0)
    with pytest.raises(ValueError, match="'conv' or a 'max pool'"):
        rf.Layer("dropout", 1)
    with pytest.raises(ValueError, match="No pixel"):
        rf.bounding_box(torch.zeros(3, 3))


@pytest.mark.parametrize(
    ("kernel", "dilation", "padding"), [(1, 1, 0), (3, 1, 1), (5, 1, 2), (3, 2, 2), (3, 4, 4), (5, 3, 6), (1, 2, 0)]
)
def test_a_convolution_keeps_the_maps_size_and_its_field_stays_centred(kernel, dilation, padding):
    layer = rf.conv(kernel, dilation=dilation)
    assert layer.padding == padding and layer.output_size(32) == 32
    assert rf.trace([layer])[-1].start == 0


def test_a_convolution_is_3x3_without_dilation_and_a_measurement_of_seed_zero_unless_told_otherwise():
    assert rf.conv() == rf.Layer("conv", kernel=3, stride=1, dilation=1, padding=1)
    assert torch.equal(rf.measure(rf.stack(2), 12), rf.measure(rf.stack(2), 12, "random + ReLU", 8, 0))
