"""Frames of films of Lab World, painted once into a cache outside the repository: what a detector of films learns from.

Films of many kinds: empty and crowded, by day and at night, in fog, with a camera that stands or pans.
"""

import hashlib
import json
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from models.device import cache_folder
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
    folder.mkdir(parents=True, exist_ok=True)
    images = folder / "images.npy"
    if not images.exists():
        np.lib.format.open_memmap(images, "w+", np.uint8, (len(seeds) * each, SIZE, SIZE, 3)).flush()
    starts = range(0, len(seeds), CHUNK)
    missing = [start for start in starts if not _truth_file(folder, start).exists()]
    if missing:
        with ProcessPoolExecutor(workers or os.cpu_count()) as pool:
            jobs = [pool.submit(_paint_chunk, folder, seeds[start : start + CHUNK], start, each) for start in missing]
            for job in tqdm(jobs, desc=f"painting frames of {len(seeds)} films", unit=f"{CHUNK} films"):
                job.result()
    truth = [
        np.array(frame, np.float32).reshape(-1, 6)
        for start in starts
        for frame in json.loads(_truth_file(folder, start).read_text())
    ]
    return CachedFrames(np.load(images, mmap_mode="r"), truth)


def knobs_of(seed: int) -> FilmKnobs:
    """What kind of film a seed is: up to eight persons, four vehicles and three dogs; the weather is the seed's own."""
    rng = np.random.default_rng([seed, 1])
    people, vehicles, dogs = int(rng.integers(1, 9)), int(rng.integers(0, 5)), int(rng.integers(0, 4))
    pan = float(rng.uniform(0.1, 1)) if rng.random() < PANNED else 0.0
    return FilmKnobs(people=people, vehicles=vehicles, dogs=dogs, pan=pan)


def _truth_file(folder: Path, start: int) -> Path:
    return folder / f"{start:06d}.json"


def _paint_chunk(folder: Path, seeds: range, start: int, each: int) -> None:
    images, truth = np.load(folder / "images.npy", mmap_mode="r+"), []
    for row, seed in enumerate(seeds, start):
        shown = film(seed, knobs_of(seed), SECONDS)
        chosen = np.random.default_rng([seed, 2]).choice(len(shown), each, replace=False)
        for number, index in enumerate(sorted(chosen.tolist())):
            images[row * each + number] = shown.frame(index, SIZE)
            seen = shown.truth(index, SIZE)
            truth.append(
                [[*thing.box.tolist(), THINGS.index(thing.label) + 1, round(thing.visible, 3)] for thing in seen]
            )
    images.flush()
    # Written last and moved into place whole: a chunk with its truth is a chunk that is done.
    partial = folder / f"{start:06d}.partial"
    partial.write_text(json.dumps(truth))
    partial.rename(_truth_file(folder, start))


def _fingerprint() -> str:
    """Ten digits that change with anything that `scenes/` draws, films among it."""
    root = Path(__file__).parents[2] / "scenes"
    digest = hashlib.sha256(fingerprint().encode())
    for file in (root / "film.py", *sorted((root / "motion").glob("*.py"))):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:10]
