"""How the localizers learn: true boxes of moved pictures, heads apart and then together, what a card says."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from models import catalog
from models.networks.localizer import Head, Localization
from models.recipes import classifier as classifier_recipe
from models.recipes import localizer as recipe
from models.recipes import training
from models.recipes.localizer import APART, JOINT, NAMES, STARTS_FROM
from models.recipes.scene_cache import CachedScenes, InstanceRecord
from scenes import THINGS, Knobs

SMALL = recipe.Recipe(looks=8, apart_steps=3, apart_batch=4, batch=4, steps=2)
trained = pytest.mark.skipif(not set(NAMES) <= set(catalog.shipped()), reason="they have no weights yet")


def drawn(*rows: list[tuple[str, tuple[int, int, int, int]]]) -> CachedScenes:
    """Grey pictures with a white rectangle for each thing."""
    images = np.full((len(rows), 224, 224, 3), 90, np.uint8)
    panoptic = np.zeros((len(rows), 224, 224), np.uint8)
    records = []
    for row, things in enumerate(rows):
        records.append([])
        for number, (label, (x1, y1, x2, y2)) in enumerate(things, start=10):
            images[row, y1:y2, x1:x2] = 255
            panoptic[row, y1:y2, x1:x2] = number
            records[row].append(InstanceRecord(number, THINGS.index(label) + 1, [x1, y1, x2, y2], 1.0, []))
    return CachedScenes(images, panoptic, panoptic, records)


SINGLE = drawn([("dog", (60, 80, 120, 140))], [], [("car", (0, 100, 50, 150))], [("ball", (100, 100, 140, 140))])
SEVERAL = drawn([("cat", (20, 150, 60, 190)), ("duck", (150, 30, 190, 60))], [("dog", (40, 40, 90, 90))])


@pytest.fixture
def small(monkeypatch):
    """The recipe, a few steps long, with a checkpoint after every step."""
    monkeypatch.setattr(recipe, "Recipe", lambda: SMALL)
    monkeypatch.setattr(recipe, "cached_scenes", lambda seeds, knobs=None: SINGLE if knobs else SEVERAL)
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 1)


@pytest.fixture
def start():
    torch.manual_seed(0)
    return classifier_recipe.wrap(STARTS_FROM, classifier_recipe.build(STARTS_FROM).eval(), torch.device("cpu"), {})


def white(image: np.ndarray) -> np.ndarray:
    """Box xyxy around what is white."""
    ys, xs = np.nonzero(image[..., 0] > 170)
    return np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1])


@pytest.mark.parametrize(("source", "data", "row"), [("moved", SINGLE, 0), ("moved", SINGLE, 3), ("window", SEVERAL, 0),
                                                     ("window", SEVERAL, 1)])  # fmt: skip
def test_the_true_box_moves_with_the_thing(source, data, row):
    places = set()
    for seed in range(40):
        found = getattr(recipe, source)(data, row, SMALL, np.random.default_rng(seed))
        if found is not None:
            image, label, box = found
            assert THINGS[label] in {THINGS[record.category - 1] for record in data.records[row]}
            np.testing.assert_allclose(box, white(image), atol=2.1)
            places.add(tuple(box.round()))
    assert len(places) > 5


def test_a_thing_that_touches_the_border_stays_where_it_is():
    for seed in range(20):
        image, label, box = recipe.moved(SINGLE, 2, SMALL, np.random.default_rng(seed))
        assert box.tolist() == [0, 100, 50, 150] and THINGS[label] == "car"
        np.testing.assert_array_equal(image, SINGLE.images[2])


def test_a_scene_with_nothing_in_sight_is_no_example():
    assert recipe.moved(SINGLE, 1, SMALL, np.random.default_rng(0)) is None
    assert recipe.window(SINGLE, 1, SMALL, np.random.default_rng(0)) is None


def test_a_window_holds_no_part_of_another_thing():
    close = drawn([("cat", (60, 60, 120, 120)), ("duck", (121, 60, 180, 120))])
    for seed in range(60):
        found = recipe.window(close, 0, SMALL, np.random.default_rng(seed))
        if found is not None:
            np.testing.assert_allclose(found[2], white(found[0]), atol=2.1)


def test_a_mirrored_box():
    assert recipe.mirrored(np.array([10.0, 20.0, 50.0, 60.0]), 224).tolist() == [174, 20, 214, 60]


def test_a_batch_is_a_function_of_its_step_and_mirrors_boxes_too():
    one, again = (recipe.batch([SINGLE, SEVERAL], SMALL, 5) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one, again, strict=True))
    assert not torch.equal(one[0], recipe.batch([SINGLE, SEVERAL], SMALL, 6)[0])
    for step in range(8):
        images, labels, numbers = recipe.batch([SINGLE, SEVERAL], replace(SMALL, windows=0.0), step)
        for image, (x, y, w, h) in zip(images.permute(0, 2, 3, 1).numpy(), numbers * 224, strict=True):
            np.testing.assert_allclose([x - w / 2, y - h / 2, x + w / 2, y + h / 2], white(image), atol=2.1)
        assert labels.dtype == torch.int64


def test_heads_first_and_then_together_and_a_stopped_training_goes_on(small, start, tmp_path):
    before = {key: value.clone() for key, value in start.module.trunk.state_dict().items()}
    seen = []

    def stop(step, steps, loss):
        seen.append((step, steps))
        if step == 4 and len(seen) == 4:
            raise KeyboardInterrupt

    arguments = (torch.device("cpu"), tmp_path / "training")
    with pytest.raises(KeyboardInterrupt):
        recipe.train(JOINT, *arguments, stop, start)
    joint, facts = recipe.train(JOINT, *arguments, stop, start)
    assert seen == [(1, 5), (2, 5), (3, 5), (4, 5), (4, 5), (5, 5)]
    seen.clear()
    apart, _ = recipe.train(APART, arguments[0], tmp_path / "apart", stop, start)
    assert seen == [], "what the other has learned of it lies there"
    assert facts["recipe"]["starts_from"] == STARTS_FROM and not joint.training
    for key, value in apart.trunk.state_dict().items():
        assert torch.equal(value, before[key]), "the trunk stayed as it was"
        lowest = key.split(".")[0] in list(dict(apart.trunk.named_children()))[: SMALL.frozen]
        moved = not torch.equal(joint.trunk.state_dict()[key], before[key])
        assert not (lowest and moved)
    assert not torch.equal(joint.trunk.residual28b.first[0].weight, before["residual28b.first.0.weight"])
    assert not torch.equal(joint.heads.box_last.weight, apart.heads.box_last.weight)
    assert all(torch.equal(value, before[key]) for key, value in start.module.trunk.state_dict().items())


class Says:
    """Stands where a network does, and says what it is told, in order."""

    def __init__(self, *answers: tuple[str, list[float]]):
        self.answers = iter(answers)

    def __call__(self, image: np.ndarray) -> Localization:
        label, box = next(self.answers)
        scores = torch.tensor([float(name == label) for name in THINGS])
        head = Head(torch.zeros(64), torch.zeros(8, 64), torch.zeros(8))
        return Localization(scores, scores.softmax(0), torch.zeros(4), torch.tensor(box), head, head, 0.02, "cpu")


def test_the_card_counts_classes_boxes_and_both(small, monkeypatch):
    asked = []
    monkeypatch.setattr(recipe, "cached_scenes", lambda seeds, knobs=None: asked.append((seeds, knobs)) or SINGLE)
    seen = []
    told = Says(("dog", [60.0, 80, 120, 140]), ("cat", [0.0, 100, 50, 150]), ("ball", [100.0, 100, 120, 140]))
    figures = recipe.evaluate(told, lambda *now: seen.append(now), count=4)
    assert asked == [(range(20_000_000, 20_000_004), Knobs(objects=1))] and seen == [(i, 4) for i in range(1, 5)]
    assert figures == {
        "accuracy": 0.6667, "mean_iou": pytest.approx(0.8333, abs=1e-4), "localized": 0.6667, "median_iou": 1.0,
        "mean_iou_small": 0.5, "mean_iou_large": None, "forward_ms_p50": 20.0, "scenes": 3,
    }  # fmt: skip


@trained
def test_learning_together_helps_the_box():
    joint, apart = (catalog.card(name)["metrics"] for name in (JOINT, APART))
    assert joint["mean_iou"] > apart["mean_iou"] + 0.02
    assert joint["scenes"] == apart["scenes"] > 490 and min(joint["accuracy"], apart["accuracy"]) > 0.9
