"""Every region of a picture: many boxes, a sentence for each, non-maximum suppression and one joint score."""

import numpy as np
import streamlit as st
import torch
from torch import Tensor
from torchvision.ops import box_iou

from labs import caption_scores, nms
from models import catalog
from models.networks.caption_words import tokens
from models.networks.densecap import LoadedDensecap
from pages.dense_captioning.shared import NETWORK, WHITE, named, plain, seen, xyxy
from pages.shared.held_box import SIZE
from ui import page
from ui.components import Box, Boxes, following, live_slider, stage, words
from ui.pictures import Picture

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#F0E442", "#8A9099")
WRITTEN = 8  # sentences below the picture
OVERLAP, WEIGHT = 0.5, 0.5  # where the sliders of NMS and of the sentence begin
WHOLE = (0.0, 0.0, float(SIZE), float(SIZE))


@st.cache_resource(max_entries=24, show_spinner=False)  # shared and only read
def every(image: np.ndarray) -> tuple[Tensor, Tensor, list]:
    """Boxes before NMS, how sure the detector is of each, and the sentence of each; the surest 60."""
    network, looked = catalog.load(NETWORK), seen(image)
    assert isinstance(network, LoadedDensecap)
    boxes, scores = network.proposed(looked, overlap=0.95)
    return boxes, scores, network.greedy(network.regions(looked, boxes)) if len(boxes) else []


def ranked(boxes: Tensor, scores: Tensor, captions: list, overlap: float, weight: float) -> tuple[Tensor, Tensor]:
    """The rows that NMS leaves, best first, and the joint score of every row."""
    sure = np.array([each.mean for each in captions])
    joint = torch.from_numpy(caption_scores.joint(scores.numpy().astype(np.float64), sure, weight))
    return nms.survivors(boxes, joint.float(), overlap, torch.zeros(len(boxes), dtype=torch.int64)), joint


@st.fragment
@page.guard()
def everywhere(picture: Picture) -> None:
    """The picture with all its sentences."""
    page.section(
        "A sentence for every region",
        "The detector proposes regions, the network says something about each, and the best ones stay.",
    )
    boxes, scores, captions = every(picture.image)
    columns, body = st.columns(3, gap="large"), st.container()
    with (
        columns[0],
        live_slider("NMS: IoU above which one of two goes", 0.1, 0.95, OVERLAP, step=0.05, key="densecap_nms",
                    format="%.2f") as overlap,
        columns[1],
        live_slider("Weight of the sentence", 0.0, 1.0, WEIGHT, step=0.05, key="densecap_weight",
                    format="%.2f") as weight,
        columns[2],
        live_slider("Joint score from", 0.0, 0.95, 0.3, step=0.05, key="densecap_least", format="%.2f") as least,
        body,
    ):  # fmt: skip
        kept, joint = ranked(boxes, scores, captions, overlap, weight)
        kept = kept[joint[kept] >= least]
        rows = kept.tolist()
        left, right = st.columns([4, 5], gap="large")
        truth = [thing for thing in picture.view.instances if thing.visible >= 0.15] if picture.view else []
        dashed = [Box(f"truth-{n}", xyxy(thing.box), "", WHITE, dash=True, width=1.5, note=thing.caption)
                  for n, thing in enumerate(truth)]  # fmt: skip
        drawn = [
            Box(f"said-{n}", xyxy(boxes[row]), str(n + 1), COLOURS[n % len(COLOURS)], width=2.5,
                note=captions[row].text)
            for n, row in enumerate(rows)
        ]  # fmt: skip
        with left:
            stage("densecap_everywhere", zoom=False).show(
                picture.image, [Boxes([*dashed, *reversed(drawn)])], alt=f"{len(rows)} regions with a sentence each",
                caption="White, dashed: the truth." if truth else "",
            )  # fmt: skip
        with right:
            lines = [
                f"**{n + 1}** {captions[row].text} :gray[{float(joint[row]):.2f} = box {float(scores[row]):.2f}, "
                f"sentence {captions[row].mean:.2f}]"
                for n, row in enumerate(rows[:WRITTEN])
            ]
            lines.append(f":gray[{len(rows)} of {len(boxes)} regions stay.]")
            words("\n\n".join(lines), "densecap_list")
    if following():
        return
    st.markdown(f"**The whole picture as one region:** {plain(picture, torch.tensor(WHOLE)).text}")
    st.caption("It was trained on boxes around one thing: of a whole picture it tells what it takes for that thing.")
    if truth:
        judged(boxes[kept], joint[kept].numpy(), [captions[row] for row in rows], truth)


def judged(boxes: Tensor, scores: np.ndarray, captions: list, truth: list) -> None:
    """This picture's dense captioning mAP, behind a question."""
    overlap = box_iou(boxes, torch.tensor(np.array([thing.box for thing in truth]), dtype=torch.float32)).numpy()
    found = caption_scores.compare(
        overlap, scores, [named(each.words) for each in captions], [named(tokens(thing.caption)) for thing in truth]
    )
    both, _ = caption_scores.dense_map([found])
    alone = float(
        np.mean([caption_scores.average_precision([found], iou, -1.0) for iou in caption_scores.IOU_THRESHOLDS])
    )
    lower = "Boxes and sentences" if both < alone - 1e-9 else "Both are equal"
    with page.predict(
        "densecap-map",
        "Which is lower for these regions: the AP of the boxes alone, or that of boxes and sentences?",
        ["Boxes and sentences", "Both are equal", "Boxes alone"],
    ) as prediction:
        words(f"Boxes alone: **{alone:.3f}**. Boxes and sentences: **{both:.3f}**.", "densecap_map")
        words(
            " ".join(f"METEOR {language:.2f}." if first else "Second on its thing." for language, first in
                     zip(found.language[:WRITTEN], found.first[:WRITTEN], strict=True)), "densecap_meteors",
        )  # fmt: skip
        prediction.outcome(
            lower, "A sentence can make a good box false, and never a bad one true: METEOR counts beside the IoU."
        )
    page.show_code(
        [caption_scores.joint, caption_scores.compare, caption_scores.average_precision, caption_scores.dense_map],
        r"\text{mAP} = \frac{1}{5 \cdot 6} \sum_{\tau \in \{.3, \dots, .7\}} \sum_{m \in \{0, \dots, .25\}} "
        r"\text{AP}(\text{IoU} \ge \tau, \text{METEOR} > m)",
    )
