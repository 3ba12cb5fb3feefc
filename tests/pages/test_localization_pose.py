"""Poses on the localization page: the numbers are the network's, the box is the frame, joints out of sight, scores."""

import functools
import re

import pytest
import torch

from labs import pose as lab
from models import catalog
from models.networks.localizer import LoadedLocalizer, Localizer
from models.networks.pose_regression import NO_LOSS, RULES, TRUE_PLACE, ZEROS, LoadedPoseRegression, PoseRegression
from pages.localization import pose, pose_hidden, pose_scored, pose_shared
from pages.localization.pose_shared import maps_of, person_of
from pages.shared import one_person
from ui import components

PAGE, LOAD = "localization", catalog.load


@functools.cache
def fresh(name):
    """Networks as they are before training; the detector is the real one."""
    torch.manual_seed(5)
    if name == pose_shared.NETWORK:
        net = PoseRegression().eval().requires_grad_(False)
        metrics = {key: 0.5 + i / 100 for i, key in enumerate(sum(pose_hidden.FIGURES.values(), ()))}
        metrics["pck_strict"], metrics["pck_strict_first_stage"] = 0.71, 0.61
        return LoadedPoseRegression(name, net, torch.device("cpu"), {"metrics": metrics | {"scenes": 500}})
    if name.startswith("localizer"):
        return LoadedLocalizer(name, Localizer().eval().requires_grad_(False), torch.device("cpu"), {})
    return LOAD(name)


@pytest.fixture
def run(visit, monkeypatch):
    """Function: a visit to the page."""
    monkeypatch.setattr(catalog, "load", fresh)
    return lambda query=None, **state: visit(PAGE, query, **state)


def test_both_stages_stand_on_the_picture_and_the_arithmetic_is_theirs(run, sound, drawn, prose):
    at = sound(run(pose_seed=3, pose_show=["first stage", "second stage", "truth"], pose_joint="right knee"))
    person = person_of(3)
    said = fresh(pose_shared.NETWORK)(person.image, person.box)
    points = [layer.xy for layer in drawn.every("pose_stage", components.Points)]
    for found, theirs in zip(points, (person.joints, said.first, said.second), strict=True):
        torch.testing.assert_close(torch.as_tensor(found), theirs, atol=0.05, rtol=0)
    text = prose(at)
    number = lab.JOINTS.index("right knee")
    assert f"numbers {2 * number + 1} and {2 * number + 2} of 28" in text
    found = re.findall(r"([+−]) ([\d.]+) · [\d.]+ = \*\*", text)[:2]
    u, v = (float(number) * (-1 if sign == "−" else 1) for sign, number in found)
    assert (u, v) == pytest.approx(said.numbers[2 * number : 2 * number + 2].tolist(), abs=6e-4)
    off = re.search(r"off by ([\d.]+) px, then \*\*([\d.]+) px", text)
    theirs = [float(person.errors(each)[number]) for each in (said.first, said.second)]
    assert [float(off[1]), float(off[2])] == pytest.approx(theirs, abs=0.06)
    before, after = person.errors(said.first), person.errors(said.second)
    rows = at.dataframe[0].value
    assert rows["first stage"].tolist() == pytest.approx(before.tolist(), abs=0.06)
    assert (rows["in sight"] == "yes").tolist() == person.seen.tolist()
    assert f"mean error goes from {float(before[person.seen].mean()):.1f}" in text.replace("**", "") or after.any()


def test_the_box_is_the_frame_of_the_numbers_and_stands_in_the_address(run, sound, drawn):
    at = sound(run({"pose_box": "40,30,150,200"}, pose_seed=3, pose_show=["first stage"]))
    assert drawn.boxes("pose_stage")[-1].xyxy == (40, 30, 150, 200)
    person = person_of(3)
    theirs = fresh(pose_shared.NETWORK)(person.image, torch.tensor([40.0, 30.0, 150.0, 200.0])).first
    torch.testing.assert_close(torch.as_tensor(drawn.layer("pose_stage", components.Points).xy), theirs)
    assert at.query_params["pose_box"] in ("40,30,150,200", ["40,30,150,200"])
    at.session_state["pose_seed"] = 4
    sound(at.run())
    box = drawn.boxes("pose_stage")[-1].xyxy
    assert box == pytest.approx(person_of(4).box.tolist(), abs=0.051), "a new person brings its own box"
    assert "pose_box" not in at.query_params


@pytest.mark.parametrize("place", ["here", "900,900,950,950", "50,50,50,50", "-5,0,40,40"])
def test_a_link_with_nonsense_shows_the_true_box(run, sound, drawn, place):
    sound(run({"pose_box": place}, pose_seed=3))
    assert drawn.boxes("pose_stage")[-1].xyxy == pytest.approx(person_of(3).box.tolist(), abs=0.051)


def test_a_box_too_small_to_see_a_person_in_gives_one_sentence():
    with pytest.raises(ValueError, match="at least 12 pixels"):
        pose.answer(person_of(3), torch.tensor([10.0, 10.0, 21.9, 90.0]))


@pytest.mark.parametrize("rule", RULES)
def test_the_switch_shows_the_layer_of_that_training_and_its_loss(run, sound, drawn, prose, rule):
    seed = next(seed for seed in range(50) if 0 < int(person_of(seed).seen.sum()) < 12)
    at = sound(run(pose_seed=seed, pose_rule=rule))
    person = person_of(seed)
    said = fresh(pose_shared.NETWORK)(person.image, person.box, rule)
    found = [torch.as_tensor(layer.xy) for layer in drawn.every("pose_rule_stage", components.Points)]
    torch.testing.assert_close(found[1], said.first)
    assert len(found[2]) == int((~person.seen).sum()), "the true places of joints out of sight"
    square = lab.square(person.box)
    truth = person.joints.clone()
    if rule == ZEROS:
        truth[~person.seen] = 0.0
    squares = (lab.normalised(said.first, square) - lab.normalised(truth, square)).square().sum(-1)
    theirs = float(squares[person.seen].mean() if rule == NO_LOSS else squares.mean())
    text = prose(at)
    told = re.search(r"L2 loss over \*\*(\d+)\*\* joints: \*\*([\d.]+)\*\*", text)
    assert int(told[1]) == (int(person.seen.sum()) if rule == NO_LOSS else 14)
    assert float(told[2]) == pytest.approx(theirs, abs=6e-5)
    assert "| no loss | 0.500 | 0.510 |" in text and f"| {TRUE_PLACE} | 0.520 | 0.530 |" in text


def test_the_heat_map_is_that_of_the_chosen_joint(run, sound, drawn):
    sound(run(pose_seed=3, pose_joint="neck"))
    maps = maps_of(3)
    number = lab.JOINTS.index("neck")
    heat = drawn.layer("pose_heat_stage", components.Heat)
    theirs = maps.maps[number].flatten().softmax(0).view_as(maps.maps[number])
    strong = theirs / theirs.max() >= 0.02
    torch.testing.assert_close(torch.as_tensor(heat.values)[strong], (theirs / theirs.max())[strong])
    assert torch.as_tensor(heat.values)[~strong].isnan().all() and strong.any() and not strong.all()
    assert float(person_of(3).errors(maps.joints)[number]) < 20, "the detector knows where a neck is"


def test_scores_are_those_of_the_lab_over_the_scenes(run, sound, prose, monkeypatch):
    monkeypatch.setattr(pose_scored, "COUNTS", (2, 20))
    at = run(pose_count=2, pose_pck=0.1, pose_oks=0.05)
    assert "mean OKS" not in prose(at) and "PCK@0.05 0.610 → **0.710**" in prose(at)
    at = sound(at.button(key="pose_measure").click().run())
    people, found = pose_scored.gathered(2)
    truth, seen = (torch.stack([getattr(each, name) for each in people]) for name in ("joints", "seen"))
    text = prose(at)
    for name, joints in found.items():
        distances = (joints - truth).norm(dim=-1) / torch.tensor([each.height for each in people])[:, None]
        theirs = float((distances[seen] <= 0.1).float().mean())
        assert f"**{name}**: PCK@0.10 **{theirs:.3f}** · mean OKS **" in text


def test_a_person_who_is_hidden_whole_gives_one_sentence(run, monkeypatch):
    pose_shared.person_of.clear()
    monkeypatch.setattr(one_person.pose_people, "person_of", lambda view: None)
    at = run(pose_seed=3)
    assert not at.exception and ["hides the whole person" in each.value for each in at.error] == [True]
    pose_shared.person_of.clear()
