"""Plotly figures in the house style, updated in place.

``st.plotly_chart`` builds its chart anew on every update: it flickers and loses the zoom. This component keeps one
chart per key and hands new data to ``Plotly.react``. Colours come from the theme in the browser, so switching between
light and dark needs no rerun; the house palette is Okabe and Ito's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plotly
import plotly.graph_objects as go
import plotly.io
import streamlit as st

from ui.components import wire

HERE = Path(__file__).parent
# The plotly.js that belongs to the installed Python package lies in it.
PLOTLY_JS = Path(plotly.__file__).parent / "package_data"
OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442")

# Sizes only: figure.js adds the font and the colours of the theme.
TEMPLATE = go.layout.Template(
    layout=go.Layout(
        font=dict(size=15),
        colorway=OKABE_ITO,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin=dict(l=56, r=16, t=40, b=48),
        title=dict(font=dict(size=17), x=0, xref="paper"),
        legend=dict(orientation="h", y=1.02, yanchor="bottom", x=1, xanchor="right"),
        xaxis=dict(automargin=True, zeroline=False, ticks="outside", ticklen=4),
        yaxis=dict(automargin=True, zeroline=False, ticks="outside", ticklen=4),
        hoverlabel=dict(font=dict(size=14)),
    ),
    data=dict(
        scatter=[go.Scatter(line=dict(width=3), marker=dict(size=9))],
        heatmap=[go.Heatmap(colorscale="Cividis")],
    ),
)

HOUSE = TEMPLATE.to_plotly_json()
# Plotly would copy its own large template into every new figure: 5 ms at every move of a slider.
plotly.io.templates.default = None

_STUB = f"""export default (component) => {{
import(new URL('assets/figures/figure.js?v={wire.VERSION}', document.baseURI).href).then((m) => m.default(component));
}}
"""
_figure = st.components.v2.component(
    "receptive.figure", html="<div data-root data-figure></div>", js=_STUB, isolate_styles=False
)


@dataclass(frozen=True)
class Touch:
    """What the pointer does on a figure, as the first number of a point's ``customdata`` row: ``under`` is that of the
    point it is on, or None; ``clicked`` that of a point clicked, only in the run caused by the click."""

    under: float | None = None
    clicked: float | None = None


def touched(key: str) -> Touch:
    """The pointer on the figure ``key`` that is shown with ``points=True``; call it once per run, before ``show``."""
    name = f"{key}.figure"
    fresh = wire.news(name, wire.message(name))
    if fresh or wire.entering(name):
        st.session_state[f"{name}.under"] = _number((fresh or {}).get("under"))
    return Touch(st.session_state[f"{name}.under"], _number((fresh or {}).get("clicked")))


def _number(found: Any) -> float | None:
    return float(found) if isinstance(found, (int, float)) and math.isfinite(found) else None


def across(
    fig: go.Figure,
    *,
    x: float | None = None,
    y: float | None = None,
    text: str = "",
    at: str = "top right",
    **line: Any,
) -> None:
    """A line through the whole figure at one value of ``x`` or of ``y``, dotted and grey if ``line`` says nothing else,
    and ``text`` beside it: ``at`` the "top" or "bottom", on the "left" or "right".

    The figure's own ``add_vline`` and ``add_hline`` draw the same, and take as long as many a rerun: 2 to 4 ms.
    """
    along, other, value = ("x", "y", x) if y is None else ("y", "x", y)
    refs = {f"{along}ref": along, f"{other}ref": f"{other} domain"}
    ends = {f"{along}0": value, f"{along}1": value, f"{other}0": 0, f"{other}1": 1}
    fig.add_shape({"type": "line", **refs, **ends, "line": {"dash": "dot", "color": "#888888", **line}})
    if text:
        right, high = "right" in at, "top" in at
        beside = {"x": int(right), "y": int(high), along: value}
        beside["xanchor"] = "left" if right == (along == "x") else "right"  # beside an upright line, else at its end
        beside["yanchor"] = "top" if high == (along == "x") else "bottom"
        fig.add_annotation({"text": text, "showarrow": False, **refs, **beside})


def show(fig: go.Figure, key: str, *, height: int | None = None, alt: str | None = None, points: bool = False) -> None:
    """Draw ``fig`` in the house style; ``height`` in pixels (default: the figure's own, else 380).

    ``alt`` says in words what the figure shows. The same key keeps the chart, and with it zoom and camera. ``points``:
    hover and click on points that have ``customdata`` are reported, see ``touched``.
    """
    height = height or fig.layout.height or 380
    drawing = fig.to_dict()
    drawing["layout"].setdefault("template", HOUSE)
    data = {
        "figure": plotly.io.json.to_json_plotly(drawing),
        "height": height,
        "alt": alt or fig.layout.title.text or "",
        "version": plotly.__version__,
        "points": points,
    }
    wire.mount(_figure, f"{key}.figure", data, speaks=points, followed=True)
