"""What NMS left, judged by the truth: each box in the colour of its verdict, and why."""

from dataclasses import replace

import numpy as np
from torch import Tensor

from labs.matching import KINDS, Judgement, Truths, judge
from models.recipes.coco_metrics import IGNORED_BELOW
from pages.iou_nms_precision_recall.shared import (
    BLUE,
    GRAY,
    NAMED,
    PURPLE,
    Raw,
    as_detections,
    because,
    named,
    picked,
    truths_of,
    verdict_box,
    xyxy,
)  # fmt: skip
from scenes import THINGS
from ui.components import Box, Boxes, stage, words
from ui.pictures import Picture

SIGNED = 40  # so many boxes bear the sign of their verdict
COUNTED = tuple(kind for kind in KINDS if kind != "ignored")  # in precision
EVERYWHERE = (1.0, 2.0)  # px: a box can be clicked anywhere


def after(picture: Picture, raw: Raw, kept: list[int], scores: Tensor, match_iou: float, rule: str) -> None:
    """What NMS `kept`, each box in the colour of its verdict, and every missed truth; `scores`: after NMS."""
    detections = as_detections(raw.boxes[kept], raw.labels[kept], scores)
    view = stage("judge_stage", window=2)
    if picture.view is None:
        words(f"**{len(detections.scores)} detections, nobody to judge them**", "judge_count")
        found = zip(detections.boxes, detections.labels, detections.scores, strict=True)
        names = [(xyxy(box), named(label, score)) for box, label, score in found]
        boxes = [Box(f"found-{i}", place, name if i < NAMED else "", BLUE, width=3, note=name)
                 for i, (place, name) in enumerate(names)]  # fmt: skip
        view.show(
            picture.image,
            [Boxes(boxes[::-1])],
            alt=f"{len(boxes)} detections",
            caption="The detector only knows Lab World: on other pictures it finds little, and much of it wrong.",
        )
        words("This picture has no known truth: draw it below, or choose Lab World.", "judge_why")
        return
    truths = truths_of(picture.view)
    judgement = judge(detections, truths, match_iou, rule)
    kinds = [verdict.kind for verdict in judgement.verdicts]
    counts = tally(kinds, len(judgement.missed))
    words(f"**{counts}**", "judge_count")
    boxes = [Box(f"missed-{g}", xyxy(truths.boxes[g]), f"missed: {THINGS[truths.labels[g] - 1]}", PURPLE, dash=True,
                 width=3, note="no detection found this truth") for g in judgement.missed]  # fmt: skip
    hidden = np.flatnonzero(truths.crowd).tolist()
    boxes += [Box(f"hidden-{g}", xyxy(truths.boxes[g]), f"hardly seen: {THINGS[truths.labels[g] - 1]}", GRAY, dash=True,
                  note=f"less than {IGNORED_BELOW:.0%} visible: neither found nor missed") for g in hidden]  # fmt: skip
    order = sorted(range(len(kinds)), key=lambda i: (kinds[i] == "true", -i))  # the best true ones on top
    verdicts = [verdict_box(f"found-{i}", detections, i, judgement.verdicts[i]) for i in range(len(kinds))]
    boxes += [shortened(verdicts[i], i) for i in order]
    view.show(
        picture.image, [Boxes(boxes)], pick=EVERYWHERE,
        alt=f"Detections in the colours of their verdicts: {counts}",
        caption="✓ true, 2× duplicate, ✗ false; dashed purple: a missed truth. Click a detection to see why.",
    )  # fmt: skip
    chosen = picked(view, "nms_found", "found-", len(kinds))
    if chosen is None:  # the surest mistake is the interesting one
        chosen = next((i for i, kind in enumerate(kinds) if kind != "true"), 0 if kinds else None)
    why = [] if chosen is None else [because(judgement.verdicts[chosen], chosen, detections, truths, match_iou)]
    words("\n\n".join([*shares(judgement, truths), *why]), "judge_why")


def tally(kinds: list[str], missed: int) -> str:
    """How many verdicts of which kind: a duplicate is one way of being false; what does not count is neither."""
    hits, twice, neither = (kinds.count(kind) for kind in ("true", "duplicate", "ignored"))
    false = len(kinds) - hits - neither
    repeated = f" ({twice} duplicate{'s' if twice > 1 else ''})" if twice else ""
    skipped = f" · {neither} not counted" if neither else ""
    return f"{hits} true · {false} false{repeated}{skipped} · {missed} missed"


def shortened(box: Box, rank: int) -> Box:
    """The sign of its verdict alone for a box that many others come before, so that labels do not hide the picture."""
    if rank < NAMED:
        return box
    return replace(box, label=box.label.split()[0] if rank < SIGNED else "")


def shares(judgement: Judgement, truths: Truths) -> list[str]:
    """Precision and recall of this picture as fractions, or why there is none."""
    hits, found = (sum(v.kind in kinds for v in judgement.verdicts) for kinds in (("true",), COUNTED))
    there = int((~truths.crowd).sum())
    precision = f"{hits} / {found} = **{hits / found:.2f}**" if found else "undefined"
    recall = f"{hits} / {there} = **{hits / there:.2f}**" if there else "undefined"
    said = [f"Precision = true / all detections = {precision}", f"Recall = true / ground truths = {recall}"]
    if not there:
        said.append("No object is in this scene: every detection is false, and there is no recall.")
    elif not found:
        said.append(
            "Nothing reaches the score threshold: no mistake is made and nothing is found, so no precision either."
        )
    return said
