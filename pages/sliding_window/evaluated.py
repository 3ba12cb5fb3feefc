"""How good is it over many scenes? AP against the number of scales and the stride, beside the lab's detector."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch

import scenes
from labs import average_precision as ap
from labs import image_pyramid
from labs.image_pyramid import Candidates
from labs.matching import Detections, Truths
from labs.sliding_window import CLASSES
from models import catalog
from models.inside import detector_cache
from models.recipes.scene_cache import SIZE, held_out_seeds
from pages.shared import offered
from pages.shared.truths import truths_of
from pages.sliding_window.searched import (
    BLUE,
    CLASSIFIER,
    HOW,
    LABELS,
    LOCALIZER,
    ORANGE,
    PURPLE,
    VERMILION,
    WIDE,
    search,
    suppressed,
    sure,
)  # fmt: skip
from ui import page
from ui.components import live_slider, words
from ui.pictures import KEPT

COUNTS = (10, 20, 50, 100)
SCALES, STEP = 6, 1.4
STRIDES = (4, 8, 16, 28)  # 28: windows that only touch
LOWEST, OVERLAP = 0.05, 0.3  # score from which a box counts, and the threshold of NMS
BEST = 50  # boxes of a picture that are judged
# What is judged: the network, and whether its windows are moved by its boxes.
WAYS = {
    f"{LOCALIZER}, boxes": (LOCALIZER, True),
    f"{LOCALIZER}, bare windows": (LOCALIZER, False),
    f"{WIDE}": (WIDE, False),
    f"{CLASSIFIER}": (CLASSIFIER, False),
}
LOOKS = dict(zip(WAYS, ((BLUE, "solid"), (BLUE, "dot"), (ORANGE, "solid"), (PURPLE, "solid")), strict=True))
DETECTOR = "detector"
FIRST = f"{LOCALIZER}, boxes"
Way = tuple[str, int, int]  # of WAYS, stride, number of scales


@dataclass(frozen=True, eq=False)
class Judged:
    """One held-out scene: the truth, and what every way finds in it."""

    truths: Truths
    found: dict[Way, Detections]
    detector: Detections


@dataclass(frozen=True, eq=False)
class Table:
    """AP at IoU 0.5, mean over the three classes, of every way and of the detector."""

    ways: dict[Way, float]
    detector: float


@st.cache_resource(show_spinner=False)
def known() -> tuple[dict[int, Judged], dict[int, Table]]:
    """What anybody has had judged: by seed, and by number of scenes."""
    return {}, {}


def judged(seed: int) -> Judged:
    """Look at one scene in every way."""
    view = scenes.render(scenes.sample(seed), SIZE)
    sizes = image_pyramid.level_sizes(SIZE, SIZE, SCALES, STEP, HOW.window)
    found: dict[Way, Detections] = {}
    for name in dict.fromkeys(network for network, _ in WAYS.values()):
        levels = [search(name, view.image, size, number, HOW.stride) for number, size in enumerate(sizes)]
        every = sure(image_pyramid.together(levels), LOWEST)
        for way in (way for way, (network, _) in WAYS.items() if network == name):
            for stride in STRIDES:
                for count in range(1, len(sizes) + 1):
                    found[way, stride, count] = left_of(every, WAYS[way][1], stride, count)
    seen = detector_cache.look(catalog.load(DETECTOR), view.image)
    theirs = Detections(seen.boxes.numpy(), seen.labels.numpy(), seen.scores.numpy())
    return Judged(truths_of(view), found, theirs)


def left_of(every: Candidates, moved: bool, stride: int, count: int) -> Detections:
    """What NMS leaves of the first levels at a stride, as windows or as boxes."""
    step = stride // HOW.stride
    some = every.subset((every.level < count) & (every.row % step == 0) & (every.column % step == 0))
    if not moved:
        some = Candidates(**{**vars(some), "boxes": some.windows})
    kept = suppressed(some, OVERLAP).subset(slice(BEST))
    return Detections(kept.boxes.numpy(), torch.tensor(LABELS)[kept.labels].numpy(), kept.scores.numpy())


def mean_ap(found: list[Detections], truths: list[Truths]) -> float:
    """AP at IoU 0.5, COCO's matching and 101 points, mean over the classes that are there."""
    return ap.mean_of_defined(
        np.array([ap.average_precision(ap.rank(ap.compare(found, truths, label))) for label in LABELS])
    )


def work(count: int, seen: dict[int, Judged], tables: dict[int, Table]) -> Iterator[tuple[int, int, str]]:
    """Judge the scenes that nobody has had judged yet, then all together; both are written into what is `known`."""
    seeds = held_out_seeds(count)
    parts = count + len(WAYS) * len(STRIDES)
    for done, seed in enumerate(seeds, start=1):
        if seed not in seen:
            seen[seed] = judged(seed)
        yield done, parts, "Scenes, then their AP"
    every = [seen[seed] for seed in seeds]
    truths, ways = [each.truths for each in every], {}
    for way in WAYS:
        for stride in STRIDES:
            for scales in range(1, SCALES + 1):
                ways[way, stride, scales] = mean_ap([each.found[way, stride, scales] for each in every], truths)
            yield count + len(ways) // SCALES, parts, "Scenes, then their AP"
    tables[count] = Table(ways, mean_ap([each.detector for each in every], truths))


@st.fragment
@page.guard()
def evaluated() -> None:
    """The curves, once somebody has had the scenes judged."""
    page.section(
        "How good is it?",
        f"AP at IoU 0.5 of {', '.join(CLASSES[:-2])} and {CLASSES[-2]}, over scenes that no network has seen, beside "
        "the lab's detector, which learned regions and boxes together.",
    )
    count = st.segmented_control("Scenes", COUNTS, default=20, required=True, key="window_scenes", **KEPT)
    seen, tables = known()
    table = tables.get(count)
    if table is None:
        st.info(
            f"{len(WAYS) * len(STRIDES) * SCALES} detectors look at {count} scenes: {len(WAYS)} ways, "
            f"{len(STRIDES)} strides, 1 to {SCALES} scales. That takes about a second a scene, in the background.",
            icon=":material/info:",
        )
        offered.offer("window_judge", count, "Judge the scenes", lambda: work(count, seen, tables))
        return
    with live_slider("Stride", options=STRIDES, value=STRIDES[0], unit="px", key="window_ap_stride") as stride:
        curves(table, stride, count)


def curves(table: Table, stride: int, count: int) -> None:
    """AP over the number of scales, and what scales and stride bring."""
    scales = table.ways[FIRST, STRIDES[0], SCALES] - table.ways[FIRST, STRIDES[0], 1]
    finer = table.ways[FIRST, STRIDES[0], SCALES] - table.ways[FIRST, STRIDES[2], SCALES]
    moved = table.ways[FIRST, STRIDES[0], SCALES] - table.ways[f"{LOCALIZER}, bare windows", STRIDES[0], SCALES]
    options = ["Six scales instead of one", f"Stride {STRIDES[0]} instead of {STRIDES[2]}"]
    with page.predict(
        "window-scales-or-stride", f"What brings {LOCALIZER} more AP over these {count} scenes?", options
    ) as prediction:
        reached = [table.ways[way, stride, SCALES] for way in WAYS]
        words(
            f"At stride {stride} with {SCALES} scales {LOCALIZER} reaches AP **{reached[0]:.3f}** with its boxes, "
            f"**{reached[1]:.3f}** with bare windows; {WIDE} **{reached[2]:.3f}**, {CLASSIFIER} **{reached[3]:.3f}**. "
            f"The detector: **{table.detector:.3f}**.", "window_ap_said",
        )  # fmt: skip
        page.figure(figure_of(table, stride), "window_ap", height=380,
                    alt=f"AP over the number of scales at stride {stride}, and the detector's")  # fmt: skip
        prediction.outcome(
            options[0] if scales >= finer else options[1],
            f"Scales bring {scales:+.3f}, the stride {finer:+.3f}, and the boxes {moved:+.3f} over bare windows. A "
            "thing is missed between two sizes as between two places; a box can mend some of both.".replace("-", "−"),
        )  # fmt: skip
    st.caption(
        f"Each scale is {STEP} times coarser than the last, so windows cover {HOW.window} to "
        f"{round(HOW.window * STEP ** (SCALES - 1))} px. NMS threshold {OVERLAP}, scores from {LOWEST}. The small "
        "networks see single windows; the detector sees the whole scene."
    )


def figure_of(table: Table, stride: int) -> go.Figure:
    figure, scales = go.Figure(), list(range(1, SCALES + 1))
    for way, (colour, dash) in LOOKS.items():
        figure.add_scatter(
            x=scales, y=[table.ways[way, stride, each] for each in scales], name=way, mode="lines+markers",
            line={"color": colour, "dash": dash}, hovertemplate=f"{way}: %{{y:.3f}} with %{{x}} scales<extra></extra>",
        )  # fmt: skip
    figure.add_scatter(
        x=scales, y=[table.detector] * SCALES, name="the lab's detector", mode="lines",
        line={"color": VERMILION, "dash": "dash"}, hovertemplate="detector: %{y:.3f}<extra></extra>",
    )  # fmt: skip
    figure.update_layout(
        xaxis={"title": "scales", "tickvals": scales}, yaxis={"title": "AP at IoU 0.5", "range": [0, 1.02]},
    )  # fmt: skip
    return figure
