"""Lab World in motion: persons walk, dogs run, cars and motorcycles drive, and the truth has a track for each.

    passing = film(seed=7, knobs=FilmKnobs(people=3), seconds=8)
    passing.frame(40), passing.truth(40)

Everything moves in a straight line over the ground, seen through the pinhole camera of `scenes.scene`: what stands X
metres to the right at Z metres is drawn at x = 112 + 224 X / Z, y = horizon + 224 camera / Z.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from scenes import stuff, things
from scenes.motion import moving, painting
from scenes.motion.moving import Moving
from scenes.motion.wide_backdrop import Panned
from scenes.scene import FRAME, METRES, Knobs, _plant, _stream, sample

RATE = 25  # frames a second
SWAY = painting.SWAY  # how far to each side the camera pans, units of the frame
PAN_SPEED = 60.0  # units a second at the fastest moment of a pan of 1
HALF_WIDTH = {"person": 30.0, "dog": 80.0, "car": 90.0, "motorcycle": 85.0}  # at most, units of a thing's own frame
MOST = {"people": 12, "vehicles": 6, "dogs": 6}


@dataclass(frozen=True)
class FilmKnobs:
    """What a person may turn. None leaves a knob to the seed.

    Attributes:
        people, vehicles, dogs: how many are on their way at a time; up to a third of them has not come into the
            picture yet, or has left it. At most 12, 6 and 6.
        light, fog, noise: as in `scenes.Knobs`; the noise is new in every frame.
        pan: 0 (the camera stands still) to 1 (it swings by 32 units to each side, 60 units a second at its fastest).
    """

    people: int = 4
    vehicles: int = 2
    dogs: int = 1
    light: float | None = None
    noise: float | None = None
    fog: float | None = None
    pan: float = 0.0

    def __post_init__(self):
        for name, most in MOST.items():
            if not 0 <= getattr(self, name) <= most:
                raise ValueError(f"A film has 0 to {most} {name} at a time, not {getattr(self, name)}.")
        if not 0 <= self.pan <= 1:
            raise ValueError(f"The knob pan goes from 0 to 1, not {self.pan}.")
        self.weather()

    def weather(self) -> Knobs:
        return Knobs(objects=0, light=self.light, noise=self.noise, fog=self.fog)


DEFAULT_KNOBS = FilmKnobs()


@dataclass(frozen=True, eq=False)
class Passer:
    """The truth about one thing in one frame: `track`, the same for the whole film; class `label`; `box` float array
    (4,), xyxy in pixels around its visible pixels; `visible` pixels over all its pixels in the picture, 0 to 1."""

    track: int
    label: str
    box: np.ndarray
    visible: float


@dataclass(frozen=True)
class _Passage:
    """One thing's way: frames `start` to `start + frames` - 1, over the ground in a straight line from (x, z) metres.

    Where it keeps its distance, `stride` whole units take it `beat` frames, and what is drawn repeats with them.
    """

    label: str
    look: dict
    start: int
    frames: int
    x: float
    z: float
    vx: float  # metres a frame
    vz: float
    stride: int = 0
    beat: int = 1

    def at(self, frame: int, scene: Panned) -> Moving:
        since = frame - self.start
        z = self.z + self.vz * since
        x, scale = FRAME / 2 + FRAME * self.x / z, round(METRES[self.label] * FRAME / z / 100, 5)
        if self.vz:
            x = FRAME / 2 + FRAME * (self.x + self.vx * since) / z
            went = abs(self.vx) * since / METRES[self.label] * 100
        else:
            far = self.stride * (since // self.beat) + _eighth(self.stride * (since % self.beat) / self.beat)
            x, went = _eighth(x) + (far if self.vx > 0 else -far), far / scale
        phases = moving.PHASES[self.label]
        phase = int(went / self.cycle * phases) % phases
        if self.beat > 1:
            phase, phases = since % self.beat, self.beat
        y = _eighth(scene.horizon + FRAME * scene.camera / z)
        return Moving(self.label, self.look, _eighth(x) + scene.shift, y, scale, self.vx < 0, 0.0, phase, phases)

    @cached_property
    def cycle(self) -> float:
        """In units of its own frame."""
        return moving.cycle(self.label, self.look)


def _eighth(units: float) -> float:
    return round(units * 8) / 8


class Film:
    """A film of Lab World: a plan that is painted frame by frame, in any order. `len` is its number of frames."""

    rate = RATE

    def __init__(self, seed: int, knobs: FilmKnobs, seconds: float):
        self.seed, self.knobs, self.seconds = seed, knobs, seconds
        self._still = _street(seed, knobs)
        self._passages = _traffic(self._still, knobs, len(self))

    def __len__(self) -> int:
        return round(self.seconds * RATE)

    def scene(self, index: int) -> Panned:
        """The scene of a frame, 0 to len - 1, which `scenes.render` paints. Its objects go from far to near."""
        return self._scene_and_tracks(index)[0]

    def frame(self, index: int, size: int = 224) -> np.ndarray:
        """A frame, uint8 (size, size, 3) RGB."""
        return painting.paint(self.scene(index), size)

    def truth(self, index: int, size: int = 224) -> list[Passer]:
        """Everything of which at least one pixel is seen, from far to near."""
        scene, tracks = self._scene_and_tracks(index)
        return [
            Passer(tracks[number], scene.objects[number].label, box, visible)
            for number, box, visible in painting.seen(scene, size)
        ]

    def _scene_and_tracks(self, index: int) -> tuple[Panned, list[int]]:
        if not 0 <= index < len(self):
            raise IndexError(f"This film has the frames 0 to {len(self) - 1}, not {index}.")
        swing = np.sin(PAN_SPEED * self.knobs.pan / SWAY * index / RATE)
        # whole units: at 224 pixels the backdrop moves by whole pixels, as one picture
        shift = float(-round(SWAY * float(swing)))
        still = replace(self._still, seed=self._still.seed * 1_000_003 + index, shift=shift)
        still = replace(still, trees=tuple(replace(tree, x=tree.x + shift) for tree in still.trees))
        on_way = [
            (track, passage.at(index, still))
            for track, passage in enumerate(self._passages)
            if passage.start <= index < passage.start + passage.frames
        ]
        on_way.sort(key=lambda pair: pair[1].y)
        return replace(still, objects=tuple(thing for _, thing in on_way)), [track for track, _ in on_way]


def film(seed: int, knobs: FilmKnobs = DEFAULT_KNOBS, seconds: float = 8.0) -> Film:
    """Plan a film. The same seed and knobs give the same bytes; nothing is painted yet.

    Raises:
        ValueError: a negative seed, or a film that is not longer than 0 and at most 600 seconds.
    """
    if not 0 < seconds <= 600:
        raise ValueError(f"A film lasts at most 600 seconds, not {seconds:g}.")
    return Film(seed, knobs, seconds)


def _street(seed: int, knobs: FilmKnobs) -> Panned:
    """The scene without anything that moves: grass, a road across, trees beyond it."""
    still = sample(seed, knobs.weather())
    rng = _stream(seed, "street")
    horizon, camera = 58 + (still.horizon - 70) * 0.5, float(rng.uniform(2.1, 2.7))
    near = min(float(rng.uniform(39, 44)) * camera / (FRAME - horizon), 0.8)
    road = stuff.road.sample(rng) | {"variant": "across", "near": near, "width": near * float(rng.uniform(0.28, 0.34))}
    backdrop = {"sky": still.backdrop["sky"], "grass": still.backdrop["grass"], "road": road}
    street = Panned(seed, horizon, camera, still.light, still.fog, still.noise, backdrop)
    return replace(street, trees=_plant(street))


def _traffic(still: Panned, knobs: FilmKnobs, frames: int) -> list[_Passage]:
    """Everything that passes within so many frames, in the order in which it sets out."""
    passages = [each for slot in range(knobs.people) for each in _strollers(still, "person", slot, frames)]
    passages += [each for slot in range(knobs.dogs) for each in _strollers(still, "dog", slot, frames)]
    for lane in (0, 1):
        passages += _drivers(still, lane, (knobs.vehicles + 1 - lane) // 2, frames)
    return sorted(passages, key=lambda passage: passage.start)


def _strollers(still: Panned, label: str, slot: int, frames: int) -> list[_Passage]:
    """Persons or dogs one after another, each beside the road, from one side of the picture to the other."""
    passages, now = [], 0
    while now < frames:
        rng = _stream(still.seed, f"{label} {slot}", len(passages))
        far = (slot + len(passages) + (label == "dog")) % 2 == 0
        low, high = _beside_the_road(still, far)
        y, aslant = rng.uniform(low, high), rng.random() < 0.2
        other = rng.uniform(low, high) if aslant else y
        speed = rng.uniform(0.85, 1.25) if label == "person" else rng.uniform(1.9, 2.9)
        look = things.MODULES[label].sample(rng)
        passage = _across(still, label, look, (y, other), bool(rng.random() < 0.5), speed / RATE)
        early = float(rng.uniform(0.05, 0.75))  # on its way already when the film begins
        passages.append(replace(passage, start=now if passages else -round(early * passage.frames)))
        now = passages[-1].start + passage.frames + int(rng.integers(5, 30))
    return passages


def _drivers(still: Panned, lane: int, count: int, frames: int) -> list[_Passage]:
    """Cars and motorcycles in the near lane (0, to the right) or the far one (1, to the left), all equally fast."""
    if not count:
        return []
    rng = _stream(still.seed, "lane", lane)
    top, bottom = _road(still)
    y = top + (bottom - top) * (0.93 if lane == 0 else 0.38)
    units = int(rng.integers(4, 6)) - lane  # a frame
    passages, start = [], None
    while start is None or start < frames:
        label = "car" if rng.random() < 0.7 else "motorcycle"
        look = things.MODULES[label].sample(rng)
        if label == "car":
            look |= {"pose": "side"}
        metres = units * still.camera / (y - still.horizon)
        passage = _across(still, label, look, (y, y), lane == 1, metres)
        length = passage.frames / passage.beat * passage.stride
        passage = replace(passage, stride=units, beat=1, frames=int(np.ceil(length / units)))
        if start is None:
            start = -round(float(rng.uniform(0.1, 0.7)) * passage.frames)
        passages.append(replace(passage, start=start))
        room = 1.25 * 2 * HALF_WIDTH["car"] * METRES["car"] / 100 / metres  # no car drives into another
        start += round(max(passage.frames / count * float(rng.uniform(0.9, 1.4)), room))
    return passages


def _across(still: Panned, label: str, look: dict, ys: tuple[float, float], leftward: bool, speed: float) -> _Passage:
    """A way over the ground at a speed in metres a frame, in and out of what a panning camera sees."""
    z, end_z = (FRAME * still.camera / (y - still.horizon) for y in ys)
    side = -1 if leftward else 1
    x, end_x = (
        sign * side * (FRAME / 2 + SWAY + HALF_WIDTH[label] * METRES[label] * FRAME / depth / 100) * depth / FRAME
        for sign, depth in ((-1, z), (1, end_z))
    )
    frames = max(round(float(np.hypot(end_x - x, end_z - z)) / speed), 1)
    vx, vz = (end_x - x) / frames, (end_z - z) / frames
    passage = _Passage(label, _dressed(label, look, vx, vz), 0, frames, x, z, vx, vz)
    if vz:
        return passage
    units = FRAME / z  # a metre, at its distance
    stride = max(round(passage.cycle * METRES[label] * units / 100), 1)
    beat = max(round(stride / (abs(vx) * units)), 5)
    return replace(passage, stride=stride, beat=beat, frames=int(np.ceil(abs(end_x - x) * units / stride * beat)))


def _dressed(label: str, look: dict, vx: float, vz: float) -> dict:
    """The look of something under way: who comes nearer shows the face."""
    if label == "person":
        view = "three-quarter" if -vz > 0.25 * abs(vx) else "side"
        gaze = "three-quarter" if look["hair"] == "headscarf" else view
        return look | {"pose": "walking", "view": view, "gaze": gaze, "left_handed": False}
    return look | {"pose": "walking", "mood": "open"} if label == "dog" else look


def _road(still: Panned) -> tuple[float, float]:
    """Where the road begins and ends, y from far to near, as `scenes.stuff.road` draws it."""
    depth, look = FRAME - still.horizon, still.backdrop["road"]
    bottom = still.horizon + depth * look["near"]
    return bottom - depth * look["width"], bottom


def _beside_the_road(still: Panned, far: bool) -> tuple[float, float]:
    """The ground beyond the road or before it, y from far to near."""
    top, bottom = _road(still)
    if far:
        return still.horizon + 0.5 * (bottom - still.horizon), top - 1
    return bottom + 4, FRAME - 3
