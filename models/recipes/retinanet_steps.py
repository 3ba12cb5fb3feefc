"""The first steps of RetinaNet's head for the classes, taken while somebody watches: with the prior on its last bias
and without (Lin et al. 2017, section 4.1)."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torchvision.models.detection.image_list import ImageList

import scenes
from labs import focal_loss
from models.networks.encoder import normalised
from models.networks.retinanet import ClassificationHead, LoadedRetinaNet, Objective, match_of
from models.recipes.scene_cache import SIZE, training_seeds
from scenes import THINGS

SCENES = 12  # training scenes that are looked at
PRIORS = {"with the prior π = 0.01": focal_loss.PRIOR, "without: every sigmoid says 0.5": 0.5}


@dataclass(frozen=True)
class Settings:
    """`gamma` and `alpha` of the loss; SGD with momentum as in the paper, `batch` scenes a step."""

    gamma: float = focal_loss.GAMMA
    alpha: float = focal_loss.ALPHA
    steps: int = 100
    batch: int = 2
    learning_rate: float = 0.01
    momentum: float = 0.9
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Progress:
    """After `step` steps, per start of PRIORS: the `losses` of all steps, and what the sigmoids `said` before each, the
    mean over positives' right classes and over all else. A loss that is no number any more ends its list."""

    step: int
    losses: dict[str, list[float]]
    said: dict[str, list[tuple[float, float]]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Looked:
    """Per scene: the pyramid of the frozen trunk, and which sigmoids are asked (M,) and what they should say (M, 8)."""

    levels: list[list[Tensor]]
    asked: list[Tensor]
    right: list[Tensor]


def looked(network: LoadedRetinaNet) -> Looked:
    """The trunk of `network` on the first training scenes, on the CPU."""
    levels, asked, right = [], [], []
    for seed in training_seeds(SCENES):
        view = scenes.render(scenes.sample(seed), SIZE)
        x = torch.from_numpy(view.image.copy()).permute(2, 0, 1)[None].to(network.device).float() / 255
        with torch.inference_mode():
            pyramid = list(network.module.backbone(normalised(x)).values())
            anchors = network.module.anchor_generator(ImageList(x, [(SIZE, SIZE)]), pyramid)[0]
        truth = torch.from_numpy(np.array([thing.box for thing in view.instances], np.float32).reshape(-1, 4))
        labels = torch.tensor([THINGS.index(thing.label) for thing in view.instances], dtype=torch.int64)
        match = match_of(network.module, truth, anchors.float().cpu())
        levels.append([each.float().cpu().clone() for each in pyramid])
        asked.append(match != -2)
        right.append(focal_loss.wanted(match, labels, len(THINGS)))
    return Looked(levels, asked, right)


def learn(settings: Settings, seen: Looked) -> Iterator[Progress]:
    """Both heads from the same start but for the bias, step by step on the same scenes."""
    heads, optimizers = {}, {}
    for name, prior in PRIORS.items():
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            head = ClassificationHead(Objective(settings.gamma, settings.alpha))
        bias = head.cls_logits.bias
        assert bias is not None, "A convolution has a bias unless told otherwise."
        torch.nn.init.constant_(bias, focal_loss.prior_bias(prior))
        heads[name] = head.train()
        optimizers[name] = torch.optim.SGD(head.parameters(), settings.learning_rate, settings.momentum)
    losses: dict[str, list[float]] = {name: [] for name in PRIORS}
    said: dict[str, list[tuple[float, float]]] = {name: [] for name in PRIORS}
    for step in range(settings.steps):
        picks = np.random.default_rng([settings.seed, step]).choice(len(seen.levels), settings.batch, replace=False)
        levels = [torch.cat([seen.levels[pick][level] for pick in picks]) for level in range(len(seen.levels[0]))]
        for name, head in heads.items():
            if losses[name] and not np.isfinite(losses[name][-1]):
                continue
            logits = head(levels)
            loss, answers = _of(logits, [(seen.asked[pick], seen.right[pick]) for pick in picks], settings)
            losses[name].append(float(loss.detach()))
            said[name].append(answers)
            optimizers[name].zero_grad(set_to_none=True)
            loss.backward()
            optimizers[name].step()
        yield Progress(step + 1, {k: list(v) for k, v in losses.items()}, {k: list(v) for k, v in said.items()})


def _of(logits: Tensor, truths: list[tuple[Tensor, Tensor]], settings: Settings) -> tuple[Tensor, tuple[float, float]]:
    parts, yes, no = [], [], []
    for own, (asked, right) in zip(logits, truths, strict=True):
        paid = focal_loss.focal_loss(own[asked], right[asked], settings.gamma, settings.alpha)
        parts.append(paid.sum() / max(1, int(right.any(1).sum())))
        answers = own.detach().sigmoid()
        yes.append(answers[right])
        no.append(answers[asked][~right[asked]])
    return torch.stack(parts).mean(), (float(torch.cat(yes).mean()), float(torch.cat(no).mean()))
