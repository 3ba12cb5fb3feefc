"""Max unpooling as a whole: pool, remember positions, the rest of the network, unpool; and what overlap loses."""

import numpy as np
import streamlit as st
import torch

from labs import upsampling
from pages.upsampling.numbers import counting, encoder_map
from ui import page
from ui.components import Grid, matrices


@st.fragment
@page.guard()
def unpool() -> None:
    page.section(
        "Max unpooling",
        "Pool and remember where each maximum stood; the rest of the network makes new values; put them back there.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        side = st.number_input("Map size", 3, 8, 4, key="unpool_side", bind="query-params", width=120,
                               on_change=new_numbers)  # fmt: skip
        size = st.segmented_control(
            "Window", [2, 3], default=2, required=True, key="unpool_window", bind="query-params", on_change=new_numbers
        )
        overlap = st.toggle(
            "Overlapping windows (stride 1)", key="unpool_overlap", bind="query-params", on_change=new_numbers
        )
    stride = 1 if overlap else size
    pooled_side = (side - size) // stride + 1
    grids = matrices("unpool", {"encoder": encoder_map(side, side), "rest": counting(pooled_side, pooled_side)})
    before, rest = grids["encoder"], grids["rest"]
    values, positions = upsampling.max_pool(torch.from_numpy(before), size, stride)
    output = upsampling.max_unpool(torch.from_numpy(rest), positions, before.shape).numpy()
    shared = upsampling.shared_positions(positions)
    cells = {}
    for window, position in np.ndenumerate(positions.numpy()):
        cells.setdefault(divmod(int(position), side), []).append(window)
    empty = output.size - len(cells)
    with page.predict(
        "upsampling-zeros", f"Pooled to {pooled_side}×{pooled_side} and unpooled: how many of the {output.size} cells "
        f"of this {side}×{side} map have no value of their own?",
        sorted({rest.size, output.size // 2, output.size - rest.size, empty, output.size - 1}),
    ) as prediction:  # fmt: skip
        grids.show(
            [
                Grid("encoder", before, title="before the pool", cell=36, editable=True, colour="sequential"),
                "→",
                Grid("pooled", values.numpy(), title="maxima", cell=36, colour="sequential"),
                Grid("positions", positions.numpy(), title="positions", cell=36, colour="none"),
                "… →",
                Grid("rest", rest, title="from the network", cell=36, editable=True, colour="sequential"),
                "→",
                Grid("unpooled", output, title="unpooled", cell=36, colour="sequential"),
            ],
            links={
                **{("pooled", *w): [("encoder", *cell, 1.0)] for cell, windows in cells.items() for w in windows},
                **{("positions", *w): [("encoder", *cell, 1.0)] for cell, windows in cells.items() for w in windows},
                **{("unpooled", *cell): [("rest", *w, 1.0) for w in windows] for cell, windows in cells.items()},
            },
            explain={
                **{
                    ("positions", *w): f"{r} · {side} + {c} = {r * side + c}: row {r}, column {c}"
                    for (r, c), ws in cells.items()
                    for w in ws
                },
                **{
                    ("unpooled", r, c): fate(cells.get((r, c), []), rest, output[r, c])
                    for r in range(side)
                    for c in range(side)
                },
            },
            highlight=[("encoder", *cell) for cell in cells],
        )
        lost = rest.size - len(cells)
        if lost:
            stories = [f"position {p} won {len(windows)} windows" for p, windows in shared.items()]
            st.warning(
                f"**{lost} of {rest.size} values are lost**: {', '.join(stories)}, and only one value fits into each. "
                "Which one stays is not defined: PyTorch's own `MaxUnpool2d` may keep another one in every run. This "
                "page always keeps the last window in reading order."
            )
        else:
            found = f"All {rest.size} values" if rest.size > 1 else "The value"
            st.success(f"{found} found a place, the other {output.size - rest.size} cells are 0.")
        prediction.outcome(
            empty, f"because {len(cells)} different positions were remembered: {output.size} − {len(cells)} = {empty}."
        )
    page.erratum(
        "Max unpooling puts every value back to where its maximum came from.",
        "Max unpooling puts every value back to its place only while pooling windows do not overlap. With overlap one "
        "position can win several windows, all of them remember the same place, and unpooling **loses values**. Switch "
        "on overlapping windows above.",
    )


def new_numbers() -> None:
    """Another size: the rest of the network counts anew, so that no number stands there twice."""
    st.session_state.get("unpool", {}).pop("rest", None)


def fate(windows: list, rest: np.ndarray, result: float) -> str:
    if not windows:
        return "No window had its maximum here: 0."
    if len(windows) == 1:
        return f"Window {windows[0]} had its maximum here: {result:g}."
    candidates = ", ".join(f"{rest[window]:g}" for window in windows)
    return f"{len(windows)} windows had their maximum here and bring {candidates}: here the last, {result:g}, stays."
