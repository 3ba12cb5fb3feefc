"""How the RetinaNets learn: torchvision's losses on kept features, what is shared, what differs, and the card."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from labs import focal_loss
from models import catalog
from models.networks.retinanet import OBJECTIVES, PYRAMID
from models.recipes import held_out_boxes, retinanet, retinanet_compared, retinanet_steps, training
from models.recipes.retinanet import Recipe, batch, box_loss, class_loss
from models.recipes.scene_cache import CachedScenes, InstanceRecord, cached_scenes
from models.recipes.trunk_features import TrunkFeatures

SMALL = Recipe(scenes=3, steps=2, batch=2, box_steps=1, box_batch=2)
SIDES = {"P3": 28, "P4": 14, "P5": 7}


@pytest.fixture(scope="module")
def features() -> TrunkFeatures:
    """Three scenes of noise with one thing each, the second of them hardly seen."""
    random = np.random.default_rng(0)
    levels = {name: random.normal(0, 1, (2, 3, 64, side, side)).astype(np.float16) for name, side in SIDES.items()}
    records = [[InstanceRecord(1, 4, [20.0 + 30 * i, 40, 60 + 30 * i, 100], 0.1 if i == 1 else 1.0, [])]
               for i in range(3)]  # fmt: skip
    return TrunkFeatures(levels, records)


@pytest.fixture
def small(monkeypatch, features):
    monkeypatch.setattr(retinanet, "Recipe", lambda: SMALL)
    monkeypatch.setattr(retinanet_compared, "Recipe", lambda: SMALL)
    for module in (retinanet, retinanet_compared):
        monkeypatch.setattr(module, "seen_by", lambda _network, _recipe: features)
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 1)


def start(name: str = "retinanet") -> SimpleNamespace:
    torch.manual_seed(5)
    return SimpleNamespace(
        name=name, module=retinanet.build("retinanet"), device="cpu", card={"trunk": {"sha256": "x"}}
    )


def test_a_batch_is_a_function_of_the_step_and_mirrors_turn_the_boxes(features):
    cpu = torch.device("cpu")
    first, again, other = (batch(features, SMALL, step, 2, cpu) for step in (3, 3, 4))
    assert [tuple(level.shape) for level in first[0]] == [(2, 64, side, side) for side in SIDES.values()]
    assert all(map(torch.equal, first[0], again[0])) and not torch.equal(first[0][0], other[0][0])
    seen = set()
    for step in range(40):
        levels, targets = batch(features, SMALL, step, 2, cpu)
        for index, target in enumerate(targets):
            for m in (0, 1):
                for scene in range(3):
                    if torch.equal(levels[0][index], torch.from_numpy(features.levels["P3"][m, scene]).float()):
                        seen.add((scene, m))
                        left = 20 + 30 * scene
                        box = [[left, 40, left + 40, 100]] if m == 0 else [[184 - left, 40, 224 - left, 100]]
                        assert target["boxes"].tolist() == ([] if scene == 1 else box)
    assert len(seen) == 6


@pytest.mark.parametrize("name", list(OBJECTIVES))
def test_the_losses_are_torchvisions_own(features, name):
    torch.manual_seed(1)
    module = retinanet.build(name)
    levels, targets = batch(features, SMALL, 0, 3, torch.device("cpu"))
    said = module.head(levels)
    pictures = SimpleNamespace(tensors=torch.zeros(3, 3, 224, 224), image_sizes=[(224, 224)] * 3)
    torch.manual_seed(7)
    theirs = module.compute_loss(targets, said, module.anchor_generator(pictures, levels))
    torch.manual_seed(7)
    torch.testing.assert_close(class_loss(module, levels, targets), theirs["classification"])
    torch.testing.assert_close(box_loss(module, levels, targets), theirs["bbox_regression"])


def test_a_stopped_training_goes_on_after_its_checkpoint(small, tmp_path):
    seen = []

    def stop(step, steps, loss):
        seen.append((step, steps))
        if step == 2:
            raise KeyboardInterrupt

    arguments = ("retinanet", torch.device("cpu"), tmp_path)
    with pytest.raises(KeyboardInterrupt):
        retinanet.train(*arguments, stop, start())
    module, facts = retinanet.train(*arguments, lambda *now: seen.append(now[:2]), start())
    assert seen == [(1, 3), (2, 3), (2, 3), (3, 3)] and not module.training
    assert facts["recipe"]["objective"] == {"gamma": 2.0, "alpha": 0.25, "negatives": None}
    torch.testing.assert_close(module.backbone.state_dict(), start().module.backbone.state_dict())
    assert all(torch.isfinite(value).all() for value in module.state_dict().values())


def test_the_others_take_over_trunk_and_box_head_and_begin_as_it_began(small, tmp_path):
    given, firsts = start(), []
    for name in retinanet_compared.NAMES:
        module, facts = retinanet_compared.train(name, torch.device("cpu"), tmp_path / name, lambda *_: None, given)
        torch.testing.assert_close(module.backbone.state_dict(), given.module.backbone.state_dict())
        torch.testing.assert_close(module.head.regression_head.state_dict(),
                                   given.module.head.regression_head.state_dict())  # fmt: skip
        assert facts["box_head_of"] == "retinanet" and facts["recipe"]["objective"]["gamma"] == 0
        torch.manual_seed(SMALL.seed)
        firsts.append(retinanet.build(name).head.classification_head.state_dict())
    torch.manual_seed(SMALL.seed)
    torch.testing.assert_close(firsts[0], retinanet.build("retinanet").head.classification_head.state_dict())
    torch.testing.assert_close(firsts[0], firsts[1])


def test_what_lends_its_trunk_is_the_detector_whole():
    lender = retinanet_compared.lender_of(start())
    levels = lender.module.backbone(torch.zeros(1, 3, 64, 64))
    assert list(levels)[1:4] == list(PYRAMID) and lender.card["sha256"] == "x" and lender.device == "cpu"


def test_evaluate_gives_the_figures_of_the_card(monkeypatch, tmp_path):
    monkeypatch.setenv("RECEPTIVE_CACHE", str(tmp_path))
    data: CachedScenes = cached_scenes(range(50, 52), workers=1)
    monkeypatch.setattr(held_out_boxes, "cached_scenes", lambda _seeds: data)
    torch.manual_seed(0)
    model = retinanet.wrap("retinanet", retinanet.build("retinanet").eval(), torch.device("cpu"), {})
    seen = []
    metrics = retinanet.evaluate(model, lambda *now: seen.append(now), count=2)
    assert seen == [(1, 2), (2, 2)]
    assert {"box_ap", "box_ap50", "forward_ms_p50", "box_ap_per_class", "box_ap_per_size"} <= set(metrics)


def test_the_first_steps_differ_in_the_bias_alone(features):
    truth = focal_loss.wanted(torch.tensor([0, *[-1] * 6173]), torch.tensor([2]), 8)
    levels = [torch.from_numpy(features.levels[name][0, :1].copy()).float() for name in PYRAMID]
    seen = retinanet_steps.Looked([levels] * 2, [torch.ones(6174, dtype=torch.bool)] * 2, [truth] * 2)
    settings = retinanet_steps.Settings(gamma=0.0, alpha=0.25, steps=2, batch=1)
    first, second = retinanet_steps.learn(settings, seen)
    assert first.step == 1 and second.step == 2 and list(first.losses) == list(retinanet_steps.PRIORS)
    prior, half = first.losses.values()
    expected = 0.75 * (6174 * 8 - 1) * np.log([1 / 0.99, 2]) + 0.25 * np.log([100, 2])
    assert [prior[0], half[0]] == pytest.approx(expected.tolist(), rel=0.08)
    assert [said[0][1] for said in first.said.values()] == pytest.approx([0.01, 0.5], rel=0.1)
    (again, _) = retinanet_steps.learn(settings, seen)
    assert again.losses == first.losses


def test_the_first_steps_look_at_training_scenes_as_training_does(monkeypatch):
    monkeypatch.setattr(retinanet_steps, "SCENES", 1)
    torch.manual_seed(0)
    model = retinanet.wrap("retinanet", retinanet.build("retinanet").eval(), torch.device("cpu"), {})
    seen = retinanet_steps.looked(model)
    assert [tuple(level.shape) for level in seen.levels[0]] == [(1, 64, side, side) for side in SIDES.values()]
    assert seen.right[0].shape == (6174, 8) and seen.right[0].any() and seen.asked[0].sum() > 5000
    assert not seen.right[0][~seen.asked[0]].any()


@pytest.mark.skipif(not set(OBJECTIVES) <= set(catalog.shipped()), reason="they have no weights yet")
def test_the_cards_differ_in_the_objective_alone():
    recipes = [catalog.card(name)["recipe"] for name in OBJECTIVES]
    assert [each.pop("objective")["gamma"] for each in recipes] == [2.0, 0.0, 0.0]
    assert recipes[0] == recipes[1] == recipes[2]
    heads = [catalog.load(name).module.head.regression_head.state_dict() for name in OBJECTIVES]
    torch.testing.assert_close(heads[0], heads[1])
    torch.testing.assert_close(heads[0], heads[2])
