"""OKS, AP over it and the share of joints found: literal values, and pycocotools as the oracle."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs import keypoint_similarity as lab
from labs.keypoint_similarity import Judged
from models.recipes.coco_metrics import SIGMAS

ONE = np.array([[[0.0, 0, 2], [10, 0, 1], [5, 5, 0]]])


def test_oks_by_hand():
    """Two joints count: one is hit, one is off by √(2 s² k²), which gives 1/e."""
    off = math.sqrt(2 * 100 * 0.2**2)
    found = ONE + [[0, 0, 0], [off, 0, 0], [99, 99, 0]]
    assert lab.oks(found, ONE, np.array([100.0]), np.full(3, 0.1)) == pytest.approx((1 + math.exp(-1)) / 2)


def test_without_a_joint_that_counts_nothing_is_similar():
    assert lab.oks(ONE, ONE * [1, 1, 0], np.array([100.0]), np.full(3, 0.1)).tolist() == [[0.0]]
    assert lab.oks(ONE[:0], ONE, np.array([100.0]), np.full(3, 0.1)).shape == (0, 1)


@pytest.mark.parametrize(("similarity", "ap"), [(0.5, 1.0), (0.4999, 0.0)])
def test_the_threshold_itself_is_enough(similarity, ap):
    one = Judged(np.array([0.9]), np.array([[similarity]]), np.array([False]))
    assert lab.average_precision([one], 0.5) == pytest.approx(ap)
    assert lab.partners(one).tolist() == [0 if ap else -1]


def test_an_ignored_person_is_neither_hit_nor_miss():
    pictures = [Judged(np.array([0.9, 0.8]), np.array([[0.9], [0.8]]), np.array([True]))]
    assert math.isnan(lab.average_precision(pictures, 0.5))
    pictures.append(Judged(np.array([0.1]), np.array([[0.9]]), np.array([False])))
    assert lab.average_precision(pictures, 0.5) == pytest.approx(1.0)


def test_nobody_found_scores_nothing():
    nobody = Judged(np.zeros(0), np.zeros((0, 2)), np.array([False, False]))
    assert lab.mean_average_precision([nobody]) == 0


@pytest.mark.parametrize(("reach", "near"), [(5.0, True), (4.99, False)])
def test_a_joint_is_found_within_reach(reach, near):
    found = ONE + [[3, 4, 0], [0, 0, 0], [0, 0, 0]]
    assert lab.joints_found(found, ONE, np.array([0]), np.array([reach])).tolist() == [[near, True, False]]
    assert not lab.joints_found(found, ONE, np.array([-1]), np.array([reach])).any()


@given(seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=25)
def test_ap_is_that_of_pycocotools(seed):
    import contextlib
    import io

    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    rng = np.random.default_rng(seed)
    images, annotations, results, pictures = [], [], [], []
    for image in range(1, 4):
        images.append({"id": image, "height": 200, "width": 200})
        g, n = int(rng.integers(1, 4)), int(rng.integers(0, 5))
        truth = np.dstack([rng.uniform(0, 200, (g, 14, 2)), rng.integers(0, 3, (g, 14))])
        truth[:, 0, 2] = 2
        areas, ignored = rng.uniform(500, 4000, g), rng.random(g) < 0.2
        found = truth[rng.integers(0, g, n)] + np.dstack([rng.normal(0, 5, (n, 14, 2)), np.zeros((n, 14))])
        scores = np.sort(rng.permutation(1000)[:n] / 1000)[::-1].copy()
        pictures.append(Judged(scores, lab.oks(found, truth, areas, SIGMAS), ignored))
        base = {"image_id": image, "category_id": 1}
        for joints, area, skip in zip(truth, areas, ignored, strict=True):
            joints = np.where(joints[:, 2:] > 0, joints, 0)
            annotations.append(
                base
                | {"id": len(annotations) + 1, "bbox": [0, 0, 9, 9], "area": float(area), "iscrowd": int(skip),
                   "keypoints": joints.ravel().tolist(), "num_keypoints": int((joints[:, 2] > 0).sum())}
            )  # fmt: skip
        for joints, score in zip(found, scores, strict=True):
            results.append(base | {"score": float(score), "keypoints": joints.ravel().tolist()})
    if not results or all(each.ignored.all() for each in pictures):
        return
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {"info": {}, "images": images, "annotations": annotations, "categories": [{"id": 1}]}
        coco.createIndex()
        theirs = COCOeval(coco, coco.loadRes(results), "keypoints")
        theirs.params.kpt_oks_sigmas = SIGMAS
        theirs.evaluate()
        theirs.accumulate()
    precision = theirs.eval["precision"][:, :, 0, 0, 0]
    mine = [lab.average_precision(pictures, threshold) for threshold in lab.THRESHOLDS]
    assert mine == pytest.approx(precision.mean(1).tolist(), abs=1e-9)
