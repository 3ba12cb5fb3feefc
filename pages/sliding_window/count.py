"""How many windows a picture has: one size at every place, all sizes, and one size at every fourth pixel."""

from contextlib import ExitStack

import streamlit as st

from labs import sliding_window
from labs.sliding_window import STRIDE, WINDOW
from pages.sliding_window.shared import ORANGE, Look
from ui import page
from ui.components import Box, Boxes, following, live_slider, stage, words

MOST_CORNERS = 24  # along an axis: more would hide the picture
MOST = 1000  # pixels a side, of picture and window
BLUE = "#0072B2"
NAMES = {"H": ("Picture height H", 600), "W": ("Picture width W", 800),
         "h": ("Window height h", 28), "w": ("Window width w", 28)}  # fmt: skip


@st.fragment
@page.guard()
def counting(look: Look) -> None:
    """Sizes of picture and window, the places of the window, and the number of all boxes."""
    page.section("How many windows?", "One window has (H − h + 1)(W − w + 1) places. A box may have any size.")
    left, right = st.columns([3, 2], gap="large", vertical_alignment="center")
    with left:
        columns = [column for _ in range(2) for column in st.columns(2)]
    with ExitStack() as sliders:
        value = {}
        for (name, (label, default)), column in zip(NAMES.items(), columns, strict=True):
            with column:
                key = f"window_count_{'picture' if name in 'HW' else 'window'}_{label.split()[1]}"
                value[name] = sliders.enter_context(live_slider(label, 1, MOST, default, unit="px", key=key, window=2))
        height, width, h, w = value["H"], value["W"], value["h"], value["w"]
        with right:
            drawing(height, width, h, w)
        with left:
            words(told(height, width, h, w), "window_count_words")
    if following():
        return
    page.erratum(
        "An 800 × 600 picture has about 58 million boxes.",
        f"An 800 × 600 picture has {sliding_window.all_boxes(600, 800):,} boxes, about 58 **billion**.",
    )
    per_axis = sliding_window.windows_along(look.side, WINDOW, STRIDE)
    # One window too few along each axis, one at every fourth pixel, one at every pixel.
    options = sorted({per_axis**2, (per_axis - 1) ** 2, (look.side // 4) ** 2, (look.side - WINDOW + 1) ** 2})
    with page.predict(
        "window-count",
        f"How many windows of 28 × 28 pixels, 4 apart, has a picture of {look.side} × {look.side}?",
        [f"{option:,}" for option in options],
    ) as prediction:
        places(look, per_axis)
        prediction.outcome(
            f"{per_axis**2:,}", f"because ({look.side} − 28) / 4 + 1 = {per_axis} stand along each axis. One pixel "
            f"apart there would be {(look.side - 27) ** 2:,}.",
        )  # fmt: skip


def told(height: int, width: int, h: int, w: int) -> str:
    """Places of the window, and the sum over all sizes in numbers."""
    count = sliding_window.positions(height, width, h, w)
    product = f"({height} − {h} + 1) · ({width} − {w} + 1) = " if count else ""
    warning = "" if count else " :orange[The window is larger than the picture.]"
    down, across = (side * (side + 1) // 2 for side in (height, width))
    return (
        f"One {h} × {w} window in {height} × {width}: {product}**{count:,}** places.{warning}\n\n"
        f"All heights: {height} + {height - 1} + … + 1 = {height} · {height + 1} / 2 = {down:,}. "
        f"All widths: {width} · {width + 1} / 2 = {across:,}.\n\n"
        f"All boxes: {height} · {height + 1} / 2 · {width} · {width + 1} / 2 = "
        f"**{sliding_window.all_boxes(height, width):,}**"
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
    stage("window_count_picture", zoom=False, window=2).show(
        None, [Boxes(boxes)], size=(MOST, MOST), alt="The window in its first and its last place in the picture",
        caption="Blue: where the window's upper left corner can be. Each of these pixels is one place.",
    )  # fmt: skip


def places(look: Look, per_axis: int) -> None:
    """The upper left corners of all windows that the network looks at, on the picture."""
    corners = float(per_axis * STRIDE)
    last = float((per_axis - 1) * STRIDE)
    firsts = [float(index * STRIDE) for index in range(per_axis if per_axis <= MOST_CORNERS else 0)]
    tile = [Box(f"corner-{x:g}-{y:g}", (x, y, x + 1, y + 1), "", ORANGE, fill=0.9, width=0)
            for y in firsts for x in firsts]  # fmt: skip
    stage("window_places", zoom=False, width=360).show(
        look.image,
        [Boxes([*tile, Box("first", (0.0, 0.0, 28.0, 28.0), "first", ORANGE, width=3),
                Box("last", (last, last, last + 28, last + 28), "last", ORANGE, dash=True, width=3)])],
        alt="The first and the last window on the picture", smooth=False,
        caption=f"{per_axis} × {per_axis} windows: their upper left corners lie in the first {corners:.0f} columns and "
        "rows, one at every fourth pixel.",
    )  # fmt: skip
