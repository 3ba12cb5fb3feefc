import numpy as np
import pytest
import torch

from models.networks import ssd
from models.networks.detector import LEVELS, LoadedDetector, build_detector
from models.recipes import held_out_boxes, training
from models.recipes import ssd as ssd_recipe
from models.recipes.scene_cache import InstanceRecord, cached_scenes
from models.recipes.ssd import Recipe, batch_loss, picks_at
from models.recipes.trunk_features import TrunkFeatures

SMALL = Recipe(scenes=4, steps=2, batch=2)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Four real scenes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECEPTIVE_CACHE", str(tmp_path_factory.mktemp("cache")))
        return cached_scenes(range(50, 54), workers=1)


@pytest.fixture(scope="module")
def start():
    torch.manual_seed(0)
    return LoadedDetector("detector", build_detector().eval(), torch.device("cpu"), {})


@pytest.fixture
def small(monkeypatch, data, start):
    """The recipe, two steps long, on features of noise, with a checkpoint after every step."""
    random = np.random.default_rng(0)
    levels = {
        name: random.normal(size=(2, 4, 64, side, side)).astype(np.float16)
        for name, side in zip(LEVELS[:4], (56, 28, 14, 7), strict=True)
    }
    features = TrunkFeatures(levels, data.records)
    monkeypatch.setattr(ssd_recipe, "Recipe", lambda: SMALL)
    monkeypatch.setattr(ssd_recipe, "trunk_features", lambda _detector, _count: features)
    monkeypatch.setattr(held_out_boxes, "cached_scenes", lambda _seeds: data)
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 1)
    return features


def test_a_stopped_training_goes_on_after_its_checkpoint_and_leaves_the_trunk(small, start, tmp_path):
    seen = []

    def stop(step, steps, loss):
        seen.append((step, steps))
        if step == 2:
            raise KeyboardInterrupt

    device = torch.device("cpu")
    with pytest.raises(KeyboardInterrupt):
        ssd_recipe.train("ssd", device, tmp_path / "net", stop, start)
    module, facts = ssd_recipe.train("ssd", device, tmp_path / "net", lambda *now: seen.append(now[:2]), start)
    assert seen == [(1, 2), (2, 2), (2, 2)]
    assert not module.training and facts["recipe"]["steps"] == 2
    theirs = start.module.backbone.state_dict()
    mine = module.backbone.trunk.state_dict()
    assert all(torch.equal(mine[name], theirs[name]) for name in theirs)
    torch.manual_seed(SMALL.seed)
    fresh = ssd_recipe.build("ssd")
    assert not torch.equal(fresh.backbone.finer.weight, module.backbone.finer.weight)


def test_evaluate_gives_the_figures_of_the_card(small):
    torch.manual_seed(0)
    model = ssd_recipe.wrap("ssd", ssd_recipe.build("ssd").eval(), torch.device("cpu"), {})
    seen = []
    metrics = ssd_recipe.evaluate(model, lambda *now: seen.append(now), count=2)
    assert seen == [(1, 2), (2, 2)]
    assert {"box_ap", "box_ap50", "forward_ms_p50", "box_ap_per_class", "box_ap_per_size"} <= set(metrics)
    assert metrics["box_ap50"] < 0.5 and metrics["forward_ms_p50"] > 0  # untrained


def test_a_step_is_a_function_of_its_number():
    recipe = Recipe(scenes=100, batch=8)
    assert picks_at(recipe, 3) == picks_at(recipe, 3) != picks_at(recipe, 4)
    scenes, mirrored = picks_at(recipe, 3)
    assert len(set(scenes)) == len(mirrored) == 8 and max(scenes) < 100


def test_a_batch_pays_over_all_its_positives(small):
    """As torchvision: the sum over the pictures divided once, not the mean of the pictures."""
    random = torch.Generator().manual_seed(0)
    defaults = ssd.defaults_of().boxes
    logits = torch.randn(2, len(defaults), 9, generator=random)
    transforms = torch.randn(2, len(defaults), 4, generator=random)
    each, positives = [], []
    for row, scene in enumerate((0, 1)):
        truth = small.truth(scene, row == 1)
        loss = ssd.losses_of(logits[row], transforms[row], defaults, truth["boxes"], truth["labels"])
        each.append(loss.counted.sum())
        positives.append(int(loss.positive.sum()))
    assert positives[0] != positives[1]
    found = batch_loss(logits, transforms, defaults, small, [0, 1], [False, True], 3.0)
    torch.testing.assert_close(found, sum(each) / sum(positives))


def test_a_batch_without_things_costs_nothing():
    nothing = TrunkFeatures({}, [[InstanceRecord(1, 1, [0.0, 0.0, 9.0, 9.0], 0.1, [[0.0] * 3] * 14)]])
    defaults = ssd.defaults_of().boxes
    found = batch_loss(
        torch.zeros(1, len(defaults), 9), torch.zeros(1, len(defaults), 4), defaults, nothing, [0], [False], 3.0
    )
    assert float(found) == 0
