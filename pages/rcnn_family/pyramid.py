"""SPP-net: the picture is seen once, and a pyramid of maxima over each region gives a vector of one length."""

from typing import cast

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import spatial_pyramid
from models import catalog
from models.networks.spp import STRIDE, LoadedPyramidSVM, PyramidDetection
from pages.rcnn_family import shared
from pages.rcnn_family.shared import BLUE, ORANGE, SKY, SPP, VERMILION, WHITE, Look, Run, Step, best_fit, numbered, xyxy
from ui import page
from ui.components import (
    Box,
    Boxes,
    Grid,
    GridLines,
    Heat,
    Points,
    Stage,
    following,
    live_slider,
    matrices,
    stage,
    words,
)
from ui.pictures import KEPT

PYRAMIDS = {
    "4×4, 2×2, 1×1": spatial_pyramid.LEVELS, "6×6, 3×3, 2×2, 1×1": (6, 3, 2, 1), "7×7 only": spatial_pyramid.ROI_POOL,
}  # fmt: skip
CHANNEL = 54  # of the detector's trunk: the one that answers most to things
DRAWN = 40  # proposals on the picture


@st.cache_resource(max_entries=32, show_spinner=False)  # shared and only read
def seen(image: np.ndarray, boxes: np.ndarray) -> PyramidDetection:
    """What SPP-net says of a picture and its proposals, once for all visitors."""
    network = cast(LoadedPyramidSVM, catalog.load("spp"))
    network(image, boxes[:1])  # a first pass prepares, and would be timed
    return network(image, boxes)


def run_of(look: Look) -> Run:
    """The same as steps with their measured time."""
    found = seen(look.picture.image, look.boxes.numpy())
    count = len(look.boxes)
    steps = (
        look.search, Step("whole picture once", found.trunk_seconds),
        Step(f"pyramid of {count} regions", found.pool_seconds), Step(f"SVMs and boxes of {count}", found.head_seconds),
    )  # fmt: skip
    return Run(SPP, found.boxes, found.labels, found.scores, steps)


@st.fragment
@page.guard()
def play(look: Look) -> None:
    """One region on the map, its bins, and the numbers that it becomes."""
    page.section(
        "SPP-net: the picture once", "One pass gives one map. Each region takes its cells of it, and their maxima."
    )
    if not len(look.boxes):
        page.problem("Selective search finds no region in this picture: choose another one.")
        return
    found = seen(look.picture.image, look.boxes.numpy())
    pyramid = st.segmented_control(
        "Levels of the pyramid", list(PYRAMIDS), default=next(iter(PYRAMIDS)), required=True, key="spp_levels", **KEPT
    )
    levels = PYRAMIDS[pyramid]
    left, right = st.columns(2, gap="medium")
    with left:
        picture = st.container()
    with right:
        on_map = st.container()
    below = st.container()
    view = stage("spp_picture", zoom=False)
    if view.clicked and (view.click.what or "").startswith("proposal-"):
        st.session_state["spp_region"] = int(view.click.what.removeprefix("proposal-")) + 1
    with (
        left,
        numbered("Region", len(look.boxes), best_fit(look), "spp_region") as number,
        right,
        live_slider("Channel, one of 64", 0, 63, CHANNEL, key="spp_channel", window=2) as channel,
    ):  # fmt: skip
        index = number - 1
        region, values = found.cells[index], found.features[channel]
        with picture:
            draw_region(look, view, index, region)
        with on_map:
            draw_map(values, region, levels)
        with below:
            asked_length(found, index, channel, levels)
            asked_rule(found, look, index)


def draw_region(look: Look, view: Stage, index: int, region: Tensor) -> None:
    """The chosen proposal, and the whole cells that stand for it."""
    back = look.picture.image.shape[1] / 224
    x1, y1, x2, y2 = (STRIDE * back * each for each in (region + torch.tensor([0, 0, 1, 1])).tolist())
    others = [Box(f"proposal-{i}", xyxy(box), "", BLUE, width=0.8) for i, box in enumerate(look.boxes[:DRAWN])]
    view.show(
        look.picture.image,
        [Boxes([*others, Box("cells", (x1, y1, x2, y2), "", WHITE, dash=True, width=2, note="its cells of the map"),
                Box("region", xyxy(look.boxes[index]), f"{index + 1}", ORANGE, width=3.5)])],
        alt=f"Region {index + 1} in orange, its cells of the map dashed", pick=(1.0, 2.0),
        caption="Orange: the region; click another. White, dashed: the whole cells that stand for it.",
    )  # fmt: skip


def draw_map(values: Tensor, region: Tensor, levels: tuple[int, ...]) -> None:
    """One channel of the map, the bins of the finest level, and where each maximum stands."""
    rows, columns = values.shape
    left, top, right, bottom = region.tolist()
    side = levels[0]
    boxes = [
        Box(f"bin-{i}-{j}", (left + x0, top + y0, left + x1, top + y1), "", SKY, width=1.2, note=f"bin {i}, {j}")
        for i, (y0, y1) in enumerate(spatial_pyramid.bins(bottom - top + 1, side))
        for j, (x0, x1) in enumerate(spatial_pyramid.bins(right - left + 1, side))
    ]
    best = spatial_pyramid.winners(values, region, (side,)).flip(1).double() + 0.5
    stage("spp_map", zoom=False).show(
        None,
        [Heat(values.numpy(), opacity=1, smooth=False), GridLines(stride=1, colour="#FFFFFF30", width=0.5),
         Boxes([*boxes, Box("cells", (left, top, right + 1, bottom + 1), "", ORANGE, width=3)]),
         Points(best.numpy(), VERMILION, 3.5)],
        size=(columns, rows), alt=f"One channel of the map, {columns} by {rows} cells, with the bins of the region",
        caption=f"The map, {columns} × {rows} cells. Orange: the region's cells. Blue: the {side} × {side} bins. "
        "Red: the maxima.",
    )  # fmt: skip


def asked_length(found: PyramidDetection, index: int, channel: int, levels: tuple[int, ...]) -> None:
    """How many numbers is the region? Then the numbers."""
    region, channels = found.cells[index], len(found.features)
    bins = spatial_pyramid.count(levels)
    covered = int((region[2] - region[0] + 1) * (region[3] - region[1] + 1))
    options = sorted({bins, bins * channels, covered * channels, sum(levels) * channels})
    with page.predict(
        "spp-length", f"{' and '.join(f'{n}×{n}' for n in levels)} bins on a map of {channels} channels: how many "
        "numbers describe this region?", options,
    ) as prediction:  # fmt: skip
        numbers = spatial_pyramid.pool_region(found.features[channel][None], region, levels)[0]
        grids, start = [], 0
        low, high = float(found.features[channel].min()), float(found.features[channel].max())
        for number, side in enumerate(levels, 1):
            grids.append(
                Grid(f"level-{side}", numbers[start : start + side * side].reshape(side, side).numpy(),
                     title=f"level {number}", colour="sequential", format="%.1f", vmin=low, vmax=high, cell=40)
            )  # fmt: skip
            start += side * side
        matrices("spp_vector").show(
            grids, sums=False, caption=f"Channel {channel} of the vector: {bins} of its {bins * channels} numbers."
        )
        prediction.outcome(
            bins * channels,
            f"{' + '.join(str(n * n) for n in levels)} = {bins} bins, each with a maximum in {channels} channels. The "
            f"region has {covered} cells; a larger one gives a vector of the same length, so one set of SVMs serves "
            "all.",
        )


def asked_rule(found: PyramidDetection, look: Look, index: int) -> None:
    """SPP-net's rule against that of RoI pooling: which cells are the region's?"""
    back = 224 / look.picture.image.shape[1]
    box = look.boxes[index] * back
    size = (found.features.shape[1], found.features.shape[2])
    rounded = spatial_pyramid.cells(box, STRIDE, size, "corners rounded")
    (w, h), (more_w, more_h) = (
        (int(cells[2] - cells[0] + 1), int(cells[3] - cells[1] + 1)) for cells in (found.cells[index], rounded)
    )
    options = sorted({w * h, (w + 1) * h, (w + 1) * (h + 1), more_w * more_h})
    with page.predict(
        "spp-rule", f"SPP-net takes the cells whose middle lies in the region, {w} × {h}. How many does RoI pooling "
        "take, which rounds both corners?", options,
    ) as prediction:  # fmt: skip
        words(
            f"The region reaches from column **{float(box[0]) / STRIDE:.2f}** to **{float(box[2]) / STRIDE:.2f}** and "
            f"from row **{float(box[1]) / STRIDE:.2f}** to **{float(box[3]) / STRIDE:.2f}** of the map. SPP-net reads "
            f"{w} × {h} cells, RoI pooling {more_w} × {more_h}.", "spp_rule_said",
        )  # fmt: skip
        prediction.outcome(
            more_w * more_h,
            "because it rounds both corners and reads the last cell as well. Apart from that, one level of the pyramid "
            "*is* RoI pooling.",
        )
    if not following():
        page.erratum(
            "Regions are projected into the feature maps and directly cropped from them, instead of from the image.",
            f"A region has no exact place on the map: its corners are rounded to whole cells of {STRIDE} pixels, and "
            "two rules do so differently. Nor is it a crop: each cell has also seen what lies around the region, as "
            "far as its receptive field reaches, and a crop of the picture has not.",
        )


@st.fragment
@page.guard()
def judged(look: Look) -> None:
    """What SPP-net finds with these proposals, and what each of its steps took."""
    if not len(look.boxes):
        return
    run = run_of(look)
    left, right = st.columns(2, gap="medium")
    with left:
        shared.found_in(look, run, "spp_found", 0.0, "margin")
    with right:
        shared.bars([run])
        figures = catalog.card("spp")["metrics"]
        st.caption(
            f"Its SVMs stand on the trunk of the lab's detector, which stays as it is. On {figures['scenes']} scenes "
            f"that no network has seen, AP50 is {figures['box_ap50']:.2f} with all of selective search's boxes."
        )
    page.footer("spp", catalog.load("spp").device)
