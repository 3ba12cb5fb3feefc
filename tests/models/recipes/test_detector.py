from types import SimpleNamespace

import numpy as np
import pytest
import torch

from models import catalog
from models.recipes import detector as detector_recipe
from models.recipes import training
from models.recipes.scene_cache import CachedScenes, InstanceRecord, cached_scenes

SMALL = detector_recipe.Recipe(scenes=4, cycles=((2, 1e-3), (2, 1e-3)), batch=2)


@pytest.fixture
def small(monkeypatch, tmp_path):
    """The recipe, two steps long, on four real scenes, with a checkpoint after every step."""
    monkeypatch.setenv("RECEPTIVE_CACHE", str(tmp_path / "cache"))
    data = cached_scenes(range(50, 54), workers=1)
    monkeypatch.setattr(detector_recipe, "Recipe", lambda: SMALL)
    monkeypatch.setattr(detector_recipe, "cached_scenes", lambda _seeds: data)
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 1)


def test_a_stopped_training_goes_on_after_its_checkpoint(small, tmp_path):
    seen = []

    def stop(step, steps, loss):
        seen.append((step, steps))
        if step == 3:
            raise KeyboardInterrupt

    device, start = torch.device("cpu"), catalog.load(detector_recipe.STARTS_FROM)
    with pytest.raises(KeyboardInterrupt):
        detector_recipe.train("detector", device, tmp_path / "net", stop, start)
    module, facts = detector_recipe.train(
        "detector", device, tmp_path / "net", lambda *now: seen.append(now[:2]), start
    )
    assert seen == [(1, 4), (2, 4), (3, 4), (3, 4), (4, 4)]
    assert not module.training and facts["recipe"]["cycles"] == ((2, 1e-3), (2, 1e-3))
    assert all(torch.isfinite(value).all() for value in module.state_dict().values())


def rectangle(x1, y1, x2, y2) -> torch.Tensor:
    mask = torch.zeros(224, 224)
    mask[y1:y2, x1:x2] = 1
    return mask


DOG, CAT = (10, 10, 60, 60), (100, 100, 180, 180)


def test_the_figures_of_a_network_that_finds_half(monkeypatch):
    """The dog is found in both scenes, the cat in none; the time is that of the box head alone, in milliseconds."""
    panoptic = np.zeros((2, 224, 224), np.uint8)
    panoptic[:, 10:60, 10:60], panoptic[:, 100:180, 100:180] = 1, 2
    joints = np.zeros((14, 3)).tolist()
    records = [InstanceRecord(1, 3, list(map(float, DOG)), 1.0, joints), InstanceRecord(2, 2, [*CAT], 1.0, joints)]
    data = CachedScenes(np.zeros((2, 224, 224, 3), np.uint8), panoptic, panoptic, [records, records])
    asked, seconds = [], iter([0.1, 1.23456, 0.1, 1.2347])

    def model(image, masks=True, keypoints=True):
        asked.append((masks, keypoints))
        return SimpleNamespace(
            boxes=torch.tensor([DOG]).float(), labels=torch.tensor([3]), scores=torch.tensor([0.5]),
            masks=rectangle(*DOG)[None], keypoints=None, seconds=next(seconds),
        )  # fmt: skip

    monkeypatch.setattr(detector_recipe, "cached_scenes", lambda seeds: data)
    told = []
    metrics = detector_recipe.evaluate(model, lambda *now: told.append(now), count=2)
    assert (metrics["box_ap"], metrics["box_ap50"], metrics["mask_ap"]) == (0.5, 0.5, 0.5)
    assert metrics["forward_ms_p50"] == 1234.6 and metrics["scenes"] == 2 and told == [(1, 2), (2, 2)]
    assert asked == [(True, True), (False, False)] * 2


def test_the_scenes_of_a_card_are_500_that_no_network_has_seen(monkeypatch):
    asked = []

    def stop(seeds):
        asked.append(seeds)
        raise KeyboardInterrupt

    monkeypatch.setattr(detector_recipe, "cached_scenes", stop)
    with pytest.raises(KeyboardInterrupt):
        detector_recipe.evaluate(None, lambda *_: None)
    assert asked == [range(10_000_000, 10_000_500)]


def test_a_target_and_its_mirror_by_hand():
    panoptic = np.zeros((4, 6), np.uint8)
    panoptic[1:3, 0:2] = 5
    joints = [[float(i), 1.0, 2.0] for i in range(14)]
    target = detector_recipe.target_of([InstanceRecord(5, 1, [0.0, 1.0, 2.0, 3.0], 1.0, joints)], panoptic)
    assert target["boxes"].tolist() == [[0, 1, 2, 3]] and target["labels"].tolist() == [1]
    assert target["masks"].tolist() == [(panoptic == 5).astype(int).tolist()]
    assert target["keypoints"].tolist() == [joints]
    there = detector_recipe.mirrored(target, 6)
    assert there["boxes"].tolist() == [[4, 1, 6, 3]]
    assert there["masks"][0, :, 4:].tolist() == target["masks"][0, :, :2].tolist() and there["masks"].sum() == 4
    # the left foot of the mirror is where the right one was: 6 - 1, and so on; neck and head top stay themselves
    assert there["keypoints"][0, :, 0].tolist() == [5, 6, 3, 4, 1, 2, -1, 0, -3, -2, -5, -4, -6, -7]
    assert there["keypoints"][0, :, 1:].unique().tolist() == [1, 2]
    empty = detector_recipe.target_of([], panoptic)
    assert empty["boxes"].shape == (0, 4) and empty["masks"].shape == (0, 4, 6)
    assert empty["keypoints"].shape == (0, 14, 3) and detector_recipe.mirrored(empty, 6)["boxes"].shape == (0, 4)
