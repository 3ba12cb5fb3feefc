"""One region in the tree: from the start region under a click up to the picture, and back down."""

import math

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from torch import Tensor

from labs import region_tree
from labs.region_tree import Hierarchy
from pages.selective_search.shared import (
    BLUE,
    NAMES,
    ORANGE,
    PURPLE,
    SKY,
    WHITE,
    fits,
    outlines,
    things_of,
    xyxy,
)
from ui import page
from ui.components import Box, Boxes, address, live_slider, stage, words
from ui.pictures import Picture

AT, UP = "selective_at", "selective_up"  # a place on the picture, and steps up from the region there
PLACE = "_selective_place"  # in the session: the place that counts
GREY = "#8A9099"


@st.fragment
@page.guard()
def climbing(picture: Picture, tree: Hierarchy) -> None:
    """`tree` is that of the merges above."""
    page.section(
        "One region in the tree",
        "Click a place: the region of the start that lies there has a parent, and so on up to the picture.",
    )
    things, names = things_of(picture)
    above = st.container()
    left, right = st.columns(2, gap="large")
    with left:
        view = stage("selective_tree", zoom=False, window=2)
    x, y = st.session_state[PLACE] = place(view, picture, things)
    path = region_tree.path_up(tree, int(tree.labels[y, x]))
    with above:
        if len(path) == 1:
            climbed(picture, tree, view, (x, y), path, 0, left, right)
        else:
            with live_slider("Steps up", 0, max(len(path) - 1, 1), min(4, len(path) - 1), key=UP, play="once",
                             window=2) as up:  # fmt: skip
                climbed(picture, tree, view, (x, y), path, up, left, right)
    asked(tree, path, things, names)


def place(view, picture: Picture, things: Tensor) -> tuple[int, int]:
    """Column and row of the last click, kept in the address; else the middle of the largest thing, or the picture."""
    height, width = picture.image.shape[:2]
    if view.clicked:
        address.keep(AT, f"{math.floor(view.click.x)},{math.floor(view.click.y)}")
    try:
        found = address.numbers(AT, 2, int)
    except ValueError:
        page.problem(f"The link's {AT} is no place like 40,28: click on the picture instead.")
        found = None
    if found is None:
        found = width // 2, height // 2
        if len(things):
            sides = things[:, 2:] - things[:, :2]
            x1, y1, x2, y2 = things[int(sides.prod(1).argmax())].tolist()
            found = int((x1 + x2) / 2), int((y1 + y2) / 2)
    return min(max(found[0], 0), width - 1), min(max(found[1], 0), height - 1)


def climbed(
    picture: Picture, tree: Hierarchy, view, at: tuple[int, int], path: list[int], up: int, left, right
) -> None:
    """The region `up` steps above the click, with its two parts and its parent; beside it, the tree."""
    region = path[up]
    parts = tree.children[region - tree.start].tolist() if region >= tree.start else []
    boxes = [Box(f"region-{region}", xyxy(tree.boxes[region]), "", WHITE, width=3, note=f"region {region}")]
    if up + 1 < len(path):
        boxes.insert(
            0, Box("parent", xyxy(tree.boxes[path[up + 1]]), "", PURPLE, dash=True, width=2, note="its parent")
        )
    masks = [region_tree.mask(tree, each) for each in parts or [region]]
    with left:
        view.show(
            picture.image, [outlines(masks, [BLUE, ORANGE][: len(masks)]), Boxes(boxes)], pick=(1.0, 4.0),
            alt=f"Region {region} on the picture",
            caption="Click a place. White: the box of the region. Purple, dashed: that of its parent.",
        )  # fmt: skip
    with right:
        words(described(tree, at, path, up, parts), "selective_tree_told")
        page.figure(drawn(tree, path, up), "selective_tree_drawn", height=300, alt="The tree of all merges")


def described(tree: Hierarchy, at: tuple[int, int], path: list[int], up: int, parts: list[int]) -> str:
    region = path[up]
    lines = [
        f"Column {at[0]}, row {at[1]}, **{up} of {len(path) - 1}** steps up: region **{region}** of "
        f"{tree.sizes[region]:,} px."
    ]
    if parts:
        four = ", ".join(
            f"{name} {float(each):.2f}"
            for name, each in zip(NAMES, tree.similarities[region - tree.start], strict=True)
        )
        lines.append(
            f"Merge {region - tree.start + 1} made it of regions {parts[0]} (blue, {tree.sizes[parts[0]]:,} px) and "
            f"{parts[1]} (orange, {tree.sizes[parts[1]]:,} px). {four}."
        )
    else:
        lines.append("A region of the start: it has no parts.")
    return "\n\n".join(lines)


def drawn(tree: Hierarchy, path: list[int], up: int) -> go.Figure:
    """All merges from left to right in the order of the branches, higher is later; the way up in bold."""
    across, x, y = places(tree), [], []
    heights = np.maximum(np.arange(len(tree.sizes)) - tree.start + 1, 0)
    for merge, pair in enumerate(tree.children.tolist()):
        for child in pair:
            x += [across[child], across[child], across[tree.start + merge], None]
            y += [heights[child], merge + 1, merge + 1, None]
    figure = go.Figure()
    figure.add_scatter(x=x, y=y, mode="lines", line={"color": GREY, "width": 1}, hoverinfo="skip", showlegend=False)
    figure.add_scatter(
        x=across[path], y=heights[path], mode="lines+markers", line={"color": SKY, "width": 2, "shape": "vh"},
        marker={"size": 5}, name="the way up", customdata=path,
        hovertemplate="region %{customdata}, merge %{y}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(x=[across[path[up]]], y=[heights[path[up]]], mode="markers", name="the region",
                       marker={"color": ORANGE, "size": 13}, hoverinfo="skip")  # fmt: skip
    figure.update_layout(
        xaxis={"title": "regions of the start", "showticklabels": False, "ticks": ""}, yaxis={"title": "merge"},
    )  # fmt: skip
    return figure


def places(tree: Hierarchy) -> np.ndarray:
    """Where each region stands from left to right: leaves side by side, the others in the middle of their parts."""
    across, below, at = np.zeros(len(tree.sizes)), [len(tree.sizes) - 1], 0
    while below:
        region = below.pop()
        if region < tree.start:
            across[region], at = at, at + 1
        else:
            below.extend(tree.children[region - tree.start].tolist())
    for merge, pair in enumerate(tree.children.tolist()):
        across[tree.start + merge] = across[pair].mean()
    return across


def asked(tree: Hierarchy, path: list[int], things: Tensor, names: list[str]) -> None:
    """At which step does the box fit the thing best? Known only where a thing is."""
    best = fits(tree.boxes[path], things)
    thing = int(best.amax(0).argmax()) if len(things) and len(path) > 1 else None
    half = (len(path) - 1) // 2
    options = [f"0 to {half}", f"{half + 1} to {len(path) - 2}", "the last step, the picture"]
    if half + 1 > len(path) - 2:
        options = []
    with page.predict(
        "selective-step",
        f"At which step up does the box fit the {names[thing]} best?" if thing is not None else
        "At which step up does a box fit a thing best?", options if thing is not None else [],
    ) as prediction:  # fmt: skip
        if thing is None:
            st.caption("Known where the things of the picture are known, for a region that has a parent.")
            prediction.outcome("")
            return
        figure = go.Figure(go.Scatter(
            x=np.arange(len(path)), y=best[:, thing].numpy(), mode="lines+markers", line={"color": BLUE},
            hovertemplate="%{x} steps up: IoU %{y:.2f}<extra></extra>",
        ))  # fmt: skip
        figure.update_layout(
            xaxis={"title": "steps up"}, yaxis={"title": f"IoU with the {names[thing]}", "range": [0, 1.05]}
        )
        page.figure(figure, "selective_steps", height=300, alt="IoU of the box at each step up")
        step = int(best[:, thing].argmax())
        last = step == len(path) - 1
        prediction.outcome(
            (options[2] if last else options[0] if step <= half else options[1]) if options else "",
            f"IoU {float(best[step, thing]):.2f} at step {step}. Below it the region is a part of the thing, above it "
            "the thing is a part of the region. Nobody says which step is right: all of their boxes are proposals.",
        )
