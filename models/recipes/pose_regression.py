"""How the pose network is trained, stage after stage, and judged: PCK and OKS before and after the second look."""

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

import scenes
from labs import pose
from models.networks.classifier import LoadedClassifier
from models.networks.pose_regression import (
    NO_LOSS,
    PATCH,
    REACH,
    RULES,
    SIZE,
    TRUE_PLACE,
    ZEROS,
    LoadedPoseRegression,
    PoseRegression,
    as_batch,
    look,
)  # fmt: skip
from models.recipes import pose_people, training
from models.recipes.pose_people import CROP, ROOM, People, cached_people
from models.recipes.scene_cache import held_out_seeds, training_seeds
from scenes import JOINTS

TASK = "pose"
NAMES = ("pose-regression",)
STARTS_FROM = "classifier-gap-28"
HELD_OUT = 500
LOOSE, STRICT = 0.2, 0.05  # thresholds of PCK, in shares of the person's height
SIDE = CROP / ROOM  # of the person's square in a cached crop, pixels


@dataclass(frozen=True)
class Recipe:
    """AdamW with a one-cycle learning rate and the L2 loss over the joints in sight, for one stage after the other.

    The first layers of both stages start from those of `classifier-gap-28`. Each picture is moved, scaled and, every
    other time, mirrored, left and right exchanged. The second stage learns on squares around the true joints, moved by
    chance as far as the first stage is wrong, joint by joint (DeepPose, section 3.2).
    """

    seed: int = 0
    people: int = 3200
    steps: int = 600
    batch: int = 32
    learning_rate: float = 2e-3
    second_steps: int = 1000
    second_batch: int = 12  # persons, each with 14 patches
    second_learning_rate: float = 2e-3
    weight_decay: float = 0.05
    shift: float = 0.08  # in sides of the person's square, either way
    scale: float = 0.1
    brightness: float = 0.15
    spread_on: int = 192  # persons on whom the first stage's errors are measured


def build(name: str) -> PoseRegression:
    """The network, freshly initialised."""
    return PoseRegression()


def wrap(name: str, module: PoseRegression, device: torch.device, card: dict) -> LoadedPoseRegression:
    """The network behind the interface that pages call."""
    return LoadedPoseRegression(name, module, device, card)


def train(
    name: str, device: torch.device, folder: Path, report: Callable[[int, int, float], None], start: LoadedClassifier
) -> tuple[PoseRegression, dict]:
    """Train from the first layers of `start`, or go on from the last checkpoint in `folder`; see `segmenter.train`."""
    recipe = Recipe()
    data = cached_people(training_seeds(recipe.people))
    torch.manual_seed(recipe.seed)
    net = build(name)
    for stage in (net.first, net.second):
        known = list(start.module.trunk)[: len(stage.trunk)]
        stage.trunk.load_state_dict(torch.nn.Sequential(*known).state_dict())
    settings, total = asdict(recipe), recipe.steps + recipe.second_steps

    def first_loss(step: int) -> Tensor:
        torch.manual_seed(recipe.seed * 1_000_003 + step)  # which units drop out
        images, targets = batch(data, recipe, step)
        said = net.first(images.to(device))
        losses = [
            pose.masked_l2(said[rule], target.to(device), counts.to(device))
            for rule, (target, counts) in targets.items()
        ]
        return torch.stack(losses).sum()  # each teaches its own last layer; see FirstStage

    seconds = training.fit(
        net.first, first_loss, settings, recipe.steps, recipe.learning_rate, recipe.weight_decay, device,
        folder / "first", lambda step, loss: report(step, total, loss),
    )  # fmt: skip
    spread = errors(net, data, recipe, device)

    def second_loss(step: int) -> Tensor:
        patches, offsets, counts = second_batch(data, recipe, step, spread)
        return pose.masked_l2(net.second(patches.to(device)), offsets.to(device), counts.to(device))

    seconds += training.fit(
        net.second, second_loss, settings, recipe.second_steps, recipe.second_learning_rate, recipe.weight_decay,
        device, folder / "second", lambda step, loss: report(recipe.steps + step, total, loss),
    )  # fmt: skip
    facts = settings | {"starts_from": STARTS_FROM, "precision": training.precision(device)}
    facts["first_stage_spread"] = [round(float(each), 4) for each in spread]
    return net.eval(), {"recipe": facts, "training_seconds": round(seconds)}


@dataclass(frozen=True, eq=False)
class Sample:
    """A person of the training, as seen this time: `image` uint8 and, in its pixels, the `square` (4,) of the person
    after it was moved, `joints` (14, 3) and the picture's `corner` (2,), its place (0, 0)."""

    image: np.ndarray
    square: Tensor
    joints: Tensor
    corner: Tensor


def sample(data: People, pick: int, recipe: Recipe, rng: np.random.Generator) -> Sample:
    """A person with its square moved and scaled, every other time in the mirror: left and right are exchanged."""
    image = np.asarray(data.crops[pick])
    joints, frame = (torch.from_numpy(np.array(values[pick])) for values in (data.joints, data.frames))
    corner = frame[:2]
    half = SIDE / 2 * (1 + rng.uniform(-recipe.scale, recipe.scale))
    middle = CROP / 2 + SIDE * rng.uniform(-recipe.shift, recipe.shift, 2)
    if rng.random() < 0.5:
        image, joints = np.ascontiguousarray(image[:, ::-1]), pose.mirrored(joints, CROP)
        corner = torch.stack([CROP - frame[2], frame[1]])
    image = cv2.convertScaleAbs(image, alpha=rng.uniform(1 - recipe.brightness, 1 + recipe.brightness))
    return Sample(image, torch.tensor([*(middle - half), *(middle + half)]).float(), joints, corner)


def batch(data: People, recipe: Recipe, step: int) -> tuple[Tensor, dict[str, tuple[Tensor, Tensor]]]:
    """Images (N, 3, 64, 64) of a step and, for each rule, the poses (N, 14, 2) asked for and which joints count."""
    rng = np.random.default_rng([recipe.seed, step])
    picks = rng.choice(len(data), min(recipe.batch, len(data)), replace=False)
    samples = [sample(data, int(pick), recipe, rng) for pick in picks]
    squares, joints = (torch.stack([getattr(each, name) for each in samples]) for name in ("square", "joints"))
    truth, seen = pose.normalised(joints[..., :2], squares), joints[..., 2] == 2
    corners = torch.stack([each.corner for each in samples])[:, None].expand(-1, len(JOINTS), -1)
    zeros = torch.where(seen[..., None], truth, pose.normalised(corners.contiguous(), squares))
    everywhere = torch.ones_like(seen)
    images = as_batch([look(each.image, each.square, SIZE) for each in samples])
    return images, {NO_LOSS: (truth, seen), TRUE_PLACE: (truth, everywhere), ZEROS: (zeros, everywhere)}


def errors(net: PoseRegression, data: People, recipe: Recipe, device: torch.device) -> Tensor:
    """How far the first stage is wrong, (14,): the deviation along x and y of each joint in sight, in sides of the
    person's square."""
    rng = np.random.default_rng([recipe.seed, recipe.steps])
    samples = [sample(data, pick, recipe, rng) for pick in range(recipe.spread_on)]
    net.first.eval()
    with torch.inference_mode():
        said = net.first(as_batch([look(each.image, each.square, SIZE) for each in samples]).to(device))[NO_LOSS]
    net.first.train()
    squares, joints = (torch.stack([getattr(each, name) for each in samples]) for name in ("square", "joints"))
    squares_off = (said.float().cpu() - pose.normalised(joints[..., :2], squares)).square().mean(-1)
    seen = (joints[..., 2] == 2).float()
    return ((squares_off * seen).sum(0) / seen.sum(0)).sqrt()


def second_batch(data: People, recipe: Recipe, step: int, spread: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Patches (N · 14, 3, 40, 40) of a step around joints that are off by chance, the offsets (N, 14, 2) that would put
    them right in sides of a patch, and which joints count (N, 14): those in sight whose true place lies in the patch.
    """
    rng = np.random.default_rng([recipe.seed, step, 2])
    picks = rng.choice(len(data), recipe.second_batch, replace=False)
    patches, offsets, counts = [], [], []
    for pick in picks:
        each = sample(data, int(pick), recipe, rng)
        width = each.square[2] - each.square[0]
        wrong = torch.from_numpy(rng.normal(size=(len(JOINTS), 2))).float() * spread[:, None] * width
        side = width * REACH
        guess = each.joints[:, :2] + wrong
        patches += [look(each.image, patch, PATCH) for patch in pose.patches(guess, side)]
        offsets.append(-wrong / side)
        counts.append((each.joints[:, 2] == 2) & ((wrong / side).abs() <= 0.5).all(-1))
    return as_batch(patches), torch.stack(offsets), torch.stack(counts)


def evaluate(model: LoadedPoseRegression, report: Callable[[int, int], None], count: int = HELD_OUT) -> dict:
    """Both stages on held-out scenes with one person, whose true box is given.

    Returns:
        `pck`, `pck_strict`: PCK at 0.2 and at 0.05 of the person's height, over the joints in sight, after the second
        stage; `oks`, the mean over the persons; all three with `_first_stage`. `pck_hidden`: PCK at 0.2 of the joints
        of the picture that are out of sight. For the first stage's last layers that got a loss for joints out of
        sight, `pck_first_stage_true_place` and `pck_first_stage_zeros`, and both as `pck_hidden_…`.
        `forward_ms_p50`: both stages, one person.
    """
    found: dict[str, list[Tensor]] = {name: [] for name in ("first", "second", *RULES[1:])}
    truths, heights, areas, milliseconds = [], [], [], []
    for index, seed in enumerate(held_out_seeds(count)):
        view = scenes.render(pose_people.compose(seed), pose_people.SIZE)
        person = pose_people.person_of(view)
        report(index + 1, count)
        if person is None:
            continue
        box = torch.from_numpy(person.box).float()
        answer = model(view.image, box)
        found["first"].append(answer.first)
        found["second"].append(answer.second)
        for rule in RULES[1:]:
            found[rule].append(model(view.image, box, rule).first)
        milliseconds.append(answer.seconds * 1000)
        truths.append(torch.from_numpy(person.keypoints).float())
        heights.append(float(person.full_box[3] - person.full_box[1]))
        areas.append(float(person.mask.sum()))
    truth, height, area = torch.stack(truths), torch.tensor(heights), torch.tensor(areas)
    poses = {name: torch.stack(each) for name, each in found.items()}
    seen, hidden = truth[..., 2] == 2, truth[..., 2] == 1

    def right(name: str, counts: Tensor, threshold: float = LOOSE) -> float:
        return round(float(pose.pck(poses[name], truth[..., :2], counts, height, threshold).pck), 4)

    def similar(name: str) -> float:
        return round(float(pose.oks(poses[name], truth[..., :2], seen, area).nanmean()), 4)

    return {
        "pck": right("second", seen),
        "pck_first_stage": right("first", seen),
        "pck_strict": right("second", seen, STRICT),
        "pck_strict_first_stage": right("first", seen, STRICT),
        "oks": similar("second"),
        "oks_first_stage": similar("first"),
        "pck_hidden": right("first", hidden),
        "pck_first_stage_true_place": right(TRUE_PLACE, seen),
        "pck_hidden_true_place": right(TRUE_PLACE, hidden),
        "pck_first_stage_zeros": right(ZEROS, seen),
        "pck_hidden_zeros": right(ZEROS, hidden),
        "forward_ms_p50": round(statistics.median(milliseconds), 1),
        "scenes": count,
    }
