"""A drawing as COCO JSON: there and back over random drawings, pycocotools as the reader, files that are refused."""

import json

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as some
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from labs import coco_file as lab
from labs.coco_file import Mark

KNOWN = ("person", "dog", "traffic light")
SIZE = (60, 80)


def file(*annotations: dict, size=SIZE, name="park.jpg", **changed) -> bytes:
    """A COCO file with one picture; what an annotation does not say is a dog's."""
    whole = [{"id": i, "image_id": 1, "category_id": 2} | each for i, each in enumerate(annotations)]
    categories = [{"id": i, "name": each} for i, each in enumerate((*KNOWN, "unicorn"), start=1)]
    images = [{"id": 1, "file_name": name, "height": size[0], "width": size[1]}]
    return json.dumps({"images": images, "annotations": whole, "categories": categories} | changed).encode()


def read(data: bytes, size=SIZE, **options) -> lab.Drawing:
    return lab.read(data, KNOWN, size, "park.jpg", **options)


places = some.tuples(*[some.integers(0, 59)] * 2, *[some.integers(1, 20)] * 2).map(
    lambda box: (float(box[0]), float(box[1] % 40), float(box[0] + box[2]), float(box[1] % 40 + box[3]))
)


@given(marks=some.lists(some.builds(Mark, some.sampled_from(KNOWN), places), max_size=8))
@example(marks=[Mark("dog", (0.0, 0.0, 80.0, 60.0))])
def test_boxes_come_back_as_they_were(marks):
    found = read(json.dumps(lab.write(marks, SIZE, "park.jpg")).encode())
    assert [(each.name, each.box) for each in found.marks] == [(each.name, each.box) for each in marks]
    assert found.notes == ()


@given(seed=some.integers(0, 9999), share=some.sampled_from([0.02, 0.5, 1.0]))
def test_masks_come_back_as_they_were_in_all_three_codes(seed, share):
    """Uncompressed and compressed runs; pycocotools reads what is written, and the other way round."""
    mask = np.random.default_rng(seed).random(SIZE) < share
    mask[3, 4] = True
    written = lab.write([Mark("dog", (0.0, 0.0, 80.0, 60.0), mask)], SIZE, "park.jpg")
    runs = written["annotations"][0]["segmentation"]
    assert sum(runs["counts"]) == mask.size and written["annotations"][0]["area"] == mask.sum()
    packed = coco_mask.frPyObjects(runs, *SIZE)
    np.testing.assert_array_equal(coco_mask.decode(packed), mask)
    text = packed["counts"].decode()
    assert lab.unpacked(text) == runs["counts"]
    for code in (runs, {"size": list(SIZE), "counts": text}):
        (mark,) = read(file({"segmentation": code}), masks=True).marks
        np.testing.assert_array_equal(mark.mask, mask)
        (boxed,) = read(file({"segmentation": code})).marks  # without a bbox: the one around the mask
        assert boxed.mask is None
        x, y, w, h = coco_mask.toBbox(packed)
        assert boxed.box == (x, y, x + w, y + h)


def test_polygons_are_drawn_as_pycocotools_draws_them():
    corners = [[10, 10, 40.5, 12, 30, 50], [50, 5, 70, 5, 70, 25, 50, 25]]
    (mark,) = read(file({"segmentation": corners}), masks=True).marks
    expected = coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(corners, *SIZE)))
    np.testing.assert_array_equal(mark.mask, expected)
    assert expected[10, 60] and not expected[40, 60]


def test_pycocotools_loads_what_is_written(tmp_path):
    (tmp_path / "truth.json").write_text(json.dumps(lab.write([Mark("dog", (1.0, 2.0, 4.0, 8.0))], SIZE, "p")))
    coco = COCO(str(tmp_path / "truth.json"))
    (found,) = coco.loadAnns(coco.getAnnIds(catIds=coco.getCatIds(["dog"])))
    assert found["bbox"] == [1, 2, 3, 6] and found["area"] == 18


def test_another_size_is_scaled_cut_to_the_square_and_said():
    double = read(file({"bbox": [20, 10, 40, 20]}, size=(120, 160)))
    assert (
        double.marks[0].box == (10, 5, 30, 15)
        and "160 × 120 pixels, this one 80 × 60: all was scaled" in double.notes[0]
    )
    # Of 200 x 100 pixels the middle 100 are shown, twice as large.
    wide = read(
        file({"bbox": [60, 10, 10, 20]}, {"bbox": [40, 0, 20, 100]}, {"bbox": [0, 0, 50, 100]}, size=(100, 200)),
        size=(200, 200),
    )
    assert [each.box for each in wide.marks] == [(20, 20, 40, 60), (0, 0, 20, 200)]
    assert "centre square" in wide.notes[0] and wide.notes[1] == "Left out: 1 things outside what is shown."
    half = np.zeros((100, 200), bool)
    half[:, 100:] = True
    (mark,) = read(file({"segmentation": lab.run_lengths(half)}, size=(100, 200)), size=(200, 200), masks=True).marks
    np.testing.assert_array_equal(mark.mask, np.arange(200)[None].repeat(200, 0) >= 100)


def test_boundaries_of_a_box():
    assert read(file({"bbox": [-1, 0, 82, 61]})).marks[0].box == (0, 0, 80, 60)  # a tool's rounding
    for bad in ([-1.01, 0, 5, 5], [0, 0, 81.01, 5], [0, 0, 5, 61.01]):
        with pytest.raises(ValueError, match="annotation 1 lies outside the picture of 80 × 60"):
            read(file({"bbox": bad}))


def test_crowds_and_boxes_without_a_mask_are_left_out_and_said():
    found = read(file({"bbox": [0, 0, 5, 5], "iscrowd": 1}, {"bbox": [0, 0, 5, 5]}), masks=True)
    assert found.marks == () and found.notes == ("Left out: 1 crowd regions, 1 boxes without a mask.",)


def test_a_file_of_many_pictures_must_name_this_one():
    images = [{"id": 1, "file_name": "park.jpg", "height": 60, "width": 80}, {"id": 2, "file_name": "other.jpg"}]
    data = file({"bbox": [1, 1, 2, 2]}, {"bbox": [9, 9, 2, 2], "image_id": 2}, images=images)
    assert [each.box for each in read(data).marks] == [(1, 1, 3, 3)]
    with pytest.raises(ValueError, match=r"2 pictures, and not exactly one is called “x\.png”"):
        lab.read(data, KNOWN, SIZE, "x.png")


whole = {"size": [60, 80], "counts": [0, 4800]}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no JSON"),
        (b"\x89PNG\r\n", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b'{"images": ' + b"9" * 5000 + b"}", "no JSON"),
        (b" " * 2_000_001, "has 2.0 MB"),
        (b"[]", "not COCO's"),
        (b'{"images": [1], "annotations": [], "categories": []}', "not COCO's"),
        (file(images=[]), "0 pictures"),
        (file(images=[{"id": 1, "width": 80, "height": "60"}]), "no height between 1 and 20,000"),
        (file(images=[{"id": 1, "width": 20_001, "height": 60}]), "no width between"),
        (file(*[{"bbox": [0, 0, 1, 1]}] * 201), "201 annotations"),
        (file({"bbox": [0, 0, 1, 1], "category_id": 9}), "category that the file does not list"),
        (file({"bbox": [0, 0, 1, 1], "category_id": {}}), "category that the file does not list"),
        (file({"bbox": [0, 0, 1, 1], "category_id": 4}), "“unicorn” is no class of this page"),
        (file({"bbox": [0, 0, 1]}), "no bbox of four numbers"),
        (file({"bbox": [0, 0, 1, float("nan")]}), "no bbox of four numbers"),
        (file({"bbox": [0, 0, 1, 10**400]}), "no bbox of four numbers"),
        (file({"bbox": [0, 0, 0, 5]}), "has no area"),
        (file({}), "neither a bbox nor a segmentation"),
        (file({"segmentation": [[1, 2, 3]]}), "neither polygons nor a run-length code"),
        (file({"segmentation": "dog"}), "neither polygons nor a run-length code"),
        (file({"segmentation": [[0, 0, 80, 60] * 300 + [0, 9]]}), "longer than 50,000 pixels"),
        (file({"segmentation": whole | {"size": [80, 60]}}), "not for the file's picture of 80 × 60"),
        (file({"segmentation": whole | {"counts": [0, 4801]}}), "does not add up to its 4,800 pixels"),
        (file({"segmentation": whole | {"counts": [-1, 4801]}}), "does not add up"),
        (file({"segmentation": whole | {"counts": "P"}}), "does not add up"),
        (file({"segmentation": whole | {"counts": "no such code ~~~"}}), "does not add up"),
        (file({"bbox": [0, 0, 9, 9]}, size=(10, 31)), "a picture that long"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_refused_in_one_sentence(data, said):
    with pytest.raises(ValueError, match=said.replace("(", r"\(")) as refused:
        read(data)
    assert str(refused.value).count(". ") == 0 and str(refused.value).endswith(".")
