"""Every window at once: a map of scores for each class, the windows above a threshold, and what NMS leaves of them."""

from contextlib import ExitStack

import streamlit as st

from labs import nms, sliding_window
from labs.sliding_window import CLASSES, Windows
from models import catalog
from pages.shared.swatches import swatches
from pages.sliding_window.shared import BOXES, COLOURS, NETWORKS, WANTED, WHITE, Look, truths
from ui import page
from ui.components import Box, Boxes, Heat, following, live_slider, stage, words

MOST_DRAWN = 80  # windows above the threshold, the surest first
MORE, SAME, FEWER = "more", "as many", "fewer"


@page.guard()
def every(look: Look) -> None:
    page.section(
        "Every window", "One score per class for every window makes a map; a threshold and NMS make detections of it."
    )
    page.remind("NMS", "IoU", "AP")
    maps(look)
    chosen(look)
    judged()


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
                stage("window_above", zoom=False, window=2).show(
                    look.picture.image, [Boxes([*truths(look), *drawn(found, MOST_DRAWN)])],
                    alt="The windows above the threshold",
                    caption=f"Above the threshold: {len(found.scores):,} windows"
                    + (f", the surest {MOST_DRAWN} drawn." if len(found.scores) > MOST_DRAWN else "."),
                )  # fmt: skip
            with other:
                picked = Windows(found.boxes[kept], found.labels[kept], found.scores[kept])
                stage("window_kept", zoom=False, window=2).show(
                    look.picture.image, [Boxes([*truths(look), *drawn(picked, MOST_DRAWN, labelled=True)])],
                    alt="What NMS leaves of them",
                    caption=f"After NMS: {count}." + (" White, dashed: the truth." if look.things else ""),
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
        st.html(swatches([*((COLOURS[name], name) for name in WANTED), *[(WHITE, "the truth")] * bool(look.things)]))
        page.footer(look.model.name, look.seen.device, look.seen.seconds * 1000)


def judged() -> None:
    """What size and shape of the network are to blame for, by the cards of the three networks."""
    cards = [catalog.card(name) for name in (*NETWORKS.values(), BOXES) if name in catalog.shipped()]
    rows = ["| network | weights | crops named right | AP of its windows | AP of its boxes |",
            "|---|---:|---:|---:|---:|"]  # fmt: skip
    for card in cards:
        told = card["metrics"]
        boxes = f"{told['box_ap50']:.2f}" if card["name"] == BOXES else "–"
        rows.append(
            f"| {card['name']} | {card['parameters']:,} | {told['accuracy']:.0%} | {told['window_ap50']:.2f} "
            f"| {boxes} |"
        )
    st.markdown("**Is it the size of the network, or its shape?**\n\n" + "\n".join(rows))
    st.caption(
        f"On {cards[0]['metrics']['scenes']} held-out scenes; AP at an IoU of 0.5, by windows of six sizes and NMS. "
        "More filters name more crops right. They do not make a square window fit a car; "
        "only a box beside the class does."
    )


def above(look: Look, threshold: float) -> Windows:
    """The windows that say a class, in pixels of the picture as it was drawn."""
    return sliding_window.above(look.seen.probabilities, look.seen.windows, threshold)


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
