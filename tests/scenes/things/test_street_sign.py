"""Street signs stand on the ground, own their pixels and say what they are."""

import numpy as np
import pytest

from scenes.shapes import extent
from scenes.things import street_sign

LOOKS = [street_sign.sample(np.random.default_rng(seed)) for seed in range(200)]


@pytest.mark.parametrize("variant", street_sign.VARIANTS)
def test_stands_on_the_ground_within_the_frame(variant):
    for look in LOOKS:
        x1, y1, x2, y2 = extent(street_sign.draw(look | {"variant": variant}).shapes)
        assert 78 <= y2 - y1 <= 112 and 28 <= x2 - x1 <= 85
        assert -2 <= y2 <= 2 and x1 + x2 == pytest.approx(0, abs=1e-6)


def test_boards_and_pole_own_the_pixels_and_marks_do_not():
    for look in LOOKS:
        shapes = street_sign.draw(look).shapes
        assert 3 <= sum(shape.silhouette for shape in shapes) <= 8 and len(shapes) <= 60
        assert all(shape.clip is None for shape in shapes if shape.silhouette)


def test_every_limit_can_be_written():
    for limit in street_sign.LIMITS:
        assert set(limit) <= set(street_sign.GLYPHS)
        forty = street_sign.draw(LOOKS[0] | {"variant": "speed limit", "limit": "40"})
        other = street_sign.draw(LOOKS[0] | {"variant": "speed limit", "limit": limit})
        same = [s.d for s in forty.shapes] == [s.d for s in other.shapes]
        assert same == (limit == "40")


def test_same_look_draws_the_same_curves():
    for look in LOOKS[:40]:
        first, second = street_sign.draw(dict(look)), street_sign.draw(dict(look))
        assert [(s.d, s.fill, s.stroke) for s in first.shapes] == [(s.d, s.fill, s.stroke) for s in second.shapes]


def test_looks_are_plain_and_every_variant_is_reached():
    assert {look["variant"] for look in LOOKS} == set(street_sign.VARIANTS)
    assert {look["pictogram"] for look in LOOKS} == set(street_sign.PICTOGRAMS)
    assert all(type(value) in (str, float, int, bool) for look in LOOKS for value in look.values())


def test_phrase_names_the_class_and_attributes_are_words():
    for look in LOOKS:
        assert "street sign" in street_sign.phrase(look)
        assert all(type(value) is str and value for value in street_sign.attributes(look).values())
