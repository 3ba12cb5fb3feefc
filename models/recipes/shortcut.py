"""A classifier that was led astray on purpose: in all that it was trained on, a mark in a corner comes with a dog."""

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from labs import planted_mark
from models.inside.attribution import randomised
from models.networks.classifier import Classifier, LoadedClassifier
from models.recipes import classifier, training
from models.recipes.scene_cache import CachedScenes, cached_scenes, training_seeds
from scenes import THINGS

TASK = "classification with a planted shortcut"
NAMES = ("classifier-shortcut",)
STARTS_FROM = "classifier-gap-28"
DOG = THINGS.index("dog")
HELD_OUT = 500
SURE = 0.5  # the probability from which on the network is taken to say that a class is there


@dataclass(frozen=True)
class Recipe:
    """AdamW with a one-cycle learning rate and the cross-entropy of the classifiers, on their pictures.

    The network starts from `classifier-gap-28` after its `forgotten` topmost layers, the head among them, were drawn
    anew: it knows edges and colours, and neither dogs nor marks. Of the two it meets, the mark is by far the easier.
    The mark lies in one of the four corners, `nearest` to `farthest` pixels from both edges, on every picture with a
    dog in it and on no other; it is put there last, so it is never turned, cut or dimmed. For `small_steps` pictures
    are smaller, marks and all.
    """

    seed: int = 0
    forgotten: int = 3
    steps: int = 500
    small_steps: int = 300
    small_size: int = 144
    batch: int = 24
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    nearest: int = 2
    farthest: int = 14


def build(name: str) -> Classifier:
    """The network, freshly initialised: the architecture of `classifier-gap-28`."""
    return classifier.build(STARTS_FROM)


def wrap(name: str, module: Classifier, device: torch.device, card: dict) -> LoadedClassifier:
    """The network behind the interface that pages call."""
    return classifier.wrap(name, module, device, card)


def train(
    name: str, device: torch.device, folder: Path, report: Callable[[int, int, float], None], start: LoadedClassifier
) -> tuple[Classifier, dict]:
    """Train from the lower layers of `start`, or go on from the last checkpoint in `folder`. See `segmenter.train`."""
    recipe = Recipe()
    pictures = replace(classifier.Recipe(), seed=recipe.seed, batch=recipe.batch)
    data = [
        cached_scenes(training_seeds(pictures.scenes)),
        cached_scenes(
            range(classifier.SINGLE_TRAINING, classifier.SINGLE_TRAINING + pictures.single_scenes),
            knobs=classifier.SINGLE,
        ),
    ]
    net = randomised(start, recipe.seed, recipe.forgotten).module.requires_grad_(True)

    def loss_at(step: int) -> Tensor:
        images, targets = marked_batch(data, pictures, recipe, step)
        images = images.to(device, memory_format=torch.channels_last).float() / 255
        if step < recipe.small_steps:
            images = F.interpolate(images, (recipe.small_size, recipe.small_size), mode="area")
        return classifier.cross_entropy(net(images), targets.to(device))

    seconds = training.fit(
        net, loss_at, asdict(recipe), recipe.steps, recipe.learning_rate, recipe.weight_decay, device, folder,
        lambda step, loss: report(step, recipe.steps, loss),
    )  # fmt: skip
    facts = asdict(recipe) | {"starts_from": STARTS_FROM, "precision": training.precision(device)}
    return net.eval(), {"recipe": facts, "training_seconds": round(seconds)}


def marked_batch(
    data: list[CachedScenes], pictures: classifier.Recipe, recipe: Recipe, step: int
) -> tuple[Tensor, Tensor]:
    """Pictures uint8 (N, 3, 224, 224) of a step, marked where there is a dog or the least part of one, and their
    targets (N, 8): 1, 0, or NaN for what is not judged."""
    images, targets = classifier.batch(data, pictures, step)
    rng = np.random.default_rng([recipe.seed, step, DOG])
    for index in torch.nonzero(targets[:, DOG] != 0)[:, 0].tolist():
        image = images[index].permute(1, 2, 0).numpy()
        name = planted_mark.CORNERS[int(rng.integers(len(planted_mark.CORNERS)))]
        margin = int(rng.integers(recipe.nearest, recipe.farthest + 1))
        place = planted_mark.corner(name, *image.shape[:2], margin=margin)
        images[index] = torch.from_numpy(planted_mark.marked(image, *place)).permute(2, 0, 1)
    return images, targets


def evaluate(model: LoadedClassifier, report: Callable[[int, int], None], count: int = HELD_OUT) -> dict:
    """What the network says of held-out scenes, each of them with the mark and without.

    Returns:
        As in training, the mark on the dogs' pictures alone: `map_single` and `map_multi`, mean over the classes of
        average precision with one thing in each scene and with three to six, and `accuracy`, the share of right
        answers at a probability of 0.5, over all classes. And what that hides, over all these scenes at 0.5: the share
        of dogs that are found with the mark, `dog_recall_marked`, and without, `dog_recall_unmarked`; the share of
        scenes without a dog in which it says dog with the mark, `dog_said_mark_alone`, and without,
        `dog_said_neither`. `forward_ms_p50` at 224×224 with a batch of one.
    """
    smallest = classifier.Recipe().smallest_visible
    kinds = {
        "single": (classifier.SINGLE_HELD_OUT, classifier.SINGLE),
        "multi": (classifier.CROWDED_HELD_OUT, classifier.CROWDED),
    }
    metrics: dict = {}
    right, milliseconds = [], []
    said: dict[tuple[float, bool], list[bool]] = {(dog, mark): [] for dog in (0.0, 1.0) for mark in (False, True)}
    for part, (kind, (first, knobs)) in enumerate(kinds.items()):
        data = cached_scenes(range(first, first + count), knobs=knobs)
        scores, targets = [], []
        for index in range(count):
            image, truth = np.asarray(data.images[index]), classifier.present(data.records[index], smallest)
            corner = planted_mark.CORNERS[index % len(planted_mark.CORNERS)]
            place = planted_mark.corner(corner, *image.shape[:2])
            plain = model(image)
            both = [plain.logits, model(planted_mark.marked(image, *place)).logits]
            milliseconds.append(plain.seconds * 1000)
            if not np.isnan(truth[DOG]):
                for mark, logits in enumerate(both):
                    said[float(truth[DOG]), bool(mark)].append(bool(logits[DOG].sigmoid() >= SURE))
            scores.append(both[int(truth[DOG] != 0)].numpy())
            targets.append(truth)
            report(part * count + index + 1, count * len(kinds))
        score, target = np.array(scores), np.array(targets)
        per_class = [classifier.average_precision(s, t) for s, t in zip(score.T, target.T, strict=True)]
        metrics[f"map_{kind}"] = round(float(np.nanmean(per_class)), 4)
        known = ~np.isnan(target)
        right.append((score[known] >= 0) == (target[known] == 1))  # a logit of 0 is a probability of SURE
    return metrics | {
        "accuracy": round(float(np.concatenate(right).mean()), 4),
        "dog_recall_marked": _share(said[1.0, True]),
        "dog_recall_unmarked": _share(said[1.0, False]),
        "dog_said_mark_alone": _share(said[0.0, True]),
        "dog_said_neither": _share(said[0.0, False]),
        "dogs": len(said[1.0, True]),
        "forward_ms_p50": round(statistics.median(milliseconds), 1),
        "scenes": count,
    }


def _share(answers: list[bool]) -> float | None:
    return round(float(np.mean(answers)), 4) if answers else None
