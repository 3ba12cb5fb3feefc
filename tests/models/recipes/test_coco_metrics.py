"""COCO's figures from the judge: literal values for scenes small enough to count by hand, pycocotools as the oracle."""

import contextlib
import io
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from models.recipes.coco_metrics import Judge
from models.recipes.scene_cache import InstanceRecord
from scenes import JOINTS, THINGS
from scenes.coco import CATEGORIES

PERSON, CAT, DOG = 1, 2, 3
NO_JOINTS = [[0.0, 0.0, 0.0]] * 14


def rectangle(x1, y1, x2, y2) -> np.ndarray:
    mask = np.zeros((224, 224), bool)
    mask[y1:y2, x1:x2] = True
    return mask


def truth(*things) -> tuple[np.ndarray, list[InstanceRecord]]:
    """A panoptic map and its records, from (category, box, share visible[, keypoints])."""
    panoptic, records = np.zeros((224, 224), np.uint8), []
    for number, (category, box, visible, *joints) in enumerate(things, start=1):
        panoptic[rectangle(*box)] = number
        records.append(InstanceRecord(number, category, [float(v) for v in box], visible, *(joints or [NO_JOINTS])))
    return panoptic, records


def found(*detections, masks=None, keypoints=None) -> SimpleNamespace:
    """What a detector says, from (category, box, score)."""
    labels, boxes, scores = zip(*detections) if detections else ((), (), ())
    return SimpleNamespace(
        boxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        labels=torch.tensor(labels, dtype=torch.int64),
        scores=torch.tensor(scores, dtype=torch.float32),
        masks=masks,
        keypoints=keypoints,
    )


def judged(*scenes) -> dict:
    judge = Judge()
    for detection, (panoptic, records) in scenes:
        judge.add(detection, panoptic, records)
    return judge.metrics()


SQUARE = (0, 0, 100, 100)


@pytest.mark.parametrize(
    ("right", "ap", "ap50"),
    # IoU 1, .72, .62 and .5 hold 10, 5, 3 and 1 of the thresholds .5, .55, … .95; .49 holds none
    [(100, 1.0, 1.0), (72, 0.5, 1.0), (62, 0.3, 1.0), (50, 0.1, 1.0), (49, 0.0, 0.0)],
)
def test_ap_is_the_mean_over_ten_thresholds(right, ap, ap50):
    metrics = judged((found((DOG, (0, 0, right, 100), 0.9)), truth((DOG, SQUARE, 1.0))))
    assert (metrics["box_ap"], metrics["box_ap50"], metrics["box_ar"]) == (ap, ap50, ap)
    assert "mask_ap" not in metrics and "keypoint_ap" not in metrics


def test_a_false_detection_in_front_halves_the_precision_and_leaves_the_recall():
    wrong, right = (DOG, (120, 120, 200, 200), 0.9), (DOG, SQUARE, 0.8)
    metrics = judged((found(wrong, right), truth((DOG, SQUARE, 1.0))))
    assert (metrics["box_ap"], metrics["box_ap50"], metrics["box_ar"]) == (0.5, 0.5, 1.0)


def test_a_class_is_found_under_its_own_name_and_one_without_truth_has_no_figure():
    scene = truth((PERSON, (110, 110, 170, 220), 1.0), (DOG, SQUARE, 1.0))
    metrics = judged((found((DOG, SQUARE, 0.9)), scene))
    assert metrics["box_ap"] == 0.5
    per_class = metrics["box_ap_per_class"]
    assert list(per_class) == list(THINGS)
    assert per_class["dog"] == 1 and per_class["person"] == 0
    assert all(math.isnan(per_class[name]) for name in THINGS if name not in ("dog", "person"))


def test_scenes_are_kept_apart():
    one, other = truth((DOG, SQUARE, 1.0)), truth((DOG, (120, 120, 220, 220), 1.0))
    assert judged((found((DOG, SQUARE, 0.9)), one), (found((DOG, (120, 120, 220, 220), 0.9)), other))["box_ap"] == 1
    swapped = judged((found((DOG, (120, 120, 220, 220), 0.9)), one), (found((DOG, SQUARE, 0.9)), other))
    assert (swapped["box_ap"], swapped["box_ar"]) == (0, 0)


def test_nothing_detected_is_zero_and_not_an_error():
    metrics = judged((found(), truth((DOG, SQUARE, 1.0))), (found(), truth((PERSON, SQUARE, 1.0))))
    assert (metrics["box_ap"], metrics["box_ap50"], metrics["box_ar"]) == (0, 0, 0)


@pytest.mark.parametrize(("visible", "recall"), [(0.15, 0.5), (0.1499, 1.0), (0.1, 1.0), (0.01, 1.0), (0.2, 0.5)])
def test_what_is_hidden_to_less_than_15_percent_is_no_miss(visible, recall):
    scene = truth((DOG, SQUARE, 1.0), (DOG, (120, 120, 200, 200), visible))
    assert judged((found((DOG, SQUARE, 0.9)), scene))["box_ar"] == recall


@pytest.mark.parametrize(("visible", "ap50"), [(0.15, 1.0), (0.14, 0.5)])
def test_nor_is_it_a_hit(visible, ap50):
    """Found first, it counts as true where it is asked for; where it is ignored, only the miss of the other is left."""
    hidden = (DOG, (120, 120, 200, 200), visible)
    detections = found((DOG, (120, 120, 200, 200), 0.9), (DOG, (0, 120, 80, 200), 0.8), (DOG, SQUARE, 0.7))
    metrics = judged((detections, truth((DOG, SQUARE, 1.0), hidden)))
    # counted: true, false, true: precision 1 to recall .5 (51 of the 101 points) and 2/3 after; ignored: false, true
    expected = round((51 + 50 * 2 / 3) / 101, 4) if ap50 == 1 else 0.5
    assert metrics["box_ap50"] == expected


@pytest.mark.parametrize(
    ("width", "height", "sizes"),
    [
        (1, 1, {"small"}),
        (4, 4, {"small"}),
        (32, 32, {"small", "medium"}),  # 1024 pixels belong to both, as pycocotools has it
        (41, 25, {"medium"}),  # 1025
        (64, 64, {"medium", "large"}),
        (63, 65, {"medium"}),  # 4095
        (50, 82, {"large"}),  # 4100
        (200, 200, {"large"}),
    ],
)
def test_sizes_are_by_area_in_pixels(width, height, sizes):
    box = (0, 0, width, height)
    per_size = judged((found((CAT, box, 0.9)), truth((CAT, box, 1.0))))["box_ap_per_size"]
    assert list(per_size) == ["small", "medium", "large"]
    assert {name for name, ap in per_size.items() if not math.isnan(ap)} == sizes
    assert all(per_size[name] == 1 for name in sizes)


@pytest.mark.parametrize(("value", "ap"), [(0.5, 1.0), (0.49, 0.0), (1.0, 1.0)])
def test_a_mask_holds_the_pixels_of_one_half_or_more(value, ap):
    masks = torch.from_numpy(rectangle(10, 20, 90, 60)).float()[None] * value
    detection = found((CAT, (10, 20, 90, 60), 0.9), masks=masks)
    assert judged((detection, truth((CAT, (10, 20, 90, 60), 1.0))))["mask_ap"] == ap


def test_masks_are_judged_by_themselves():
    """The box is right, the mask covers 72 of 100 columns."""
    masks = torch.from_numpy(rectangle(0, 0, 72, 100)).float()[None]
    metrics = judged((found((CAT, SQUARE, 0.9), masks=masks), truth((CAT, SQUARE, 1.0))))
    assert (metrics["box_ap"], metrics["mask_ap"]) == (1.0, 0.5)


SPREAD = {
    "foot": 0.089, "knee": 0.087, "hip": 0.107, "shoulder": 0.079, "elbow": 0.072, "hand": 0.062, "neck": 0.079,
    "head_top": 0.079,
}  # fmt: skip


@pytest.mark.parametrize("joint", range(14))
@pytest.mark.parametrize(("likeness", "ap"), [(0.7499, 0.5), (0.7501, 0.6)])
def test_keypoints_are_judged_by_the_spread_of_their_joint(joint, likeness, ap):
    """One joint is visible; it is off by d, so that OKS = exp(-d² / (2·area·(2σ)²)) lies at either side of .75."""
    area, sigma = 100 * 100, SPREAD[JOINTS[joint].removeprefix("left_").removeprefix("right_")]
    off = math.sqrt(-math.log(likeness) * 2 * area * (2 * sigma) ** 2)
    joints = [[7.0, 9.0, 0.0] for _ in range(14)]  # of no weight, wherever they are said to be
    joints[joint] = [50.0, 50.0, 2.0]
    points = torch.zeros(1, 14, 3)
    points[0, joint] = torch.tensor([50.0 + off, 50.0, 1.0])
    detection = found((PERSON, SQUARE, 0.9), keypoints=points)
    assert judged((detection, truth((PERSON, SQUARE, 1.0, joints))))["keypoint_ap"] == ap


def test_a_joint_on_the_edge_of_the_picture_counts():
    joints = [[7.0, 9.0, 0.0] for _ in range(14)]
    joints[3] = [0.0, 0.0, 1.0]
    points = torch.full((1, 14, 3), 99.0)
    detection = found((PERSON, SQUARE, 0.9), keypoints=points)
    assert judged((detection, truth((PERSON, SQUARE, 1.0, joints))))["keypoint_ap"] == 0
    points[0, 3] = torch.tensor([0.0, 0.0, 1.0])
    assert judged((detection, truth((PERSON, SQUARE, 1.0, joints))))["keypoint_ap"] == 1


def test_only_persons_have_keypoints():
    points = torch.zeros(2, 14, 3)
    detection = found((DOG, SQUARE, 0.9), (CAT, SQUARE, 0.9), keypoints=points)
    assert "keypoint_ap" not in judged((detection, truth((DOG, SQUARE, 1.0))))


def test_a_person_none_of_whose_joints_is_seen_is_not_asked_for_joints():
    seen = [[float(10 + i), 30.0, 2.0] for i in range(14)]
    people = truth((PERSON, SQUARE, 1.0, seen), (PERSON, (110, 0, 200, 100), 1.0, [[120.0, 50.0, 0.0]] * 14))
    detection = found((PERSON, SQUARE, 0.9), keypoints=torch.tensor([seen]))
    metrics = judged((detection, people))
    assert (metrics["keypoint_ap"], metrics["box_ar"]) == (1.0, 0.5)


def test_many_random_scenes_equal_pycocotools():
    """COCO's own evaluation of the same boxes, written down apart from the judge."""
    random = np.random.default_rng(0)
    scenes, annotations, results = [], [], []
    for image_id in range(1, 13):
        corners = random.integers(0, 150, (4, 2))
        boxes = np.concatenate([corners, corners + random.integers(8, 74, (4, 2))], axis=1)
        categories = random.integers(1, 9, 4)
        panoptic, records = truth(*((int(c), box.tolist(), 1.0) for c, box in zip(categories, boxes)))
        moved = (boxes + random.normal(0, 4, (4, 4))).astype(np.float32)
        scores = random.random(4).astype(np.float32)
        labels = np.where(random.random(4) < 0.8, categories, 1)
        scenes.append((found(*zip(labels.tolist(), moved.tolist(), scores.tolist())), (panoptic, records)))
        for record, (x1, y1, x2, y2) in zip(records, boxes.tolist()):
            annotations.append({
                "id": len(annotations) + 1, "image_id": image_id, "category_id": record.category, "iscrowd": 0,
                "bbox": [x1, y1, x2 - x1, y2 - y1], "area": int((panoptic == record.id).sum()),
            })  # fmt: skip
        for label, (x1, y1, x2, y2), score in zip(labels.tolist(), moved.tolist(), scores.tolist()):
            box = [x1, y1, x2 - x1, y2 - y1]
            results.append({"image_id": image_id, "category_id": label, "score": score, "bbox": box})
    with contextlib.redirect_stdout(io.StringIO()):
        oracle = COCO()
        images = [{"id": i, "height": 224, "width": 224} for i in range(1, 13)]
        oracle.dataset = {"info": {}, "images": images, "annotations": annotations, "categories": CATEGORIES}
        oracle.createIndex()
        evaluation = COCOeval(oracle, oracle.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    ap, ap50, *_ = evaluation.stats
    metrics = judged(*scenes)
    assert 0 < ap < 1
    assert (metrics["box_ap"], metrics["box_ap50"]) == (round(ap, 4), round(ap50, 4))
    assert metrics["box_ar"] == round(evaluation.stats[8], 4)
