"""The scenes in which something went wrong, with the boxes concerned: truths dashed, detections solid."""

from collections.abc import Iterable
from dataclasses import dataclass

from pages.iou_nms_precision_recall.judged_scenes import MOST, at, tiles
from pages.iou_nms_precision_recall.shared import BLUE, PURPLE, VERMILION, detections_of, drawn_scene, named
from pages.iou_nms_precision_recall.stored_errors import NMS
from scenes import THINGS
from ui.components import Box, Boxes, stage, words


@dataclass(frozen=True)
class Case:
    """One thing to look at: index of the picture, and indices of truth and detection within it, or -1."""

    image: int
    truth: int
    detection: int
    why: str


def show(cases: Iterable[Case], seeds: tuple[int, ...], network: str, title: str) -> None:
    """The first scenes that hold a case, each with all its cases."""
    cases = list(cases)
    images = sorted({case.image for case in cases})
    places = {image: place for place, image in enumerate(images[:MOST])}
    rest = f", the first {MOST} are shown" if len(images) > MOST else ""
    many = f"{len(images)} scene{'' if len(images) == 1 else 's'}"
    words(f"**{title}**, in {many}{rest}" if cases else f"**{title}**: there is none.", "fails_title")
    found, boxes, seen = detections_of(seeds, NMS, network), [], set()
    for case in (case for case in cases if case.image in places):
        place = places[case.image]
        if case.truth >= 0 and (case.image, case.truth) not in seen:
            seen.add((case.image, case.truth))
            truths = drawn_scene(seeds[case.image]).truths
            thing, alone = THINGS[truths.labels[case.truth] - 1], case.detection < 0
            boxes.append(
                Box(f"truth-{case.image}-{case.truth}", at(truths.boxes[case.truth], place), thing,
                    PURPLE if alone else BLUE, dash=True, width=3,
                    note=f"truth: {thing}{f', {case.why}' if alone else ''}, scene {seeds[case.image]}")
            )  # fmt: skip
        if case.detection >= 0:
            each = found[case.image]
            said = named(each.labels[case.detection], each.scores[case.detection])
            boxes.append(
                Box(f"said-{case.image}-{case.detection}", at(each.boxes[case.detection], place), said, VERMILION,
                    width=3, note=f"detection: {said}, {case.why}, scene {seeds[case.image]}")
            )  # fmt: skip
    if images:
        stage("fails_scenes_shown").show(
            tiles(tuple(seeds[image] for image in places)), [Boxes(boxes)], alt=f"{title}, in {len(places)} scenes",
            caption="Dashed: truths (purple if no detection is about them). Solid vermilion: detections.",
        )  # fmt: skip
