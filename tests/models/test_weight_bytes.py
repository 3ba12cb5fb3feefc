import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models import catalog
from models.weight_bytes import FEWEST, from_bytes, to_bytes


def test_every_channel_has_its_own_steps():
    weight = torch.zeros(2, FEWEST // 2)
    weight[0, :3] = torch.tensor([127.0, -1.0, 0.4])
    weight[1, :3] = torch.tensor([-0.127, 0.001, 0.0])
    stored = to_bytes({"w": weight})
    assert stored["w"].dtype == torch.int8
    assert stored["w"][:, :3].tolist() == [[127, -1, 0], [-127, 1, 0]]
    torch.testing.assert_close(stored["w.scale"], torch.tensor([[1.0], [0.001]]))
    torch.testing.assert_close(from_bytes(stored)["w"][:, :2], weight[:, :2])


@pytest.mark.parametrize(
    "value",
    [torch.ones(FEWEST), torch.ones(1, FEWEST - 1), torch.ones(64, 64, dtype=torch.int64)],
    ids=["a vector", "one value too few", "whole numbers"],
)
def test_what_is_small_or_no_weight_stays_as_it_is(value):
    assert to_bytes({"w": value}) == {"w": value} and from_bytes({"w": value}) == {"w": value}


def test_a_weight_that_is_called_scale_is_no_scale_of_bytes():
    state = {"head.scale": torch.ones(3), "head": torch.ones(64, 64)}
    assert from_bytes(state) == state


def test_the_smallest_that_is_stored_in_bytes_and_a_channel_of_zeros():
    stored = to_bytes({"w": torch.zeros(1, FEWEST)})
    assert stored["w"].dtype == torch.int8 and bool(stored["w.scale"] > 0)
    assert not from_bytes(stored)["w"].any()


@given(st.integers(0, 2**31), st.floats(1e-6, 1e6))
def test_no_weight_moves_by_more_than_half_a_step(seed, size):
    weight = torch.randn(8, 16, 6, 6, generator=torch.Generator().manual_seed(seed)) * size
    back = from_bytes(to_bytes({"w": weight, "n": torch.tensor(3)}))
    step = weight.abs().amax((1, 2, 3), keepdim=True) / 127
    assert bool(((back["w"] - weight).abs() <= step / 2 * 1.001).all()) and back["n"] == 3


@pytest.mark.parametrize("name", catalog.IN_BYTES)
def test_the_shipped_files_are_in_bytes(name):
    assert (catalog.WEIGHTS / f"{name}.safetensors").stat().st_size < 6_000_000
    assert catalog.load(name).module.predict.weight.dtype == torch.float32
