"""The recipe of the mask heads: only the mask head learns, both heads see the same, and COCO judges."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from labs import region_masks
from models.networks.mask_heads import LENT, SIGMOID, SOFTMAX
from models.recipes import coco_metrics, mask_heads
from models.recipes.scene_cache import CachedScenes, InstanceRecord

BOX, LABEL = [60.0, 60.0, 130.0, 140.0], 3  # of the thing in each scene of `features`


@pytest.fixture
def small(monkeypatch, features) -> CachedScenes:
    """Three scenes with one thing each, whose features are noise, and a recipe of three steps."""
    panoptic = np.zeros((3, 224, 224), np.uint8)
    panoptic[:, 60:140, 60:130], panoptic[:, :9, :9] = 1, 2
    scenes = CachedScenes(np.zeros((3, 224, 224, 3), np.uint8), panoptic, panoptic, features.records)
    recipe = replace(mask_heads.Recipe(), steps=3, batch=2, scenes=3, regions=4)
    monkeypatch.setattr(mask_heads, "Recipe", lambda: recipe)
    monkeypatch.setattr(mask_heads, "trunk_features", lambda detector, count: features)
    monkeypatch.setattr(mask_heads, "cached_scenes", lambda seeds: scenes)
    monkeypatch.setattr(mask_heads.training, "CHECKPOINT_EVERY", 1)
    return scenes


@pytest.mark.parametrize("name", mask_heads.NAMES)
def test_a_stopped_training_goes_on_and_only_the_mask_head_learns(small, start, tmp_path, name):
    cpu, seen = torch.device("cpu"), []
    whole, facts = mask_heads.train(name, cpu, tmp_path / "a", lambda step, _, loss: seen.append(loss), start)

    def stop(step: int, _steps: int, _loss: float) -> None:
        if step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mask_heads.train(name, cpu, tmp_path / "b", stop, start)
    resumed, _ = mask_heads.train(name, cpu, tmp_path / "b", lambda *_: None, start)
    for key, value in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[key], value, atol=1e-5, rtol=1e-4)
    for part in LENT:
        theirs, ours = (m.get_submodule(part).state_dict() for m in (start.module, whole))
        assert theirs.keys() == ours.keys() and all(torch.equal(ours[key], theirs[key]) for key in theirs)
    torch.manual_seed(0)
    fresh = mask_heads.build(name).state_dict()["roi_heads.mask_head.0.0.weight"]
    assert not torch.equal(fresh, whole.state_dict()["roi_heads.mask_head.0.0.weight"])
    assert len(seen) == 3 and all(np.isfinite(seen)) and not whole.training
    assert facts["recipe"]["loss"] == mask_heads.LOSSES[name].__name__


def test_the_truth_and_its_mirror_are_those_of_the_things_that_are_seen(small):
    seen = mask_heads.trunk_features(None, 3)
    truth, mirror = (mask_heads.truth(seen, small, 0, mirrored) for mirrored in (False, True))
    assert truth["labels"].tolist() == [LABEL] and truth["boxes"].tolist() == [BOX]
    assert truth["masks"].shape == (1, 224, 224) and float(truth["masks"].sum()) == 80 * 70
    x1, y1, x2, y2 = (int(value) for value in mirror["boxes"][0])
    assert float(mirror["masks"][0, y1:y2, x1:x2].mean()) == 1 and float(mirror["masks"].sum()) == 80 * 70


def test_regions_hold_a_thing_and_get_its_target(start):
    module = mask_heads.build(SIGMOID)
    masks = torch.zeros(2, 224, 224)
    masks[0, 10:60, 10:60], masks[1, 100:200, 100:200] = 1, 1
    target = {"boxes": torch.tensor([[10.0, 10, 60, 60], [100.0, 100, 200, 200]]), "labels": torch.tensor([2, 7]),
              "masks": masks}  # fmt: skip
    proposals = torch.tensor([[10.0, 10, 60, 35], [10.0, 10, 60, 34], [110.0, 100, 210, 200]])  # IoU ½, less, .82
    nothing = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64), "masks": masks[:0]}
    boxes, labels, wanted = mask_heads.regions(module, [proposals, proposals], [target, nothing], most=9)
    kept = {tuple(box) for box in boxes[0].tolist()}
    assert kept == {(10, 10, 60, 60), (100, 100, 200, 200), (10, 10, 60, 35), (110, 100, 210, 200)}
    assert len(boxes[1]) == 0 and len(labels) == len(wanted) == 4
    for box, label, cut in zip(boxes[0], labels, wanted, strict=True):
        owner = [2, 7].index(int(label))
        torch.testing.assert_close(cut, region_masks.targets(masks[owner : owner + 1], box[None])[0])
    few, _, _ = mask_heads.regions(module, [proposals], [target], most=2)
    assert len(few[0]) == 2


def test_both_heads_see_the_same_scenes_in_the_same_order():
    recipe = mask_heads.Recipe()
    assert mask_heads.picks(recipe, 7) == mask_heads.picks(recipe, 7) != mask_heads.picks(recipe, 8)
    assert set(mask_heads.LOSSES) == set(mask_heads.NAMES) == {SIGMOID, SOFTMAX}


def test_masks_are_judged_by_coco_also_after_the_boxes():
    panoptic = np.zeros((224, 224), np.uint8)
    panoptic[60:140, 60:130] = 1
    record = InstanceRecord(1, LABEL, BOX, 1.0, [[0.0] * 3] * 14)
    wide = torch.from_numpy(panoptic == 1).float()
    wide[60:140, 130:200] = 1  # twice as wide: IoU ½

    class Found:
        boxes, labels, scores, keypoints = torch.tensor([BOX]), torch.tensor([LABEL]), torch.tensor([0.9]), None
        masks = torch.from_numpy(panoptic == 1).float()[None]

    for masks, ap, ap50, ap75 in ((Found.masks, 1.0, 1.0, 1.0), (wide[None], 0.1, 1.0, 0.0)):
        judge, found = coco_metrics.Judge(), Found()
        found.masks = masks
        judge.add(found, panoptic, [record])
        assert judge.metrics()["box_ap"] == 1
        said = judge.mask_metrics()
        assert said["mask_ap"] == judge.metrics()["mask_ap"] == pytest.approx(ap)
        assert (said["mask_ap50"], said["mask_ap75"]) == (ap50, ap75)
        assert said["mask_ap_per_size"]["large"] == pytest.approx(ap) and said["mask_ap_per_class"]["dog"] == said[
            "mask_ap"]  # fmt: skip
