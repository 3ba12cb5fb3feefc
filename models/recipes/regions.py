"""OpenCV's selective search of the cached scenes, computed once: what R-CNN, SPP-net and Fast R-CNN are given."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from labs import selective_search
from models.device import cache_folder
from models.recipes.scene_cache import CachedScenes, fingerprint

CHUNK = 50
MODE = "fast"
LARGEST = 2000  # boxes a picture, as in the paper


def regions(data: CachedScenes, seeds: range, count: int | None = None) -> list[NDArray[np.float32]]:
    """The boxes (n, 4) xyxy in pixels of the first `count` scenes, or of all; n is about 400.

    Goes on where it was stopped. `data` are the cached scenes of `seeds`.
    """
    count = len(data) if count is None else count
    folder = cache_folder() / f"regions-{seeds.start}-{MODE}-{fingerprint()}"
    folder.mkdir(parents=True, exist_ok=True)
    found: list[NDArray[np.float32]] = []
    for start in tqdm(range(0, count, CHUNK), desc="selective search", unit=f"{CHUNK} scenes", disable=None):
        file = folder / f"{start:06d}.npz"
        if not file.exists():
            _search(data, start, file)
        with np.load(file) as saved:
            found.extend(np.split(saved["boxes"], np.cumsum(saved["counts"])[:-1]))
    return found[:count]


def _search(data: CachedScenes, start: int, file: Path) -> None:
    boxes = [
        selective_search.by_opencv(np.asarray(image), MODE)[:LARGEST].astype(np.float32)
        for image in data.images[start : start + CHUNK]
    ]
    part = file.with_suffix(".part.npz")  # moved when whole
    np.savez_compressed(part, boxes=np.concatenate(boxes), counts=np.array([len(b) for b in boxes]))
    os.replace(part, file)
