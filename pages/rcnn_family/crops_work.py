"""The work of R-CNN on a picture: region after region, kept for all visitors, so that nothing is computed twice."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock
from time import perf_counter

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from labs import nms
from labs.region_warp import PAPER_PADDING, PAPER_SIZE, WARP
from models import catalog
from models.networks.rcnn import FEATURES
from models.networks.region_svm import OVERLAP, survivors
from pages.rcnn_family.crop_pictures import crop_of
from pages.rcnn_family.shared import RCNN, Look, Run, Search, Step

NETWORK, IMAGENET = "rcnn", "efficientnet-lite0"
AT_ONCE = {NETWORK: 8, IMAGENET: 1}  # regions between two looks at the picture
SIDE = 224  # of a crop for EfficientNet-Lite0


@dataclass(eq=False)
class Work:
    """What a network has said of the first regions of a picture: `said`, for `rcnn` features (n, 1152), for
    EfficientNet-Lite0 probabilities (n, 1000). `crops` and `network` are the seconds that it took."""

    said: list[Tensor] = field(default_factory=list)
    crops: float = 0.0
    network: float = 0.0
    lock: Lock = field(default_factory=Lock)

    @property
    def done(self) -> int:
        """Regions so far."""
        return sum(map(len, self.said))


@st.cache_resource(max_entries=32, show_spinner=False)
def work_on(image: np.ndarray, mode: str, network: str) -> Work:
    """What has been done for a picture, whoever asked for it."""
    return Work()


def frames(image: np.ndarray, search: Search, network: str, work: Work, most: int) -> Iterator[int]:
    """Go through the regions that nobody has gone through yet, some at a time; gives the number that is done."""
    loaded = catalog.load(network)
    while True:
        with work.lock:  # two visitors of one picture share the work
            done = work.done
            some = search.boxes[done : min(done + AT_ONCE[network], most)]
            if not len(some):
                return
            start = perf_counter()
            crops = loaded.crops(image, some) if network == NETWORK else imagenet_crops(image, some)
            between = perf_counter()
            said = loaded.features(crops) if network == NETWORK else probabilities(loaded, crops)
            work.crops += between - start
            work.network += perf_counter() - between
            work.said.append(said)
        yield work.done


def imagenet_crops(image: np.ndarray, boxes: Tensor) -> list[np.ndarray]:
    """The regions as uint8 pictures of 224×224 pixels, warped with a border."""
    return [crop_of(image, box, PAPER_PADDING * SIDE / PAPER_SIZE, WARP, SIDE) for box in boxes]


def probabilities(loaded, crops: list[np.ndarray]) -> Tensor:
    """What EfficientNet-Lite0 says of each crop, (n, 1000)."""
    return torch.stack([loaded(crop).probabilities for crop in crops])


def run_of(look: Look) -> Run:
    """What R-CNN has found among the proposals so far, and the time of its steps; all of it once `finished`."""
    work = work_on(look.picture.image, look.mode, NETWORK)
    boxes = look.boxes
    with work.lock:
        said, crops, network, done = list(work.said), work.crops, work.network, work.done
    count = min(done, len(boxes))
    share = count / max(len(boxes), 1)
    part = count / max(done, 1)  # of the work, where more was done than is asked for now
    start = perf_counter()
    if count:
        loaded = catalog.load(NETWORK)
        margins, transforms = loaded.judge(torch.cat(said)[:count])
        found = survivors(boxes[:count], margins, transforms, look.picture.image.shape[:2])[:3]
    else:
        found = torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64), torch.zeros(0)
    steps = (
        look.search,
        Step(f"{len(boxes)} crops warped", crops * part, share),
        Step(f"network, {len(boxes)} times", network * part, share),
        Step("SVMs, boxes, NMS", perf_counter() - start if count else 0.0, 1.0),
    )
    return Run(RCNN, *found, steps)


def finished(look: Look) -> bool:
    """Whether R-CNN has gone through all proposals."""
    return work_on(look.picture.image, look.mode, NETWORK).done >= len(look.boxes)


def margins_of(look: Look) -> Tensor:
    """The margins (n, 8) of all proposals, once `finished`."""
    work = work_on(look.picture.image, look.mode, NETWORK)
    with work.lock:
        said = list(work.said)
    return catalog.load(NETWORK).judge(torch.cat([torch.zeros(0, FEATURES), *said])[: len(look.boxes)])[0]


@dataclass(frozen=True, eq=False)
class Named:
    """Regions that an ImageNet classifier is sure of, after NMS within each name, best first."""

    boxes: Tensor
    names: list[str]
    scores: Tensor


def named(look: Look, lowest: float) -> Named:
    """What EfficientNet-Lite0 says of the regions so far with at least this probability."""
    work = work_on(look.picture.image, look.mode, IMAGENET)
    with work.lock:
        said = list(work.said)
    if not said:
        return Named(torch.zeros(0, 4), [], torch.zeros(0))
    share = torch.cat(said)[: len(look.boxes)]
    scores, labels = share.max(1)
    sure = scores >= lowest
    boxes, scores, labels = look.boxes[: len(share)][sure], scores[sure], labels[sure]
    kept = nms.survivors(boxes, scores, OVERLAP, labels)
    classes = catalog.load(IMAGENET).classes
    return Named(boxes[kept], [classes[i] for i in labels[kept].tolist()], scores[kept])


def seconds_of(look: Look, network: str) -> tuple[int, float]:
    """Regions that were computed, and the seconds that all of them took."""
    work = work_on(look.picture.image, look.mode, network)
    with work.lock:
        return work.done, work.crops + work.network
