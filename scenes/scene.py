"""A scene as data: what stands where, in which light, drawn from a seed and a few knobs.

The frame is 224 x 224 units with y down. A pinhole camera at `camera` metres over flat ground puts a thing of height m
that stands at y on the screen at m * (y - horizon) / camera units, so near things are low, large and in front.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

import cv2
import numpy as np

from scenes import stuff, things
from scenes.classes import THINGS
from scenes.shapes import Drawing, Shape, extent

FRAME = 224.0
# Height in metres of 100 units of a thing's own frame: toy-town proportions, or a duck beside a car would be a dot.
METRES = {
    "person": 1.6, "cat": 0.9, "dog": 1.05, "duck": 0.8, "car": 1.9, "motorcycle": 1.6, "street sign": 1.9,
    "ball": 0.55, "tree": 3.2,
}  # fmt: skip
SMALLEST, LARGEST = 26.0, 150.0  # longer side of a thing in frame units
TRIES = 40


@dataclass(frozen=True)
class Knobs:
    """What a person may turn. None leaves a knob to the seed.

    Attributes:
        objects: how many things, or (fewest, most).
        classes: the classes to draw from, a subset of THINGS.
        occlusion: 0 (nothing hides anything) to 1 (crowded, most things partly hidden).
        truncation: the share of things that may stick out of the picture, 0 to 1.
        light: 0 (night), 0.5 (dusk) to 1 (day).
        fog: 0 (clear) to 1 (only the nearest things are seen).
        noise: 0 to 1, sensor noise with a standard deviation of a quarter of the intensity range at 1.
    """

    objects: int | tuple[int, int] = (2, 6)
    classes: tuple[str, ...] = THINGS
    occlusion: float = 0.35
    truncation: float = 0.15
    light: float | None = None
    fog: float | None = None
    noise: float | None = None

    def __post_init__(self):
        low, high = self.object_range
        if not 0 <= low <= high <= 40:
            raise ValueError(f"The number of objects must lie between 0 and 40, not {low} to {high}.")
        if unknown := [name for name in self.classes if name not in THINGS]:
            raise ValueError(f"Lab World has no class {unknown[0]!r}; it has {', '.join(THINGS)}.")
        for name in ("occlusion", "truncation", "light", "fog", "noise"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise ValueError(f"The knob {name} goes from 0 to 1, not {value}.")

    @property
    def object_range(self) -> tuple[int, int]:
        return (self.objects, self.objects) if isinstance(self.objects, int) else self.objects


DEFAULT_KNOBS = Knobs()


@dataclass(frozen=True)
class Placed:
    """A thing or a tree in the scene: its look, where it touches the ground, its scale and whether it is mirrored."""

    label: str
    look: dict
    x: float
    y: float
    scale: float
    flip: bool
    lift: float = 0.0  # units above the ground, for a ball in the air

    @property
    def drawing(self) -> Drawing:
        return _drawn(self.label, tuple(self.look.items()))[0]

    @cached_property
    def box(self) -> np.ndarray:
        """Full extent, xyxy in frame units, also of what is hidden or outside the picture."""
        x1, y1, x2, y2 = _drawn(self.label, tuple(self.look.items()))[1]
        if self.flip:
            x1, x2 = -x2, -x1
        return np.array([x1, y1, x2, y2]) * self.scale + [self.x, self.y - self.lift] * 2


@dataclass(frozen=True)
class Scene:
    """Everything that a picture of Lab World shows. Trees and objects are sorted from far to near."""

    seed: int
    horizon: float
    camera: float
    light: float
    fog: float
    noise: float
    backdrop: dict[str, dict] = field(default_factory=dict)  # sky, grass and, where there is any, road and water
    trees: tuple[Placed, ...] = ()
    objects: tuple[Placed, ...] = ()

    def backdrop_shapes(self) -> dict[str, tuple[Shape, ...]]:
        """The shapes of each backdrop, back to front."""
        return {
            name: _backdrop(name, tuple(look.items()), self.light if name == "sky" else self.horizon)
            for name, look in self.backdrop.items()
        }

    def ground(self, x: float, y: float) -> str:
        """The class of the ground at a point: road, water or grass."""
        for name in ("road", "water"):  # the road is painted last
            if name in self.backdrop:
                for contour in _contours(name, tuple(self.backdrop[name].items()), self.horizon):
                    if cv2.pointPolygonTest(contour, (float(x), float(y)), False) >= 0:
                        return name
        return "grass"

    def distance(self, y: float) -> float:
        """How far away, in metres for a focal length of one frame, the ground at y is."""
        return FRAME * self.camera / max(y - self.horizon, 1.0)


def sample(seed: int, knobs: Knobs = DEFAULT_KNOBS) -> Scene:
    """Draw a scene. The same seed and knobs give the same scene, and turning one knob leaves the rest in place.

    Args:
        seed: any integer ≥ 0.
        knobs: what to draw.

    Returns:
        Scene. Where a crowded picture has no room for another thing, it holds fewer than asked for.
    """
    if seed < 0:
        raise ValueError(f"A seed is a whole number from 0 on, not {seed}.")
    rng = _stream(seed, "backdrop")
    horizon, camera = rng.uniform(70, 125), rng.uniform(1.3, 2.6)
    backdrop = {"sky": stuff.sky.sample(rng), "grass": stuff.grass.sample(rng)}
    road, water = stuff.road.sample(rng), stuff.water.sample(rng)
    kind = rng.random()
    if kind > 0.45:
        backdrop["water"] = water
    if kind < 0.75:
        backdrop["road"] = road
    rng = _stream(seed, "weather")
    light = float(rng.choice([rng.uniform(0.8, 1), rng.uniform(0.4, 0.65), rng.uniform(0, 0.2)], p=[0.62, 0.2, 0.18]))
    fog = float(rng.uniform(0.05, 0.5)) if rng.random() < 0.3 else 0.0
    noise = float(rng.uniform(0, 0.12))
    scene = Scene(
        seed,
        float(horizon),
        float(camera),
        light if knobs.light is None else knobs.light,
        fog if knobs.fog is None else knobs.fog,
        noise if knobs.noise is None else knobs.noise,
        backdrop,
    )
    scene = replace(scene, trees=_plant(scene))
    low, high = knobs.object_range
    count = int(_stream(seed, "count").integers(low, high + 1)) if knobs.classes else 0
    placed: list[Placed] = []
    for index in range(count):
        thing = _place(scene, knobs, placed, index)
        if thing is not None:
            placed.append(thing)
    return replace(scene, objects=tuple(sorted(placed, key=lambda p: p.y)))


@lru_cache(maxsize=2048)  # the same things are drawn again and again while a person turns the knobs
def _drawn(label: str, look: tuple) -> tuple[Drawing, tuple[float, ...]]:
    drawing = things.MODULES[label].draw(dict(look))
    return drawing, tuple(extent(drawing.shapes).tolist())


@lru_cache(maxsize=256)
def _backdrop(name: str, look: tuple, light_or_horizon: float) -> tuple[Shape, ...]:
    return stuff.MODULES[name].draw(dict(look), light_or_horizon)


@lru_cache(maxsize=256)
def _contours(name: str, look: tuple, horizon: float) -> tuple[np.ndarray, ...]:
    return tuple(s.points().astype(np.float32) for s in _backdrop(name, look, horizon) if s.silhouette)


def _stream(seed: int, name: str, index: int = 0) -> np.random.Generator:
    # A stream of its own for every decision: turning one knob must not reshuffle what the others decided.
    return np.random.default_rng([seed, index, *name.encode()])


def _plant(scene: Scene) -> tuple[Placed, ...]:
    rng = _stream(scene.seed, "trees")
    trees = []
    for _ in range(int(rng.integers(0, 6))):
        y = scene.horizon + 4 + 36 * rng.random() ** 1.5
        x = rng.uniform(-5, FRAME + 5)
        scale = METRES["tree"] * (y - scene.horizon + 12) / scene.camera / 100 * rng.uniform(0.7, 1.2)
        tree = Placed("tree", things.tree.sample(rng), float(x), float(y), float(scale), bool(rng.random() < 0.5))
        if scene.ground(x, y) == "grass":
            trees.append(tree)
    return tuple(sorted(trees, key=lambda p: p.y))


def _place(scene: Scene, knobs: Knobs, placed: list[Placed], index: int) -> Placed | None:
    rng = _stream(scene.seed, "object", index)
    label = knobs.classes[int(rng.random() * len(knobs.classes))]
    look = things.MODULES[label].sample(rng)
    flip = bool(rng.random() < 0.5) and label != "street sign"  # nobody puts up a mirrored stop sign
    base = Placed(label, look, 0.0, 0.0, 1.0, flip)
    x1, y1, x2, y2 = base.box
    side = max(x2 - x1, y2 - y1)
    allowed = 0.04 + 0.7 * knobs.occlusion
    crowd = rng.random() < knobs.occlusion
    cut = rng.random() < knobs.truncation
    preferred = {"duck": "water", "car": "road", "motorcycle": "road"}.get(label)
    choosy = preferred in scene.backdrop and rng.random() < 0.75
    best, least = None, 0.8
    for attempt in range(TRIES):
        size = np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST)))
        scale = size / side
        y = scene.horizon + scale * 100 * scene.camera / METRES[label]
        if y > FRAME - 2:
            y = rng.uniform(max(scene.horizon + 40, 170), FRAME - 2)
            scale = METRES[label] * (y - scene.horizon) / scene.camera / 100
        if y - scene.horizon < 5 or not 0.9 * SMALLEST <= scale * side <= 1.15 * LARGEST:
            continue
        half = (x2 - x1) * scale / 2
        margin = -half * rng.uniform(0, 0.6) if cut else half + 1
        x = rng.uniform(margin, max(FRAME - margin, margin + 1))
        if crowd and placed:
            other = placed[int(rng.integers(len(placed)))]
            x = other.x + rng.normal() * (other.box[2] - other.box[0]) * 0.5
        where = scene.ground(x, y)
        if where == "water" and label != "duck":
            continue
        if choosy and where != preferred and attempt < TRIES * 3 // 4:
            continue
        lift = rng.uniform(0.2, 1.2) * scale * 100 if label == "ball" and rng.random() < 0.15 else 0.0
        thing = replace(base, x=float(x), y=float(y), scale=float(scale), lift=float(lift))
        if label == "duck":
            thing = _afloat(thing, where == "water")
        if not cut and (thing.box[:2].min() < 0 or thing.box[2:].max() > FRAME):
            continue
        hidden = _worst_overlap(thing, [*scene.trees, *placed])
        if hidden <= allowed:
            return thing
        if hidden < least:
            best, least = thing, hidden
    return best


def _afloat(duck: Placed, on_water: bool) -> Placed:
    if on_water == (duck.look["pose"] == "swimming"):
        return duck
    return replace(duck, look=duck.look | {"pose": "swimming" if on_water else "standing"})


def _worst_overlap(thing: Placed, others: Sequence[Placed]) -> float:
    """The largest share of a box in the picture, this one's or another's, that a nearer box covers."""
    worst, a = 0.0, np.clip(thing.box, 0, FRAME)
    area = np.prod(np.maximum(a[2:] - a[:2], 0))
    if area < 0.35 * np.prod(thing.box[2:] - thing.box[:2]):
        return 1.0  # mostly outside the picture
    for other in others:
        b = np.clip(other.box, 0, FRAME)
        common = np.prod(np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0))
        if other.y > thing.y:
            worst = max(worst, common / max(area, 1e-9))
        elif other.label != "tree":
            worst = max(worst, common / max(np.prod(b[2:] - b[:2]), 1e-9))
    return float(worst)
