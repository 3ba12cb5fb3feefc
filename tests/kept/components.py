"""What the browser is sent for each kind of drawing: stage layers, number grids and figures, one small example each."""

import base64
import json
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from streamlit.testing.v1 import AppTest

from ui import figures
from ui.components import Box, Boxes, Grid, GridLines, Heat, Labels, Lines, Points, matrices, stage
from ui.components.stage.wire_format import PALETTES

PASSING = ("mount", "server", "sequence", "live", "version")  # of a run, a visitor, a library: no drawing
PICTURE = np.arange(36, dtype=np.uint8).reshape(3, 4, 3) * 7
RAMP = np.array([[0, 0.25, 0.5], [0.75, 1, np.nan]])


def stage_picture() -> None:
    stage("kept").show(PICTURE, alt="A picture", caption="Twelve pixels", smooth=False, pick=(0.5, 1))


def stage_boxes() -> None:
    fixed = Box("truth", (1, 2, 30.12345, 40), label="cat", dash=True, width=3, fill=0.25, note="the truth")
    view = stage("kept", [Box("guess", (5, 6, 20, 30), colour="#D55E00", editable=True)], drawable=True, width=200)
    view.show(size=(64, 48), layers=[Boxes([fixed, *view.boxes])])


def stage_heat() -> None:
    palettes = [Heat(RAMP, palette) for palette in (*PALETTES, "gray", "diverging")]
    placed = Heat(RAMP, "gray", vmin=0.25, vmax=0.75, opacity=0.9, smooth=False, xyxy=(8, 8, 24, 16.5))
    stage("kept").show(size=(64, 48), layers=[*palettes, placed])


def stage_labels() -> None:
    values = np.array([[0, 1, 2], [2, 1, 7]])
    stage("kept").show(size=(64, 48), layers=[Labels(values, ["#9fd3f2", None, "#d55e00"], opacity=0.7)])


def stage_points() -> None:
    xy = np.array([[1, 2], [30.5, 40.25]])
    named = Points(
        xy, radius=3, labels=["neck", "knee"], notes=["seen", "hidden"], colours=["#000000", "#ffffff"], ids=["n", "k"]
    )
    stage("kept", hover=True).show(size=(64, 48), layers=[Points(xy), named])


def stage_lines() -> None:
    segments = np.array([[0, 0, 10, 10.5], [5, 5, 60, 40]])
    arrows = Lines(segments, width=1.5, dash=True, arrow=True, colours=["#000000", "#ffffff"])
    stage("kept").show(size=(64, 48), layers=[Lines(segments), arrows])


def stage_grid_lines() -> None:
    strides = GridLines(stride=16, offset=(8, 4), colour="#0072B2", width=2)
    stage("kept", zoom=False).show(size=(64, 48), layers=[GridLines(rows=3, cols=4), strides])


def matrix() -> None:
    grids = matrices("kept", {"input": np.array([[1, -2], [0.5, 1 / 3]])}, integer=False, minimum=-9, maximum=9)
    output = np.array([[4, np.nan, 0]])
    grids.show(
        [
            Grid("input", grids["input"], title="X", editable=True, rows=["a", "b"], columns=["c", "d"], format="%.2f"),
            "→",
            Grid("output", output, colour="sequential", vmin=0, vmax=8, text=[["y", None, ""]], cell=30),
            Grid("classes", output, colour=[["#9fd3f2", None, "#d55e00"]]),
        ],
        links={("output", 0, 0): [("input", 0, 0, 2.0), ("input", 1, 1, -0.5)]},
        explain={("output", 0, 2): "nothing lands here"},
        highlight={("input", 0, 1): -1.0},
        caption="Point at an output.",
        sums=False,
    )


def figure_lines() -> None:
    traces = [{"type": "scatter", "name": "loss", "x": [0, 1, 2], "y": np.array([1.0, 0.5, 0.25])}]
    figures.show(figures.go.Figure(traces, {"title": "Loss"}), "kept", height=240)


def figure_points() -> None:
    traces = [{"type": "scatter", "mode": "markers", "x": [0.2, 0.4], "y": [1, 0.5], "customdata": [[7], [8]]}]
    figures.show(figures.go.Figure(traces), "kept", alt="Precision against recall", points=True)


def figure_bars() -> None:
    traces = [{"type": "bar", "x": ["conv1", "conv2"], "y": [3, 4]}]
    figures.show(figures.go.Figure(traces, {"xaxis": {"title": "layer"}}), "kept")


def figure_heat_map() -> None:
    traces = [{"type": "heatmap", "z": np.array([[1, 0], [2, 3]]), "x": ["cat", "dog"], "y": ["cat", "dog"]}]
    figures.show(figures.go.Figure(traces, {"height": 480}), "kept")


EXAMPLES: dict[str, Callable[[], None]] = {
    each.__name__: each
    for each in (
        stage_picture, stage_boxes, stage_heat, stage_labels, stage_points, stage_lines, stage_grid_lines,
        matrix, figure_lines, figure_points, figure_bars, figure_heat_map,
    )
}  # fmt: skip


def sent(name: str) -> dict[str, Any]:
    """What a new visitor's browser is sent for an example, with its rasters opened: rows of pixels, "#rrggbbaa"."""

    def script(name: str) -> None:
        from tests.kept.components import EXAMPLES

        EXAMPLES[name]()

    test = AppTest.from_function(script, args=(name,), default_timeout=60).run()
    if test.exception:
        raise RuntimeError(test.exception[0].message)
    (mounted,) = test.get("bidi_component")
    data = {key: value for key, value in json.loads(mounted.proto.json)[0].items() if key not in PASSING}
    if "rasters" in data:
        data["rasters"] = {name: _opened(address) for name, address in data["rasters"].items()}
    if "figure" in data:
        data["figure"] = json.loads(data["figure"])
    return data


def _opened(address: str) -> dict[str, Any]:
    """A raster's kind and pixels: another encoder may write other bytes, but the same is seen."""
    kind, data = address.removeprefix("data:").split(";base64,")
    pixels = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_UNCHANGED)
    pixels = cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB)
    return {"kind": kind, "pixels": [["#" + bytes(pixel).hex() for pixel in row] for row in pixels]}
