"""The bundled photographs: they are what their packages say, and what is marked in them lies in them."""

import importlib.metadata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from matplotlib import cbook
from skimage import data
from sklearn.datasets import load_sample_image

from models import catalog
from ui.decoding import square, too_long
from ui.photographs import PHOTOGRAPHS, Marked, in_square

EVERY = pytest.mark.parametrize("label", PHOTOGRAPHS)
THEIRS = {
    "Cat": data.chelsea,
    "Motorcycle": lambda: data.stereo_motorcycle()[0],
    "Rocket": data.rocket,
    "Galaxies": data.hubble_deep_field,
    "Retina": data.retina,
    "Temple": lambda: load_sample_image("china.jpg"),
    "Dahlia": lambda: load_sample_image("flower.jpg"),
}


def test_there_are_enough_and_some_show_two_things_of_different_classes():
    assert len(PHOTOGRAPHS) == 17
    two = [label for label, each in PHOTOGRAPHS.items() if len({thing.names for thing in each.things}) > 1]
    assert two == ["Astronaut", "Motorcycle", "Coffee", "Cameraman", "Officer", "Temple"]


@EVERY
def test_a_photograph_is_rgb_has_a_sentence_and_a_source(label):
    photograph = PHOTOGRAPHS[label]
    image = photograph.pixels()
    assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3 and image.std() > 10
    assert not too_long(image)  # cut to a square on the page and in the notebook alike
    assert photograph.line.endswith(".") and photograph.source.endswith(f"; ships with {photograph.package}.")
    assert importlib.metadata.version(photograph.package)


@pytest.mark.parametrize("label", THEIRS)
def test_it_is_the_picture_that_its_package_gives(label):
    np.testing.assert_array_equal(PHOTOGRAPHS[label].pixels(), THEIRS[label]())


def test_grey_ones_and_matplotlibs_too():
    np.testing.assert_array_equal(PHOTOGRAPHS["Cameraman"].pixels()[..., 1], data.camera())
    with cbook.get_sample_data("grace_hopper.jpg") as file:
        assert PHOTOGRAPHS["Officer"].pixels().shape == (600, 512, 3) and file.read(2) == b"\xff\xd8"


@EVERY
def test_boxes_lie_inside_and_have_names_that_the_network_knows(label):
    height, width = PHOTOGRAPHS[label].pixels().shape[:2]
    classes = catalog.card("efficientnet-lite0")["classes"]
    for thing in PHOTOGRAPHS[label].things:
        x1, y1, x2, y2 = thing.box
        assert 0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height
        assert thing.names and all(classes.count(name) == 1 for name in thing.names)
    seen = in_square(PHOTOGRAPHS[label].things, height, width, 224)
    assert len(seen) == len(PHOTOGRAPHS[label].things)  # none is lost by the cutting
    assert all(0 <= v <= 224 for thing in seen for v in thing.box)


@given(
    height=some.integers(40, 300), width=some.integers(40, 300), size=some.integers(40, 200),
    x=some.floats(0, 0.6), y=some.floats(0, 0.6), w=some.floats(0.3, 0.4), h=some.floats(0.3, 0.4),
)  # fmt: skip
def test_a_box_goes_with_its_thing(height, width, size, x, y, w, h):
    """A white thing on black, cut and resized as the page does."""
    x1, y1, x2, y2 = (round(v) for v in (x * width, y * height, (x + w) * width, (y + h) * height))
    image = np.zeros((height, width, 3), np.uint8)
    image[y1:y2, x1:x2] = 255
    white = square(image, size)[..., 0] > 127
    found = in_square((Marked(("thing",), (x1, y1, x2, y2)),), height, width, size)
    if too_long(image):
        return
    if not found:
        assert not white.any()
        return
    bx1, by1, bx2, by2 = found[0].box
    if white.any():
        rows, columns = np.flatnonzero(white.any(1)), np.flatnonzero(white.any(0))
        np.testing.assert_allclose(
            (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1), (bx1, by1, bx2, by2), atol=1.5 + size / 80
        )
    else:
        assert (bx2 - bx1) < 2 + size / 40 or (by2 - by1) < 2 + size / 40
