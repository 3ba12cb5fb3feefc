"""No layer per region: how many maps, and the time of pooling and heads against the number of proposals, measured."""

from collections.abc import Iterator

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from labs import position_sensitive as ps
from models import catalog
from models.inside import region_work
from pages.position_sensitive.shared import NETWORK, RIVAL
from pages.shared import offered
from ui import page
from ui.components import live_slider, words
from ui.pictures import Picture

COUNTS = (10, 30, 100, 300, 1000)
LOOKS = {NETWORK: ("R-FCN: pool and vote", "#0072B2", "solid"),
         RIVAL: ("Faster R-CNN: pool and layers", "#D55E00", "dash")}  # fmt: skip
PAPER = (3, 20)  # parts a side and classes of PASCAL VOC


@st.cache_resource(max_entries=24, show_spinner=False)
def timings(image: np.ndarray) -> dict[tuple[str, int], float]:
    """What anybody has had measured on this picture: milliseconds by network and number of proposals."""
    return {}


@st.cache_resource(max_entries=24, show_spinner=False)
def rival(image: np.ndarray):
    """Faster R-CNN on the same trunk: what it sees and finds, boxes alone."""
    return catalog.load(RIVAL)(image, masks=False, keypoints=False)


def work(image: np.ndarray, known: dict[tuple[str, int], float]) -> Iterator[tuple[int, int, str]]:
    """Time both networks, one after the other at every number of proposals, so that what else runs slows both."""
    found = rival(image)
    best = found.decoded[found.decoded_scores.argsort(descending=True)][: max(COUNTS)]
    ready = {name: region_work.prepared(catalog.load(name), image, best) for name in LOOKS}
    parts = len(COUNTS) * len(LOOKS)
    for name in LOOKS:
        region_work.milliseconds(ready[name], COUNTS[0], repeats=1)  # the first call of a layer prepares it
    for done, (count, name) in enumerate(((count, name) for count in COUNTS for name in LOOKS), start=1):
        if (name, count) not in known:
            known[name, count] = region_work.milliseconds(ready[name], count)
        yield done, parts, "Timed"


@st.fragment
@page.guard()
def price(picture: Picture) -> None:
    page.section(
        "No layer per region",
        "Faster R-CNN runs its heads once per proposal. R-FCN makes its maps once per picture; a proposal only reads.",
    )
    counted()
    known = timings(picture.image)
    offered.offer("rfcn_time", picture.name, "Measure both here", lambda: work(picture.image, known))
    whole = {name: [known.get((name, count)) for count in COUNTS] for name in LOOKS}
    if any(value is None for values in whole.values() for value in values):
        st.caption("The RPN's best 10 to 1000 boxes of this picture, from features to scores and boxes, before NMS.")
        return
    grown = {name: values[-1] - values[0] for name, values in whole.items()}
    slower = max(grown, key=lambda name: grown[name])
    options = [label for label, _, _ in LOOKS.values()]
    with page.predict(
        "rfcn-time", f"From {COUNTS[0]} to {COUNTS[-1]} proposals: whose time grows by more milliseconds?", options
    ) as prediction:
        figure = go.Figure()
        for name, (label, colour, dash) in LOOKS.items():
            figure.add_scatter(x=list(COUNTS), y=whole[name], name=label, mode="lines+markers",
                               line={"color": colour, "dash": dash}, hovertemplate="%{y:.1f} ms for %{x}")  # fmt: skip
        figure.update_layout(
            xaxis={"title": "proposals", "type": "log", "tickvals": list(COUNTS)},
            yaxis={"title": "ms", "rangemode": "tozero"},
        )
        page.figure(figure, "rfcn_times", height=300, alt="Milliseconds after the trunk against proposals")
        st.markdown(table(whole))
        prediction.outcome(
            LOOKS[slower][0],
            ", ".join(f"{LOOKS[name][0]} by {grown[name]:.1f} ms" for name in LOOKS) + ", measured here just now.",
        )
    st.caption(
        f"Both on the features of one trunk, on this machine ({catalog.load(NETWORK).device}) with whatever else runs "
        "on it, median of five. R-FCN's time with few proposals is that of its maps."
    )


def table(whole: dict[str, list[float]]) -> str:
    lines = ["| proposals | " + " | ".join(map(str, COUNTS)) + " |", "|---|" + "---:|" * len(COUNTS)]
    for name, (label, _, _) in LOOKS.items():
        lines.append(f"| {label}, ms | " + " | ".join(f"{value:.1f}" for value in whole[name]) + " |")
    return "\n".join(lines)


def counted() -> None:
    """How many maps there are to make."""
    columns, body = st.columns(2, gap="large"), st.container()
    with (
        columns[0],
        live_slider("Parts a side, k", 1, 9, PAPER[0], key="rfcn_k", window=2) as k,
        columns[1],
        live_slider("Classes, C", 1, 80, PAPER[1], key="rfcn_c", window=2) as classes,
        body,
    ):
        answer = ps.map_count(k, classes)
        options = sorted({answer, k * (classes + 1), k * k * classes, (k + 1) ** 2 * (classes + 1)})
        with page.predict(
            "rfcn-maps", f"Parts {k} × {k} and {classes} classes: how many score maps does the network make?", options
        ) as prediction:
            words(f"k² (C + 1) = {k}² · ({classes} + 1) = **{answer}** score maps, and 4 k² = **{4 * k * k}** for the "
                  "boxes.", "rfcn_maps_said")  # fmt: skip
            prediction.outcome(answer, "Background is a class too, and each class has one map for every part.")
