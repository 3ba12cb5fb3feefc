import numpy as np

from ui import stray_classes


def test_stray_classes_are_named_with_their_pixels_the_largest_first():
    assert stray_classes.named(("sky", "tree", "car"), np.array([0, 9, 1])) == "stray classes: tree 9 px, car 1 px"
    assert stray_classes.named(("sky", "tree", "car"), [0, 1, 1204]) == "stray classes: car 1,204 px, tree 1 px"
    assert stray_classes.named(("sky", "tree"), [0, 7]) == "stray class: tree 7 px"


def test_none_is_said_too():
    assert stray_classes.named(("sky", "tree"), [0, 0]) == "no stray class"
