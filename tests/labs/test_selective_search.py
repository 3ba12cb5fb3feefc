"""Selective search: the paper's similarities in literal values, the tree that they make, and its boxes."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from skimage.segmentation import felzenszwalb

import scenes
from labs import region_similarity, region_tree, selective_search
from labs.selective_search import COLOUR_SPACES, OPENCV_MODES, SIMILARITIES

# Three stripes: two rows of black, one of dark grey, two of white, in a picture of 5 x 4 pixels.
STRIPES = np.repeat(np.array([0, 0, 60, 255, 255], np.uint8), 4).reshape(5, 4, 1).repeat(3, axis=2)
STRIPED = np.repeat([0, 0, 1, 2, 2], 4).reshape(5, 4)


def noise(seed: int, height: int = 16, width: int = 20) -> np.ndarray:
    rough = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)


def test_colour_histograms_have_25_bins_a_channel_and_sum_to_one():
    found = region_similarity.colour_histograms(STRIPES, STRIPED)
    assert found.shape == (3, 75)
    np.testing.assert_allclose(found.sum(1), 1)
    at = [np.flatnonzero(each).tolist() for each in found]
    assert at == [[0, 25, 50], [5, 30, 55], [24, 49, 74]]  # 60 · 25 / 256 = 5.9
    np.testing.assert_allclose(found[found > 0], 1 / 3)


def test_the_edge_of_a_colour_bin():
    pixels = np.array([[[10], [11]]], np.uint8)  # 10.24 is where the second bin begins
    found = region_similarity.colour_histograms(pixels, np.array([[0, 1]]))
    assert found.argmax(1).tolist() == [0, 1]


def test_texture_histograms_have_10_bins_for_8_orientations_of_each_channel():
    found = region_similarity.texture_histograms(noise(0), np.arange(16 * 20).reshape(16, 20) // 160)
    assert found.shape == (2, 240)
    np.testing.assert_allclose(found.sum(1), 1)
    np.testing.assert_allclose(found.reshape(2, 24, 10).sum(2), 1 / 24)


def test_texture_of_an_even_picture_is_all_in_the_lowest_bins():
    found = region_similarity.texture_histograms(np.full((9, 9, 1), 200, np.uint8), np.zeros((9, 9), int))
    np.testing.assert_allclose(found.reshape(8, 10)[:, 0], 1 / 8)


def test_a_step_to_the_right_is_seen_by_the_orientations_that_point_right():
    pixels = np.zeros((20, 20, 1), np.uint8)
    pixels[:, 10:] = 255
    found = region_similarity.texture_histograms(pixels, np.zeros((20, 20), int)).reshape(8, 10)
    above = 1 - 8 * found[:, 0]  # of 0°, 45°, ... 315°
    assert (above[[0, 1, 7]] > 0.05).all() and (above[[2, 3, 4, 5, 6]] < 1e-9).all()
    assert found[0, 9] > 0 and found[1, 9] == 0, "45° sees cos 45° of it"


def test_similarities_are_those_of_the_paper():
    assert region_similarity.intersection(np.array([[0.25, 0.75]]), np.array([[0.5, 0.5]])) == 0.75
    assert region_similarity.size_similarity(np.array([8]), np.array([4]), 20) == pytest.approx(0.4)
    assert region_similarity.fill_similarity(np.array([8]), np.array([4]), np.array([12]), 20) == 1
    assert region_similarity.fill_similarity(np.array([1]), np.array([1]), np.array([20]), 20) == pytest.approx(0.1)


@given(seed=some.integers(0, 999))
def test_the_histogram_of_both_is_what_counting_their_pixels_gives(seed):
    labels = np.random.default_rng(seed).integers(0, 2, (16, 20))
    labels[0, :2] = 0, 1
    sizes = tuple(np.bincount(labels.ravel()).tolist())
    for histograms in (region_similarity.colour_histograms, region_similarity.texture_histograms):
        apart, together = histograms(noise(seed), labels), histograms(noise(seed), np.zeros_like(labels))
        np.testing.assert_allclose(region_similarity.merged_histogram(*apart, sizes), together[0])


def test_three_stripes_are_merged_as_the_paper_says():
    tree = selective_search.merge(STRIPED, STRIPES, STRIPES, ("size", "fill"))
    # 8 + 4 pixels in a box of 12, on both sides: of equal pairs the first.
    assert tree.children.tolist() == [[0, 1], [2, 3]]
    np.testing.assert_allclose(tree.similarities[:, 2:], [[0.4, 1], [0, 1]], atol=1e-12)
    np.testing.assert_allclose(tree.similarities[0, 0], 0)  # no colour bin in common
    np.testing.assert_array_equal(tree.boxes, [[0, 0, 4, 2], [0, 2, 4, 3], [0, 3, 4, 5], [0, 0, 4, 3], [0, 0, 4, 5]])
    assert tree.sizes.tolist() == [8, 4, 8, 12, 20] and tree.parent.tolist() == [3, 3, 4, 4, -1]
    np.testing.assert_allclose(tree.colours[:, 0], [0, 60, 255, 20, 114])
    assert region_tree.owners(tree, 0).tolist() == [0, 1, 2]
    assert region_tree.owners(tree, 1).tolist() == [3, 3, 2]
    assert region_tree.owners(tree, 2).tolist() == [4, 4, 4]
    assert region_tree.path_up(tree, 1) == [1, 3, 4] and region_tree.path_up(tree, 4) == [4]


def test_the_most_alike_go_first():
    other = STRIPES.copy()
    other[2] = 250  # in the bin of white
    tree = selective_search.merge(STRIPED, other, other, ("colour",))
    assert tree.children.tolist() == [[1, 2], [0, 3]]
    assert tree.similarities[0, 0] == pytest.approx(1)


def test_neighbours_touch_also_at_a_corner():
    for labels in ([[0, 1], [1, 2]], [[1, 0], [2, 1]]):  # along both diagonals
        assert selective_search.neighbours(np.array(labels)).tolist() == [[0, 1], [0, 2], [1, 2]]
    assert selective_search.neighbours(np.zeros((2, 3), int)).shape == (0, 2)


def by_pixels(tree, region):
    """What is known of a region, from its pixels."""
    inside = region_tree.mask(tree, region)
    rows, columns = np.nonzero(inside)
    return inside.sum(), (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1), inside


@settings(max_examples=12)
@given(seed=some.integers(0, 999), space=some.sampled_from(COLOUR_SPACES), use=some.sets(
    some.sampled_from(SIMILARITIES), min_size=1))  # fmt: skip
def test_regions_form_a_tree_and_every_box_is_its_regions(seed, space, use):
    picture = noise(seed)
    tree = selective_search.hierarchy(picture, space, scale=20, use=use, smallest=5)
    regions = len(tree.sizes)
    assert regions == 2 * tree.start - 1 and (tree.parent >= 0).sum() == regions - 1
    assert sorted(tree.children.ravel().tolist()) == list(range(regions - 1)), "each is merged once, but for the last"
    for merge, (first, second) in enumerate(tree.children.tolist()):
        assert tree.parent[first] == tree.parent[second] == tree.start + merge > max(first, second)
    for region in range(regions):
        size, box, inside = by_pixels(tree, region)
        assert tree.sizes[region] == size and tuple(tree.boxes[region]) == box
        np.testing.assert_allclose(tree.colours[region], picture[inside].mean(0))
        assert cv2.connectedComponents(inside.astype(np.uint8), connectivity=8)[0] == 2, "in one piece"
    assert tree.sizes[-1] == 16 * 20 and tree.boxes[-1].tolist() == [0, 0, 20, 16]
    assert ((tree.similarities >= 0) & (tree.similarities <= 1 + 1e-9)).all()


@settings(max_examples=8)
@given(seed=some.integers(0, 999), use=some.sets(some.sampled_from(SIMILARITIES), min_size=1))
def test_every_merge_is_of_the_pair_that_is_most_alike_of_all(seed, use):
    """Counted anew from the pixels of all regions that there are, before each merge."""
    picture = noise(seed)
    tree = selective_search.hierarchy(picture, "RGB", scale=40, use=use, smallest=15)
    chosen = [SIMILARITIES.index(name) for name in SIMILARITIES if name in use]
    total = tree.labels.size
    for merge in range(len(tree.children)):
        names, at = np.unique(region_tree.owners(tree, merge), return_inverse=True)
        labels = at[tree.labels]
        colour = region_similarity.colour_histograms(picture, labels)
        texture = region_similarity.texture_histograms(picture, labels)
        sums = {}
        for a, b in selective_search.neighbours(labels).tolist():
            both = (labels == a) | (labels == b)
            rows, columns = np.nonzero(both)
            around = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
            four = [
                np.minimum(colour[a], colour[b]).sum(), np.minimum(texture[a], texture[b]).sum(),
                1 - both.sum() / total, 1 - (around - both.sum()) / total,
            ]  # fmt: skip
            sums[int(names[a]), int(names[b])] = four
        pair = tuple(sorted(tree.children[merge].tolist()))
        np.testing.assert_allclose(sums[pair], tree.similarities[merge], atol=1e-9)
        most = max(sum(four[each] for each in chosen) for four in sums.values())
        assert sum(sums[pair][each] for each in chosen) == pytest.approx(most, abs=1e-9)


@pytest.mark.parametrize("space", COLOUR_SPACES)
def test_pictures_with_nothing_to_see(space):
    for picture in (np.zeros((1, 1, 3), np.uint8), np.array([[[0] * 3, [255] * 3]], np.uint8),
                    np.full((40, 30, 3), 90, np.uint8)):  # fmt: skip
        tree = selective_search.hierarchy(picture, space)
        height, width = picture.shape[:2]
        assert tree.start == 1 and tree.boxes.tolist() == [[0, 0, width, height]]
        assert tree.children.shape == (0, 2) and tree.similarities.shape == (0, 4)
        assert region_tree.ranked([tree], 0).tolist() == [[0, 0, width, height]]


def test_two_pixels_can_be_two_regions():
    tree = selective_search.hierarchy(np.array([[[0] * 3, [255] * 3]], np.uint8), scale=0.1, sigma=0, smallest=1)
    assert tree.start == 2 and tree.children.tolist() == [[0, 1]] and tree.boxes[-1].tolist() == [0, 0, 2, 1]


def test_a_picture_in_grey_has_no_hue_to_go_by():
    grey = np.repeat(noise(3)[..., :1], 3, axis=2)
    assert len(np.unique(selective_search.in_colour_space(grey, "Hue"))) == 1
    assert selective_search.hierarchy(grey, "Hue").start == 1 < selective_search.hierarchy(grey, "Grey", 20).start


def test_colour_spaces_in_literal_values():
    red = np.array([[[255, 0, 0], [0, 0, 0]]], np.uint8)
    values = {space: selective_search.in_colour_space(red, space)[0].tolist() for space in COLOUR_SPACES}
    assert values["RGB"] == [[255, 0, 0], [0, 0, 0]] and values["Grey"] == [[76], [0]]
    assert values["HSV"] == [[0, 255, 255], [0, 0, 0]] and values["Hue"] == [[0], [0]]
    assert values["rgI"] == [[255, 0, 76], [0, 0, 0]] and values["Lab"] == [[136, 208, 195], [0, 128, 128]]


def test_what_cannot_be_is_said_in_a_sentence():
    with pytest.raises(ValueError, match="Choose at least one similarity"):
        selective_search.hierarchy(noise(0), use=())
    with pytest.raises(ValueError, match="CMYK is no colour space of the search: RGB, Grey"):
        selective_search.in_colour_space(noise(0), "CMYK")


def test_the_start_is_the_librarys():
    picture = scenes.render(scenes.sample(0), 96).image
    ours = selective_search.start_regions(picture, 50, 0.8, 20)
    theirs = felzenszwalb(picture, scale=50, sigma=0.8, min_size=20)
    assert len({(a, b) for a, b in zip(ours.ravel(), theirs.ravel(), strict=True)}) == len(np.unique(theirs))
    assert sorted(np.unique(ours)) == list(range(ours.max() + 1))


def test_the_list_has_every_box_once_and_large_regions_early():
    tree = selective_search.hierarchy(scenes.render(scenes.sample(0), 128).image)
    listed = region_tree.ranked([tree, tree], 5)
    assert len(listed) == len(np.unique(tree.boxes, axis=0))
    np.testing.assert_array_equal(np.unique(listed, axis=0), np.unique(tree.boxes, axis=0))
    np.testing.assert_array_equal(listed, region_tree.ranked([tree, tree], 5))
    assert not np.array_equal(listed, region_tree.ranked([tree, tree], 6))
    areas = (listed[:, 2] - listed[:, 0]) * (listed[:, 3] - listed[:, 1])
    half = len(areas) // 2
    assert areas[:half].mean() > 2 * areas[half:].mean()


@pytest.mark.parametrize("mode", OPENCV_MODES)
def test_opencvs_boxes_lie_in_the_picture(mode):
    picture = scenes.render(scenes.sample(0), 96).image
    boxes = selective_search.by_opencv(picture, mode)
    assert len(boxes) > 20 and (boxes[:, :2] >= 0).all() and (boxes[:, 2:] <= 96).all()
    assert (boxes[:, 2:] > boxes[:, :2]).all()
