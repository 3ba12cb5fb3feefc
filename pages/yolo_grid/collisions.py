"""How often do two things fall into one cell? Counted over many scenes, for every grid at once."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch
from numpy.typing import NDArray
from torch import Tensor

import scenes
from labs import yolo_grid
from labs.yolo_grid import Grid
from models.recipes.scene_cache import held_out_seeds
from scenes import Placed
from ui import figures, page
from ui.components import words

SIDE = 224  # of the frame that scenes are drawn in
GRIDS, PLACES = 32, 6  # S and B up to which losses are counted
COUNTS = (20, 50, 100, 200)


@st.cache_data(max_entries=1024, show_spinner=False)
def boxes_of(seed: int) -> NDArray:
    """Boxes float32 (T, 4) of a scene's things, cut at the picture's edge, without drawing the scene."""
    placed: tuple[Placed, ...] = scenes.sample(seed).objects
    return np.array([np.clip(thing.box, 0, SIDE) for thing in placed], np.float32).reshape(-1, 4)


def measure(count: int) -> None:
    """Fill the cache with progress, once per visitor; what somebody else filled costs nothing."""
    seeds = held_out_seeds(count)
    page.work_through("_yolo_counted", seeds, boxes_of, f"Placing the things of {count} scenes")


@st.cache_data(max_entries=8, show_spinner=False)
def lost(count: int) -> tuple[dict[str, NDArray], int]:
    """Things that nobody answers for in the first held-out scenes, by `yolo_grid.ANCHOR_RULES`: int (PLACES, GRIDS) for
    K = 1, 2, ... anchors of a cell and S = 1, 2, ...; and how many things there are.

    "free": what a cell has beyond K. "best": what shares its best anchor. One anchor is one thing per cell.
    """
    per_scene = [torch.from_numpy(boxes_of(seed)) for seed in held_out_seeds(count)]
    scene = torch.cat([torch.full((len(boxes),), index) for index, boxes in enumerate(per_scene)])
    boxes = torch.cat(per_scene)
    sizes = boxes[:, 2:] - boxes[:, :2]
    best = [yolo_grid.shape_iou(sizes, typical_shapes(k)).argmax(1) for k in range(1, PLACES + 1)]
    tables = {rule: np.zeros((PLACES, GRIDS), int) for rule in yolo_grid.ANCHOR_RULES}
    for cells in range(1, GRIDS + 1):
        places = yolo_grid.responsible_cells(boxes, Grid(cells, SIDE, SIDE))
        # one number for a scene and a cell
        cell = (scene * cells + places[:, 0]) * cells + places[:, 1]
        _, together = cell.unique(return_counts=True)
        tables["free"][:, cells - 1] = [int((together - k).clamp(min=0).sum()) for k in range(1, PLACES + 1)]
        tables["best"][:, cells - 1] = [len(boxes) - len((cell * PLACES + anchor).unique()) for anchor in best]
    return tables, len(boxes)


@st.cache_data(max_entries=PLACES, show_spinner=False)
def typical_shapes(count: int) -> Tensor:
    """Anchors (count, 2) for the grid on this page: k-means over the boxes of the first held-out scenes."""
    boxes = torch.cat([torch.from_numpy(boxes_of(seed)) for seed in held_out_seeds(COUNTS[0])])
    return yolo_grid.anchor_shapes(boxes[:, 2:] - boxes[:, :2], count).round()


def curve(count: int, cells: int, predictors: int, layout: str, rule: str) -> None:
    """The share of things lost against S, with the current S marked: one thing per cell, and both rules for anchors."""
    tables, things = lost(count)
    one, best, free = tables["free"][0] / things, *(tables[each][predictors - 1] / things for each in ("best", "free"))
    sizes = np.arange(1, GRIDS + 1)
    now_rule = "cell" if layout == "cell" else rule
    anchors = f"{predictors} {'anchor' if predictors == 1 else 'anchors'}"
    lines = {
        "one thing per cell (YOLOv1)": (one, "#0072B2", "solid", now_rule == "cell"),
        f"{anchors}, only the best (YOLOv2)": (best, "#D55E00", "dashdot", now_rule == "best"),
        f"{anchors}, any free one (this lab)": (free, "#E69F00", "dash", now_rule == "free"),
    }
    figure = go.Figure()
    for name, (values, colour, dash, current) in lines.items():
        figure.add_scatter(x=sizes, y=values, name=name, mode="lines", hovertemplate="S = %{x}: %{y:.1%} lost",
                           line={"color": colour, "dash": dash, "width": 4 if current else 2})  # fmt: skip
    now = {"cell": one, "best": best, "free": free}[now_rule][cells - 1]
    figure.add_scatter(x=[cells], y=[now], mode="markers", marker={"color": "#000000", "size": 12}, showlegend=False,
                       hovertemplate="now: S = %{x}, %{y:.1%} lost")  # fmt: skip
    figures.across(figure, x=cells)
    figure.update_layout(
        # beyond twice YOLOv1's grid nearly nothing is lost: the axis reaches further only when S does
        xaxis={"title": "cells a side, S", "range": [0.5, max(14, cells) + 0.5]},
        yaxis={"title": "things lost", "tickformat": ".0%", "range": [-0.02, float(one.max()) + 0.04]},
    )  # fmt: skip
    page.figure(figure, key="yolo_collisions", height=330, alt="Share of things lost to collisions against grid size S")
    told = [f"**{round(part[cells - 1] * things)} ({part[cells - 1]:.1%})**" for part in (one, best, free)]
    words(
        f"S = {cells}, {count} scenes, {things} things. Lost with one thing per cell: {told[0]}. With {anchors} per "
        f"cell: by YOLOv2's rule, where only the best anchor will do, {told[1]}; by this lab's kinder rule, any anchor "
        f"that is free, {told[2]}.", "yolo_lost",
    )  # fmt: skip


def question(count: int, cells: int) -> tuple[str, list[str], str, str]:
    """What a finer grid would save: question, options (none where there is nothing to ask), answer, and why."""
    table, things = lost(count)[0]["free"], lost(count)[1]
    finer = min(2 * cells, GRIDS)
    now, then = int(table[0, cells - 1]), int(table[0, finer - 1])
    steps = {"under a tenth": 0.1, "a tenth to a third": 1 / 3, "a third to two thirds": 2 / 3, "more": 2.0}
    asked = (f"With S = {cells}, {now} of {things} things are lost, one thing per cell. How many of them are still "
             f"lost with S = {finer}?")  # fmt: skip
    if finer == cells or not now:
        return asked, [], "", ""
    answer = next(name for name, limit in steps.items() if then / now < limit)
    why = (f"It is {then}, {then / now:.0%} of them. Halving the cells quarters their area, so meetings become about "
           "four times rarer, unless things stand on top of each other.")  # fmt: skip
    return asked, list(steps), answer, why
