"""Every window at once: a map of scores for each class, the windows above a threshold, and what NMS leaves of them."""

from contextlib import ExitStack

import streamlit as st

from labs import nms, sliding_window
from labs.sliding_window import CLASSES, Windows
from pages.shared.swatches import swatches
from pages.sliding_window.shared import COLOURS, WANTED, WHITE, Look, truths
from ui import page
from ui.components import Box, Boxes, Heat, following, live_slider, stage, words

MOST_DRAWN = 80  # windows above the threshold, the surest first
MORE, SAME, FEWER = "more", "as many", "fewer"


def every(look: Look) -> None:
    page.section(
        "Every window", "One score per class for every window makes a map; a threshold and NMS make detections of it."
    )
    page.remind("NMS", "IoU")
    maps(look)
    chosen(look)


@st.fragment
@page.guard()
def maps(look: Look) -> None:
    """The probability of each class for every window."""
    found = look.seen
    rows, columns = found.probabilities.shape[1:]
    for index, (name, column) in enumerate(zip(CLASSES, st.columns(len(CLASSES), gap="small"), strict=True)):
        with column:
            st.markdown(f"**{name}**")
            stage(f"window_map_{index}", zoom=False).show(
                None, [Heat(found.probabilities[index].numpy(), "cividis", 0.0, 1.0, 1.0, smooth=False)],
                size=(columns, rows), alt=f"Probability of {name} for every window",
                caption=f"largest {float(found.probabilities[index].max()):.2f}",
            )  # fmt: skip
    st.caption(
        f"{rows} × {columns} = {rows * columns:,} windows of 28 × 28 pixels, 4 apart. Dark is 0, bright is 1. The four "
        "maps add up to 1 everywhere."
    )


@st.fragment
@page.guard()
def chosen(look: Look) -> None:
    """Windows above a threshold, and what is left after NMS, beside the truth."""
    with ExitStack() as sliders:
        left, right = st.columns(2, gap="large")
        with left:
            threshold = sliders.enter_context(
                live_slider("Score threshold", 0.05, 0.99, 0.6, step=0.01, key="window_threshold", window=2)
            )
        with right:
            overlap = sliders.enter_context(
                live_slider("NMS: IoU threshold", 0.0, 1.0, 0.2, step=0.01, key="window_overlap", window=2)
            )
        found = above(look, threshold)
        kept = nms.survivors(found.boxes, found.scores, overlap, found.labels)
        count, true = len(kept), len(look.things)
        with page.predict(
            "window-nms",
            f"Above {threshold:g} there are windows around each thing. After NMS, are boxes left for more, as many or "
            "fewer than the cars, motorcycles and street signs of the scene?",
            [MORE, SAME, FEWER] if look.picture.view is not None else [],
        ) as prediction:
            one, other = st.columns(2, gap="large")
            with one:
                stage("window_above", zoom=False).show(
                    look.image, [Boxes([*truths(look), *drawn(found, MOST_DRAWN)])],
                    alt="The windows above the threshold",
                    caption=f"Above the threshold: {len(found.scores):,} windows"
                    + (f", the surest {MOST_DRAWN} drawn." if len(found.scores) > MOST_DRAWN else "."),
                )  # fmt: skip
            with other:
                picked = Windows(found.boxes[kept], found.labels[kept], found.scores[kept])
                stage("window_kept", zoom=False).show(
                    look.image, [Boxes([*truths(look), *drawn(picked, MOST_DRAWN, labelled=True)])],
                    alt="What NMS leaves of them", caption=f"After NMS: {count}. White, dashed: the truth.",
                )  # fmt: skip
            words(
                f"**{len(found.scores):,}** of {found_in(look):,} windows say a class with p ≥ {threshold:.2f}; NMS "
                f"keeps **{count}**." + (f" The scene has **{true}** such things." if look.picture.view else ""),
                "window_kept_words",
            )
            prediction.outcome(
                "" if look.picture.view is None else MORE if count > true else SAME if count == true else FEWER,
                "" if look.picture.view is None else f"{count} boxes, {true} things. Move both thresholds: a lower "
                "score threshold finds more and errs more. A thing much larger or smaller than the window needs "
                "another side of the picture.",
            )  # fmt: skip
    if not following():
        st.html(swatches([*((COLOURS[name], name) for name in WANTED), (WHITE, "the truth")]))
        page.footer(look.model.name, look.seen.device, look.seen.seconds * 1000)


def above(look: Look, threshold: float) -> Windows:
    """The windows of the small picture that say a class."""
    found = look.seen
    boxes = sliding_window.window_boxes(*found.probabilities.shape[1:])
    return sliding_window.above(found.probabilities, boxes, threshold)


def found_in(look: Look) -> int:
    """Windows of the picture."""
    return look.seen.probabilities[0].numel()


def drawn(found: Windows, most: int, labelled: bool = False) -> list[Box]:
    """The surest of them as boxes, the surest on top."""
    boxes = []
    for i in reversed(range(min(most, len(found.scores)))):
        name, score = CLASSES[int(found.labels[i])], float(found.scores[i])
        xyxy = tuple(map(float, found.boxes[i]))
        label = f"{name} {score:.2f}" if labelled else ""
        boxes.append(Box(f"w{i}", xyxy, label, COLOURS[name], width=3 if labelled else 1, note=f"{name} {score:.2f}"))
    return boxes
