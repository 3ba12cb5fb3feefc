"""How LeNet-5 learns scikit-learn's 1,797 real handwritten digits, step by step, while somebody watches.

They are the test part of the UCI set of optical digits (Alpaydin, Kaynak 1998), 8×8 pixels, by 13 people. Digits held
out here are by the same people as those learned from.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits

from models.networks.lenet import LeNet, as_tensor

HELD_OUT = 597
LOOK_EVERY = 10  # steps between two looks


@dataclass(frozen=True)
class Settings:
    """`epochs` times all 1,200 digits in batches of `batch`, by AdamW under one cycle of the learning rate."""

    epochs: int = 8
    batch: int = 32
    learning_rate: float = 4e-3
    seed: int = 0

    @property
    def steps(self) -> int:
        return self.epochs * -(-(len(load_digits().target) - HELD_OUT) // self.batch)


@dataclass(frozen=True, eq=False)
class Digits:
    """Pictures (n, 8, 8) from 0 (paper) to 16 (ink), and the digits 0 to 9 that they show, int64 (n,)."""

    pictures: np.ndarray
    labels: np.ndarray

    @property
    def pixels(self) -> np.ndarray:
        """The 64 raw numbers of each, float64 (n, 64)."""
        return self.pictures.reshape(len(self.pictures), -1)


@dataclass(frozen=True, eq=False)
class Progress:
    """A training as it is now.

    Attributes:
        step: steps done.
        losses: of every step, nats.
        accuracies: (step, share of the held-out digits that are named right).
        signatures: float32 (597, 120), what C5 says of the held-out digits.
    """

    step: int
    losses: tuple[float, ...]
    accuracies: tuple[tuple[int, float], ...]
    signatures: np.ndarray


def split(seed: int = 0) -> tuple[Digits, Digits]:
    """1,200 digits to learn from and 597 held out, drawn by `seed`."""
    found = load_digits()
    order = np.random.default_rng(seed).permutation(len(found.target))
    pictures, labels = found.images[order], found.target[order].astype(np.int64)
    return Digits(pictures[HELD_OUT:], labels[HELD_OUT:]), Digits(pictures[:HELD_OUT], labels[:HELD_OUT])


def learn(settings: Settings) -> Iterator[Progress]:
    """The network before the first step, then after every few; the next steps are taken when the next is asked for.

    Same settings, same numbers, on one machine.
    """
    known, held_out = split(settings.seed)
    inputs, targets = as_tensor(known.pictures), torch.from_numpy(known.labels)
    unseen, answers = as_tensor(held_out.pictures), torch.from_numpy(held_out.labels)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        module = LeNet()
    random = torch.Generator().manual_seed(settings.seed)
    optimizer = torch.optim.AdamW(module.parameters(), settings.learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.learning_rate, settings.steps, pct_start=0.2)
    losses: list[float] = []
    accuracies: list[tuple[int, float]] = []

    def look() -> Progress:
        with torch.inference_mode():
            signatures = module.signature(unseen)
            right = module.classify(signatures).argmax(1) == answers
        accuracies.append((len(losses), float(right.double().mean())))
        return Progress(len(losses), tuple(losses), tuple(accuracies), signatures.numpy())

    yield look()
    for _ in range(settings.epochs):
        for picks in torch.randperm(len(targets), generator=random).split(settings.batch):
            loss = F.cross_entropy(module(inputs[picks]), targets[picks])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
            if len(losses) % LOOK_EVERY == 0 and len(losses) < settings.steps:
                yield look()
    yield look()
