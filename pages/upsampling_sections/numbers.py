"""Numbers that fill the grids of this page, and travel in its address."""

import numpy as np
import streamlit as st

from ui import page

POOLED_FROM = np.array([[1.0, 2, 6, 3], [3, 5, 2, 1], [1, 2, 2, 1], [7, 3, 4, 8]])


def counting(rows: int, columns: int) -> np.ndarray:
    """1 2 3 ... in reading order: the lecture's [[1, 2], [3, 4]] at 2×2."""
    return np.arange(1.0, rows * columns + 1).reshape(rows, columns)


def encoder_map(rows: int, columns: int) -> np.ndarray:
    """What stood before the pool: the lecture's 4×4 map, other sizes digits that are always the same."""
    if (rows, columns) == POOLED_FROM.shape:
        return POOLED_FROM
    return np.random.default_rng([rows, columns]).integers(0, 10, (rows, columns)).astype(float)


def linked_numbers(name: str, default: np.ndarray) -> np.ndarray:
    """The numbers of a shared link (?name=1,2,3,4) in the shape of `default`, or `default` itself."""
    text = st.query_params.get(name, "")
    try:
        values = np.array([float(part) for part in text.split(",")]).reshape(default.shape)
        if np.isfinite(values).all() and np.abs(values).max() <= 999:
            return values
    except ValueError:
        pass
    if text:
        shape = "×".join(map(str, default.shape))
        page.problem(f"The link does not hold {shape} numbers for the grid “{name}”: type them into the cells instead.")
    return default


def remember_numbers(name: str, values: np.ndarray, default: np.ndarray) -> None:
    if not np.array_equal(values, default):
        st.query_params[name] = ",".join(f"{value:.6g}" for value in values.ravel())
    elif name in st.query_params:
        del st.query_params[name]
