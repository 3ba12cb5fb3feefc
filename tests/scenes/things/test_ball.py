"""Balls are round, rest on the ground and say what they are."""

import numpy as np
import pytest

from scenes.shapes import extent
from scenes.things import ball

LOOKS = [ball.sample(np.random.default_rng(seed)) for seed in range(200)]


@pytest.mark.parametrize("variant", ball.VARIANTS)
def test_is_round_and_rests_on_the_ground(variant):
    for look in LOOKS:
        x1, y1, x2, y2 = extent(ball.draw(look | {"variant": variant}).shapes)
        assert 95 <= y2 - y1 <= 105 and x2 - x1 == pytest.approx(y2 - y1, rel=0.01)
        assert -2 <= y2 <= 2 and x1 + x2 == pytest.approx(0, abs=1e-6)


def test_the_body_owns_the_pixels_and_marks_stay_inside_it():
    for look in LOOKS:
        shapes = ball.draw(look).shapes
        assert sum(shape.silhouette for shape in shapes) == 1 and len(shapes) <= 60
        assert all(shape.clip is not None for shape in shapes[1:-1])


def test_a_football_is_a_truncated_icosahedron():
    corners = ball._icosahedron()
    assert corners.shape == (12, 3)
    assert np.linalg.norm(corners, axis=1) == pytest.approx(np.ones(12))
    assert [(corners @ corner > 0.4).sum() - 1 for corner in corners] == [5] * 12  # five seams from every pentagon


def test_rolling_keeps_points_on_the_sphere_and_angles_between_them():
    points = ball._icosahedron()
    for look in LOOKS[:40]:
        turned = ball._turned(look, points)
        assert turned @ turned.T == pytest.approx(points @ points.T, abs=1e-9)


def test_same_look_draws_the_same_curves():
    for look in LOOKS[:40]:
        first, second = ball.draw(dict(look)), ball.draw(dict(look))
        assert [(s.d, s.fill, s.stroke) for s in first.shapes] == [(s.d, s.fill, s.stroke) for s in second.shapes]


def test_looks_are_plain_and_every_variant_is_reached():
    assert {look["variant"] for look in LOOKS} == set(ball.VARIANTS)
    assert all(type(value) in (str, float, int, bool) for look in LOOKS for value in look.values())


def test_phrase_names_the_class_and_attributes_are_words():
    for look in LOOKS:
        words = ball.phrase(look).split()
        assert "ball" in ball.phrase(look) and words[0] == ("an" if words[1][0] in "aeiou" else "a")
        assert all(type(value) is str and value for value in ball.attributes(look).values())
