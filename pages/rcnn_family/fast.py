"""Fast R-CNN: the same map once, one pooling of 7×7, one head for class and box; what is done once, what per region."""

from typing import cast

import numpy as np
import streamlit as st

from models import catalog
from models.networks.fast_rcnn import FastDetection, LoadedFastRCNN
from pages.rcnn_family import shared
from pages.rcnn_family.shared import FAST, Look, Run, Step, duration
from ui import page
from ui.components import following, words

ONCE, EACH, SEARCH = "the convolutions, once for the picture", "pooling and heads, for every region", "selective search"
FEW = 10  # regions that are measured beside all of them


@st.cache_resource(max_entries=32, show_spinner=False)  # shared and only read
def seen(image: np.ndarray, boxes: np.ndarray) -> FastDetection:
    """What Fast R-CNN says of a picture and its proposals, once for all visitors."""
    network = cast(LoadedFastRCNN, catalog.load("fast-rcnn"))
    network(image, boxes[:1])  # a first pass prepares, and would be timed
    return network(image, boxes)


def run_of(look: Look) -> Run:
    """The same as steps with their measured time."""
    found = seen(look.picture.image, look.boxes.numpy())
    steps = (
        look.search, Step("whole picture once", found.trunk_seconds),
        Step(f"pooling and heads of {len(look.boxes)}", found.head_seconds),
    )  # fmt: skip
    return Run(FAST, found.boxes, found.labels, found.scores, steps)


@st.fragment
@page.guard()
def play(look: Look) -> None:
    """What Fast R-CNN finds, and which of its steps are done once."""
    page.section(
        "Fast R-CNN: one network", "One level of 7×7 bins, one head for class and box, and no SVMs: trained end to end."
    )
    if not len(look.boxes):
        page.problem("Selective search finds no region in this picture: choose another one.")
        return
    catalog.card("fast-rcnn")  # without weights, say so before the question
    count = len(look.boxes)
    with page.predict(
        "fast-time", f"Which part of Fast R-CNN takes longest on these {count} proposals?", [SEARCH, ONCE, EACH]
    ) as prediction:
        run = run_of(look)
        left, right = st.columns(2, gap="medium")
        with left:
            shared.found_in(look, run, "fast_found")
        with right:
            shared.bars([run])
            search, once, each = (step.seconds for step in run.steps)
            takes = {SEARCH: search, ONCE: once, EACH: each}
            per_region(look, each)
            figures = catalog.card("fast-rcnn")["metrics"]
            st.caption(
                f"On {figures['scenes']} scenes that no network has seen, AP50 is {figures['box_ap50']:.2f} with all "
                "of selective search's boxes. It has a narrow trunk of its own. Where "
                "the paper took maxima from one map, it takes RoI Align from a feature pyramid."
            )
        longest = max(takes, key=lambda part: takes[part])
        prediction.outcome(
            longest, f"{duration(takes[longest])} of {duration(run.seconds)} on this machine. Without the search, "
            f"{duration(once + each)} are left."
        )  # fmt: skip
    if not following():
        page.erratum(
            "Fast R-CNN classifies all proposed regions at once.",
            "The convolutions are done once for all regions. Pooling, the fully connected layers, softmax, box and NMS "
            "are done for every region, in one batch: twice as many regions are twice the work there.",
        )
    page.footer("fast-rcnn", catalog.load("fast-rcnn").device, 1000 * (once + each))


def per_region(look: Look, seconds: float) -> None:
    """Few regions against all: what grows with their number."""
    few = min(FEW, len(look.boxes))
    other = seen(look.picture.image, look.boxes[:few].numpy())
    words(
        f"Pooling and heads: **{duration(other.head_seconds)}** for {few} regions, **{duration(seconds)}** for "
        f"{len(look.boxes)}. Convolutions: one pass, however many.", "fast_each_said",
    )  # fmt: skip
