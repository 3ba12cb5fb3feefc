"""Motorcycles stand on both wheels, own their pixels and say what they are."""

import numpy as np
import pytest

from scenes.shapes import extent
from scenes.things import motorcycle

LOOKS = [motorcycle.sample(np.random.default_rng(seed)) for seed in range(200)]


@pytest.mark.parametrize("variant", motorcycle.VARIANTS)
def test_stands_on_the_ground_within_the_frame(variant):
    for look in LOOKS[:60]:
        x1, y1, x2, y2 = extent(motorcycle.draw({**look, "variant": variant}).shapes)
        assert 60 <= y2 - y1 <= 105 and 90 <= x2 - x1 <= 170 and -2 <= y2 <= 2
        assert x1 + x2 == pytest.approx(0, abs=1e-6)


def test_body_owns_pixels_and_stays_within_the_budget():
    for look in LOOKS:
        shapes = motorcycle.draw(look).shapes
        assert any(shape.silhouette for shape in shapes) and len(shapes) <= 70
        assert all(shape.clip is None for shape in shapes if shape.silhouette)


def test_same_look_draws_the_same_curves():
    for look in LOOKS[:40]:
        first, second = motorcycle.draw(dict(look)), motorcycle.draw(dict(look))
        assert [(s.d, s.fill, s.stroke) for s in first.shapes] == [(s.d, s.fill, s.stroke) for s in second.shapes]


def test_looks_are_plain_and_every_variant_finish_and_case_is_reached():
    assert {look["variant"] for look in LOOKS} == set(motorcycle.VARIANTS)
    assert {look["finish"] for look in LOOKS} == set(motorcycle.FINISHES)
    assert {look["luggage"] for look in LOOKS} == set(motorcycle.LUGGAGE)
    assert all(type(value) in (str, float, int, bool) for look in LOOKS for value in look.values())


def test_phrase_names_the_class_and_attributes_are_words():
    for look in LOOKS:
        words = motorcycle.phrase(look).split()
        assert "motorcycle" in words and words[0] == ("an" if words[1][0] in "aeiou" else "a")
        assert all(type(value) is str and value for value in motorcycle.attributes(look).values())
