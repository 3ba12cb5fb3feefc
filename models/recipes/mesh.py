"""How the mesh head is trained, on the detector as it is, and judged on the solids of held-out scenes."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from labs import graph_convolution, mesh_losses
from models.networks import mesh_head
from models.networks.detector import LoadedDetector
from models.networks.mesh_head import VOXELS, MeshHead
from models.networks.mesh_rcnn import LoadedMeshRcnn, MeshRcnn
from models.recipes import mesh_scores, training
from models.recipes.scene_cache import SIZE, training_seeds
from models.recipes.solids import Solids, asked_for, solids
from models.recipes.trunk_features import TrunkFeatures, trunk_features
from scenes import THINGS

TASK = "meshes"
NAMES = ("mesh",)
STARTS_FROM = "detector"
HELD_OUT = 500
TRUNK_SCENES = 3000  # whose features are kept; the recipe learns from the first of them


@dataclass(frozen=True)
class Recipe:
    """AdamW with a one-cycle learning rate. Losses, summed with their weights: smooth L1 of the full box, binary
    cross-entropy of the voxels, and for every stage of some regions Chamfer distance, normals and edges, in tenths of
    the full box's longer side as the paper has them. The mesh's losses begin once the voxels have a shape."""

    seed: int = 0
    trunk: str = STARTS_FROM
    scenes: int = 1400
    steps: int = 600
    voxels_alone: int = 120
    batch: int = 6
    meshes: int = 5
    points: int = 600
    box: float = 2.0
    voxel: float = 2.0
    chamfer: float = 1.0
    normal: float = 0.1
    edge: float = 0.2
    learning_rate: float = 2e-3
    weight_decay: float = 0.05


@dataclass(frozen=True, eq=False)
class Step:
    """What a step sees: the pyramid, per picture boxes (T, 4) of what is seen, and of all things together the full
    boxes (N, 4), points (N, P, 3), normals (N, P, 3) and squares (N, S, S) of their solids."""

    levels: dict[str, Tensor]
    boxes: list[Tensor]
    full_boxes: Tensor
    points: Tensor
    normals: Tensor
    squares: Tensor


def build(name: str) -> MeshRcnn:
    """The network, freshly initialised."""
    return MeshRcnn()


def wrap(name: str, module: MeshRcnn, device: torch.device, card: dict) -> LoadedMeshRcnn:
    """The network behind the interface that pages call."""
    return LoadedMeshRcnn(name, module, device, card)


def train(
    name: str, device: torch.device, folder: Path, report: Callable[[int, int, float], None], start: LoadedDetector
) -> tuple[MeshRcnn, dict]:
    """Train the mesh head on the detector `start`, or go on from the last checkpoint in `folder`."""
    recipe = Recipe()
    data = trunk_features(start, TRUNK_SCENES)
    truth = solids(training_seeds(recipe.scenes), data.records[: recipe.scenes])
    torch.manual_seed(recipe.seed)
    module = build(name).to(device)
    module.detector.load_state_dict(start.module.state_dict())
    shapes, depths = by_class(data, truth)
    module.head.mean_shapes.copy_(shapes)
    module.head.mean_depths.copy_(depths)

    def loss_at(step: int) -> Tensor:
        random = np.random.default_rng([recipe.seed, step])
        return losses(module.head, recipe, step, seen_at(recipe, data, truth, random, device), random)

    settings = asdict(recipe)
    seconds = training.fit(
        module.head, loss_at, settings, recipe.steps, recipe.learning_rate, recipe.weight_decay, device, folder,
        lambda step, loss: report(step, recipe.steps, loss), largest_gradient=5.0,
    )  # fmt: skip
    facts = {"recipe": settings | {"precision": training.precision(device)}, "training_seconds": round(seconds)}
    return module.eval(), facts


def seen_at(
    recipe: Recipe, data: TrunkFeatures, truth: Solids, random: np.random.Generator, device: torch.device
) -> Step:
    """Some scenes, half of them mirrored, the boxes of what is seen a little off as a detector's are."""
    scenes = random.choice(recipe.scenes, recipe.batch, replace=False).tolist()
    turned = (random.random(recipe.batch) < 0.5).tolist()
    boxes, rows, mirrored = [], [], []
    for scene, mirror in zip(scenes, turned, strict=True):
        seen = torch.tensor([each.box for each in asked_for(data.records[scene])], dtype=torch.float32).reshape(-1, 4)
        if mirror:
            seen[:, [0, 2]] = SIZE - seen[:, [2, 0]]
        off = torch.from_numpy(random.normal(0, 0.02, seen.shape)).float().clamp(-0.06, 0.06)
        boxes.append((seen + off * mesh_head.longest(seen)[:, None]).to(device))
        new = range(int(truth.start[scene]), int(truth.start[scene + 1]))
        rows += new
        mirrored += [mirror] * len(new)
    points, normals, squares = (each.to(device) for each in truth.of(rows, mirrored))
    full_boxes = truth.boxes_of(rows, mirrored).to(device)
    return Step(data.of(scenes, turned, device), boxes, full_boxes, points, normals, squares)


def losses(head: MeshHead, recipe: Recipe, step: int, seen: Step, random: np.random.Generator) -> Tensor:
    """All losses of a step."""
    beyond, found = head.full_boxes(seen.levels, seen.boxes)
    asked = mesh_head.beyond_of(torch.cat(seen.boxes), seen.full_boxes)
    total = recipe.box * functional.smooth_l1_loss(beyond, asked, beta=0.1)
    # The grid stands where the head itself puts it, as it will once it is trained, but for the first steps.
    regions = found.detach() if step >= recipe.voxels_alone else seen.full_boxes
    counts = [len(each) for each in seen.boxes]
    maps, logits = head.grid(seen.levels, regions.split(counts))
    filled = occupancy(seen.squares, seen.full_boxes, regions)
    total = total + recipe.voxel * functional.binary_cross_entropy_with_logits(logits, filled.float())
    if step < recipe.voxels_alone:
        return total
    chosen = torch.from_numpy(random.choice(len(regions), min(recipe.meshes, len(regions)), replace=False))
    picture = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))[chosen].to(regions.device)
    meshes = [mesh_head.blocky(each, 0.5) for each in logits[chosen].detach().sigmoid()]
    refined = head.refine(meshes, regions[chosen], seen.levels["P2"], picture, maps[chosen])
    with torch.autocast(regions.device.type, enabled=False):
        return total + mesh_loss(refined, recipe, seen, chosen, step) / len(chosen)


def mesh_loss(refined: mesh_head.Batch, recipe: Recipe, seen: Step, chosen: Tensor, step: int) -> Tensor:
    """Chamfer distance, normals and edges of the refined stages of the chosen things, in tenths of the longer side."""
    total = torch.zeros((), device=seen.points.device)
    for number, thing in enumerate(chosen.tolist()):
        box = seen.full_boxes[thing]
        tenth = float(mesh_head.longest(box[None])) / 10
        middle = torch.cat([(box[:2] + box[2:]) / 2, box.new_zeros(1)])
        pick = torch.randperm(seen.points.shape[1], generator=torch.Generator().manual_seed(step))[: recipe.points]
        points, normals = seen.points[thing, pick] * 10, functional.normalize(seen.normals[thing, pick], dim=1)
        stages, faces = refined.of(number)
        edges = graph_convolution.edges_of(faces)
        for vertices in stages[1:]:
            places = (vertices - middle) / tenth
            mine, turned = mesh_losses.sample_points(places, faces, recipe.points, step)
            pairs = mesh_losses.pair(mine, points)
            total = total + recipe.chamfer * mesh_losses.chamfer(mine, points, pairs)
            total = total + recipe.normal * mesh_losses.normal_loss(mine, turned, points, normals, pairs)
            total = total + recipe.edge * mesh_losses.edge_loss(places, edges)
    return total / mesh_head.STAGES


def occupancy(squares: Tensor, full_boxes: Tensor, regions: Tensor) -> Tensor:
    """Which voxels of grids over `regions` (N, 4) have their middle in the solid: bool (N, 24, 24, 24).

    Args:
        squares: (N, S, S), the squared half depths of the solids over `full_boxes` (N, 4), in their longer sides.
    """
    corner, voxel = mesh_head.grids(regions)
    middles = torch.arange(VOXELS, device=regions.device) + 0.5
    x, y, z = ((corner[:, i, None] + middles * voxel[:, i, None]) for i in range(3))
    low, sides = full_boxes[:, None, :2], full_boxes[:, None, 2:] - full_boxes[:, None, :2]
    across, down = (x - low[..., 0]) / sides[..., 0] * 2 - 1, (y - low[..., 1]) / sides[..., 1] * 2 - 1
    shape = (len(regions), VOXELS, VOXELS)
    grid = torch.stack([across[:, None].expand(shape), down[:, :, None].expand(shape)], dim=-1)
    depths = functional.grid_sample(squares[:, None], grid, padding_mode="zeros", align_corners=False)
    return (z / mesh_head.longest(full_boxes)[:, None]).square()[:, :, None, None] < depths


def by_class(data: TrunkFeatures, truth: Solids) -> tuple[Tensor, Tensor]:
    """`mean_shapes` and `mean_depths` of the training things and their mirror images."""
    labels = torch.tensor([r.category for records in data.records[: len(truth.start) - 1] for r in asked_for(records)])
    shapes, depths = [], []
    for label in range(1, len(THINGS) + 1):
        rows = (labels == label).nonzero().flatten().tolist()
        squares, boxes = truth.of(rows, [False] * len(rows))[2], truth.boxes_of(rows, [False] * len(rows))
        mean = occupancy(squares, boxes, boxes).float().mean(0)
        shapes.append((mean + mean.flip(-1)) / 2)
        shorter = (boxes[:, 2:] - boxes[:, :2]).amin(1) / mesh_head.longest(boxes)
        depth = squares.sqrt().sum((1, 2)) / (squares > 0).sum((1, 2))
        depths.append((depth / shorter).mean())
    return torch.stack(shapes), torch.stack(depths)


def evaluate(model: LoadedMeshRcnn, report: Callable[[int, int], None], count: int = HELD_OUT) -> dict:
    """F1 at three distances, Chamfer distance and normals of the things of held-out scenes, beside those of the class's
    mean shape and of the extruded mask; things that are partly hidden apart; AP of meshes; milliseconds."""
    return mesh_scores.evaluate(model, report, count)
