"""A thing of a film at one moment: a `Placed` whose drawing knows the phase of its step."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from scenes import things
from scenes.motion import rolling, running, walking
from scenes.scene import Placed
from scenes.shapes import Drawing, extent

PHASES = {
    "person": walking.PHASES, "dog": running.PHASES, "car": rolling.PHASES, "motorcycle": rolling.PHASES
}  # fmt: skip


@dataclass(frozen=True)
class Moving(Placed):
    """A thing on its way. `phase` counts drawings of its cycle, 0 to `PHASES[label]` - 1."""

    phase: int = 0

    @property
    def drawing(self) -> Drawing:
        return self._drawn[0]

    @cached_property
    def box(self) -> np.ndarray:
        """Full extent, xyxy in frame units, also of what is hidden or outside the picture."""
        x1, y1, x2, y2 = self._drawn[1]
        if self.flip:
            x1, x2 = -x2, -x1
        return np.array([x1, y1, x2, y2]) * self.scale + [self.x, self.y - self.lift] * 2

    @property
    def _drawn(self) -> tuple[Drawing, tuple[float, ...]]:
        return drawn(self.label, tuple(self.look.items()), self.phase)


def cycle(label: str, look: dict) -> float:
    """How far a thing gets in one cycle of its drawings, in units of its own frame."""
    if label == "person":
        return walking.cycle(look)
    return running.cycle(look) if label == "dog" else rolling.cycle(label, look)


@lru_cache(maxsize=512)  # a person's cycle is 24 drawings of 25 kB
def drawn(label: str, look: tuple, phase: int | None) -> tuple[Drawing, tuple[float, ...]]:
    """The drawing of a look (items of its dict) at a phase, None for what stands still, and its extent xyxy."""
    look_of = dict(look)
    if phase is None:
        drawing = things.MODULES[label].draw(look_of)
    elif label == "person":
        drawing = walking.draw(look_of, phase)
    elif label == "dog":
        drawing = running.draw(look_of, phase)
    else:
        drawing = rolling.draw(label, look_of, phase)
    return drawing, tuple(extent(drawing.shapes).tolist())
