"""What the network says of the chosen thing: the region it was asked for, its voxels, and its mesh at a threshold."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch
from torch import Tensor
from torchvision.ops import box_iou

from labs import mesh_losses
from models import catalog
from models.networks.detector import Detection
from models.networks.mesh_rcnn import Shapes, Stages
from pages.mesh_rcnn import shared
from scenes import THINGS
from ui.pictures import Picture

NETWORK = "mesh"
THRESHOLD = "mesh_threshold"
SAME = 0.5  # IoU from which a detection counts as the chosen thing
POINTS = 4000  # drawn on a surface for its scores
NAMES = ("voxels", "stage 1", "stage 2", "stage 3")


@dataclass(frozen=True, eq=False)
class Region:
    """A region that the network was asked for: its row in `shapes`, its class, and whether the detector itself found
    it (else the box is that of the truth)."""

    shapes: Shapes
    row: int
    label: int
    found: bool

    @property
    def name(self) -> str:
        return THINGS[self.label - 1]

    @property
    def full_box(self) -> Tensor:
        return self.shapes.full_boxes[self.row]

    @property
    def longest(self) -> float:
        """The longer side of the full box that the network says."""
        return float((self.full_box[2:] - self.full_box[:2]).max())


@st.cache_resource(max_entries=24, show_spinner=False)  # shared and only read
def looked(image: np.ndarray) -> tuple[Detection, Shapes]:
    """One look of the network: its detections and a grid of voxels for each."""
    return catalog.load(NETWORK)(image)


@st.cache_resource(max_entries=64, show_spinner=False)
def asked(image: np.ndarray, box: tuple[float, ...]) -> Shapes:
    """The grid of voxels for one more box."""
    return catalog.load(NETWORK).shapes(looked(image)[0], torch.tensor([box]), image.shape[:2])


@st.cache_resource(max_entries=256, show_spinner=False)
def refined(image: np.ndarray, box: tuple[float, ...] | None, row: int, threshold: float) -> Stages:
    """The mesh of a detection, or of one more box, at a threshold of the voxels."""
    shapes = looked(image)[1] if box is None else asked(image, box)
    return catalog.load(NETWORK).refine(shapes, row, threshold)


def region_of(picture: Picture) -> Region | None:
    """The detection of the chosen thing, or its true box where the detector missed it; in a photograph the detection
    that the network is surest of; None where there is nothing."""
    found, shapes = looked(picture.image)
    thing = shared.chosen(picture)
    if thing is None:
        return Region(shapes, 0, int(found.labels[0]), True) if len(found.boxes) else None
    label = THINGS.index(thing.label) + 1
    overlap = box_iou(torch.tensor(thing.box, dtype=torch.float32)[None], found.boxes)[0]
    overlap = torch.where(found.labels == label, overlap, 0)
    if len(overlap) and float(overlap.max()) >= SAME:
        return Region(shapes, int(overlap.argmax()), label, True)
    return Region(asked(picture.image, tuple(map(float, thing.box))), 0, label, False)


def stages_of(picture: Picture, region: Region, threshold: float) -> Stages:
    """The stages of a region's mesh."""
    box = None if region.found else tuple(region.shapes.boxes[0].tolist())
    return refined(picture.image, box, region.row, round(threshold, 2))


@st.cache_resource(max_entries=256, show_spinner=False)
def drawn(_vertices: Tensor, _faces: Tensor, which: tuple) -> tuple[Tensor, Tensor]:
    """Points on a mesh and their normals; `which` names it for the cache."""
    return mesh_losses.sample_points(_vertices, _faces, POINTS)


def key_of(picture: Picture, region: Region, *more) -> tuple:
    """A name for what belongs to a region."""
    thing = shared.chosen(picture)
    return (hash(picture.image.tobytes()), region.row, None if thing is None else thing.id, *more)


@dataclass(frozen=True, eq=False)
class Truth:
    """Points on the true solid, their normals, and the longer side of its full box."""

    points: Tensor
    normals: Tensor
    longest: float


def truth_of(picture: Picture) -> Truth | None:
    """The truth of the chosen thing as points; None in a photograph."""
    thing = shared.chosen(picture)
    if thing is None:
        return None
    truth = shared.truth_of(picture, thing, 48)
    points, normals = drawn(
        truth.mesh.vertices, truth.mesh.faces, ("truth", picture.name, repr(picture.scene), thing.id)
    )
    return Truth(points, normals, float(truth.sides[:2].max()))
