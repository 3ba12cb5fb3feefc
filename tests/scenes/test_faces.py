"""Landmarks lie where the face is painted, to the pixel, and a close-up obeys its knobs."""

from dataclasses import replace

import numpy as np
import pytest

from scenes import Knobs, sample
from scenes.faces import EYES, LANDMARKS, SHIFT, TILT, CloseUp, close_up, landmarks
from scenes.scene import Placed
from scenes.shapes import shade
from scenes.things import person

SEEDS = range(12)
CRISP = 768  # pixels: every mark of a face is several pixels wide


def clear(seed: int, **changes) -> CloseUp:
    """In daylight, without noise, large."""
    face = close_up(seed, eyes=0.25, light=1.0)
    look = {"glasses": False} | changes  # whose bridge may lie over the nose
    scene = replace(face.scene, noise=0.0, objects=(replace_look(face.person, **look),))
    return CloseUp(scene)


def replace_look(thing: Placed, **changes) -> Placed:
    return replace(thing, look=thing.look | changes)


def colour(image: np.ndarray, at: np.ndarray) -> list[int]:
    """RGB of the pixel in which a point lies."""
    x, y = np.floor(at).astype(int)
    return image[y, x].tolist()


def alike(one: list[int], other: str) -> bool:
    """Up to what rounding and a soft edge leave."""
    return max(abs(a - int(other[i : i + 2], 16)) for a, i in zip(one, (1, 3, 5), strict=True)) <= 4


@pytest.mark.parametrize("seed", SEEDS)
def test_landmarks_lie_on_what_is_painted(seed):
    face = clear(seed, mood="smile")
    image, found = face.picture(CRISP), face.landmarks(CRISP)
    for eye in found[:2]:
        assert alike(colour(image, eye), "#2a1c18"), "the pupil"
    assert alike(colour(image, found[2]), shade(face.person.look["skin"], -0.35))
    middle = found[3:].mean(0)
    for corner in found[3:]:  # the end of the line of the mouth: painted there, and not a little further out
        out = (corner - middle) / np.linalg.norm(corner - middle)
        beyond = colour(image, corner + out * 0.12 * CRISP * 0.25)
        assert colour(image, corner - out) != beyond


@pytest.mark.parametrize("mood", ["grin", "open"])
def test_the_corners_of_an_open_mouth_are_its_outermost_points(mood):
    face = clear(3, mood=mood)
    image, found = face.picture(CRISP), face.landmarks(CRISP)
    dark = np.argwhere((image == (0x7C, 0x2A, 0x2C)).all(2))[:, ::-1] + 0.5
    along = found[4] - found[3]
    place = (dark - found[3]) @ along / (along @ along)
    assert place.min() == pytest.approx(0, abs=0.06) and place.max() == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_persons_right_is_the_left_of_the_picture(seed):
    found = dict(zip(LANDMARKS, close_up(seed, tilt=0).landmarks(), strict=True))
    assert found["right_eye"][0] < found["left_eye"][0] and found["right_mouth"][0] < found["left_mouth"][0]
    assert found["right_eye"][1] < found["nose"][1] < found["left_mouth"][1]


def test_both_ways_of_standing_are_drawn():
    assert {close_up(seed).person.flip for seed in SEEDS} == {True, False}
    assert {close_up(seed).person.look["gaze"] for seed in SEEDS} == {"front", "three-quarter"}


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
@pytest.mark.parametrize("tilt", [-90, -30, 0, 12.5, 90])
def test_the_head_leans_by_its_tilt_and_the_eyes_are_as_far_apart_as_said(seed, tilt):
    found = close_up(seed, tilt=tilt, eyes=0.2).landmarks(192)
    across = found[1] - found[0]
    assert np.degrees(np.arctan2(across[1], across[0])) == pytest.approx(tilt, abs=1e-6)
    assert np.linalg.norm(across) == pytest.approx(0.2 * 192)
    np.testing.assert_allclose(close_up(seed, tilt=tilt, eyes=0.2).landmarks(96), found / 2)


def test_seeds_choose_within_what_the_module_says():
    for seed in SEEDS:
        found = close_up(seed).landmarks(1000)
        across = found[1] - found[0]
        assert abs(np.degrees(np.arctan2(across[1], across[0]))) <= TILT
        assert EYES[0] <= np.linalg.norm(across) / 1000 <= EYES[1]
        assert np.abs(found.mean(0) / 1000 - 0.5).max() <= SHIFT + 1e-9


def test_turning_one_knob_leaves_the_rest_in_place():
    one, leaning, dark = close_up(5), close_up(5, tilt=40), close_up(5, light=0.0)
    assert leaning.person.look | {"nod": 0} == one.person.look | {"nod": 0}
    assert dark.person == one.person and dark.scene.light == 0 != one.scene.light
    np.testing.assert_allclose(leaning.landmarks().mean(0), one.landmarks().mean(0))
    assert (close_up(5).picture(64) == one.picture(64)).all()


def test_the_person_is_one_more_thing_of_an_ordinary_scene():
    face = close_up(5)
    assert face.scene.objects[:-1] == sample(5, Knobs(objects=(0, 3))).objects
    assert all(other.y < face.person.y for other in face.scene.objects[:-1])


def test_a_face_in_profile_and_a_thing_without_one_have_no_landmarks():
    seen = person.sample(np.random.default_rng(0)) | {"view": "side", "gaze": "side"}
    for thing in (Placed("person", seen, 0, 0, 1, False), sample(1, Knobs(objects=1, classes=("car",))).objects[0]):
        with pytest.raises(ValueError, match="all five landmarks"):
            landmarks(thing)


@pytest.mark.parametrize("wrong", [{"tilt": 91}, {"tilt": -91}, {"eyes": 0}, {"eyes": 0.51}, {"light": 1.5}])
def test_numbers_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="not"):
        close_up(0, **wrong)
