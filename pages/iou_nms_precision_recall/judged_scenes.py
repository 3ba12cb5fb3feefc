"""The scenes of a class side by side, with what a score threshold lets through: true, false and missed."""

import numpy as np
import streamlit as st

from labs.average_precision import Ranking
from labs.matching import Detections
from pages.iou_nms_precision_recall.shared import GREEN, PURPLE, VERMILION, Held, drawn_scene, named, xyxy
from scenes import THINGS
from ui.components import Box, Boxes, stage

ACROSS, MOST = 3, 9
SIDE = 224  # of a scene, in pixels


@st.cache_resource(max_entries=50, show_spinner=False)
def tiles(seeds: tuple[int, ...]) -> np.ndarray:
    """The scenes in rows of ACROSS, uint8; white where there is none."""
    images = [drawn_scene(seed).image for seed in seeds]
    images += [np.full((SIDE, SIDE, 3), 255, np.uint8)] * (-len(images) % ACROSS)
    return np.vstack([np.hstack(images[i : i + ACROSS]) for i in range(0, len(images), ACROSS)])


def show(
    ranked: Ranking, some: int, found: list[Detections], held: list[Held], label: int, under: int | None
) -> None:  # fmt: skip
    """The first scenes with a truth or a detection of the class; `under`: the detection pointed at, drawn bold."""
    there = [i for i, each in enumerate(held) if ((each.truths.labels == label) & ~each.truths.crowd).any()]
    concerned = sorted({*there, *ranked.image.tolist()})
    places = {image: place for place, image in enumerate(concerned[:MOST])}
    view = stage("pr_scenes_judged", window=2)
    if view.clicked and (view.click.what or "").startswith("ranked-"):
        st.session_state["pr_step"] = int(view.click.what.removeprefix("ranked-")) + 1
    thing, boxes = THINGS[label - 1], []
    for image, place in places.items():
        truths = held[image].truths
        taken = set(ranked.truth[:some][ranked.image[:some] == image].tolist())
        for g in np.flatnonzero((truths.labels == label) & ~truths.crowd).tolist():
            if g not in taken:
                boxes.append(Box(f"missed-{image}-{g}", at(truths.boxes[g], place), "", PURPLE, dash=True, width=2,
                                 note=f"missed: no detection above the threshold finds this {thing}"))  # fmt: skip
    for k in reversed(range(some)):
        image = int(ranked.image[k])
        if image in places:
            hit, name = bool(ranked.true[k]), named(label, float(ranked.scores[k]))
            told = f"{k + 1}: {name}, {'true' if hit else 'false'}, IoU {ranked.iou[k]:.3f}"
            box = at(found[image].boxes[ranked.detection[k]], places[image])
            boxes.append(
                Box(f"ranked-{k}", box, "", GREEN if hit else VERMILION,
                    width=5 if k == under else 2, fill=0.0 if hit else 0.4, note=told)
            )  # fmt: skip
    rest = f" The first {MOST} of {len(concerned)} scenes." if len(concerned) > MOST else ""
    view.show(
        tiles(tuple(held[image].seed for image in places)), [Boxes(boxes)], pick=(1.0, 2.0),
        alt=f"{len(places)} scenes with the {thing} detections above the threshold",
        caption=f"Green: true (TP). Filled vermilion: false (FP). Dashed purple: missed (FN).{rest}",
    )  # fmt: skip


def at(box, place: int) -> tuple[float, float, float, float]:
    """A box of a scene where the scene lies among the others."""
    down, right = divmod(place, ACROSS)
    x1, y1, x2, y2 = xyxy(box)
    return x1 + right * SIDE, y1 + down * SIDE, x2 + right * SIDE, y2 + down * SIDE
