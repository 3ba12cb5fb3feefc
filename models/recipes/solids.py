"""The solids of the training scenes, kept: what a network of meshes learns from. A silhouette each, inflated."""

import hashlib
import inspect
import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from labs import inflated_solid, mesh_losses
from models.device import cache_folder
from models.recipes.scene_cache import SIZE, InstanceRecord, fingerprint
from scenes import Scene, sample, silhouettes

SMALLEST_VISIBLE = 0.15  # of a thing's pixels in the picture: what is seen less is not asked for
CELLS = 48  # along a thing's longer side
POINTS = 1200
CHUNK = 50


@dataclass(frozen=True, eq=False)
class Solids:
    """One row a thing. Lengths are in the longer side of the thing's full box, from that box's middle.

    Attributes:
        points float16 (T, P, 3) on the surface and their `normals` int8 (T, P, 3), of length 127.
        squares: float16 (T, S, S), over the full box the square of half the depth, 0 outside.
        boxes: float32 (T, 4), the full boxes, xyxy in pixels.
        start: of each scene, the first of its rows; one more at the end.
    """

    points: np.ndarray
    normals: np.ndarray
    squares: np.ndarray
    boxes: np.ndarray
    start: np.ndarray

    def of(self, rows: list[int], mirrored: list[bool]) -> tuple[Tensor, Tensor, Tensor]:
        """Points (n, P, 3), unit normals (n, P, 3) and squares (n, S, S) of these rows, float32."""
        points, normals, squares = (
            torch.from_numpy(np.stack([each[row] for row in rows])).float()
            for each in (self.points, self.normals, self.squares)
        )
        turned = torch.tensor(mirrored)
        sign = torch.where(turned, -1.0, 1.0)[:, None]
        points[..., 0] *= sign
        normals[..., 0] *= sign
        squares[turned] = squares[turned].flip(-1)
        return points, normals / 127, squares

    def boxes_of(self, rows: list[int], mirrored: list[bool]) -> Tensor:
        """The full boxes (n, 4) of these rows."""
        boxes = torch.from_numpy(self.boxes[rows].reshape(-1, 4).copy())
        turned = torch.tensor(mirrored, dtype=torch.bool)
        boxes[turned] = boxes[turned][:, [2, 1, 0, 3]] * torch.tensor([-1.0, 1, -1, 1]) + torch.tensor(
            [SIZE, 0, SIZE, 0]
        )
        return boxes


def asked_for(records: list[InstanceRecord]) -> list[InstanceRecord]:
    """The things of a scene that are seen well enough."""
    return [record for record in records if record.visible >= SMALLEST_VISIBLE]


def solid_of(scene: Scene, identity: int, cells: int = CELLS) -> inflated_solid.Mesh:
    """The whole solid of a thing in pixels of the picture, z from the picture plane."""
    seen = silhouettes.silhouette(silhouettes.thing_of(scene, identity), cells)
    return inflated_solid.inflate(seen.coverage, seen.corner, seen.cell)


def solids(seeds: range, records: list[list[InstanceRecord]]) -> Solids:
    """The solids of these scenes, computed on first use and mapped read-only after; goes on where it was stopped."""
    digest = hashlib.sha256(inspect.getsource(inflated_solid).encode() + inspect.getsource(silhouettes).encode())
    folder = cache_folder() / f"solids-{seeds.start}-{len(records)}-{fingerprint()}-{digest.hexdigest()[:10]}"
    folder.mkdir(parents=True, exist_ok=True)
    start = np.concatenate([[0], np.cumsum([len(asked_for(each)) for each in records])])
    shapes = {
        "points": ((POINTS, 3), np.float16), "normals": ((POINTS, 3), np.int8),
        "squares": ((CELLS, CELLS), np.float16), "boxes": ((4,), np.float32),
    }  # fmt: skip
    files = {name: folder / f"{name}.npy" for name in shapes}
    for name, (shape, kind) in shapes.items():
        if not files[name].exists():
            np.lib.format.open_memmap(files[name], "w+", kind, (int(start[-1]), *shape)).flush()
    done = folder / "done.txt"
    first = int(done.read_text()) if done.exists() else 0
    if first < len(records):
        arrays = {name: np.load(file, mmap_mode="r+") for name, file in files.items()}
        _inflate(arrays, seeds, records, start, first, done)
    return Solids(**{name: np.load(file, mmap_mode="r") for name, file in files.items()}, start=start)


def _inflate(arrays: dict, seeds: range, records: list, start: np.ndarray, first: int, done: Path) -> None:
    for begin in tqdm(range(first, len(records), CHUNK), desc="inflating", unit=f"{CHUNK} scenes"):
        end = min(begin + CHUNK, len(records))
        for number in range(begin, end):
            scene = sample(seeds[number])
            for row, record in enumerate(asked_for(records[number]), start[number]):
                for name, value in described(scene, record.id).items():
                    arrays[name][row] = value
        part = done.with_suffix(".part")  # moved when the chunk is whole
        part.write_text(str(end))
        os.replace(part, done)


def described(scene: Scene, identity: int) -> dict[str, np.ndarray]:
    """The row of a thing, as in `Solids`."""
    seen = silhouettes.silhouette(silhouettes.thing_of(scene, identity), CELLS)
    mesh = inflated_solid.inflate(seen.coverage, seen.corner, seen.cell)
    low, high = mesh.vertices[:, :2].amin(0), mesh.vertices[:, :2].amax(0)
    longest = float((high - low).max())
    middle = torch.cat([(low + high) / 2, torch.zeros(1)])
    points, normals = mesh_losses.sample_points(mesh.vertices, mesh.faces, POINTS, identity)
    u = inflated_solid.poisson(seen.coverage, seen.cell).astype(np.float32)
    return {
        "points": ((points - middle) / longest).numpy(),
        "normals": (normals * 127).round().numpy(),
        "squares": _over(u, (low.numpy() - seen.corner) / seen.cell, (high.numpy() - seen.corner) / seen.cell)
        / longest**2,
        "boxes": torch.cat([low, high]).numpy(),
    }


def _over(field: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """A field (h, w) read in the middles of CELLS x CELLS squares between two corners, x and y in its own cells."""
    middles = (np.arange(CELLS) + 0.5) / CELLS
    x, y = (low[i] + middles * (high[i] - low[i]) - 0.5 for i in (0, 1))
    columns, rows = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    return cv2.remap(field, columns, rows, cv2.INTER_LINEAR)
