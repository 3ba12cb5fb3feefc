"""Two stages, four losses: one training step on the picture, opened down to the single anchor and region."""

import math
from html import escape
from typing import cast

import numpy as np
import streamlit as st
import torch

from labs.boxes import iou
from models import catalog
from models.inside.four_losses import BOX, CLASS, KINDS, OBJECT, RPN_BOX, FourLosses, MiniBatch, open_losses
from models.networks.detector import LoadedDetector
from pages.rcnn_family.shared import BLUE, GREEN, ORANGE, VERMILION, Look, truths, xyxy
from scenes import THINGS
from ui import page
from ui.components import Box, Boxes, following, live_slider, stage, words
from ui.pictures import KEPT

NETWORKS = {"Joint": "detector-narrow", "Alternating": "detector-alternating"}
NAMES = {OBJECT: "RPN: object or not", RPN_BOX: "RPN: box", CLASS: "head: class", BOX: "head: box"}
BARS = dict(zip(KINDS, (BLUE, "#56B4E9", ORANGE, "#CC79A7"), strict=True))


def ready() -> dict[str, str]:
    """The trainings whose network has been trained."""
    return {label: name for label, name in NETWORKS.items() if name in catalog.shipped()}


@st.cache_resource(max_entries=64, show_spinner=False)  # shared and only read
def opened(name: str, image: np.ndarray, _instances: list) -> FourLosses:
    """The losses of one picture, once for all visitors; the truth belongs to the picture."""
    return open_losses(cast(LoadedDetector, catalog.load(name)), image, _instances)


@st.fragment
@page.guard()
def losses(look: Look) -> None:
    page.section(
        "Two stages, four losses",
        "One training step on this picture: who pays how much? Open a loss and go through its boxes, dearest first.",
    )
    if look.picture.view is None:
        st.info("Nobody has boxed the things in this picture, so it has no losses: choose Lab World above.")
        return
    networks = ready()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.segmented_control("Training", list(networks), default="Joint", required=True, key="losses_network",
                                     **KEPT)  # fmt: skip
        name = st.segmented_control("Loss", list(NAMES.values()), default=NAMES[CLASS], required=True, key="losses_of",
                                    **KEPT)  # fmt: skip
    kind = next(each for each, said in NAMES.items() if said == name)
    found = opened(networks[label], look.picture.image, look.picture.view.instances)
    batch, adds = found.of(kind)
    one = "Anchor" if batch is found.anchors else "Region"
    with live_slider(f"{one}, the one that pays most first", 1, len(adds), 1, key=f"losses_{one.lower()}", play=True,
                     play_seconds=12) as place:  # fmt: skip
        order = adds.argsort(descending=True, stable=True)
        with page.predict(
            "losses-largest", f"{label} training: which of the four losses of this picture is the largest?",
            list(NAMES.values()),
        ) as prediction:  # fmt: skip
            canvas, side = st.columns([3, 2], gap="large")
            with canvas:
                drawn(look, batch, order.tolist(), place, one)
            with side:
                st.html(bars(found, kind))
                words(told(look, batch, kind, adds, order, place), "losses_told")
            largest = max(KINDS, key=lambda each: found.losses[each])
            total = sum(found.losses[each] for each in KINDS)
            prediction.outcome(
                NAMES[largest], f"{found.losses[largest]:.3f} of {total:.3f}: training adds the four up, and one step "
                "follows the gradient of the sum."
            )  # fmt: skip
    if not following():
        st.caption(
            f"The RPN's mini-batch: {len(found.anchors.boxes)} anchors, {int(found.anchors.label.sum())} of them "
            f"objects. The head's: {len(found.regions.boxes)} regions, {int((found.regions.label > 0).sum())} of them "
            "things, the truths themselves included. Each loss is divided by the size of its mini-batch. The draw is "
            "the same at every visit."
        )


def drawn(look: Look, batch: MiniBatch, order: list[int], place: int, one: str) -> None:
    """The boxes up to this place; the one at it thick, with where it would be moved."""
    at = order[place - 1]
    layers = [
        Box(f"paid-{i}", xyxy(batch.boxes[i]), "", BLUE if batch.label[i] else VERMILION, width=1.2,
            dash=not batch.label[i]) for i in order[:place - 1]
    ]  # fmt: skip
    chosen = [Box("chosen", xyxy(batch.boxes[at]), "", BLUE if batch.label[at] else VERMILION, width=4.0)]
    if batch.label[at]:
        chosen.append(Box("moved", xyxy(batch.moved[at]), "", GREEN, width=3.0))
    stage("losses_boxes", zoom=False, width=440).show(
        look.picture.image, [Boxes([*layers, *truths(look), *chosen])],
        alt=f"{one} number {place} of {len(order)}, in the order of what they pay",
        caption="Blue: an object. Vermilion, dashed: background. Green: where the network moves the thick one. "
        "White, dashed: the truth.",
    )  # fmt: skip


def told(look: Look, batch: MiniBatch, kind: str, adds: torch.Tensor, order: torch.Tensor, place: int) -> str:
    """The arithmetic of one box, and what the boxes up to it make up."""
    at, count, whole = int(order[place - 1]), len(adds), float(adds.sum())
    paid, label = float(adds[at]), int(batch.label[at])
    thing = look.picture.view.instances[int(batch.which[at])].label if look.picture.view and label else ""
    if kind in (OBJECT, CLASS):
        wanted = "background" if not label else "an object" if kind == OBJECT else THINGS[label - 1]
        sure = f"{float(batch.right[at]):.3f}"
        said = f"Truth: **{wanted}**. The network gives that {sure}.\n\n−log {sure} / {count} = **{small(paid)}**"
    elif label:
        before, after = (float(iou(boxes[at], batch.truth[at])) for boxes in (batch.boxes, batch.moved))
        said = f"IoU with the {thing}: {before:.2f}, once moved {after:.2f}.\n\nsmooth L1 / {count} = **{small(paid)}**"
    else:
        said = "Background: it has nowhere to go.\n\nIt pays **0**."
    share = float(adds[order[:place]].sum()) / whole if whole else math.nan
    part = f"The first {place} of {count} pay **{share:.0%}** of {whole:.4f}." if whole else "Nobody pays anything."
    return f"{said}\n\n{part}"


def small(value: float) -> str:
    """A loss to four places, or what is below with its power of ten."""
    return f"{value:.4f}" if value >= 0.001 or value == 0 else f"{value:.1e}".replace("-", "−")


def bars(found: FourLosses, kind: str) -> str:
    """The four losses as bars in one scale, the open one in bold."""
    most = max(found.losses[each] for each in KINDS) or 1.0
    rows = []
    for each in KINDS:
        weight = "bold" if each == kind else "normal"
        rows.append(
            f'<div style="display:flex;gap:.7em;align-items:center;margin:.15em 0;font-weight:{weight}">'
            f'<div style="flex:0 0 9.5em">{escape(NAMES[each])}</div>'
            '<div style="flex:1 1 4em;height:.9em;background:color-mix(in srgb,currentColor 8%,transparent);'
            f'border-radius:3px;overflow:hidden"><i style="display:block;height:100%;width:'
            f'{100 * found.losses[each] / most:.1f}%;background:{BARS[each]}"></i></div>'
            f'<div style="flex:0 0 3.5em;text-align:right;font-variant-numeric:tabular-nums">'
            f"{found.losses[each]:.4f}</div></div>"
        )
    return "".join(rows)
