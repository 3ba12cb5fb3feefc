"""Frames of films of Lab World, painted once into a cache outside the repository: what a detector of films learns from.

Films of many kinds: empty and crowded, by day and at night, in fog, with a camera that stands or pans.
"""

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from models.device import cache_folder
from models.recipes.painted import painted
from models.recipes.scene_cache import SIZE, fingerprint
from scenes import THINGS
from scenes.film import FilmKnobs, film

CHUNK = 10  # films
SECONDS = 8.0
PANNED = 0.4  # share of the films in which the camera pans


@dataclass(frozen=True, eq=False)
class CachedFrames:
    """`images` uint8 (N, 224, 224, 3), and per frame the `truth`: rows (T, 6) of a box xyxy in pixels, the class from 1
    in the order of `scenes.THINGS`, and the visible share, from far to near."""

    images: np.ndarray
    truth: list[np.ndarray]

    def __len__(self) -> int:
        return len(self.images)


def training_films(count: int) -> range:
    """Seeds of films that networks are trained on; disjoint from those that they are chosen and judged by."""
    return range(2_000_000, 2_000_000 + count)


def cached_frames(seeds: range, each: int, workers: int | None = None) -> CachedFrames:
    """`each` frames of every film, from anywhere in it; painted on first use and mapped read-only after.

    Painting goes on where it was stopped. A change of anything that `scenes/` draws starts a new cache.
    """
    folder = cache_folder() / f"films-{seeds.start}-{len(seeds)}-{each}-{_fingerprint()}"
    shapes = {"images": (len(seeds) * each, SIZE, SIZE, 3)}
    (images,), truth = painted(folder, shapes, partial(_paint, each), seeds, CHUNK, workers, "films")
    return CachedFrames(images, [np.array(frame, np.float32).reshape(-1, 6) for frame in truth])


def knobs_of(seed: int) -> FilmKnobs:
    """What kind of film a seed is: up to eight persons, four vehicles and three dogs; the weather is the seed's own."""
    rng = np.random.default_rng([seed, 1])
    people, vehicles, dogs = int(rng.integers(1, 9)), int(rng.integers(0, 5)), int(rng.integers(0, 4))
    pan = float(rng.uniform(0.1, 1)) if rng.random() < PANNED else 0.0
    return FilmKnobs(people=people, vehicles=vehicles, dogs=dogs, pan=pan)


def _paint(each: int, arrays: list[np.ndarray], seeds: range, start: int) -> list[list[list[float]]]:
    (images,), truth = arrays, []
    for row, seed in enumerate(seeds, start):
        shown = film(seed, knobs_of(seed), SECONDS)
        chosen = np.random.default_rng([seed, 2]).choice(len(shown), each, replace=False)
        for number, index in enumerate(sorted(chosen.tolist())):
            images[row * each + number] = shown.frame(index, SIZE)
            seen = shown.truth(index, SIZE)
            truth.append(
                [[*thing.box.tolist(), THINGS.index(thing.label) + 1, round(thing.visible, 3)] for thing in seen]
            )
    return truth


def _fingerprint() -> str:
    """Ten digits that change with anything that `scenes/` draws, films among it."""
    root = Path(__file__).parents[2] / "scenes"
    digest = hashlib.sha256(fingerprint().encode())
    for file in (root / "film.py", *sorted((root / "motion").glob("*.py"))):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:10]
