"""SSD's pyramid of grids against YOLO's single grid: the same scene, things that nobody answers for, and the cards."""

import numpy as np
import streamlit as st
import torch

import scenes
from labs import default_boxes, yolo_grid
from labs.boxes import iou_matrix
from labs.yolo_grid import Grid
from models import catalog
from models.networks import ssd
from models.networks.yolo import CELLS
from models.recipes.scene_cache import SIZE, held_out_seeds
from pages.shared.known_truth import truth_of
from pages.ssd.shared import NETWORK, counted, look, truths_drawn, xyxy
from scenes import PALETTE, THINGS
from ui import page
from ui.components import Box, Boxes, live_slider, stage, words
from ui.pictures import KEPT, Picture

GRIDS = ("yolo-cell", "yolo-anchor")
ROWS = {
    NETWORK: "one pass, four grids",
    "yolo-cell": "one pass, one grid",
    "yolo-anchor": "one pass, one grid, anchors",
    "detector": "two stages",
}
COUNTS = (50, 100, 200, 500)
LOST = {"none": 1, "1 to 5": 6, "6 to 20": 21, "more than 20": float("inf")}


@st.cache_resource(max_entries=100, show_spinner=False)
def seen_by(name: str, image: np.ndarray):
    """What YOLO says of a picture."""
    return catalog.load(name)(image)


@st.fragment
@page.guard()
def same_scene(picture: Picture) -> None:
    page.section(
        "Against one grid",
        "YOLO has one grid, SSD a pyramid of them: the same scene through both.",
    )
    other = st.segmented_control("One grid", GRIDS, default=GRIDS[0], required=True, key="ssd_against", **KEPT)
    found = {NETWORK: look(picture.image), other: seen_by(other, picture.image)}
    with live_slider("Show scores from", 0.05, 0.95, 0.4, step=0.05, key="ssd_shown", format="%.2f",
                     window=2) as least:  # fmt: skip
        for place, (side, (name, each)) in zip(
            st.columns(2, gap="medium"), zip(("left", "right"), found.items(), strict=True), strict=True
        ):
            shown = (each.scores >= least).nonzero()[:, 0].tolist()
            boxes = [
                Box(f"found-{i}", xyxy(each.boxes[i]), f"{THINGS[each.labels[i] - 1]} {each.scores[i]:.2f}",
                    PALETTE[THINGS[each.labels[i] - 1]], width=2.5)
                for i in reversed(shown)
            ]  # fmt: skip
            with place:
                words(f"**{name}**: {counted(len(shown), 'box', 'boxes')}, {ROWS[name]}", f"ssd_{side}_words")
                stage(f"ssd_{side}", zoom=False, window=2).show(
                    picture.image, [Boxes([*truths_drawn(truth_of(picture)), *boxes])],
                    alt=f"{counted(len(shown), 'box', 'boxes')} of {name}",
                    caption="Dashed white: truth." if picture.view else "",
                )  # fmt: skip


@st.cache_data(max_entries=1024, show_spinner=False)
def boxes_of(seed: int) -> np.ndarray:
    """Boxes float32 (T, 4) of a scene's things, cut at the picture's edge, without drawing the scene."""
    return np.array([np.clip(thing.box, 0, SIZE) for thing in scenes.sample(seed).objects], np.float32).reshape(-1, 4)


@st.cache_data(max_entries=8, show_spinner=False)
def lost(count: int) -> dict[str, int]:
    """Things in the first held-out scenes that nobody answers for, by rule; and how many things there are."""
    defaults = ssd.defaults_of().boxes
    grid = Grid(CELLS, SIZE, SIZE)
    found = {"SSD": 0, "YOLOv1": 0, "things": 0}
    for seed in held_out_seeds(count):
        boxes = torch.from_numpy(boxes_of(seed))
        owner = default_boxes.match(iou_matrix(boxes, defaults)).owner
        labels = torch.ones(len(boxes), dtype=torch.int64)
        found["SSD"] += len(boxes) - len(owner[owner >= 0].unique())
        found["YOLOv1"] += len(yolo_grid.assign(boxes, labels, grid).collisions)
        found["things"] += len(boxes)
    return found


@st.fragment
@page.guard()
def collisions() -> None:
    st.subheader("Does a thing ever go without a box?", anchor="collisions")
    count = st.segmented_control("Scenes", COUNTS, default=COUNTS[1], required=True, key="ssd_count", **KEPT)
    table = lost(count)
    asked = (
        f"YOLOv1's {CELLS}×{CELLS} cells leave {table['YOLOv1']} of {table['things']:,} things in {count} scenes "
        "without a cell. How many does SSD leave without a default box?"
    )
    with page.predict("ssd-lost", asked, list(LOST)) as prediction:
        words(
            f"SSD: **{table['SSD']} ({table['SSD'] / table['things']:.2%})**. YOLOv1: **{table['YOLOv1']} "
            f"({table['YOLOv1'] / table['things']:.2%})**.", "ssd_lost",
        )  # fmt: skip
        prediction.outcome(
            next(name for name, limit in LOST.items() if table["SSD"] < limit),
            "Two things lose one to the other only where the same default box is the best of both, and no second box "
            "reaches IoU 0.5 with the loser. Things of different size or shape hardly ever meet.",
        )


@page.guard()
def cards() -> None:
    """The figures of the cards side by side, by size of thing."""
    st.subheader("What does one grid miss?", anchor="by-size")
    facts = {name: catalog.card(name)["metrics"] for name in ROWS}
    lines = ["| network | how | AP | AP50 | small | medium | large |", "|---|---|---:|---:|---:|---:|---:|"]
    for name, row in facts.items():
        by_size = " | ".join(f"{row['box_ap_per_size'][size]:.3f}" for size in ("small", "medium", "large"))
        lines.append(f"| {name} | {ROWS[name]} | {row['box_ap']:.3f} | {row['box_ap50']:.3f} | {by_size} |")
    st.markdown("\n".join(lines))
    st.markdown(by_size_in_words({name: row["box_ap_per_size"] for name, row in facts.items()}))
    st.caption(
        f"From the cards: COCO's AP over {facts[NETWORK]['scenes']} scenes that no network has seen, all and by the "
        "area of the thing (small below 32², large from 64² pixels). SSD stands on the frozen trunk of the detector, "
        "made for region proposals: only its own layers were trained, so the table compares these networks, not the "
        "methods at their best."
    )


def by_size_in_words(rows: dict[str, dict[str, float]]) -> str:
    """Where the pyramid gains against the better of both single grids, and where it loses."""
    said = []
    for size in ("small", "medium", "large"):
        best = max(rows[name][size] for name in GRIDS)
        gap = rows[NETWORK][size] - best
        said.append(f"**{gap:+.3f} on {size} things**".replace("-", "−"))
    return (
        f"SSD's AP against the better of both YOLOs: {', '.join(said)}. The finest grid stands where small things are; "
        "large things are rare in this world, so the coarse grids had few boxes to learn from."
    )
