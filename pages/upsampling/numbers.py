"""Numbers that fill the grids of this page."""

import numpy as np

POOLED_FROM = np.array([[1.0, 2, 6, 3], [3, 5, 2, 1], [1, 2, 2, 1], [7, 3, 4, 8]])


def counting(rows: int, columns: int) -> np.ndarray:
    """1 2 3 ... in reading order: the lecture's [[1, 2], [3, 4]] at 2×2."""
    return np.arange(1.0, rows * columns + 1).reshape(rows, columns)


def encoder_map(rows: int, columns: int) -> np.ndarray:
    """What stood before the pool: the lecture's 4×4 map, other sizes digits that are always the same."""
    if (rows, columns) == POOLED_FROM.shape:
        return POOLED_FROM
    return np.random.default_rng([rows, columns]).integers(0, 10, (rows, columns)).astype(float)
