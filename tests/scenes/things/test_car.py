"""Cars stand on the ground, own their pixels and say what they are."""

import numpy as np
import pytest

from scenes.shapes import extent
from scenes.things import car

LOOKS = [car.sample(np.random.default_rng(seed)) for seed in range(200)]


def test_stands_on_the_ground_within_the_frame():
    for look in LOOKS:
        x1, y1, x2, y2 = extent(car.draw(look).shapes)
        assert 40 <= y2 - y1 <= 100 and -2 <= y2 <= 2
        assert x1 + x2 == pytest.approx(0, abs=1e-6)
        low, high = (110, 180) if look["pose"] == "side" else (65, 110)
        assert low <= x2 - x1 <= high


@pytest.mark.parametrize("variant", car.VARIANTS)
def test_every_finish_and_roof_can_be_drawn_on_every_body(variant):
    for look in LOOKS[:4]:
        look = {**look, "variant": variant, "pose": "side", "load": "hay" if variant == "pick-up" else "none"}
        for finish in car.FINISHES:
            for roof in car.ROOFS:
                shapes = car.draw({**look, "finish": finish, "roof": roof}).shapes
                assert np.isfinite(extent(shapes)).all() and len(shapes) <= 65


def test_body_owns_pixels_and_no_pattern_does():
    for look in LOOKS:
        shapes = car.draw(look).shapes
        assert any(shape.silhouette for shape in shapes)
        assert all(shape.clip is None for shape in shapes if shape.silhouette)


def test_same_look_draws_the_same_curves():
    for look in LOOKS[:40]:
        first, second = car.draw(dict(look)), car.draw(dict(look))
        assert [(s.d, s.fill, s.stroke) for s in first.shapes] == [(s.d, s.fill, s.stroke) for s in second.shapes]


def test_looks_are_plain_and_every_variant_and_pose_is_reached():
    assert {look["variant"] for look in LOOKS} == set(car.VARIANTS)
    assert {look["pose"] for look in LOOKS} == set(car.POSES)
    assert all(type(value) in (str, float, int, bool) for look in LOOKS for value in look.values())


def test_phrase_names_the_class_and_attributes_are_words():
    for look in LOOKS:
        words = car.phrase(look).replace(",", "").split()
        assert "car" in words and words[0] == ("an" if words[1][0] in "aeiou" else "a")
        assert all(type(value) is str and value for value in car.attributes(look).values())
