"""Components and messages of a wrong type: whatever JSON a browser sends, it is ignored or made legal."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from ui.components.live_slider import _number
from ui.components.matrix import _apply, _cell
from ui.components.solid import _touched, _turn
from ui.components.stage import Box, _edited, _names, _spot

HUGE = 10**400
PLAIN = some.none() | some.booleans() | some.integers() | some.just(HUGE) | some.floats() | some.text(max_size=5)
JSON = some.recursive(
    PLAIN, lambda inner: some.lists(inner, max_size=5) | some.dictionaries(some.text(max_size=4), inner)
)
PLACE = JSON | some.lists(PLAIN, min_size=4, max_size=4)
BOXES = some.lists(some.fixed_dictionaries({"id": JSON | some.just("a"), "xyxy": PLACE}))
EDITS = some.lists(some.tuples(some.just("in") | JSON, PLAIN, PLAIN, PLAIN).map(list))


@given(JSON)
@example(HUGE)
@example(-HUGE)
@example(math.nan)
@example([1])
def test_a_slider_takes_only_numbers_of_its_range(found):
    number = _number(found, 0, 10, 1, whole=True)
    assert number is None or (type(number) is int and 0 <= number <= 10)


@given(JSON | BOXES)
@example(1)
@example([{"id": ["a"], "xyxy": [0, 0, 1, 1]}])
@example([{"id": {}, "xyxy": [0, 0, 1, 1]}])
@example([{"id": "a", "xyxy": [0, 0, HUGE, 1]}])
def test_boxes_stay_boxes(sent):
    first = Box("a", (0, 0, 1, 1), editable=True)
    for template in (None, first):
        for box in _edited([first], sent, template, 3):
            assert isinstance(box.id, str) and all(map(math.isfinite, box.xyxy))


def test_boxes_that_are_no_list_delete_nothing():
    first = Box("a", (0, 0, 1, 1), editable=True)
    assert _edited([first], 1, first, 3) == [first]


@given(JSON | some.fixed_dictionaries({"x": PLAIN, "y": PLAIN, "what": JSON}))
@example({"x": HUGE, "y": 0})
def test_a_spot_is_two_finite_numbers(found):
    spot = _spot(found)
    assert spot is None or (math.isfinite(spot.x) and math.isfinite(spot.y))


@pytest.mark.parametrize(("found", "names"), [(1, []), ("ab", []), (["a", [], 1], ["a"]), (None, [])])
def test_names_are_texts(found, names):
    assert _names(found) == names


@given(JSON | EDITS)
@example([["in", 0, 0, HUGE]])
@example([["in", True, 0, 1]])
@example([["in", 0, 0, math.nan]])
def test_a_cell_takes_only_legal_numbers(edits):
    stored = {"in": np.zeros((2, 2))}
    _apply(stored, edits, {"in": np.zeros((2, 2))}, False, -9.0, 9.0)
    assert np.isfinite(stored["in"]).all() and np.abs(stored["in"]).max() <= 9


@given(JSON | some.tuples(some.text(), PLAIN, PLAIN).map(list))
@example(["in", True, 0])
def test_a_chosen_cell_is_a_name_and_two_whole_numbers(found):
    cell = _cell(found)
    assert cell is None or (type(cell.row) is int and type(cell.column) is int)


@given(JSON | some.lists(PLAIN, min_size=2, max_size=2))
@example([HUGE, 0])
@example([math.nan, 0])
@example([540, 91])
def test_a_direction_is_two_angles(found):
    turn = _turn(found)
    assert turn is None or (-180 <= turn[0] <= 180 and -90 <= turn[1] <= 90)


@given(JSON | some.fixed_dictionaries({"id": JSON, "vertex": PLAIN}))
@example({"id": "a", "vertex": -1})
@example({"id": "a", "vertex": True})
@example({"id": "a", "vertex": HUGE})
def test_a_touched_vertex_has_a_number(found):
    touched = _touched(found)
    assert touched is None or (type(touched.id) is str and type(touched.vertex) is int and touched.vertex >= 0)
