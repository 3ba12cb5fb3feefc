"""Bars that can be clicked: the AP that each kind of error costs, and AP or recall in slices of the scenes."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from labs import detection_errors
from labs.detection_errors import KINDS, OUTCOMES, Errors
from pages.iou_nms_precision_recall import error_pictures
from pages.iou_nms_precision_recall.error_pictures import Case
from pages.iou_nms_precision_recall.shared import BLUE, ORANGE
from pages.iou_nms_precision_recall.stored_errors import SLICES, Part, parts, sorted_errors
from pages.shared.detectors import NAMES
from scenes import THINGS
from ui import figures, page
from ui.components import address, words

LOOKS = (dict(color=BLUE), dict(color=ORANGE, pattern=dict(shape="/", bgcolor=ORANGE, fgcolor="#5f4200")))
NAMED = {
    "classification": "wrong class", "localisation": "badly placed", "both": "both", "duplicate": "duplicate",
    "background": "background", "missed": "missed", "false positives": "all false positives",
    "false negatives": "all false negatives",
}  # fmt: skip
FALSE = KINDS[:-1]


def lost(seeds: tuple[int, ...], networks: list[str], score: float, iou: float, _controls) -> None:
    """dAP of each kind for both detectors."""
    errors = [detection_errors.above(sorted_errors(seeds, network, iou), score) for network in networks]
    costs = [detection_errors.lost(each, len(THINGS)) for each in errors]
    names = [name.replace(" ", "<br>") for name in NAMED.values()]  # upright below the bars
    dearest = max(KINDS, key=lambda kind: costs[0][kind] if costs[0][kind] > 0 else 0.0)
    any_cost = costs[0][dearest] > 0
    with page.predict(
        "fails-dearest", f"Which kind of error costs {NAMES[networks[0]]} the most AP here?",
        [*(NAMED[kind] for kind in KINDS), "none"],
    ) as prediction:  # fmt: skip
        which, bar = picked("fails_lost", len(networks), len(names), KINDS.index(dearest))
        bars("fails_lost", names, [[each[kind] for kind in NAMED] for each in costs], networks, (which, bar),
             "AP lost (dAP)", "AP lost by kind of error")  # fmt: skip
        kind = list(NAMED)[bar]
        told = detection_errors.count(errors[which])
        many = told.get(kind, sum(told[each] for each in FALSE) if kind == OUTCOMES[0] else None)
        found = cases(errors[which], kind)
        words(
            f"An oracle that mends every *{NAMED[kind]}* error of {NAMES[networks[which]]} gains "
            f"**{costs[which][kind]:.3f}** AP ({len(found) if many is None else many} errors).",
            "fails_gain",
        )
        error_pictures.show(found, seeds, networks[which], f"{NAMES[networks[which]]}: {NAMED[kind]}, {len(found)}×")
        prediction.outcome(
            NAMED[dearest] if any_cost else "none",
            "Each is mended alone. The costs need not sum to what is missing to 1: one mended kind may uncover another."
        )  # fmt: skip


def slices(seeds: tuple[int, ...], networks: list[str], score: float, iou: float, controls) -> None:
    """AP or recall in the parts of the scenes, for both detectors."""
    with controls:
        by = st.segmented_control(
            "Slices by", SLICES, default="occlusion", required=True, key="fails_by", bind="query-params"
        )
        figure = st.segmented_control(
            "Height", ["AP", "Recall"], default="Recall", required=True, key="fails_figure", bind="query-params"
        )
    errors = [detection_errors.above(sorted_errors(seeds, network, iou), score) for network in networks]
    cut = [parts(each, seeds, network, by) for each, network in zip(errors, networks, strict=True)]
    heights = [[part.ap if figure == "AP" else part.recall for part in each] for each in cut]
    there = [part.name for part in cut[0] if part.truths]
    lowest = [part.name for part, height in zip(cut[0], heights[0], strict=True)
              if part.truths and height == np.nanmin(heights[0])]  # fmt: skip
    first = [part.name for part in cut[0]].index(lowest[0]) if lowest else 0
    alike = "several alike"
    with page.predict(
        "fails-slice", f"{figure} in slices by {by}: where is it lowest for {NAMES[networks[0]]}?",
        [*there, alike] if len(there) > 1 else [alike],
    ) as prediction:  # fmt: skip
        which, bar = picked("fails_slice", len(networks), len(cut[0]), first, SLICES.index(by))
        labels = [f"{part.name}<br>{part.truths} truths" for part in cut[0]]
        bars("fails_slice", labels, heights, networks, (which, bar), figure, f"{figure} in slices by {by}",
             SLICES.index(by), top=1.0)  # fmt: skip
        part = cut[which][bar]
        found = [case for kind in (*FALSE, "missed") for case in cases(part.errors, kind)]
        words(said(part, networks[which], by), "fails_part")
        error_pictures.show(found, seeds, networks[which], f"{NAMES[networks[which]]}: errors in {by}, {part.name}")
        prediction.outcome(lowest[0] if len(lowest) == 1 else alike)


def said(part: Part, network: str, by: str) -> str:
    if not part.truths:
        return f"No truth of these scenes is in {by}, {part.name}: neither AP nor recall is defined. Take more scenes."
    return (
        f"**{by}, {part.name}**: {NAMES[network]} has AP **{part.ap:.3f}** and recall **{part.recall:.3f}** "
        f"({part.truths} truths)."
    )


def picked(key: str, detectors: int, count: int, first: int, sort: int = 0) -> tuple[int, int]:
    """Detector and bar clicked last, kept in the address under `key`_at; else the first detector's bar `first`."""
    clicked = figures.touched(key).clicked
    place = f"{key}_at"
    if clicked is not None:
        address.keep(place, ",".join(str(int(clicked) // base % 100) for base in (10_000, 100, 1)))
    try:
        found = address.numbers(place, 3, int)
    except ValueError:
        found = None
    if found and found[0] == sort and 0 <= found[1] < detectors and 0 <= found[2] < count:
        return found[1], found[2]
    return 0, first


def bars(
    key: str, names: Sequence[str], heights: list[list[float]], networks: list[str], chosen: tuple[int, int],
    title: str, alt: str, sort: int = 0, top: float | None = None,
) -> None:  # fmt: skip
    """Bars of both detectors side by side; the chosen one is outlined. A click says sort, detector and bar; it may be
    anywhere above a bar, for a bar of height 0 has no place of its own."""
    known = [height for row in heights for height in row if not np.isnan(height)]
    end = 1.25 * max([top or 0.05, *known])
    fig = go.Figure()
    for which, (network, row) in enumerate(zip(networks, heights, strict=True)):
        lines = [3 if (which, bar) == chosen else 0 for bar in range(len(names))]
        fig.add_bar(
            x=names, y=[None if np.isnan(height) else height for height in row], name=NAMES[network], offsetgroup=which,
            marker=dict(LOOKS[which], line=dict(width=lines, color="#D55E00")),
            customdata=[[10_000 * sort + 100 * which + bar] for bar in range(len(names))],
            text=["" if np.isnan(height) else f"{height:.2f}" for height in row], textposition="outside",
        )  # fmt: skip
    for which, trace in enumerate(list(fig.data)):
        fig.add_bar(
            x=names, y=[end] * len(names), offsetgroup=which, marker_color="rgba(0,0,0,0)", showlegend=False,
            customdata=trace.customdata, hovertemplate="%{x}: %{hovertext}<extra>" + trace.name + "</extra>",
            hovertext=["undefined" if np.isnan(height) else f"{height:.3f}" for height in heights[which]],
        )  # fmt: skip
    fig.update_yaxes(title=title, range=[0, end])
    fig.update_xaxes(fixedrange=True)
    fig.update_layout(barmode="group", bargap=0.25)
    page.figure(fig, key, height=300, points=True, alt=alt)


def cases(errors: Errors, kind: str) -> list[Case]:
    """The detections and truths of one kind of error."""
    kinds = FALSE if kind == "false positives" else (kind,)
    rows = np.flatnonzero(np.isin(errors.kind, kinds)) if kind in (*FALSE, OUTCOMES[0]) else []
    found = []
    for row in rows:
        truth = int(errors.truth[errors.target[row]]) if errors.target[row] >= 0 else -1
        found.append(Case(int(errors.image[row]), truth, int(errors.detection[row]), str(errors.kind[row])))
    of = {"missed": ("missed",), "false negatives": ("missed", "covered")}.get(kind, ())
    for row in np.flatnonzero(np.isin(errors.truth_kind, of)):
        found.append(Case(int(errors.truth_image[row]), int(errors.truth[row]), -1, "not found"))
    return found
