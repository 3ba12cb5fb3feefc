"""One trunk, several heads: what is shared, what each head weighs, and what it costs for every region."""

from collections.abc import Iterator

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch

from models import catalog
from models.inside import region_heads
from models.inside.region_heads import BOXES, HEADS, KEYPOINTS, MASKS, Part
from models.networks.detector import PROPOSALS, Detection
from models.recipes.coco_metrics import PERSON
from pages.mask_rcnn.shared import NETWORK, regions_of, xyxy
from pages.shared import offered
from scenes import SKELETON, THINGS
from ui import page
from ui.components import Box, Boxes, Labels, Lines, Points, following, live_slider, stage, words
from ui.pictures import KEPT, Picture

SURE = 0.5  # score from which on a detection is drawn
MOST = 100  # boxes that the paper hands to the other heads
COUNTS = (1, 10, 30, MOST)
COLOURS = {"trunk": "#56B4E9", "RPN": "#999999", BOXES: "#E69F00", MASKS: "#009E73", KEYPOINTS: "#D55E00"}
DASHES = {BOXES: "dot", MASKS: "dash", KEYPOINTS: "solid"}
# One of Okabe and Ito's colours for each detection, the surest first.
ONE_EACH = [None, "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#CC79A7", "#0072B2", "#D55E00"]


@st.cache_resource(max_entries=24, show_spinner=False)  # shared and only read
def found_in(image: np.ndarray) -> Detection:
    """All that the detector says of a picture, by all heads."""
    return catalog.load(NETWORK)(image)


@st.cache_resource(max_entries=1, show_spinner=False)
def parts() -> list[Part]:
    """What every part weighs and costs at the size that the network sees: the same for all pictures."""
    return region_heads.parts(catalog.load(NETWORK), regions_of(np.zeros((224, 224, 3), np.uint8)))


@st.fragment
@page.guard()
def heads(picture: Picture) -> None:
    page.section(
        "Heads on one trunk",
        "A further question about every region needs a further head; trunk and proposals stay as they are.",
    )
    on = st.pills("Heads beside the boxes", [MASKS, KEYPOINTS], selection_mode="multi", default=[MASKS, KEYPOINTS],
                  key="heads_on", **KEPT)  # fmt: skip
    with live_slider("Detections in the picture", 1, MOST, 10, key="heads_detections", window=2) as count:
        left, right = st.columns([2, 3], gap="large")
        found = found_in(picture.image)
        if not following():
            with left:
                stage("heads_picture", zoom=False).show(
                    picture.image, drawn(found, on), alt=f"What the heads say: {', '.join([BOXES, *on])}",
                    caption=f"One run of the network; each head adds its layer.{nobody(found, on)}",
                )  # fmt: skip
        with right:
            spent = work(on, count)
            with page.predict(
                "heads-most", f"With {count} detections, which part needs the most multiply-adds?", list(spent)
            ) as prediction:
                chart(spent)
                words(arithmetic(on, count, sum(spent.values())), "heads_sum")
                most = max(spent, key=lambda name: spent[name])
                prediction.outcome(most, f"It needs {spent[most] / 1e6:,.0f} million.")
    if following():
        return
    st.markdown(table(on))
    st.caption(
        f"The box head looks at {PROPOSALS} proposals. The others come after it and after NMS, and look only at its "
        f"detections: at {MOST} in the paper, at 40 here, and at all of them: torchvision asks for joints of cats too."
    )
    st.subheader("The layers of each head", anchor="head-layers")
    for place, head in zip(st.columns(len(HEADS), gap="medium"), HEADS, strict=True):
        place.markdown(f"**{head}**\n\n{layers(head)}")
    page.erratum(
        "Mask R-CNN adds a small mask network that operates on each RoI.",
        "When it is used, the mask network runs on the detections that the box head and NMS have left, and not on the "
        f"{PROPOSALS} proposals. In training it does run beside the box head, on the proposals that hold a thing "
        "(He et al. 2017, section 3.1).",
    )


def drawn(found: Detection, on: list[str]) -> list:
    """Masks, boxes and skeletons of the sure detections, as far as their heads are on."""
    kept = (found.scores >= SURE).nonzero()[:, 0].tolist()
    layers = []
    if MASKS in on and found.masks is not None:
        layers.append(painted((found.masks[kept] >= 0.5).numpy()))
    boxes = [
        Box(f"found-{i}", xyxy(found.boxes[i]), f"{THINGS[found.labels[i] - 1]} {found.scores[i]:.2f}",
            ONE_EACH[colour_of(i)], width=2.5)
        for i in reversed(kept)
    ]  # fmt: skip
    layers.append(Boxes(boxes))
    if KEYPOINTS in on and found.keypoints is not None:
        for i in kept:
            if found.labels[i] == PERSON:
                joints = found.keypoints[i, :, :2].numpy()
                limbs = np.array([[*joints[a], *joints[b]] for a, b in SKELETON])
                layers += [Lines(limbs, "#FFFFFF", 2), Points(joints, "#F0E442", 3)]
    return layers


def nobody(found: Detection, on: list[str]) -> str:
    """Why no skeleton is seen although that head is on."""
    persons = (found.labels == PERSON) & (found.scores >= SURE)
    return " It finds no person here, so no skeleton is drawn." if KEYPOINTS in on and not persons.any() else ""


def colour_of(i: int) -> int:
    """Index into ONE_EACH of a detection."""
    return 1 + i % (len(ONE_EACH) - 1)


def painted(masks: np.ndarray) -> Labels:
    """Masks bool (n, H, W), the surest first, on each other with the surest on top."""
    values = np.zeros(masks.shape[1:], np.uint8)
    for i in reversed(range(len(masks))):
        values[masks[i]] = colour_of(i)
    return Labels(values, ONE_EACH, 0.7)


def work(on: list[str], count: int) -> dict[str, int]:
    """Multiply-adds of every part that runs, with so many detections."""
    times = {BOXES: PROPOSALS, MASKS: count, KEYPOINTS: count}
    return {
        part.name: part.once + part.per_region * times.get(part.name, 0)
        for part in parts()
        if part.name not in (MASKS, KEYPOINTS) or part.name in on
    }


def arithmetic(on: list[str], count: int, total: int) -> str:
    """The sum, part by part, in millions."""
    terms = []
    for part in parts():
        if part.once:
            terms.append(f"{part.once / 1e6:,.0f}")
        elif part.name == BOXES:
            terms.append(f"{PROPOSALS} · {part.per_region / 1e6:.2f}")
        elif part.name in on:
            terms.append(f"{count} · {part.per_region / 1e6:.1f}")
    return f"{' + '.join(terms)} = **{total / 1e6:,.0f} million multiply-adds**"


def chart(spent: dict[str, int]) -> None:
    names = list(spent)[::-1]
    figure = go.Figure(go.Bar(
        x=[spent[name] / 1e6 for name in names], y=names, orientation="h",
        marker_color=[COLOURS[name] for name in names], hovertemplate="%{x:,.0f} million<extra></extra>",
    ))  # fmt: skip
    most = sum(work([MASKS, KEYPOINTS], MOST).values()) / 1e6
    figure.update_layout(xaxis={"title": "million multiply-adds", "range": [0, most * 0.75]})
    page.figure(figure, "heads_work", height=260, alt="Multiply-adds of every part")


def table(on: list[str]) -> str:
    """What is shared, and what is each head's own."""
    runs = {"trunk": "once a picture", "RPN": "once a picture", BOXES: f"{PROPOSALS} times",
            MASKS: "once a detection", KEYPOINTS: "once a detection"}  # fmt: skip
    lines = ["| part | runs | parameters | million multiply-adds a run |", "|---|---|---:|---:|"]
    for part in parts():
        off = "" if part.name not in (MASKS, KEYPOINTS) or part.name in on else " (off)"
        adds = (part.once or part.per_region) / 1e6
        lines.append(f"| {part.name}{off} | {runs[part.name]} | {part.parameters:,} | {adds:,.1f} |")
    return "\n".join(lines)


def layers(head: str) -> str:
    lines = ["| layer | output | weights |", "|---|---|---:|"]
    for kind, shape, parameters in region_heads.shapes(catalog.load(NETWORK), head):
        lines.append(f"| {kind} | {'×'.join(map(str, shape))} | {parameters:,} |")
    return "\n".join(lines)


@st.cache_resource(max_entries=24, show_spinner=False)
def timings(image: np.ndarray) -> dict[tuple[str, int], float]:
    """What anybody has had measured on this picture: milliseconds by head and number of regions."""
    return {}


def timing(image: np.ndarray, known: dict[tuple[str, int], float]) -> Iterator[tuple[int, int, str]]:
    """Time the heads one after the other at every number of regions, so that what else runs slows all alike."""
    detector, seen = catalog.load(NETWORK), regions_of(image)
    best = region_heads.proposals(seen)
    for head in HEADS:
        region_heads.milliseconds(detector, seen, head, best[:1], repeats=1)  # the first call of a layer prepares it
    for done, (count, head) in enumerate(((count, head) for count in COUNTS for head in HEADS), start=1):
        if (head, count) not in known:
            boxes = best[torch.arange(count) % len(best)]
            known[head, count] = region_heads.milliseconds(detector, seen, head, boxes)
        yield done, len(COUNTS) * len(HEADS), "Timed"


@st.fragment
@page.guard()
def price(picture: Picture) -> None:
    """The same in milliseconds, measured on the machine that runs the page."""
    st.subheader("In milliseconds", anchor="head-milliseconds")
    known = timings(picture.image)
    offered.offer("heads_time", picture.name, "Time the heads here", lambda: timing(picture.image, known))
    whole = {head: [known.get((head, count)) for count in COUNTS] for head in HEADS}
    if any(value is None for values in whole.values() for value in values):
        st.caption(
            f"Each head on the RPN's best {COUNTS[0]} to {MOST} boxes of this picture, from features to its answer."
        )
        return
    each = {head: (values[-1] - values[0]) / (COUNTS[-1] - COUNTS[0]) for head, values in whole.items()}
    with page.predict(
        "heads-time", f"From {COUNTS[0]} to {MOST} regions: which head's time grows the most?", HEADS
    ) as prediction:  # fmt: skip
        figure = go.Figure()
        for head, values in whole.items():
            figure.add_scatter(x=list(COUNTS), y=values, name=head, mode="lines+markers",
                               line={"color": COLOURS[head], "dash": DASHES[head]},
                               hovertemplate="%{y:.1f} ms for %{x}")  # fmt: skip
        figure.update_layout(xaxis={"title": "regions"}, yaxis={"title": "ms", "rangemode": "tozero"})
        page.figure(figure, "heads_times", height=300, alt="Milliseconds of each head against regions")
        prediction.outcome(
            max(each, key=lambda head: each[head]),
            "A region more costs " + ", ".join(f"{value:.2f} ms for {head}" for head, value in each.items()) + ".",
        )
    st.caption(f"On this machine ({catalog.load(NETWORK).device}) with whatever else runs on it, median of three.")
