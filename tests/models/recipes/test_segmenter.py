from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from models.networks.segmenter import LoadedSegmenter, Segmenter
from models.recipes import segmenter as segmenter_recipe
from models.recipes import training
from models.recipes.scene_cache import CachedScenes, cached_scenes
from scenes import CLASSES

SMALL = segmenter_recipe.Recipe(scenes=4, crop=64, batch=2, encoder_steps=2, steps=4)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECEPTIVE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield cached_scenes(range(50, 54), workers=1)


@pytest.fixture
def small(monkeypatch, data):
    """The recipe, small enough for a test, on four real scenes, with a checkpoint after every second step."""
    monkeypatch.setattr(segmenter_recipe, "Recipe", lambda: SMALL)
    monkeypatch.setattr(segmenter_recipe, "cached_scenes", lambda _seeds: data)
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 2)


def quiet(*_):
    pass


def test_a_batch_is_a_function_of_the_step(data):
    first, again, other = (segmenter_recipe._batch(data, SMALL, step) for step in (3, 3, 4))
    assert torch.equal(first[0], again[0]) and torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])
    assert first[0].shape == (2, 3, 64, 64) and first[1].shape == (2, 64, 64)


def test_a_crop_and_its_labels_are_cut_alike(data):
    recipe = replace(SMALL, crop=224, batch=4)
    images, labels = segmenter_recipe._batch(data, recipe, 0)
    for image, label in zip(images.permute(0, 2, 3, 1).numpy(), labels.numpy()):
        matches = [
            (image == whole[:, ::side]).all() and (label == semantic[:, ::side]).all()
            for whole, semantic in zip(data.images, data.semantic)
            for side in (1, -1)
        ]
        assert sum(matches) == 1


def test_rare_classes_weigh_more_and_the_mean_over_pixels_is_one(data):
    frequency = np.bincount(data.semantic.ravel(), minlength=len(CLASSES)) / data.semantic.size
    present = frequency > 0
    weight = segmenter_recipe.class_weights(data, 0.5).numpy()
    assert (weight * frequency).sum() == pytest.approx(1, abs=1e-5)
    assert np.argmax(weight) == np.argmin(np.where(present, frequency, 2))
    assert (weight[~present] == 0).all()
    flat = segmenter_recipe.class_weights(data, 0.0).numpy()
    assert flat == pytest.approx(present.astype(float))


def test_a_stopped_training_ends_with_the_same_weights(small, tmp_path):
    whole, facts = segmenter_recipe.train("segmenter-nearest", CPU, tmp_path / "a" / "net", quiet)

    def stop(step, _steps, _loss):
        if step == SMALL.encoder_steps + 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        segmenter_recipe.train("segmenter-nearest", CPU, tmp_path / "b" / "net", stop)
    steps = []
    resumed, _ = segmenter_recipe.train(
        "segmenter-nearest", CPU, tmp_path / "b" / "net", lambda step, *_: steps.append(step)
    )
    assert steps == [SMALL.encoder_steps + 3, SMALL.encoder_steps + 4]
    for key, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[key]), key
    assert facts["recipe"]["seed"] == 0 and not whole.training


def test_all_five_start_from_one_encoder(small, tmp_path):
    segmenter_recipe.train("segmenter-nearest", CPU, tmp_path / "net-1", quiet)
    steps = []
    segmenter_recipe.train("segmenter-bilinear", CPU, tmp_path / "net-2", lambda step, *_: steps.append(step))
    assert steps[0] == SMALL.encoder_steps + 1  # the encoder was there already


def test_evaluate_counts_every_scene_and_rewards_the_truth(monkeypatch, data):
    monkeypatch.setattr(segmenter_recipe, "cached_scenes", lambda _seeds: data)

    class Oracle(LoadedSegmenter):
        def __call__(self, image, keep_stages=False):
            row = next(i for i in range(len(data)) if (data.images[i] == image).all())
            return replace(super().__call__(image), labels=np.asarray(data.semantic[row]))

    oracle = Oracle("segmenter-nearest", Segmenter("nearest").eval(), CPU, {})
    seen = []
    metrics = segmenter_recipe.evaluate(oracle, lambda done, count: seen.append((done, count)), count=4)
    assert (metrics["miou"], metrics["pixel_accuracy"], metrics["boundary_f"]) == (1, 1, 1)
    assert (metrics["scene_miou"], metrics["stray_classes"], metrics["stray_pixels"]) == (1, 0, 0)
    assert seen[-1] == (4, 4) and metrics["scenes"] == 4 and metrics["forward_ms_p50"] > 0
    untrained = LoadedSegmenter("segmenter-nearest", Segmenter("nearest").eval(), CPU, {})
    assert segmenter_recipe.evaluate(untrained, quiet, count=4)["miou"] < 0.3


def test_evaluate_names_stray_specks_apart_from_the_scores(monkeypatch, data):
    """Two specks of one absent class in every scene: a stray class of 13 pixels, and hardly a loss elsewhere."""
    monkeypatch.setattr(segmenter_recipe, "cached_scenes", lambda _seeds: data)

    class Speckled(LoadedSegmenter):
        def __call__(self, image, keep_stages=False):
            row = next(i for i in range(len(data)) if (data.images[i] == image).all())
            labels = np.array(data.semantic[row])
            absent = next(c for c in range(len(CLASSES)) if not (labels == c).any())
            labels[100:103, 100:104], labels[200, 10] = absent, absent
            return replace(super().__call__(image), labels=labels)

    speckled = Speckled("segmenter-nearest", Segmenter("nearest").eval(), CPU, {})
    metrics = segmenter_recipe.evaluate(speckled, quiet, count=4)
    assert (metrics["stray_classes"], metrics["stray_pixels"]) == (1, 13)
    assert metrics["scene_miou"] > 0.97 and metrics["boundary_f"] > 0.97


def test_the_figures_of_a_network_that_mistakes_one_class_for_another(monkeypatch):
    """Left half sky, right half grass; of the grass the last quarter of the picture is called sky."""
    truth, said = np.zeros((2, 224, 224), np.uint8), np.zeros((224, 224), np.uint8)
    truth[:, :, 112:], said[:, 112:168] = 1, 1
    scenes = CachedScenes(np.zeros((2, 224, 224, 3), np.uint8), truth, truth, [[], []])
    monkeypatch.setattr(segmenter_recipe, "cached_scenes", lambda _seeds: scenes)
    told, answers = [], [SimpleNamespace(labels=said, seconds=each) for each in (1.23456, 1.2347)]
    metrics = segmenter_recipe.evaluate(lambda image: answers[len(told)], lambda *now: told.append(now), count=2)
    # sky: 112 of 112 + 56 columns; grass: 56 of 112
    assert metrics["iou_per_class"]["sky"] == 0.6667 and metrics["iou_per_class"]["grass"] == 0.5
    assert (metrics["miou"], metrics["pixel_accuracy"]) == (0.5833, 0.75)
    assert metrics["forward_ms_p50"] == 1234.6 and metrics["scenes"] == 2 and told == [(1, 2), (2, 2)]
    # both have one edge in the truth, sky two in the answer: precision 1/2, recall 1; grass likewise
    assert metrics["boundary_f"] == 0.6667


@pytest.mark.parametrize(("off", "boundary"), [(0, 1.0), (1, 1.0), (2, 0.0)])
def test_a_boundary_may_be_off_by_one_pixel(monkeypatch, off, boundary):
    truth, said = np.zeros((1, 224, 224), np.uint8), np.zeros((224, 224), np.uint8)
    truth[:, :, 112:], said[:, 112 + off :] = 1, 1
    scenes = CachedScenes(np.zeros((1, 224, 224, 3), np.uint8), truth, truth, [[]])
    monkeypatch.setattr(segmenter_recipe, "cached_scenes", lambda _seeds: scenes)
    model = lambda image: SimpleNamespace(labels=said, seconds=0.01)  # noqa: E731
    assert segmenter_recipe.evaluate(model, quiet, count=1)["boundary_f"] == boundary


def test_the_scenes_of_a_card_are_500_that_no_network_has_seen(monkeypatch):
    asked = []

    def stop(seeds):
        asked.append(seeds)
        raise KeyboardInterrupt

    monkeypatch.setattr(segmenter_recipe, "cached_scenes", stop)
    with pytest.raises(KeyboardInterrupt):
        segmenter_recipe.evaluate(None, quiet)
    assert asked == [range(10_000_000, 10_000_500)]
