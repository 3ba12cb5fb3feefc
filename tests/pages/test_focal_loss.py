"""The Focal Loss page: curves and ratios, who makes up the loss, three networks, first steps, and the outputs."""

import math
import re
import time

import numpy as np
import pytest
import torch
from torchvision.ops import sigmoid_focal_loss

from models import catalog
from pages.focal_loss import compared, count, curves, shared
from scenes import THINGS
from ui import components, pictures

PAGE = "focal_loss"
pytestmark = pytest.mark.skipif("retinanet" not in catalog.shipped(), reason="it has no weights yet")


def scene(seed: int = shared.SEED) -> pictures.Picture:
    return pictures.from_lab_world(seed)


@pytest.mark.parametrize(("gamma", "p", "times"), [(2.0, 0.5, "4"), (2.0, 0.9, "100"), (2.0, 0.968, "977")])
def test_ratios_of_the_lectures(visit, sound, prose, drawn, gamma, p, times):
    told = prose(sound(visit(PAGE, {"predict": "off"}, focal_gamma=gamma, focal_p=p)))
    assert f"**{times} times less**" in told and f"−log {p:.3f} = **{-math.log(p):.4f}** nats" in told
    marks = drawn.every("focal_curves", components.Points)[-1].xy
    assert marks[:, 0] == pytest.approx([curves.CHART.at([p], [0])[0, 0]] * 3)
    heights = [-math.log(p), 0.75 * (1 - p) ** gamma * -math.log(p), 0.25 * (1 - p) ** gamma * -math.log(p)]
    np.testing.assert_allclose(marks, [curves.CHART.at([p], [h])[0] for h in heights], rtol=1e-6)


@pytest.mark.parametrize(("gamma", "p"), [(2.0, 0.9), (0.7, 0.99), (5.0, 0.5)])
def test_how_many_easy_answers_cost_as_much_as_a_wrong_one(visit, sound, drawn, prose, gamma, p):
    told = prose(sound(visit(PAGE, {"predict": "off"}, focal_gamma=gamma, focal_p=p)))
    table = drawn.grids["focal_table"]["costs"]
    assert len(table.values) == 6
    for each, row in zip((0, 0.5, 1, 2, 5, gamma), np.array(table.values), strict=True):
        wrong, here = (float((1 - q) ** each * -math.log(q)) for q in (0.1, p))
        assert row == pytest.approx([wrong, here, (1 - p) ** -each, wrong / here], rel=1e-4)
    assert f"**{curves.said(0.9**gamma * math.log(10) / ((1 - p) ** gamma * -math.log(p)))}**" in told


@pytest.mark.parametrize("gamma", [0.0, 2.0, 5.0])
@pytest.mark.parametrize("said_by", ["γ = 2, focal loss", shared.UNTRAINED])
def test_who_makes_up_the_loss(visit, sound, prose, drawn, gamma, said_by):
    told = prose(sound(visit(PAGE, {"predict": "off"}, focal_count_gamma=gamma, focal_said_by=said_by)))
    picture = scene()
    name = {**shared.NETWORKS, shared.UNTRAINED: shared.UNTRAINED}[said_by]
    found = shared.look(name, picture.image)
    truth = torch.tensor(np.array([thing.box for thing in picture.view.instances])).float()
    match = catalog.load("retinanet").match(found, truth)
    right = torch.zeros(len(match), 8)
    for index in (match >= 0).nonzero()[:, 0]:
        right[index, THINGS.index(picture.view.instances[int(match[index])].label)] = 1
    theirs = sigmoid_focal_loss(found.logits, right, 0.25, gamma).sum(1)
    entropy = sigmoid_focal_loss(found.logits, right, -1, 0).sum(1)
    positive, easy = match >= 0, (match == -1) & (entropy < 0.1)
    total = theirs[match != -2].sum()
    assert f"**{int(positive.sum())}** positive anchors, **{int(easy.sum()):,}** easy" in told
    assert f"positives **{float(theirs[positive].sum() / total):.1%}**" in told
    assert f"easy negatives **{float(theirs[easy].sum() / total):.1%}**" in told
    bars = [box for box in drawn.boxes("focal_bars") if box.id.split("-")[2] in "lq"]
    bottom, top = count.PAID.place[3], count.PAID.place[1]
    height = sum(box.xyxy[3] - box.xyxy[1] for box in bars) / (bottom - top)
    assert height == pytest.approx(1, abs=0.02), "the shares of all bars make up the loss"


def test_before_training_every_negative_costs_the_same_and_training_makes_them_easy():
    picture = scene()
    early, late = (shared.asked_of(name, picture) for name in (shared.UNTRAINED, "retinanet"))
    assert early.difficulty[~early.positive].median() == pytest.approx(8 * -math.log(0.99), rel=0.2)
    assert late.difficulty[~late.positive].median() < 0.5 * early.difficulty[~early.positive].median()
    assert torch.equal(early.positive, late.positive) and early.ignored == late.ignored > 0


def test_a_bar_shows_its_anchors(visit, sound, drawn, said):
    picture, anchors = scene(), shared.asked_of("retinanet", scene())
    place = count.bar_of(anchors.difficulty)
    fullest = int(place.bincount().argmax())
    told = said(sound(visit(PAGE, {"predict": "off", "focal_bar": str(fullest)})))
    members = int((place == fullest).sum())
    boxes = [box for box in drawn.boxes("focal_anchors") if box.id.startswith("anchor")]
    assert len(boxes) == min(members, count.MOST_DRAWN)
    assert f"{members:,} anchors with" in drawn.options["focal_anchors"]["caption"]
    own = shared.look("retinanet", picture.image).anchors[anchors.index[place == fullest]]
    inside = {shared.xyxy(box) for box in own}
    assert {box.xyxy for box in boxes} <= inside
    wide = [box for box in drawn.boxes("focal_bars") if box.width == 3]
    assert wide and all(box.id.split("-")[1] == str(fullest) for box in wide) and told


@pytest.mark.parametrize(("difficulty", "bar"), [(0.0, 0), (1e-4, 0), (1.0, 16), (0.99, 15), (1e9, count.BARS - 1)])
def test_bars_at_their_edges(difficulty, bar):
    assert count.bar_of(torch.tensor([difficulty])).tolist() == [bar]


def test_the_curves_of_the_share_end_at_one_and_bend_with_gamma(visit, sound, drawn):
    sound(visit(PAGE, {"predict": "off"}, focal_count_gamma=3.0))
    lines = drawn.every("focal_shares", components.Lines)[1:]
    assert len(lines) == 5
    right, top = count.CURVE.place[2], count.CURVE.place[1]
    for line in lines:
        assert line.segments[-1, 2:] == pytest.approx([right, top], abs=0.3)
        assert (np.diff(line.segments[:, 1]) <= 1e-6).all(), "a share never falls"
    half = [float(np.interp(53, line.segments[:, 0], -line.segments[:, 1])) for line in lines[:4]]
    assert half[0] >= half[1] >= half[2] >= half[3], "the larger γ, the less the easy half pays"


@pytest.mark.parametrize("threshold", [0.05, 0.3, 0.95])
def test_boxes_above_the_threshold(visit, sound, drawn, prose, threshold):
    told = prose(sound(visit(PAGE, {"predict": "off"}, focal_threshold=threshold)))
    for label, name in shared.shipped().items():
        found = shared.look(name, scene().image)
        above = found.scores >= threshold
        boxes = [box for box in drawn.boxes(f"focal_found_{name}") if box.id.startswith("found")]
        assert len(boxes) == int(above.sum()) and f"**{label}**: {int(above.sum())} box" in told
        assert {box.xyxy for box in boxes} == {shared.xyxy(box) for box in found.boxes[above]}


def test_the_table_is_that_of_the_cards(visit, sound, prose):
    told = prose(sound(visit(PAGE)))
    for label, name in shared.shipped().items():
        card = catalog.card(name)["metrics"]
        assert f"| {label} | **{card['box_ap']:.3f}** | {card['box_ap50']:.3f} |" in told
    assert "2.9 AP ahead" in compared.why(0.05, "x") and "Here it is −0.010 ahead of x" in compared.why(-0.01, "x")
    assert "too." in compared.why(0.03, "x") and "too." not in compared.why(0.029, "x")


@pytest.mark.parametrize(("classes", "anchors"), [(80, 9), (20, 3), (1, 1)])
def test_sizes_of_the_outputs(visit, sound, drawn, prose, classes, anchors):
    told = prose(sound(visit(PAGE, {"predict": "off"}, focal_c=classes, focal_k=anchors, focal_side=640)))
    rows = np.array(drawn.grids["focal_sizes"]["sizes"].values)
    assert rows[:, 0].tolist() == [80, 40, 20, 10, 5] and (rows[:, 3] == classes * anchors).all()
    assert (rows[:, 4] == 4 * anchors).all()
    assert (rows[:, 5] == rows[:, 0] * rows[:, 1] * (classes + 4) * anchors).all()
    assert f"**{8525 * anchors:,}** anchors" in told
    assert f"would need {(classes + 1) * anchors:,} class maps" in drawn.options["focal_sizes"]["caption"]


def test_the_anchor_at_the_click_is_opened(visit, sound, drawn):
    found = shared.look("retinanet", scene().image)
    sound(visit(PAGE))
    best = int(found.logits.amax(1).argmax())
    assert drawn.grids["focal_sigmoids"]["sigmoids"].values[0] == pytest.approx(found.logits[best].sigmoid().tolist())
    sound(visit(PAGE, {"focal_at": "10,200"}))
    boxes = {box.id: box.xyxy for box in drawn.boxes("focal_opened")}
    left, top, right, bottom = boxes["anchor"]
    assert abs((left + right) / 2 - 10) <= 16 and abs((top + bottom) / 2 - 200) <= 16
    made = next(i for i in range(len(found.anchors)) if shared.xyxy(found.anchors[i]) == boxes["anchor"])
    assert boxes["box"] == pytest.approx(found.decoded[made].tolist(), abs=1e-3)


def test_nonsense_in_a_link_is_answered_in_a_sentence(visit):
    at = visit(PAGE, {"focal_at": "there", "focal_bar": "none", "predict": "off"})
    assert not at.exception
    told = "\n".join(error.value for error in at.error)
    assert "focal_at is no place like" in told and "focal_bar is no number" in told


def test_a_scene_without_things_and_a_photograph(visit, sound, prose, said):
    told = prose(sound(visit(PAGE, {"predict": "off"}, focal_objects=(0, 0))))
    assert "**0** positive anchors" in told
    at = sound(visit(PAGE, {"predict": "off", "focal_source": "Photograph"}))
    assert "so it has no loss" in "\n".join(each.value for each in at.info)


def test_the_questions_have_what_is_drawn_as_their_answers(visit, sound, prose):
    asked = {"predict-focal-many": "1", "predict-focal-easy": "more", "predict-focal-boxes": "a tie",
             "predict-focal-maps": "720"}  # fmt: skip
    told = prose(sound(visit(PAGE, asked)))
    assert "because C · K = 80 · 9" in told and "It is " in told
    share = count.part(*(lambda a: (a.losses(2.0, 0.25), ~a.positive & (a.difficulty < 0.1)))(
        shared.asked_of("retinanet", scene())))  # fmt: skip
    assert f"It is {share:.1%}" in told


def test_the_first_steps_run_and_tell_how_they_went(visit, sound, prose, monkeypatch):
    monkeypatch.setattr("models.recipes.retinanet_steps.SCENES", 3)
    at = sound(visit(PAGE, {"predict": "off"}, focal_train_gamma=0.0))
    at.button(key="focal_start").click()
    sound(at.run())
    settings, run = at.session_state["_focal_run"]
    until = time.monotonic() + 500
    while (run.look() is None or run.look().step < 2) and time.monotonic() < until:
        time.sleep(0.1)
    at.button(key="focal_stop").click()
    told = prose(sound(at.run()))
    found = re.search(r"without the prior and \*\*([\d,.]+)\*\* with it, \*\*([\d,.]+) times\*\*", told)
    assert found and float(found[2].replace(",", "")) > 20 and settings.gamma == 0
