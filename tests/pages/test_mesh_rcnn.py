"""The Mesh R-CNN page: the solid of a chosen thing, what the picture hides of it, the cut, and the fit of a ball."""

import numpy as np
import pytest

from labs import inflated_solid, mesh_losses
from labs.mesh_fitting import POINTS, Fit, Weights
from pages.mesh_rcnn import fitting, shared
from pages.mesh_rcnn import truth as truth_section
from ui import pictures

PAGE = "mesh_rcnn"


def test_open(visit, sound, drawn, said):
    at = sound(visit(PAGE))
