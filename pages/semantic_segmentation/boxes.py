"""How many windows and boxes a picture has: every place of a window, drawn, and all sizes counted."""

from contextlib import ExitStack

import streamlit as st

from labs import sliding_window
from pages.semantic_segmentation.shared import BLUE, ORANGE
from ui import page
from ui.components import Box, Boxes, following, live_slider, stage, words

MOST = 1000  # pixels a side, of picture and window


@st.fragment
@page.guard()
def counting() -> None:
    """Sizes of picture and window, the places of the window, and the number of all boxes."""
    page.section("How many boxes?", "One window has (H − h + 1)(W − w + 1) places. A box may have any size.")
    left, right = st.columns([3, 2], gap="large", vertical_alignment="center")
    with left:
        columns = [column for _ in range(2) for column in st.columns(2)]
    names = {"H": ("Picture height H", 600), "W": ("Picture width W", 800),
             "h": ("Window height h", 28), "w": ("Window width w", 28)}  # fmt: skip
    with ExitStack() as sliders:
        value = {}
        for (name, (label, default)), column in zip(names.items(), columns, strict=True):
            with column:
                key = f"segmentation_boxes_{'picture' if name in 'HW' else 'window'}_{label.split()[1]}"
                value[name] = sliders.enter_context(live_slider(label, 1, MOST, default, unit="px", key=key, window=2))
        height, width, h, w = value["H"], value["W"], value["h"], value["w"]
        places, boxes = sliding_window.positions(height, width, h, w), sliding_window.all_boxes(height, width)
        product = f"({height} − {h} + 1) · ({width} − {w} + 1) = " if places else ""
        warning = "" if places else " :orange[The window is larger than the picture.]"
        with right:
            drawing(height, width, h, w)
        with left:
            words(
                f"One {h} × {w} window in {height} × {width}: {product}**{places:,}** places.{warning}\n\n"
                f"All boxes: {height} · {height + 1} / 2 · {width} · {width + 1} / 2 = **{boxes:,}**",
                "segmentation_boxes",
            )
    if following():
        return
    page.erratum(
        "An 800 × 600 picture has about 58 million boxes.",
        f"An 800 × 600 picture has {sliding_window.all_boxes(600, 800):,} boxes, about 58 **billion**.",
    )


def drawing(height: int, width: int, h: int, w: int) -> None:
    """The picture's frame, the window in its first and its last place, and where its upper left corner can be."""
    frame = Box("picture", (0.0, 0.0, float(width), float(height)), f"picture {height} × {width}", "#5F6670")
    first = Box("window", (0.0, 0.0, float(w), float(h)), f"window {h} × {w}", ORANGE, width=3)
    boxes = [frame, first]
    if h <= height and w <= width:
        corners = (0.0, 0.0, width - w + 1.0, height - h + 1.0)
        last = (float(width - w), float(height - h), float(width), float(height))
        boxes = [Box("places", corners, "", BLUE, fill=0.25, width=1), frame,
                 Box("last", last, "last place", ORANGE, dash=True), first]  # fmt: skip
    stage("segmentation_boxes_picture", zoom=False).show(
        None, [Boxes(boxes)], size=(MOST, MOST), alt="The window in its first and its last place in the picture",
        caption="Blue: where the window's upper left corner can be. Each of these pixels is one place.",
    )  # fmt: skip
