"""What the detector's trunk says of the training scenes and their mirror images, kept: several networks stand on it.

A trunk that stays as it is sees every picture once, and what learns on it takes steps of its own few layers only. Those
networks then differ in nothing but what they do with the same features.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from models.device import cache_folder
from models.networks.detector import LEVELS, LoadedDetector
from models.networks.encoder import normalised
from models.recipes.scene_cache import SIZE, CachedScenes, InstanceRecord, cached_scenes, fingerprint, training_seeds

KEPT = LEVELS[:4]  # the fifth is every second place of the fourth
CHUNK = 10
RENDERED = 6000  # training scenes that the detector's own recipe renders; these are the first of them


@dataclass(frozen=True, eq=False)
class TrunkFeatures:
    """`levels`: per pyramid level float16 (2, N, C, h, w), the scenes and their mirror images; `records` per scene."""

    levels: dict[str, np.ndarray]
    records: list[list[InstanceRecord]]

    def __len__(self) -> int:
        return len(self.records)

    def of(self, scenes: Sequence[int], mirrored: Sequence[bool], device: torch.device) -> dict[str, Tensor]:
        """The pyramid of these scenes, float32 (n, C, h, w) a level, the fifth among them."""
        picked = {
            name: torch.from_numpy(np.stack([maps[int(m), i] for i, m in zip(scenes, mirrored, strict=True)]))
            for name, maps in self.levels.items()
        }
        levels = {name: maps.to(device).float() for name, maps in picked.items()}
        return levels | {LEVELS[4]: levels[KEPT[-1]][:, :, ::2, ::2]}

    def truth(self, scene: int, mirrored: bool, smallest_visible: float = 0.15) -> dict[str, Tensor]:
        """torchvision's target of a scene: boxes (T, 4) xyxy in pixels, labels (T,) int64 from 1."""
        kept = [record for record in self.records[scene] if record.visible >= smallest_visible]
        boxes = torch.tensor([record.box for record in kept], dtype=torch.float32).reshape(-1, 4)
        if mirrored:
            boxes[:, [0, 2]] = SIZE - boxes[:, [2, 0]]
        return {"boxes": boxes, "labels": torch.tensor([record.category for record in kept], dtype=torch.int64)}


def trunk_features(detector: LoadedDetector, count: int) -> TrunkFeatures:
    """The features of the first `count` training scenes, computed on first use and mapped read-only after.

    About 1 MB a scene. Goes on where it was stopped; another detector or other scenes start a new cache.
    """
    data = cached_scenes(training_seeds(max(count, RENDERED)))
    folder = cache_folder() / f"trunk-{count}-{detector.card['sha256'][:10]}-{fingerprint()}"
    folder.mkdir(parents=True, exist_ok=True)
    channels = int(cast(int, detector.module.backbone.out_channels))
    files = {name: folder / f"{name}.npy" for name in KEPT}
    sides = {name: SIZE // 2 ** (2 + number) for number, name in enumerate(KEPT)}
    for name, file in files.items():
        if not file.exists():
            np.lib.format.open_memmap(file, "w+", np.float16, (2, count, channels, sides[name], sides[name])).flush()
    done = folder / "done.txt"
    start = int(done.read_text()) if done.exists() else 0
    if start < count:
        levels = {name: np.load(file, mmap_mode="r+") for name, file in files.items()}
        _look(detector, data, levels, range(start, count), done)
    return TrunkFeatures({name: np.load(file, mmap_mode="r") for name, file in files.items()}, data.records[:count])


def _look(detector: LoadedDetector, data: CachedScenes, levels: dict, which: range, done: Path) -> None:
    for begin in tqdm(which[::CHUNK], desc="the trunk looks", unit=f"{CHUNK} scenes"):
        rows = slice(begin, min(begin + CHUNK, which.stop))
        images = torch.from_numpy(data.images[rows].copy()).permute(0, 3, 1, 2)
        for mirrored in (0, 1):
            seen = images.flip(-1) if mirrored else images
            with torch.inference_mode():
                pyramid = detector.module.backbone(normalised(seen.to(detector.device).float() / 255))
            for name, maps in levels.items():
                maps[mirrored, rows] = pyramid[name].half().cpu().numpy()
        part = done.with_suffix(".part")  # moved when the chunk is whole
        part.write_text(str(rows.stop))
        os.replace(part, done)
