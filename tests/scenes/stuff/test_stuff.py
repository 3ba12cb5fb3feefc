"""Backdrops fill the frame: sky everywhere, grass below the horizon, road and water on the ground."""

import cv2
import numpy as np
import pytest

from scenes.shapes import extent
from scenes.stuff import grass, road, sky, tree, water

HORIZONS = (70.0, 98.5, 130.0)
GROUND = (grass, road, water)
MODULES = (sky, *GROUND, tree)


def looks(module, count=200):
    return [module.sample(np.random.default_rng(seed)) for seed in range(count)]


def drawn(module, look, seed=0):
    if module is sky:
        return sky.draw(look, (0.0, 0.5, 1.0)[seed % 3])
    return tree.draw(look).shapes if module is tree else module.draw(look, HORIZONS[seed % 3])


def owned(shapes):
    """bool (224, 224), pixels inside any shape that owns pixels."""
    mask = np.zeros((224, 224), np.uint8)
    for shape in shapes:
        if shape.silhouette:
            cv2.fillPoly(mask, [np.round(shape.points() * 16).astype(np.int32)], 1, shift=4)
    return mask.astype(bool)


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_every_look_draws_within_the_budget_and_the_same_twice(module):
    for seed, look in enumerate(looks(module)):
        shapes, again = drawn(module, look, seed), drawn(module, dict(look), seed)
        assert 0 < len(shapes) <= 120 and any(shape.silhouette for shape in shapes)
        assert all(np.isfinite(shape.segments).all() for shape in shapes)
        assert [(s.d, s.fill, s.stroke) for s in shapes] == [(s.d, s.fill, s.stroke) for s in again]
        assert all(type(value) in (str, float, int, bool) for value in look.values())


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_every_variant_is_reached(module):
    assert {look["variant"] for look in looks(module)} == set(module.VARIANTS)


@pytest.mark.parametrize("light", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_sky_covers_the_frame(light):
    for look in looks(sky, 60):
        shapes = sky.draw(look, light)
        assert owned(shapes).all()
        x1, y1, x2, y2 = extent(shapes)
        assert x1 <= -50 and y1 <= -50 and x2 >= 274 and y2 >= 224


@pytest.mark.parametrize("horizon", HORIZONS)
def test_grass_covers_everything_below_the_horizon(horizon):
    for look in looks(grass):
        mask = owned(grass.draw(look, horizon))
        assert mask[int(np.ceil(horizon)) :].all()
        assert not mask[: int(horizon) - 45].any()


@pytest.mark.parametrize("module", [road, water], ids=lambda m: m.__name__)
@pytest.mark.parametrize("horizon", HORIZONS)
def test_road_and_water_lie_on_the_ground(module, horizon):
    for look in looks(module):
        # the smooth far ends of a winding path and of a lake overshoot a low horizon by up to 2.7 units
        assert extent(module.draw(look, horizon))[1] >= horizon - 3


@pytest.mark.parametrize("variant", tree.VARIANTS)
def test_trees_stand_on_the_ground(variant):
    for look in looks(tree):
        if look["variant"] == variant:
            x1, y1, x2, y2 = extent(tree.draw(look).shapes)
            assert -2 <= y2 <= 2 and 25 <= y2 - y1 <= 125 and x1 < 0 < x2
