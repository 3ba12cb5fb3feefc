"""Counting across a line: sides, ends and the points on it by hand, and that every way has its way back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from labs import line_counting as lc
from labs.line_counting import LEFT, RIGHT, Crossing
from labs.tracking import FOUND, LOST, TENTATIVE, Tracked

DOWN = np.array([50.0, 0, 50, 100])  # seen along it, larger x are on the left


def walk(*feet, track=1, label=1, state=FOUND):
    """A film of one track by its foot points; None where it is not known."""
    return [[] if foot is None else [Tracked(track, label, np.array([foot[0] - 2, foot[1] - 9, foot[0] + 2, foot[1]],
                                                                    float), 0.9, state)] for foot in feet]  # fmt: skip


def directions(*feet, **more):
    return [each.direction for each in lc.crossings(walk(*feet, **more), DOWN)]


def test_a_foot_is_the_middle_of_the_lower_side():
    assert lc.foot(np.array([[0.0, 0, 4, 8], [2, 2, 2, 2]])).tolist() == [[2, 8], [2, 2]]


def test_from_either_side():
    assert directions((40, 50), (60, 50)) == [LEFT]
    assert directions((60, 50), (40, 50)) == [RIGHT]
    assert lc.crossings(walk((60, 50), (40, 50)), DOWN[[2, 3, 0, 1]])[0].direction == LEFT  # the line drawn upwards


def test_past_the_end_of_the_line_nobody_crosses_and_through_an_end_one_does():
    assert directions((40, 100), (60, 100)) == [LEFT]
    assert directions((40, 100.1), (60, 100.1)) == []
    assert directions((40, 0), (60, 0)) == [LEFT]
    assert directions((40, -0.1), (60, -0.1)) == []


def test_who_stops_on_the_line_crosses_once():
    assert directions((40, 50), (50, 50), (60, 50)) == [LEFT]  # on it is still the right side
    assert directions((60, 50), (50, 50), (40, 50)) == [RIGHT]
    assert directions((40, 50), (50, 50), (40, 50)) == []


def test_who_comes_back_is_counted_both_ways():
    assert directions((40, 50), (60, 50), (40, 50)) == [LEFT, RIGHT]


def test_the_frame_is_the_first_on_the_other_side_even_after_a_gap():
    assert lc.crossings(walk((40, 50), None, None, (60, 50), label=3), DOWN) == [Crossing(3, 1, 3, LEFT)]


def test_a_lost_track_counts_and_a_tentative_one_does_not_yet():
    assert directions((40, 50), (60, 50), state=LOST) == [LEFT]
    assert directions((40, 50), (60, 50), state=TENTATIVE) == []


def test_two_tracks_do_not_make_a_crossing():
    assert lc.crossings(walk((40, 50)) + walk((60, 50), track=2), DOWN) == []


@pytest.mark.parametrize("film", [[], [[]], walk((40, 50))])
def test_who_does_not_move_does_not_cross(film):
    assert lc.crossings(film, DOWN) == []


def test_a_line_without_length_is_never_crossed():
    assert lc.crossings(walk((40, 50), (60, 50)), np.array([50.0, 50, 50, 50])) == []


points = some.tuples(some.integers(-20, 120), some.integers(-20, 120))


@given(line=some.tuples(points, points), way=some.lists(points, min_size=2, max_size=8))
def test_the_way_back_and_the_line_turned_round_count_the_same(line, way):
    """Off the line itself: there a point belongs to the right side, which turns with it."""
    line = np.array([*line[0], *line[1]], float)
    if any(lc._turn(line, np.array(point, float)) == 0 for point in way):
        return
    there, back = (lc.crossings(walk(*each), line) for each in (way, way[::-1]))
    turned = lc.crossings(walk(*way), line[[2, 3, 0, 1]])
    swap = {LEFT: RIGHT, RIGHT: LEFT}
    assert [each.direction for each in there] == [swap[each.direction] for each in back[::-1]]
    assert [each.direction for each in there] == [swap[each.direction] for each in turned]


def test_the_tally_is_by_class_and_direction():
    assert lc.tally([]) == {}
    assert lc.tally([Crossing(0, 1, 4, RIGHT)]) == {4: {LEFT: 0, RIGHT: 1}}
