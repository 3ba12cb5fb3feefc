"""Every detection and truth has one kind of error, and what an oracle gains is what pycocotools says of mended data."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from labs import average_precision as ap
from labs import detection_errors as lab
from labs.matching import Detections, Truths
from tests.labs.test_average_precision import CLASSES, coco_eval, data_set

seeds = st.integers(0, 2**32 - 1)
NOTHING = Detections(np.zeros((0, 4)), np.zeros(0, int), np.zeros(0))
EMPTY = Truths(np.zeros((0, 4)), np.zeros(0, int))
ALL = (*lab.KINDS, *lab.OUTCOMES)


def picture(detections, truths, **flags):
    """Rows (x1, y1, x2, y2, label, score) and (x1, y1, x2, y2, label)."""
    d, g = np.array(detections, float).reshape(-1, 6), np.array(truths, float).reshape(-1, 5)
    found = Detections(d[:, :4], d[:, 4].astype(int), d[:, 5])
    return [found], [Truths(g[:, :4], g[:, 4].astype(int), **flags)]


TRUTHS = [(0, 0, 10, 10, 1), (50, 50, 60, 60, 2), (100, 0, 110, 10, 3), (150, 0, 160, 10, 1)]
ONE_OF_EACH = [
    (0, 0, 10, 10, 1, 0.9),  # true
    (0, 0, 10, 8, 1, 0.8),  # duplicate
    (50, 50, 60, 60, 1, 0.7),  # right place, wrong class
    (100, 0, 110, 4, 3, 0.6),  # IoU 0.4
    (100, 0, 110, 3, 2, 0.5),  # both
    (200, 0, 210, 10, 1, 0.4),  # nothing there
]


def test_one_of_each_kind():
    errors = lab.sort_out(*picture(ONE_OF_EACH, TRUTHS))
    kinds = ["true", "duplicate", "classification", "localisation", "both", "background"]
    assert errors.kind.tolist() == kinds and errors.target.tolist() == [0, 0, 1, 2, 2, -1]
    assert errors.truth_kind.tolist() == ["found", "covered", "covered", "missed"]
    assert lab.count(errors) == dict.fromkeys(lab.KINDS, 1)


def test_what_each_kind_costs_by_hand():
    """Class 1 has two truths and is said four times; classes 2 and 3 have a truth each that is not found."""
    costs = lab.lost(lab.sort_out(*picture(ONE_OF_EACH, TRUTHS)), 3)
    half = 51 / 101  # one of two truths at precision 1
    assert costs["classification"] == pytest.approx(1 / 3)  # class 2 gets its one truth, before the detection in `both`
    assert costs["localisation"] == pytest.approx(1 / 3)
    assert costs["both"] == costs["duplicate"] == costs["background"] == costs["false positives"] == pytest.approx(0)
    assert costs["missed"] == pytest.approx((1 - half) / 3)
    # Class 1 has one truth left, and it is found; classes 2 and 3 have none left, but something false.
    assert costs["false negatives"] == pytest.approx((1 - half) / 3)


def test_only_the_surest_of_two_is_mended():
    """A badly placed one of 0.8 and a confused one of 0.7 on one truth: mending the class alone mends nothing."""
    two = [(0, 0, 10, 4, 1, 0.8), (0, 0, 10, 10, 2, 0.7)]
    costs = lab.lost(lab.sort_out(*picture(two, [(0, 0, 10, 10, 1)])), 2)
    assert costs["localisation"] == 1 and costs["classification"] == 0 and costs["missed"] == 0


def test_boundaries_belong_to_the_better_kind():
    exactly = [(0, 0, 10, 5, 1, 0.9), (50, 0, 60, 1, 1, 0.8), (50, 20, 60, 20.99, 1, 0.7), (80, 0, 90, 5, 2, 0.6)]
    truths = [(0, 0, 10, 10, 1), (50, 0, 60, 10, 1), (50, 20, 60, 30, 1), (80, 0, 90, 10, 1)]
    errors = lab.sort_out(*picture(exactly, truths))
    assert errors.kind.tolist() == ["true", "localisation", "background", "classification"]
    assert lab.above(errors, 0.8).scores.tolist() == [0.9, 0.8] and len(lab.above(errors, 1.0).kind) == 0
    assert len(lab.above(errors, 0.0).kind) == 4


def test_a_duplicate_stays_one_beside_another_class():
    """Its class is right: by the paper's words it is no classification error (tidecv says it is)."""
    rows = [(0, 0, 10, 10, 1, 0.9), (0, 0, 10, 9, 1, 0.8)]
    assert lab.sort_out(*picture(rows, [(0, 0, 10, 10, 1), (0, 0, 10, 9, 2)])).kind.tolist() == ["true", "duplicate"]


def test_what_lies_in_a_crowd_is_ignored_and_near_one_is_background():
    rows = [(0, 0, 5, 5, 1, 0.9), (8, 0, 18, 10, 1, 0.8)]
    errors = lab.sort_out(*picture(rows, [(0, 0, 10, 10, 1)], crowd=np.array([True])))
    assert errors.kind.tolist() == ["ignored", "background"] and errors.truth_kind.tolist() == ["ignored"]
    assert np.isnan(lab.average_precisions(errors, 1)).all() and all(
        np.isnan(each) for each in lab.lost(errors, 1).values()
    )


@pytest.mark.parametrize("foreground", [0.1, 0.5, 1.0])
def test_nothing_detected_nothing_there_no_picture(foreground):
    one = picture(ONE_OF_EACH[:1], TRUTHS[:1])
    missed = lab.sort_out([NOTHING], one[1], foreground)
    assert lab.count(missed)["missed"] == 1 and lab.lost(missed, 1)["missed"] == 1
    empty = lab.sort_out(one[0], [EMPTY], foreground)
    assert empty.kind.tolist() == ["background"] and np.isnan(lab.lost(empty, 1)["background"])
    for none in (lab.sort_out([NOTHING], [EMPTY], foreground), lab.sort_out([], [], foreground)):
        assert sum(lab.count(none).values()) == 0 and np.isnan(lab.average_precisions(none, 2)).all()
    perfect = lab.sort_out(*one, foreground)
    assert perfect.kind.tolist() == ["true"] and set(lab.lost(perfect, 1).values()) == {0.0}


@pytest.mark.parametrize("foreground", [0.0, 0.09, 1.01])
def test_no_threshold_below_background_or_above_one(foreground):
    with pytest.raises(ValueError, match=r"between 0\.1 and 1"):
        lab.sort_out([NOTHING], [EMPTY], foreground)


def test_other_mistakes_are_said():
    with pytest.raises(ValueError, match="1 pictures with detections"):
        lab.sort_out([NOTHING], [])
    with pytest.raises(ValueError, match="no kind of error 'tiredness'"):
        lab.average_precisions(lab.sort_out([], []), 1, ["tiredness"])


@given(seed=seeds, foreground=st.sampled_from([0.1, 0.5, 0.75, 1.0]))
@settings(deadline=None, max_examples=15)
def test_each_has_one_kind_and_no_oracle_lowers_ap(seed, foreground):
    found, there = data_set(seed)
    errors = lab.sort_out(found, there, foreground)
    assert sorted(zip(errors.image, errors.detection)) == [
        (i, d) for i, f in enumerate(found) for d in range(len(f.scores))
    ]
    assert np.isin(errors.kind, lab.DETECTION_KINDS).all()
    assert list(zip(errors.truth_image, errors.truth)) == [
        (i, g) for i, t in enumerate(there) for g in range(len(t.labels))
    ]
    assert np.isin(errors.truth_kind, lab.TRUTH_KINDS).all()
    assert (errors.truth_kind == "found").sum() == (errors.kind == "true").sum()
    assert ((errors.target < 0) == np.isin(errors.kind, ("background", "ignored"))).all()
    now = lab.average_precisions(errors, 3)
    for kind in ALL:
        after = lab.average_precisions(errors, 3, [kind])
        assert (np.isnan(after) == np.isnan(now)).all() and (np.nan_to_num(after) >= np.nan_to_num(now) - 1e-12).all()
    mended = lab.average_precisions(errors, 3, lab.KINDS)
    assert (mended[~np.isnan(now)] == 1).all()


@given(seed=seeds)
@settings(deadline=None, max_examples=12)
def test_ap_before_any_oracle_is_that_of_pycocotools(seed):
    found, there = data_set(seed)
    theirs = coco_eval(found, there).eval["precision"][0, :, :, 0, -1].mean(0)
    ours = lab.average_precisions(lab.sort_out(found, there, 0.5), 3)
    np.testing.assert_allclose(np.nan_to_num(ours, nan=-1), theirs, atol=1e-9)


def mend(errors, found, there, kind):
    """The data itself without this kind of error, for pycocotools to judge."""
    drop, drop_truth = np.zeros(len(errors.kind), bool), np.zeros(len(errors.truth), bool)
    boxes, labels = [each.boxes.copy() for each in found], [each.labels.copy() for each in found]
    if kind == "missed":
        drop_truth = errors.truth_kind == "missed"
    elif kind == "false negatives":
        drop_truth = np.isin(errors.truth_kind, ("missed", "covered"))
    elif kind == "false positives":
        drop = ~np.isin(errors.kind, ("true", "ignored"))
    else:
        drop = errors.kind == kind
    done = set(errors.target[errors.kind == "true"].tolist())
    for row in np.flatnonzero(np.isin(errors.kind, ("classification", "localisation"))):  # the surest first
        target, of = int(errors.target[row]), errors.kind[row]
        if target in done:
            continue
        done.add(target)
        if of == kind:
            image, d, g = errors.image[row], errors.detection[row], errors.truth[target]
            drop[row], labels[image][d] = False, there[image].labels[g]
            if kind == "localisation":
                boxes[image][d] = there[image].boxes[g]
    left, rest = [], []
    for image, (each, truths) in enumerate(zip(found, there)):
        gone = errors.detection[drop & (errors.image == image)]
        left.append(
            Detections(boxes[image], labels[image], each.scores).subset(~np.isin(np.arange(len(each.scores)), gone))
        )
        stay = ~np.isin(np.arange(len(truths.labels)), errors.truth[drop_truth & (errors.truth_image == image)])
        rest.append(Truths(truths.boxes[stay], truths.labels[stay], crowd=truths.crowd[stay], areas=truths.areas[stay]))
    return left, rest


@pytest.mark.parametrize("kind", ALL)
@given(seed=seeds)
@settings(deadline=None, max_examples=6)
def test_an_oracle_gains_what_pycocotools_says_of_the_mended_data(kind, seed):
    found, there = data_set(seed)
    truths = np.vstack([np.hstack([np.full((len(t.boxes), 1), i), t.boxes]) for i, t in enumerate(there)])
    assume(len(np.unique(truths, axis=0)) == len(truths))  # of two truths in one place it is open which is meant
    errors = lab.sort_out(found, there, 0.5)
    ours = lab.average_precisions(errors, 3, [kind])
    left, rest = mend(errors, found, there, kind)
    theirs = coco_eval(left, rest).eval["precision"][0, :, :, 0, -1].mean(0)
    for k, label in enumerate(CLASSES):
        if theirs[k] >= 0:
            assert ours[k] == pytest.approx(theirs[k], abs=1e-9)
        else:  # no truth of this class, or none left
            assert np.isnan(ours[k]) or ours[k] in (0, 1), label


@given(seed=seeds, score=st.integers(0, 9).map(lambda n: n / 8))
@settings(deadline=None, max_examples=12)
def test_a_threshold_after_is_a_threshold_before(seed, score):
    found, there = data_set(seed)
    after = lab.above(lab.sort_out(found, there), score)
    before = lab.sort_out([each.subset(each.scores >= score) for each in found], there)
    for name in ("scores", "labels", "image", "kind", "target", "truth_kind"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))


@given(seed=seeds)
@settings(deadline=None, max_examples=12)
def test_slices_by_picture_are_those_pictures(seed):
    found, there = data_set(seed)
    errors = lab.sort_out(found, there)
    half = np.arange(len(found)) % 2 == 0
    part = lab.within(errors, half[errors.truth_image], half[errors.image])
    alone = lab.sort_out(found[::2], there[::2])
    np.testing.assert_array_equal(lab.average_precisions(part, 3), lab.average_precisions(alone, 3))
    whole = lab.within(errors, np.ones(len(errors.truth), bool))
    np.testing.assert_array_equal(lab.average_precisions(whole, 3), lab.average_precisions(errors, 3))


def test_a_slice_of_truths_leaves_the_others_out():
    """What is false about a truth outside goes with it; what lies on background counts in every slice."""
    errors = lab.sort_out(*picture(ONE_OF_EACH, TRUTHS))
    part = lab.within(errors, np.array([True, False, False, True]))
    assert part.kind.tolist() == ["true", "duplicate", "background"]
    assert part.truth_kind.tolist() == ["found", "ignored", "ignored", "missed"]
    sized = lab.within(errors, np.array([False, True, True, True]), np.ones(6, bool))
    assert "true" not in sized.kind and sized.truth_kind.tolist() == ["ignored", "covered", "covered", "missed"]


def test_ap_is_the_rankings_ap_on_one_class():
    found, there = picture([row for row in ONE_OF_EACH if row[4] == 1], TRUTHS)
    ranked = ap.rank(ap.compare(found, there, 1))
    assert lab.average_precisions(lab.sort_out(found, there), 3)[0] == ap.average_precision(ranked)
