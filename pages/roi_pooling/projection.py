"""A box on the picture, and where it lies in the three coordinate frames."""

import math
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import streamlit as st
import torch

from labs import roi_pooling as rp
from models.inside.pooling_swap import levels_of
from models.networks.detector import FEATURES
from pages.roi_pooling.shared import (
    ALIGN,
    ORANGE,
    POOL,
    SIZE,
    STRIDES,
    Choice,
    Settings,
    as_on_the_map,
    channel_of,
    number,
    output_grids,
    regions_of,
    xyxy,
)
from ui import page
from ui.components import Box, Boxes, Grid, Heat, address, live_slider, matrices, resting, stage
from ui.pictures import KEPT, Picture

AS_TRAINED = "as the detector"
CHANNELS = ("mean", *map(str, range(FEATURES)))
THINGS_CHANNEL = "54"  # of the trained detector: the one that answers most to things, on all levels
SMALLEST = 4.0  # pixels: what a hand can still grab


def start_box(picture: Picture) -> Box:
    """The box of the address; else the one that everybody sees first on this picture."""
    return editable(linked_box() or first_box(picture))


def first_box(picture: Picture) -> tuple[float, float, float, float]:
    """The largest thing that is neither tiny nor all of the scene, else the middle."""
    if picture.view is None or not len(picture.view.instances):
        return (90.0, 70.0, 215.0, 190.0)
    sides = [np.array(thing.box[2:]) - thing.box[:2] for thing in picture.view.instances]
    best = max(range(len(sides)), key=lambda i: sides[i].prod() * (sides[i].max() < 0.75 * SIZE))
    return xyxy(np.round(picture.view.instances[best].box))


def linked_box() -> tuple[float, float, float, float] | None:
    """The box in the address, cut to the picture; None if there is none."""
    try:
        found = address.numbers("roi_box", 4)
    except ValueError:
        found = None
        page.problem("The link's roi_box is no box like 90,70,215,190: drag the box on the picture instead.")
    if found is None:
        return None
    box = np.array(found)
    low = np.clip(np.minimum(box[:2], box[2:]), 0, SIZE - SMALLEST)
    high = np.clip(np.maximum(box[:2], box[2:]), low + SMALLEST, SIZE)
    return xyxy((*low, *high))


def another_thing(picture: Picture) -> None:
    """The box jumps to the next thing of the scene."""
    things = picture.view.instances
    at = st.session_state["_roi_thing"] = (st.session_state.get("_roi_thing", -1) + 1) % len(things)
    st.session_state["roi_scene"] = [editable(xyxy(np.round(things[at].box)))]


def editable(place: tuple[float, float, float, float]) -> Box:
    return Box("roi", place, "box", ORANGE, editable=True, width=3)


def place(picture: Picture, sliders: ExitStack, canvas) -> tuple:
    """The controls of the first section. Returns the scene's stage, the places of both pictures, level, output size and
    channel."""
    with canvas, st.container(key="line-roi", horizontal=True):
        level = st.segmented_control(
            "Pyramid level", [AS_TRAINED, *STRIDES], default="P4", required=True, key="roi_level", **KEPT
        )
        output = st.segmented_control(
            "Output", (2, 7, 14), default=2, required=True, key="roi_output", format_func=lambda n: f"{n}×{n}", **KEPT
        )
        if picture.view is not None and len(picture.view.instances):
            st.button("Box another thing", key="roi_next_thing", on_click=another_thing, args=(picture,))
    with canvas:
        places = st.columns([5, 5, 2], gap="medium")
    with places[1]:
        map_place = st.container()
        channel = sliders.enter_context(
            live_slider(
                f"Channel, one of {FEATURES}",
                options=CHANNELS,
                value=THINGS_CHANNEL,
                key="roi_channel",
                window=2,
                help=f"Each channel is the answer of one filter. {THINGS_CHANNEL} answers most to things, on all "
                f"levels; mean is the mean of all {FEATURES}.",
            )
        )
    view = stage("roi_scene", [start_box(picture)], window=2, zoom=False)
    return view, (places[0], map_place, places[2]), level, output, channel


def choose(picture: Picture, view, level: str, channel: str, shift: float, settings: Settings) -> Choice:
    """Everything that follows from the box of this moment."""
    regions = regions_of(picture.image)
    box = torch.tensor(view.boxes[0].xyxy)
    box[2:] = torch.maximum(box[2:], box[:2] + SMALLEST)
    frames = rp.project(box, regions.picture, regions.resized, 1)
    own = list(STRIDES)[int(levels_of(frames.resized[None]))]
    level = own if level == AS_TRAINED else level
    stride = STRIDES[level]
    moved = shift * stride * regions.picture[1] / regions.resized[1]
    frames = rp.project(box + torch.tensor([moved, 0.0, moved, 0.0]), regions.picture, regions.resized, stride)
    values = channel_of(regions, level, channel)
    low, high = values.quantile(torch.tensor([0.25, 0.75])).tolist()
    reach = 1.5 * (high - low)  # Tukey's fences: one bright sky must not make all else dark
    limits = (max(float(values.min()), low - reach), min(float(values.max()), high + reach))
    return Choice(level, own, stride, values, limits, frames, shift, settings, regions)


def draw(picture: Picture, view, places: tuple, choice: Choice) -> None:
    """Picture and feature map side by side, and the numbers of the box on the way."""
    if resting("roi_scene"):
        x1, y1, x2, y2 = view.boxes[0].xyxy
        grown = (x1, y1, max(x2, x1 + SMALLEST), max(y2, y1 + SMALLEST))
        if grown != (x1, y1, x2, y2):  # what is drawn, in the address and in the table is one box
            view.boxes = st.session_state["roi_scene"] = [replace(view.boxes[0], xyxy=grown)]
        remember(grown, picture)
    rows, columns = choice.values.shape
    left, right, beside = places
    moved = [Box("moved", xyxy(choice.frames.picture), "shifted", ORANGE, dash=True)] if choice.shift else []
    with left:
        view.show(
            picture.image, [Boxes([*moved, *view.boxes])], alt="The picture with a box to drag",
            caption="Picture frame. Drag the box or its handles; arrow keys move it, with Alt they resize it.",
        )  # fmt: skip
    with right:
        low, high = choice.limits
        stage("roi_map", zoom=False).show(
            None,
            [Heat(choice.values.numpy(), vmin=low, vmax=high, opacity=1, smooth=False),
             Boxes([Box("projected", xyxy(choice.frames.feature), colour=ORANGE, width=3, note="the projected box")])],
            size=(columns, rows), alt=f"Feature map {choice.level} with the projected box",
            caption=f"Feature frame, {columns} × {rows} cells.",
        )  # fmt: skip
    with beside:
        matrices("roi_beside", window=2).show(
            [*output_grids(choice, (POOL, ALIGN), {2: 46, 7: 18, 14: 9}[choice.settings.output]), scale(choice)],
            caption=ends(choice),
        )
    frames_table(choice)


def scale(choice: Choice) -> Grid:
    """The bar of colours that map and outputs share."""
    values = np.linspace(*choice.limits, 8)[None]
    return Grid("scale", values, title="colours", colour=as_on_the_map(values, choice.limits), cell=13)


def ends(choice: Choice) -> str:
    """What the ends of the colours mean, and what lies beyond them."""
    low, high = choice.limits
    least, most = float(choice.values.min()), float(choice.values.max())
    said = f"{number(low)} dark to {number(high)} bright, on the map and here."
    if least < low:
        said += f" All below is as dark (least {number(least)})."
    if most > high:
        said += f" All above is as bright (most {number(most)})."
    return said


def remember(box: tuple[float, float, float, float], picture: Picture) -> None:
    """The box into the address, if a newcomer would see another one; called only while no hand is on it."""
    if box != first_box(picture) or address.linked("roi_box") is not None:
        address.keep("roi_box", ",".join(f"{value:g}" for value in box))


def frames_table(choice: Choice) -> None:
    regions, (rows, columns) = choice.regions, choice.values.shape
    ratio = regions.resized[1] / regions.picture[1]
    named = (
        (f"picture, {regions.picture[1]} × {regions.picture[0]} px", choice.frames.picture),
        (f"resized, {regions.resized[1]} × {regions.resized[0]} px: × {ratio:g}", choice.frames.resized),
        (f"{choice.level}, {columns} × {rows} cells: ÷ {choice.stride}", choice.frames.feature),
    )
    lines = ["| frame | x1 | y1 | x2 | y2 |", "|---|---:|---:|---:|---:|"]
    for name, box in named:
        lines.append(f"| {name} | " + " | ".join(map(number, box)) + " |")
    width, height = (float(choice.frames.resized[i + 2] - choice.frames.resized[i]) for i in (0, 1))
    exact = 4 + math.log2(math.sqrt(width * height) / 224)
    st.markdown(
        "\n".join(lines) + f"\n\nThe detector itself would pool this box from **{choice.own}**: "
        f"⌊4 + log₂(√({width:.0f} · {height:.0f}) / 224)⌋ = ⌊{number(exact)}⌋, kept within 2 and 5."
    )
