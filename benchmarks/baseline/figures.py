"""What the figures of the baseline are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"


@dataclass(frozen=True)
class Chart:
    """A native slider and `draw`, the figure for one of its values; `height` in CSS pixels."""

    label: str
    low: float
    high: float
    start: float
    step: float
    draw: Callable[[float], go.Figure]
    height: int = 560


def picture(image: np.ndarray) -> go.Figure:
    figure = go.Figure(go.Image(z=image))
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure


def add_boxes(figure: go.Figure, xyxy, colour: str, labels=None, **line) -> None:
    for i, (x1, y1, x2, y2) in enumerate(np.asarray(xyxy, float).reshape(-1, 4)):
        label = {"text": labels[i]} if labels else None
        figure.add_shape(type="rect", x0=x1, y0=y1, x1=x2, y1=y2, line={"color": colour, **line}, label=label)
