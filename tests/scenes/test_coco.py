import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from scenes import THINGS, Knobs, render, sample
from scenes.coco import export, run_lengths, to_coco


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=9)))
def test_run_lengths_decode_to_the_mask(mask):
    code = run_lengths(mask)
    assert (coco_mask.decode(coco_mask.frPyObjects(code, *mask.shape)) == mask).all()


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


def test_a_folder_with_another_export_is_refused(tmp_path):
    list(export(tmp_path, 1, size=64))
    with pytest.raises(ValueError, match="other arguments"):
        list(export(tmp_path, 2, size=64))
