"""How the tiny segmenter learns, in the page, while somebody watches.

`Training` runs in a thread of its own. At most two run in a process at once; the others wait. One that nobody looks at
any more stops by itself.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

import scenes
from labs import pixel_cross_entropy, segmentation_metrics
from models.background import PATIENCE, Background
from models.networks.tiny_segmenter import TinySegmenter, as_tensor
from models.recipes.scene_cache import held_out_seeds, training_seeds
from scenes import CLASSES, Knobs

AT_ONCE = 2  # trainings in one process
JUDGE_EVERY = 10  # steps between two looks at the held-out scenes
HELD_OUT = 6

_places = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True)
class Settings:
    """What is learned: scenes of these knobs, `size` pixels a side (a multiple of 8), `batch` of them in each of
    `steps` steps of AdamW under one cycle of the learning rate. Scenes are drawn one a step, up to `pool` of them."""

    knobs: Knobs = field(default_factory=Knobs)
    steps: int = 400
    size: int = 64
    batch: int = 8
    pool: int = 160
    learning_rate: float = 8e-3
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Progress:
    """A training as it is now.

    Attributes:
        state: "new", "waiting", "training", "stopped", "done" or "failed".
        step: steps done.
        losses: of every step.
        scores: (step, mIoU on the held-out scenes of the same knobs, over the classes of their truth).
        labels: uint8 (P, size, size), the classes seen in the watched pictures; None before the first look at them.
        steps_per_second: over the steps so far; 0 before the first.
    """

    state: str
    step: int
    losses: list[float]
    scores: list[tuple[int, float]]
    labels: np.ndarray | None
    steps_per_second: float


class Training(Background):
    """One tiny network that learns in a thread of its own, on the CPU.

    Args:
        settings: what is learned.
        watched: pictures uint8 (size, size, 3) that the network labels every few steps for somebody to see.
        patience: seconds without a call of `progress` after which it stops.
    """

    def __init__(self, settings: Settings, watched: Sequence[np.ndarray] = (), patience: float = PATIENCE):
        super().__init__("tiny-segmenter", _places, patience, working="training")
        self.settings = settings
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.module = TinySegmenter()
        self._optimizer = torch.optim.AdamW(self.module.parameters(), settings.learning_rate, weight_decay=0.01)
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimizer, settings.learning_rate, settings.steps, pct_start=0.15
        )
        self._watched = tuple(np.asarray(each) for each in watched)
        self._seen: tuple[tuple[np.ndarray, ...], np.ndarray | None] = (self._watched, None)  # pictures, their labels
        self._images: list[np.ndarray] = []
        self._truths: list[np.ndarray] = []
        self._held_out: list[scenes.View] = []
        self._losses, self._scores = [], []
        self._busy = 0.0

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return len(self._losses) >= self.settings.steps

    def watch(self, pictures: Sequence[np.ndarray]) -> None:
        """Look at these pictures from now on: with the next look of a network that learns, at once by one that rests.

        The same pictures again cost nothing.
        """
        pictures = tuple(np.asarray(each) for each in pictures)
        if len(pictures) == len(self._watched) and all(map(np.array_equal, pictures, self._watched)):
            return
        self._watched = pictures
        if not self.running:
            self._seen = pictures, self._labels_of(pictures)

    def progress(self) -> Progress:
        """How far it is; also the sign that somebody still watches."""
        self._looked()
        losses = list(self._losses)
        speed = len(losses) / self._busy if self._busy else 0.0
        pictures, labels = self._seen
        labels = labels if pictures is self._watched else None
        return Progress(self.state, len(losses), losses, list(self._scores), labels, speed)

    def _work(self) -> bool:
        settings = self.settings
        for seed in held_out_seeds(HELD_OUT)[len(self._held_out) :]:
            if self._left():
                return False
            self._held_out.append(scenes.render(scenes.sample(seed, settings.knobs), settings.size))
        if not self._losses:
            self._judge()
        while not self.finished and not self._left():
            began = time.perf_counter()
            images, labels = self._batch(len(self._losses))
            self.module.train()
            loss = pixel_cross_entropy.loss(self.module(images), labels)
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self._optimizer.step()
            self._schedule.step()
            self._busy += time.perf_counter() - began
            self._losses.append(float(loss.detach()))
            if len(self._losses) % JUDGE_EVERY == 0 or len(self._losses) == settings.steps:
                self._judge()
            time.sleep(0.002)  # other sessions first
        return self.finished

    def _batch(self, step: int) -> tuple[Tensor, Tensor]:
        """One scene is new in each step, until the pool is full; half of them are mirrored."""
        settings = self.settings
        wanted = min(settings.batch + step, settings.pool)
        for seed in training_seeds(wanted)[len(self._images) :]:
            view = scenes.render(scenes.sample(seed, settings.knobs), settings.size)
            self._images.append(view.image)
            self._truths.append(view.semantic)
        rng = np.random.default_rng([settings.seed, step])
        sides = rng.choice([-1, 1], settings.batch)
        picks = rng.choice(len(self._images), settings.batch, replace=False)
        images = np.stack([self._images[pick][:, ::side] for pick, side in zip(picks, sides, strict=True)])
        labels = np.stack([self._truths[pick][:, ::side] for pick, side in zip(picks, sides, strict=True)])
        return as_tensor(images), torch.from_numpy(labels).long()

    def _judge(self) -> None:
        watched = self._watched  # which may be exchanged meanwhile
        labels = self._labels_of([*(view.image for view in self._held_out), *watched])
        counts = [
            segmentation_metrics.confusion_matrix(view.semantic, found, len(CLASSES))
            for view, found in zip(self._held_out, labels, strict=False)
        ]
        self._seen = watched, labels[len(self._held_out) :]
        # Six scenes need not hold every class, so one stray pixel of such a class must not count as a class.
        self._scores.append((len(self._losses), segmentation_metrics.scene_mean_iou(np.sum(counts, axis=0))))

    def _labels_of(self, images: Sequence[np.ndarray]) -> np.ndarray:
        self.module.eval()
        with torch.inference_mode():
            return self.module(as_tensor(np.stack(images))).argmax(1).to(torch.uint8).numpy()
