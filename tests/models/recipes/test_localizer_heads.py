"""Heads that learn on the cached features of a frozen trunk: the same by their seed, and only what α asks for."""

import threading

import pytest
import torch

import scenes
from labs import boxes, localization
from models.recipes import classifier as classifier_recipe
from models.recipes import localizer_heads as recipe
from models.recipes.classifier import SINGLE, SINGLE_HELD_OUT, SINGLE_TRAINING
from models.recipes.localizer_heads import Looked, Progress, Settings, learn
from scenes import THINGS

STEPS = 30


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    name = "classifier-gap-28"
    return classifier_recipe.wrap(name, classifier_recipe.build(name).eval(), torch.device("cpu"), {})


@pytest.fixture(scope="module")
def looked(network) -> Looked:
    """A dozen scenes, seen once."""
    found = Looked(network, training=8, held_out=4)
    assert list(found.look()) == list(range(1, 13)) and list(found.look()) == []
    return found


def run(looked: Looked, **settings) -> list[Progress]:
    return list(learn(Settings(**{"steps": STEPS, "batch": 8, "learning_rate": 0.005} | settings), looked))


def test_the_examples_are_what_the_trunk_says_of_the_scenes_and_of_their_mirror_images(network, looked):
    known, unseen = looked.split()
    assert known.features.shape == (16, 128 * 7 * 7) and len(unseen.labels) == len(looked.held_out()) == 4
    assert float(known.features.mean()) == pytest.approx(0, abs=1e-4)
    assert float(known.features.std()) == pytest.approx(1, abs=1e-4)
    for index in range(8):
        thing = scenes.render(scenes.sample(SINGLE_TRAINING + index, SINGLE)).instances[0]
        plain, mirrored = (localization.to_box(known.numbers[2 * index + way], 224, 224) for way in (0, 1))
        assert plain.tolist() == pytest.approx(thing.box.tolist(), abs=1e-3)
        x1, y1, x2, y2 = plain.tolist()
        assert mirrored.tolist() == pytest.approx([224 - x2, y1, 224 - x1, y2], abs=1e-3)
        assert THINGS[int(known.labels[2 * index])] == THINGS[int(known.labels[2 * index + 1])] == thing.label
    assert looked.held_out()[0].scene.seed == SINGLE_HELD_OUT
    view = scenes.render(scenes.sample(SINGLE_HELD_OUT, SINGLE))
    maps = network(view.image).features
    theirs = torch.nn.functional.adaptive_avg_pool2d(maps, 7).flatten()
    assert float(torch.corrcoef(torch.stack([theirs, unseen.features[0]]))[0, 1]) > 0.999


def test_same_settings_same_numbers_and_another_seed_other_numbers(looked):
    one, again, other = run(looked)[-1], run(looked)[-1], run(looked, seed=1)[-1]
    assert one.losses == again.losses and one.scores == again.scores and torch.equal(one.guesses, again.guesses)
    assert one.losses != other.losses


def test_the_random_numbers_of_others_stay_as_they_were(looked):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    run(looked)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_look_comes_before_the_first_step_and_after_every_few(looked):
    seen = run(looked, steps=25)
    assert [each.step for each in seen] == [0, 10, 20, 25] and seen[-1].scores[-1][0] == 25
    assert all(each.looked == 12 for each in seen)
    _, unseen = looked.split()
    last = seen[-1]
    truth = localization.to_box(unseen.numbers, 1, 1)
    assert last.scores[-1][2] == pytest.approx(float(boxes.iou(last.guesses, truth).mean()))
    assert last.scores[-1][1] == pytest.approx(float((last.names == unseen.labels).double().mean()))


@pytest.mark.parametrize("box_loss", localization.BOX_LOSSES)
def test_every_box_loss_is_learned(looked, box_loss):
    seen = run(looked, box_loss=box_loss, alpha=0.2, learning_rate=0.001)[-1]
    first, last = (sum(each[1] for each in part) / 5 for part in (seen.losses[:5], seen.losses[-5:]))
    assert last < first


def test_at_alpha_0_only_the_box_learns_and_at_1_only_the_class(looked):
    def fall(part: int, **settings) -> float:
        losses = [each[part] for each in run(looked, **settings)[-1].losses]
        return sum(losses[:5]) - sum(losses[-5:])

    assert fall(1, alpha=0.0) > 0.05 and fall(0, alpha=1.0) > 2
    assert fall(0, alpha=0.0) < fall(0, alpha=1.0) / 2 and fall(1, alpha=1.0) < fall(1, alpha=0.0) / 2


def test_two_at_once_share_the_looking(network, monkeypatch):
    taken = []
    take = Looked._take
    monkeypatch.setattr(Looked, "_take", lambda self, index: taken.append(index) or take(self, index))
    found = Looked(network, training=3, held_out=1)
    threads = [threading.Thread(target=lambda: list(found.look())) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert taken == [0, 1, 2, 3]


def test_scenes_with_nothing_in_sight_are_left_out(network, monkeypatch):
    render = scenes.render
    empty = scenes.Knobs(objects=0)

    def sometimes(scene, *rest):
        blank = scene.seed in (SINGLE_TRAINING, SINGLE_HELD_OUT)
        return render(scenes.sample(scene.seed, empty) if blank else scene, *rest)

    monkeypatch.setattr(recipe.scenes, "render", sometimes)
    found = Looked(network, training=2, held_out=2)
    assert list(found.look()) == [1, 2, 3, 4]
    known, unseen = found.split()
    assert len(known.labels) == 2 and len(unseen.labels) == len(found.held_out()) == 1
