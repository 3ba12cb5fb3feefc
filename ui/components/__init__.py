"""The hands of the lab: live slider, stage and number grids, each a folder of Python API, script and style sheet."""

from ui.components.live_slider import live_slider
from ui.components.matrix import Cell, Grid, Matrices, matrices
from ui.components.stage import Box, Boxes, GridLines, Heat, Labels, Lines, Points, Spot, Stage, stage
from ui.components.wire import ASSETS, resting, routes

__all__ = [
    "ASSETS",
    "Box",
    "Boxes",
    "Cell",
    "Grid",
    "GridLines",
    "Heat",
    "Labels",
    "Lines",
    "Matrices",
    "Points",
    "Spot",
    "Stage",
    "live_slider",
    "matrices",
    "resting",
    "routes",
    "stage",
]
