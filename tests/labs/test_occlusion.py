"""Occlusion: patches by hand, and the map of captum's Occlusion over random sizes."""

import pytest
import torch
from captum import attr
from hypothesis import given, settings
from hypothesis import strategies as some

from labs import occlusion


def test_a_patch_covers_its_pixels_and_no_others():
    x = torch.arange(24.0).view(2, 3, 4)
    covered = occlusion.occluded(x, (1, 0, 3, 2), torch.tensor([-1.0, -2.0]).view(2, 1, 1))
    inside = torch.zeros(3, 4, dtype=torch.bool)
    inside[0:2, 1:3] = True
    assert (covered[0][inside] == -1).all() and (covered[1][inside] == -2).all()
    assert covered[:, ~inside].equal(x[:, ~inside])


def test_what_lies_outside_is_left_out():
    x = torch.ones(1, 3, 3)
    assert occlusion.occluded(x, (-2, -2, 1, 1), torch.zeros(1, 1, 1)).sum() == 8
    assert occlusion.occluded(x, (2, 2, 9, 9), torch.zeros(1, 1, 1)).sum() == 8
    assert occlusion.occluded(x, (5, 5, 9, 9), torch.zeros(1, 1, 1)).equal(x)


def test_patches_of_the_page():
    rows = occlusion.patches_of((224, 224), 48, 24)
    assert len(rows) == len(rows[0]) == 9
    assert rows[0][0] == (0, 0, 48, 48) and rows[0][1] == (24, 0, 72, 48) and rows[8][8] == (192, 192, 224, 224)
    assert len(occlusion.patches_of((224, 224), 32, 16)) == 13
    assert occlusion.patches_of((4, 4), 9, 9) == [[(0, 0, 4, 4)]]


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("stride", [0, 5])
def test_a_stride_that_leaves_gaps_is_refused(stride):
    with pytest.raises(ValueError, match=f"between 1 and the 4 pixels of the patch, not at {stride}"):
        occlusion.patch_starts(20, 4, stride)


def test_without_overlap_a_pixel_has_the_value_of_its_patch():
    falls = torch.tensor([[1.0, -2.0], [3.0, 4.0]])
    assert occlusion.occlusion_map(falls, (4, 6), patch=3, stride=3).tolist() == [
        [1, 1, 1, -2, -2, -2], [1, 1, 1, -2, -2, -2], [1, 1, 1, -2, -2, -2], [3, 3, 3, 4, 4, 4]
    ]  # fmt: skip


@settings(max_examples=25)
@given(
    seed=some.integers(0, 99), height=some.integers(6, 14), width=some.integers(6, 14), patch=some.integers(2, 6),
    stride=some.integers(1, 6),
)  # fmt: skip
def test_the_map_is_captums(seed, height, width, patch, stride):
    stride = min(stride, patch)
    random = torch.Generator().manual_seed(seed)
    x, weights = torch.randn((3, height, width), generator=random), torch.randn((3, height, width), generator=random)
    fill = torch.randn((3, 1, 1), generator=random)

    def score(pictures):
        return (pictures * weights).sum((1, 2, 3)).tanh()

    theirs = attr.Occlusion(score).attribute(
        x[None], (3, patch, patch), (3, stride, stride), baselines=fill.expand_as(x)[None]
    )[0, 0]
    covered = torch.stack([
        torch.cat([score(occlusion.occluded(x, each, fill)[None]) for each in row])
        for row in occlusion.patches_of((height, width), patch, stride)
    ])  # fmt: skip
    ours = occlusion.occlusion_map(occlusion.falls(float(score(x[None])), covered), (height, width), patch, stride)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
