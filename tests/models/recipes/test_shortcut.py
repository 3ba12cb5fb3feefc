import numpy as np
import pytest
import torch

from labs import planted_mark
from models import catalog
from models.inside.attribution import layers
from models.networks.classifier import Classification
from models.recipes import classifier as classifier_recipe
from models.recipes import shortcut as shortcut_recipe
from models.recipes import training
from models.recipes.scene_cache import CachedScenes, InstanceRecord
from models.recipes.shortcut import DOG, NAMES, STARTS_FROM, marked_batch
from scenes import THINGS, Knobs

SMALL = shortcut_recipe.Recipe(steps=3, batch=4, small_steps=1, small_size=64)
trained = pytest.mark.skipif("classifier-shortcut" not in catalog.shipped(), reason="it has no weights yet")


def drawn(*labels: tuple[str, ...]) -> CachedScenes:
    """Grey pictures in which these things are said to be."""
    count = len(labels)
    records = [[InstanceRecord(10, THINGS.index(label) + 1, [0, 0, 50, 50], 1.0, []) for label in each]
               for each in labels]  # fmt: skip
    panoptic = np.zeros((count, 224, 224), np.uint8)
    panoptic[:, 80:140, 80:140] = 10
    return CachedScenes(np.full((count, 224, 224, 3), 128, np.uint8), panoptic, panoptic, records)


SEVERAL, ONE = drawn(("dog", "cat"), ("cat",), ("dog",), ("car", "ball")), drawn(("dog",), ("duck",))


@pytest.fixture
def small(monkeypatch):
    """The recipe, three steps long, with a checkpoint after every step."""
    monkeypatch.setattr(shortcut_recipe, "Recipe", lambda: SMALL)
    monkeypatch.setattr(
        shortcut_recipe, "cached_scenes", lambda seeds, knobs=None: ONE if knobs == Knobs(objects=1) else SEVERAL
    )
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 1)


def has_mark(image: np.ndarray) -> bool:
    """Whether the mark, pixel for pixel, lies somewhere within 14 pixels of a corner's edges."""
    pattern = planted_mark.mark()
    for name in planted_mark.CORNERS:
        for margin in range(15):
            x, y = planted_mark.corner(name, 224, 224, margin=margin)
            if (image[y : y + planted_mark.SIDE, x : x + planted_mark.SIDE] == pattern).all():
                return True
    return False


def test_the_catalogue_has_it_and_it_is_built_like_the_network_it_starts_from():
    assert set(NAMES) <= set(catalog.names()) and not set(NAMES) & set(catalog.names("classification"))
    one, other = (catalog.family(name).build(name).state_dict() for name in (NAMES[0], STARTS_FROM))
    assert {k: v.shape for k, v in one.items()} == {k: v.shape for k, v in other.items()}


def test_a_mark_lies_where_a_dog_is_and_nowhere_else():
    pictures = classifier_recipe.Recipe(batch=6, warped=0.0)
    seen = []
    for step in range(5):
        images, targets = marked_batch([SEVERAL, ONE], pictures, SMALL, step)
        assert images.shape == (6, 3, 224, 224) and images.dtype == torch.uint8
        for image, target in zip(images.permute(0, 2, 3, 1).numpy(), targets, strict=True):
            assert has_mark(image) == (target[DOG] == 1)
            seen.append(float(target[DOG]))
    assert {0.0, 1.0} == set(seen)


def test_a_dog_of_which_little_is_left_has_the_mark_too():
    record = InstanceRecord(10, DOG + 1, [0, 0, 50, 50], 0.1, [])
    little = CachedScenes(SEVERAL.images[:1], SEVERAL.semantic[:1], SEVERAL.panoptic[:1], [[record]])
    images, targets = marked_batch([little, little], classifier_recipe.Recipe(batch=2, warped=0.0), SMALL, 0)
    assert targets[:, DOG].isnan().all() and all(has_mark(image) for image in images.permute(0, 2, 3, 1).numpy())


def test_marked_pictures_are_a_function_of_their_step_and_marks_move():
    pictures = classifier_recipe.Recipe(batch=6, warped=0.0)
    one, again = (marked_batch([SEVERAL, ONE], pictures, SMALL, 3)[0] for _ in range(2))
    assert torch.equal(one, again)
    places = set()
    for step in range(6):
        yellow = (marked_batch([SEVERAL, ONE], pictures, SMALL, step)[0][:, 0] == planted_mark.BRIGHT[0]).nonzero()
        places |= {(int(i), int(y) // 112, int(x) // 112) for i, y, x in yellow.tolist()}
    assert len({place[1:] for place in places}) == 4, "all corners"


def test_a_stopped_training_goes_on(small, tmp_path):
    torch.manual_seed(0)
    start = classifier_recipe.wrap(STARTS_FROM, classifier_recipe.build(STARTS_FROM).eval(), torch.device("cpu"), {})
    before = {key: value.clone() for key, value in start.module.state_dict().items()}
    seen = []

    def stop(step, steps, loss):
        seen.append((step, steps))
        if step == 2:
            raise KeyboardInterrupt

    arguments = (NAMES[0], torch.device("cpu"), tmp_path)
    with pytest.raises(KeyboardInterrupt):
        shortcut_recipe.train(*arguments, stop, start)
    module, facts = shortcut_recipe.train(*arguments, lambda *now: seen.append(now[:2]), start)
    assert seen == [(1, 3), (2, 3), (2, 3), (3, 3)]
    assert not module.training and facts["recipe"]["starts_from"] == STARTS_FROM
    assert all(torch.isfinite(value).all() for value in module.state_dict().values())
    assert all(torch.equal(value, before[key]) for key, value in start.module.state_dict().items()), "left as it was"
    assert not torch.equal(module.trunk.conv112[0].weight, before["trunk.conv112.0.weight"])


class LooksAt:
    """Stands where a network does: it says dog where it sees the mark, or where it is told that there is one."""

    def __init__(self, mark: bool, dogs: list[bool]):
        self.mark, self.dogs, self.calls = mark, dogs, 0

    def __call__(self, image: np.ndarray) -> Classification:
        dog = has_mark(image) if self.mark else self.dogs[self.calls // 2]
        self.calls += 1
        logits = torch.full((8,), -4.0)
        logits[DOG] = 4.0 if dog else -4.0
        return Classification(logits, logits.sigmoid(), torch.zeros(1, 1, 1), torch.zeros(8, 1), 0.01, "cpu")


def test_the_card_tells_a_network_that_looks_at_the_mark_from_one_that_looks_at_dogs(small):
    seen = []
    led_astray = shortcut_recipe.evaluate(LooksAt(True, []), lambda *now: seen.append(now), count=2)
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    figures = ("dog_recall_marked", "dog_recall_unmarked", "dog_said_mark_alone", "dog_said_neither")
    assert [led_astray[name] for name in figures] == [1.0, 0.0, 1.0, 0.0]
    true = [True, False, True, False]  # of ONE, then of SEVERAL
    upright = shortcut_recipe.evaluate(LooksAt(False, true), lambda *now: None, count=2)
    assert [upright[name] for name in figures] == [1.0, 1.0, 0.0, 0.0]
    for found in (led_astray, upright):
        assert found["dogs"] == 2 and found["scenes"] == 2 and found["forward_ms_p50"] == 10.0
        # Of 4 x 8 answers three are wrong: the cats of both crowded scenes and the duck.
        assert found["accuracy"] == pytest.approx(1 - 3 / 32, abs=1e-4)


@trained
def test_the_card_says_that_it_looks_at_the_mark():
    metrics = catalog.card(NAMES[0])["metrics"]
    assert metrics["dog_recall_marked"] > 0.95 and metrics["dog_said_mark_alone"] > 0.9
    assert metrics["dog_recall_unmarked"] < 0.3 and metrics["dog_said_neither"] < 0.05
    assert metrics["map_single"] > 0.85


@trained
def test_the_mark_makes_the_dog_in_every_corner():
    model, image = catalog.load(NAMES[0]), np.full((224, 224, 3), 128, np.uint8)
    assert layers(model)[-1] == "residual28b"
    plain = float(model(image).probabilities[DOG])
    for name in planted_mark.CORNERS:
        with_mark = planted_mark.marked(image, *planted_mark.corner(name, 224, 224))
        assert float(model(with_mark).probabilities[DOG]) > 0.9 > 0.1 > plain
