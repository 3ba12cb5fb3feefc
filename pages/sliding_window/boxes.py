"""Windows do not fit: the network that says four numbers more, and what they make of a window."""

import streamlit as st
from torch import Tensor

from labs.boxes import centre_form, decode
from labs.image_pyramid import Candidates, windows_on
from labs.sliding_window import CLASSES
from pages.sliding_window.searched import HOW, LOCALIZER, Truth, candidates_on, fits, sure, truth_of, xyxy
from pages.sliding_window.shared import COLOURS, WHITE
from ui import page
from ui.components import Box, Boxes, Grid, address, following, live_slider, matrices, stage, words
from ui.pictures import Picture

AT = "window_box_at"
SHOWN = 60  # windows of a picture that are drawn, the surest
SAME = 0.02  # mean IoUs that lie no further apart count as the same


@st.fragment
@page.guard()
def boxes(picture: Picture) -> None:
    """Windows above a threshold, and the boxes that they ask for."""
    page.section(
        "A box for every window",
        "A window says what is in it, but things do not fit windows. Four more outputs move and stretch each window "
        f"onto its thing: {len(CLASSES)} class scores + 4 coordinates = {len(CLASSES) + 4} channels.",
    )
    columns, body = st.columns(2, gap="large", vertical_alignment="bottom"), st.container()
    with (
        columns[0],
        live_slider(
            "Side of the window", HOW.window, 160, 56, step=4, unit="px", key="window_box_side", play=True
        ) as side,
        columns[1],
        live_slider("Score threshold", 0.05, 0.99, 0.6, step=0.01, key="window_box_score", format="%.2f") as score,
        body,
    ):  # fmt: skip
        height, width = picture.image.shape[:2]
        size = tuple(round(each * HOW.window / side) for each in (height, width))
        found = sure(candidates_on(LOCALIZER, picture.image, size, 0, HOW.stride), score)
        rows, across = windows_on(size, HOW)
        words(
            f"At {side} px a window, the picture has {rows} × {across} = {rows * across:,} of them: **{len(found)}** "
            f"say a thing with a score of {score:.2f} or more.", "window_box_count",
        )  # fmt: skip
        before_and_after(picture, found, side)


def before_and_after(picture: Picture, found: Candidates, side: int) -> None:
    """The windows as they stand, and their boxes behind the question how much better these are."""
    truth = truth_of(picture)
    left, right = st.columns(2, gap="large")
    with left:
        view = stage("window_box_before", zoom=False, window=2)
    chosen = picked(view, found)
    with left:
        view.show(
            picture.image, [Boxes([*dashed(truth), *drawn(found, found.windows, chosen)])], pick=(2.0, 4.0),
            alt=f"{len(found)} windows above the threshold",
            caption="Before: the windows. Click one." + (" White, dashed: the truth." if truth else ""),
        )  # fmt: skip
    with right:
        if truth is None or not len(found):
            after(picture, found, chosen, truth)
        else:
            asked_after(picture, found, chosen, truth, side)
    if chosen is not None:
        opened(found, chosen, truth)


def asked_after(picture: Picture, found: Candidates, chosen: int | None, truth: Truth, side: int) -> None:
    """How well do the boxes fit, after the mean of the windows that touch a thing of their class is known?"""
    before, then = (fits(each, found.labels, truth) for each in (found.windows, found.boxes))
    touching = before > 0
    windows, boxes = (float(each[touching].mean()) if touching.any() else 0.0 for each in (before, then))
    options = ["Lower", "About the same", "Higher"]
    count = int(touching.sum())
    with page.predict(
        "window-box-better",
        f"{count} of these windows of {side} px touch a thing of their class, with a mean IoU of {windows:.2f}. And "
        "the boxes of these?", options if count else [],
    ) as prediction:  # fmt: skip
        after(picture, found, chosen, truth)
        change = boxes - windows
        prediction.outcome(
            options[1] if abs(change) <= SAME else options[2] if change > 0 else options[0],
            f"Mean IoU {windows:.2f} before, **{boxes:.2f}** after." if count else
            "No window touches a thing of its class.",
        )  # fmt: skip


def after(picture: Picture, found: Candidates, chosen: int | None, truth: Truth | None) -> None:
    stage("window_box_after", zoom=False, window=2).show(
        picture.image, [Boxes([*dashed(truth), *drawn(found, found.boxes, chosen)])],
        alt=f"The boxes of {len(found)} windows", caption="After: the box that each window asks for.",
    )  # fmt: skip


def dashed(truth: Truth | None) -> list[Box]:
    """The true boxes of the classes that the windows know."""
    there = [] if truth is None else zip(truth.boxes, truth.labels.tolist(), strict=True)
    return [
        Box(f"truth-{i}", xyxy(box), "", WHITE, dash=True, width=2, note=f"{CLASSES[label]}, the truth")
        for i, (box, label) in enumerate(there)
    ]


def drawn(found: Candidates, places: Tensor, chosen: int | None) -> list[Box]:
    """The surest few, the chosen one bold and on top."""
    shown = []
    for index in reversed(range(min(len(found), SHOWN))):
        name = CLASSES[int(found.labels[index])]
        told, bold = f"{name} {float(found.scores[index]):.2f}", index == chosen
        box = Box(name_of(found, index), xyxy(places[index]), told if bold else "", COLOURS[name],
                  width=4 if bold else 1.5, note=told)  # fmt: skip
        shown.append(box)
    return sorted(shown, key=lambda box: box.width)


def name_of(found: Candidates, index: int) -> str:
    return f"window-{int(found.row[index])}-{int(found.column[index])}"


def picked(view, found: Candidates) -> int | None:
    """The window that was clicked last, kept in the address by row and column; else the surest. None where none is."""
    if view.clicked and (view.click.what or "").startswith("window-"):
        address.keep(AT, (view.click.what or "").removeprefix("window-").replace("-", ","))
    if not len(found):
        return None
    try:
        row, column = address.numbers(AT, 2, int) or (-1, -1)
    except ValueError:
        page.problem(f"The link's {AT} is not a window like 4,4: click on one instead.")
        row, column = -1, -1
    there = ((found.row == row) & (found.column == column)).nonzero().flatten().tolist()
    return there[0] if there and there[0] < SHOWN else 0


def opened(found: Candidates, chosen: int, truth: Truth | None) -> None:
    """The chosen window's eight numbers, and the box that four of them make, line by line."""
    one = found.subset(slice(chosen, chosen + 1))
    window, name = one.windows[0], CLASSES[int(one.labels[0])]
    box = decode(one.outputs[0, len(CLASSES) :], window)
    (px, py, pw, ph), (bx, by, bw, bh) = centre_form(window).tolist(), centre_form(box).tolist()
    tx, ty, tw, th = one.outputs[0, len(CLASSES) :].tolist()
    matrices("window_box_outputs", window=2).show(
        [Grid("outputs", one.outputs.numpy(), title="the 8 outputs of the window in bold", format="%.2f", cell=72,
              columns=[*CLASSES, "tx", "ty", "tw", "th"])],
    )  # fmt: skip
    lines = [
        f"**{name}**, p = {float(one.scores[0]):.2f} after softmax over the four scores.",
        f"centre x = {px:.1f} + {pw:.1f} · ({tx:.2f}) = **{bx:.1f}**",
        f"centre y = {py:.1f} + {ph:.1f} · ({ty:.2f}) = **{by:.1f}**",
        f"width = {pw:.1f} · exp({tw:.2f}) = **{bw:.1f}**",
        f"height = {ph:.1f} · exp({th:.2f}) = **{bh:.1f}**",
    ]
    if truth is not None:
        before, then = (float(fits(each, one.labels, truth)[0]) for each in (one.windows, one.boxes))
        lines.append(f"IoU with the nearest {name}: **{before:.2f}** as a window, **{then:.2f}** as a box.")
    words("\n\n".join(lines).replace("-", "−"), "window_box_opened")
    if not following():
        st.caption(
            "All in pixels of the picture; the four numbers have no unit, so they mean the same on a window of any "
            "size. What juts out of the picture is cut off."
        )
