"""All detectors as points of time and accuracy, those that no other beats, and the best within a budget."""

import plotly.graph_objects as go
import streamlit as st
import torch

from labs import speed_accuracy
from pages.shared import offered
from pages.shared.swatches import swatches
from pages.speed_accuracy.shared import LOOKS, SIZES, Point, as_tensors, measure, milliseconds, points, timed
from ui import figures, page
from ui.components import address, following, live_slider, words
from ui.pictures import KEPT

BUDGETS = (4, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 65, 80, 100, 150, 200, 300, 500)
CHOSEN = "trade_point"
HEIGHT = 340  # whole beside the slider, on a projector and on a phone
SIGNS = {
    "circle": "●", "circle-open": "○", "square": "■", "square-open": "□", "x": "✖", "x-open": "✕", "diamond": "◆",
    "diamond-open": "◇", "triangle-up": "▲", "star": "★", "star-open": "☆", "cross": "✚",
}  # fmt: skip
TICKS = {  # of a logarithmic axis, and their text
    "milliseconds": {each: f"{each}" for each in (5, 10, 20, 50, 100, 200, 500, 1000, 2000)},
    "multiply-adds": {each * 1e9: f"{each:g} G" for each in (0.1, 0.2, 0.5, 1, 2, 5)},
    "memory": {each * 1e6: f"{each} MB" for each in (2, 5, 10, 20, 50, 100, 200)},
}
ACROSS = {
    "milliseconds": "milliseconds a picture", "multiply-adds": "multiply-adds a picture",
    "memory": "memory that a picture takes at once, beside the network's numbers",
}  # fmt: skip


@st.fragment
@page.guard()
def scatter() -> None:
    """The first picture of the page."""
    every = points()
    slider, view, below = st.container(), st.container(gap="small"), st.container()
    with below, st.container(horizontal=True, vertical_alignment="bottom", key="choices-trade"):
        size = st.segmented_control("AP of things", list(SIZES), default="all", required=True, key="trade_size", **KEPT)
        across = st.segmented_control(
            "Across", list(ACROSS), default="milliseconds", required=True, key="trade_across", **KEPT
        )
    with slider, live_slider("Budget", options=BUDGETS, value=40, unit="ms", key="trade_budget") as budget, view:
        touch = figures.touched("trade_scatter")
        if touch.clicked is not None and 0 <= touch.clicked < len(every):
            address.keep(CHOSEN, str(int(touch.clicked)))
        times, accuracy = as_tensors(every, size)
        best = speed_accuracy.best_within(times, accuracy, budget)
        words(said(every, best, budget, size), "trade_said")
        page.figure(
            figure_of(every, best, budget, size, across), "trade_scatter", height=HEIGHT, points=True,
            alt=f"AP of {size} things over {across} of {len(every)} detectors; the best within {budget} ms",
        )  # fmt: skip
    if not following():
        with below:
            st.html(swatches(legend(every)))
    with below:
        measured(every)
    st.caption(
        "Grey steps: no other point is faster and more accurate. Ring: the best within the budget. A line joins one "
        "network's picture sizes at its most proposals. Click a point: the section below shows what it finds."
    )


def legend(every: tuple[Point, ...]) -> list[tuple[str, str]]:
    """Colour, and sign with name, of every detector that has a point."""
    there = {point.setting.network for point in every}
    return [
        (colour, f"{SIGNS[symbol]} {title}") for name, (title, _, colour, _, symbol) in LOOKS.items() if name in there
    ]


def said(every: tuple[Point, ...], best: int | None, budget: float, size: str) -> str:
    """The best within the budget, in a sentence."""
    which = "" if size == "all" else f" of {size} things"
    if best is None:
        return f"Within **{budget} ms** there is no detector here."
    point = every[best]
    return (
        f"Within **{budget} ms**: **{point.name}**, AP{which} **{point.ap_of(size):.3f}** in "
        f"{milliseconds(point):.1f} ms."
    )


def measured(every: tuple[Point, ...]) -> None:
    """What the times are, and the button that takes them here."""
    here = sum(point.setting in timed() for point in every)
    if here < len(every):
        st.caption(
            f"The times are those of the machine that judged the networks; {here} of {len(every)} were measured on "
            "yours. The multiply-adds are the same everywhere."
        )
        offered.offer("trade_measure", len(every), "Measure the times here", lambda: measure(every))
    else:
        st.caption(f"All {here} times were measured on this machine, the median of three runs each.")


def figure_of(every: tuple[Point, ...], best: int | None, budget: float, size: str, across: str) -> go.Figure:
    """The points, and on them what moves with the budget: its line, and a ring around the best within it."""
    shown = shown_of(every, across)
    figure = go.Figure(all_points(every, shown, size, across))
    if best is not None:
        x, y = shown[best], every[best].ap_of(size)
        figure.add_scatter(
            x=[x], y=[y], mode="markers", name="best within the budget", hoverinfo="skip",
            marker={"size": 22, "symbol": "circle-open", "color": "#D55E00", "line": {"width": 3}},
        )  # fmt: skip
    if across == "milliseconds":
        line = {"dash": "dash", "color": "#D55E00", "width": 2}
        figure.layout.shapes = [
            {"type": "line", "x0": budget, "x1": budget, "y0": 0, "y1": 1, "yref": "y domain", "line": line}
        ]
    return figure


def shown_of(every: tuple[Point, ...], across: str) -> tuple[float, ...]:
    """Where the points lie on the axis."""
    price = {"milliseconds": milliseconds, "multiply-adds": lambda p: p.multiply_adds, "memory": lambda p: p.peak_bytes}
    return tuple(float(price[across](point)) for point in every)


@st.cache_resource(max_entries=24, show_spinner=False)  # only read; building it takes most of a redraw's time
def all_points(_every: tuple[Point, ...], shown: tuple[float, ...], size: str, across: str) -> go.Figure:
    """The points where `shown` says on the axis, joined where they differ in one setting, and the front."""
    every, figure = _every, go.Figure()
    accuracy = as_tensors(every, size)[1]
    front = speed_accuracy.pareto_front(torch.tensor(shown), accuracy)
    order = sorted(front.nonzero().flatten().tolist(), key=lambda index: shown[index])
    figure.add_scatter(
        x=[shown[i] for i in order], y=[float(accuracy[i]) for i in order], mode="lines", line_shape="hv",
        line={"color": "#8A8F98", "width": 5}, opacity=0.5, name="not beaten", hoverinfo="skip",
    )  # fmt: skip
    for network, (title, _, colour, dash, symbol) in LOOKS.items():
        mine = [i for i, point in enumerate(every) if point.setting.network == network]
        if not mine:
            continue
        figure.add_scatter(
            x=[shown[i] for i in mine], y=[float(accuracy[i]) for i in mine], mode="markers", name=title,
            marker={"color": colour, "symbol": symbol, "size": 11}, customdata=[[i, every[i].name] for i in mine],
            hovertemplate="%{customdata[1]}<br>AP %{y:.3f}, %{x:.3s}<extra></extra>",
        )  # fmt: skip
        largest = max((every[i].setting.proposals or 0) for i in mine)
        line = [i for i in mine if (every[i].setting.proposals or 0) == largest]
        figure.add_scatter(
            x=[shown[i] for i in line], y=[float(accuracy[i]) for i in line], mode="lines", showlegend=False,
            line={"color": colour, "dash": dash, "width": 2}, hoverinfo="skip",
        )  # fmt: skip
    figure.update_layout(
        xaxis={"title": ACROSS[across], "type": "log", "tickvals": list(TICKS[across]),
               "ticktext": list(TICKS[across].values())}, yaxis={"title": f"AP of {size} things", "range": [0, 1]},
        showlegend=False,
        margin={"t": 8},
    )  # fmt: skip
    return figure
