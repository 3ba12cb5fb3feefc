import numpy as np
import pytest

from scenes.shapes import blob, curve, ellipse, extent, hsl, limb, mix, moved, polygon, rectangle, shade


def test_an_ellipse_reaches_its_radii():
    assert extent([ellipse((10, 20), 4, 3, fill="#000000")]) == pytest.approx([6, 17, 14, 23], abs=0.02)


def test_a_quarter_turn_swaps_the_radii():
    assert extent([ellipse((0, 0), 4, 3, 90, fill="#000000")]) == pytest.approx([-3, -4, 3, 4], abs=0.02)


def test_a_stroke_widens_the_extent_by_half_its_width():
    line = curve([(0, 0), (10, 0)], stroke="#000000", width=2)
    assert extent([line]) == pytest.approx([-1, -1, 11, 1])


def test_what_is_only_painted_has_no_extent():
    body = rectangle(0, 0, 10, 10, fill="#ffffff")
    whisker = curve([(0, 0), (99, 0)], stroke="#000000", width=1, silhouette=False)
    assert extent([body, whisker]) == pytest.approx([0, 0, 10, 10])


def test_a_spline_passes_through_its_points():
    points = [(0, 0), (10, 2), (8, 9), (1, 7)]
    assert blob(points).segments[:, 0] == pytest.approx(np.array(points, dtype=float))
    assert curve(points).segments[-1, 3] == pytest.approx([1, 7])


def test_a_limb_is_as_wide_as_asked():
    box = extent([limb([(0, 0), (0, 50), (0, 100)], [10, 10, 10])])
    assert box[[0, 2]] == pytest.approx([-5, 5], abs=0.5)  # the spline swells a little towards round ends


def test_moved_scales_turns_and_shifts():
    square = polygon([(0, 0), (2, 0), (2, 2), (0, 2)], stroke="#000000", width=1)
    out = moved(square, dx=5, scale=2, angle=90)
    assert out.width == 2
    assert extent([out]) == pytest.approx([5 - 4 - 1, -1, 5 + 1, 5])


def test_path_data_is_svg():
    assert polygon([(0, 0), (3, 0), (0, 3)]).d.startswith("M0.00 0.00C1.00 0.00 2.00 0.00 3.00 0.00")
    assert polygon([(0, 0), (3, 0), (0, 3)]).d.endswith("Z")
    assert not curve([(0, 0), (3, 0)]).d.endswith("Z")


def test_colours():
    assert hsl(0, 1, 0.5) == "#ff0000"
    assert hsl(480, 1, 0.5) == "#00ff00"
    assert mix("#000000", "#ffffff", 0.5) == "#808080"
    assert shade("#808080", -1) == "#000000"
    assert shade("#808080", 1) == "#ffffff"
