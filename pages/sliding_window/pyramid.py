"""Things have several sizes, the window has one: the picture is made smaller and smaller, then NMS over all levels."""

from contextlib import ExitStack

import numpy as np
import streamlit as st

from labs import image_pyramid
from labs.image_pyramid import Candidates
from labs.sliding_window import CLASSES
from pages.sliding_window.boxes import dashed
from pages.sliding_window.searched import (
    BLUE,
    CLASSIFIER,
    HOW,
    LOCALIZER,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    WIDE,
    Truth,
    candidates_on,
    fits,
    suppressed,
    sure,
    truth_of,
    xyxy,
)  # fmt: skip
from ui import page
from ui.components import Box, Boxes, following, live_slider, stage, words
from ui.pictures import KEPT, Picture

COLOURS = (BLUE, ORANGE, PURPLE, VERMILION, SKY, "#8C6D31")  # of the levels
NETWORKS = (LOCALIZER, CLASSIFIER, WIDE)
GAP, GROUND = 6, 200  # pixels between the levels of the strip, and its grey
FOUND = 0.5  # IoU from which a thing counts as found
RAW, ON_STRIP = 150, 12  # candidates that are drawn: on the picture, and of each level on the strip


@st.fragment
@page.guard()
def pyramid(picture: Picture) -> None:
    """Levels, what is found on each, and what NMS leaves of it."""
    page.section(
        "One window for every size: an image pyramid",
        f"On a copy at half the size the window of {HOW.window} pixels covers twice as much of the scene, so every "
        "copy is searched with the same network.",
    )
    name = st.segmented_control("Network", NETWORKS, default=LOCALIZER, required=True, key="pyramid_network", **KEPT)
    with ExitStack() as sliders:
        slots = [*st.columns(4, gap="medium")]
        ask = lambda slot, *what, **how: _enter(sliders, slots[slot], *what, **how)  # noqa: E731
        count = ask(0, "Scales", 1, len(COLOURS), 5, key="pyramid_count", play=True)
        step = ask(1, "Scale step", 1.2, 2.0, 1.4, step=0.05, key="pyramid_step", format="%.2f")
        score = ask(2, "Score threshold", 0.05, 0.99, 0.8, step=0.01, key="pyramid_score", format="%.2f")
        overlap = ask(3, "NMS threshold", 0.0, 0.9, 0.3, step=0.05, key="pyramid_nms", format="%.2f")
        sizes = image_pyramid.level_sizes(*picture.image.shape[:2], count, step, HOW.window)
        found = image_pyramid.together(
            [candidates_on(name, picture.image, size, number, HOW.stride) for number, size in enumerate(sizes)]
        )
        raw = sure(found, score)
        kept = suppressed(raw, overlap)
        strip(picture.image, sizes, raw)
        results(picture, sizes, raw, kept)
    if not following():
        price(sizes, step)


def _enter(sliders: ExitStack, column, *what, **how):
    """A live slider in a column, open until all is drawn."""
    with column:
        return sliders.enter_context(live_slider(*what, **how))


def strip(image: np.ndarray, sizes: list[tuple[int, int]], raw: Candidates) -> None:
    """All levels at their own size, with the surest windows of each."""
    lefts, boxes = left_edges(sizes), []
    floor = sizes[0][0]
    for number, (left, (height, _)) in enumerate(zip(lefts, sizes, strict=True)):
        colour, top = COLOURS[number], floor - height
        surest = (raw.level == number).nonzero().flatten().tolist()[:ON_STRIP]
        for index in reversed(surest):
            x = left + int(raw.column[index]) * HOW.stride
            y = top + int(raw.row[index]) * HOW.stride
            place = (float(x), float(y), float(x + HOW.window), float(y + HOW.window))
            boxes.append(Box(f"strip-{index}", place, "", colour, width=2, note=told(raw, index)))
        if not surest:
            corner = (float(left), float(top), float(left + HOW.window), float(top + HOW.window))
            boxes.append(Box(f"corner-{number}", corner, "", colour, dash=True, note="the window; nothing found here"))
    stage("pyramid_levels", zoom=False).show(
        montage(image, tuple(sizes)), [Boxes(boxes)], alt=f"{len(sizes)} copies of the picture, each smaller",
        caption=f"The levels, and on each the same window of {HOW.window} × {HOW.window} px: the surest {ON_STRIP} "
        "above the threshold; dashed in a corner where there is none.",
    )  # fmt: skip


def left_edges(sizes: list[tuple[int, int]]) -> list[int]:
    """Where each level begins on the strip."""
    return [sum(width + GAP for _, width in sizes[:number]) for number in range(len(sizes))]


@st.cache_resource(max_entries=128, show_spinner=False)
def montage(image: np.ndarray, sizes: tuple[tuple[int, int], ...]) -> np.ndarray:
    """The levels side by side on one floor, uint8."""
    lefts, floor = left_edges(list(sizes)), sizes[0][0]
    ground = np.full((floor, lefts[-1] + sizes[-1][1], 3), GROUND, np.uint8)
    for left, level in zip(lefts, image_pyramid.pyramid(image, sizes), strict=True):
        ground[floor - len(level) :, left : left + level.shape[1]] = level
    return ground


def results(picture: Picture, sizes: list[tuple[int, int]], raw: Candidates, kept: Candidates) -> None:
    """All candidates before NMS and what is left of them, behind a question."""
    truth = truth_of(picture)
    finder, largest = found_by(kept, truth)
    names = [level_name(number, picture.image.shape[1], size) for number, size in enumerate(sizes)]
    with page.predict(
        "pyramid-largest",
        f"Which level finds the largest {largest}, with an IoU of {FOUND:g} or more after NMS?" if largest else
        "Which level finds the largest thing?", [*names, "No level"] if largest and len(names) > 1 else [],
    ) as prediction:  # fmt: skip
        left, right = st.columns(2, gap="large")
        with left:
            shown = [Box(f"raw-{i}", xyxy(raw.boxes[i]), "", COLOURS[int(raw.level[i])], width=1.5, note=told(raw, i))
                     for i in reversed(range(min(len(raw), RAW)))]  # fmt: skip
            more = f" The surest {RAW} of {len(raw)}." if len(raw) > RAW else ""
            stage("pyramid_raw", zoom=False).show(
                picture.image, [Boxes(shown)], alt=f"{len(raw)} boxes of all levels before NMS",
                caption=f"Before NMS: {len(raw)} boxes, coloured by their level.{more}",
            )  # fmt: skip
        with right:
            boxes = [Box(f"kept-{i}", xyxy(kept.boxes[i]), told(kept, i), COLOURS[int(kept.level[i])], width=3)
                     for i in reversed(range(len(kept)))]  # fmt: skip
            stage("pyramid_kept", zoom=False).show(
                picture.image, [Boxes([*dashed(truth), *boxes])], alt=f"{len(kept)} boxes after NMS over all levels",
                caption=f"After NMS over all levels: {len(kept)}." + (" White, dashed: the truth." if truth else ""),
            )  # fmt: skip
        words(tally(raw, kept, truth), "pyramid_tally")
        prediction.outcome(
            (names[finder] if finder is not None else "No level") if largest and len(names) > 1 else "",
            "A window finds best what nearly fills it." if largest and len(names) > 1 else "",
        )


def level_name(number: int, width: int, size: tuple[int, int]) -> str:
    return f"Level {number + 1}, windows of {round(HOW.window * width / size[1])} px"


def told(found: Candidates, index: int) -> str:
    return f"{CLASSES[int(found.labels[index])]} {float(found.scores[index]):.2f}"


def found_by(kept: Candidates, truth: Truth | None) -> tuple[int | None, str]:
    """The level whose box fits the largest thing, None where none does; and the name of that thing, "" without one."""
    if truth is None or not len(truth.boxes):
        return None, ""
    sides = truth.boxes[:, 2:] - truth.boxes[:, :2]
    one = int(sides.prod(1).argmax())
    alone = Truth(truth.boxes[one : one + 1], truth.labels[one : one + 1])
    overlaps = fits(kept.boxes, kept.labels, alone)
    name = CLASSES[int(truth.labels[one])]
    if not len(kept) or float(overlaps.max()) < FOUND:
        return None, name
    return int(kept.level[int(overlaps.argmax())]), name


def tally(raw: Candidates, kept: Candidates, truth: Truth | None) -> str:
    """What is left, and how much of the truth it finds."""
    text = f"**{len(raw)}** boxes above the score threshold, **{len(kept)}** after NMS."
    if truth is None:
        return text
    total = len(truth.boxes)
    if not total:
        return f"{text} The scene has no {', '.join(CLASSES[:-2])} or {CLASSES[-2]}: each box is false."
    hit = sum(
        bool((fits(kept.boxes, kept.labels, Truth(truth.boxes[i : i + 1], truth.labels[i : i + 1])) >= FOUND).any())
        for i in range(total)
    )
    return f"{text} With an IoU of {FOUND:g} or more they find **{hit} of {total}** things of their three classes."


def price(sizes: list[tuple[int, int]], step: float) -> None:
    """What the other levels cost beside the first."""
    share = image_pyramid.share_of_first_level(len(sizes), step)
    options = {f"{100 * (each - 1):.0f} %" for each in (share, len(sizes), 1 + (share - 1) / 3)}
    windows = [image_pyramid.windows_on(size, HOW) for size in sizes]
    with page.predict(
        "pyramid-price",
        f"{len(sizes)} levels, each {step:g} times smaller than the last: how many more pixels are convolved than on "
        "the first level alone?", sorted(options, key=lambda each: int(each.split()[0])) if len(sizes) > 1 else [],
    ) as prediction:  # fmt: skip
        counts = " + ".join(f"{rows * columns:,}" for rows, columns in windows)
        st.markdown(f"Windows: {counts} = **{sum(rows * columns for rows, columns in windows):,}**.")
        limit = step**2 / (step**2 - 1)
        prediction.outcome(
            f"{100 * (share - 1):.0f} %",
            f"A level has 1/{step:g}² of the pixels of the one before: 1 + 1/{step:g}² + 1/{step:g}⁴ + … stays below "
            f"{limit:.2f}, however many levels there are.",
        )  # fmt: skip
