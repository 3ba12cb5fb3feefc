"""The grid on the picture, and the K anchors of one of its positions."""

from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import anchors
from pages.anchors.shared import BLUE, ORANGE, SKY, STRIDES, size_of, xyxy
from ui import page
from ui.components import Box, Boxes, GridLines, Points, address, following, live_slider, stage, words
from ui.pictures import Picture

PRESETS = {
    "One anchor": (64, 1, 1.0),
    "K = 6": (32, 2, 2.0),
    "K = 9": (32, 3, 2.0),
}
LOOKS = {"wide": ORANGE, "square": BLUE, "tall": SKY}
WHERE = {
    "torchvision": "The squares are the cells; the anchors stand on their upper left corners, so none stands on the "
    "right and lower edge of the picture.",
    "centred": "The squares are the cells; the anchors stand in their middles.",
}


@dataclass(frozen=True, eq=False)
class Layout:
    """One live choice of anchors: `base` (K, 4), `boxes` (rows · columns · K, 4), `exact` (K, 4) before rounding."""

    stride: int
    sizes: tuple[int, ...]
    ratios: tuple[float, ...]
    convention: str
    rows: int
    columns: int
    base: Tensor
    exact: Tensor
    places: Tensor
    boxes: Tensor


def use_preset(name: str) -> None:
    keys = ("anchors_smallest", "anchors_sizes", "anchors_ratio")
    st.session_state.update(zip(keys, PRESETS[name], strict=True))


def controls(sliders: ExitStack, height: int, width: int) -> Layout:
    """The sliders, acknowledged when `sliders` closes, and what they mean."""
    slide = lambda *args, **settings: sliders.enter_context(live_slider(*args, **settings))  # noqa: E731
    with st.container(horizontal=True):
        for name in PRESETS:
            st.button(name, key=f"anchors_preset_{name}", on_click=use_preset, args=(name,))
    stride = slide("Stride", options=STRIDES, value=16, key="anchors_stride", unit="px",
                   help="Distance of two neighbours on the feature map, in pixels of the picture.")  # fmt: skip
    smallest = slide("Smallest size", 8, 128, 32, step=4, key="anchors_smallest", unit="px",
                     help="Side of the square with the area of the anchor.")  # fmt: skip
    count = slide("Sizes, each twice the last", 1, 4, 3, key="anchors_sizes")
    ratio = slide("Largest ratio", 1.0, 4.0, 2.0, step=0.1, key="anchors_ratio", format="%.1f",
                  help="Ratios, height over width: 1 over this, 1, this. At 1 all anchors are squares.")  # fmt: skip
    convention = st.segmented_control(
        "Convention", anchors.CONVENTIONS, default="torchvision", required=True, key="anchors_convention",
        bind="query-params", help="torchvision centres anchors on the upper left corner of a cell and rounds their "
        "corners to whole pixels; centred uses the middle of the cell and exact sides.",
    )  # fmt: skip
    sizes = tuple(smallest * 2**i for i in range(count))
    ratios = (1.0,) if ratio == 1 else (1 / ratio, 1.0, ratio)
    rows, columns = anchors.feature_size(height, width, stride)
    base = anchors.base_anchors(sizes, ratios, convention)
    places = anchors.centres(rows, columns, stride, convention)
    boxes = anchors.grid_anchors(base, rows, columns, stride, convention)
    exact = anchors.base_anchors(sizes, ratios, "centred")
    return Layout(stride, sizes, ratios, convention, rows, columns, base, exact, places, boxes)


def chosen_place(view, layout: Layout, height: int, width: int) -> int:
    """Index of the position nearest to the last click (kept in the address), else to the middle of the picture."""
    if view.clicked:
        address.keep("anchors_at", f"{view.click.x:.0f},{view.click.y:.0f}")
    at = [width / 2, height / 2]
    try:
        x, y = address.numbers("anchors_at", 2) or at
        at = [min(max(x, 0.0), width), min(max(y, 0.0), height)]
    except ValueError:
        page.problem("The link's anchors_at is not a position like 112,96: click on the picture instead.")
    return int((layout.places - torch.tensor(at)).square().sum(1).argmin())


def shape_name(box) -> str:
    tall = float((box[3] - box[1]) / (box[2] - box[0]))
    return "square" if 0.99 < tall < 1.01 else "tall" if tall > 1 else "wide"


def positions(picture: Picture, layout: Layout) -> None:
    height, width = picture.image.shape[:2]
    view = stage("anchors_grid", width=620)
    place, k = chosen_place(view, layout, height, width), len(layout.base)
    row, column = divmod(place, layout.columns)
    own = layout.boxes[place * k : place * k + k]
    boxes = []
    for i, box in enumerate(own):
        ratio, size = divmod(i, len(layout.sizes))
        look = shape_name(layout.exact[i])
        note = f"size {layout.sizes[size]}, ratio {layout.ratios[ratio]:.3g}: {size_of(box)} px"
        boxes.append(Box(f"anchor-{i}", xyxy(box), colour=LOOKS[look], width=2.5, note=note))
    boxes.sort(key=lambda box: (box.xyxy[0] - box.xyxy[2]) * (box.xyxy[3] - box.xyxy[1]))
    top = min(range(k), key=lambda i: boxes[i].xyxy[1])  # above it is no other, so its tag lies on no line
    boxes[top] = replace(boxes[top], label=f"row {row}, column {column}")
    layers = [
        GridLines(stride=layout.stride, colour="#FFFFFF66", width=0.75),
        Points(layout.places.numpy(), colour="#FFFFFFAA", radius=1.2 if layout.stride < 16 else 2.2),
        Boxes(boxes),
        Points(layout.places[place : place + 1].numpy(), colour="#D55E00", radius=6, ids=["chosen"]),
    ]  # fmt: skip
    view.show(
        picture.image, layers, pick=(float(layout.places[0, 0]), layout.stride),
        alt=f"{layout.rows} by {layout.columns} positions, the {k} anchors of one of them",
        caption="Click anywhere: the nearest position shows its anchors. Orange wide, blue square, light blue tall. "
        + WHERE[layout.convention],
    )  # fmt: skip


def summary(picture: Picture, layout: Layout) -> None:
    """What the choice amounts to, in numbers."""
    height, width = picture.image.shape[:2]
    limits = torch.tensor([width, height])
    outside = ((layout.boxes[:, :2] < 0) | (layout.boxes[:, 2:] > limits)).any(1)
    k, total = len(layout.base), len(layout.boxes)
    words(
        f"{layout.rows} × {layout.columns} positions × **K = {k}** = **{total:,} anchors**. "
        f"{int(outside.sum()):,} of them reach beyond the picture; nothing is clipped before the transform is applied. "
        "In training, the Faster R-CNN paper leaves such anchors out (section 3.3); torchvision, and the labels below, "
        "keep them.",
        "anchors_summary",
    )
    if following():
        return
    head = "| height : width | " + " | ".join(f"size {size}" for size in layout.sizes) + " |"
    lines = [head, "|---" * (len(layout.sizes) + 1) + "|"]
    table = layout.base.reshape(len(layout.ratios), len(layout.sizes), 4)
    for ratio, row in zip(layout.ratios, table, strict=True):
        lines.append(f"| {ratio:.3g} | " + " | ".join(size_of(box) for box in row) + " |")
    st.markdown("\n".join(lines))
    if layout.convention == "torchvision":
        off = float((layout.base - layout.exact).abs().max())
        st.caption(f"Width×height in pixels. torchvision's rounding moves a corner by up to {off:.2f} px here.")
    else:
        st.caption("Width×height in pixels, shown rounded; the anchors themselves are exact.")


def strides(layout: Layout, height: int, width: int) -> None:
    """How the number of anchors grows as the positions move together."""
    if following():
        return
    k, total = len(layout.base), len(layout.boxes)
    count = lambda stride: int(np.prod(anchors.feature_size(height, width, stride))) * k  # noqa: E731
    times = round(count(max(layout.stride // 2, 1)) / total)
    with page.predict(
        "anchors_total", f"{total:,} anchors at stride {layout.stride} px. How many with half the stride?",
        [f"{n} times as many" for n in sorted({2, 3, 4, 8, times})],
    ) as prediction:  # fmt: skip
        lines = ["| stride | positions | anchors |", "|---:|---:|---:|"]
        for stride in sorted({layout.stride // 2, *STRIDES}):
            rows, columns = anchors.feature_size(height, width, stride)
            lines.append(f"| {stride} px | {rows} × {columns} | {count(stride):,} |")
        st.markdown("\n".join(lines))
        prediction.outcome(
            f"{times} times as many", f"because rows and columns both double, with the same K = {k} at each position: "
            f"{count(layout.stride // 2):,}."
        )  # fmt: skip
