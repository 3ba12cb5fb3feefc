"""The lectures' table of hours and seconds, and the same table measured here."""

from dataclasses import dataclass
from typing import cast

import numpy as np
import streamlit as st

from models import catalog
from models.networks.rcnn import LoadedRcnn
from models.networks.region_svm import RegionDetection
from pages.rcnn_family import fast, faster, pyramid
from pages.rcnn_family.shared import DETECTORS, FAST, FASTER, RCNN, SPP, Look, duration, searched
from ui import page

NETWORKS = {RCNN: "rcnn", SPP: "spp", FAST: "fast-rcnn", FASTER: "detector-narrow"}
MEASURED = 40  # crops of R-CNN that are timed; the others would take as long each
# Hours of training, seconds a picture with proposals and without, VGG16; Girshick's slides, which the lectures show.
LECTURES = {RCNN: (84, 49, 47), SPP: (25.5, 4.3, 2.3), FAST: (8.75, 2.3, 0.32), FASTER: (None, 0.2, None)}
TIMES = {"less than 3": 3, "3 to 10": 10, "10 to 50": 50, "50 or more": float("inf")}


@dataclass(frozen=True)
class Cost:
    """Seconds for one picture: to find its regions, for what runs on pixels, and for what runs on every region."""

    search: float
    pixels: float
    regions: float

    @property
    def seconds(self) -> float:
        """Of all of it."""
        return self.search + self.pixels + self.regions


def ready() -> bool:
    """Whether all four networks have been trained."""
    return set(NETWORKS.values()) <= set(catalog.shipped())


@st.cache_resource(max_entries=64, show_spinner=False)  # shared and only read
def some_crops(image: np.ndarray, mode: str, most: int) -> RegionDetection:
    """R-CNN on the first proposals, once for all visitors."""
    network = cast(LoadedRcnn, catalog.load(NETWORKS[RCNN]))
    boxes = searched(image, mode).boxes[:most]
    network(image, boxes[:2])  # a first pass prepares, and would be timed
    return network(image, boxes)


def costs(look: Look) -> dict[str, Cost]:
    """What each detector takes for this picture; R-CNN's is that of MEASURED crops, times as many as there are."""
    image, count = look.picture.image, len(look.boxes)
    search, most = look.search.seconds, min(count, MEASURED)
    crops, times = some_crops(image, look.mode, most), count / most
    pixels = crops.steps["crops"] + crops.steps["network"]
    once, boxes = pyramid.seen(image, look.boxes.numpy()), fast.seen(image, look.boxes.numpy())
    own = faster.walked(NETWORKS[FASTER], image)
    return {
        RCNN: Cost(search, times * pixels, times * (crops.seconds - pixels)),
        SPP: Cost(search, once.trunk_seconds, once.pool_seconds + once.head_seconds),
        FAST: Cost(search, boxes.trunk_seconds, boxes.head_seconds),
        FASTER: Cost(own.proposal_seconds, own.trunk_seconds, own.head_seconds),
    }


@st.fragment
@page.guard()
def table(look: Look) -> None:
    page.section(
        "The table", "The lectures tell this story in hours and seconds: here is theirs, and ours, measured now."
    )
    st.markdown(lectures())
    st.caption(
        "VGG16 on a GPU of 2014, about 2,000 proposals, as on the lectures' slides. The paper on Fast R-CNN says 25 "
        "hours for SPP-net and 9.5 for Fast R-CNN."
    )
    count = len(look.boxes)
    if not count:
        st.info("Without proposals there is nothing to time here.")
        return
    with page.predict(
        "table-times", f"{count} proposals of selective search ({look.mode}), all counted: how many times as long as "
        "Faster R-CNN does R-CNN take here?", list(TIMES),
    ) as prediction:  # fmt: skip
        found = costs(look)
        st.markdown(measured(found))
        times = found[RCNN].seconds / found[FASTER].seconds
        name = next(name for name, limit in TIMES.items() if times < limit)
        prediction.outcome(
            name, f"{duration(found[RCNN].seconds)} and {duration(found[FASTER].seconds)}: {times:.1f} times. In the "
            f"lectures' table it is {LECTURES[RCNN][1] / LECTURES[FASTER][1]:.0f} times, with crops of 227 pixels."
        )  # fmt: skip
    st.caption(
        f"This picture, this machine. *Pixels*: every crop of R-CNN, the whole picture of the others. *Regions*: what "
        f"is done for each of {count} proposals, or of the RPN's own 300. R-CNN was timed on "
        f"{min(count, MEASURED)} of them. AP50: {catalog.card(NETWORKS[RCNN])['metrics']['scenes']} scenes that no "
        "network has seen, with all of their proposals. The networks differ in size too: R-CNN and SPP-net stand on "
        "trunks that others had trained, and their minutes count from there."
    )
    st.caption(stored())


def lectures() -> str:
    """Theirs, as Markdown."""
    rows = ["| the lectures | training | a picture | without proposals |", "|---|---:|---:|---:|"]
    for detector in DETECTORS:
        hours, whole, without = LECTURES[detector]
        cells = f"{hours:g} h" if hours else "–", f"{whole:g} s", f"{without:g} s" if without else "–"
        rows.append(f"| {detector} | {' | '.join(cells)} |")
    return "\n".join(rows)


def measured(found: dict[str, Cost]) -> str:
    """Ours, as Markdown."""
    rows = [
        "| here | training | proposals | pixels | regions | a picture | AP50 |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for detector, cost in found.items():
        card = catalog.card(NETWORKS[detector])
        rows.append(
            f"| {detector} | {card['training_seconds'] / 60:.0f} min | {duration(cost.search)} | "
            f"{duration(cost.pixels)} | {duration(cost.regions)} | **{duration(cost.seconds)}** | "
            f"{card['metrics']['box_ap50']:.3f} |"
        )
    return "\n".join(rows)


def stored() -> str:
    """How R-CNN and SPP-net were trained in stages, from their cards."""
    said = []
    for detector in (RCNN, SPP):
        card = catalog.card(NETWORKS[detector])
        stages = card.get("stage_seconds") or card.get("stages") or {}
        each = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in stages.items())
        disk = card["recipe"].get("features_mb")
        said.append(f"{detector} in stages: {each}" + (f"; features stored: {disk:.0f} MB" if disk else "") + ".")
    return " ".join(said) + " Fast and Faster R-CNN learn end to end and store no features."
