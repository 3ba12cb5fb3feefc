"""What the windows on every level of a pyramid say of a picture, once for all visitors; thresholds and NMS ask it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import image_pyramid, nms
from labs.boxes import iou_matrix
from labs.image_pyramid import Candidates, Sliding
from labs.sliding_window import CLASSES, STRIDE, WINDOW
from models import catalog
from models.networks.window import to_tensor
from scenes import THINGS
from ui.pictures import Picture

CLASSIFIER, WIDE, LOCALIZER = "window-classifier", "window-classifier-wide", "window-localizer"
HOW = Sliding(WINDOW, STRIDE)
LABELS = tuple(THINGS.index(name) + 1 for name in CLASSES[:-1])  # as in the truth: 0 is background
MOST = 400  # candidates of a picture that go into NMS, the surest
BLUE, ORANGE, GREEN, VERMILION, SKY, PURPLE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7"


@dataclass(frozen=True, eq=False)
class Truth:
    """The things of a scene that the windows know: `boxes` float32 (G, 4), `labels` int64 (G,) into CLASSES."""

    boxes: Tensor
    labels: Tensor


def network_of(name: str) -> Callable[[Tensor], Tensor]:
    """Pictures (N, 3, H, W) in 0 to 1 on the CPU to maps (N, C, rows, columns) on the CPU."""
    loaded = catalog.load(name)
    return lambda pictures: loaded.module(pictures.to(loaded.device)).float().cpu()


def search(name: str, image: np.ndarray, size: tuple[int, int], number: int, stride: int) -> Candidates:
    """All windows on the copy of the picture of this (height, width), level `number` of a pyramid."""
    with torch.inference_mode():
        level = image_pyramid.pyramid(image, [size])[0]
        maps = image_pyramid.at_stride(network_of(name), to_tensor(level), HOW, stride)
        how = Sliding(HOW.window, stride)
        return image_pyramid.candidates(maps, len(CLASSES), how, size, image.shape[:2], number)


@st.cache_resource(max_entries=512, show_spinner=False)  # shared and only read
def candidates_on(name: str, image: np.ndarray, size: tuple[int, int], number: int, stride: int) -> Candidates:
    """What `search` finds, once per picture."""
    return search(name, image, size, number, stride)


def sure(found: Candidates, threshold: float) -> Candidates:
    """Those whose score reaches the threshold, surest first."""
    some = found.subset(found.scores >= threshold)
    return some.subset(some.scores.argsort(descending=True, stable=True))


def suppressed(found: Candidates, threshold: float) -> Candidates:
    """What NMS leaves of the surest candidates, class by class, best first."""
    few = found.subset(slice(MOST))
    return few.subset(nms.survivors(few.boxes, few.scores, threshold, few.labels))


def truth_of(picture: Picture) -> Truth | None:
    """None for a picture without a known truth."""
    if picture.view is None:
        return None
    things = [thing for thing in picture.view.instances if thing.label in CLASSES]
    boxes = torch.tensor(np.array([thing.box for thing in things]), dtype=torch.float32).reshape(-1, 4)
    return Truth(boxes, torch.tensor([CLASSES.index(thing.label) for thing in things], dtype=torch.int64))


def fits(boxes: Tensor, labels: Tensor, truth: Truth) -> Tensor:
    """(N,) IoU of each box with the thing of its class that it overlaps best; 0 where the scene has none."""
    if not len(boxes) or not len(truth.boxes):
        return torch.zeros(len(boxes))
    same = labels[:, None] == truth.labels[None]
    return torch.where(same, iou_matrix(boxes, truth.boxes), 0.0).max(1).values


def xyxy(box: Tensor) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = box.tolist()
    return x1, y1, x2, y2
