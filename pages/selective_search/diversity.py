"""More than one search: other colour spaces, other similarities, another start; and what each adds on this picture."""

from itertools import product
from time import perf_counter

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from labs import region_tree, selective_search, sliding_window
from labs.selective_search import COLOUR_SPACES, OPENCV_MODES, SIMILARITIES
from pages.selective_search.merging import Way
from pages.selective_search.shared import (
    BLUE,
    GREEN,
    ORANGE,
    SCALE,
    SIGMA,
    SPACE,
    dashed,
    fits,
    things_of,
    tree_of,
    xyxy,
)
from ui import page
from ui.components import Box, Boxes, stage
from ui.pictures import KEPT, Picture

SUMS = {"C + T + S + F": SIMILARITIES, "T + S + F": SIMILARITIES[1:], "S": ("size",), "F": ("fill",)}
SCALES = (50, 100, 200)
POINTS = 12  # of the curves, at most
FEWER, HALF, MORE = "under a quarter of them", "a quarter to three quarters", "over three quarters"


@st.cache_resource(max_entries=64, show_spinner=False)  # shared and only read
def by_opencv(image: np.ndarray, mode: str) -> tuple[np.ndarray, float]:
    """The boxes, and the seconds that they took."""
    began = perf_counter()
    return selective_search.by_opencv(image, mode), perf_counter() - began


@st.fragment
@page.guard()
def diversity(picture: Picture) -> None:
    page.section(
        "Search more than once",
        "One tree can miss a thing for good: merge it in part with the grass, and no later step parts them again.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        spaces = st.pills("Colour spaces", COLOUR_SPACES, selection_mode="multi", default=[SPACE, "HSV"],
                          key="selective_spaces", **KEPT)  # fmt: skip
        sums = st.pills("Similarities", list(SUMS), selection_mode="multi", default=["C + T + S + F"],
                        key="selective_sums", help="Colour, texture, size, fill: their sum.", **KEPT)  # fmt: skip
        scales = st.pills(
            "Scale k", SCALES, selection_mode="multi", default=[50, SCALE], key="selective_scales", **KEPT
        )
    slow = st.toggle("Time OpenCV's quality mode as well: about a second", key="selective_quality", **KEPT)
    if not (spaces and sums and scales):
        raise ValueError("Choose at least one colour space, one sum of similarities and one scale.")
    ways: list[Way] = [
        (space, scale, SIGMA, SUMS[each]) for space, each, scale in product(
            [s for s in COLOUR_SPACES if s in spaces], [s for s in SUMS if s in sums], sorted(scales))
    ]  # fmt: skip
    image = picture.image
    page.work_through(f"_selective {picture.name} {hash(tuple(ways))}", ways, lambda way: tree_of(image, *way),
                      f"{len(ways)} searches")  # fmt: skip
    found = [tree_of(image, *way) for way in ways]
    boxes = region_tree.ranked([tree for tree, _ in found], 0)
    added(picture, ways, boxes)
    times(picture, len(ways), boxes, sum(seconds for _, seconds in found), slow)


def added(picture: Picture, ways: list[Way], boxes: np.ndarray) -> None:
    """What another colour space would add, behind a question; then each thing's best box, and the growing list."""
    space = next((each for each in ("Lab", "HSV", "RGB") if each not in {way[0] for way in ways}), None)
    more, share = np.zeros((0, 4)), 0.0
    if space:
        other = tree_of(picture.image, space, SCALE, SIGMA, SIMILARITIES)[0]
        more = region_tree.ranked([other], 0)
        known = set(map(tuple, boxes))
        share = sum(tuple(box) not in known for box in more) / len(more)
    options = [FEWER, HALF, MORE]
    with page.predict(
        "selective-new", f"A search in {space or 'Lab'} gives {len(more)} boxes on this picture. How many of them are "
        f"new beside these {len(boxes)}?", options if space and len(more) > 1 else [],
    ) as prediction:  # fmt: skip
        left, right = st.columns(2, gap="large")
        with left:
            best_boxes(picture, boxes)
        with right:
            growth(picture, ways)
        prediction.outcome(
            (FEWER if share < 0.25 else HALF if share <= 0.75 else MORE) if space and len(more) > 1 else "",
            f"{share:.0%}: it starts from other regions and merges them in another order. Large boxes it has in common."
            if space and len(more) > 1 else "",
        )  # fmt: skip


def best_boxes(picture: Picture, boxes: np.ndarray) -> None:
    things, names = things_of(picture)
    best = fits(boxes, things)
    drawn = []
    for number, name in enumerate(names):
        fit, at = best[:, number].max(0)
        drawn.append(Box(f"best-{number}", xyxy(boxes[int(at)]), f"{name} {float(fit):.2f}", GREEN, width=3))
    stage("selective_best", zoom=False).show(
        picture.image, [Boxes([*dashed(things, names), *drawn])], alt="The box that fits each thing best",
        caption=f"Of {len(boxes):,} different boxes, for each thing the one that fits it best, with its IoU."
        if names else f"{len(boxes):,} different boxes. Where the things are is not known here.",
    )  # fmt: skip


def growth(picture: Picture, ways: list[Way]) -> None:
    """Boxes, and the mean of the things' best IoU, over the number of searches."""
    things, names = things_of(picture)
    counts, overlaps = [], []
    numbers = sorted({round(each) for each in np.linspace(1, len(ways), min(len(ways), POINTS))})
    for number in numbers:
        so_far = region_tree.ranked([tree_of(picture.image, *way)[0] for way in ways[:number]], 0)
        counts.append(len(so_far))
        overlaps.append(float(fits(so_far, things).amax(0).mean()) if names else None)
    told = [
        f"{space}, k = {scale}, {' + '.join(each[0].upper() for each in use)}"
        for space, scale, _, use in (ways[number - 1] for number in numbers)
    ]
    figure = go.Figure()
    figure.add_scatter(x=numbers, y=counts, name="different boxes", mode="lines+markers",
                       line={"color": BLUE}, text=told, hovertemplate="%{text}: %{y:,}<extra></extra>")  # fmt: skip
    figure.add_scatter(x=numbers, y=overlaps, name="mean best IoU", mode="lines+markers",
                       yaxis="y2", line={"color": ORANGE, "dash": "dot"}, text=told,
                       hovertemplate="%{text}: %{y:.2f}<extra></extra>")  # fmt: skip
    figure.update_layout(
        xaxis={"title": "searches", "dtick": max(1, len(ways) // 8)}, yaxis={"title": "boxes", "rangemode": "tozero"},
        yaxis2={"title": "mean best IoU", "overlaying": "y", "side": "right", "range": [0, 1.05], "showgrid": False,
                "tickvals": [0, 0.25, 0.5, 0.75, 1]},
        margin={"r": 60},
    )  # fmt: skip
    page.figure(figure, "selective_growth", height=360, alt="Boxes and mean best IoU over the number of searches")


def times(picture: Picture, searches: int, boxes: np.ndarray, seconds: float, slow: bool) -> None:
    """Boxes and time on this picture, beside OpenCV's, and beside the number of all windows."""
    height, width = picture.image.shape[:2]
    name = f"this page, {searches} search{'es' * (searches > 1)}"
    rows = ["| on this picture | boxes | ms |", "|---|---:|---:|"]
    rows.append(f"| {name} | {len(boxes):,} | {1000 * seconds:,.0f} |")
    for mode in OPENCV_MODES if slow else OPENCV_MODES[:2]:
        theirs, took = by_opencv(picture.image, mode)
        rows.append(f"| OpenCV, {mode} | {len(theirs):,} | {1000 * took:,.0f} |")
    rows.append(f"| all windows of {width} × {height} | {sliding_window.all_boxes(height, width):,} | – |")
    rows.append(f"| all windows of 800 × 600 | {sliding_window.all_boxes(600, 800):,} | – |")
    st.markdown("\n".join(rows))
    st.caption(
        "Times are of the first run on this picture, on one core; what else this machine does makes them longer. "
        "OpenCV searches with other starts and other sums of the same four similarities."
    )
