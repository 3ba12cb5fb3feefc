"""Panoptic quality: equal to torchmetrics' over random maps, and to panopticapi's rules of void and crowd by hand."""

from inspect import unwrap

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torchmetrics.functional.detection import panoptic_quality as theirs

from labs import panoptic_quality as pq
from labs.panoptic_quality import VOID

THINGS, STUFF, CLASSES = (2, 3), (0, 1), 4


def a_map(shape, lowest):
    cells = [hnp.arrays(np.int64, shape, elements=st.integers(low, high)) for low, high in ((lowest, 3), (0, 2))]
    return st.tuples(*cells).map(lambda two: np.stack(two, -1))


def two_maps(lowest):
    shapes = st.tuples(st.integers(1, 5), st.integers(1, 5))
    return shapes.flatmap(lambda shape: st.tuples(a_map(shape, VOID), a_map(shape, lowest)))


def row(*pairs):
    return np.array([pairs])


def of(*args, **kwargs):
    return pq.quality(pq.tally(pq.judge(*args, things=THINGS, **kwargs), CLASSES))


def library(truth, prediction, **kwargs):
    """torchmetrics puts the things first: their classes 2, 3, 0, 1 in our order."""
    found = theirs(
        torch.from_numpy(prediction)[None], torch.from_numpy(truth)[None], set(THINGS), set(STUFF),
        allow_unknown_preds_category=True, return_sq_and_rq=True, **kwargs,
    )  # fmt: skip
    return found.numpy()


@settings(deadline=None, max_examples=80)
@given(two_maps(lowest=0), st.booleans())
def test_it_is_the_librarys_over_random_maps_with_void_in_the_truth(maps, forgive):
    check(*maps, forgive_void=forgive)  # a prediction without void: both rules agree


@settings(deadline=None, max_examples=80)
@given(two_maps(lowest=VOID))
def test_it_is_the_librarys_with_void_on_both_sides_if_void_is_forgiven(maps):
    check(*maps, forgive_void=True)


def check(truth, prediction, **kwargs):
    ours = of(truth, prediction, **kwargs)
    each = np.stack([ours.pq, ours.sq, ours.rq], -1)[[*THINGS, *STUFF]]
    np.testing.assert_allclose(np.nan_to_num(each), library(truth, prediction, return_per_class=True), atol=1e-6)
    if not np.isnan(ours.pq).all():
        np.testing.assert_allclose(ours.mean(), library(truth, prediction), atol=1e-6)
    else:
        assert np.isnan(ours.mean()).all()


@settings(deadline=None, max_examples=80)
@given(two_maps(lowest=VOID), st.booleans())
def test_above_one_half_no_segment_has_two_matches(maps, forgive):
    judged = pq.judge(*maps, things=THINGS, forgive_void=forgive)
    for side in judged.matches.T:
        assert len(set(side)) == len(side)
    assert (judged.matched_iou > 0.5).all() and (judged.iou <= 1).all()


def test_below_one_half_a_segment_can_have_two():
    truth = row(*[(2, 1)] * 4, *[(2, 2)] * 4)
    prediction = np.full_like(truth, 2)  # one cat over both: IoU 4/8 with each
    assert pq.judge(truth, prediction, THINGS).matches.tolist() == []
    assert pq.judge(truth, prediction, THINGS, threshold=0.49).matches.tolist() == [[0, 0], [1, 0]]


def test_an_iou_of_one_half_is_no_match_and_the_next_pixel_makes_one():
    truth = row(*[(2, 1)] * 4, *[(0, 0)] * 4)
    half, more = row(*[(2, 5)] * 2, *[(0, 0)] * 6), row(*[(2, 5)] * 3, *[(0, 0)] * 5)
    judged = pq.judge(truth, half, THINGS)
    assert judged.iou[1, 1] == 0.5  # of the thing; stuff comes first
    assert judged.matches.tolist() == [[0, 0]] and judged.missed.tolist() == judged.wrong.tolist() == [False, True]
    assert of(truth, half).pq[2] == 0 and of(truth, more).pq[2] == 0.75
    assert of(truth, half).sq[0] == pytest.approx(4 / 6)


def test_pq_is_sq_times_rq_and_the_sum_of_the_paper():
    """One class, three true things: 4/5 and 1 are found, one is missed, one is invented."""
    truth = row(*[(3, 1)] * 5, *[(3, 2)] * 3, *[(3, 3)] * 2, *[(0, 0)] * 2)
    prediction = row(*[(3, 7)] * 4, (0, 0), *[(3, 8)] * 3, *[(0, 0)] * 2, *[(3, 9)] * 2)
    counted = pq.tally(pq.judge(truth, prediction, THINGS), CLASSES)
    assert (counted.iou[3], counted.matches[3], counted.wrong[3], counted.missed[3]) == (1.8, 2, 1, 1)
    found = pq.quality(counted)
    assert found.sq[3] == 0.9 and found.rq[3] == 2 / 3 and found.pq[3] == pytest.approx(1.8 / (2 + 0.5 + 0.5))
    assert np.isnan(found.pq[1]) and np.isnan(found.mean([1])).all()
    assert found.mean([3, 1]) == (found.pq[3], found.sq[3], found.rq[3])


def test_classes_must_agree_and_identities_of_stuff_do_not_count():
    assert of(row((2, 1)), row((3, 1))).pq[2:].tolist() == [0, 0]
    assert of(row((0, 1), (0, 2)), row((0, 5), (0, 5))).pq[0] == 1
    assert of(row((2, 1), (2, 2)), row((2, 5), (2, 5))).pq[2] == 0
    assert of(row((2, 1), (2, 2)), row((2, 9), (2, 0))).pq[2] == 1, "identities are names only"


def test_void_in_the_truth_is_taken_out_and_excuses_more_than_one_half():
    def rest(void):
        return row(*[(VOID, 0)] * void, *[(0, 0)] * (4 - void), (2, 1))

    cat = row(*[(2, 1)] * 4, (3, 1))
    assert pq.judge(rest(2), cat, THINGS).wrong.tolist() == [True, True]  # half on void: still wrong
    assert pq.judge(rest(3), cat, THINGS).wrong.tolist() == [False, True]
    whole = pq.judge(row(*[(VOID, 0)] * 3, (2, 1)), row(*[(2, 1)] * 4), THINGS)
    assert whole.matched_iou.tolist() == [1.0], "the three void pixels are out of the union"


def test_void_in_the_prediction_costs_unless_it_is_forgiven():
    truth, dab = row(*[(2, 1)] * 5), row((2, 1), *[(VOID, 0)] * 4)
    assert of(truth, dab).pq[2] == 0 and of(truth, dab, forgive_void=True).pq[2] == 1
    half = row(*[(3, 1)] * 2, *[(VOID, 0)] * 2, (0, 0))
    nothing = np.full_like(truth, VOID)
    assert pq.judge(row(*[(2, 1)] * 4, (0, 0)), half, THINGS, forgive_void=True).missed.tolist() == [False, True]
    assert pq.judge(truth, nothing, THINGS, forgive_void=True).missed.tolist() == [False]
    assert pq.judge(truth, nothing, THINGS).missed.tolist() == [True]


def test_a_crowd_is_matched_with_nothing_missed_by_nobody_and_excuses_its_own_class():
    truth = row(*[(2, 1)] * 4, *[(0, 0)] * 4)
    crowd = np.array([[True] * 4 + [False] * 4])
    same = pq.judge(truth, truth, THINGS, crowd=crowd)
    assert same.matches.tolist() == [[0, 0]]  # the stuff alone
    assert same.missed.tolist() == same.wrong.tolist() == [False, False]
    other = row(*[(3, 1)] * 4, *[(0, 0)] * 4)
    assert pq.judge(truth, other, THINGS, crowd=crowd).wrong.tolist() == [False, True]
    half = row(*[(0, 0)] * 2, *[(2, 1)] * 4, *[(0, 0)] * 2)
    assert pq.judge(truth, half, THINGS, crowd=crowd).wrong.tolist()[-1], "one half on the crowd is not enough"
    more = row(*[(0, 0)], *[(2, 1)] * 4, *[(0, 0)] * 3)
    assert not pq.judge(truth, more, THINGS, crowd=crowd).wrong[-1]


def test_tallies_of_pictures_add_up():
    first, second = row((2, 1), (0, 0)), row((2, 1), (2, 2))
    both = pq.tally(pq.judge(first, first, THINGS), 4) + pq.tally(pq.judge(second, first, THINGS), 4)
    assert both.matches.tolist() == [1, 0, 2, 0] and both.iou.tolist() == [1, 0, 2, 0]
    assert both.wrong.tolist() == [1, 0, 0, 0] and both.missed.tolist() == [0, 0, 1, 0]
    assert pq.quality(both).pq[2] == 2 / 2.5


def test_bad_maps_get_one_sentence():
    with pytest.raises(ValueError, match="class and an identity per pixel"):
        unwrap(pq.segments)(np.zeros((4, 4, 3), np.int64), THINGS)
    for bad in ((-2, 0), (2, -1), (2, 65536)):
        with pytest.raises(ValueError, match="count from 0"):
            pq.segments(row(bad), THINGS)
    with pytest.raises(ValueError, match="of one picture"):
        unwrap(pq.judge)(row((0, 0)), row((0, 0), (0, 0)), THINGS)


def test_a_picture_of_void_has_no_segment():
    empty = np.full((2, 2, 2), VOID)
    judged = pq.judge(empty, empty, THINGS)
    assert len(judged.truth.labels) == len(judged.prediction.labels) == len(judged.matches) == 0
    assert np.isnan(of(empty, empty).mean()).all()
