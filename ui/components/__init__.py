"""The hands of the lab, sliders to films: each a folder of API, script and styles."""

from ui.components.brush import Brush, brush
from ui.components.copy_link import copy_link
from ui.components.live import following
from ui.components.live_slider import live_slider
from ui.components.matrix import Cell, Grid, Matrices, matrices
from ui.components.player import Mark, Marked, Player, Reel, player
from ui.components.section_bar import section_bar
from ui.components.solid import Solid, Solids, Touched, solids
from ui.components.stage import Box, Boxes, GridLines, Heat, Labels, Lines, Points, Spot, Stage, heat_pixels, stage
from ui.components.wire import ASSETS, resting, routes
from ui.components.words import words

__all__ = [
    "ASSETS",
    "Box",
    "Boxes",
    "Brush",
    "Cell",
    "Grid",
    "GridLines",
    "Heat",
    "Labels",
    "Lines",
    "Mark",
    "Marked",
    "Matrices",
    "Player",
    "Points",
    "Reel",
    "Solid",
    "Solids",
    "Spot",
    "Stage",
    "Touched",
    "brush",
    "copy_link",
    "following",
    "heat_pixels",
    "live_slider",
    "matrices",
    "player",
    "resting",
    "routes",
    "section_bar",
    "solids",
    "stage",
    "words",
]
