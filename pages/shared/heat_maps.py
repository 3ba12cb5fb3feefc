"""How heat maps are drawn and their values written: greyed pictures, layers, colour bars with raw units, numbers."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from torch import Tensor

from ui.components import Heat, heat_pixels

# Okabe and Ito's colours.
BLUE, ORANGE, GREEN, VERMILION, SKY, WHITE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#FFFFFF"
SIGNED, POSITIVE = "diverging", "inferno"
BAR_COLOURS = 65  # of a colour bar, with both ends and the middle among them
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def greyed(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture in pale grey, (H, W): under a signed map, blue and vermilion are then the map's alone."""
    grey = image.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return (128 + grey / 2.2).clip(0, 255).astype(np.uint8)


def signed_layer(heat: Tensor, limit: float, opacity: float = 0.9, smooth: bool = True) -> Heat:
    """A signed map over the `greyed` picture: blue speaks against the class, vermilion for it."""
    return Heat(heat.numpy(), SIGNED, -limit, limit, opacity=opacity, smooth=smooth)


def positive_layer(heat: Tensor, limit: float, opacity: float = 1.0, smooth: bool = True) -> Heat:
    """A map of values >= 0, from black at zero."""
    return Heat(heat.clamp(min=0).numpy(), POSITIVE, 0, limit or 1.0, opacity=opacity, smooth=smooth)


def bar_colours(palette: str, limit: float) -> list[str]:
    """CSS colours of a bar from left to right: what the stage itself paints for these values."""
    low = -limit if palette == SIGNED else 0.0
    painted = heat_pixels(Heat(np.linspace(low, limit, BAR_COLOURS)[None], palette, low, limit))[0]
    return [f"rgba({red},{green},{blue},{alpha / 255:.3f})" for red, green, blue, alpha in painted.tolist()]


def colour_bar(palette: str, limit: float, unit: str, most: str = "speaks for the class") -> None:
    """A palette with raw units at its ends, `most` at the right one. Static: the line of a drag leaves it as it is."""
    low = -limit if palette == SIGNED else 0.0
    marks = "".join(f"<span>{number(low + (limit - low) * share)}</span>" for share in (0, 0.25, 0.5, 0.75, 1))
    st.html(
        f'<div role="img" aria-label="Colours from {number(low)} to {number(limit)} {unit}" '
        'style="max-width:30rem;font-size:0.85rem;font-variant-numeric:tabular-nums">'
        f'<div style="height:12px;border-radius:3px;border:1px solid rgba(128,128,128,.4);'
        f'background:linear-gradient(90deg,{",".join(bar_colours(palette, limit))})"></div>'
        f'<div style="display:flex;justify-content:space-between">{marks}</div>'
        '<div style="display:flex;justify-content:space-between;opacity:.75">'
        f"<span>{'speaks against' if palette == SIGNED else 'nothing'}</span><span>{unit}</span><span>{most}</span>"
        "</div></div>"
    )


def number(value: float, digits: int = 3) -> str:
    """So many significant digits, a true minus sign, no dust."""
    value += 0.0  # a zero has no sign
    text = f"{value:.{digits}g}" if value == 0 or abs(value) < 1000 else f"{value:.0f}"
    mantissa, _, exponent = text.partition("e")
    if exponent:
        return mantissa.replace("-", "−") + "·10" + str(int(exponent)).translate(RAISED)
    return text.replace("-", "−")
