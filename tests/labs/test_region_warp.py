"""Regions as pictures of one size: what fills the crop, against pixels counted by hand and torchvision's own resize."""

import pytest
import torch
import torchvision.transforms.functional as tvf
from hypothesis import given
from hypothesis import strategies as some

from labs import region_warp
from labs.region_warp import PAPER_PADDING, PAPER_SIZE, WARP, WITH_CONTEXT, WITHOUT_CONTEXT, crops, sources


def test_the_papers_border_of_16_pixels_is_16_pixels_of_the_crop():
    box = torch.tensor([[50.0, 60, 50 + 195, 60 + 195 / 2]])  # 227 - 2 · 16 = 195
    assert (PAPER_SIZE, PAPER_PADDING) == (227, 16)
    torch.testing.assert_close(sources(box), torch.tensor([[34.0, 52, 261, 60 + 195 / 2 + 8]]))
    square = torch.tensor([[34.0, 60 + 195 / 4 - 113.5, 261, 60 + 195 / 4 + 113.5]])
    for way in (WITH_CONTEXT, WITHOUT_CONTEXT):
        torch.testing.assert_close(sources(box, way=way), square)


@given(
    x=some.integers(0, 20), y=some.integers(0, 20), cells=some.integers(1, 3), across=some.integers(1, 4),
    seed=some.integers(0, 99),
)  # fmt: skip
def test_where_pixels_fall_together_a_crop_is_the_mean_of_blocks(x, y, cells, across, seed):
    picture = torch.rand(3, 40, 40, generator=torch.Generator().manual_seed(seed))
    wide, high, size = 4 * across, 4 * cells, 4  # every pixel of the crop is a block of whole pixels
    found = crops(picture, torch.tensor([[x, y, x + wide, y + high]]).float(), size, padding=0)[0]
    blocks = picture[:, y : y + high, x : x + wide].reshape(3, size, cells, size, across).mean((2, 4))
    torch.testing.assert_close(found, blocks)


def test_an_enlarged_region_is_torchvisions_bilinear_resize_away_from_its_rim():
    picture = torch.rand(3, 20, 20, generator=torch.Generator().manual_seed(3))
    found = crops(picture, torch.tensor([[4.0, 6, 12, 14]]), 32, padding=0)[0]
    theirs = tvf.resize(picture[:, 6:14, 4:12], [32, 32], antialias=False)
    torch.testing.assert_close(found[:, 3:-3, 3:-3], theirs[:, 3:-3, 3:-3], atol=1e-5, rtol=0)


def test_warping_fills_the_crop_and_a_square_keeps_the_shape():
    picture = torch.zeros(1, 40, 40)
    picture[:, 10:20, 8:28] = 1  # the region, twice as wide as high
    box = torch.tensor([[8.0, 10, 28, 20]])
    assert crops(picture, box, 20, 0, WARP)[0, 0, 1:-1].min() == 1, "its first and last rows mix with what lies beyond"
    square = crops(picture, box, 20, 0, WITH_CONTEXT)[0, 0]
    assert square[5:15].min() == 1 and square[:4].max() == 0 and square[16:].max() == 0
    bright = crops(picture + 1, box, 20, 0, WITH_CONTEXT)[0, 0]
    assert bright[:4].min() == 1, "what lies around is context"
    alone = crops(picture + 1, box, 20, 0, WITHOUT_CONTEXT)[0, 0]
    assert alone[:5].max() == 0 and alone[15:].max() == 0 and alone[5:15].min() == 2, "and without it nothing"


def test_beyond_the_picture_there_is_nothing_and_the_border_counts_as_region():
    corner = crops(torch.ones(1, 20, 20), torch.tensor([[0.0, 0, 10, 10]]), 20, 5, WARP)[0, 0]
    assert corner[:4].max() == 0 and corner[:, :4].max() == 0 and corner[6:, 6:].min() == 1
    wide = crops(torch.ones(1, 60, 60), torch.tensor([[20.0, 25, 40, 35]]), 40, 10, WITHOUT_CONTEXT)[0, 0]
    rows = wide[:, 20].nonzero().flatten().tolist()
    assert rows == list(range(5, 35)), "10 rows of border, 10 of the region, 10 of border, in pixels of the crop"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"way": "stretch"}, "There is no way 'stretch'"),
        ({"padding": 20.0}, "A border of 20 pixels leaves no room in a crop of 40"),
        ({"padding": -1.0}, "A border of -1 pixels"),
        ({"boxes": torch.tensor([[3.0, 3, 3, 9]])}, "A region needs a width and a height"),
    ],
)
def test_what_cannot_be_is_said(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        sources(**{"boxes": torch.tensor([[0.0, 0, 10, 10]]), "size": 40} | arguments)


def test_2000_crops_are_2000_times_227_squared_pixels():
    assert region_warp.computed_pixels(2000, 227) == 2000 * 51_529
    assert crops(torch.ones(3, 9, 9), torch.zeros(0, 4), 8, 0).shape == (0, 3, 8, 8)
