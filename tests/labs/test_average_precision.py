"""AP and AR equal pycocotools on random data sets; VOC's rules equal a plain reading of them."""

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from labs import average_precision as ap
from labs.matching import Detections, Truths

CLASSES = (1, 2, 3)


def data_set(seed, crowds=True):
    """Random pictures on a coarse grid: ties of scores and overlaps, empty pictures, absent classes, crowds, areas."""
    rng = np.random.default_rng(seed)
    present = rng.choice(CLASSES, size=rng.integers(1, 4), replace=False)
    found, there = [], []
    for _ in range(rng.integers(1, 7)):
        g = rng.integers(0, 7) if rng.random() < 0.8 else 0
        corners = rng.integers(0, 100, (g, 2)) * 1.0
        truth = np.hstack([corners, corners + rng.integers(1, 12, (g, 2)) * 12.0])
        labels = rng.choice(present, g)
        crowd = (rng.random(g) < 0.2) & crowds
        areas = (truth[:, 2:] - truth[:, :2]).prod(1) * rng.choice([1.0, 0.6], g)
        there.append(Truths(truth, labels, crowd=crowd, areas=areas))
        repeats = rng.integers(0, 4, g)
        near = np.repeat(truth, repeats, axis=0) + rng.integers(-1, 2, (repeats.sum(), 4)) * rng.choice([0, 3, 9])
        far = rng.integers(0, 60, (rng.integers(0, 4), 2)) * 2.0
        boxes = np.vstack([near, np.hstack([far, far + rng.integers(1, 40, far.shape)])])
        boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 1)
        guess = np.concatenate([np.repeat(labels, repeats), rng.choice(CLASSES, len(far))])
        wrong = rng.random(len(guess)) < 0.1
        guess = np.where(wrong, rng.choice(CLASSES, len(guess)), guess).astype(int)
        found.append(Detections(boxes, guess, rng.integers(1, 8, len(boxes)) / 8))
    return found, there


def coco_eval(found, there) -> COCOeval:
    xywh = lambda box: [*box[:2], *(box[2:] - box[:2])]  # noqa: E731
    truths, results = [], []
    for image, (d, g) in enumerate(zip(found, there, strict=True)):
        for box, label, crowd, area in zip(g.boxes, g.labels, g.crowd, g.areas, strict=True):
            truths.append({"id": len(truths) + 1, "image_id": image, "category_id": int(label), "bbox": xywh(box),
                           "area": float(area), "iscrowd": int(crowd)})  # fmt: skip
        for box, label, score in zip(d.boxes, d.labels, d.scores, strict=True):
            results.append({"image_id": image, "category_id": int(label), "bbox": xywh(box), "score": float(score)})
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {"images": [{"id": i} for i in range(len(there))], "annotations": truths,
                         "categories": [{"id": c} for c in CLASSES]}  # fmt: skip
        truth.createIndex()
        answer = truth.loadRes(results) if results else COCO()
        if not results:
            answer.dataset = {"images": truth.dataset["images"], "annotations": [], "categories": []}
            answer.createIndex()
        judge = COCOeval(truth, answer, "bbox")
        judge.params.catIds = list(CLASSES)
        judge.evaluate()
        judge.accumulate()
    return judge


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=10)
def test_coco_figures_equal_pycocotools(seed):
    found, there = data_set(seed)
    judge = coco_eval(found, there)
    for a, area in enumerate(("all", "small", "medium", "large")):
        for m, most in enumerate((1, 10, 100)):
            ours = ap.summarise(found, there, CLASSES, area, most)
            theirs = judge.eval["precision"][:, :, :, a, m].mean(1)  # (T, K); -1 where the class is absent
            np.testing.assert_allclose(np.nan_to_num(ours.ap, nan=-1), theirs, atol=1e-9)
            np.testing.assert_allclose(np.nan_to_num(ours.recall, nan=-1), judge.eval["recall"][:, :, a, m], atol=1e-12)


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=15)
def test_the_headline_figures_equal_pycocotools(seed):
    found, there = data_set(seed)
    judge = coco_eval(found, there)
    with contextlib.redirect_stdout(io.StringIO()):
        judge.summarize()
    ours = ap.summarise(found, there, CLASSES)
    mine = [ours.mean_ap, ours.ap50, ours.ap75, ours.average_recall]
    np.testing.assert_allclose(np.nan_to_num(mine, nan=-1), judge.stats[[0, 1, 2, 8]], atol=1e-9)


def test_no_detection_no_truth_no_picture():
    empty = Detections(np.zeros((0, 4)), np.zeros(0, int), np.zeros(0))
    one = Truths(np.array([[0.0, 0, 9, 9]]), np.array([2]))
    assert ap.summarise([empty], [one], [2]).mean_ap == 0
    nothing = ap.summarise([empty], [Truths(np.zeros((0, 4)), np.zeros(0, int))], [2])
    assert np.isnan(nothing.mean_ap) and np.isnan(nothing.average_recall)
    assert np.isnan(ap.summarise([], [], [1]).mean_ap)
    assert np.isnan(ap.average_precision(ap.rank([]))) and np.isnan(ap.final_recall(ap.rank([])))
    with pytest.raises(ValueError, match="at least one ground truth"):
        ap.precision_recall(np.array([True]), 0)
    with pytest.raises(ValueError, match="1 pictures with detections"):
        ap.compare([empty], [], 2)


def test_precision_and_recall_are_the_lectures():
    """True detections / all detections; true detections / ground truths."""
    precision, recall = ap.precision_recall(np.array([True, True, False, True, False]), 4)
    np.testing.assert_allclose(precision, [1, 1, 2 / 3, 3 / 4, 3 / 5])
    np.testing.assert_allclose(recall, [1 / 4, 2 / 4, 2 / 4, 3 / 4, 3 / 4])
    np.testing.assert_allclose(ap.envelope(precision), [1, 1, 3 / 4, 3 / 4, 3 / 5])


def test_the_rules_on_one_ranking_by_hand():
    curve = ap.precision_recall(np.array([True, True, False, True, False]), 4)
    assert ap.voc_all_point(*curve) == pytest.approx(0.5 * 1 + 0.25 * 0.75)
    assert ap.voc07_11_point(*curve) == pytest.approx((6 * 1 + 2 * 0.75) / 11)  # recalls 0 to .5, then .6 and .7
    assert ap.coco_101_point(*curve) == pytest.approx((51 * 1 + 25 * 0.75) / 101)


def test_perfect_and_hopeless_rankings():
    for rule in ap.AP_RULES.values():
        assert rule(*ap.precision_recall(np.array([True] * 3), 3)) == 1
        assert rule(*ap.precision_recall(np.array([False] * 3), 3)) == 0
        assert rule(*ap.precision_recall(np.zeros(0, bool), 3)) == 0


def voc07(true, truths):
    """VOC 2007 in plain words: at each of eleven recalls the best precision to the right of it."""
    points = [(sum(true[: k + 1]) / truths, sum(true[: k + 1]) / (k + 1)) for k in range(len(true))]
    return sum(max([p for r, p in points if r >= i / 10], default=0) for i in range(11)) / 11


def voc_area(true, truths):
    """VOC 2010 in plain words: each truth found adds 1/truths of width, as high as the best precision from there on."""
    points = [sum(true[: k + 1]) / (k + 1) for k in range(len(true))]
    return sum(max(points[k:]) for k in range(len(true)) if true[k]) / truths


@given(true=st.lists(st.booleans(), max_size=40), missed=st.integers(0, 10))
def test_vocs_rules_equal_their_plain_reading(true, missed):
    truths = max(1, sum(true) + missed)
    curve = ap.precision_recall(np.array(true, bool), truths)
    assert ap.voc07_11_point(*curve) == pytest.approx(voc07(true, truths))
    assert ap.voc_all_point(*curve) == pytest.approx(voc_area(true, truths))


def test_the_ranking_remembers_where_each_detection_came_from():
    found, there = data_set(5)
    for label in CLASSES:
        for rule in ("COCO", "VOC"):
            ranking = ap.rank(ap.compare(found, there, label), 0.5, rule)
            assert (np.diff(ranking.scores) <= 0).all()
            for k in range(len(ranking)):
                image, detection, truth = ranking.image[k], ranking.detection[k], ranking.truth[k]
                assert found[image].scores[detection] == ranking.scores[k]
                assert found[image].labels[detection] == label
                assert ranking.true[k] == (truth >= 0)
                if truth >= 0:
                    assert there[image].labels[truth] == label and ranking.iou[k] >= 0.5


@given(seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=20)
def test_a_threshold_on_the_score_cuts_the_curve_and_moves_nothing(seed):
    """Why AP needs no score threshold: a higher one only takes points away from the end."""
    found, there = data_set(seed, crowds=False)
    cut = [each.subset(each.scores >= 0.5) for each in found]
    for label in CLASSES:
        whole, part = (ap.rank(ap.compare(each, there, label)) for each in (found, cut))
        assert part.true.tolist() == whole.true[: len(part)].tolist()


def one_class(ious):
    """Detections in a row of one truth, of these overlaps with it and falling scores."""
    boxes = np.array([[0, 0, 100 * iou, 100] for iou in ious], float)
    found = Detections(boxes, np.ones(len(ious), int), np.linspace(0.9, 0.1, len(ious)))
    return [found], [Truths(np.array([[0.0, 0, 100, 100]]), np.array([1]))]


@pytest.mark.parametrize(("iou", "hit"), [(0.5, True), (0.49, False), (0.3, False), (0.7, True)])
def test_a_ranking_asks_for_an_iou_of_one_half_unless_told_otherwise(iou, hit):
    assert ap.rank(ap.compare(*one_class([iou]), 1)).true.tolist() == [hit]


@pytest.mark.parametrize(("place", "recall"), [(0, 1.0), (99, 1.0), (100, 0.0)])
def test_a_hundred_detections_of_a_picture_count_unless_told_otherwise(place, recall):
    ious = [0.01] * 101
    ious[place] = 1.0
    pictures = one_class(ious)
    assert ap.final_recall(ap.rank(ap.compare(*pictures, 1))) == recall
    assert ap.summarise(*pictures, [1]).average_recall == recall


def test_the_area_under_the_envelope_begins_at_recall_zero():
    assert ap.voc_all_point(np.array([1.0, 0.5]), np.array([0.5, 0.5])) == 0.5
    assert ap.voc_all_point(np.array([0.25]), np.array([1.0])) == 0.25


def test_seven_of_twenty_reach_thirty_five_of_cocos_points():
    """The 36th recall point is 0.35000000000000003 and 7/20 is 0.35: a perfect ranking does not reach it."""
    assert ap.COCO_RECALLS[35] > 7 / 20
    curve = ap.precision_recall(np.ones(7, bool), 20)
    assert ap.coco_101_point(*curve) == pytest.approx(35 / 101)
    corners = np.arange(20.0)[:, None] * 50 + np.zeros((20, 2))
    boxes, ones = np.hstack([corners, corners + 40]), np.ones(20, int)
    some = Detections(boxes[:7], ones[:7], np.linspace(0.9, 0.3, 7))
    found, there = [some], [Truths(boxes, ones)]
    assert ap.summarise(found, there, [1]).ap50 == pytest.approx(35 / 101)


@given(true=st.lists(st.booleans(), max_size=8), missed=st.integers(0, 5))
def test_confusion_gives_the_curves_own_precision_and_recall(true, missed):
    """At every threshold the counts give the curve's point, and F1 is their harmonic mean."""
    flags, truths = np.array(true, bool), sum(true) + missed
    for count in range(1, len(true) + 1):
        here = ap.confusion(flags[:count], truths)
        if truths:
            precision, recall = ap.precision_recall(flags, truths)
            assert (here.precision, here.recall) == (precision[count - 1], recall[count - 1])
        if here.true:
            assert here.f1 == pytest.approx(2 / (1 / here.precision + 1 / here.recall))
    nothing = ap.confusion(flags[:0], truths)
    assert np.isnan(nothing.precision) and (nothing.recall == 0 if truths else np.isnan(nothing.recall))
