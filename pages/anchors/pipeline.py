"""The whole region proposal network in one row of pictures, and the pyramid of maps that it reads."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import region_proposals
from models import catalog
from models.inside import proposal_path
from models.networks.detector import ANCHOR_SIZES, FEATURES, PROPOSALS
from pages.anchors.network import LevelMaps, Look, look
from pages.anchors.proposals import NMS, TOP
from pages.anchors.shared import BLUE, ORANGE, VERMILION, surest, xyxy
from ui import page
from ui.components import Box, Boxes, GridLines, Heat, Lines, stage
from ui.pictures import Picture

SURE = 60  # anchors whose arrows and boxes are drawn, those of highest objectness
SHOWN = 100  # of the proposals


@dataclass(frozen=True, eq=False)
class Seen:
    """Per level, finest first: one channel (h, w) of the backbone's map and of the 3×3 convolution's, the one that
    varies most."""

    features: list[np.ndarray]
    hidden: list[np.ndarray]


@st.cache_resource(max_entries=100, show_spinner=False)
def walk(image: np.ndarray) -> Seen:
    maps = proposal_path.walk(catalog.load("detector"), image).values()
    liveliest = lambda values: values[int(values.flatten(1).std(1).argmax())].numpy().copy()  # noqa: E731
    return Seen(*([liveliest(getattr(each, kind)) for each in maps] for kind in ("features", "hidden")))


def overview(picture: Picture) -> None:
    """Nothing here moves with a slider, only with the picture."""
    page.section(
        "The whole network in one row",
        "A region proposal network (RPN) says of every anchor how surely it is an object, and moves it. All maps and "
        "numbers are of the picture above.",
    )
    with page.guard():
        found, seen = look(picture.image), walk(picture.image)
        row(picture, found, seen)
        pyramid(picture, found, seen)


def row(picture: Picture, found: Look, seen: Seen) -> None:
    at = surest(found)
    level = found.levels[at]
    k, rows, columns = level.objectness.shape
    size = picture.image.shape[:2]
    left = region_proposals.filter_proposals(found.decoded, found.logits, found.level_of, size, TOP, NMS, PROPOSALS)
    taken = int(found.level_of.bincount().clamp(max=TOP).sum())
    sure = left.top[:SURE]
    maps = f"{rows}×{columns}"
    steps = (
        ("picture", f"3×{size[0]}×{size[1]}", picture.image, []),
        ("→ backbone", f"{FEATURES}×{maps}, level {level.name}", picture.image, heat(seen.features[at], level)),
        ("→ 3×3", f"{FEATURES}×{maps}", picture.image, heat(seen.hidden[at], level)),
        ("→ scores", f"{k}×{maps}: K = {k}. In the paper 2K", picture.image,
         heat(level.objectness.sigmoid().amax(0).numpy(), level, "inferno")),
        ("+ moves", f"{4 * k}×{maps}: 4K", picture.image, moves(level)),
        ("→ decode", f"{len(found.decoded):,} boxes on {len(found.levels)} levels", picture.image,
         boxes(found.decoded[sure], ORANGE)),
        ("→ NMS", f"{taken:,} → {len(left.survivors):,} → {len(left.kept)} proposals", picture.image,
         boxes(left.boxes[left.kept[:SHOWN]], BLUE)),
    )  # fmt: skip
    with st.container(horizontal=True, gap="xsmall", key="anchors-row"):
        for i, (title, shape, image, layers) in enumerate(steps):
            with st.container(width=150 if page.lecture() else 108, gap="xsmall"):
                st.markdown(f"**{title}**")
                stage(f"anchors_row_{i}", zoom=False).show(
                    image, layers, alt=f"Step {i + 1}: {title.strip('→+ ')}", caption=shape
                )  # fmt: skip
    st.caption(
        f"Level {level.name}, where the surest box lies. Backbone and 3×3: the one of {FEATURES} channels that varies "
        f"most. Scores: the surest of the K anchors. Moves: where the transforms take the {SURE} surest anchors "
        f"of the level. Decode: the {len(sure)} surest boxes. NMS: the first {min(SHOWN, len(left.kept))} proposals."
    )
    page.remind("IoU", "NMS")


def heat(values: np.ndarray, level: LevelMaps, palette: str = "viridis") -> list:
    """The map where its cells lie: from the picture's corner, cell by cell."""
    rows, columns = values.shape
    limits = {"vmin": 0, "vmax": 1} if palette == "inferno" else {}
    where = (0, 0, columns * level.stride, rows * level.stride)
    return [Heat(values, palette, opacity=1, smooth=False, xyxy=where, **limits)]


def moves(level: LevelMaps) -> list:
    """From the middles of the surest anchors to the middles of what they become."""
    sure = level.objectness.permute(1, 2, 0).flatten().topk(min(SURE, level.objectness.numel())).indices
    anchor = level.anchors.reshape(-1, 4)[sure]
    shift = level.transforms.permute(2, 3, 0, 1).reshape(-1, 4)[sure]
    middle, sides = (anchor[:, :2] + anchor[:, 2:]) / 2, anchor[:, 2:] - anchor[:, :2]
    ends = torch.cat([middle, middle + sides * shift[:, :2]], 1)
    return [Lines(ends.numpy(), VERMILION, 1.5, arrow=True)]


def boxes(found: Tensor, colour: str) -> list:
    return [Boxes([Box(f"box-{i}", xyxy(each), colour=colour, width=1) for i, each in enumerate(found)])]


def pyramid(picture: Picture, found: Look, seen: Seen) -> None:
    """The levels beside each other, each with its cells and one of its anchors."""
    st.markdown(
        "**A feature pyramid.** Coarse maps know *what* is there, fine ones *where*: the network enlarges each coarse "
        "map and adds it to the next finer one, so that every level knows both. Each level looks for things of one "
        "size: one step up halves the map and doubles the stride."
    )
    with st.container(horizontal=True, gap="small", key="anchors-pyramid"):
        for i, (level, values, sizes) in enumerate(zip(found.levels, seen.features, ANCHOR_SIZES, strict=True)):
            rows, columns = values.shape
            middle = level.anchors[rows // 2, columns // 2]
            layers = [
                *heat(values, level),
                GridLines(stride=level.stride, colour="#FFFFFF55", width=0.5),
                Boxes([Box(f"anchor-{j}", xyxy(each), colour=ORANGE, width=2) for j, each in enumerate(middle)]),
            ]
            with st.container(width=215 if page.lecture() else 150, gap="xsmall"):
                st.markdown(f"**{level.name}** · stride {level.stride}")
                stage(f"anchors_pyramid_{i}", zoom=False).show(
                    picture.image, layers, alt=f"Level {level.name}: its map, its cells, the anchors of one position",
                    caption=f"{rows}×{columns} cells, anchors of {sizes[0]} px",
                )  # fmt: skip
    st.caption("White lines: the cells. Orange: the anchors of the position in the middle.")
