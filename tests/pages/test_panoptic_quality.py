"""The quality of a panoptic map on its page: unique matches, the sum opened, void and crowd, and what is painted."""

import json

import numpy as np
import pytest
import torch
from torchmetrics.functional.detection import panoptic_quality as theirs

import scenes
from labs import coco_file
from pages.panoptic import paint, quality, shared, uniqueness
from pages.panoptic.shared import SEED
from pages.shared import drawing_link, own_mask
from scenes import CLASSES
from ui import pictures

STUFF, THINGS = set(range(5)), set(range(5, 13))
OFF = {"predict": "off"}


@pytest.fixture(scope="module")
def truth():
    view = scenes.render(scenes.sample(SEED, scenes.Knobs(objects=(2, 6))))
    return np.stack([view.semantic, view.panoptic], -1).astype(np.int64)


def library(prediction, truth):
    return theirs(torch.from_numpy(prediction)[None], torch.from_numpy(truth)[None], THINGS, STUFF, True, True).tolist()


def test_segments_that_share_no_pixel_never_both_match_and_those_that_share_can():
    a, b = uniqueness.mask_of((60, 20, 150, 100)), uniqueness.mask_of((90, 20, 180, 100))
    assert uniqueness.ious(a, b, shared=True) == (0.75, 0.75)
    assert uniqueness.ious(a, b, shared=False) == (0.75, 0.25)
    halves = uniqueness.mask_of((60, 20, 120, 100)), uniqueness.mask_of((120, 20, 180, 100))
    assert uniqueness.ious(*halves, shared=False) == (0.5, 0.5)
    assert uniqueness.ious(a, a, shared=False) == (0.75, 0.0), "nothing is left of B"


def test_what_is_painted_is_a_class_and_a_number():
    values = np.array([[0, 1, 5, 6, 14, 15, 77]], np.uint8)
    assert paint.pairs_of(values).tolist() == [[[-1, 0], [0, 0], [4, 0], [5, 1], [5, 9], [6, 1], [12, 9]]]
    assert paint.paint_of(12, 9) == 77 and len(paint.palette()) == 78
    assert len(set(paint.palette())) == 78, "every paint has a colour of its own"


def test_a_painting_comes_back_from_a_file():
    values = np.zeros((20, 30), np.uint8)
    values[:10], values[12:15, :9], values[12:15, 20:] = 2, paint.paint_of(5, 1), paint.paint_of(5, 2)
    written = coco_file.write(own_mask.marks_of(values, paint.PAINTS), values.shape, "p.png")
    assert [each["name"] for each in written["categories"]] == ["grass", "person"] and len(written["annotations"]) == 3
    read = coco_file.read(json.dumps(written).encode(), CLASSES, values.shape, "p.png", masks=True)
    np.testing.assert_array_equal(paint.values_of(read.marks, values.shape), values)
    with pytest.raises(ValueError, match="more than 9 of person"):
        paint.values_of([read.marks[-1]] * 10, values.shape)


def test_void_and_crowds_in_the_box(truth):
    moved = truth.copy()
    moved[..., 1] = np.roll(truth[..., 1], 60, 1)
    moved[..., 0] = np.roll(truth[..., 0], 60, 1)
    plain = quality.judge(truth, moved, quality.PLAIN, (0, 0, 224, 224))
    assert plain.missed.any() and plain.wrong.any()
    void = quality.judge(truth, moved, quality.IS_VOID, (0, 0, 224, 224))
    assert len(void.truth.labels) == 0 and not void.wrong.any()
    crowds = quality.judge(truth, moved, quality.IS_CROWD, (0, 0, 224, 224))
    assert not crowds.missed[crowds.truth.labels >= 5].any()
    none = quality.judge(truth, moved, quality.IS_CROWD, (0, 0, 0, 0))
    assert (none.missed == plain.missed).all() and (none.wrong == plain.wrong).all()


def test_the_page_says_what_the_library_says_of_the_painted_map(visit, sound, prose, truth):
    values = np.zeros((224, 224), np.uint8)
    values[truth[..., 0] == 0] = 1  # all of the sky, and the lower half as grass
    values[112:] = 2
    at = sound(visit(
        "panoptic", OFF | {paint.LINK: drawing_link.packed(values)}, panoptic_match=0.4, panoptic_share=True,
        panoptic_rule=quality.IS_VOID, panoptic_class="sky",
    ))  # fmt: skip
    told = prose(at)
    lenient = library(paint.pairs_of(values), truth)[0]
    assert f"torchmetrics forgives them and says {lenient:.2f}" in told
    judged = quality.panoptic_quality.judge(truth, paint.pairs_of(values), THINGS)
    assert f"Matches {len(judged.matches)}, missed {judged.missed.sum()}, wrong {judged.wrong.sum()}." in told
    assert "**2** segments painted" in told and "**PQ of sky** = (" in told
    assert "because 0.40 + 0.40 leaves room below 1" in told


def test_a_photograph_is_not_scored_until_it_is_painted(visit, sound, said):
    at = sound(visit("panoptic", OFF, panoptic_source="Photograph"))
    told = said(at)
    assert told.count("A photograph has no truth here") == 1 and "PQ of grass" not in told
    assert "paint one, and it judges the networks" in told
    image = pictures.photograph(at.selectbox(key="panoptic_photo").value).image
    map_ = quality.map_of(shared.seen(image, shared.ONE))
    values = np.zeros(image.shape[:2], np.uint8)
    for row in range(values.shape[0]):
        for column in range(100):  # the rest stays empty and does not count
            label, number = map_[row, column]
            values[row, column] = 0 if label < 0 or number > paint.EACH else paint.paint_of(label, max(number, 1))
    at.session_state[paint.KEY] = values
    assert "**The networks by your painting**: **all** PQ 1.00" in said(sound(at.run()))


def test_two_paintings_are_compared_segment_by_segment(visit, sound, prose, drawn):
    mine, other = np.zeros((2, 224, 224), np.uint8)
    mine[:100], mine[100:], mine[120:160, 20:60], mine[120:160, 100:140] = 1, 2, 6, 7  # sky, grass, two persons
    other[:100], other[100:], other[120:160, 20:50], other[180:200, 100:140] = 1, 2, 6, 7
    assert (paint.paint_of(5, 1), paint.paint_of(5, 2)) == (6, 7)
    links = {paint.LINK: drawing_link.packed(mine), f"{paint.LINK}_2": drawing_link.packed(other)}
    at = sound(visit("panoptic", OFF | links))
    told = prose(at)
    assert f"**all** PQ {library(paint.pairs_of(other), paint.pairs_of(mine))[0]:.2f}" in told
    assert "Segments in both 3, only yours 1, only the second 1." in told
    assert "panoptic_two" in drawn.layers and at.query_params[f"{paint.LINK}_2"] == links[f"{paint.LINK}_2"]
    at.button(key="panoptic_second_alone").click().run()
    assert "Two paintings" not in prose(sound(at)) and f"{paint.LINK}_2" not in at.query_params
    assert at.button(key="panoptic_second_alone").disabled and at.query_params[paint.LINK] == links[paint.LINK]
    empty = prose(sound(visit("panoptic", OFF | {f"{paint.LINK}_2": links[paint.LINK]})))
    assert "Segments in both 0, only yours 0, only the second 0." in empty  # nothing of one's own is there to compare
