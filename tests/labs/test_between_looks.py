"""What a look is worth, by hand: a box that is held loses as much as the thing has moved; a prediction does not."""

import numpy as np
import pytest

from labs.between_looks import overlap_by_age
from labs.matching import Detections
from labs.tracking import KALMAN, STILL, Settings


def seen(*boxes) -> Detections:
    return Detections(np.array(boxes, float).reshape(-1, 4), np.ones(len(boxes), int), np.ones(len(boxes)))


def moving(frames: int, step: float, wide: float = 4) -> list[Detections]:
    return [seen((step * at, 0, step * at + wide, 4)) for at in range(frames)]


def test_a_held_box_loses_what_the_thing_moves():
    held = overlap_by_age([np.array([7])] * 6, moving(6, 1), Settings(predict=STILL, confirm=1), 3)
    assert held == pytest.approx([1, 3 / 5, 2 / 6])


def test_a_prediction_follows_a_thing_that_goes_straight_on():
    things, found = [np.array([7])] * 60, moving(60, 1, wide=12)  # a look finds it again: IoU 9 / 15
    held = overlap_by_age(things, found, Settings(predict=STILL, confirm=1), 3)
    predicted = overlap_by_age(things, found, Settings(predict=KALMAN, confirm=1), 3)
    assert (predicted[1:] > held[1:] + 0.05).all()


def test_what_stands_still_stays_and_every_frame_has_one_age():
    still = overlap_by_age([np.array([1])] * 5, [seen((0, 0, 4, 4))] * 5, Settings(confirm=1), 5)
    assert still == pytest.approx([1] * 5)
    assert overlap_by_age([np.array([7])] * 4, moving(4, 1), Settings(confirm=1), 1) == pytest.approx([1], abs=0.2)


def test_nothing_to_measure_is_nan_and_a_thing_that_has_left_counts_no_more():
    assert np.isnan(overlap_by_age([np.array([], int)] * 2, [seen()] * 2, Settings(confirm=1), 2)).all()
    found = [seen((0, 0, 4, 4)), seen()]
    told = overlap_by_age([np.array([7]), np.array([], int)], found, Settings(confirm=1), 2)
    assert told[0] == 1 and np.isnan(told[1])


def test_two_things_keep_their_own_truth():
    found = [seen((0, 0, 4, 4), (20, 0, 24, 4)), seen((20, 0, 24, 4), (2, 0, 6, 4))]
    things = [np.array([3, 9]), np.array([9, 3])]
    told = overlap_by_age(things, found, Settings(predict=STILL, confirm=1), 2)
    assert told == pytest.approx([1, (1 + 2 / 6) / 2])
