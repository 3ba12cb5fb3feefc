"""How good meshes are: against the solids of held-out scenes, beside two shapes that need no mesh head."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy.spatial import KDTree
from torch import Tensor
from torchvision.ops import box_iou

from labs import cubify, keypoint_similarity, mesh_losses
from models.networks import mesh_head
from models.networks.detector import Detection
from models.networks.mesh_rcnn import LoadedMeshRcnn
from models.recipes.scene_cache import InstanceRecord, cached_scenes, held_out_seeds
from models.recipes.solids import asked_for, solid_of
from scenes import THINGS, sample

DISTANCES = {"f1_close": 0.01, "f1": 0.03, "f1_far": 0.05}  # in the longer side of the thing's full box
POINTS = 12_000  # on each surface: their nearest is then within a hundredth of the side
ASKED = 1500  # of them look for it
WHOLE = 0.98  # the share of a thing that is seen: with less it is partly hidden
FOUND = 0.5  # a mesh with so much F1 has found its thing


@dataclass(frozen=True, eq=False)
class Surface:
    """Points drawn on a mesh, the same each time, and their unit normals."""

    points: np.ndarray
    normals: np.ndarray

    @cached_property
    def tree(self) -> KDTree:
        """To look the nearest of them up."""
        return KDTree(self.points)


def surface(vertices: Tensor, faces: Tensor) -> Surface:
    """Points all over a mesh."""
    points, normals = mesh_losses.sample_points(vertices.float(), faces, POINTS)
    return Surface(points.numpy(), normals.numpy())


def compare(mine: Surface, truth: Surface, longest: float) -> dict[str, float]:
    """What `labs.mesh_losses` says of two meshes, found by a tree: `f1` at three distances, `chamfer` in squared tenths
    of `longest`, as the paper gives it, and `normal_consistency`."""
    there, nearest = truth.tree.query(mine.points[:ASKED])
    back, mine_nearest = mine.tree.query(truth.points[:ASKED])
    scores = {}
    for name, distance in DISTANCES.items():
        precision, recall = (float((away <= distance * longest).mean()) for away in (there, back))
        scores[name] = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    scores["chamfer"] = float((there**2).mean() + (back**2).mean()) * 100 / longest**2
    agree = (
        (mine.normals[:ASKED] * truth.normals[nearest]).sum(1),
        (truth.normals[:ASKED] * mine.normals[mine_nearest]).sum(1),
    )
    scores["normal_consistency"] = float(np.abs(agree[0]).mean() + np.abs(agree[1]).mean()) / 2
    return scores


def extruded(mask: Tensor, half_depth: float) -> tuple[Tensor, Tensor]:
    """A mesh that has a mask's outline, bool (H, W), and everywhere the same depth."""
    vertices, faces = cubify.cubify(mask[None].float())
    depth = vertices.new_tensor([1, 1, 2 * half_depth])
    return vertices * depth - vertices.new_tensor([0, 0, half_depth]), faces


def mean_shape(model: LoadedMeshRcnn, label: int, full_box: Tensor) -> tuple[Tensor, Tensor]:
    """The mean shape of a class (label from 1), in the full box (4,) that the head gave: a voxel is full where it is in
    more than half of the training things."""
    vertices, faces = mesh_head.blocky(model.mean_shape(label), 0.5)
    corner, side = (each[0] for each in mesh_head.grids(full_box[None]))
    return corner + vertices * side, faces


def evaluate(model: LoadedMeshRcnn, report: Callable[[int, int], None], count: int) -> dict:
    """The scores of all things of which enough is seen. The regions are the boxes of what is seen of them; in
    `mesh_ap50` the detector's own."""
    data = cached_scenes(held_out_seeds(count))
    rows: dict[str, list[float]] = defaultdict(list)
    pictures: dict[int, list[keypoint_similarity.Judged]] = defaultdict(list)
    forward = []
    for index, seed in enumerate(held_out_seeds(count)):
        image, records, scene = np.asarray(data.images[index]), asked_for(data.records[index]), sample(seed)
        size = (image.shape[0], image.shape[1])
        solids = [solid_of(scene, record.id) for record in records]
        truths = [surface(each.vertices, each.faces) for each in solids]
        sides = [float((each.vertices.amax(0) - each.vertices.amin(0))[:2].max()) for each in solids]
        found = model.detector(image, keypoints=False)
        boxes = torch.tensor([record.box for record in records], dtype=torch.float32).reshape(-1, 4)
        labels = torch.tensor([record.category for record in records], dtype=torch.int64)
        shapes, masks = model.shapes(found, boxes, size), model.masks(found, boxes, labels, size)
        for row, (record, truth, side) in enumerate(zip(records, truths, sides, strict=True)):
            stages = model.refine(shapes, row)
            for name, value in compare(surface(stages.vertices[-1], stages.faces), truth, side).items():
                rows[name].append(value)
            shorter = float((shapes.full_boxes[row, 2:] - shapes.full_boxes[row, :2]).min())
            others = {
                "blocky": (stages.vertices[0], stages.faces),
                "mean_shape": mean_shape(model, record.category, shapes.full_boxes[row]),
                "extruded_mask": extruded(masks[row] > 0.5, model.mean_depth(record.category) * shorter),
            }
            for name, mesh in others.items():
                rows[f"f1_{name}"].append(compare(surface(*mesh), truth, side)["f1"] if len(mesh[1]) else 0.0)
            rows["visible"].append(record.visible)
            rows["category"].append(record.category)
        own = model.shapes(found, found.boxes, size)
        forward.append(found.seconds + own.seconds)
        for label, judged in _judged(model, found, own, records, truths, sides).items():
            pictures[label].append(judged)
        report(index + 1, count)
    aps = [keypoint_similarity.average_precision(pictures[label], FOUND) for label in sorted(pictures)]
    return summary({name: np.array(values) for name, values in rows.items()}) | {
        "mesh_ap50": round(float(np.nanmean(aps)), 4),
        "forward_ms_p50": round(statistics.median(forward) * 1000, 1),
        "scenes": count,
    }


def _judged(
    model: LoadedMeshRcnn,
    found: Detection,
    shapes,
    records: Sequence[InstanceRecord],
    truths: Sequence[Surface],
    sides: Sequence[float],
) -> dict[int, keypoint_similarity.Judged]:
    """Per class, F1 of each detection's mesh with each thing's solid."""
    overlap = box_iou(found.boxes, torch.tensor([each.box for each in records]).reshape(-1, 4).float())
    result = {}
    for label in range(1, len(THINGS) + 1):
        mine = (found.labels == label).nonzero().flatten().tolist()
        theirs = [column for column, record in enumerate(records) if record.category == label]
        f1 = np.zeros((len(mine), len(theirs)))
        for i, row in enumerate(mine):
            near = [j for j, column in enumerate(theirs) if overlap[row, column] > 0.1]
            if near:
                stages = model.refine(shapes, row)
                drawn = surface(stages.vertices[-1], stages.faces)
                for j in near:
                    f1[i, j] = compare(drawn, truths[theirs[j]], sides[theirs[j]])["f1"]
        if mine or theirs:
            result[label] = keypoint_similarity.Judged(found.scores[mine].numpy(), f1, np.zeros(len(theirs), bool))
    return result


def summary(rows: dict[str, np.ndarray]) -> dict:
    """Means over all things, and of F1 also over those that are partly hidden and by class."""
    hidden = rows["visible"] < WHOLE
    means = {name: _mean(values) for name, values in rows.items() if name not in ("visible", "category")}
    return means | {
        "f1_whole": _mean(rows["f1"][~hidden]),
        "f1_hidden": _mean(rows["f1"][hidden]),
        "f1_per_class": {
            name: _mean(rows["f1"][rows["category"] == label]) for label, name in enumerate(THINGS, start=1)
        },
    }


def _mean(values: np.ndarray) -> float:
    return round(float(values.mean()), 4) if len(values) else float("nan")
