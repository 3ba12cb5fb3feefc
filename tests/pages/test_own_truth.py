"""The truth drawn by hand on an own picture: judged as Lab World's is, kept in the link, loaded, and compared."""

import json

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from labs import coco_file
from labs.coco_file import Mark
from pages.shared import drawing_link, drawn_scores, own_truth
from ui.components import Box

LINK = {"ssd_source": "Photograph", "ssd_photo": "Astronaut", "ssd_draw": "true"}


def said_of(at, key: str) -> str:
    return next(each.proto.data for each in at.main if each.key == key)


def test_try(visit, sound, prose, drawn):
    at = sound(visit("ssd", LINK | {"ssd_truth": "person-12-30-80-200_dog-100-90-180-190"}))
    print(prose(at)[-3000:])
    print([ (b.label,b.xyxy,b.colour) for b in drawn.boxes("ssd_truth_stage")])
    print([ (b.label,b.xyxy,b.colour) for b in drawn.boxes("ssd_truth_judged")])
    print(at.query_params)
