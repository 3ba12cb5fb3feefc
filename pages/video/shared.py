"""What the sections have in common: which film was chosen, its frames, and the detectors that look at it."""

import functools
import threading
from dataclasses import dataclass

import numpy as np

from models import catalog
from pages.shared import detectors as standing
from scenes.film import DEFAULT_KNOBS, Film, FilmKnobs, Passer, film

SIZE = 224  # side of a frame in pixels
SECONDS = 8.0
SEED = 3
NETWORK, EVERY = "detector-film", 2  # what looks at first, and at every which frame
NAMES = {NETWORK: "Centres, of films"} | standing.NAMES  # the others have learned standing scenes
LONGEST_PAUSE = 8  # the greatest k of "every k-th frame"
FRAMES_KEPT = 400  # uint8 pictures of 150 kB for all visitors

_turns = [threading.Lock() for _ in range(16)]  # a frame that two want at once is painted once


@dataclass(frozen=True)
class Choice:
    """A film: seed and knobs say all of it."""

    seed: int = SEED
    knobs: FilmKnobs = DEFAULT_KNOBS
    seconds: float = SECONDS

    @property
    def film(self) -> Film:
        return film_of(self.seed, self.knobs, self.seconds)

    @property
    def name(self) -> str:
        """Another film has another name."""
        return f"{self.seed} {self.seconds:g} {self.knobs}"

    def frame(self, index: int) -> np.ndarray:
        """uint8 (SIZE, SIZE, 3); the last ones are kept for all visitors."""
        with _turns[index % len(_turns)]:
            return _frame(self, index)


@functools.lru_cache(maxsize=FRAMES_KEPT)
def _frame(choice: Choice, index: int) -> np.ndarray:
    return choice.film.frame(index, SIZE)


@functools.lru_cache(maxsize=8)
def film_of(seed: int, knobs: FilmKnobs, seconds: float) -> Film:
    """The plan of a film."""
    return film(seed, knobs, seconds)


def truth_at(choice: Choice, index: int) -> list[Passer]:
    """The true boxes of a frame; kept for all visitors."""
    return _truth(choice, index)


@functools.lru_cache(maxsize=2048)
def _truth(choice: Choice, index: int) -> list[Passer]:
    return choice.film.truth(index, SIZE)


def detectors() -> list[str]:
    """The lab's detectors that are here, in the order of the list."""
    return [name for name in NAMES if name in catalog.shipped()]
