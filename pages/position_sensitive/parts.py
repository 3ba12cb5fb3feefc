"""Nine parts, nine maps: the box of the hand, each part read from its own map, and the vote."""

import cv2
import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import position_sensitive as ps
from models.networks.r_fcn import PARTS
from pages.position_sensitive import classes
from pages.position_sensitive.shared import (
    NAMES,
    ORANGE,
    SKY,
    SOURCES,
    STAGE,
    TRAINED,
    Maps,
    begin_anew,
    editable,
    grown,
    held,
    maps_of,
    signed,
    start_box,
    xyxy,
)
from pages.shared.heat_maps import greyed, signed_layer
from ui import page
from ui.components import Box, Boxes, Grid, GridLines, following, live_slider, matrices, stage, words
from ui.pictures import KEPT, Picture

TILE = {1: 336, 3: 112, 5: 68, 7: 48}  # pixels a side of one map in the mosaic
CELL = {1: 64, 3: 44, 5: 34, 7: 26}


@st.fragment
@page.guard()
def play(picture: Picture) -> None:
    """What the hand does to the box is shown at once in both sections."""
    page.section("Let the parts vote", "Drag the box: each of its parts reads its own map, and the mean is the vote.")
    begin_anew(picture)
    line = st.container(key="line-rfcn", horizontal=True, vertical_alignment="center")
    left, middle, right = st.columns([4, 4, 3], gap="medium")
    with line:
        source = st.selectbox(
            "Score maps", SOURCES if picture.view else SOURCES[:1], key="rfcn_maps", width=180,
            label_visibility="collapsed", **KEPT,
        )  # fmt: skip
        name = st.selectbox("Class", NAMES, NAMES.index("dog"), key="rfcn_class", width=150,
                            label_visibility="collapsed", **KEPT)  # fmt: skip
        if picture.view is not None and len(picture.view.instances):
            st.button("Box another thing", key="rfcn_next_thing", on_click=another_thing, args=(picture,))
        slot = st.container(width=260)
    view = stage(STAGE, [start_box(picture)], window=2, zoom=False)
    box = held(picture, view)
    with slot, parts_a_side(source) as k:
        maps = maps_of(picture, source, NAMES.index(name), k)
        read = maps.read(box[None])[0]
        with left:
            view.show(
                picture.image, [Boxes([*outlines(box, maps.parts), *view.boxes])],
                alt=f"The picture with a box in {maps.parts} × {maps.parts} parts",
                caption="Drag the box or a handle; the arrow keys move it, with Alt they resize it.",
            )  # fmt: skip
        with middle:
            mosaic(picture, maps, box, maps.limit, name)
        with right:
            told(read, maps.limit, source, name)
    classes.votes(picture, box)


def parts_a_side(source: str):
    """The slider of k; the trained network has but one."""
    if source == TRAINED:
        return live_slider(
            "Parts a side, k", options=[1, 3, 5, 7], value=PARTS, key="rfcn_parts_trained", disabled=True,
            help="It was trained with k = 3. Choose maps without mistakes to change k.",
        )  # fmt: skip
    return live_slider("Parts a side, k", options=[1, 3, 5, 7], value=PARTS, key="rfcn_parts_k", window=2)


def another_thing(picture: Picture) -> None:
    """The box jumps to the next thing of the scene, and its class with it."""
    things = picture.view.instances
    at = st.session_state["_rfcn_thing"] = (st.session_state.get("_rfcn_thing", -1) + 1) % len(things)
    st.session_state[STAGE] = [editable(grown(xyxy(np.round(things[at].box))))]
    st.session_state["rfcn_class"] = things[at].label


def outlines(box: Tensor, parts: int) -> list[Box]:
    """The thin outlines of all parts of a box."""
    every = ps.part_boxes(box, parts).flatten(0, 1).tolist()
    return [Box(f"part-{i}", xyxy(each), "", SKY, width=1) for i, each in enumerate(every)] if parts > 1 else []


@st.cache_resource(max_entries=24, show_spinner=False)
def ground(image: np.ndarray, parts: int) -> np.ndarray:
    """The picture in grey, small, once for every map."""
    small = cv2.resize(greyed(image), (TILE[parts], TILE[parts]), interpolation=cv2.INTER_AREA)
    return np.tile(small, (parts, parts))


def mosaic(picture: Picture, maps: Maps, box: Tensor, limit: float, name: str) -> None:
    """All maps of the class, part by part; on each the box, and in bold the one part that reads this map."""
    parts, tile = maps.parts, TILE[maps.parts]
    scale = tile / picture.image.shape[0]
    layout = torch.cat([torch.cat(list(row), dim=1) for row in maps.values], dim=0)
    every, own = ps.part_boxes(box * scale, parts), []
    for row in range(parts):
        for column in range(parts):
            at = torch.tensor([column * tile, row * tile] * 2)
            own.append(Box(f"box-{row}-{column}", xyxy(box * scale + at), "", SKY, width=1))
            own.append(Box(f"own-{row}-{column}", xyxy(every[row, column] + at), "", ORANGE, width=2.5,
                           note=f"reads row {row + 1}, column {column + 1} of the maps"))  # fmt: skip
    stage("rfcn_mosaic", zoom=False, window=2).show(
        ground(picture.image, parts),
        [signed_layer(layout, limit, opacity=0.85), GridLines(rows=parts, cols=parts, colour="#444444"), Boxes(own)],
        alt=f"The {parts * parts} score maps of {name}, each with the part of the box that reads it",
        caption=f"The maps of {name}, one per part: vermilion says yes, blue no. Each is read in its orange part "
        "alone.",
    )  # fmt: skip


def told(read: Tensor, limit: float, source: str, name: str) -> None:
    """What the parts read, and their mean."""
    parts = len(read)
    matrices("rfcn_parts", window=2).show(
        [Grid("parts", read.numpy(), title="what each part reads", vmin=-limit, vmax=limit, format="%.1f",
              cell=CELL[parts])],
    )  # fmt: skip
    vote = float(ps.vote(read))
    words(f"Vote for *{name}*: mean of {parts * parts} = **{signed(vote)}**", "rfcn_vote")
    if following():
        return
    if source == TRAINED:
        st.caption("A score before softmax, as the last layer of a classifier gives it.")
    else:
        st.caption("These maps come from the truth: 1 in that part of a thing, else 0. A box that fits gets 1.")
