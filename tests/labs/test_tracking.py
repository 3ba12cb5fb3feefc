"""Tracking by detection: the cheapest pairs are those of a search of all, and the life of a track at every boundary."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from torchvision.ops import box_iou

from labs import tracking
from labs.matching import Detections
from labs.tracking import FOUND, GREEDY, KALMAN, LOST, PREDICTED, STILL, TENTATIVE, Settings

PLAIN = Settings(least_score=0.5, least_iou=0.3, patience=2, confirm=1, predict=STILL)
BOX = [10.0, 10, 30, 50]


def seen(*boxes, scores=None, labels=None):
    many = len(boxes)
    labels = np.array(labels or [1] * many, np.int64)
    return Detections(np.array(boxes, float).reshape(-1, 4), labels, np.array(scores or [0.9] * many, float))


NOTHING = seen()


def states(films, settings=PLAIN, every=1):
    """Per frame, {number: state}."""
    return [{each.track: each.state for each in frame} for frame in tracking.track(films, settings, every)]


def cheapest(costs):
    """By trying all: the least that as many pairs as can be made cost together."""
    if costs.shape[0] > costs.shape[1]:
        return cheapest(costs.T)
    rows = range(costs.shape[0])
    return min(sum(costs[r, c] for r, c in zip(rows, way)) for way in permutations(range(costs.shape[1]), len(rows)))


tables = some.tuples(some.integers(1, 5), some.integers(1, 5), some.integers(0, 9999)).map(
    lambda it: np.random.default_rng(it[2]).uniform(0, 0.99, it[:2]).round(2)
)


@settings(deadline=None, max_examples=60)
@given(costs=tables)
def test_the_assignment_is_the_cheapest_of_all(costs):
    found = tracking.assign(costs, 1.0).pairs
    assert len(found) == min(costs.shape)
    assert costs[found[:, 0], found[:, 1]].sum() == pytest.approx(cheapest(costs))


@settings(deadline=None, max_examples=60)
@given(
    costs=tables,
    highest=some.sampled_from([0.0, 0.3, 0.7, 1.0]),
    rule=some.sampled_from([tracking.assign, tracking.greedy]),
)
def test_everybody_is_in_one_pair_or_left_over(rule, costs, highest):
    found = rule(costs, highest)
    assert sorted([*found.pairs[:, 0], *found.lost]) == list(range(costs.shape[0]))
    assert sorted([*found.pairs[:, 1], *found.new]) == list(range(costs.shape[1]))
    assert (costs[found.pairs[:, 0], found.pairs[:, 1]] <= highest).all()


@settings(deadline=None, max_examples=60)
@given(costs=tables)
def test_greedy_takes_the_cheapest_that_is_left(costs):
    left, pairs = costs.copy(), []
    while np.isfinite(left).any():
        row, column = np.unravel_index(left.argmin(), left.shape)
        pairs.append([row, column])
        left[row], left[:, column] = np.inf, np.inf
    assert tracking.greedy(costs, 1.0).pairs.tolist() == sorted(pairs)


def test_greedy_and_hungarian_differ_where_the_cheapest_pair_is_in_the_way():
    costs = np.array([[0.1, 0.2], [0.3, 0.9]])
    assert tracking.assign(costs, 1).pairs.tolist() == [[0, 1], [1, 0]]  # 0.5 instead of 1.0
    assert tracking.greedy(costs, 1).pairs.tolist() == [[0, 0], [1, 1]]


@pytest.mark.parametrize("rule", [tracking.assign, tracking.greedy])
def test_a_pair_at_the_bound_is_kept_and_one_that_shares_nothing_never(rule):
    assert len(rule(np.array([[0.7]]), 0.7).pairs) == 1
    assert len(rule(np.array([[0.71]]), 0.7).pairs) == 0
    assert len(rule(np.array([[1.0]]), 1.0).pairs) == 0


@pytest.mark.parametrize("shape", [(0, 0), (0, 2), (2, 0)])
@pytest.mark.parametrize("rule", [tracking.assign, tracking.greedy])
def test_nobody_pairs_with_nobody(rule, shape):
    found = rule(np.zeros(shape), 0.7)
    assert (found.pairs.shape, len(found.lost), len(found.new)) == ((0, 2), *shape)


@given(seed=some.integers(0, 9999))
def test_costs_are_one_minus_the_librarys_iou(seed):
    random = np.random.default_rng(seed)
    corner = random.uniform(0, 100, (7, 2))
    boxes = np.concatenate([corner, corner + random.uniform(0.5, 60, (7, 2))], 1)
    theirs = 1 - box_iou(torch.from_numpy(boxes[:3]), torch.from_numpy(boxes[3:])).numpy()
    np.testing.assert_allclose(tracking.costs(boxes[:3], boxes[3:]), theirs, atol=1e-9)


def test_an_empty_box_costs_everything():
    empty = np.array([[3.0, 3, 3, 3]])
    assert tracking.costs(empty, empty).tolist() == [[1.0]]


def test_a_score_at_the_least_one_counts_and_below_does_not():
    assert states([seen(BOX, BOX, scores=[0.5, 0.49])]) == [{1: FOUND}]


def test_an_iou_at_the_least_one_is_a_pair_and_below_begins_a_track():
    half = [10.0, 10, 30, 30]  # IoU one half with BOX
    assert [list(frame) for frame in states([seen(BOX), seen(half)], replace(PLAIN, least_iou=0.5))] == [[1], [1]]
    assert states([seen(BOX), seen(half)], replace(PLAIN, least_iou=0.51))[1] == {1: LOST, 2: FOUND}


def test_another_class_is_another_track_whatever_the_overlap():
    frames = states([seen(BOX, labels=[1]), seen(BOX, labels=[3])], replace(PLAIN, least_iou=0.0))
    assert frames[1] == {1: LOST, 2: FOUND}


def test_a_lost_track_is_found_within_its_patience_and_ended_after():
    """Patience 2: missed twice it is still known, missed three times it is not."""
    assert states([seen(BOX), NOTHING, NOTHING, seen(BOX)]) == [{1: FOUND}, {1: LOST}, {1: LOST}, {1: FOUND}]
    assert states([seen(BOX), NOTHING, NOTHING, NOTHING, seen(BOX)])[3:] == [{}, {2: FOUND}]
    assert states([seen(BOX), NOTHING, seen(BOX)], replace(PLAIN, patience=0))[1:] == [{}, {2: FOUND}]


def test_a_track_counts_once_it_is_confirmed():
    three = replace(PLAIN, confirm=3)
    assert states([seen(BOX)] * 4, three) == [{1: TENTATIVE}, {1: TENTATIVE}, {1: FOUND}, {1: FOUND}]
    # A tentative one that is missed ends at once, and its number is not given again.
    assert states([seen(BOX), NOTHING, seen(BOX)], three) == [{1: TENTATIVE}, {}, {2: TENTATIVE}]


def test_between_two_looks_tracks_are_predicted_and_what_is_there_is_not_used():
    films = [seen(BOX), seen(BOX, [100.0, 100, 120, 120]), seen(BOX), seen(BOX)]
    assert states(films, every=2) == [{1: FOUND}, {1: PREDICTED}, {1: FOUND}, {1: PREDICTED}]


def test_a_lost_track_grows_older_between_two_looks():
    """Missed at frame 2, older at frame 3, and with a patience of 2 gone at frame 4."""
    assert states([seen(BOX), NOTHING, NOTHING, NOTHING, NOTHING], every=2)[1:] == [
        {1: PREDICTED}, {1: LOST}, {1: LOST}, {},
    ]  # fmt: skip


def test_a_film_cannot_be_looked_at_in_every_0th_frame():
    with pytest.raises(ValueError, match="every 0-th"):
        tracking.track([NOTHING], PLAIN, 0)
    assert tracking.track([], PLAIN) == []


def moving(frames, hidden=()):
    """A box that goes 6 pixels to the right in each frame; not seen in those that are hidden."""
    return [NOTHING if i in hidden else seen([10.0 + 6 * i, 10, 22 + 6 * i, 40]) for i in range(frames)]


def test_the_kalman_filter_finds_again_what_moved_on_unseen_and_standing_still_does_not():
    films = moving(20, hidden=range(10, 14))
    patient = Settings(patience=10, confirm=1, predict=KALMAN)
    assert set(states(films, patient)[-1]) == {1}
    assert 2 in states(films, replace(patient, predict=STILL))[-1]


def test_a_detection_of_two_tracks_is_decided_by_the_rule_of_the_settings():
    """The first track fits both detections well, the second only the one that the first fits best."""
    two, there = seen([0.0, 0, 10, 10], [5.0, 0, 15, 10]), seen([1.0, 0, 11, 10], [-3.0, 0, 7, 10])
    rules = {rule: tracking.step(tracking.step(tracking.nobody(), two, PLAIN).after, there,
                                 replace(PLAIN, assignment=rule)).pairs.pairs.tolist()
             for rule in (tracking.HUNGARIAN, GREEDY)}  # fmt: skip
    assert rules == {tracking.HUNGARIAN: [[0, 1], [1, 0]], GREEDY: [[0, 0]]}


def test_a_step_leaves_the_tracks_before_it_as_they_were():
    before = tracking.step(tracking.nobody(), seen(BOX), Settings()).after
    kept = before.boxes.copy(), before.hits.copy(), before.known.mean.copy()
    tracking.step(before, seen([12.0, 10, 32, 50]), Settings())
    for now, then in zip((before.boxes, before.hits, before.known.mean), kept):
        np.testing.assert_array_equal(now, then)


@settings(deadline=None, max_examples=25)
@given(seed=some.integers(0, 9999), every=some.integers(1, 3), predict=some.sampled_from([KALMAN, STILL]))
def test_no_number_is_given_twice_and_all_boxes_are_finite(seed, every, predict):
    random = np.random.default_rng(seed)
    films = []
    for _ in range(12):
        corner = random.uniform(0, 150, (random.integers(0, 5), 2))
        boxes = np.concatenate([corner, corner + random.uniform(1, 70, corner.shape)], 1)
        films.append(seen(*boxes, scores=list(random.uniform(0, 1, len(boxes)))) if len(boxes) else NOTHING)
    ended = set()
    alive = set()
    for frame in tracking.track(films, Settings(confirm=1, patience=1, predict=predict), every):
        numbers = [each.track for each in frame]
        assert len(numbers) == len(set(numbers)) and not ended & set(numbers)
        ended |= alive - set(numbers)
        alive = set(numbers)
        assert all(np.isfinite(each.box).all() for each in frame)
