"""One boundary, enlarged: what each decoder makes of the same few pixels."""

import cv2
import numpy as np
import streamlit as st

import scenes
from labs import segmentation_metrics
from ui import page
from ui.components import Labels, address, stage, words

PALETTE = [scenes.PALETTE[name] for name in scenes.CLASSES]
SIDE = 40  # pixels
AT = "scene_at"
PIXELS = (0.5, 1.0)  # where a click has a meaning: the middles of the pixels


def take_click(view, width: int) -> None:
    """A click on the picture, or on the truth `width` pixels to its right, chooses the middle of what is enlarged."""
    if view.clicked:
        address.keep(AT, f"{int(view.click.x) % width},{int(view.click.y)}")


def enlarged(image: np.ndarray, truth: np.ndarray, found: dict[str, np.ndarray]) -> None:
    """A window of picture, truth, and every network's classes there (`found`, by name), with its wrong pixels."""
    left, top = window(truth)
    cut = np.s_[top : top + SIDE, left : left + SIDE]
    st.markdown(f"**One boundary, {SIDE} × {SIDE} pixels.** Click on the picture or the truth above for another.")
    panels = [panel for _ in range(2) for panel in st.columns(4)]
    shown = {"picture": None, "truth": truth} | found
    for panel, (name, labels) in zip(panels, shown.items(), strict=False):
        with panel:
            wrong = f" · **{int((labels != truth)[cut].sum())}** wrong" if name in found else ""
            words(f"**{name}**{wrong}", f"scene_cut_{name}_said")
            stage(f"scene_cut_{name}", zoom=False).show(
                np.ascontiguousarray(image[cut]) if labels is None else None,
                [] if labels is None else [Labels(labels[cut], PALETTE, 1.0)],
                size=(SIDE, SIDE), smooth=False, alt=f"{SIDE} by {SIDE} pixels, enlarged: {name}",
            )  # fmt: skip


def window(truth: np.ndarray) -> tuple[int, int]:
    """Left and top of what is enlarged: around the place in the address, else where most boundary pixels lie."""
    height, width = truth.shape
    try:
        place = address.numbers(AT, 2, int)
    except ValueError:
        place = None
        page.problem(f"The link's {AT} is not a pixel like 112,96: click on the picture instead.")
    if place is not None:
        x, y = (part - SIDE // 2 for part in place)
        return min(max(x, 0), width - SIDE), min(max(y, 0), height - SIDE)
    lines = segmentation_metrics.boundaries(truth).astype(np.float32)
    inside = cv2.boxFilter(lines, -1, (SIDE, SIDE), anchor=(0, 0), normalize=False)[: -SIDE + 1, : -SIDE + 1]
    top, left = np.unravel_index(int(inside.argmax()), inside.shape)
    return int(left), int(top)
