"""The confusion matrices of the detectors side by side, and the pictures of the chosen cell."""

import numpy as np
import streamlit as st

from labs import confusion_matrix
from labs.confusion_matrix import Entries
from pages.iou_nms_precision_recall import error_pictures
from pages.iou_nms_precision_recall.error_pictures import Case
from pages.iou_nms_precision_recall.stored_errors import paired
from pages.shared.detectors import NAMES
from scenes import THINGS
from ui import page
from ui.components import Grid, matrices

CELL = 31  # px: two matrices fit beside the side bar
CLASSES = (*THINGS, "background")
TO = ("another class", "background", "as many to each")


def matrix(seeds: tuple[int, ...], networks: list[str], score: float, iou: float, controls) -> None:
    with controls:
        shown = st.segmented_control(
            "In each cell", ["Counts", "Shares"], default="Counts", required=True, key="fails_cells",
            bind="query-params", help="Shares of a row: of the truths of a class, how many were taken for which.",
        )  # fmt: skip
    found = [confusion_matrix.above(paired(seeds, network, iou), score) for network in networks]
    counts = [confusion_matrix.matrix(each, len(THINGS)) for each in found]
    inner = counts[0][:-1, :-1]
    elsewhere, missed = int(inner.sum() - np.trace(inner)), int(counts[0][:-1, -1].sum())
    with page.predict(
        "fails-to", f"Some things {NAMES[networks[0]]} does not see as what they are. Do more of them go to another "
        "class, or to background?", TO,
    ) as prediction:  # fmt: skip
        view = matrices("fails_matrix", window=2)
        grids = [grid(name, network, each, shown) for name, network, each in zip("ab", networks, counts)]
        told = {(name, r, c): sentence(r, c, int(each[r, c])) for name, each in zip("ab", counts)
                for r in range(len(CLASSES)) for c in range(len(CLASSES))}  # fmt: skip
        which, row, column = chosen(view, counts)
        view.show(
            grids, explain=told, sums=False, highlight=[("ab"[which], row, column)],
            caption="A row for each true class, a column for what was said. Colour: share of the row. Click a cell.",
        )  # fmt: skip
        error_pictures.show(
            cases(found[which], row, column), seeds, networks[which],
            f"{NAMES[networks[which]]}: {sentence(row, column, int(counts[which][row, column]))}",
        )  # fmt: skip
        answer = TO[2] if elsewhere == missed else TO[0] if elsewhere > missed else TO[1]
        prediction.outcome(answer, f"{elsewhere} were taken for another class, {missed} for background.")


def grid(name: str, network: str, counts: np.ndarray, shown: str) -> Grid:
    """Coloured by the share of the row; a zero is left blank, so that what is there is seen."""
    shares = confusion_matrix.shares(counts)
    text = [[cell(int(counts[r, c]), float(shares[r, c]), shown) for c in range(len(CLASSES))]
            for r in range(len(CLASSES))]  # fmt: skip
    return Grid(
        name, np.nan_to_num(shares), NAMES[network], text=text, colour="sequential", vmin=0.0, vmax=1.0,
        rows=[f"{name} {number}" for number, name in enumerate(CLASSES, start=1)],
        columns=[str(number) for number in range(1, len(CLASSES) + 1)], cell=CELL,
    )  # fmt: skip


def cell(count: int, share: float, shown: str) -> str:
    if not count:
        return ""
    return str(count) if shown == "Counts" else f"{share:.2f}".replace("0.", ".")


def sentence(row: int, column: int, count: int) -> str:
    """What a cell says, in words."""
    truth, said = CLASSES[row], CLASSES[column]
    if truth == said == "background":
        return "background seen as background is not counted"
    if said == "background":
        return f"{truth} missed, {count}×"
    if truth == "background":
        return f"background taken for {said}, {count}×"
    return f"{truth} seen as {said}, {count}×" if row == column else f"{truth} taken for {said}, {count}×"


def chosen(view, counts: list[np.ndarray]) -> tuple[int, int, int]:
    """Detector, row and column of the cell clicked; at first the largest confusion, without one what is missed most."""
    for which, name in enumerate("ab"[: len(counts)]):
        if at := view.chosen(name, counts[which].shape):
            return which, *at
    if at := confusion_matrix.confused(counts[0]):
        return 0, *at
    return 0, int(counts[0][:-1, -1].argmax()), len(CLASSES) - 1


def cases(found: Entries, row: int, column: int) -> list[Case]:
    last = len(CLASSES) - 1
    rows = found.at(*(confusion_matrix.BACKGROUND if at == last else at + 1 for at in (row, column)))
    why = "right" if row == column else "missed" if column == last else "on background" if row == last else "confused"
    return [Case(int(found.image[i]), int(found.target[i]), int(found.detection[i]), why) for i in rows]
