"""A thing of a film at one moment: a `Placed` whose drawing knows the phase of its step."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from scenes.motion import rolling, running, walking
from scenes.scene import Placed
from scenes.shapes import Drawing, extent

PHASES = {"person": 24, "dog": 16, "car": 6, "motorcycle": 6}  # drawings of a cycle, where nothing else is said


@dataclass(frozen=True)
class Moving(Placed):
    """A thing on its way, at moment `phase` (0 to `phases` - 1) of a cycle of `phases` drawings."""

    phase: int = 0
    phases: int = 1

    @property
    def drawing(self) -> Drawing:
        return _drawing(self.label, tuple(self.look.items()), self.phase, self.phases)

    @cached_property
    def box(self) -> np.ndarray:
        """Full extent, xyxy in frame units, also of what is hidden or outside the picture."""
        x1, y1, x2, y2 = _extent(self.label, tuple(self.look.items()), self.phase, self.phases)
        if self.flip:
            x1, x2 = -x2, -x1
        return np.array([x1, y1, x2, y2]) * self.scale + [self.x, self.y - self.lift] * 2


def cycle(label: str, look: dict) -> float:
    """How far a thing gets in one cycle of its drawings, in units of its own frame."""
    if label == "person":
        return walking.cycle(look)
    return running.cycle(look) if label == "dog" else rolling.cycle(label, look)


@lru_cache(maxsize=48)  # the picture, the truth and the box of a thing ask for it within one frame; 25 kB each
def _drawing(label: str, look: tuple, phase: int, phases: int) -> Drawing:
    if label == "person":
        return walking.draw(dict(look), phase / phases)
    if label == "dog":
        return running.draw(dict(look), phase / phases)
    return rolling.draw(label, dict(look), phase / phases)


@lru_cache(maxsize=4096)
def _extent(label: str, look: tuple, phase: int, phases: int) -> tuple[float, ...]:
    return tuple(extent(_drawing(label, look, phase, phases).shapes).tolist())
