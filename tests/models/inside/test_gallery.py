"""The gallery: as many things of each class, as the scenes that they come from say they are."""

from collections import Counter

import numpy as np

import scenes
from models.inside import gallery
from models.recipes.scene_cache import held_out_seeds
from scenes import THINGS
from scenes.things import anatomy, ball, machines, person, street_sign


def test_there_are_as_many_of_each_class_and_none_from_training():
    things = gallery.things()
    assert Counter(each.label for each in things) == dict.fromkeys(THINGS, 125)
    assert min(each.seed for each in things) == held_out_seeds(1).start
    assert {each.colour for each in things} <= set(gallery.COLOURS)
    assert {each.light for each in things} == {"night", "dusk", "day"}
    posed = {each.label for each in things if each.pose}
    assert posed == {"person", "cat", "dog", "duck", "car"}
    for x1, y1, x2, y2 in (each.window for each in things):
        assert 0 <= x1 < x2 <= gallery.DRAWN and 0 <= y1 < y2 <= gallery.DRAWN and x2 - x1 == y2 - y1


def test_every_name_of_a_colour_has_a_term():
    tables = (anatomy.COATS, machines.PAINTS, ball.COLOURS, person.CLOTH, street_sign.COLOURS)
    assert not {name for table in tables for name in table} - set(gallery.TERMS)


def test_the_list_says_what_its_scenes_say():
    """The first and the last scene of the list, rendered again."""
    things = gallery.things()
    for seed in (things[0].seed, things[-1].seed):
        listed = [each for each in things if each.seed == seed]
        found = gallery.found_in(scenes.render(scenes.sample(seed)))
        assert listed and [each for each in found if each in listed] == listed


def test_a_small_picture_is_its_thing_drawn_again():
    things, tiles = gallery.things(), gallery.thumbnails()
    assert tiles.shape == (len(things), gallery.TILE, gallery.TILE, 3)
    for number in (0, 41, 999):
        drawn = gallery.picture(things[number])
        assert drawn.shape == (224, 224, 3) and drawn.dtype == np.uint8
        step = np.linspace(0, 224, gallery.TILE + 1)[:-1].astype(int) + 1
        own, other = (float(np.abs(drawn[step][:, step].astype(float) - tiles[each]).mean()) for each in (number, 500))
        assert own < 12 < other


def test_a_window_stays_in_the_picture():
    assert gallery.window_around(np.array([90.0, 0, 100, 20]), 100) == (74, 0, 100, 26)
    assert gallery.window_around(np.array([0.0, 0, 100, 90]), 100) == (0, 0, 100, 100)
