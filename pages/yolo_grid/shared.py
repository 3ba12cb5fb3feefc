"""What the sections have in common: colours, the truth, the chosen cell, and what the networks say of a picture."""

import numpy as np
import streamlit as st
import torch

from labs import yolo_grid
from labs.yolo_grid import Grid
from models import catalog
from models.networks.yolo import YoloDetection
from scenes import PALETTE, THINGS
from ui import page
from ui.components import Box, Heat, address, heat_pixels

# Okabe and Ito's colours.
BLUE, ORANGE, GREEN, VERMILION, SKY, PURPLE, WHITE = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#FFFFFF",
)  # fmt: skip
COLOURS = tuple(PALETTE[name] for name in THINGS)
WRITTEN = {"cell": "S×S×(5B + C)", "anchor": "S×S×B×(5 + C)"}


@st.cache_resource(max_entries=100, show_spinner=False)  # shared and only read
def look(name: str, image: np.ndarray) -> YoloDetection:
    """Run a network once per picture; every slider works on what it said."""
    return catalog.load(name)(image)


def network_of(layout: str) -> str:
    return f"yolo-{layout}"


def cell_at(x: float, y: float, grid: Grid) -> tuple[int, int]:
    """Row and column of the cell that holds a place."""
    row, column = yolo_grid.responsible_cells(torch.tensor([[x, y, x, y]]), grid)[0].tolist()
    return row, column


def chosen_cell(views, grid: Grid, key: str, default: tuple[float, float]) -> tuple[int, int]:
    """The cell at the last click on one of the stages, kept in the address as a place; else the one at `default`."""
    for view in views:
        if view.clicked:
            address.keep(key, f"{view.click.x:.0f},{view.click.y:.0f}")
    try:
        x, y = address.numbers(key, 2) or default
    except ValueError:
        x, y = default
        page.problem(f"The link's {key} is not a place like 112,96: click on the picture instead.")
    return cell_at(x, y, grid)


def centre_of(cell: tuple[int, int], grid: Grid) -> tuple[float, float]:
    width, height = grid.pitch.tolist()
    return (cell[1] + 0.5) * width, (cell[0] + 0.5) * height


def middles(grid: Grid) -> tuple[float, float]:
    """The middles of the cells of a square grid, as `Stage.show(pick=...)` wants them."""
    pitch = float(grid.pitch[0])
    return pitch / 2, pitch


def cell_box(cell: tuple[int, int], grid: Grid, name: str, **look) -> Box:
    width, height = grid.pitch.tolist()
    row, column = cell
    return Box(name, (column * width, row * height, (column + 1) * width, (row + 1) * height), **look)


def outline(cell: tuple[int, int], grid: Grid) -> list[Box]:
    """The chosen cell, to be seen on any ground: white inside a dark rim."""
    return [
        cell_box(cell, grid, "chosen-rim", colour="#000000", width=5),
        cell_box(cell, grid, "chosen", colour=WHITE, width=2.5, note=f"row {cell[0]}, column {cell[1]}"),
    ]


def xyxy(box) -> tuple[float, float, float, float]:
    return tuple(float(value) for value in box)


def size_of(box) -> str:
    return f"{float(box[2] - box[0]):.0f}×{float(box[3] - box[1]):.0f}"


def bar(palette: str, high: float) -> None:
    """A colour bar from 0 to `high`, of the very colours that the stage paints."""
    ramp = np.linspace(0, high, 65)
    pixels = heat_pixels(Heat(ramp[None], palette, vmin=0, vmax=high, opacity=1))[0, :, :3]
    colours = ", ".join(f"rgb({r} {g} {b})" for r, g, b in pixels.tolist())
    st.html(
        f'<div role="img" aria-label="Colours from 0 to {high:.3g}" style="font-size:.875rem">'
        f'<div style="height:10px;border-radius:5px;background:linear-gradient(to right, {colours})"></div>'
        f'<div style="display:flex;justify-content:space-between"><span>0</span><span>{high:.3g}</span></div></div>'
    )


def legend() -> None:
    """The colour of every class."""
    style = "display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.3em;"
    style += "box-shadow:0 0 0 1px #8888;background:"  # an edge, as one colour is white
    swatch = f'<span style="{style}{{}}"></span>'
    items = "".join(f'<span style="white-space:nowrap;margin-right:1em">{swatch.format(colour)}{name}</span>'
                    for name, colour in zip(THINGS, COLOURS, strict=True))  # fmt: skip
    st.html(f'<div style="font-size:.875rem">{items}</div>')


def signed(value: float) -> str:
    """A number with two decimals and a true minus sign; no negative zero."""
    return f"{value + 0.0:.2f}".replace("-0.00", "0.00").replace("-", "−")


def listed(names: list[str]) -> str:
    """Names in a sentence: "dog", "dog and cat", "dog, cat and ball"."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
