"""How Fast R-CNN learns: regions are mirrored with their picture, a resumed training goes on, the card is kept."""

import numpy as np
import pytest
import torch

from models import catalog
from models.recipes import fast_rcnn as recipe_module
from models.recipes import training
from models.recipes.fast_rcnn import Recipe, batch, build, evaluate, train
from models.recipes.scene_cache import SIZE

SMALL = Recipe(scenes=4, searched=3, steps=2, batch=2)
CPU = torch.device("cpu")
FOUND = [np.array([[0.0, 10, 50, 60], [20, 30, 224, 200], [i, i, i + 40, i + 30]], np.float32) for i in range(4)]


@pytest.fixture
def small(monkeypatch, data):
    """The recipe, two steps long, on regions that are given, with a checkpoint after every step."""
    monkeypatch.setattr(recipe_module, "Recipe", lambda: SMALL)
    monkeypatch.setattr(recipe_module, "cached_scenes", lambda _seeds: data)
    monkeypatch.setattr(recipe_module, "regions", lambda _data, _seeds, count=None: FOUND[:count])
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 1)


def test_regions_are_mirrored_with_their_picture(data):
    turned = set()
    for step in range(8):
        images, boxes, targets = batch(data, FOUND, SMALL, step, CPU)
        assert len(images) == len(boxes) == len(targets) == 2
        for image, each in zip(images, boxes, strict=True):
            index, mirrored = next(
                (i, flip)
                for i in range(4)
                for flip in (False, True)
                if np.array_equal(np.asarray(data.images[i])[:, :: -1 if flip else 1],
                                  (image.permute(1, 2, 0) * 255).round().byte().numpy())
            )  # fmt: skip
            x1, y1, x2, y2 = torch.from_numpy(FOUND[index]).T
            expected = torch.stack([SIZE - x2, y1, SIZE - x1, y2] if mirrored else [x1, y1, x2, y2], 1)
            assert torch.equal(each, expected)
            turned.add(mirrored)
    assert turned == {True, False}


def test_both_losses_reach_the_first_layer(data):
    torch.manual_seed(0)
    module = build("fast-rcnn").train()
    images, boxes, targets = batch(data, FOUND, SMALL, 0, CPU)
    losses = module(images, boxes, targets)
    assert set(losses) == {"loss_classifier", "loss_box_reg"}
    first = next(module.backbone.parameters())
    for value in losses.values():
        (slope,) = torch.autograd.grad(value, first, retain_graph=True)
        assert slope.abs().max() > 0


def test_a_stopped_training_goes_on(small, tmp_path):
    def stop(step: int, _steps: int, _loss: float) -> None:
        if step == 1 and not (tmp_path / "stopped").exists():
            return
        if step == 2 and not (tmp_path / "stopped").exists():
            (tmp_path / "stopped").touch()
            raise KeyboardInterrupt

    whole, facts = train("fast-rcnn", CPU, tmp_path / "whole", lambda *_: None, None)
    with pytest.raises(KeyboardInterrupt):
        train("fast-rcnn", CPU, tmp_path / "part", stop, None)
    again, _ = train("fast-rcnn", CPU, tmp_path / "part", stop, None)
    assert facts["recipe"]["searched"] == 3 and not whole.training
    for key, value in whole.state_dict().items():
        torch.testing.assert_close(again.state_dict()[key], value, atol=1e-4, rtol=1e-3)


def test_it_is_judged_on_the_boxes_of_selective_search(small, data):
    said = []
    metrics = evaluate(catalog.load("fast-rcnn"), lambda done, count: said.append((done, count)), 4)
    assert said[-1] == (4, 4) and metrics["scenes"] == 4 and metrics["regions"] == 3
    assert metrics["forward_ms_p50"] == pytest.approx(metrics["trunk_ms_p50"] + metrics["heads_ms_p50"], rel=0.3)
