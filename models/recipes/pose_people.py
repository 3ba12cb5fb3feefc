"""Scenes with one whole person that fills much of the picture, and what is kept of them for training."""

import os
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from tqdm import tqdm

import scenes
from labs import pose
from models.device import cache_folder
from models.recipes.scene_cache import fingerprint
from scenes import THINGS, Knobs, Placed, Scene
from scenes.scene import FRAME

SIZE = 224
TALLEST, LEAST = 172.0, 92.0  # longer side of the person, frame units
HIDDEN, CUT = 0.45, 0.2  # how often something stands before the person, and the picture's edge cuts it
ALONE = Knobs(objects=1, classes=("person",), occlusion=0.0, truncation=0.0)
BEFORE = Knobs(objects=1, classes=tuple(name for name in THINGS if name != "person"), occlusion=0.0, truncation=0.0)
# What is cached: the person's square, this much wider, so that a training picture can still be moved.
CROP, ROOM = 160, 1.3


def compose(seed: int) -> Scene:
    """A scene with one person, close to the viewer; at times the picture's edge or a smaller thing hides a part."""
    rng = np.random.default_rng([seed, 14])
    scene = scenes.sample(seed, ALONE)
    person = _placed(_only(scene, ALONE), rng.uniform(LEAST, TALLEST), y=rng.uniform(194, 216))
    x1, _, x2, _ = person.box
    half = float(x2 - x1) / 2
    cut, side, hidden = rng.random() < CUT, rng.random() < 0.5, rng.random() < HIDDEN
    at = rng.uniform(half, FRAME - half) if half < FRAME / 2 else FRAME / 2
    if cut:
        inside = half * rng.uniform(0.1, 0.7)  # how far the middle of the person lies inside
        at = inside if side else FRAME - inside
    person = replace(person, x=person.x + at)
    things = [person]
    if hidden:
        other = _placed(_only(scenes.sample(seed + 1, BEFORE), BEFORE), rng.uniform(40, 90), y=float(person.y) + 3)
        things.append(replace(other, x=other.x + at + half * rng.uniform(-0.9, 0.9)))
    return replace(scene, objects=tuple(things))


def _only(scene: Scene, knobs: Knobs) -> Placed:
    """The scene's thing; from the next seeds where this one had no room for it."""
    seed = scene.seed
    while not scene.objects:
        seed += 1
        scene = scenes.sample(seed, knobs)
    return scene.objects[0]


def _placed(thing: Placed, longer: float, y: float) -> Placed:
    """The thing on the ground at y with a longer side of so many units, its middle at x = 0."""
    unscaled = replace(thing, x=0.0, y=0.0, scale=1.0, lift=0.0)
    x1, y1, x2, y2 = unscaled.box
    scale = longer / float(max(x2 - x1, y2 - y1))
    return replace(unscaled, x=-float(x1 + x2) / 2 * scale, y=y, scale=scale)


def person_of(view: scenes.View) -> scenes.Instance | None:
    """The person of a composed scene; None where the thing before it hides it all."""
    return next((each for each in view.instances if each.label == "person"), None)


@dataclass(frozen=True, eq=False)
class People:
    """`crops` uint8 (N, 160, 160, 3) around each person; in pixels of the crop `joints` float32 (N, 14, 3) with COCO's
    visibility, and `frames` (N, 4), xyxy, where the whole picture lies."""

    crops: np.ndarray
    joints: np.ndarray
    frames: np.ndarray

    def __len__(self) -> int:
        return len(self.crops)


def cached_people(seeds: range) -> People:
    """The persons of composed scenes, rendered on first use and mapped read-only after."""
    folder = cache_folder() / f"people-{seeds.start}-{len(seeds)}-{fingerprint()}"
    if not (folder / "frames.npy").exists():
        folder.mkdir(parents=True, exist_ok=True)
        found = [crop for seed in tqdm(seeds, desc="people", unit="scene") if (crop := _crop(seed)) is not None]
        for name, values in zip(("crops", "joints", "frames"), zip(*found, strict=True), strict=True):
            part = folder / f"{name}.part.npy"
            np.save(part, np.stack(values))
            os.replace(part, folder / f"{name}.npy")
    return People(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("crops", "joints", "frames")))


def _crop(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    view = scenes.render(compose(seed), SIZE)
    person = person_of(view)
    if person is None or person.keypoints is None:
        return None
    x1, y1, x2, _ = pose.square(torch.from_numpy(person.box).float(), 1.25 * ROOM).tolist()
    zoom = CROP / (x2 - x1)
    # Pixel centres: crop position (column + 0.5) = zoom * (picture's column + 0.5 - x1)
    matrix = np.array([[zoom, 0, zoom * (0.5 - x1) - 0.5], [0, zoom, zoom * (0.5 - y1) - 0.5]])
    crop = cv2.warpAffine(view.image, matrix, (CROP, CROP), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    joints = person.keypoints.copy()
    joints[:, :2] = (joints[:, :2] - (x1, y1)) * zoom
    frame = (np.array([0, 0, SIZE, SIZE]) - (x1, y1, x1, y1)) * zoom
    return crop, joints.astype(np.float32), frame.astype(np.float32)
