"""Faster R-CNN: the network finds its own regions, so selective search and its time are gone."""

from typing import cast

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import region_proposals
from models import catalog
from models.inside import two_stages
from models.inside.two_stages import Stages
from models.networks.detector import PROPOSALS, LoadedDetector
from pages.rcnn_family import fast
from pages.rcnn_family.shared import (
    DETECTORS,
    FASTER,
    GREEN,
    SKY,
    Look,
    Run,
    Step,
    bars,
    duration,
    found_in,
    truths,
    xyxy,
)  # fmt: skip
from ui import page
from ui.components import Box, Boxes, following, live_slider, stage, words
from ui.pictures import KEPT

NETWORKS = {"Joint": "detector-narrow", "Alternating": "detector-alternating"}
HANDED = "fast-rcnn"  # the same layers, which are handed the boxes of selective search
TIMES = {"less than 2": 2, "2 to 5": 5, "5 to 20": 20, "20 or more": float("inf")}
RIGHT = 0.5  # IoU from which a thing counts as proposed
DRAWN = 20  # boxes of each kind at first


@st.cache_resource(max_entries=64, show_spinner=False)  # shared and only read
def walked(name: str, image: np.ndarray) -> Stages:
    """Every step of Faster R-CNN on one picture, once for all visitors; the second of two runs, on a warm network."""
    network = cast(LoadedDetector, catalog.load(name))
    two_stages.walk(network, image)
    return two_stages.walk(network, image)


def faster_run(found: Stages) -> Run:
    """Faster R-CNN as the page's sections show it."""
    return Run(
        FASTER, found.boxes, found.labels, found.scores,
        (Step("trunk, the picture once", found.trunk_seconds),
         Step(f"RPN, {len(found.regions)} regions", found.proposal_seconds),
         Step("pooling and heads", found.head_seconds)),
    )  # fmt: skip


@st.fragment
@page.guard()
def faster(look: Look) -> None:
    page.section(
        "Faster R-CNN: regions from the network",
        "A region proposal network reads its boxes from the maps that are there anyway. How few of them are enough?",
    )
    networks = {label: name for label, name in NETWORKS.items() if name in catalog.shipped()}
    label = st.segmented_control("Training", list(networks), default="Joint", required=True, key="faster_network",
                                 **KEPT)  # fmt: skip
    found = walked(networks[label], look.picture.image)
    with live_slider("The first boxes", 1, PROPOSALS, DRAWN, key="faster_boxes", play=True, play_seconds=10) as count:
        kinds = (("selective search", "faster_search", SKY, look.searched.boxes[:count]),
                 ("RPN", "faster_rpn", GREEN, found.regions[:count]))  # fmt: skip
        for column, (kind, key, colour, boxes) in zip(st.columns(2, gap="large"), kinds, strict=True):
            with column:
                offered(look, kind, key, colour, boxes)
        words(compared(look, found, count), "faster_recall")
    runs = [faster_run(found)]
    if HANDED in catalog.shipped() and len(look.boxes):
        runs.insert(0, fast.run_of(look))
    with page.predict(
        "faster-times", f"{label} training: the RPN finds {len(found.regions)} regions on the maps that are there. How "
        f"many times as long does selective search ({look.mode}) take?", list(TIMES),
    ) as prediction:  # fmt: skip
        bars(runs)
        times = look.search.seconds / found.proposal_seconds
        prediction.outcome(
            next(name for name, limit in TIMES.items() if times < limit),
            f"{duration(look.search.seconds)} and {duration(found.proposal_seconds)}: {times:.1f} times. A slide says "
            "that once the convolutions are shared, the vast majority of the test time goes into finding regions; in "
            f"Fast R-CNN here it is {share(runs)}. In Faster R-CNN it is {found.proposal_seconds / found.seconds:.0%}."
        )  # fmt: skip
    for column, run in zip(st.columns(2, gap="large"), runs, strict=False):
        with column:
            found_in(look, run, f"faster_found_{DETECTORS.index(run.detector)}")
    if not following():
        page.footer(networks[label], found.device, found.seconds * 1000)


def share(runs: list[Run]) -> str:
    """The part of Fast R-CNN's time that the search takes, in words."""
    return f"{runs[0].steps[0].seconds / runs[0].seconds:.0%}" if len(runs) == 2 else "not known, it is not trained"


def offered(look: Look, kind: str, key: str, colour: str, boxes: Tensor) -> None:
    """The first boxes of one kind on the picture."""
    drawn = [Box(f"box-{i}", xyxy(box), "", colour, width=1.5) for i, box in enumerate(boxes)]
    stage(key, zoom=False, width=400).show(
        look.picture.image, [Boxes([*reversed(drawn), *truths(look)])],
        alt=f"The first {len(boxes)} boxes of {kind}", caption=f"{len(boxes)} boxes of {kind}",
    )  # fmt: skip


def compared(look: Look, found: Stages, count: int) -> str:
    """How many of the things the first boxes of each kind cover."""
    if look.picture.view is None:
        return "Nobody has boxed the things in this picture, so nobody can say how many of them are covered."
    things = torch.from_numpy(np.array([each.box for each in look.picture.view.instances], np.float32)).reshape(-1, 4)
    if not len(things):
        return "There is no thing in this scene: every box is one too many."
    said = []
    for kind, boxes in (("selective search", look.searched.boxes), ("the RPN", found.regions)):
        every = coverage(boxes, things)
        said.append(
            f"**{kind}**: {int((every[:, min(count, len(boxes)) - 1] >= RIGHT).sum())} of {len(things)} things by the "
            f"first {count} boxes, {int((every[:, -1] >= RIGHT).sum())} by all {len(boxes)}"
        )
    return f"Covered with IoU ≥ {RIGHT:g}: {'; '.join(said)}."


def coverage(boxes: Tensor, things: Tensor) -> Tensor:
    """Best IoU of each thing with the first 1, 2, ... of the boxes, (things, n)."""
    return region_proposals.coverage(boxes, things, max(len(boxes), 1))
