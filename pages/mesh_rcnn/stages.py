"""From voxels to a solid: the network's voxels at a threshold, the blocky mesh, and what each stage makes of it."""

from itertools import pairwise

import cv2
import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import mesh_losses
from models.networks.mesh_rcnn import THRESHOLD as USUAL
from models.networks.mesh_rcnn import Stages
from pages.mesh_rcnn import predicted, shared
from pages.mesh_rcnn.predicted import NAMES, NETWORK, Region
from ui import page
from ui.components import Heat, Solid, live_slider, solids, stage, words
from ui.pictures import KEPT, Picture

FAR = 0.06  # of the longer side: where the colours of the distance end
WITHIN = 0.03  # F1 is counted within this share of the longer side
PLAIN, DISTANCE = "Plain", "By error"


@st.fragment
@page.guard()
def refine(picture: Picture) -> None:
    page.section(
        "From voxels to a solid",
        "The network fills a grid of voxels, turns them into a blocky mesh, and moves its corners in three stages.",
        always=True,
    )
    region = predicted.region_of(picture)
    if region is None:
        words("The network finds nothing in this picture: choose another one.", "mesh_none")
        return
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    body = st.container()
    with right:
        colours = st.segmented_control(
            "Colour", [PLAIN, DISTANCE] if picture.view else [PLAIN], default=PLAIN, required=True, key="mesh_colour",
            **KEPT,
        )  # fmt: skip
    with (
        left,
        live_slider("A voxel is full above", 0.05, 0.95, USUAL, step=0.05, key=predicted.THRESHOLD) as threshold,
        body,
    ):
        stages = predicted.stages_of(picture, region, threshold)
        truth = predicted.truth_of(picture)
        side_by_side(picture, region, stages, colours == DISTANCE)
        how_many(region, stages, threshold)
        if truth is not None:
            gained(picture, region, stages, threshold, truth)
    layers(picture, region)
    page.footer(NETWORK, region.shapes.device, (region.shapes.seconds + stages.seconds) * 1000)


def side_by_side(picture: Picture, region: Region, stages: Stages, by_distance: bool) -> None:
    """All stages, and the truth where there is one, turned together at one scale."""
    faces = stages.faces.numpy()
    thing, truth = shared.chosen(picture), predicted.truth_of(picture)
    shown = []
    for number, (name, vertices) in enumerate(zip(NAMES, stages.vertices, strict=True)):
        colours = None
        if by_distance and truth is not None:
            colours = coloured(distances(vertices, truth))
        shown.append(Solid(name, vertices.numpy(), faces, title=name.capitalize(), colour=shared.SKY, colours=colours,
                           flat=number == 0))  # fmt: skip
    if thing is not None:
        solid = shared.truth_of(picture, thing).mesh
        shown.append(Solid("truth", solid.vertices.numpy(), solid.faces.numpy(), title="Truth", colour=shared.ORANGE))
    middle = torch.cat([(region.full_box[:2] + region.full_box[2:]) / 2, torch.zeros(1)])
    caption = "Drag one and all of them turn."
    if by_distance and truth is not None:
        caption += f" Dark: on the true surface. Bright: {FAR:.0%} of the thing's longer side away, or more."
    solids("mesh_stages", tall=230).show(
        shown, alt=f"The mesh of the {region.name} at every stage", caption=caption, middle=middle.tolist(),
        radius=0.65 * region.longest,
    )  # fmt: skip


def distances(vertices: Tensor, truth: predicted.Truth) -> Tensor:
    """How far each vertex is from the true surface, in the thing's longer side."""
    return (vertices - truth.points[mesh_losses.nearest(vertices, truth.points)]).norm(dim=1) / truth.longest


def coloured(away: Tensor) -> np.ndarray:
    """Distances as colours uint8 (V, 3), dark to bright."""
    grey = (away / FAR).clamp(0, 1).mul(255).byte().numpy()[:, None]
    return cv2.cvtColor(cv2.applyColorMap(grey, cv2.COLORMAP_CIVIDIS), cv2.COLOR_BGR2RGB)[:, 0]


def how_many(region: Region, stages: Stages, threshold: float) -> None:
    full = int((region.shapes.voxels[region.row] > threshold).sum())
    who = "its own box of the thing" if region.found else "the true box, as the detector missed the thing"
    words(
        f"From {who}: **{full:,}** of 13,824 voxels are above {threshold:.2f}. The mesh has "
        f"**{len(stages.vertices[0]):,}** corners and {len(stages.faces):,} triangles, and the stages add none.",
        "mesh_counts",
    )


def f1_of(picture: Picture, region: Region, stages: Stages, threshold: float, truth: predicted.Truth) -> list[float]:
    """F1 of every stage, the voxels first."""
    scores = []
    for name, vertices in zip(NAMES, stages.vertices, strict=True):
        points, _ = predicted.drawn(
            vertices, stages.faces, predicted.key_of(picture, region, name, round(threshold, 2))
        )
        scores.append(mesh_losses.f1(points, truth.points, WITHIN * truth.longest))
    return scores


def gained(picture: Picture, region: Region, stages: Stages, threshold: float, truth: predicted.Truth) -> None:
    """Which stage gains most?"""
    scores = f1_of(picture, region, stages, threshold, truth)
    gains = [after - before for before, after in pairwise(scores)]
    with page.predict(
        "mesh-gain",
        f"Threshold {threshold:.2f}: which stage brings the mesh of the {region.name} most closer to the truth?",
        ["stage 1", "stage 2", "stage 3", "none of them"],
    ) as prediction:
        best = int(np.argmax(gains))
        words(
            "F1 within 3 % of the longer side: "
            + ", ".join(f"{name} **{score:.2f}**" for name, score in zip(NAMES, scores, strict=True)) + ".",
            "mesh_f1",
        )  # fmt: skip
        prediction.outcome(
            f"stage {best + 1}" if gains[best] > 0 else "none of them",
            f"It gains {gains[best]:+.2f} of F1. The first stage sees blocks and can gain most, unless the threshold "
            "already hit the surface.".replace("-", "−", 1 if gains[best] < 0 else 0),
        )


def layers(picture: Picture, region: Region) -> None:
    """One layer of the grid: how sure the network is, voxel by voxel."""
    left, right = st.columns([2, 3], gap="large", vertical_alignment="center")
    voxels = region.shapes.voxels[region.row]
    with (
        left,
        live_slider("Layer, from front to back", 1, len(voxels), len(voxels) // 2, key="mesh_layer", window=2) as layer,
    ):
        x1, y1 = region.shapes.corners[region.row, :2].tolist()
        x2, y2 = (region.shapes.corners[region.row] + 24 * region.shapes.sides[region.row])[:2].tolist()
        ratio = (y2 - y1) / (x2 - x1)
        stage("mesh_slice", zoom=False, window=2, width=320).show(
            None,
            [Heat(voxels[layer - 1].numpy(), "cividis", 0, 1, opacity=1, smooth=False, xyxy=(0, 0, 24, 24 * ratio))],
            size=(24, 24 * ratio), alt=f"Layer {layer} of the voxels",
            caption="Dark: surely empty. Bright: surely full.",
        )  # fmt: skip
    with right:
        deep = float(region.shapes.sides[region.row, 2])
        said = voxels[layer - 1]
        words(
            f"Layer {layer} lies {abs((layer - 12.5) * deep):.1f} px {'behind' if layer > 12 else 'in front of'} the "
            f"middle. **{int((said > 0.5).sum())}** of its 576 voxels are above 0.5, and the network is unsure "
            f"(0.1 to 0.9) of **{int(((said > 0.1) & (said < 0.9)).sum())}**.", "mesh_layer_said",
        )  # fmt: skip
        st.caption("24 × 24 places come from the picture, and 24 layers are the channels of one convolution: depth is "
                   "guessed from what such things look like.")  # fmt: skip
