"""Two pictures on one stage, the network's answer left, the truth right: they arrive and change together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np

from pages.home.moment import SIZE, Moment
from scenes import CLASSES, PALETTE, SKELETON
from scenes.render import View
from ui.components import Box, Boxes, Labels, Lines, Points

GAP = 8  # picture pixels between the two
RIGHT = SIZE + GAP
WIDTH = RIGHT + SIZE
ROW = 31  # picture pixels from tag to tag: on a phone they still do not touch

# Okabe and Ito's colours.
BLUE, ORANGE, GREEN, VERMILION, SKY, PURPLE, YELLOW, WHITE, GRAY = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#F0E442", "#FFFFFF", "#8A8F98",
)  # fmt: skip
CLASS_COLOURS = [PALETTE[name] for name in CLASSES]
NOBODY, WRONG = 0, 1  # of INSTANCE_COLOURS: no thing; a mask that is no thing's
INSTANCE_COLOURS = [None, VERMILION, ORANGE, SKY, GREEN, YELLOW, PURPLE, BLUE, WHITE]


@dataclass(frozen=True, eq=False)
class Answer:
    """What a panel shows: `layers` over the pair, `line` the number (for `words`), `alt` for a screen reader;
    `picture` False where the layers hide the picture anyway; `window` the square of the scene that is shown enlarged,
    x, y and side in pixels."""

    layers: list
    line: str
    alt: str
    picture: bool = True
    window: tuple[int, int, int] = (0, 0, SIZE)


@lru_cache(maxsize=32)  # one for all panels
def pictures(moment: Moment, waiting: bool = False, window: tuple[int, int, int] = (0, 0, SIZE)) -> np.ndarray:
    """The picture twice, enlarged by two, or a window of it to the same size: uint8 (448, 912, 3). While an answer is
    waited for, the left one is faint."""
    x, y, side = window
    shown = moment.view.image[y : y + side, x : x + side]
    large = cv2.resize(shown, (2 * SIZE, 2 * SIZE), interpolation=cv2.INTER_CUBIC)
    left = (large * 0.2 + 128 * 0.8).astype(np.uint8) if waiting else large
    return np.hstack([left, np.full((2 * SIZE, 2 * GAP, 3), 128, np.uint8), large])


def beside(left: Sequence, right: Sequence) -> list:
    """Boxes, points and lines in pixels of one picture: the first on the left one, the others on the right one."""
    return [*left, *(_moved(layer) for layer in right)]


def maps(left: np.ndarray, right: np.ndarray, palette: Sequence[str | None], opacity: float) -> Labels:
    """Two maps of indices (224, 224) into a palette, one on each picture."""
    gap = np.full((SIZE, GAP), 255, np.uint8)  # beyond the palette: transparent
    return Labels(np.hstack([left.astype(np.uint8), gap, right.astype(np.uint8)]), palette, opacity)


def instance_colour(index: int) -> int:
    """Index into INSTANCE_COLOURS of the thing at that place in `View.instances`."""
    return 2 + index % (len(INSTANCE_COLOURS) - 2)


def instance_map(view: View) -> np.ndarray:
    """uint8 (224, 224): the colour of the thing that every pixel belongs to."""
    values = np.full((SIZE, SIZE), NOBODY, np.uint8)
    for index, thing in enumerate(view.instances):
        values[thing.mask] = instance_colour(index)
    return values


def tags(names: Sequence[str], colours: Sequence[str]) -> Boxes:
    """Words on the picture, one below the other: boxes without extent, of which only the label is seen."""
    return Boxes(
        [
            Box(name, (4, ROW * row, 4, ROW * row), name, colour)
            for row, (name, colour) in enumerate(zip(names, colours, strict=True), start=1)
        ]
    )


def skeleton(joints: np.ndarray, drawn: np.ndarray, colours: Sequence[str]) -> list:
    """Limbs and joints of a person, as far as they are in the picture: `joints` (14, 2), `drawn` bool (14,), a colour
    for each joint."""
    drawn = drawn & ((joints >= 0) & (joints <= SIZE)).all(1)
    limbs = [(*joints[a], *joints[b]) for a, b in SKELETON if drawn[a] and drawn[b]]
    shown = np.flatnonzero(drawn)
    layers = [Lines(np.array(limbs), WHITE, 1)] if limbs else []
    if len(shown):
        layers.append(Points(joints[shown], radius=2, colours=[colours[k] for k in shown]))
    return layers


def truth_alone(key: str, view: View) -> list:
    """The right half while the network is still loading; what depends on the answer is left out."""
    nothing = np.full((SIZE, SIZE), 255, np.uint8)
    if key == "classification":
        names = sorted({thing.label for thing in view.instances})
        return beside([], [tags(names, [WHITE] * len(names))])
    if key == "semantic":
        return [maps(nothing, view.semantic, CLASS_COLOURS, 1.0)]
    if key == "detection":
        return beside([], [Boxes([Box(str(i), tuple(thing.box), "", GREEN) for i, thing in enumerate(view.instances)])])
    if key == "instances":
        return [maps(nothing, instance_map(view), INSTANCE_COLOURS, 0.75)]
    if key == "keypoints":
        people = [thing.keypoints for thing in view.instances if thing.keypoints is not None]
        return beside([], [each for k in people for each in skeleton(k[:, :2], k[:, 2] > 0, [YELLOW] * len(k))])
    return []


def window_around(people: Sequence[np.ndarray]) -> tuple[int, int, int]:
    """x, y and side of the smallest square of the scene with the joints (14, 2) of the largest of these people and some
    air around them, at least a quarter of the scene wide; the whole scene where there is nobody."""
    if not len(people):
        return 0, 0, SIZE
    joints = max((each.clip(0, SIZE) for each in people), key=lambda each: np.ptp(each, axis=0).max())
    low, high = joints.min(0), joints.max(0)
    side = int(min(max(1.3 * (high - low).max(), SIZE / 4), SIZE))
    x, y = np.clip((low + high) / 2 - side / 2, 0, SIZE - side).astype(int)
    return int(x), int(y), side


def enlarged(joints: np.ndarray, window: tuple[int, int, int]) -> np.ndarray:
    """Joints (…, 2) of the scene, in pixels of the window shown at the scene's size."""
    return (joints - window[:2]) * (SIZE / window[2])


def _moved(layer):
    if isinstance(layer, Boxes):
        x = lambda box: (box.xyxy[0] + RIGHT, box.xyxy[1], box.xyxy[2] + RIGHT, box.xyxy[3])  # noqa: E731
        return Boxes([replace(box, id=f"truth {box.id}", xyxy=x(box)) for box in layer.boxes])
    if isinstance(layer, Points):
        return replace(layer, xy=layer.xy + [RIGHT, 0])
    return replace(layer, segments=layer.segments + [RIGHT, 0, RIGHT, 0])
