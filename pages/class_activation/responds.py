"""What one feature map answers to: the places in many scenes where it is largest, cut out."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from torch import Tensor

import scenes
from labs.class_activation import Contribution, winning_cells
from models import catalog
from models.networks.classifier import SIZE
from models.recipes.scene_cache import held_out_seeds
from pages.class_activation.shared import GAP
from pages.shared.heat_maps import SKY, number
from ui import page
from ui.components import Box, Boxes, stage
from ui.pictures import KEPT

SCENES = 60
RANKS = ("1st", "2nd", "3rd", "4th", "5th")
BEST = 8  # patches that are shown, in a row
PATCH = 64  # pixels a side: more than a cell's 16, for a cell sees far beyond itself


@dataclass(frozen=True, eq=False)
class Peaks:
    """Of every map in one scene: its largest value, float32 (K,), and the cell of it, row and column, int64 (K, 2)."""

    image: NDArray[np.uint8]
    labels: list[str]
    values: Tensor
    cells: Tensor
    side: int


@st.cache_resource(max_entries=2 * SCENES, show_spinner=False)
def peaks(seed: int) -> Peaks:
    view = scenes.render(scenes.sample(seed), SIZE)
    features = catalog.load(GAP)(view.image).features
    names = [thing.label for thing in view.instances]
    return Peaks(view.image, names, features.amax((1, 2)), winning_cells(features), SIZE // features.shape[-1])


def responds(parts: list[Contribution]) -> None:
    """A choice among the maps with the largest shares, and where in many scenes the chosen one is strongest."""
    st.subheader("What does one map answer to?", anchor="one-map")
    ranks = list(RANKS[: len(parts)])
    rank = st.segmented_control(
        "Feature map, by its share of the score", ranks, default=ranks[0], required=True, key="cam_feature", **KEPT
    )
    seeds = held_out_seeds(SCENES)
    if not st.session_state.get("cam_responds"):
        slot = st.empty()
        if not slot.button(f"Look through {SCENES} scenes", icon=":material/search:", key="cam_look"):
            return
        slot.empty()
        page.work_through("cam_responds", seeds, peaks, f"The network looks at {SCENES} scenes it was not trained on")
    channel = parts[ranks.index(rank)].channel
    found = [peaks(seed) for seed in seeds]
    values = torch.stack([each.values[channel] for each in found])
    best = values.argsort(descending=True)[:BEST].tolist()
    boxes = []
    for i, k in enumerate(best):
        place = (i * PATCH + 1, 1, (i + 1) * PATCH - 1, PATCH - 1)
        note = f"scene {seeds[k]}: {', '.join(found[k].labels)}"
        boxes.append(Box(f"patch-{i}", place, number(float(values[k])), SKY, width=1, note=note))
    stage("cam_patches", zoom=False).show(
        np.hstack([patch(found[k], channel) for k in best]), [Boxes(boxes)],
        alt=f"The {BEST} places of {SCENES} scenes where feature map {channel} is largest",
        caption=f"Where f{channel} is largest in {SCENES} scenes, one place a scene, with its value there. Nobody told "
        "the network what this map should mean.",
    )  # fmt: skip


def patch(found: Peaks, channel: int) -> NDArray[np.uint8]:
    """PATCH pixels a side around a map's strongest cell, as far as the picture goes."""
    row, column = ((found.cells[channel] + 0.5) * found.side).long().tolist()
    top, left = (min(max(at - PATCH // 2, 0), SIZE - PATCH) for at in (row, column))
    return found.image[top : top + PATCH, left : left + PATCH]
