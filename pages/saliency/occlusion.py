"""Occlusion: drag a patch over the picture, and the class's probability follows; then the patch at every place."""

import numpy as np
import streamlit as st
from torch import Tensor

from labs import occlusion as lab
from models.inside import saliency
from pages.saliency import occlusion_map
from pages.saliency.covering import FILLS, SIDE, covered, fill_of
from pages.saliency.shared import Focus
from pages.shared.heat_maps import ORANGE, number
from ui import page
from ui.components import Box, Boxes, address, following, resting, stage, words
from ui.pictures import KEPT

START = (80.0, 80.0, 128.0, 128.0)
STAGE, LINK = "saliency_covered", "saliency_patch"  # names in the session and in the address


@st.fragment
@page.guard()
def cover(focus: Focus) -> None:
    """Both sections in one fragment: they share the fill, and the map can put the patch of the hand at its places."""
    page.section("Cover it yourself", "Drag the patch over the picture: how much of the class is left?")
    fill = st.segmented_control(
        "Filled with", list(FILLS), default="grey", required=True, key="saliency_fill",
        help="Grey is the colour that the network's normalisation makes zero.", **KEPT,
    )  # fmt: skip
    view = stage(STAGE, [editable(linked_patch() or START)], width=440, zoom=False)
    patch = whole(view.boxes[0].xyxy)
    if resting(STAGE):  # what is drawn, in the address and asked of the network is one patch
        view.boxes = st.session_state[STAGE] = [editable(tuple(map(float, patch)))]
        remember(patch)
    x = focus.said.x
    logits = covered(focus.network, focus.image, patch, fill)
    probability = float(saliency.probabilities(focus.model, logits)[focus.target])
    fall = float(lab.falls(focus.score, logits[focus.target]))
    words(
        f"**{focus.name}**: probability {focus.probability:.3f} → **{probability:.3f}** · score "
        f"{number(focus.score, 4)} → {number(float(logits[focus.target]), 4)}, a fall of **{number(fall, 4)}**",
        "saliency_patch_words",
    )  # fmt: skip
    left, right = st.columns([3, 2], gap="large")
    shown = lab.occluded(x, patch, fill_of(focus.network, fill, x)).permute(1, 2, 0).numpy()
    with left:
        view.show(
            (shown * 255).round().astype(np.uint8), [Boxes(view.boxes)], alt="The picture with a patch to drag",
            caption="Drag the patch or its handles; arrow keys move it, with Alt they resize it.",
        )  # fmt: skip
    with right:
        bars(focus, logits)
    if not following():
        occlusion_map.whole_map(focus, fill, put)


def bars(focus: Focus, logits: Tensor) -> None:
    """The probabilities before and under the patch, of the classes that are or become probable."""
    after = saliency.probabilities(focus.model, logits)
    best = list(dict.fromkeys([focus.target, *focus.said.ranked[:3], *after.argsort(descending=True)[:3].tolist()]))
    rows = ["| class | whole | covered |", "|---|---:|---:|"]
    rows += [f"| {focus.classes[i]} | {float(focus.said.probabilities[i]):.3f} | {float(after[i]):.3f} |" for i in best]
    st.markdown("\n".join(rows))


def put(patch: lab.Patch) -> None:
    """The patch of the hand jumps to this place."""
    st.session_state[STAGE] = [editable(tuple(map(float, patch)))]


def editable(place: tuple[float, float, float, float]) -> Box:
    return Box("patch", place, "patch", ORANGE, editable=True, width=3)


def whole(xyxy) -> lab.Patch:
    """The patch in whole pixels of the picture, at least one a side."""
    x1, y1, x2, y2 = (min(max(round(side), 0), SIDE) for side in xyxy)
    x1, y1 = min(x1, SIDE - 1), min(y1, SIDE - 1)
    return x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)


def linked_patch() -> tuple[float, float, float, float] | None:
    """The patch of the address, cut to the picture; None if there is none."""
    try:
        found = address.numbers(LINK, 4)
    except ValueError:
        found = None
        page.problem("The link's saliency_patch is no box like 80,80,128,128: drag the patch on the picture instead.")
    if found is None:
        return None
    x1, y1, x2, y2 = found
    return tuple(map(float, whole((min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)))))


def remember(patch: lab.Patch) -> None:
    """The patch into the address, once the visitor has moved it; called only while no hand is on it."""
    first = st.session_state.setdefault("_saliency_first_patch", patch)
    if patch != first or address.linked(LINK) is not None:
        address.keep(LINK, ",".join(map(str, patch)))
