"""How the detector of films is trained, on frames of films, and judged: by how well its things are followed."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.ops import generalized_box_iou_loss

from models.networks.centre_detector import SIZE, STRIDE, CentreDetector, LoadedCentreDetector, boxes_everywhere
from models.recipes import film_scores, training
from models.recipes.film_cache import CachedFrames, cached_frames, training_films
from scenes import THINGS

TASK = "centre detection"
NAMES = ("detector-film",)
STARTS_FROM = None
IGNORED = -1  # label of what is hardly there: neither a middle nor none
NARROW = 0.54  # share of a thing's side over which its heat falls off
CENTRAL = 0.2  # share of a thing's side, to each side of its middle, where its box is asked for


@dataclass(frozen=True)
class Recipe:
    """AdamW under a one-cycle learning rate from a random start. Frames are mirrored, zoomed into, lit and made noisy
    at random, so that a rim may cut anything anywhere. Made for a GPU, where all of it runs: a CPU needs a day."""

    seed: int = 0
    films: int = 4000
    each: int = 10  # frames of a film
    steps: int = 5300
    batch: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    mirrored: float = 0.5  # shares of the frames
    moved: float = 0.4
    zoom: float = 1.6  # at most
    light: float = 0.25  # brighter or darker by this share, at most
    noise: float = 0.05  # standard deviation, of 1, at most
    smallest_visible: float = 0.15  # of a thing; less than this of it is not asked for
    smallest_side: float = 4.0  # pixels


def build(name: str) -> CentreDetector:
    """The network, freshly initialised."""
    return CentreDetector()


def wrap(name: str, module: CentreDetector, device: torch.device, card: dict) -> LoadedCentreDetector:
    """The network behind the interface that pages call."""
    return LoadedCentreDetector(name, module, device, card)


def train(
    name: str, device: torch.device, folder: Path, report: Callable[[int, int, float], None], start: None
) -> tuple[CentreDetector, dict]:
    """Train from nothing, or go on from the last checkpoint in `folder`."""
    recipe = Recipe()
    frames = cached_frames(training_films(recipe.films), recipe.each)
    images, boxes, labels = tables(frames, recipe, device)
    torch.manual_seed(recipe.seed)
    module = build(name)

    def loss_at(step: int) -> Tensor:
        random = torch.Generator(device).manual_seed(recipe.seed * 1_000_003 + step)
        rows = torch.randint(len(images), (recipe.batch,), generator=random, device=device)
        with torch.autocast(device.type, enabled=False):  # half precision cannot tell pixel 200 from 200.1
            pictures = images[rows].permute(0, 3, 1, 2).float() / 255
            seen, there, which = varied(pictures, boxes[rows], labels[rows], recipe, random)
        said = module(seen)
        with torch.autocast(device.type, enabled=False):
            return loss(*said, there, which)

    seconds = training.fit(
        module, loss_at, asdict(recipe), recipe.steps, recipe.learning_rate, recipe.weight_decay, device, folder,
        lambda step, value: report(step, recipe.steps, value), largest_gradient=10.0,
    )  # fmt: skip
    facts = {"recipe": asdict(recipe) | {"precision": training.precision(device)}, "training_seconds": round(seconds)}
    return module.eval(), facts


def evaluate(model: LoadedCentreDetector, report: Callable[[int, int], None]) -> dict:
    """IDF1, MOTA and HOTA of the tracker's defaults over held-out films, which share of the things are found, by size,
    and `forward_ms_p50` at 224x224."""
    return film_scores.evaluate(model, report)


def tables(frames: CachedFrames, recipe: Recipe, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """On the device: all frames, uint8 (N, 224, 224, 3); boxes (N, T, 4); labels (N, T) int64, from 1, 0 where a frame
    has no further thing, IGNORED for what is too hidden."""
    most = max(len(truth) for truth in frames.truth)
    table = np.zeros((len(frames), most, 6), np.float32)
    for row, truth in zip(table, frames.truth, strict=True):
        row[: len(truth)] = truth
    boxes, labels, visible = (torch.from_numpy(each.copy()) for each in (table[..., :4], table[..., 4], table[..., 5]))
    labels[(labels > 0) & (visible < recipe.smallest_visible)] = IGNORED
    images = torch.from_numpy(np.array(frames.images))
    return images.to(device), boxes.to(device), labels.long().to(device)


def varied(
    images: Tensor, boxes: Tensor, labels: Tensor, recipe: Recipe, random: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Images (N, 3, 224, 224) in 0 to 1, boxes (N, T, 4) and labels (N, T), each picture changed in its own way; what
    is then outside has the label 0, and what is cut to less than the smallest side IGNORED."""
    count, device = len(images), images.device

    def drawn(*shape: int) -> Tensor:
        return torch.rand(count, *shape, generator=random, device=device)

    flip = torch.where(drawn() < recipe.mirrored, -1.0, 1.0)
    zoom = torch.where(drawn() < recipe.moved, 1 + (recipe.zoom - 1) * drawn(), 1.0)
    middle = (2 * drawn(2) - 1) * (1 - 1 / zoom)[:, None]  # of what is seen of the old picture, which goes from -1 to 1
    way = torch.zeros(count, 2, 3, device=device)
    way[:, 0, 0], way[:, 1, 1], way[:, :, 2] = flip / zoom, 1 / zoom, middle
    grid = nn.functional.affine_grid(way, list(images.shape), align_corners=False)
    images = nn.functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    by = torch.stack([flip * zoom, zoom], 1)[:, None, None]
    corners = ((2 * boxes.unflatten(-1, (2, 2)) / SIZE - 1 - middle[:, None, None]) * by + 1) * SIZE / 2
    boxes = torch.cat([corners.amin(-2), corners.amax(-2)], -1).clamp(0, SIZE)
    sides = (boxes[..., 2:] - boxes[..., :2]).amin(-1)
    labels = torch.where((labels > 0) & (sides < recipe.smallest_side), IGNORED, labels)
    labels = torch.where(sides <= 0, 0, labels)
    light = 1 + recipe.light * (2 * drawn(1, 1, 1) - 1)
    noise = recipe.noise * drawn(1, 1, 1) * (drawn(1, 1, 1) < 0.5)
    images = images * light + noise * torch.randn(images.shape, generator=random, device=device)
    return images.clamp(0, 1), boxes, labels


def wanted(boxes: Tensor, labels: Tensor, side: int) -> tuple[Tensor, Tensor, Tensor]:
    """What a map of side x side places should say for boxes (N, T, 4) in pixels and labels (N, T).

    Returns heat (N, 8, side, side), 1 where the middle of a thing lies and falling off around it; `free` (N, side,
    side), where heat counts: not inside what is ignored; and `owned` (N, T, side, side), the places that are asked for
    the box of each thing: its middle part, without what belongs to a smaller thing.
    """
    there = labels > 0
    low, high = boxes[..., :2], boxes[..., 2:]
    places = torch.arange(side, device=boxes.device)
    middle = ((low + high) / 2 / STRIDE).floor().clamp(0, side - 1)
    spread = ((high - low) / STRIDE * NARROW + 1) / 6
    across, down = (
        (-((places - middle[..., axis, None]) ** 2) / (2 * spread[..., axis, None] ** 2)).exp() for axis in (0, 1)
    )
    warmth = down[..., :, None] * across[..., None, :] * there[..., None, None]
    heat = warmth.new_zeros(len(boxes), len(THINGS) + 1, side, side)
    heat = heat.scatter_reduce(1, labels.clamp(min=0)[..., None, None].expand_as(warmth), warmth, "amax")[:, 1:]
    inside = (labels == IGNORED)[..., None, None] & _near(boxes, places, 0.5, 0)
    central = there[..., None, None] & _near(boxes, places, CENTRAL, STRIDE / 2)
    area = torch.where(central, (high - low).prod(-1)[..., None, None], torch.inf)
    smallest = torch.arange(boxes.shape[1], device=boxes.device)[:, None, None] == area.argmin(1, keepdim=True)
    return heat, ~inside.any(1), central & smallest


def _near(boxes: Tensor, places: Tensor, share: float, least: float) -> Tensor:
    """Which places (N, T, side, side) lie no further from the middle of a box than a share of its sides, in pixels at
    least `least`."""
    centres = STRIDE * (places + 0.5)
    down, across = (
        (centres - (boxes[..., axis, None] + boxes[..., axis + 2, None]) / 2).abs()
        <= (share * (boxes[..., axis + 2, None] - boxes[..., axis, None])).clamp(min=least)
        for axis in (1, 0)
    )
    return down[..., :, None] & across[..., None, :]


def loss(logits: Tensor, sides: Tensor, boxes: Tensor, labels: Tensor) -> Tensor:
    """The focal loss of the heat (Law and Deng 2018), and twice 1 - GIoU of the boxes, both per thing."""
    heat, free, owned = wanted(boxes, labels, logits.shape[-1])
    things = (labels > 0).sum().clamp(min=1)
    said, peak = logits.sigmoid(), heat == 1
    found = torch.where(peak, (1 - said) ** 2 * nn.functional.logsigmoid(logits), 0)
    quiet = torch.where(~peak & free[:, None], (1 - heat) ** 4 * said**2 * nn.functional.logsigmoid(-logits), 0)
    share = owned / owned.sum((2, 3), keepdim=True).clamp(min=1)  # a large thing has many places, and counts once
    weight, owner = share.max(1)
    asked = weight > 0
    truth = boxes.gather(1, owner.flatten(1)[..., None].expand(-1, -1, 4)).unflatten(1, owner.shape[1:])[asked]
    apart = generalized_box_iou_loss(boxes_everywhere(sides).permute(0, 2, 3, 1)[asked], truth)
    return (2 * (weight[asked] * apart).sum() - found.sum() - quiet.sum()) / things
