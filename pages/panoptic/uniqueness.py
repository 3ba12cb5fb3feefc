"""Why a match is unique: two segments under the hand that want to match the same truth."""

from dataclasses import replace

import numpy as np
import streamlit as st

from labs import panoptic_quality
from ui import page
from ui.components import Box, Boxes, Labels, address, live_slider, resting, stage, words

STAGE, LINK = "panoptic_pair", "panoptic_pair_at"
WIDTH, HEIGHT = 240, 120
THING, GROUND = 1, 0  # classes
TRUTH = (60.0, 20.0, 180.0, 100.0)
START = ((40.0, 20.0, 132.0, 100.0), (120.0, 30.0, 210.0, 90.0))
BLUE, ORANGE, GREY = "#56B4E9", "#E69F00", "#8A9099"
NAMES = ("A", "B")
SMALLEST = 4.0  # pixels a side


def mask_of(box: tuple[float, float, float, float]) -> np.ndarray:
    """bool (HEIGHT, WIDTH): pixels whose middle is in the box."""
    x, y = np.arange(WIDTH) + 0.5, np.arange(HEIGHT)[:, None] + 0.5
    return (x >= box[0]) & (x < box[2]) & (y >= box[1]) & (y < box[3])


def ious(first: np.ndarray, second: np.ndarray, shared: bool) -> tuple[float, float]:
    """IoU of both segments with the truth. Unless they may share pixels, A is on top, as in a panoptic map."""
    truth = pairs({1: mask_of(TRUTH)})
    if shared:  # two maps: in one map a pixel has one segment
        return against(truth, pairs({1: first}), 1), against(truth, pairs({1: second}), 1)
    both = pairs({2: second, 1: first})
    return against(truth, both, 1), against(truth, both, 2)


def pairs(segments: dict[int, np.ndarray]) -> np.ndarray:
    """The panoptic map of these segments of a thing, later ones on top, on ground."""
    made = np.zeros((HEIGHT, WIDTH, 2), np.int64)
    for identity, mask in segments.items():
        made[mask] = THING, identity
    return made


def against(truth: np.ndarray, prediction: np.ndarray, identity: int) -> float:
    """IoU of one predicted segment of a thing with the only thing of the truth; 0 if nothing is left of it."""
    judged = panoptic_quality.judge(truth, prediction, {THING})
    column = (judged.prediction.labels == THING) & (judged.prediction.ids == identity)
    return float(judged.iou[judged.truth.labels == THING][:, column].sum())


def start() -> list[Box]:
    """The two segments as the address has them, else as they begin."""
    try:
        found = address.numbers(LINK, 8)
    except ValueError:
        page.problem(f"The link's {LINK} is not eight numbers: drag the segments on the picture instead.")
        found = None
    places = START if found is None else (found[:4], found[4:])
    return [Box(name, inside(place), name, colour, editable=True, width=3)
            for name, place, colour in zip(NAMES, places, (BLUE, ORANGE), strict=True)]  # fmt: skip


def inside(place) -> tuple[float, float, float, float]:
    """The box in order, on the stage, with SMALLEST pixels a side at least."""
    x1, y1, x2, y2 = (float(value) for value in place)
    x1, x2 = np.clip(min(x1, x2), 0, WIDTH - SMALLEST), max(x1, x2)
    y1, y2 = np.clip(min(y1, y2), 0, HEIGHT - SMALLEST), max(y1, y2)
    return float(x1), float(y1), float(np.clip(x2, x1 + SMALLEST, WIDTH)), float(np.clip(y2, y1 + SMALLEST, HEIGHT))


@st.fragment
@page.guard()
def unique() -> None:
    page.section("A match is unique", "Drag A and B: can you make both match the same truth, the dashed box?")
    left, right = st.columns([3, 2], gap="large")
    view = stage(STAGE, start(), zoom=False, window=2)
    view.boxes = [replace(box, xyxy=inside(box.xyxy)) for box in view.boxes]
    if resting(STAGE):
        at = [value for box in view.boxes for value in box.xyxy]
        first = [value for place in START for value in place]
        address.keep(LINK, None if at == first else ",".join(f"{value:g}" for value in at))
    with right:
        shared = st.toggle("Segments may share pixels", key="panoptic_share", bind="query-params")
        with live_slider(
            "A match has an IoU above", 0.3, 0.7, 0.5, step=0.01, key="panoptic_match", format="%.2f", window=2
        ) as threshold:
            masks = [mask_of(box.xyxy) for box in view.boxes]
            found = ious(*masks, shared)
            matched = [value > threshold for value in found]
            told(found, matched, shared)
            with left:
                draw(view, masks, found, shared)
    with page.predict(
        "panoptic-unique",
        f"Segments share no pixel and a match has an IoU above {threshold:.2f}. Could two match one truth?",
        ["Yes", "No"],
    ) as prediction:
        words(
            "Two segments without a shared pixel divide the truth between them, so their IoUs add up to 1 at most. "
            "Both could be just 0.50, each exactly one half of the truth.", "panoptic_unique_why",
        )  # fmt: skip
        prediction.outcome(
            "No" if threshold >= 0.5 else "Yes",
            "because two numbers above one half add up to more than 1."
            if threshold >= 0.5
            else f"because {threshold:.2f} + {threshold:.2f} leaves room below 1.",
        )
    st.latex(
        r"\mathrm{IoU}(A,T) + \mathrm{IoU}(B,T) \le \frac{|A \cap T|}{|T|} + \frac{|B \cap T|}{|T|} \le 1 "
        r"\quad\text{if } A \cap B = \varnothing"
    )


def told(found: tuple[float, float], matched: list[bool], shared: bool) -> None:
    """Both IoUs, their sum, and who matches."""
    lines = [f"**{name}**: IoU **{value:.2f}**, {'a match' if match else 'no match'}"
             for name, value, match in zip(NAMES, found, matched, strict=True)]  # fmt: skip
    words("\n\n".join(lines), "panoptic_pair_ious")
    both = "**Both match: one truth is counted twice.**" if all(matched) else "At most one matches."
    rule = "Masks that share pixels may add up to more than 1." if shared else "A is on top: B has what A left."
    words(f"Sum **{sum(found):.2f}**. {both} :gray[{rule}]", "panoptic_pair_sum")


def draw(view, masks: list[np.ndarray], found: tuple[float, float], shared: bool) -> None:
    first, second = masks
    area = np.where(first & second & shared, 3, np.where(first, 1, np.where(second, 2, 0))).astype(np.uint8)
    boxes = [replace(box, label=f"{box.id} {value:.2f}") for box, value in zip(view.boxes, found, strict=True)]
    view.show(
        None,
        [Labels(area, [None, BLUE, ORANGE, GREY], 0.6),
         Boxes([Box("truth", TRUTH, "", GREY, dash=True, width=3), *boxes])],
        size=(WIDTH, HEIGHT), alt="A true segment and two predicted ones that can be dragged",
        caption="Drag A, B or a handle; arrow keys move, with Alt they resize. Grey: in both.",
    )  # fmt: skip
