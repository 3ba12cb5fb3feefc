"""Arrays painted by all cores, once, into a folder outside the repository, and mapped into memory from there."""

import json
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

# Paints some seeds, the first of them seed number `start`, into their rows of the open arrays, and returns what is told
# of each, as JSON takes it. A function at the top of a module, or a `functools.partial` of one.
Paint = Callable[[list[np.ndarray], range, int], list[Any]]


def painted(
    folder: Path, shapes: Mapping[str, tuple[int, ...]], paint: Paint, seeds: range, chunk: int,
    workers: int | None, called: str,
) -> tuple[list[np.ndarray], list[Any]]:  # fmt: skip
    """uint8 arrays of these names and shapes, read-only, and what `paint` told of them, joined in the order of `seeds`.

    Painting goes on where it was stopped, `chunk` seeds at a time. `called` names the seeds beside the progress.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, shape in shapes.items():
        if not _array_file(folder, name).exists():
            np.lib.format.open_memmap(_array_file(folder, name), "w+", np.uint8, shape).flush()
    starts = range(0, len(seeds), chunk)
    missing = [start for start in starts if not _told_file(folder, start).exists()]
    if missing:
        with ProcessPoolExecutor(workers or os.cpu_count()) as pool:
            jobs = [
                pool.submit(_paint_chunk, folder, list(shapes), paint, seeds[start : start + chunk], start)
                for start in missing
            ]
            for job in tqdm(jobs, desc=f"painting {len(seeds)} {called}", unit=f"{chunk} {called}"):
                job.result()
    told = [each for start in starts for each in json.loads(_told_file(folder, start).read_text())]
    return [np.load(_array_file(folder, name), mmap_mode="r") for name in shapes], told


def _array_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.npy"


def _told_file(folder: Path, start: int) -> Path:
    return folder / f"{start:06d}.json"


def _paint_chunk(folder: Path, names: list[str], paint: Paint, seeds: range, start: int) -> None:
    arrays = [np.load(_array_file(folder, name), mmap_mode="r+") for name in names]
    told = paint(arrays, seeds, start)
    for array in arrays:
        array.flush()
    # Written last and moved into place whole: a chunk of which is told is a chunk that is done.
    partial = _told_file(folder, start).with_suffix(".partial")
    partial.write_text(json.dumps(told))
    partial.rename(_told_file(folder, start))
