"""The recipe of pose-fields: crops that carry their joints along, and figures of a network that says the truth."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from labs import part_affinity_fields as lab
from models import catalog
from models.networks.pose_fields import LIMBS, STRIDE
from models.recipes import pose_fields as recipe_module
from models.recipes import training
from models.recipes.pose_fields import CROWD, Recipe, batch_at, cropped, joints_of, mirrored, truth_of
from models.recipes.scene_cache import InstanceRecord, cached_scenes

SMALL = replace(Recipe(), crowds=3, scenes=3, steps=2, batch=2, others=1)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Three real crowds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECEPTIVE_CACHE", str(tmp_path_factory.mktemp("cache")))
        return cached_scenes(range(50, 53), workers=1, knobs=CROWD)


@pytest.fixture
def small(monkeypatch, data):
    """The recipe, two steps long, with a checkpoint after every step."""
    monkeypatch.setattr(recipe_module, "Recipe", lambda: SMALL)
    monkeypatch.setattr(recipe_module, "cached_scenes", lambda *_, **__: data)
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 1)


def test_a_stopped_training_goes_on_after_its_checkpoint(small, tmp_path):
    seen = []

    def stop(step, steps, loss):
        seen.append((step, steps))
        if step == 2:
            raise KeyboardInterrupt

    device, start = torch.device("cpu"), catalog.load(recipe_module.STARTS_FROM)
    with pytest.raises(KeyboardInterrupt):
        recipe_module.train("pose-fields", device, tmp_path / "net", stop, start)
    module, facts = recipe_module.train(
        "pose-fields", device, tmp_path / "net", lambda *now: seen.append(now[:2]), start
    )
    assert seen == [(1, 2), (2, 2), (2, 2)]
    assert not module.training and facts["recipe"]["steps"] == 2
    assert all(torch.isfinite(value).all() for value in module.state_dict().values())


def test_a_batch_is_a_function_of_the_step(data):
    first, again, other = (batch_at(data, data, SMALL, step) for step in (3, 3, 4))
    assert all(map(torch.equal, first, again)) and not torch.equal(first[0], other[0])
    assert first[0].shape == (2, 3, 144, 144) and first[1].shape == (2, 14, 36, 36)
    assert first[2].shape == (2, 13, 2, 36, 36)


def marked() -> tuple[np.ndarray, np.ndarray]:
    """A white dot of 4 × 4 pixels around (102, 62) on black, and a joint there."""
    image = np.zeros((224, 224, 3), np.uint8)
    image[60:64, 100:104] = 255
    joints = np.zeros((1, 14, 3), np.float32)
    joints[0, 0] = 102, 62, 2
    return image, joints


def centre(image: np.ndarray) -> tuple[float, float]:
    """Of what is white."""
    weights = image[..., 0].astype(float) * (image[..., 0] > 130)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]] + 0.5
    return float((weights * x).sum() / weights.sum()), float((weights * y).sum() / weights.sum())


@pytest.mark.parametrize("zoom", [0.8, 1.0, 1.5])
@pytest.mark.parametrize("place", [(0.3, 0.1), (0.6, 0.2)])
def test_a_crop_carries_the_joint_with_its_pixels(zoom, place):
    image, joints = marked()
    image, moved = cropped(image, joints, 144, zoom, np.array(place))
    assert image.shape == (144, 144, 3)
    assert moved[0, 0, :2].tolist() == pytest.approx(centre(image), abs=0.2) and moved[0, 0, 2] == 2


def test_a_mirror_makes_a_left_foot_a_right_one():
    image, joints = mirrored(*marked())
    assert joints[0, 1].tolist() == [122, 62, 2] and not joints[0, 0, 2]
    assert centre(image) == pytest.approx((122, 62))


@pytest.mark.parametrize(("visible", "category", "kept"), [(0.15, 1, 1), (0.1499, 1, 0), (1.0, 2, 0)])
def test_persons_are_asked_for_from_15_percent_on(visible, category, kept):
    record = InstanceRecord(10, category, [0.0, 0, 9, 9], visible, np.ones((14, 3)).tolist())
    assert joints_of([record], Recipe().smallest_visible).shape == (kept, 14, 3)


def test_an_ignored_person_and_one_without_joints():
    panoptic = np.zeros((224, 224), np.uint8)
    panoptic[:10, :10] = 10
    rows = [(0.1, 2.0), (0.15, 2.0), (1.0, 0.0)]
    records = [InstanceRecord(10, 1, [0.0, 2, 9, 32], v, np.full((14, 3), s).tolist()) for v, s in rows]
    truth = truth_of(records, panoptic)
    assert truth.ignored.tolist() == [True, False, True]
    assert truth.areas.tolist() == [100] * 3 and truth.heights.tolist() == [30] * 3
    assert truth_of([], panoptic).joints.shape == (0, 14, 3)


def test_the_loss_asks_more_of_what_is_there():
    """One joint missed in 4 cells, nothing else: (1 - 0)² · (1 + 12) / (14 · 4), times 100."""
    maps, fields = torch.zeros(1, 14, 2, 2), torch.zeros(1, 13, 2, 2, 2)
    true_maps = maps.clone()
    true_maps[0, 0, 0, 0] = 1
    missed = recipe_module.loss(maps, fields, true_maps, fields, Recipe())
    assert float(missed) == pytest.approx(100 * 13 / 56)
    assert float(recipe_module.loss(true_maps, fields, maps, fields, Recipe())) == pytest.approx(100 / 56)
    true_fields = fields.clone()
    true_fields[0, 0, :, 0, 0] = torch.tensor([0.6, 0.8])
    assert float(recipe_module.loss(maps, fields, maps, true_fields, Recipe())) == pytest.approx(100 * 5 / 104)


def test_the_figures_of_a_network_that_says_the_truth(small, data):
    """The first crowd as it is, the second without its best person, the third not at all."""
    asked = []

    def network(_image):
        truth = truth_of(data.records[len(asked)], np.asarray(data.panoptic[len(asked)]))
        missing = (0, 1, len(truth.joints))[len(asked)]
        asked.append(len(truth.joints) - missing)
        joints = torch.from_numpy(truth.joints[missing:])
        scores = torch.linspace(0.9, 0.5, len(joints))
        return SimpleNamespace(keypoints=joints, scores=scores, seconds=0.012, assembly_seconds=0.003)

    seen = []
    metrics = recipe_module.evaluate(network, lambda *now: seen.append(now), count=3)
    assert seen == [(1, 3), (2, 3), (3, 3)]
    total = sum(len(records) for records in data.records)
    assert metrics["persons"] == total and metrics["persons_found"] == pytest.approx(sum(asked) / total, abs=1e-4)
    assert metrics["keypoint_ap"] == metrics["keypoint_ap50"] == pytest.approx(sum(asked) / total, abs=0.02)
    assert 0 < metrics["pck"] < 1
    assert (metrics["forward_ms_p50"], metrics["assembly_ms_p50"], metrics["scenes"]) == (12.0, 3.0, 3)


def test_true_maps_and_fields_come_back_as_persons(data):
    """What the network is taught is enough to find nearly everybody."""
    joints = torch.from_numpy(joints_of(data.records[0], 0.15))
    maps = lab.joint_maps(joints, (56, 56), STRIDE, Recipe().sigma)
    fields = lab.part_affinity_fields(joints, LIMBS, (56, 56), STRIDE, Recipe().half_width)
    assert len(lab.assemble(maps, fields, LIMBS, STRIDE).persons) >= len(joints) - 1
