"""How the window networks learn: what a window is said to show, crops that are those of the picture, and the card."""

import numpy as np
import pytest
import torch

from labs import boxes as box_lab
from labs.sliding_window import CLASSES
from models import catalog
from models.recipes import training
from models.recipes import window as recipe_module
from models.recipes.scene_cache import InstanceRecord
from models.recipes.window import NAMES, OTHER, Recipe, batch_at, crops_of, doubtful, loss, placed, windows_of
from scenes import THINGS

SMALL = Recipe(scenes=4, steps=2, batch=8)


@pytest.fixture
def small(monkeypatch, data):
    """The recipe, two steps long, with a checkpoint after every step."""
    monkeypatch.setattr(recipe_module, "Recipe", lambda: SMALL)
    monkeypatch.setattr(recipe_module, "cached_scenes", lambda _seeds: data)
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 1)


def record(name: str, box: list[float], visible: float = 1.0) -> InstanceRecord:
    return InstanceRecord(1, THINGS.index(name) + 1, box, visible, [])


def test_windows_of_a_thing_hold_it_at_the_size_and_place_that_is_asked():
    car = record("car", [80.0, 90, 140, 120])
    rng = np.random.default_rng(0)
    for _ in range(30):
        for (left, top, side), shown in windows_of([car], SMALL, rng):
            assert 28 <= side <= 224 and 0 <= left <= 224 - side and 0 <= top <= 224 - side
            if shown is not None:
                assert 0.49 <= 60 / side <= 1.12
                assert abs(left + side / 2 - 110) <= 0.2 * side + 1 and abs(top + side / 2 - 105) <= 0.2 * side + 1
            else:
                assert not doubtful((left, top, side), car.box, SMALL)


def test_what_is_hidden_too_small_or_nothing_that_is_looked_for_is_never_asked_for():
    rng = np.random.default_rng(0)
    for other in (record("cat", [80.0, 90, 140, 120]), record("car", [80.0, 90, 140, 120], 0.2),
                  record("car", [80.0, 90, 90, 98])):  # fmt: skip
        found = windows_of([other], SMALL, rng)
        assert len(found) >= SMALL.elsewhere - 4 and all(shown is None for _, shown in found)


@pytest.mark.parametrize(
    ("window", "answer"),
    [((80, 80, 60), True), ((60, 60, 171), True), ((50, 60, 172), False), ((90, 90, 37), False), ((88, 90, 38), True),
     ((110, 75, 60), False), ((109, 75, 60), True), ((0, 0, 60), False)],
)  # fmt: skip
def test_a_window_between_thing_and_nothing_is_left_out(window, answer):
    """A box of 60 × 30 is too small from 172 pixels on, too large below 38, and halved by an edge at column 110."""
    assert doubtful(window, [80.0, 90, 140, 120], Recipe()) == answer


def test_windows_stay_in_the_picture():
    assert placed(np.array([3.0, 220.0]), 40.0) == (0, 184, 40)
    assert placed(np.array([112.0, 112.0]), 5.0) == (98, 98, 28)
    assert placed(np.array([112.0, 112.0]), 999.0) == (0, 0, 224)


def test_transforms_lead_from_the_window_to_the_thing(data):
    crops = crops_of(data, SMALL)
    assert crops.images.shape[1:] == (28, 28, 3) and crops.images.dtype == np.uint8
    known = ~np.isnan(crops.transforms[:, 0])
    assert (known == (crops.labels != OTHER)).all() and known.any() and not known.all()
    again = crops_of(data, SMALL)
    assert (again.images == crops.images).all() and (again.labels == crops.labels).all()
    windows = torch.tensor([[0.0, 0, 28, 28]])
    boxes = box_lab.decode(torch.from_numpy(crops.transforms[known]).float(), windows)
    longer = (boxes[:, 2:] - boxes[:, :2]).amax(1) / 28
    assert longer.min() > 0.49 and longer.max() < 1.12


def test_a_batch_is_a_function_of_the_step_and_a_mirror_turns_the_box(data):
    crops = crops_of(data, SMALL)
    first, again, other = (batch_at(crops, SMALL, step) for step in (3, 3, 4))
    assert first[0].shape == (8, 3, 28, 28)
    assert all(torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])
    left = crops.transforms[:, 0]
    mirrored = 0
    for step in range(20):
        transforms = batch_at(crops, SMALL, step)[2]
        for x in transforms[~transforms[:, 0].isnan(), 0].tolist():
            mirrored += bool(np.isclose(left, -x).any() and not np.isclose(left, x).any())
    assert mirrored > 5


def test_the_box_costs_only_where_there_is_a_thing():
    raw = torch.zeros(2, 8)
    labels, nowhere = torch.tensor([0, 3]), torch.full((2, 4), torch.nan)
    alone = loss(raw, labels, nowhere, 2.0)
    assert float(alone) == pytest.approx(np.log(4))
    transforms = nowhere.clone()
    transforms[0] = 1.0
    assert float(loss(raw, labels, transforms, 2.0) - alone) == pytest.approx(2 * (1 - 0.05))  # smooth L1, beta 0.1
    assert float(loss(raw[:, :4], labels, transforms, 2.0)) == pytest.approx(np.log(4))


@pytest.mark.parametrize("name", ["window-classifier", "window-localizer"])
def test_a_stopped_training_goes_on_after_its_checkpoint(small, tmp_path, name):
    seen = []

    def stop(step, steps, value):
        seen.append((step, steps))
        if step == 2:
            raise KeyboardInterrupt

    arguments = (name, torch.device("cpu"), tmp_path)
    with pytest.raises(KeyboardInterrupt):
        recipe_module.train(*arguments, stop)
    module, facts = recipe_module.train(*arguments, lambda *now: seen.append(now[:2]))
    assert seen == [(1, 2), (2, 2), (2, 2)] and not module.training and facts["recipe"]["crops"] > 20
    assert all(torch.isfinite(value).all() for value in module.state_dict().values())


def test_evaluate_gives_the_figures_of_the_card(small):
    torch.manual_seed(0)
    name = "window-localizer"
    model = recipe_module.wrap(name, recipe_module.build(name).eval(), torch.device("cpu"), {})
    seen = []
    metrics = recipe_module.evaluate(model, lambda *now: seen.append(now), count=2)
    assert seen == [(1, 2), (2, 2)]
    assert {"accuracy", "box_ap50", "window_ap50", "forward_ms_p50"} <= set(metrics)
    assert set(metrics["accuracy_per_class"]) == set(CLASSES) and set(metrics["box_ap_per_class"]) == set(CLASSES[:3])
    assert 0 <= metrics["accuracy"] <= 1 and metrics["crops"] % 4 == 0


@pytest.mark.skipif(not set(NAMES) <= set(catalog.shipped()), reason="they have no weights yet")
def test_the_cards_say_what_is_the_shapes_fault_and_what_the_sizes():
    card = {name: catalog.card(name)["metrics"] for name in NAMES}
    lectures, wide, boxes = (card[f"window-{each}"] for each in ("classifier", "classifier-wide", "localizer"))
    assert 0.7 < lectures["accuracy"] < wide["accuracy"]
    assert boxes["box_ap50"] > 3 * boxes["window_ap50"], "the same windows, moved"
    assert wide["box_ap50"] < boxes["box_ap50"], "no width makes a square window fit"
    assert catalog.card("window-classifier")["parameters"] == 15_208
