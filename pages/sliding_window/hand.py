"""Slide it by hand: the window follows the hand, the crop is enlarged, and the network says what it shows."""

import streamlit as st

from labs.sliding_window import CLASSES, WINDOW
from pages.sliding_window.shared import COLOURS, ORANGE, Look, probabilities
from ui import page
from ui.components import Box, Boxes, Grid, address, following, matrices, resting, stage, words

STAGE, LINK = "window_hand", "window_place"  # names in the session and in the address
SHOWN = "_window_hand_on"  # in the session: the picture and the side that the window stands on


@st.fragment
@page.guard()
def play(look: Look) -> None:
    page.section("Slide it by hand", "Drag the window: what does a classifier of 28 × 28 pixels see?")
    begin_anew(look)
    view = stage(STAGE, [editable(linked(look) or look.start)], zoom=False, width=440, window=2)
    left, top = corner(view.boxes[0].xyxy, look.side)
    if resting(STAGE):  # the window keeps its size, whatever handle was pulled
        view.boxes = st.session_state[STAGE] = [editable((left, top))]
        remember(look, (left, top))
    crop = look.image[top : top + WINDOW, left : left + WINDOW]
    logits = look.model.classify(crop)
    share = probabilities(logits)
    best = int(share.argmax())
    picture, cut = st.columns([3, 2], gap="large")
    with picture:
        view.show(
            look.image, [Boxes(view.boxes)], alt="The picture with a window to drag",
            caption="Drag the window, or move it with the arrow keys: Shift by 10 pixels.",
        )  # fmt: skip
    with cut:
        stage("window_crop", zoom=False, width=190, window=2).show(
            crop, [Boxes([Box("frame", (0.0, 0.0, 28.0, 28.0), "", COLOURS[CLASSES[best]], width=6)])],
            smooth=False, alt="What lies in the window, enlarged",
        )  # fmt: skip
        words(f"**{CLASSES[best]}**, p = **{float(share[best]):.2f}**", "window_hand_said")
        both = [[float(score), float(each)] for score, each in zip(logits, share, strict=True)]
        matrices("window_hand_scores", window=2).show(
            [Grid("scores", both, title="this window", rows=CLASSES, columns=["score", "p"], format="%.2f", cell=40,
                  colour=[[None, COLOURS[name] if index == best else None] for index, name in enumerate(CLASSES)])],
            caption=f"Column {left}, row {top}. p is the softmax of the four scores.",
        )  # fmt: skip
    if following():
        return
    told = look.model.card["metrics"]
    st.caption(
        f"A network of {look.model.card['parameters']:,} weights, trained on such crops of Lab World: it names "
        f"{told['accuracy']:.0%} of {told['crops']:,} held-out crops right, as many of each class. It looks for cars, "
        "motorcycles and street signs that fit into the window. All else is *other*. The window has 28 pixels whatever "
        "the picture has: on a smaller picture it shows more of the scene."
    )


def begin_anew(look: Look) -> None:
    """On another picture, or the same at another size, the window stands over a thing that fits it again."""
    now = (look.picture.name, look.side)
    if st.session_state.setdefault(SHOWN, now) != now:
        st.session_state[SHOWN], st.session_state[STAGE] = now, [editable(look.start)]
        address.keep(LINK, None)


def editable(place: tuple[int, int]) -> Box:
    left, top = map(float, place)
    return Box("window", (left, top, left + WINDOW, top + WINDOW), "", ORANGE, editable=True, width=3)


def corner(xyxy: tuple[float, ...], side: int) -> tuple[int, int]:
    """Left and top, in whole pixels, of the window in the middle of the box that the hand holds."""
    x1, y1, x2, y2 = xyxy
    middles = (x1 + x2) / 2, (y1 + y2) / 2
    return tuple(min(max(round(at - WINDOW / 2), 0), side - WINDOW) for at in middles)


def linked(look: Look) -> tuple[int, int] | None:
    """The window of the address, cut to the picture; None if there is none."""
    try:
        found = address.numbers(LINK, 2, int)
    except ValueError:
        page.problem(f"The link's {LINK} is no place like 40,28: drag the window on the picture instead.")
        return None
    return None if found is None else tuple(min(max(at, 0), look.side - WINDOW) for at in found)


def remember(look: Look, place: tuple[int, int]) -> None:
    """The place into the address, once the visitor has moved the window; called only while no hand is on it."""
    if place != look.start or address.linked(LINK) is not None:
        address.keep(LINK, ",".join(map(str, place)))
