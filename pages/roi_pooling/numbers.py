"""The lectures' numbers: an 8×8 map pooled by both conventions, and one bilinear sample."""

import streamlit as st
import torch

from labs import roi_align as ra
from labs import roi_pooling as rp
from pages.roi_pooling.shared import number
from ui import page
from ui.components import Grid, live_slider, matrices

LECTURE_MAP = torch.tensor(
    [
        [0.88, 0.44, 0.14, 0.16, 0.37, 0.77, 0.96, 0.27],
        [0.19, 0.45, 0.57, 0.16, 0.63, 0.29, 0.71, 0.70],
        [0.66, 0.26, 0.82, 0.64, 0.54, 0.73, 0.59, 0.26],
        [0.85, 0.34, 0.76, 0.84, 0.29, 0.75, 0.62, 0.25],
        [0.32, 0.74, 0.21, 0.39, 0.34, 0.03, 0.33, 0.48],
        [0.20, 0.14, 0.16, 0.13, 0.73, 0.65, 0.96, 0.32],
        [0.19, 0.69, 0.09, 0.86, 0.88, 0.07, 0.01, 0.48],
        [0.83, 0.24, 0.97, 0.04, 0.24, 0.35, 0.50, 0.91],
    ]
)
LECTURE_BOX = torch.tensor([0.0, 3.0, 6.0, 7.0])  # columns 0 to 6 and rows 3 to 7, ends inside
TITLES = {"disjoint": "disjoint split", "overlapping": "torchvision.ops.roi_pool"}


def lectures_numbers() -> None:
    st.session_state["roi_lecture"] = {"map": LECTURE_MAP.double().numpy().round(2)}


def pooled(values: torch.Tensor, split: str) -> rp.Pooled:
    """The lecture's box on an 8×8 map, 2×2."""
    return rp.roi_pool(values[None], LECTURE_BOX[None].double(), (2, 2), 1.0, split)


def written(values: torch.Tensor) -> str:
    """2×2 numbers in one line."""
    return "[" + ", ".join(f"[{a:.2f}, {b:.2f}]" for a, b in values.tolist()) + "]"


@st.fragment
@page.guard()
def conventions() -> None:
    page.section(
        "The lecture's numbers, by both conventions",
        "Columns 0 to 6 and rows 3 to 7 of an 8×8 map become 2×2. Seven columns do not split into two equal halves.",
    )
    st.button("The lecture's numbers", key="roi_lecture_reset", on_click=lectures_numbers)
    cells = matrices("roi_lecture", {"map": LECTURE_MAP.numpy().round(2)}, minimum=0, maximum=1, window=2)
    values = torch.from_numpy(cells["map"])
    grids, links, explain = [Grid("map", cells["map"], title="feature map", editable=True, colour="sequential", cell=40,
                                  format="%.2f", vmin=0, vmax=1)], {}, {}  # fmt: skip
    lies = {}  # of every cell of the map: in which bins, and whether it is their maximum
    for split, title in TITLES.items():
        found = pooled(values, split)
        bins = rp.roi_pool_bins(LECTURE_BOX, (2, 2), 1.0, (8, 8), split)
        between = "→" if split == next(iter(TITLES)) else "or"  # two ways from one map, not two steps
        grids += [between, Grid(split, found.values[0, 0].numpy(), title=title, colour="sequential", format="%.2f",
                                vmin=0, vmax=1)]  # fmt: skip
        for i, (top, bottom) in enumerate(bins.rows.tolist()):
            for j, (first, last) in enumerate(bins.columns.tolist()):
                best = divmod(int(found.argmax[0, 0, i, j]), 8)
                links[(split, i, j)] = [
                    ("map", r, c, 1.0 if (r, c) == best else 0.25)
                    for r in range(top, bottom)
                    for c in range(first, last)
                ]
                for r, c in ((r, c) for r in range(top, bottom) for c in range(first, last)):
                    won = "it is the maximum" if (r, c) == best else f"{values[best]:.2f} wins"
                    lies.setdefault((r, c), {}).setdefault(title, []).append(f"[{i}, {j}], {won}")
                explain[(split, i, j)] = (
                    f"Rows {top} to {bottom - 1}, columns {first} to {last - 1}: the maximum is "
                    f"{values[best]:.2f}, in row {best[0]}, column {best[1]}."
                )
    for r, c in ((r, c) for r in range(8) for c in range(8)):
        own = "; ".join(f"{title}: {' and '.join(found)}" for title, found in lies.get((r, c), {}).items())
        explain[("map", r, c)] = f"Row {r}, column {c}: {values[r, c]:.2f} lies " + (
            f"in these bins. {own}." if own else "outside the region, in no bin."
        )
    rounded = {("map", r, c): 0.15 for r in range(3, 8) for c in range(7)}
    cells.show(
        grids, links=links, explain=explain, highlight=rounded, sums=False,
        caption="Point at an output to see its bin and the winner in it, at a number of the map to see its bins. "
        "Marked: the region. Two ways of splitting it, not two steps. Type your own numbers.",
    )  # fmt: skip
    st.markdown(
        "Both halve 7 columns into **3.5** and 5 rows into **2.5**. The *disjoint* split cuts at ⌊3.5⌋ = 3 and ⌊2.5⌋ = "
        "2, so each cell belongs to one bin: columns 0–2 and 3–6, rows 3–4 and 5–7. *torchvision*, like Fast R-CNN's "
        "code, starts a bin at ⌊i · L/P⌋ and ends it at ⌈(i + 1) · L/P⌉: columns 0–3 and 3–6, rows 3–5 and 5–7. Column "
        "3 and row 5 count twice. " + twice(values)
    )
    lecture = LECTURE_MAP.double()
    disjoint, overlapping = (written(pooled(lecture, split).values[0, 0]) for split in ("disjoint", "overlapping"))
    page.erratum(
        "RoI Pool divides the region into non-overlapping sub-windows.",
        f"The bins of RoI Pool overlap wherever the size of the region is no multiple of the output's: for the "
        f"lecture's numbers the code in use gives {overlapping}. Drawn without overlap, they would give {disjoint}.",
    )


def twice(values: torch.Tensor) -> str:
    """Which number wins more than one of torchvision's bins, in words."""
    places, counts = pooled(values, "overlapping").argmax.unique(return_counts=True)
    won = [f"the {values.flatten()[place]:.2f} in row {place // 8}, column {place % 8} wins {count} bins"
           for place, count in zip(places.tolist(), counts.tolist(), strict=True) if count > 1]  # fmt: skip
    return f"Here {' and '.join(won)}." if won else "Here no number wins two bins."


@st.fragment
@page.guard()
def sample() -> None:
    page.section(
        "One sample, written out",
        "RoI Align reads the map between its cells: each of the four neighbours counts by nearness.",
    )
    left, right = st.columns(2)
    with (
        left,
        live_slider("x", 0.0, 7.0, 6.5, step=0.1, key="roi_x", format="%.1f", window=2) as x,
        right,
        live_slider("y", 0.0, 7.0, 5.8, step=0.1, key="roi_y", format="%.1f", window=2, play=True) as y,
    ):
        pass
    point = ra.bilinear(LECTURE_MAP.double(), y, x)
    (top, bottom), (first, last) = point.rows.tolist(), point.columns.tolist()
    by_row, by_column = point.weights.sum(1).tolist(), point.weights.sum(0).tolist()
    marked, symbols, terms, numbers = {}, [], [], []
    for r, c in ((0, 0), (0, 1), (1, 0), (1, 1)):
        place = ("sampled", (top, bottom)[r], (first, last)[c])
        marked[place] = marked.get(place, 0.0) + float(point.weights[r, c])
        symbols.append(f"f_{{{(first, last)[c]}{(top, bottom)[r]}}}")
        terms.append(rf"{symbols[-1]} \cdot {by_column[c]:.1f} \cdot {by_row[r]:.1f}")
        numbers.append(rf"{point.values[r, c]:.2f} \cdot {float(point.weights[r, c]):.2f}")
    grid, formula = st.columns([3, 2], gap="medium", vertical_alignment="center")
    with grid:
        matrices("roi_sampled", window=2).show(
            [Grid("sampled", LECTURE_MAP.numpy().round(2), title="f, column then row", colour="sequential", cell=40,
                  format="%.2f", vmin=0, vmax=1)],
            highlight=marked, caption=f"f({x:.1f}, {y:.1f}) = {number(point.result)}. Marked stronger: nearer.",
        )  # fmt: skip
    with formula:  # a term a line, so that a phone shows all of it
        st.latex(
            rf"\begin{{aligned}} & f({x:.1f},\, {y:.1f}) \\ &= " + r" \\ &+ ".join(terms) + r" \\ &= "
            + " + ".join(numbers[:2]) + r" \\ &+ " + " + ".join(numbers[2:])
            + rf" \\ &= \mathbf{{{float(point.result):.3f}}} \end{{aligned}}"
        )  # fmt: skip
    offsets = [", ".join(f"{value:.3g}" for value in ra.sample_offsets(n).tolist()) for n in (1, 2, 3, 4)]
    st.markdown(
        "**Where the samples of a bin lie**, for a bin from 0 to 1: (i + ½)/n. "
        + "; ".join(f"n = {n}: **{places}**" for n, places in enumerate(offsets, start=1)) + "."
    )  # fmt: skip
