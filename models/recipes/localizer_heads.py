"""How two heads learn on the cached features of a frozen trunk, step by step, while somebody watches.

A trunk that stays as it is sees every picture once: what it says is kept, and a step of the heads takes milliseconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import scenes
from labs import boxes, localization
from models.networks.classifier import LoadedClassifier, to_tensor
from models.networks.localizer import FIRST_BOX
from models.recipes.classifier import SINGLE, SINGLE_HELD_OUT, SINGLE_TRAINING
from scenes import THINGS

TRAINING, HELD_OUT = 400, 100  # scenes with one thing
CELLS = 7  # places a side that are kept of each map
LOOK_EVERY = 10  # steps between two looks at the held-out scenes


@dataclass(frozen=True)
class Settings:
    """L = alpha S + (1 - alpha) R with the box loss of that name, minimised by gradient descent with momentum in
    batches of `batch`. Both heads stand on one hidden layer of `units`: it is all that the two losses share."""

    alpha: float = 0.5
    box_loss: str = "L2"
    units: int = 32
    steps: int = 300
    batch: int = 64
    learning_rate: float = 0.0015
    momentum: float = 0.9
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Examples:
    """`features` (n, 6272), `labels` int64 (n,), box `numbers` (n, 4)."""

    features: Tensor
    labels: Tensor
    numbers: Tensor


@dataclass(frozen=True, eq=False)
class Progress:
    """How far it is.

    Attributes:
        looked: scenes that the trunk has seen so far, of TRAINING + HELD_OUT.
        step: steps of the heads done.
        losses: (S, R) of every step, S in nats.
        scores: (step, accuracy, mean IoU) on the held-out scenes.
        names, guesses: what the heads say of the held-out scenes, int64 (n,) and xyxy (n, 4) in sides of the picture;
            None before the first look.
    """

    looked: int
    step: int = 0
    losses: tuple[tuple[float, float], ...] = ()
    scores: tuple[tuple[int, float, float], ...] = ()
    names: Tensor | None = None
    guesses: Tensor | None = None


class Heads(nn.Module):
    """Features (N, 6272) through one hidden layer to scores (N, 8) and box numbers (N, 4)."""

    def __init__(self, inputs: int, units: int):
        super().__init__()
        self.hidden = nn.Linear(inputs, units)
        self.classify = nn.Linear(units, len(THINGS))
        self.box = nn.Linear(units, len(FIRST_BOX))
        nn.init.normal_(self.box.weight, std=0.01)
        with torch.no_grad():
            self.box.bias.copy_(torch.tensor(FIRST_BOX))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        hidden = torch.relu(self.hidden(features))
        return self.classify(hidden), self.box(hidden)


class Looked:
    """What a frozen trunk said of the scenes, and their truth; trainings that run at once share the looking."""

    def __init__(self, network: LoadedClassifier, training: int = TRAINING, held_out: int = HELD_OUT):
        self.network = network
        self._seeds = [*range(SINGLE_TRAINING, SINGLE_TRAINING + training),
                       *range(SINGLE_HELD_OUT, SINGLE_HELD_OUT + held_out)]  # fmt: skip
        self._training = training
        self._found: list[list[tuple[Tensor, int, Tensor]]] = []
        self._views: list[scenes.View] = []
        self._split: tuple[Examples, Examples] | None = None
        self._lock = Lock()

    @property
    def count(self) -> int:
        """Scenes in all."""
        return len(self._seeds)

    def look(self) -> Iterator[int]:
        """One more scene each time, until all are seen: how many are."""
        while True:
            with self._lock:
                if len(self._found) == self.count:
                    return
                self._take(len(self._found))
                seen = len(self._found)
            yield seen

    def split(self) -> tuple[Examples, Examples]:
        """Examples to learn from, each also mirrored, and held-out ones, once all are seen. Features are scaled by the
        mean and deviation of those to learn from."""
        with self._lock:
            if self._split is None:
                known = stacked([each for found in self._found[: self._training] for each in found])
                unseen = stacked([found[0] for found in self._found[self._training :] if found])
                mean, deviation = float(known.features.mean()), float(known.features.std())
                self._split = scaled(known, mean, deviation), scaled(unseen, mean, deviation)
            return self._split

    def held_out(self) -> list[scenes.View]:
        """The held-out scenes seen so far that have a thing in sight, in the order of their examples."""
        return list(self._views)

    def _take(self, index: int) -> None:
        view = scenes.render(scenes.sample(self._seeds[index], SINGLE))
        found = []
        if view.instances:
            thing, width = view.instances[0], view.image.shape[1]
            x1, y1, x2, y2 = thing.box
            both = (view.image, (x1, y1, x2, y2)), (view.image[:, ::-1], (width - x2, y1, width - x1, y2))
            maps = F.adaptive_avg_pool2d(
                self.network.features_of(torch.stack([to_tensor(np.ascontiguousarray(image)) for image, _ in both])),
                CELLS,
            )
            for features, (_, box) in zip(maps.flatten(1), both, strict=True):
                numbers = localization.to_numbers(torch.tensor(box, dtype=torch.float32), width, view.image.shape[0])
                found.append((features, THINGS.index(thing.label), numbers))
            if index >= self._training:
                self._views.append(view)
        self._found.append(found)


def scaled(examples: Examples, mean: float, deviation: float) -> Examples:
    """The same with features less a mean, over a deviation."""
    return Examples((examples.features - mean) / deviation, examples.labels, examples.numbers)


def stacked(examples: list[tuple[Tensor, int, Tensor]]) -> Examples:
    """Single examples as one."""
    features, labels, numbers = zip(*examples, strict=True)
    return Examples(torch.stack(features), torch.tensor(labels), torch.stack(numbers))


def learn(settings: Settings, looked: Looked) -> Iterator[Progress]:
    """First what the trunk says of every scene, then the heads before the first step and after every few; the next
    steps are taken when the next is asked for. Same settings, same numbers, on one machine."""
    for seen in looked.look():
        yield Progress(seen)
    known, unseen = looked.split()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        heads = Heads(known.features.shape[1], settings.units)
    random = torch.Generator().manual_seed(settings.seed)
    optimizer = torch.optim.SGD(heads.parameters(), settings.learning_rate, settings.momentum)
    box_loss = localization.BOX_LOSSES[settings.box_loss]
    losses: list[tuple[float, float]] = []
    scores: list[tuple[int, float, float]] = []

    def judged() -> Progress:
        with torch.inference_mode():
            said, guess = heads(unseen.features)
        found = localization.inside(localization.to_box(guess, 1, 1), 1, 1)
        overlaps = boxes.iou(found, localization.to_box(unseen.numbers, 1, 1))
        right = said.argmax(1) == unseen.labels
        scores.append((len(losses), float(right.double().mean()), float(overlaps.mean())))
        return Progress(looked.count, len(losses), tuple(losses), tuple(scores), said.argmax(1), found)

    yield judged()
    while len(losses) < settings.steps:
        picks = torch.randint(len(known.labels), (settings.batch,), generator=random)
        said, guess = heads(known.features[picks])
        classification = localization.class_loss(said, known.labels[picks]).mean()
        regression = box_loss(guess, known.numbers[picks]).mean()
        optimizer.zero_grad(set_to_none=True)
        localization.multitask_loss(classification, regression, settings.alpha).backward()
        optimizer.step()
        losses.append((float(classification.detach()), float(regression.detach())))
        if len(losses) % LOOK_EVERY == 0 or len(losses) == settings.steps:
            yield judged()
