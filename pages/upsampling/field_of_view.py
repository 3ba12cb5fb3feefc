"""How far one output unit sees: stacked convolutions with and without downsampling."""

from functools import cache, lru_cache

import numpy as np
import plotly.graph_objects as go
import streamlit as st

import scenes
from labs import receptive_field
from ui import page
from ui.components import Box, Boxes, Heat, live_slider, stage, words

GOAL = 225
SIZE = 128
MOST = 12


@lru_cache(128)
def influence(layers: tuple, filling: str) -> tuple[np.ndarray, float]:
    """How much every pixel moves the unit, square root, nothing where it cannot; and the effective size in pixels."""
    strength = receptive_field.measure(layers, SIZE, filling)
    heat = np.where(strength.numpy() > 0, np.sqrt(strength.numpy()), np.nan)
    heat.flags.writeable = False
    return heat, receptive_field.effective_size(strength)


@cache
def backdrop() -> np.ndarray:
    return scenes.render_image(scenes.sample(11), SIZE)


@st.fragment
@page.guard()
@page.alike
def receptive() -> None:
    page.section(
        "Why downsample at all?", "A pixel's class depends on its surroundings: how far does one output unit see?"
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        filling = st.segmented_control(
            "Weights",
            receptive_field.FILLINGS,
            default="random + ReLU",
            required=True,
            key="rf_weights",
            bind="query-params",
        )
        every = st.segmented_control(
            "Convolutions per 2×2 max pool", [1, 2, 3], default=2, required=True, key="rf_every", bind="query-params",
        )  # fmt: skip
    most = MOST if every > 1 else 6
    with live_slider("3×3 convolutions", 1, MOST, 6, key="rf_layers", play=True, window=2) as count:
        stacks = {
            f"{count} convolutions": receptive_field.stack(count),
            f"{min(count, most)} convolutions with pooling": receptive_field.stack(min(count, most), every),
        }
        for column, (title, layers), key in zip(st.columns(2), stacks.items(), ("rf_plain", "rf_pooled"), strict=True):
            with column:
                field_view(key, title, tuple(layers), filling)
        if count > most:
            words(f":gray[With a pool after every convolution, {most} of them already see more than the picture: the "
                  "right side stays there.]", "rf_stays")  # fmt: skip
        with page.predict(
            "rf-count", f"Without downsampling, how many 3×3 convolutions until one unit sees {GOAL} pixels?",
            [8, 15, 75, 112],
        ) as prediction:  # fmt: skip
            page.figure(growth_chart(count, every, most), key="rf_growth", height=280,
                        alt="Receptive field against number of convolutions")  # fmt: skip
            prediction.outcome(
                next(n for n, seen in enumerate(sizes(GOAL)) if seen >= GOAL),
                "because each adds only 2 pixels: 1 + 2L. So networks downsample, and must then upsample.",
            )
    st.caption(
        "Frame: every pixel that can reach the unit. Colour: how much the unit really reacts, |∂ output / ∂ input| of "
        "eight random networks, square root, strongest pixel = 1. Effective: the pixels above 4.55 % of the strongest, "
        "which is the share of a bell curve beyond two standard deviations (Luo et al.)."
    )


def field_view(key: str, title: str, layers: tuple, filling: str) -> None:
    field = receptive_field.trace(layers)[-1]
    units = receptive_field.output_sizes(layers, SIZE)[-1]
    heat, effective = influence(layers, filling)
    cut = f", cut at the rim of this {SIZE} × {SIZE} picture" if field.size > SIZE else ""
    words(
        f"**{title}**: sees **{field.size} × {field.size}** px{cut} :gray[effectively {effective:.0f} × "
        f"{effective:.0f} px · the map has {units} × {units} units]",
        f"{key}_words",
    )
    x1, y1, x2, y2 = np.clip(field.box(units // 2, units // 2), 0, SIZE)
    stage(key, zoom=False).show(
        backdrop(),
        [
            Heat(heat, palette="inferno", vmin=0, vmax=1, opacity=0.85, smooth=False),
            Boxes([Box("field", (x1, y1, x2, y2), label=f"{field.size} px", colour="#56B4E9", width=3)]),
        ],
        alt=f"{title}: one unit sees {field.size} by {field.size} pixels",
    )


@cache
def growth_chart(count: int, every: int, most: int) -> go.Figure:
    figure = go.Figure()
    for name, pool_after, colour, until, label_at in (
        ("no downsampling: 1 + 2L", None, "#0072B2", MOST, "bottom right"),
        ("with pooling", every, "#D55E00", most, "top left"),
    ):
        grown = sizes(until, pool_after)
        here = min(count, until)
        figure.add_scatter(x=list(range(until + 1)), y=grown, name=name, mode="lines+markers", line_color=colour)
        figure.add_scatter(x=[here], y=[grown[here]], mode="markers+text", text=[str(grown[here])], showlegend=False,
                           textposition=label_at, marker={"size": 15, "color": colour})  # fmt: skip
    figure.update_layout(
        xaxis_title="3×3 convolutions L", yaxis_title="receptive field, px",
        margin={"t": 10, "b": 40, "l": 50, "r": 10},
    )  # fmt: skip
    return figure


@cache
def sizes(convolutions: int, pool_after: int | None = None) -> tuple[int, ...]:
    """Receptive field after 0, 1, ... convolutions."""
    stacks = (receptive_field.stack(n, pool_after) for n in range(convolutions + 1))
    return tuple(receptive_field.trace(layers)[-1].size for layers in stacks)
