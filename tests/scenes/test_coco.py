import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from scenes import THINGS, Knobs, render, sample
from scenes.coco import export, polygons, run_lengths, to_coco


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=9)))
def test_run_lengths_decode_to_the_mask(mask):
    code = run_lengths(mask)
    assert (coco_mask.decode(coco_mask.frPyObjects(code, *mask.shape)) == mask).all()


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=12)))
def test_polygons_are_drawn_as_the_mask(mask):
    found = polygons(mask)
    assert all(len(each) >= 6 and len(each) % 2 == 0 for each in found) and bool(found) == mask.any()
    drawn = coco_mask.decode(coco_mask.frPyObjects(found, *mask.shape)).any(axis=2) if found else np.zeros_like(mask)
    assert (drawn == mask).all()


def test_a_ring_is_cut_and_two_parts_are_two_polygons():
    mask = np.zeros((9, 9), bool)
    mask[1:6, 1:6] = True
    assert len(polygons(mask)) == 1
    mask[3, 3] = False
    assert len(polygons(mask)) == 2
    mask[8, 8] = True
    assert len(polygons(mask)) == 3


def test_run_lengths_by_choice():
    view = render(sample(0, Knobs(objects=3)), 64)
    for masks, kind in (("polygons", list), ("rle", dict)):
        annotations = to_coco([view], masks=masks)["annotations"]
        assert annotations and all(isinstance(a["segmentation"], kind) and a["iscrowd"] == 0 for a in annotations)


def load(tmp_path, dictionary):
    file = tmp_path / "annotations.json"
    file.write_text(json.dumps(dictionary))
    return COCO(str(file))


def test_pycocotools_loads_it_and_finds_the_masks(tmp_path):
    views = [render(sample(seed, Knobs(objects=4))) for seed in range(4)]
    coco = load(tmp_path, to_coco(views))
    assert sorted(c["name"] for c in coco.loadCats(coco.getCatIds())) == sorted(THINGS)
    for image_id, view in enumerate(views, start=1):
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=image_id))
        assert len(annotations) == len(view.instances)
        for annotation, instance in zip(annotations, view.instances, strict=True):
            assert (coco.annToMask(annotation).astype(bool) == instance.mask).all()
            assert annotation["area"] == instance.mask.sum()
            x, y, w, h = annotation["bbox"]
            assert [x, y, x + w, y + h] == instance.box.tolist()


def test_keypoints_count_what_is_labelled(tmp_path):
    views = [render(sample(seed, Knobs(objects=2, classes=("person",)))) for seed in range(6)]
    for annotation in to_coco(views)["annotations"]:
        points = np.array(annotation["keypoints"]).reshape(14, 3)
        assert annotation["num_keypoints"] == (points[:, 2] > 0).sum()
        assert (points[points[:, 2] == 0] == 0).all()


def test_export_writes_images_and_one_json(tmp_path):
    assert list(export(tmp_path, 3, size=64)) == [1, 2, 3]
    coco = COCO(str(tmp_path / "annotations.json"))
    assert len(coco.imgs) == 3
    assert sorted(p.name for p in (tmp_path / "images").iterdir()) == ["00000000.png", "00000001.png", "00000002.png"]


def test_a_stopped_export_resumes_and_ends_with_the_same_bytes(tmp_path):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    list(export(whole, 4, size=64))
    running = export(stopped, 4, size=64)
    next(running), next(running)
    running.close()
    with (stopped / "annotations.partial.jsonl").open("a") as log:
        log.write('[{"id": 3, "cut')  # the power went in the middle of a line
    assert list(export(stopped, 4, size=64)) == [3, 4]
    assert (stopped / "annotations.json").read_text() == (whole / "annotations.json").read_text()


def contents(folder) -> dict:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


@pytest.mark.parametrize("stopped", [True, False])
def test_a_resumed_export_repairs_what_is_missing_or_damaged(tmp_path, stopped):
    whole, damaged = tmp_path / "whole", tmp_path / "damaged"
    list(export(whole, 3, size=64))
    running = export(damaged, 3, size=64)
    list(zip(range(2), running, strict=False)) if stopped else list(running)
    running.close()
    (damaged / "images" / "00000000.png").write_bytes(b"half")
    (damaged / "images" / "00000001.png").unlink()
    assert list(export(damaged, 3, size=64))[-1] == 3
    assert contents(damaged) == contents(whole)


@pytest.mark.parametrize("text", ["", '{"images": [', "[]", '{"images": []}'])
def test_damaged_annotations_do_not_count_as_complete(tmp_path, text):
    list(export(tmp_path, 2, size=64))
    before = contents(tmp_path)
    (tmp_path / "annotations.json").write_text(text)
    assert list(export(tmp_path, 2, size=64)) == [1, 2]
    assert contents(tmp_path) == before


def test_a_picture_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "images" / "00000001.png").mkdir(parents=True)
    with pytest.raises(OSError, match=r"00000001\.png cannot be written \(.+\): "):
        list(export(tmp_path, 2, size=64))
    (tmp_path / "images" / "00000001.png").rmdir()
    assert list(export(tmp_path, 2, size=64)) == [2]


def test_a_full_disk_is_an_error_that_names_the_file(tmp_path, monkeypatch):
    def full(file, data):
        file.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match=r"export\.json cannot be written \(No space left on device\)"):
        list(export(tmp_path, 1, size=64))
    assert contents(tmp_path) == {}


def test_a_folder_with_another_export_is_refused(tmp_path):
    list(export(tmp_path, 1, size=64))
    with pytest.raises(ValueError, match="other arguments"):
        list(export(tmp_path, 2, size=64))
