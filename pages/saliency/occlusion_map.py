"""The whole map: the patch at every place, and what the score lost there."""

from collections.abc import Callable

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import occlusion as lab
from models.inside import saliency
from pages.saliency.covering import SIDE, covered
from pages.saliency.shared import Focus
from pages.shared.heat_maps import ORANGE, SIGNED, colour_bar, greyed, number, signed_layer
from ui import page
from ui.components import Box, Boxes, stage
from ui.pictures import KEPT

PATCHES, STRIDES = (16, 24, 32, 48, 64), (8, 16, 24, 32, 48)
PATCH, STRIDE = 48, 24
SCORE, PROBABILITY = "score", "probability"


@st.cache_resource(max_entries=1500, show_spinner=False)  # shared and only read
def row_of(network: str, image: np.ndarray, patches: tuple[lab.Patch, ...], fill: str) -> Tensor:
    """Logits (patches, classes) of a row of patches: what the hand would see at each of them, for all classes."""
    return torch.stack([covered(network, image, patch, fill) for patch in patches])


@st.cache_resource(max_entries=64, show_spinner=False)
def place(network: str, image: np.ndarray, patch: int, stride: int, fill: str) -> list[Tensor]:
    """Where the one map (rows, columns, classes) lies, once somebody has made it."""
    return []


def patches_of(patch: int, stride: int) -> list[list[lab.Patch]]:
    return lab.patches_of((SIDE, SIDE), patch, stride)


def make(focus: Focus, patch: int, stride: int, fill: str) -> None:
    """All rows under a progress bar; what others have made costs nothing."""
    slot, rows, found = place(focus.network, focus.image, patch, stride, fill), patches_of(patch, stride), []
    st.session_state.pop("_saliency_map", None)
    page.work_through(
        "_saliency_map", rows, lambda row: found.append(row_of(focus.network, focus.image, tuple(row), fill)),
        f"Rows of {len(rows[0])} places",
    )  # fmt: skip
    if not slot:
        slot.append(torch.stack(found))


def whole_map(focus: Focus, fill: str, put: Callable[[lab.Patch], None]) -> None:
    """The section; `put` moves the dragged patch to a place."""
    page.section(
        "Cover every place", "The same patch, place after place: the map shows what the score lost under each."
    )
    with st.container(horizontal=True):
        patch = st.select_slider("Patch", PATCHES, PATCH, key="saliency_patch_size", width=220,
                                 format_func=lambda side: f"{side} px", **KEPT)  # fmt: skip
        stride = st.select_slider("Stride", STRIDES, STRIDE, key="saliency_stride", width=220,
                                  format_func=lambda side: f"{side} px", **KEPT)  # fmt: skip
        what = st.segmented_control(
            "Map of the fall of the", [SCORE, PROBABILITY], default=SCORE, required=True, key="saliency_fall", **KEPT
        )
    if stride > patch:
        st.info(f"A stride of {stride} leaves gaps between patches of {patch} pixels: {patch} is used.")
        stride = patch
    rows = patches_of(patch, stride)
    slot = place(focus.network, focus.image, patch, stride, fill)
    start = st.empty()
    asked_for = slot or start.button(
        f"Cover all {len(rows) * len(rows[0])} places", type="primary", icon=":material/play_arrow:", key="saliency_run"
    )
    if asked_for and not slot:
        make(focus, patch, stride, fill)
    if not slot:
        st.info(f"{len(rows)} × {len(rows[0])} places, one forward pass each.", icon=":material/info:")
        return
    start.markdown(":green-badge[:material/check: done] for this picture, patch, stride and fill, and for every class")
    falls = fallen(focus, slot[0], what)
    some = {True: "none", False: "fewer than half"}
    risen = int((falls < 0).sum())
    most = rows[int(falls.argmax()) // falls.shape[1]][int(falls.argmax()) % falls.shape[1]]
    with page.predict(
        "saliency-needed", f"Under which patch of {patch} × {patch} pixels does the {what} of {focus.name} fall most? "
        "Click its middle.", page.Region(focus.image, alt="The picture"),
    ) as where, page.predict(
        "saliency-risen", f"At how many of these {falls.numel()} places does the patch *raise* the {what} of "
        f"{focus.name}?", [*some.values(), "half or more"],
    ) as prediction:  # fmt: skip
        draw(focus, falls, rows, patch, stride, what)
        where.outcome(tuple(map(float, most)), f"There it falls by {number(float(falls.max()), 4)}.")
        prediction.outcome(
            "half or more" if 2 * risen >= falls.numel() else some[risen == 0],
            f"At {risen}. Covering what speaks against the class helps it, and so can the patch itself: the network "
            "has never seen one.",
        )
        row, column = chosen(st.session_state.get("_saliency_place"), falls)
        told(focus, slot[0][row, column], rows[row][column], float(falls[row, column]), (row, column))
        st.button("Put the dragged patch here", key="saliency_put", icon=":material/move_down:",
                  on_click=put, args=(rows[row][column],))  # fmt: skip


def fallen(focus: Focus, logits: Tensor, what: str) -> Tensor:
    """(rows, columns): what the score or the probability lost at every place."""
    if what == SCORE:
        return lab.falls(focus.score, logits[..., focus.target])
    return lab.falls(focus.probability, saliency.probabilities(focus.model, logits)[..., focus.target])


def draw(focus: Focus, falls: Tensor, rows: list[list[lab.Patch]], patch: int, stride: int, what: str) -> None:
    """A cell for every place, beside the mean over all patches that cover a pixel."""
    end = float(falls.abs().max()) or 1.0
    spread = lab.occlusion_map(falls, (SIDE, SIDE), patch, stride)
    cells, pixels = st.columns(2, gap="medium")
    with cells:
        view = stage("saliency_places", width=440, zoom=False)
        side = SIDE / len(rows)
        if view.click is not None:
            st.session_state["_saliency_place"] = (view.click.x / SIDE, view.click.y / SIDE)
        row, column = chosen(st.session_state.get("_saliency_place"), falls)
        mark = Box("place", tuple(float(each) for each in rows[row][column]), colour=ORANGE, width=3, note="the patch")
        cell = Box("cell", (column * side, row * side, (column + 1) * side, (row + 1) * side), colour=ORANGE, width=2)
        view.show(
            greyed(focus.image), [signed_layer(falls, end, smooth=False), Boxes([cell])], pick=(side / 2, side),
            alt=f"A cell for every place of the patch, {focus.name}",
            caption=f"{len(rows)} × {len(rows[0])} places, a cell each. Click one to put the patch there.",
        )  # fmt: skip
    with pixels:
        stage("saliency_falls", width=440, zoom=False).show(
            greyed(focus.image), [signed_layer(spread, end), Boxes([mark])], alt=f"Occlusion map of {focus.name}",
            caption="Every pixel: the mean of all patches that cover it. Orange: the patch of the chosen cell.",
        )  # fmt: skip
    colour_bar(SIGNED, end, f"fall of the {what}", most="was needed")


def told(focus: Focus, logits: Tensor, patch: lab.Patch, fall: float, cell: tuple[int, int]) -> None:
    """The numbers of one place in words, as the hand sees them there."""
    probability = float(saliency.probabilities(focus.model, logits)[focus.target])
    st.markdown(
        f"**Row {cell[0] + 1}, column {cell[1] + 1}**, patch from ({patch[0]}, {patch[1]}) to ({patch[2]}, {patch[3]})"
        f": probability {focus.probability:.3f} → **{probability:.3f}**, score {number(focus.score, 4)} → "
        f"{number(float(logits[focus.target]), 4)}, fall **{number(fall, 4)}**. Put the patch there: the same "
        "numbers stand under the hand."
    )


def chosen(share: tuple[float, float] | None, falls: Tensor) -> tuple[int, int]:
    """The cell at a clicked share of width and height; by default where the fall is largest."""
    if share is None:
        return divmod(int(falls.argmax()), falls.shape[1])
    column, row = (min(max(int(at * len(falls)), 0), len(falls) - 1) for at in share)
    return row, column
