"""Vertex alignment: which four cells of the feature map a corner of the mesh reads."""

import numpy as np
import streamlit as st
from torch import Tensor

from labs import graph_convolution
from models.networks.mesh_head import CELL
from models.networks.mesh_rcnn import THRESHOLD as USUAL
from pages.mesh_rcnn import predicted, shared
from pages.mesh_rcnn.predicted import NAMES, Region
from ui import page
from ui.components import Box, Boxes, Grid, GridLines, Points, Solid, live_slider, matrices, solids, stage, words
from ui.components.solid import Touched
from ui.pictures import KEPT, Picture

VERTEX, STAGE = "mesh_vertex", "mesh_align_stage"
CHANNELS = 8  # of 64 are printed


@st.fragment
@page.guard()
def align(picture: Picture) -> None:
    page.section(
        "Look where you stand",
        "Point at a corner of the mesh: it reads the feature map below it, and that is all it sees of the picture.",
    )
    region = predicted.region_of(picture)
    if region is None:
        words("Without a thing there is no mesh.", "mesh_align_none")
        return
    threshold = st.session_state.get(predicted.THRESHOLD)
    stages = predicted.stages_of(picture, region, threshold if isinstance(threshold, float) else USUAL)
    top = st.container()
    with top:
        name = st.segmented_control("Mesh", NAMES, default=NAMES[-1], required=True, key=STAGE, **KEPT)
    vertices = stages.vertices[NAMES.index(name)]
    view = solids("mesh_align", tall=330, hover=True)
    pointed(view, len(vertices))
    columns, body = st.columns(2, gap="large"), st.container()
    with (
        top,
        live_slider("Corner", 0, len(vertices) - 1, len(vertices) // 3, key=VERTEX) as vertex,
        body,
    ):
        x, y, z = vertices[vertex].tolist()
        cell = CELL / region.shapes.scale
        corners, shares = read_at(region, vertices[vertex, :2])
        with columns[0]:
            on_the_picture(picture, (x, y), cell, corners, shares)
        with columns[1]:
            middle = [*((region.full_box[:2] + region.full_box[2:]) / 2).tolist(), 0.0]
            mesh = Solid("mesh", vertices.numpy(), stages.faces.numpy(), colour=shared.SKY, flat=True, wires=True)
            view.show(
                [mesh], alt=f"The mesh of the {region.name}; corner {vertex} is marked", middle=middle,
                radius=0.65 * region.longest, mark=Touched("mesh", vertex),
                caption="Point at a corner, or move the slider. The dot is the corner that is read.",
            )  # fmt: skip
        words(
            f"Corner {vertex} stands at x {signed(x)}, y {signed(y)}, z {signed(z)} px, {depth_said(z)}. z plays no "
            f"part in what it reads: four cells of {cell:g} px, with the shares below.", "mesh_reads",
        )  # fmt: skip
        numbers(region, corners, shares)
    further(vertices, vertex, region)


def pointed(view, count: int) -> None:
    """The corner under the pointer becomes that of the slider."""
    on_it = view.hover is not None and view.hover.id == "mesh" and view.hover.vertex < count
    if on_it and st.session_state.get("_mesh_hovered") != view.hover:
        st.session_state["_mesh_hovered"] = view.hover
        st.session_state[VERTEX] = view.hover.vertex


def read_at(region: Region, place: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """The four cells (column, row) of P2 that a corner at x, y reads, and their shares."""
    height, width = region.shapes.fine.shape[1:]
    corners, shares = graph_convolution.corners_read(place[None], CELL / region.shapes.scale, (width, height))
    return corners[0].numpy(), shares[0].numpy()


def signed(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")


def depth_said(z: float) -> str:
    return "in front of the middle" if z < 0 else "behind the middle"


def on_the_picture(
    picture: Picture, place: tuple[float, float], cell: float, corners: np.ndarray, shares: np.ndarray
) -> None:
    """The picture, the cells of the map around the thing, the four that are read, and the corner."""
    boxes = [
        Box(f"cell-{i}", (column * cell, row * cell, (column + 1) * cell, (row + 1) * cell), "", shared.ORANGE,
            fill=0.15 + 0.75 * float(share), width=1.5, note=f"{share:.0%}")
        for i, ((column, row), share) in enumerate(zip(corners.tolist(), shares, strict=True))
    ]  # fmt: skip
    stage("mesh_below", window=2).show(
        picture.image,
        [GridLines(stride=cell, colour="#FFFFFF55", width=0.5), Boxes(boxes),
         Points(np.array([place]), colour=shared.VERMILION, radius=4)],
        alt="The picture, and the four cells that the corner reads",
        caption="Orange: the four cells that it reads, the fuller the more. + and − zoom.",
    )  # fmt: skip


def numbers(region: Region, corners: np.ndarray, shares: np.ndarray) -> None:
    """Four cells times their shares: what arrives at the corner, channel by channel."""
    fine = region.shapes.fine.numpy()
    read = np.stack([fine[:CHANNELS, row, column] for column, row in corners.tolist()])
    limit = float(abs(fine).max()) / 2
    rows = [f"({column}, {row}): {share:.0%}" for (column, row), share in zip(corners.tolist(), shares, strict=True)]
    matrices("mesh_channels", window=2).show(
        [
            Grid("cells", read, title=f"The first {CHANNELS} of 64 channels in the four cells", rows=rows,
                 format="%.2f", vmin=-limit, vmax=limit),
            Grid("corner", (shares[:, None] * read).sum(0)[None], title="The corner reads", format="%.2f", vmin=-limit,
                 vmax=limit),
        ],
        caption="Each cell (column, row) times its share, summed. A corner also reads the 64 channels of the voxel "
        "branch's own map.",
    )  # fmt: skip


def further(vertices: Tensor, vertex: int, region: Region) -> None:
    """How many cells are new one or two cells further to the right?"""
    cell = CELL / region.shapes.scale
    step = cell if vertex % 2 else 2 * cell
    place = vertices[vertex, :2]
    before, after = (
        {(int(column), int(row)) for column, row in read_at(region, each)[0]}
        for each in (place, place + place.new_tensor([step, 0]))
    )
    with page.predict(
        "mesh-cells", f"Corner {vertex} moves {step:g} px to the right, with cells of {cell:g} px: how many of its "
        "four cells are new?", [0, 1, 2, 3, 4],
    ) as prediction:  # fmt: skip
        words(f"Before: {said(before)}. After: {said(after)}.", "mesh_cells_said")
        prediction.outcome(
            len(after - before),
            "A corner reads two columns of cells. One cell further it keeps one of them, two cells further none, "
            "unless the map ends there.",
        )


def said(cells: set) -> str:
    return ", ".join(f"({column}, {row})" for column, row in sorted(cells))
