"""Ducks are drawn within the frame, stand on the ground and say what they are."""

import numpy as np
import pytest

from scenes.shapes import extent
from scenes.things import duck

LOOKS = [duck.sample(np.random.default_rng(seed)) for seed in range(200)]


@pytest.mark.parametrize("pose", duck.POSES)
def test_stands_on_the_ground_within_the_frame(pose):
    for look in LOOKS:
        x1, y1, x2, y2 = extent(duck.draw({**look, "pose": pose}).shapes)
        assert 45 <= y2 - y1 <= 125 and 35 <= x2 - x1 <= 200
        assert -2 <= y2 <= 2
        assert x1 + x2 == pytest.approx(0, abs=1e-6)


def test_body_owns_pixels_and_stays_within_the_budget():
    for look in LOOKS:
        shapes = duck.draw(look).shapes
        assert any(shape.silhouette for shape in shapes) and len(shapes) <= 75
        assert all(shape.clip is None for shape in shapes if shape.silhouette)


def test_same_look_draws_the_same_curves():
    for look in LOOKS[:40]:
        first, second = duck.draw(dict(look)), duck.draw(dict(look))
        assert [(s.d, s.fill, s.stroke) for s in first.shapes] == [(s.d, s.fill, s.stroke) for s in second.shapes]


def test_looks_are_plain_and_every_variant_and_pose_is_reached():
    assert {look["variant"] for look in LOOKS} == set(duck.VARIANTS) and len(duck.VARIANTS) >= 4
    assert {look["pose"] for look in LOOKS} == set(duck.POSES)
    assert all(type(value) in (str, float, int, bool) for look in LOOKS for value in look.values())


def test_phrase_names_the_class_and_attributes_are_words():
    for look in LOOKS:
        assert "duck" in duck.phrase(look) and duck.phrase(look).split()[0] in ("a", "an")
        attributes = duck.attributes(look)
        assert attributes["pose"] == look["pose"] and all(type(value) is str and value for value in attributes.values())


def test_a_swimming_duck_has_a_flat_bottom_and_no_feet():
    for look in LOOKS:
        swimming = duck.draw({**look, "pose": "swimming"}).shapes
        bottom = np.concatenate([s.points() for s in swimming if s.silhouette])
        low = bottom[bottom[:, 1] > -3]
        assert np.ptp(low[:, 0]) > 15
        assert len(swimming) < len(duck.draw({**look, "pose": "standing"}).shapes) or look["variant"] == "runner"
