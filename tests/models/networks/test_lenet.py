"""LeNet-5 has the sizes and the numbers of weights that its paper prints."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from models.networks import lenet
from models.networks.lenet import LeNet, as_tensor


@pytest.fixture
def network() -> LeNet:
    torch.manual_seed(0)
    return LeNet()


def test_the_weights_are_as_many_as_in_the_paper(network):
    counts = {name: sum(each.numel() for each in part.parameters()) for name, part in network.named_children()}
    assert counts.pop("output") == 850  # in the paper, distances to bitmaps that are not learned
    assert counts == {"c1": 156, "s2": 12, "c3": 1516, "s4": 32, "c5": 48_120, "f6": 10_164}
    assert sum(counts.values()) == 60_000


def test_the_maps_are_as_large_as_in_the_paper(network):
    digits, seen = torch.zeros(2, 1, 32, 32), {}
    for name, part in network.named_children():
        part.register_forward_hook(lambda _part, _inputs, found, name=name: seen.update({name: tuple(found.shape[1:])}))
    assert tuple(network(digits).shape) == (2, 10)
    assert seen == {"c1": (6, 28, 28), "s2": (6, 14, 14), "c3": (16, 10, 10), "s4": (16, 5, 5), "c5": (120, 1, 1),
                    "f6": (84,), "output": (10,)}  # fmt: skip


def test_each_map_of_c3_sees_the_maps_of_its_row_alone(network):
    random = torch.Generator().manual_seed(1)
    maps = torch.randn(1, 6, 14, 14, generator=random)
    before = network.c3(maps)
    for changed in range(6):
        other = maps.clone()
        other[:, changed] += torch.randn(14, 14, generator=random)
        moved = (network.c3(other) - before).abs().amax((0, 2, 3)) > 1e-6
        assert moved.tolist() == [changed in seen for seen in lenet.SEEN]


def test_c3_is_a_convolution_over_the_maps_it_sees(network):
    maps = torch.randn(2, 6, 14, 14, generator=torch.Generator().manual_seed(2))
    found, start = network.c3(maps), 0
    for row, seen in enumerate(lenet.SEEN):
        weight = network.c3.weight[start : start + len(seen)][None]
        alone = F.conv2d(maps[:, list(seen)], weight, network.c3.bias[row : row + 1])
        torch.testing.assert_close(found[:, row], alone[:, 0])
        start += len(seen)


def test_the_squashing_keeps_one_and_the_signature_is_bounded(network):
    assert lenet.squash(torch.tensor([1.0, -1.0, 0.0])).tolist() == pytest.approx([1, -1, 0], abs=1e-4)
    signatures = network.signature(as_tensor(np.random.default_rng(0).uniform(0, 16, (5, 8, 8))))
    assert tuple(signatures.shape) == (5, 120) and float(signatures.detach().abs().max()) <= 1.7159


def test_subsampling_sums_four():
    part = lenet.Subsample(1)
    torch.nn.init.constant_(part.weight, 2.0)
    torch.nn.init.constant_(part.bias, 0.5)
    assert part(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])).item() == pytest.approx(2 * 10 + 0.5)


def test_digits_lie_in_the_middle_on_paper_of_the_papers_value():
    found = as_tensor(np.full((1, 8, 8), 16.0))[0, 0]
    assert tuple(found.shape) == (32, 32)
    assert found[6:26, 6:26].numpy() == pytest.approx(np.full((20, 20), 1.175))
    found[6:26, 6:26] = -0.1
    assert found.numpy() == pytest.approx(np.full((32, 32), -0.1))


def test_the_table_is_that_of_the_paper():
    """Three in a row, four in a row, two and two, and one that sees all; each map of S2 is seen by ten."""
    assert [sum(maps in seen for seen in lenet.SEEN) for maps in range(6)] == [10] * 6
    for size, rows in ((3, range(6)), (4, range(6, 12))):
        for first, row in enumerate(rows):
            assert set(lenet.SEEN[row]) == {(first + step) % 6 for step in range(size)}
    for first, row in enumerate(range(12, 15)):
        assert set(lenet.SEEN[row]) == {(first + step) % 6 for step in (0, 1, 3, 4)}
    assert lenet.SEEN[15] == tuple(range(6))
