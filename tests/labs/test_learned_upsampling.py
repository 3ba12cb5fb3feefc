"""The filter that learns to double: every step is torch's own, and it ends at the filter of the least error."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as some

from labs import learned_upsampling as lu


def pictures(seed: int, n: int, height: int, width: int) -> torch.Tensor:
    return torch.rand(n, 2 * height, 2 * width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(kernel=some.sampled_from([3, 4]), seed=some.integers(0, 99), height=some.integers(1, 7),
       width=some.integers(1, 7))  # fmt: skip
def test_three_steps_are_those_of_torch(kernel, seed, height, width):
    large = pictures(seed, 3, height, width)
    small = lu.halve(large)
    start = torch.randn(kernel, kernel, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    layer = torch.nn.ConvTranspose2d(1, 1, kernel, 2, 1, output_padding=kernel % 2, bias=False, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(start[None, None])
    theirs = torch.optim.SGD(layer.parameters(), lr=0.3, momentum=0.9)
    weight, velocity = start, torch.zeros_like(start)
    for _ in range(3):
        theirs.zero_grad()
        loss = F.mse_loss(layer(small[:, None])[:, 0], large)
        loss.backward()
        theirs.step()
        weight, velocity, ours = lu.step(small, large, weight, velocity, rate=0.3)
        assert ours == pytest.approx(loss.item())
    torch.testing.assert_close(weight, layer.weight.detach()[0, 0])


@pytest.mark.parametrize("kernel", [3, 4])
def test_the_bilinear_filter_is_the_librarys(kernel):
    """4×4 reads half a pixel away as F.interpolate does; 3×3 keeps every input where it was, align_corners' grid."""
    small = pictures(1, 2, 5, 6)
    ours = lu.double(small, lu.bilinear_filter(kernel).double())
    height, width = small.shape[1:]
    if kernel == 4:
        theirs = F.interpolate(small[None], scale_factor=2, mode="bilinear")[0]
        torch.testing.assert_close(ours[:, 1:-1, 1:-1], theirs[:, 1:-1, 1:-1])
    else:
        theirs = F.interpolate(small[None], size=(2 * height - 1, 2 * width - 1), mode="bilinear", align_corners=True)
        torch.testing.assert_close(ours[:, :-1, :-1], theirs[0])


@pytest.mark.parametrize("kernel", [3, 4])
def test_steps_lead_to_the_best_filter(kernel):
    large = F.avg_pool2d(pictures(2, 2, 16, 16), 3, 1, 1)
    small = lu.halve(large)
    best = lu.best_filter(small, large, kernel)
    weight = velocity = torch.zeros(kernel, kernel, dtype=torch.float64)
    for _ in range(800):
        weight, velocity, _ = lu.step(small, large, weight, velocity, rate=1.0)
    torch.testing.assert_close(weight, best, atol=1e-4, rtol=0)
    least = float((lu.double(small, best) - large).square().mean())
    assert least < float((lu.double(small, lu.bilinear_filter(kernel).double()) - large).square().mean())
    assert lu.gradient(small, large, best)[0].abs().max() < 1e-10


@pytest.mark.parametrize("kernel", [1, 2, 5])
def test_other_filters_are_refused(kernel):
    with pytest.raises(ValueError, match="take 3 or 4"):
        lu.bilinear_filter(kernel)
