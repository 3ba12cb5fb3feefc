"""Mask R-CNN's keypoints: targets and losses of the box of the hand, readings of a map, and OKS opened."""

import math

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest
from torchvision.models.detection import roi_heads as theirs

from labs.pose import JOINTS, SIGMAS
from models import catalog
from models.inside.joint_heat_maps import heat_maps
from pages.mask_rcnn import joint_places, joint_similarity, persons
from pages.shared import one_person
from pages.shared.one_person import person_of
from ui import components
from ui.components import Box

SECTIONS = "from pages.mask_rcnn import keypoints\nkeypoints.keypoints()"
FAR = 31  # a person of whom some joints are in sight, some hidden, some outside the picture
SMALL = (20.0, 60.0, 70.0, 130.0)  # without the feet


def visit(query: dict | None = None, /, **state) -> AppTest:
    """The sections on joints alone: what stands above them on the page costs a visit seconds."""
    at = AppTest.from_string(SECTIONS, default_timeout=600)
    for key, value in (query or {}).items():
        at.query_params[key] = value
    for key, value in state.items():
        at.session_state[key] = value
    return at.run()


def hand(*xyxy: float) -> dict[str, list[Box]]:
    return {persons.STAGE: [Box("person", xyxy, editable=True)]}


def theirs_of(seed: int, box: tuple[float, ...] | None = None):
    """Person, truth (1, 14, 3), box (1, 4) and logits (1, 14, 56, 56) as the library's parts give them."""
    person = person_of(seed)
    boxes = torch.tensor([box or persons.true_box(person).xyxy])
    joints = torch.cat([person.joints, person.visibility[:, None].float()], 1)[None]
    return person, joints, boxes, heat_maps(catalog.load("detector"), person.image, boxes[0]).maps[None]


@pytest.mark.parametrize(("joint", "box"), [("neck", None), ("neck", SMALL)])
def test_maps_targets_and_losses_follow_the_box_of_the_hand(sound, drawn, said, joint, box):
    state = hand(*box) if box else {}
    at = sound(visit({"predict": "off"}, joint_seed=FAR, joint_name=joint, **state))
    told = said(at)
    person, joints, boxes, logits = theirs_of(FAR, box)
    places, valid = theirs.keypoints_to_heatmap(joints, boxes, 56)
    k = JOINTS.index(joint)
    share = logits[0].flatten(1).softmax(1)
    np.testing.assert_allclose(drawn.layer("joint_share", components.Heat).values.ravel(), share[k], atol=1e-6)
    target = drawn.layer("joint_target", components.Heat).values
    assert target.sum() == valid[0, k] == 1 and target.ravel()[places[0, k]] == 1
    assert (
        f"loss −ln {share[k, places[0, k]]:.4f} = **{-math.log(share[k, places[0, k]]):.2f}**, and ln 3136 = 8.05"
        in told
    )
    shown = np.array(drawn.grids["joint_losses"]["losses"].values, float)
    expected = -share.log().gather(1, places[0][:, None])[:, 0]
    np.testing.assert_array_equal(np.isnan(shown[:, 1]), ~valid[0].bool().numpy())
    np.testing.assert_allclose(shown[valid[0].bool().numpy(), 1], expected[valid[0].bool()], atol=1e-4)
    np.testing.assert_allclose(shown[:, 0], share.max(1).values, atol=1e-6)
    mean = theirs.keypointrcnn_loss(logits, [boxes], [joints], [torch.tensor([0])])
    assert f"The mean of their losses is {mean:.2f}." in told
    assert f"{int((person.visibility == 1).sum())} hidden, 2 outside the picture" in said(at)
    if box:
        assert 0 < int(valid.sum()) < int((person.visibility > 0).sum()), "the box leaves some out"


def test_a_joint_outside_box_or_picture_has_no_target(sound, drawn, prose):
    person = person_of(FAR)
    away = JOINTS[person.visibility.tolist().index(one_person.OUTSIDE)]
    told = prose(sound(visit(joint_seed=FAR, joint_name=away)))
    assert f"The **{away}** lies outside the picture: no target, no loss." in told
    assert not drawn.layer("joint_target", components.Heat).values.any()
    told = prose(sound(visit({"predict": "off"}, joint_seed=FAR, **hand(200.0, 2.0, 220.0, 20.0))))
    assert "lies outside the box: **no cell, no loss**" in told and "There is no loss." in told


def test_five_readings_and_their_errors(sound, drawn, said):
    at = sound(visit({"predict": "off"}, joint_seed=FAR, joint_name="head top"))
    person, _, boxes, logits = theirs_of(FAR)
    shown = np.array(drawn.grids["joint_readings"]["readings"].values, float)
    k, place = JOINTS.index("head top"), logits[0].flatten(1).argmax(1)
    cell = (boxes[0, 2:] - boxes[0, :2]) / 56
    middle = boxes[0, :2] + (torch.stack([place % 56, place // 56], 1) + 0.5) * cell
    enlarged = theirs.heatmaps_to_keypoints(logits, boxes)[0][0, :, :2]
    for row, joints in ((0, middle - cell / 2), (1, middle), (3, enlarged)):
        errors = person.errors(joints)
        np.testing.assert_allclose(shown[row], [errors[k], errors[person.seen].mean()], atol=1e-3)
    best = list(joint_places.READINGS)[int(shown[:, 0].argmin())]
    assert f"comes closest to the head top? **“{best}”**" in said(at)


@pytest.mark.parametrize("side", [7, 112])
def test_a_finer_map_is_closer_to_the_truth(sound, drawn, said, side):
    at = sound(visit({"predict": "off"}, joint_seed=FAR, joint_side=side))
    person = person_of(FAR)
    off = joint_places.grid_error(person, side)
    assert f"**{side} × {side}: {off:.2f} px**" in said(at)
    points = drawn.every("joint_fine", components.Points)
    away = np.linalg.norm(np.asarray(points[0].xy) - np.asarray(points[1].xy), axis=1)
    assert away.mean() == pytest.approx(off, abs=1e-4)
    assert joint_places.grid_error(person, 112) < joint_places.grid_error(person, 28) / 2


def test_oks_is_opened_joint_by_joint(sound, drawn, prose):
    state = {"joint_seed": FAR, "oks_moved": 6, "oks_area": 0.5, "oks_way": joint_similarity.SECOND}
    told = prose(sound(visit({"predict": "off"}, **state)))
    person = person_of(FAR)
    joints = catalog.load("pose-regression")(person.image, person.box).second + torch.tensor([6.0, 0.0])
    d, k = person.errors(joints).numpy(), 2 * np.array(SIGMAS)
    expected = np.exp(-(d**2) / (2 * person.area * 0.5 * k**2))
    counts = (person.visibility > 0).numpy()
    shown = np.array(drawn.grids["oks_joints"]["joints"].values, float)
    np.testing.assert_allclose(shown[:, 0], d, atol=1e-3)
    np.testing.assert_allclose(shown[counts, 2], expected[counts], atol=1e-4)
    assert np.isnan(shown[~counts, 2]).all() and not counts.all()
    assert f"OKS = mean of {counts.sum()} joints = **{expected[counts].mean():.3f}**" in told
    lines = drawn.layer("oks_stage", components.Lines).segments
    assert len(lines) == counts.sum() * joint_similarity.CORNERS
    radius = math.hypot(*(lines[0][:2] - person.joints[torch.from_numpy(counts)][0].numpy()))
    assert math.exp(-(radius**2) / (2 * person.area * 0.5 * k[counts][0] ** 2)) == pytest.approx(0.5, abs=1e-3)


def test_the_box_lives_in_the_address_and_another_person_puts_it_back(sound, drawn):
    sound(visit({"joint_box": "70,130,20,60"}))
    held = [box.xyxy for box in drawn.boxes(persons.STAGE) if box.editable]
    assert held == [SMALL]
    at = sound(visit(**hand(*SMALL)))
    at.number_input(key="joint_seed").set_value(33)
    sound(at.run())
    assert [box.xyxy for box in drawn.boxes(persons.STAGE) if box.editable] == [persons.true_box(person_of(33)).xyxy]


def test_a_person_who_is_hidden_whole_gives_one_sentence(monkeypatch):
    person_of.clear()
    monkeypatch.setattr(one_person.pose_people, "person_of", lambda view: None)
    at = visit(joint_seed=3)
    assert not at.exception and ["hides the whole person" in each.value for each in at.error] == [True]
    person_of.clear()
