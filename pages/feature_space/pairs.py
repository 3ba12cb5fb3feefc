"""One picture and its nearest in numbers: what t-SNE compares, among the signatures and on the plot."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from labs import t_sne

ROWS = 5


@st.cache_data(max_entries=64, show_spinner=False)
def pairs(
    vectors: NDArray[np.floating], places: NDArray[np.floating], number: int, perplexity: float
) -> NDArray[np.float64]:
    """For the ROWS nearest of one picture: its number j, d, p_j|i, p_ij, distance on the plot, q_ij, p log(p / q).

    Written out for these pairs alone, among all others: (ROWS, 7).
    """
    wanted = min(perplexity, t_sne.most_perplexity(len(vectors)))
    nearest = np.argsort(_squared(vectors, number), kind="stable")
    nearest = nearest[nearest != number][:ROWS]
    mine = _probabilities(vectors, number, wanted)[nearest]
    theirs = np.array([_probabilities(vectors, int(other), wanted)[number] for other in nearest])
    p = (mine + theirs) / (2 * len(vectors))
    q = t_sne.student_affinities(places)[number, nearest]
    near, apart = np.sqrt(_squared(vectors, number)[nearest]), np.sqrt(_squared(places, number)[nearest])
    return np.stack([nearest, near, mine, p, apart, q, t_sne.kl_terms(p[None], q[None])[0]], 1)


def table(rows: NDArray[np.float64], names: list[str]) -> str:
    """The rows in Markdown; probabilities of pairs in millionths."""
    lines = [
        "| neighbour | distance of signatures | $p_{j \\mid i}$ | $10^6 p_{ij}$ | distance on the plot | $10^6 q_{ij}$ "
        "| $10^6 p_{ij} \\log (p_{ij} / q_{ij})$ |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for (_, near, mine, p, apart, q, cost), name in zip(rows, names, strict=True):
        costs = f"{1e6 * cost:.1f}".replace("-", "−")
        lines.append(f"| {name} | {near:.3g} | {mine:.3f} | {1e6 * p:.1f} | {apart:.2f} | {1e6 * q:.1f} | {costs} |")
    return "\n".join(lines)


def _squared(vectors: NDArray[np.floating], number: int) -> NDArray[np.float64]:
    return ((vectors.astype(np.float64) - vectors[number]) ** 2).sum(1)


def _probabilities(vectors: NDArray[np.floating], number: int, wanted: float) -> NDArray[np.float64]:
    """p_j|i of all j, 0 for itself."""
    others = np.arange(len(vectors)) != number
    found = np.zeros(len(vectors))
    found[others] = t_sne.neighbour_probabilities(_squared(vectors, number)[others], wanted)
    return found
