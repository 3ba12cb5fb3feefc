import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from labs import planted_mark
from labs.planted_mark import CORNERS, SIDE, corner, covered, mark, marked


@given(column=some.integers(-30, 60), row=some.integers(-30, 60))
def test_what_is_covered_is_what_changes(column, row):
    image = np.full((50, 40, 3), 90, np.uint8)
    assert ((marked(image, column, row) != 90).any(2) == covered(column, row, 50, 40)).all()
    assert (image == 90).all(), "the picture that was given stays as it was"


def test_a_mark_cut_off_by_an_edge_shows_the_rest_of_itself():
    image = np.zeros((40, 40, 3), np.uint8)
    assert (marked(image, -5, 30)[30:, :15] == mark()[:10, 5:]).all()


@pytest.mark.parametrize("name", CORNERS)
def test_a_corner_lies_as_far_from_both_edges(name):
    rows, columns = np.nonzero(covered(*corner(name, 100, 120, margin=4), 100, 120))
    assert len(rows) == SIDE**2
    assert {rows.min(), 99 - rows.max()} >= {4} and {columns.min(), 119 - columns.max()} >= {4}
    assert (rows.min() == 4) == name.startswith("top") and (columns.min() == 4) == name.endswith("left")


def test_a_corner_that_is_none_is_refused():
    with pytest.raises(ValueError, match="There is no corner 'middle'"):
        corner("middle", 100, 100)


def test_the_mark_is_a_chessboard():
    squares = mark()[::5, ::5]
    bright = (squares == planted_mark.BRIGHT).all(2)
    assert bright.sum() == 8 and (bright[:, 1:] != bright[:, :-1]).all() and (bright[1:] != bright[:-1]).all()
