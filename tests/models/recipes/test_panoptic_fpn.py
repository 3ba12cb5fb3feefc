"""Panoptic FPN's recipe: trunk and heads stay the detector's, a stopped training goes on, and the figures are PQ."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from models.networks.detector import LoadedDetector, build_detector
from models.networks.encoder import normalised
from models.recipes import panoptic_fpn as recipe_module
from models.recipes.panoptic_fpn import OTHER, Recipe, batch, evaluate, fine_features, picks, train
from models.recipes.scene_cache import CachedScenes
from models.recipes.trunk_features import KEPT, TrunkFeatures
from scenes import CLASSES, Knobs, render, sample

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def views() -> list:
    return [render(sample(seed, Knobs(objects=3))) for seed in (1, 2, 3)]


@pytest.fixture(scope="module")
def data(views) -> CachedScenes:
    stacked = [np.stack([getattr(view, name) for view in views]) for name in ("image", "semantic", "panoptic")]
    return CachedScenes(*(each.astype(np.uint8) for each in stacked), [[]] * len(views))


@pytest.fixture
def small(monkeypatch, data) -> TrunkFeatures:
    """Three scenes whose pyramid is noise, and a recipe of four steps."""
    rng = np.random.default_rng(0)
    sides = {name: 56 // 2**i for i, name in enumerate(KEPT)}
    levels = {name: rng.normal(size=(2, 3, 64, side, side)).astype(np.float16) for name, side in sides.items()}
    features, recipe = TrunkFeatures(levels, [[]] * 3), replace(Recipe(), steps=4, batch=2, scenes=3)
    monkeypatch.setattr(recipe_module, "Recipe", lambda: recipe)
    monkeypatch.setattr(recipe_module, "trunk_features", lambda detector, count: features)
    monkeypatch.setattr(recipe_module, "cached_scenes", lambda seeds: data)
    monkeypatch.setattr(recipe_module.training, "CHECKPOINT_EVERY", 2)
    return features


@pytest.fixture(scope="module")
def start() -> LoadedDetector:
    torch.manual_seed(1)
    return LoadedDetector("detector", build_detector().eval().requires_grad_(False), CPU, {})


def test_a_stopped_training_goes_on_and_the_detector_stays(small, start, tmp_path):
    losses = []
    whole, facts = train("panoptic-fpn", CPU, tmp_path / "a", lambda step, steps, loss: losses.append(loss), start)

    def stop(step: int, _steps: int, _loss: float) -> None:
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train("panoptic-fpn", CPU, tmp_path / "b", stop, start)
    resumed, _ = train("panoptic-fpn", CPU, tmp_path / "b", lambda *_: None, start)
    for key, value in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[key], value, atol=1e-5, rtol=1e-4)
    theirs, ours = start.module.state_dict(), whole.detector.state_dict()
    assert theirs.keys() == ours.keys() and all(torch.equal(ours[key], theirs[key]) for key in theirs)
    assert len(losses) == 4 and all(np.isfinite(losses)) and not whole.training
    torch.manual_seed(0)
    fresh = recipe_module.build("panoptic-fpn").stuff.state_dict()
    assert not any(torch.equal(fresh[key], value) for key, value in whole.stuff.state_dict().items())
    assert facts["recipe"]["trunk"] == "detector" and facts["recipe"]["steps"] == 4


def test_a_mirrored_scene_has_mirrored_features_and_labels_and_things_are_other(small, start, data):
    trunk = start.module.backbone
    levels, finer, labels = batch(small, data, trunk, [2, 2], [False, True], CPU)
    assert torch.equal(labels[0], labels[1].flip(-1)) and labels.dtype == torch.int64
    np.testing.assert_array_equal(labels[0], np.where(data.semantic[2] < 5, data.semantic[2], OTHER))
    assert int(labels.max()) == OTHER == 5, "the scene has things"
    for level, name in zip(levels, KEPT, strict=True):
        np.testing.assert_array_equal(level, small.levels[name][:, 2].astype(np.float32))
    images = torch.from_numpy(data.images[2].copy()).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        for each, plain, mirrored, skip in zip(
            finer, fine_features(trunk, images), fine_features(trunk, images.flip(-1)),
            trunk.encoder(normalised(images))[1][1::-1], strict=True,
        ):  # fmt: skip
            torch.testing.assert_close(each[0], plain[0], atol=1e-4, rtol=1e-4)
            torch.testing.assert_close(each[1], mirrored[0], atol=1e-4, rtol=1e-4)
            # what the encoder itself hands to the decoder of a segmenter
            torch.testing.assert_close(plain, skip, atol=1e-4, rtol=1e-4)


def test_picks_follow_the_step_alone():
    recipe = Recipe()
    assert picks(recipe, 7) == picks(recipe, 7) != picks(recipe, 8)
    scenes, mirrored = picks(recipe, 0)
    assert len(set(scenes)) == len(mirrored) == recipe.batch and max(scenes) < recipe.scenes


class Perfect:
    """Says the truth of every scene."""

    def __init__(self, views):
        self.views = views

    def __call__(self, image):
        view = next(view for view in self.views if np.array_equal(view.image, image))
        things, semantic = view.instances, np.minimum(view.semantic, OTHER)
        return SimpleNamespace(
            masks=torch.from_numpy(np.array([thing.mask for thing in things], np.float32)),
            labels=torch.tensor([CLASSES.index(thing.label) - 4 for thing in things]),
            scores=torch.ones(len(things)), semantic=semantic, seconds=0.25,
        )  # fmt: skip


def test_whoever_says_the_truth_gets_one_and_two_networks_are_judged_beside_it(small, views):
    done = []
    blind = lambda image: SimpleNamespace(labels=np.full((224, 224), OTHER, np.uint8))  # noqa: E731
    found = evaluate(Perfect(views), lambda at, of: done.append((at, of)), blind, count=3)
    lowest = {found[key] for key in ("pq", "sq", "rq", "pq_things", "pq_stuff", "pq_true_stuff")}
    assert lowest == {1.0} and found["scenes"] == 3 and found["forward_ms_p50"] == 250.0
    things = {thing.label for view in views for thing in view.instances}
    stuff = {CLASSES[kind] for view in views for kind in np.unique(view.semantic) if kind < 5}
    assert found["pq_stuff_merged"] == 0.0, "it sees no stuff at all"
    assert found["pq_merged"] == pytest.approx(len(things) / len(things | stuff), abs=1e-4)
    assert found["pq_per_class"]["sky"] == 1.0 and done == [(1, 3), (2, 3), (3, 3)]
    assert "pq_merged" not in evaluate(Perfect(views), lambda *_: None, count=1)
