"""Lab World scenes rendered once into a cache outside the repository, as flat arrays that training maps into memory."""

import hashlib
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

import scenes
from models.device import cache_folder
from models.recipes.painted import painted
from scenes import THINGS, Knobs

SIZE = 224
CHUNK = 50
DEFAULT_KNOBS = Knobs()


@dataclass(frozen=True)
class InstanceRecord:
    """The truth about one thing without its pixels: `id` in the panoptic map, `category` from 1 in the order of
    `scenes.THINGS`, visible `box` xyxy, `visible` share, and 14 `keypoints` (x, y, visibility; zeros if no person)."""

    id: int
    category: int
    box: list[float]
    visible: float
    keypoints: list[list[float]]


@dataclass(frozen=True, eq=False)
class CachedScenes:
    """`images` uint8 (N, 224, 224, 3), `semantic` and `panoptic` uint8 (N, 224, 224), and `records` per scene."""

    images: np.ndarray
    semantic: np.ndarray
    panoptic: np.ndarray
    records: list[list[InstanceRecord]]

    def __len__(self) -> int:
        return len(self.images)


def training_seeds(count: int) -> range:
    """Seeds that networks are trained on; disjoint from `held_out_seeds`, and from the small seeds of the pages."""
    return range(1_000_000, 1_000_000 + count)


def held_out_seeds(count: int) -> range:
    """Seeds that no network has seen; every card's figures come from these."""
    return range(10_000_000, 10_000_000 + count)


def cached_scenes(seeds: range, workers: int | None = None, knobs: Knobs = DEFAULT_KNOBS) -> CachedScenes:
    """Scenes of these seeds and knobs, rendered on first use and mapped read-only after.

    Rendering goes on where it was stopped. A change of anything that `scenes/` draws, or other knobs, starts a new
    cache.
    """
    folder = cache_folder() / f"scenes-{seeds.start}-{len(seeds)}-{fingerprint()}{_suffix(knobs)}"
    shapes = {"images": (len(seeds), SIZE, SIZE, 3)} | dict.fromkeys(("semantic", "panoptic"), (len(seeds), SIZE, SIZE))
    arrays, told = painted(folder, shapes, partial(_paint, knobs), seeds, CHUNK, workers, "scenes")
    return CachedScenes(*arrays, [[InstanceRecord(**record) for record in scene] for scene in told])


def _paint(knobs: Knobs, arrays: list[np.ndarray], seeds: range, start: int) -> list[list[dict]]:
    records = []
    for row, seed in enumerate(seeds, start):
        view = scenes.render(scenes.sample(seed, knobs), SIZE)
        for array, pixels in zip(arrays, (view.image, view.semantic, view.panoptic), strict=True):
            array[row] = pixels
        records.append([asdict(_record(instance)) for instance in view.instances])
    return records


def _record(instance: scenes.Instance) -> InstanceRecord:
    joints = np.zeros((14, 3)) if instance.keypoints is None else instance.keypoints
    return InstanceRecord(
        instance.id,
        THINGS.index(instance.label) + 1,
        instance.box.tolist(),
        instance.visible,
        joints.round(2).tolist(),
    )


def _suffix(knobs: Knobs) -> str:
    return "" if knobs == DEFAULT_KNOBS else "-" + hashlib.sha256(repr(knobs).encode()).hexdigest()[:10]


def fingerprint() -> str:
    """Ten digits that change with anything that `scenes/` draws."""
    digest = hashlib.sha256()
    for file in sorted(Path(scenes.__file__).parent.rglob("*.py")):
        apart = ("__main__.py", "coco.py", "faces.py", "film.py", "silhouettes.py")  # which draw no scene
        if file.name not in apart and file.parent.name != "motion":
            digest.update(file.read_bytes())
    return digest.hexdigest()[:10]
