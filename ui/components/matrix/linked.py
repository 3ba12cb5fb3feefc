"""A row of number grids in the address: its numbers where they differ from the defaults, and the chosen cell."""

from __future__ import annotations

import re

import numpy as np
import streamlit as st

from ui.components import address


def parameter(key: str, grid: str) -> str:
    """Query parameter of a grid: "stamp_filter_3_3" for the grid "filter 3×3" of the row "stamp"."""
    return f"{key}_{re.sub(r'[^a-z0-9]+', '_', grid.lower()).strip('_')}"


def numbers(name: str, default: np.ndarray, integer: bool, low: float, high: float) -> np.ndarray | None:
    """The numbers of a shared link (?name=1,2,3,4) in the shape of `default`; None, and a sentence on the page if the
    link holds something else, without them."""
    text = address.linked(name)
    if not text:
        return None
    try:
        values = np.array([float(part) for part in text.split(",")]).reshape(default.shape)
    except ValueError:
        values = np.array([np.nan])
    legal = np.isfinite(values).all() and values.min() >= low and values.max() <= high
    if legal and not (integer and np.mod(values, 1).any()):
        return values
    shape = "×".join(map(str, default.shape))
    sentence = f"The link does not hold {shape} numbers for the grid “{name}”: type them into the cells instead."
    st.error(sentence, icon=":material/error:")
    return None


def cell(name: str) -> list | None:
    """The chosen cell of a shared link (?name=output,0,1) as a browser sends it; None if there is none. Anything else
    is cleared."""
    text = address.linked(name)
    found = re.fullmatch(r"(.+),(\d{1,6}),(\d{1,6})", text or "")
    if found:
        return [found[1], int(found[2]), int(found[3])]
    if text is not None:
        address.keep(name, None)
    return None


def text(values: np.ndarray, default: np.ndarray) -> str | None:
    """`values` as they stand in the address; None where they are the defaults."""
    return None if np.array_equal(values, default) else ",".join(f"{value:.6g}" for value in values.ravel())
