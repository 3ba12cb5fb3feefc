"""What the sections on photographs have in common: a network's look at a picture, classes by name, boxes by hand."""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from torch import Tensor

from labs import weak_localization as wl
from models import catalog
from models.inside import photograph_attribution
from models.inside.attribution import enlarged
from models.inside.photograph_attribution import Explained, Head
from models.networks.published import PretrainedClassifier, TopClasses
from pages.class_activation.shared import xyxy
from pages.shared.heat_maps import SIGNED, WHITE
from ui.components import Box, Heat
from ui.pictures import Picture

FINER = 16  # so many values a cell, bilinear; the stage smooths the rest


@st.cache_resource(max_entries=48, show_spinner=False)  # shared and only read
def classified(name: str, identity: int, _network: PretrainedClassifier, image: np.ndarray) -> TopClasses:
    """The forward pass of a network on a picture."""
    return _network(image)


@st.cache_resource(max_entries=96, show_spinner=False)
def explained(name: str, identity: int, _network: PretrainedClassifier, image: np.ndarray, target: int) -> Explained:
    """Forward and backward pass for one class."""
    return photograph_attribution.explain(_network, image, target)


@st.cache_data(show_spinner=False)
def head(name: str) -> Head:
    return photograph_attribution.head_of(catalog.pretrained(name).blank(name).eval())


@dataclass(frozen=True, eq=False)
class Asked:
    """One network asked about two classes, `target` and `other`, of one picture; `seen` is what it said of all."""

    picture: Picture
    network: PretrainedClassifier
    seen: TopClasses
    target: int
    other: int

    @property
    def name(self) -> str:
        return self.network.classes[self.target]

    @property
    def side(self) -> int:
        """Pixels of the square picture."""
        return self.picture.image.shape[0]

    def explain(self, target: int) -> Explained:
        return explained(self.network.name, id(self.network), self.network, self.picture.image, target)

    def boxes(self, target: int) -> list[tuple[float, float, float, float]]:
        """Boxes drawn by hand around things that this class names, xyxy in pixels of the picture."""
        name = self.network.classes[target]
        return [thing.box for thing in self.picture.things if name in thing.names]

    def on_picture(self, heat: Tensor) -> Tensor:
        """A coarse map as it lies over the picture, bilinear; its least value where the network is not shown any."""
        x1, y1, x2, y2 = (round(v) for v in self.network.window(*self.picture.image.shape[:2]))
        whole = heat.new_full((self.side, self.side), float(heat.min()))
        whole[y1:y2, x1:x2] = enlarged(heat.float(), (y2 - y1, x2 - x1))
        return whole

    def layer(self, heat: Tensor, limit: float, opacity: float = 0.7) -> Heat:
        """A signed map over the part of the picture that it covers."""
        values = enlarged(heat.float(), (heat.shape[0] * FINER, heat.shape[1] * FINER))
        window = self.network.window(*self.picture.image.shape[:2])
        return Heat(values.numpy(), SIGNED, -limit, limit, opacity=opacity, xyxy=window)

    def over_window(self, layer: Heat) -> Heat:
        """A layer of the whole picture, moved to the part that the network is shown."""
        return replace(layer, xyxy=self.network.window(*self.picture.image.shape[:2]))


def drawn(boxes: list[tuple[float, float, float, float]], name: str = "by hand") -> list[Box]:
    return [Box(f"hand-{i}", xyxy(box), name, WHITE, width=3) for i, box in enumerate(boxes)]


def inside(boxes: list[tuple[float, float, float, float]], side: int) -> NDArray[np.bool_]:
    """The pixels of a picture that lie in one of the boxes, (side, side)."""
    mask = np.zeros((side, side), bool)
    for x1, y1, x2, y2 in boxes:
        mask[round(y1) : round(y2), round(x1) : round(x2)] = True
    return mask


def overlap(box: Tensor | None, boxes: list[tuple[float, float, float, float]]) -> float:
    """IoU of a box with the one drawn by hand that it meets best."""
    return max(wl.box_overlap(box, true) for true in boxes)


def best_of(names: tuple[str, ...], seen: TopClasses) -> int:
    """Of the classes that name a thing, the most probable one."""
    return max((seen.classes.index(name) for name in names), key=lambda label: float(seen.logits[label]))


def unique(classes: tuple[str, ...]) -> list[str]:
    """Names that the address can hold: ImageNet has two cranes, the bird and the machine."""
    twice = {name for name, count in Counter(classes).items() if count > 1}
    return [f"{name} ({index})" if name in twice else name for index, name in enumerate(classes)]
