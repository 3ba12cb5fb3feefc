"""What any detector of the catalogue says of a picture, in one form, and how it is drawn."""

import inspect
from dataclasses import dataclass

import numpy as np
import streamlit as st

from models.networks.published import Objects
from scenes import JOINTS, SKELETON, THINGS
from ui.components import Box, Boxes, Labels, Lines, Points

LOWEST = 0.05  # scores below this are in no list
# Okabe and Ito's colours, one detection after the other: neighbours differ, also in their masks.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#56B4E9")
LIGHT = "#FFFFFF"
NAMED = 12  # so many boxes bear their class and score; the others say it when pointed at
NO_CLASS = ("__background__", "N/A", "no person")  # of torchvision's lists
# COCO's skeleton, by the indices of its 17 joints.
COCO_SKELETON = (
    (15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8), (7, 9), (8, 10),
    (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Found:
    """The detections of one picture, best first.

    Attributes:
        boxes (N, 4) xyxy in pixels, names, scores (N,).
        masks: uint8 (N, H, W / 8) bits, or None; `mask(i)` unpacks one. A hundred float masks would be 80 MB.
        joints (N, K, 2) in pixels and joint_scores (N, K), logits of their heat maps, or None; `joint_names` (K).
        skeleton: pairs of joints.
        size: (height, width) of the picture.
        seconds: of the forward pass. device: where it ran.
    """

    boxes: np.ndarray
    names: list[str]
    scores: np.ndarray
    masks: np.ndarray | None
    joints: np.ndarray | None
    joint_scores: np.ndarray | None
    joint_names: tuple[str, ...]
    skeleton: tuple[tuple[int, int], ...]
    size: tuple[int, int]
    seconds: float
    device: str

    def mask(self, index: int) -> np.ndarray:
        """bool (H, W)."""
        return np.unpackbits(self.masks[index], axis=-1, count=self.size[1]).astype(bool)

    def above(self, least: float) -> list[int]:
        """The detections that reach a score, best first."""
        return np.flatnonzero(self.scores >= least).tolist()


def look(network, image: np.ndarray, heads: bool = True) -> Found:
    """Run a network, once per picture; ``heads``: masks and keypoints where it has them."""
    return _look(network.name, id(network), network, image, heads)


@st.cache_resource(max_entries=32, show_spinner=False)  # shared and only read
def _look(name: str, identity: int, _network, image: np.ndarray, heads: bool) -> Found:
    has_heads = stages(_network) == 2 and "masks" in inspect.signature(_network.__call__).parameters
    options = {"masks": heads, "keypoints": heads} if has_heads else {}
    result = _network(image, **options)
    kept = (result.scores >= LOWEST).numpy()
    of_coco = isinstance(result, Objects)
    names = result.names if of_coco else [THINGS[label - 1] for label in result.labels.tolist()]
    masks, joints = (getattr(result, part, None) for part in ("masks", "keypoints"))
    masks = None if masks is None else np.packbits(masks.numpy()[kept] >= 0.5, axis=-1)
    joints = None if joints is None else joints.numpy()[kept]
    return Found(
        result.boxes.numpy()[kept],
        [each for each, some in zip(names, kept, strict=True) if some],
        result.scores.numpy()[kept],
        masks,
        None if joints is None else joints[..., :2],
        None if joints is None else result.keypoint_scores.numpy()[kept],
        _network.keypoint_names if of_coco else tuple(JOINTS),
        COCO_SKELETON if of_coco else SKELETON,
        image.shape[:2],
        result.seconds,
        result.device,
    )


def stages(network) -> int:
    """1: classes and boxes from one pass; 2: proposals first, then heads that look at each of them."""
    return 2 if hasattr(network.module, "roi_heads") else 1


def knows(network) -> str:
    """What a network was trained to find, in a sentence or two of Markdown."""
    if not hasattr(network, "classes"):
        return f"Knows **{len(THINGS)} classes**, all of Lab World ({', '.join(THINGS)}), and has seen no photograph."
    classes = [name for name in network.classes if name not in NO_CLASS]
    count = "**1 class**" if len(classes) == 1 else f"**{len(classes)} classes**"
    some = classes[0] if len(classes) == 1 else ", ".join(classes[:4]) + " …"
    joints = f", and {len(network.keypoint_names)} joints of each" if network.keypoint_names else ""
    told = f"Knows {count} of COCO’s photographs ({some}){joints}; whatever else is there, it passes over or misnames."
    metrics = network.card["metrics"]
    if "box_map" in metrics:
        told += f" Its makers measured a box AP of {metrics['box_map']:.1f} on {network.card['evaluated_on']}."
    return told


def layers_of(found: Found, chosen: list[int]) -> list:
    """Masks, boxes with class and score, and joints of persons; the best on top."""
    layers = []
    if found.masks is not None and chosen:
        painted = np.zeros(found.size, np.uint8)
        for i in reversed(chosen):
            painted[found.mask(i)] = i % len(COLOURS) + 1
        layers.append(Labels(painted, [None, *COLOURS], 0.5))
    boxes = []
    for place, i in enumerate(chosen):
        said = f"{found.names[i]} {found.scores[i]:.2f}"
        boxes.append(Box(f"found-{i}", xyxy(found.boxes[i]), said if place < NAMED else "", COLOURS[i % len(COLOURS)],
                         width=2.5, note=said))  # fmt: skip
    layers.append(Boxes(boxes[::-1]))
    if found.joints is not None:
        layers += bodies(found, [i for i in chosen if found.names[i] == "person"])
    return layers


def bodies(found: Found, persons: list[int]) -> list:
    """Limbs and joints, those of whose heat maps the network is not sure left out."""
    limbs, colours, dots, notes, of = [], [], [], [], []
    for i in persons:
        sure = found.joint_scores[i] > 0
        for a, b in found.skeleton:
            if sure[a] and sure[b]:
                limbs.append([*found.joints[i, a], *found.joints[i, b]])
                colours.append(COLOURS[i % len(COLOURS)])
        for k in np.flatnonzero(sure).tolist():
            dots.append(found.joints[i, k])
            notes.append(f"{found.joint_names[k]}: logit {found.joint_scores[i, k]:.1f}")
            of.append(LIGHT)
    if not dots:
        return []
    lines = [Lines(np.array(limbs), width=3, colours=colours)] if limbs else []
    return [*lines, Points(np.array(dots), radius=3, notes=notes, colours=of)]


def xyxy(box) -> tuple[float, float, float, float]:
    return tuple(float(value) for value in box)
