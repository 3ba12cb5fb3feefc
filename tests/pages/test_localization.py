"""The localization page: losses follow the box, layers add up, α weighs, heads learn, one box is no detector."""

import functools
import re
import threading
import time

import numpy as np
import pytest
import torch

from labs import boxes, localization
from models import catalog
from models.networks.classifier import Classifier, LoadedClassifier
from models.networks.localizer import LoadedLocalizer, Localizer
from models.recipes.localizer_heads import Looked, Settings, learn
from pages.localization import composed, multitask, shared
from scenes import THINGS
from ui import pictures

PAGE, LOAD = "localization", catalog.load


@functools.cache
def fresh(name):
    """A network as it is before training, with a box that is not the same for every picture."""
    torch.manual_seed(3)
    if name == multitask.STARTS_FROM:
        return LoadedClassifier(name, Classifier("average", 8).eval().requires_grad_(False), torch.device("cpu"), {})
    if not name.startswith("localizer"):
        return LOAD(name)  # other sections' networks
    net = Localizer().eval().requires_grad_(False)
    with torch.no_grad():
        net.heads.box_last.weight.mul_(5)
        net.heads.class_last.weight.mul_(10)
    return LoadedLocalizer(name, net, torch.device("cpu"), {})


@pytest.fixture
def untrained(monkeypatch):
    monkeypatch.setattr(catalog, "load", fresh)


@pytest.fixture
def run(visit, untrained):
    """Function: a visit to the page."""
    return lambda query=None, **state: visit(PAGE, query, **state)


def scene(seed=141, **knobs):
    return pictures.from_lab_world(seed, **({"objects": (1, 1)} | knobs))


def test_the_first_picture_shows_the_networks_box_and_the_truth(run, sound, drawn, prose):
    at = sound(run())
    picture = scene()
    said = fresh(shared.NETWORKS["Joint"])(picture.image)
    truth, guess = drawn.boxes("localization_stage")
    assert truth.xyxy == tuple(picture.view.instances[0].box) and not truth.editable
    assert guess.xyxy == pytest.approx(said.box.tolist(), abs=0.051) and guess.editable
    text = prose(at)
    assert f"**{said.label} {float(said.probabilities.max()):.2f}**" in text
    assert f"true: **{picture.view.instances[0].label}**" in text


def spoken(text: str, pattern: str) -> list[str]:
    found = re.search(pattern, text)
    assert found, text[:3000]
    return list(found.groups())


def test_a_dragged_box_moves_every_loss(run, sound, drawn, prose):
    picture = scene()
    truth = torch.from_numpy(picture.view.instances[0].box).float()
    moved = truth + torch.tensor([10.0, -6.0, 10.0, 6.0])
    at = sound(run({"localization_box": ",".join(f"{each:.1f}" for each in moved.tolist())}))
    assert drawn.boxes("localization_stage")[1].xyxy == pytest.approx(moved.tolist(), abs=0.051)
    a, b = (localization.to_numbers(each, 224, 224) for each in (moved, truth))
    text = prose(at)
    for name, loss in localization.BOX_LOSSES.items():
        (value,) = spoken(text, rf"(?:· |: ){name} \*\*([\d.]+)\*\*")
        assert float(value) == pytest.approx(float(loss(a, b)), abs=2e-4), name
    (iou,) = spoken(text, r"IoU \*\*([\d.]+)\*\*,")
    assert float(iou) == pytest.approx(float(boxes.iou(moved, truth)), abs=1e-3)
    squares = spoken(text, r"= (\d\.\d{4}) \+ (\d\.\d{4}) \+ (\d\.\d{4}) \+ (\d\.\d{4}) = \*\*(\d\.\d{4})\*\*")
    assert float(squares[-1]) == pytest.approx(float((a - b).square().sum()), abs=2e-4)
    assert sum(map(float, squares[:-1])) == pytest.approx(float(squares[-1]), abs=3e-4)


def test_the_networks_box_comes_back(run, sound, drawn):
    at = sound(run({"localization_box": "10,10,60,60"}))
    assert drawn.boxes("localization_stage")[1].xyxy == (10, 10, 60, 60)
    sound(at.button(key="localization_reset").click().run())
    said = fresh(shared.NETWORKS["Joint"])(scene().image)
    assert drawn.boxes("localization_stage")[1].xyxy == pytest.approx(said.box.tolist(), abs=0.051)
    assert "localization_box" not in at.query_params


def test_another_scene_brings_its_own_box(run, sound, drawn):
    at = sound(run({"localization_box": "10,10,60,60"}))
    sound(at.number_input(key="localization_seed").set_value(8).run())
    said = fresh(shared.NETWORKS["Joint"])(scene(8).image)
    assert drawn.boxes("localization_stage")[1].xyxy == pytest.approx(said.box.tolist(), abs=0.051)


def test_without_a_thing_there_is_a_box_and_no_loss(run, sound, drawn, prose):
    text = prose(sound(run(localization_objects=(0, 0))))
    assert [box.id for box in drawn.boxes("localization_stage")] == ["guess"]
    assert "Nothing is in this scene." in text and "L2 =" not in text and "it has no loss" in text


def test_of_several_things_the_largest_is_the_truth(run, sound, drawn, said):
    at = sound(run(localization_objects=(5, 5), localization_seed=14))
    things = scene(14, objects=(5, 5)).view.instances
    largest = max(things, key=lambda each: each.mask.sum())
    assert drawn.boxes("localization_stage")[0].xyxy == tuple(largest.box) and len(things) > 1
    assert f"{len(things)} things are in sight" in said(at)


@pytest.mark.parametrize("output", ["x", "h", "dog"])
def test_the_last_layer_adds_up(run, sound, drawn, prose, output):
    text = prose(sound(run(localization_output=output)))
    said = fresh(shared.NETWORKS["Joint"])(scene().image)
    head = said.box_head if output in localization.NUMBERS else said.class_head
    index = (localization.NUMBERS if output in localization.NUMBERS else THINGS).index(output)
    grids = drawn.grids["localization_last"]
    np.testing.assert_allclose(grids["wh"].values, grids["h"].values * grids["w"].values, rtol=1e-5)
    np.testing.assert_allclose(grids["w"].values.ravel(), head.weights[index].numpy())
    rest, bias, whole = map(float, spoken(
        text, r"products \*\*(-?[\d.]+)\*\* \+ bias \*\*(-?[\d.]+)\*\* = \w+ = \*\*(-?[\d.]+)\*\*"
    ))  # fmt: skip
    expected = (said.numbers if output in localization.NUMBERS else said.scores)[index]
    assert whole == pytest.approx(float(expected), abs=1e-4) == pytest.approx(rest + bias, abs=2e-4)


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_alpha_weighs_this_pictures_losses(run, sound, prose, alpha):
    text = prose(sound(run(multitask_alpha=alpha, multitask_loss="L1")))
    s, r, one, other, total = map(float, spoken(
        text, r"L = α S \+ \(1 − α\) R = [\d.]+ · ([\d.]+) \+ [\d.]+ · ([\d.]+) = ([\d.]+) \+ ([\d.]+) = \*\*([\d.]+)"
    ))  # fmt: skip
    picture = scene()
    said, thing = fresh(shared.NETWORKS["Joint"])(picture.image), picture.view.instances[0]
    assert s == pytest.approx(-float(said.probabilities[THINGS.index(thing.label)].log()), abs=1e-3)
    truth = localization.to_numbers(torch.from_numpy(thing.box).float(), 224, 224)
    assert r == pytest.approx(float((said.numbers - truth).abs().sum()), abs=1e-3)
    assert (one, other, total) == pytest.approx((alpha * s, (1 - alpha) * r, alpha * s + (1 - alpha) * r), abs=2e-3)
    assert ("λ = (1 − α) / α" in text) == (alpha > 0) and ("S is not asked at all" in text) == (alpha == 0)


@pytest.fixture
def few(monkeypatch):
    """Few scenes and few steps."""
    small = Looked(fresh(multitask.STARTS_FROM), training=6, held_out=4)
    monkeypatch.setattr(multitask, "looked", lambda: small)
    monkeypatch.setattr(multitask, "Settings", functools.partial(Settings, steps=20, batch=4))
    yield small
    for _, each in made:
        each.stop(wait=60)
    made.clear()


made: list = []


def until(condition) -> None:
    """Looks until it holds; the limit only ends a test that has failed."""
    end = time.monotonic() + 100
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def started(at):
    at = at.button(key="multitask_start").click().run()
    made.append(at.session_state[multitask.RUN])
    return at, made[-1][1]


def test_heads_learn_while_the_page_looks_on_and_finished_runs_are_compared(run, sound, prose, few):
    at, first = started(run(multitask_alpha=1.0))
    until(lambda: first.over)
    text = prose(sound(at.run()))
    _, accuracy, overlap = first.look().scores[-1]
    assert "Done. " in text and f"Step **20** of 20 · accuracy **{accuracy:.2f}** · mean IoU **{overlap:.3f}**" in text
    at.session_state["multitask_alpha"] = 0.0
    at, second = started(at.run())
    assert second is not first
    until(lambda: second.over)
    at = sound(at.run())
    done = at.session_state[multitask.DONE]
    assert [settings.alpha for settings in done] == [1.0, 0.0]
    assert list(done.values()) == [each.look().scores[-1][1:] for each in (first, second)]
    again = [each for each in learn(next(iter(done)), few)][-1]
    assert again.scores == first.look().scores, "reproducible by its seed"


def test_a_stopped_training_is_there_after_a_visit_elsewhere_and_goes_on(run, sound, prose, few, monkeypatch):
    there, gate = threading.Event(), threading.Event()

    def slow(settings, looked):
        for each in learn(settings, looked):
            if each.step == 10:
                there.set()
                gate.wait(60)
            yield each

    monkeypatch.setattr(multitask, "learn", slow)
    at, run_of = started(run())
    until(there.is_set)
    run_of.stop()
    gate.set()
    until(lambda: not run_of.running)
    text = prose(sound(at.run()))
    assert "Stopped. *Start* goes on from here." in text and "Step **10** of 20" in text
    at, same = started(at)
    assert same is run_of
    until(lambda: same.over)
    whole = list(learn(made[-1][0], few))[-1]
    assert same.look().losses == whole.losses, "as if it had never been stopped"


def test_two_things_get_one_box_and_the_answer_is_by_overlap(run, sound, drawn, prose):
    at = sound(run(apart_first="dog", apart_second="duck", apart_distance=120, predict="off"))
    view = composed.two("dog", "duck", 120)
    said = fresh(shared.NETWORKS["Joint"])(view.image)
    assert sorted(each.label for each in view.instances) == ["dog", "duck"]
    assert [box.id for box in drawn.boxes("apart_stage")] == ["0", "1", "guess"]
    text = prose(at)
    for thing in view.instances:
        (value,) = spoken(text, rf"IoU with the {thing.label} \*\*([\d.]+)\*\*")
        assert float(value) == pytest.approx(float(boxes.iou(said.box, torch.from_numpy(thing.box).float())), abs=0.006)


def test_two_of_a_kind_are_called_left_and_right(run, sound, prose):
    text = prose(sound(run(apart_first="cat", apart_second="cat")))
    assert "IoU with the left cat" in text and "IoU with the right cat" in text


@pytest.mark.parametrize("distance", [40, 96, 150])
def test_the_two_are_as_far_apart_as_asked(distance):
    left, right = sorted(composed.two("car", "motorcycle", distance).scene.objects, key=lambda each: each.x)
    assert right.x - left.x == distance and left.y == right.y


@pytest.mark.parametrize("share", [0, 50, 90])
def test_a_thing_is_cut_by_the_border_as_much_as_asked(run, sound, drawn, prose, share):
    at = sound(run(apart_kind="Cut by the border", apart_first="car", apart_cut=share))
    thing = composed.cut("car", share).instances[0]
    x1, _, x2, _ = thing.full_box
    assert (x2 - 224) / (x2 - x1) == pytest.approx(share / 100, abs=0.02)
    truth, guess = drawn.boxes("apart_stage")
    assert truth.xyxy == tuple(thing.box) and truth.xyxy[2] <= 224 and guess.xyxy[2] <= 224
    assert "IoU with what is in the picture" in prose(at) and "with the whole car" in prose(at)


def test_where_nothing_is_it_still_says_something(run, sound, drawn, prose):
    text = prose(sound(run(apart_kind="Nothing")))
    assert not composed.nothing().instances
    assert [box.id for box in drawn.boxes("apart_stage")] == ["guess"] and "Nothing is there" in text


def test_outputs_grow_with_the_things(run, sound, prose):
    assert "= **60 outputs**" in prose(sound(run(apart_things=5)))
    assert "= **0 outputs**" in prose(sound(run(apart_things=0)))


def test_a_photograph_has_no_truth_and_no_loss(run, sound, drawn, prose):
    text = prose(sound(run(localization_source="Photograph")))
    assert [box.id for box in drawn.boxes("localization_stage")] == ["guess"]
    assert "Nobody has drawn the true box" in text and "L2 =" not in text
