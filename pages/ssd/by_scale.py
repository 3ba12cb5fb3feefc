"""Detections by grid: which of them finds what, on this scene and by the size of the thing over held-out scenes."""

from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch

import scenes
from labs import default_boxes, matching
from labs.matching import Detections
from models import catalog
from models.networks import ssd
from models.networks.ssd import SsdDetection
from models.recipes.coco_metrics import SIZES
from models.recipes.scene_cache import SIZE, held_out_seeds
from pages.shared.known_truth import truth_of
from pages.shared.truths import truths_of
from pages.ssd.shared import GRID_COLOURS, NETWORK, counted, grid_name, legend, look, truths_drawn
from scenes import THINGS
from ui import page
from ui.components import Box, Boxes, live_slider, stage, words
from ui.pictures import KEPT, Picture

NAMES = [grid_name(cells) for cells in ssd.GRIDS]
MOST_DRAWN = 60
COUNTS = (20, 50, 100, 200)
SURE = 0.5  # score from which a detection counts in the table


@st.fragment
@page.guard()
def by_scale(picture: Picture) -> None:
    page.section(
        "Detections by grid",
        "Every grid speaks for itself: switch one off and see which things are lost.",
    )
    page.remind("NMS")
    found = look(picture.image)
    with ExitStack() as sliders:
        left, right = st.columns(2)
        with left:
            threshold = sliders.enter_context(
                live_slider("Score threshold", 0.01, 0.99, 0.4, step=0.01, key="ssd_threshold", format="%.2f",
                            play=True, window=2)
            )  # fmt: skip
        with right:
            overlap = sliders.enter_context(
                live_slider("NMS threshold", 0.0, 1.0, ssd.NMS_OVERLAP, step=0.01, key="ssd_nms", format="%.2f",
                            window=2, help="A box goes when its IoU with a better one of its class is above this.")
            )  # fmt: skip
        on = st.pills("Grids that speak", NAMES, selection_mode="multi", default=NAMES, key="ssd_speak",
                      bind="query-params")  # fmt: skip
        detections(picture, found, threshold, overlap, on)
    legend(ssd.GRIDS)
    page.footer(NETWORK, found.device, found.seconds * 1000)


def detections(picture: Picture, found: SsdDetection, threshold: float, overlap: float, on: list[str]) -> None:
    """What the grids that speak say, after threshold and NMS, each box in its grid's colour."""
    speaks = torch.tensor([name in on for name in NAMES])[found.defaults.grid_of]
    scores = torch.where(speaks[:, None], found.raw_scores, 0)
    box, label, score = default_boxes.detect(found.raw_boxes, scores, threshold, overlap)
    grid = found.defaults.grid_of[box]
    few = len(box) <= 12
    shown = [each[:MOST_DRAWN].tolist() for each in (found.raw_boxes[box], label, score, grid)]
    drawn = []
    for i, (place, name, value, level) in enumerate(zip(*shown, strict=True)):
        said = f"{THINGS[name - 1]} {value:.2f}"
        drawn.append(Box(f"found-{i}", tuple(place), said if few else "", GRID_COLOURS[level], width=2.5,
                         note=f"{said}, {NAMES[level]}"))  # fmt: skip
    drawn.reverse()
    left, right = st.columns([3, 2], gap="large")
    with left:
        stage("ssd_found", width=620, window=2).show(
            picture.image, [Boxes([*truths_drawn(truth_of(picture)), *drawn])],
            alt=f"{counted(len(box), 'detection')} of SSD, coloured by grid",
            caption="Colour: the grid that found it." + " Dashed white: truth." * (picture.view is not None)
            + f" The best {MOST_DRAWN} are drawn." * (len(box) > MOST_DRAWN),
        )  # fmt: skip
    asked = int((scores[:, 1:] > threshold).sum())
    counts = grid.bincount(minlength=len(NAMES)).tolist()
    with right:
        words(
            f"**{counted(len(box), 'detection')}** of {counted(asked, 'score')} above {threshold:.2f}\n\n"
            + "\n\n".join(f"{name}: {count}" for name, count in zip(NAMES, counts, strict=True)),
            "ssd_found_words",
        )


@dataclass(frozen=True, eq=False)
class Hits:
    """What was rightly found in one scene: the area of each thing in pixels, and the grid that found it or -1."""

    areas: np.ndarray
    grids: np.ndarray


@st.cache_data(max_entries=512, show_spinner=False)
def hits(seed: int) -> Hits:
    """Run the network on a scene that it has never seen, and match what it is sure of with the truth at IoU 0.5."""
    view = scenes.render(scenes.sample(seed), SIZE)
    found, truths = catalog.load(NETWORK)(view.image), truths_of(view)
    box, label, score = default_boxes.detect(found.raw_boxes, found.raw_scores, SURE, ssd.NMS_OVERLAP)
    said = Detections(found.raw_boxes[box].numpy().astype(np.float64), label.numpy(), score.numpy())
    judged = matching.judge(said, truths)
    counts = ~truths.crowd
    grids = np.full(len(counts), -1)
    for index, verdict in enumerate(judged.verdicts):
        if verdict.kind == "true":
            grids[verdict.truth] = int(found.defaults.grid_of[box[index]])
    return Hits(truths.areas[counts], grids[counts])


@st.fragment
@page.guard()
def sizes() -> None:
    """Which grid finds things of which size, over scenes that the network has never seen."""
    st.subheader("Which grid finds small things?", anchor="small-things")
    catalog.card(NETWORK)  # without weights, say so before the controls
    count = st.segmented_control("Held-out scenes", COUNTS, default=COUNTS[0], required=True, key="ssd_scenes", **KEPT)
    page.work_through("_ssd_sizes", held_out_seeds(count), hits, f"SSD on {count} scenes that it has never seen")
    every = [hits(seed) for seed in held_out_seeds(count)]
    areas, grids = np.concatenate([each.areas for each in every]), np.concatenate([each.grids for each in every])
    table = np.array(
        [[int(((areas >= low) & (areas < high) & (grids == k)).sum()) for k in (*range(len(NAMES)), -1)]
         for low, high in SIZES.values()]
    )  # fmt: skip
    small, found = table[0], int(table[0, :-1].sum())
    asked = (
        f"{counted(int(small.sum()), 'small thing')}, of less than 32² pixels, in {count} scenes: which grid finds "
        "most of them?"
    )
    with page.predict("ssd-small", asked, NAMES if found else []) as prediction:
        stacked(table)
        missed = [f"**{row[-1] / row.sum():.0%}** of the {name} things"
                  for name, row in zip(SIZES, table, strict=True) if row.sum()]  # fmt: skip
        words(f"Missed at score {SURE} and IoU 0.5: {', '.join(missed) or 'none'}.", "ssd_missed")
        if found:
            best = int(small[:-1].argmax())
            prediction.outcome(
                NAMES[best],
                f"It finds {small[best]} of the {found} that are found: a thing is found where the default boxes have "
                "about its size and stand close enough together.",
            )
        else:
            prediction.outcome(None)


def stacked(table: np.ndarray) -> None:
    """Bars by size of thing, stacked by the grid that found it; what was missed in grey on top."""
    figure, names = go.Figure(), [f"{name}, {count} things" for name, count in zip(SIZES, table.sum(1), strict=True)]
    looks = [*zip(NAMES, GRID_COLOURS, strict=False), ("missed", "#8A9099")]
    for column, (name, colour) in enumerate(looks):
        figure.add_bar(
            x=names, y=table[:, column], name=name, marker={"color": colour},
            hovertemplate=f"{name}: %{{y}}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(barmode="stack", xaxis={"title": "size of the thing"}, yaxis={"title": "things"})
    page.figure(figure, "ssd_sizes", height=320, alt="Things by size and by the grid that found them")
