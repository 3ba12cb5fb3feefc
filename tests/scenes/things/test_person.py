"""Persons stand on the ground, their joints lie on the drawn body, and they say what they are."""

import numpy as np
import pytest

from scenes.classes import JOINTS
from scenes.shapes import extent
from scenes.things import person

LOOKS = [person.sample(np.random.default_rng(seed)) for seed in range(200)]
PLAIN = LOOKS[0] | {
    "variant": "adult",
    "pose": "standing",
    "clothes": "trousers",
    "yaw": 0.0,
    "swing": 0.0,
    "nod": 0.0,
    "left_handed": False,
    "hat": "none",
    "hair": "short",
    "stature": 1.0,
    "girth": 1.0,
    "head": 1.0,
    "backpack": False,
}


def seen_from(view, **changes):
    return person.draw(PLAIN | {"view": view, "gaze": view} | changes)


@pytest.mark.parametrize("view", person.VIEWS)
@pytest.mark.parametrize("pose", person.POSES)
def test_stands_on_the_ground_within_the_frame(pose, view):
    for look in LOOKS[:8]:
        x1, y1, x2, y2 = extent(person.draw(look | {"pose": pose, "view": view}).shapes)
        assert 38 <= y2 - y1 <= 125 and 12 <= x2 - x1 <= 100
        assert -6 <= y2 <= 0 if pose == "jumping" else -2 <= y2 <= 2
        assert x1 + x2 == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("view", person.VIEWS)
@pytest.mark.parametrize("pose", person.POSES)
def test_every_joint_lies_on_the_drawn_body(pose, view):
    for look in LOOKS[:8]:
        drawing = person.draw(look | {"pose": pose, "view": view})
        body = [shape for shape in drawing.shapes if shape.silhouette]
        assert tuple(drawing.joints) == JOINTS
        for x, y, seen in drawing.joints.values():
            assert any(person._covers(shape.points(), np.array([x, y])) for shape in body)
            assert type(x) is float and type(seen) is bool


def test_left_is_at_the_right_of_a_picture_from_the_front():
    joints = seen_from("front").joints
    for part in ("foot", "knee", "hip", "shoulder", "elbow", "hand"):
        assert joints[f"left_{part}"][0] > joints[f"right_{part}"][0] + 4
    assert all(seen for _, _, seen in joints.values())


def test_the_far_side_is_hidden_from_the_side():
    joints = seen_from("side").joints
    assert not any(joints[f"left_{part}"][2] for part in ("hip", "shoulder", "elbow"))
    assert all(joints[f"right_{part}"][2] for part in ("foot", "knee", "shoulder", "elbow", "hand"))
    assert joints["neck"][2] and joints["head_top"][2]


def test_joints_are_ordered_from_head_to_foot():
    joints = seen_from("front").joints
    heights = [joints[name][1] for name in ("head_top", "neck", "left_shoulder", "left_hip", "left_knee", "left_foot")]
    assert heights == sorted(heights)


def test_bones_keep_their_length_in_every_pose():
    # seen exactly from the side, without spread, the picture plane holds the whole bone but for the camera's tilt
    for pose in ("standing", "walking", "running", "sitting", "kicking"):
        joints = seen_from("side", pose=pose, yaw=4.0, stride=1.0).joints
        thigh = np.subtract(joints["right_hip"][:2], joints["right_knee"][:2])
        assert np.linalg.norm(thigh) == pytest.approx(19.0, rel=0.06)


def test_who_waves_raises_the_hand_of_the_handed_side():
    for view in person.VIEWS:
        for left in (True, False):
            joints = seen_from(view, pose="waving", left_handed=left).joints
            assert (joints["left_hand"][1] < joints["right_hand"][1]) == left


def test_every_look_is_drawn_within_the_budget_with_its_joints_on_the_body():
    drawings = [person.draw(look) for look in LOOKS]
    counts = [len(drawing.shapes) for drawing in drawings]
    assert np.mean(counts) <= 70 and max(counts) <= 95
    for drawing in drawings:
        body = [shape for shape in drawing.shapes if shape.silhouette]
        assert all(shape.clip is None for shape in body)
        for x, y, _ in drawing.joints.values():
            assert any(person._covers(shape.points(), np.array([x, y])) for shape in body)


def test_same_look_draws_the_same_curves():
    for look in LOOKS[:40]:
        first, second = person.draw(dict(look)), person.draw(dict(look))
        assert [(s.d, s.fill, s.stroke) for s in first.shapes] == [(s.d, s.fill, s.stroke) for s in second.shapes]
        assert first.joints == second.joints


def test_looks_are_plain_and_everything_is_reached():
    for key, values in (
        ("variant", person.VARIANTS),
        ("pose", person.POSES),
        ("view", person.VIEWS),
        ("clothes", person.CLOTHES),
        ("hair", person.HAIR),
    ):
        assert {look[key] for look in LOOKS} == set(values)
    assert all(type(value) in (str, float, int, bool) for look in LOOKS for value in look.values())


def test_phrase_names_the_class_and_attributes_are_words():
    for look in LOOKS:
        assert "person" in person.phrase(look)
        assert all(type(value) is str and value for value in person.attributes(look).values())
