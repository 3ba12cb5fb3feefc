"""How the network for landmarks is trained and judged: on faces of Lab World in close-up."""

import hashlib
import inspect
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from labs import landmarks
from models.device import cache_folder
from models.networks.face_landmarks import SIDE, FaceLandmarks, LoadedFaceLandmarks, seen
from models.recipes import training
from models.recipes.painted import painted
from models.recipes.scene_cache import fingerprint, held_out_seeds, training_seeds
from scenes import faces
from scenes.faces import LANDMARKS

TASK = "face landmarks"
NAMES = ("face-landmarks",)
STARTS_FROM = None
HELD_OUT = 500
PARTNERS = (1, 0, 2, 4, 3)  # what each of LANDMARKS is in a mirror
CHUNK = 100


@dataclass(frozen=True)
class Recipe:
    """AdamW with a one-cycle learning rate on the mean error itself, in per cent of the distance between the eyes.

    Each face comes mirrored half of the time, turned by up to `turn` degrees, larger or smaller by up to `zoom`, moved
    by up to `shift` of a side, its brightness and contrast changed by up to `tone`.
    """

    seed: int = 0
    faces: int = 2500
    steps: int = 5000
    batch: int = 48
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    turn: float = 12.0
    zoom: float = 0.12
    shift: float = 0.06
    tone: float = 0.15


@dataclass(frozen=True, eq=False)
class CachedFaces:
    """`images` uint8 (N, 96, 96, 3) as the network sees them; `landmarks` float32 (N, 5, 2) in pixels of these."""

    images: np.ndarray
    landmarks: np.ndarray

    def __len__(self) -> int:
        return len(self.images)


def build(name: str) -> FaceLandmarks:
    """The network, freshly initialised."""
    return FaceLandmarks()


def wrap(name: str, module: FaceLandmarks, device: torch.device, card: dict) -> LoadedFaceLandmarks:
    """The network behind the interface that pages call."""
    return LoadedFaceLandmarks(name, module, device, card)


def train(
    name: str, device: torch.device, folder: Path, report: Callable[[int, int, float], None], start: None = None
) -> tuple[FaceLandmarks, dict]:
    """Train from scratch, or go on from the last checkpoint in `folder`. See `segmenter.train`."""
    recipe = Recipe()
    data = cached_faces(training_seeds(recipe.faces))
    torch.manual_seed(recipe.seed)
    net = build(name)

    def loss_at(step: int) -> Tensor:
        images, truth = batch(data, recipe, step)
        images = images.to(device, memory_format=torch.channels_last).float() / 255
        guess = landmarks.to_landmarks(net(images).float(), SIDE, SIDE)
        return landmarks.mean_error(guess, truth.to(device)).mean()

    seconds = training.fit(
        net, loss_at, asdict(recipe), recipe.steps, recipe.learning_rate, recipe.weight_decay, device, folder,
        lambda step, loss: report(step, recipe.steps, loss),
    )  # fmt: skip
    facts = asdict(recipe) | {"precision": training.precision(device)}
    return net.eval(), {"recipe": facts, "training_seconds": round(seconds)}


def batch(data: CachedFaces, recipe: Recipe, step: int) -> tuple[Tensor, Tensor]:
    """Pictures uint8 (N, 3, 96, 96) of a step and their landmarks float32 (N, 5, 2) in pixels; a function of the step
    alone, so that a resumed training sees what an unbroken one would have seen."""
    rng = np.random.default_rng([recipe.seed, step])
    images, truths = [], []
    for pick in rng.integers(0, len(data), recipe.batch):
        image, truth = np.asarray(data.images[pick]), torch.from_numpy(np.array(data.landmarks[pick]))
        if rng.random() < 0.5:
            image, truth = image[:, ::-1], landmarks.mirrored(truth, SIDE, PARTNERS)
        angle, zoom = rng.uniform(-recipe.turn, recipe.turn), rng.uniform(1 - recipe.zoom, 1 + recipe.zoom)
        move = cv2.getRotationMatrix2D((SIDE / 2 - 0.5, SIDE / 2 - 0.5), angle, zoom)
        move[:, 2] += rng.uniform(-recipe.shift, recipe.shift, 2) * SIDE
        warped = cv2.warpAffine(np.ascontiguousarray(image), move, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT_101)
        gain, lift = rng.uniform(1 - recipe.tone, 1 + recipe.tone), rng.uniform(-recipe.tone, recipe.tone) * 64
        images.append(np.clip(warped * gain + lift, 0, 255).astype(np.uint8))
        truths.append(warped_landmarks(truth, move))
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2), torch.stack(truths)


def warped_landmarks(truth: Tensor, move: np.ndarray) -> Tensor:
    """Landmarks (5, 2) in pixels after OpenCV's affine map (2, 3), which counts from the centres of pixels."""
    linear, offset = torch.from_numpy(move[:, :2]).float(), torch.from_numpy(move[:, 2]).float()
    return (truth - 0.5) @ linear.T + offset + 0.5


def evaluate(model: LoadedFaceLandmarks, report: Callable[[int, int], None], count: int = HELD_OUT) -> dict:
    """Metrics on held-out faces, in per cent of the distance between the eyes.

    `mean_error` over all faces and landmarks, `median_error` of the faces, `failures`, the share of faces above 10 %,
    and `error_per_landmark`. `forward_ms_p50` with a batch of one.
    """
    data = cached_faces(held_out_seeds(count))
    found, milliseconds = [], []
    for index in range(count):
        said = model(data.images[index])
        found.append(landmarks.errors(said.landmarks, torch.from_numpy(data.landmarks[index])))
        milliseconds.append(said.seconds * 1000)
        report(index + 1, count)
    each = torch.stack(found)
    return {
        "mean_error": round(float(each.mean()), 2),
        "median_error": round(float(each.mean(1).median()), 2),
        "failures": round(1 - landmarks.share_within(each.mean(1), landmarks.FAILURE), 4),
        "error_per_landmark": {name: round(float(v), 2) for name, v in zip(LANDMARKS, each.mean(0), strict=True)},
        "forward_ms_p50": round(statistics.median(milliseconds), 1),
        "scenes": count,
    }


def cached_faces(seeds: range, workers: int | None = None) -> CachedFaces:
    """Faces of these seeds as the network sees them, drawn on first use; drawing goes on where it was stopped. A change
    of anything that `scenes/` draws, or of the close-ups, starts a new cache."""
    drawn = hashlib.sha256((fingerprint() + inspect.getsource(faces)).encode()).hexdigest()[:10]
    folder = cache_folder() / f"faces-{seeds.start}-{len(seeds)}-{drawn}"
    (images,), told = painted(folder, {"images": (len(seeds), SIDE, SIDE, 3)}, _paint, seeds, CHUNK, workers, "faces")
    return CachedFaces(images, np.array(told, np.float32))


def _paint(arrays: list[np.ndarray], seeds: range, start: int) -> list[list[list[float]]]:
    (images,), places = arrays, []
    for row, seed in enumerate(seeds, start):
        face = faces.close_up(seed)
        images[row] = seen(face.picture())
        places.append(np.asarray(face.landmarks(SIDE), np.float32).tolist())
    return places
