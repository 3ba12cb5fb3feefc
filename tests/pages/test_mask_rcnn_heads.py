"""Mask R-CNN's heads on one trunk: what is drawn, what they cost, and another pooling in front of the masks."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from labs.matching import Detections, judge
from models import catalog
from models.inside.region_heads import HEADS, KEYPOINTS, MASKS
from pages.mask_rcnn import heads, roi_pool_masks
from pages.shared.truths import truths_of
from ui import components, pictures

SEED = 14  # two persons among four more things


SECTIONS = """
from pages.mask_rcnn import heads, roi_pool_masks
from ui import pictures

picture = pictures.choose("masks", seed=42)
roi_pool_masks.pooled(picture)
heads.heads(picture)
heads.price(picture)
"""


def visit(**state) -> AppTest:
    """The sections on heads alone: what stands above them on the page costs a visit seconds."""
    at = AppTest.from_string(SECTIONS, default_timeout=600)
    at.query_params["predict"] = "off"
    for key, value in state.items():
        at.session_state[key] = value
    return at.run()


def image() -> np.ndarray:
    return pictures.from_lab_world(SEED, objects=(2, 6)).image


@pytest.mark.parametrize(("on", "count"), [([MASKS, KEYPOINTS], 10), ([MASKS], 100), ([], 1)])
def test_heads_are_drawn_and_counted_as_they_are_on(sound, drawn, prose, on, count):
    told = prose(sound(visit(masks_seed=SEED, heads_on=on, heads_detections=count)))
    found = catalog.load("detector")(image())
    sure = found.scores >= 0.5
    boxes = drawn.boxes("heads_picture")
    assert len(boxes) == int(sure.sum())
    assert (drawn.layer("heads_picture", components.Labels) is not None) == (MASKS in on)
    persons = int((sure & (found.labels == 1)).sum())
    assert len(drawn.every("heads_picture", components.Points)) == (persons if KEYPOINTS in on else 0) and persons
    cost = {part.name: part for part in heads.parts()}
    total = cost["trunk"].once + cost["RPN"].once + 300 * cost["boxes"].per_region
    total += sum(count * cost[head].per_region for head in on)
    assert f"= **{total / 1e6:,.0f} million multiply-adds**" in told
    assert "which part needs the most multiply-adds? **“" + ("masks" if count == 100 else "trunk") in told
    assert ("| masks (off) |" in told) == (MASKS not in on)
    assert "the mask network runs on the detections" in told


def test_a_scene_without_things_has_nothing_to_swap(sound, drawn, prose):
    told = prose(sound(visit(masks_objects=(0, 0))))
    assert "It finds no person here" in drawn.options["heads_picture"]["caption"]
    assert not drawn.layer("masks_behind_other", components.Labels).values.any()
    assert "what does the mean IoU" not in told


def test_masks_behind_another_pooling_fit_less(sound, drawn, prose):
    told = prose(sound(visit(masks_seed=SEED, mask_pooling="RoI Pool")))
    picture = pictures.from_lab_world(SEED, objects=(2, 6))
    found = catalog.load("detector")(picture.image)
    kept = (found.scores >= 0.5).numpy()
    trained = roi_pool_masks.masks_behind(picture.image, "RoI Align")
    np.testing.assert_array_equal(trained.numpy(), (found.masks >= 0.5).numpy()[kept])
    given = Detections(found.boxes.numpy()[kept], found.labels.numpy()[kept], found.scores.numpy()[kept])
    fits = []
    for mask, verdict in zip(trained.numpy(), judge(given, truths_of(picture.view)).verdicts, strict=True):
        if verdict.kind == "true":
            true = picture.view.instances[verdict.truth].mask
            fits.append((mask & true).sum() / (mask | true).sum())
    assert fits and f"**RoI Align** · as trained · mean mask IoU **{np.mean(fits):.3f}**" in told
    pooled = roi_pool_masks.masks_behind(picture.image, "RoI Pool")
    assert (pooled != trained).any()
    assert f"mean mask IoU **{roi_pool_masks.overlaps(picture, pooled).mean():.3f}**" in told


def test_heads_are_timed_on_the_same_boxes_and_the_slowest_is_told(sound, prose, monkeypatch):
    asked = []

    def timed(detector, seen, head, boxes, repeats=3):
        asked.append((head, len(boxes)))
        return {"boxes": 1.0, "masks": 2.0, "keypoints": 5.0}[head] * len(boxes)

    monkeypatch.setattr(heads.region_heads, "milliseconds", timed)
    known = heads.timings(image())
    known.clear()
    steps = list(heads.timing(image(), known))
    assert steps[-1][:2] == (12, 12) and len(known) == 12
    assert asked[3:] == [(head, count) for count in heads.COUNTS for head in HEADS]
    told = prose(sound(visit(masks_seed=SEED)))
    assert "which head's time grows the most? **“keypoints”**" in told
    assert "1.00 ms for boxes, 2.00 ms for masks, 5.00 ms for keypoints" in told
    known.clear()
