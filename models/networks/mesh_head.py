"""What Mesh R-CNN adds to a detector: from a region to a solid (Gkioxari, Malik, Johnson 2019).

A region that shows a part of a thing first says how far the whole thing reaches (its full box). A grid of voxels over
the full box says where the thing is, also behind what hides it. Cubify makes a blocky mesh of it, and three stages of
graph convolution move its vertices, each of which looks at the picture where it stands.

Lengths are pixels of the picture that the network sees, z like x and y, from the picture plane. Grids are (z, y, x).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torchvision.ops import MultiScaleRoIAlign

from labs import cubify, graph_convolution
from models.networks.detector import FEATURES, LEVELS, SIZE
from scenes import THINGS

VOXELS = 24  # along each side of the grid
MARGIN = 1.15  # the grid's width and height, in those of the full box: the box may be a little wrong
DEPTH = 0.65  # half the grid's depth, in the shorter side of the grid: no inflated solid is deeper
CELL = 4.0  # pixels per cell of P2, which the vertices look at
HIDDEN = 64
STAGES = 3
REACH = 0.1  # how far a stage moves a vertex at most along x, y and z, in the longer side of the full box
CONTEXT = 2.0  # the region that the full box is guessed from, in sides of the region itself


def grown(boxes: Tensor, factor: float) -> Tensor:
    """Boxes (N, 4) with sides that many times as long, around the same middles."""
    middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2 * factor
    return torch.cat([middle - half, middle + half], dim=1)


def longest(boxes: Tensor) -> Tensor:
    """The longer side of each box, (N,)."""
    return (boxes[:, 2:] - boxes[:, :2]).amax(1)


def grids(full_boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Where a voxel grid begins (N, 3), and how long the sides of its voxels are (N, 3), as x, y, z."""
    region = grown(full_boxes, MARGIN)
    sides = region[:, 2:] - region[:, :2]
    half = DEPTH * sides.amin(1, keepdim=True)
    return torch.cat([region[:, :2], -half], 1), torch.cat([sides, 2 * half], 1) / VOXELS


class FullBox(nn.Module):
    """How far a thing reaches beyond the box of what is seen of it: features of the region and what is around it
    (N, C, 10, 10) to left, top, right, bottom (N, 4), outwards, in the longer side of the box."""

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Sequential(
            nn.Conv2d(FEATURES, 32, 1), nn.ReLU(),
            nn.Conv2d(32, 32, 3), nn.ReLU(),
            nn.Conv2d(32, 32, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(),
            nn.Linear(32 * 16, 128), nn.ReLU(),
        )  # fmt: skip
        self.say = nn.Linear(128, 4)
        nn.init.normal_(self.say.weight, std=0.01)
        nn.init.zeros_(self.say.bias)

    def forward(self, around: Tensor) -> Tensor:
        return self.say(self.look(around))


class VoxelBranch(nn.Module):
    """Features of the full box (N, C, 12, 12) to a map (N, HIDDEN, 24, 24), and logits (N, 24, 24, 24): the channels of
    the last layer are the layers of the grid, from front to back."""

    def __init__(self) -> None:
        super().__init__()
        convs = [nn.Sequential(nn.Conv2d(FEATURES, FEATURES, 3, padding=1), nn.ReLU()) for _ in range(3)]
        self.look = nn.Sequential(
            *convs, nn.ConvTranspose2d(FEATURES, HIDDEN, 2, 2), nn.ReLU(),
            nn.Conv2d(HIDDEN, HIDDEN, 3, padding=1), nn.ReLU(),
        )  # fmt: skip
        self.say = nn.Conv2d(HIDDEN, VOXELS, 1)

    def forward(self, regions: Tensor) -> tuple[Tensor, Tensor]:
        seen = self.look(regions)
        return seen, self.say(seen)


class GraphConvolution(nn.Module):
    """The weights of one graph convolution."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.own = nn.Linear(inputs, outputs)
        self.others = nn.Linear(inputs, outputs, bias=False)
        nn.init.normal_(self.own.weight, std=(1 / inputs) ** 0.5)
        nn.init.normal_(self.others.weight, std=(0.3 / inputs) ** 0.5 / 3)
        nn.init.zeros_(self.own.bias)

    def forward(self, features: Tensor, edges: Tensor) -> Tensor:
        return graph_convolution.graph_convolution(features, edges, self.own.weight, self.others.weight, self.own.bias)


class Stage(nn.Module):
    """One refinement: what the vertices saw below them, where they are and what they were told before, three graph
    convolutions, and a step for each vertex."""

    def __init__(self, first: bool):
        super().__init__()
        self.meet = nn.Linear(FEATURES + HIDDEN, HIDDEN)
        self.convolutions = nn.ModuleList(
            GraphConvolution(inputs + 3, HIDDEN) for inputs in (HIDDEN if first else 2 * HIDDEN, HIDDEN, HIDDEN)
        )
        self.step = nn.Linear(HIDDEN + 3, 3)
        nn.init.normal_(self.step.weight, std=0.01)
        nn.init.zeros_(self.step.bias)

    def forward(self, places: Tensor, seen: Tensor, told: Tensor | None, edges: Tensor) -> tuple[Tensor, Tensor]:
        """Places (V, 3) in the longer side of the full box from its middle, what is seen there (V, 2 HIDDEN), and the
        features of the stage before (V, HIDDEN): the new places, and features for the next stage."""
        features = torch.relu(self.meet(seen))
        if told is not None:
            features = torch.cat([features, told], dim=1)
        for convolution in self.convolutions:
            features = convolution(torch.cat([features, places], dim=1), edges)
        step = torch.tanh(self.step(torch.cat([features, places], dim=1)).float())
        return places + REACH * step, features


@dataclass(frozen=True, eq=False)
class Batch:
    """Several meshes in one: `vertices` per stage, the blocky mesh first, each (V, 3) in pixels; `faces` (F, 3), and of
    which region each vertex is, (V,)."""

    vertices: list[Tensor]
    faces: Tensor
    region: Tensor

    def of(self, region: int) -> tuple[list[Tensor], Tensor]:
        """The mesh of one region: its vertices per stage, and its faces."""
        mine = self.region == region
        first = int((self.region < region).sum())
        return [each[mine] for each in self.vertices], self.faces[mine[self.faces[:, 0]]] - first


class MeshHead(nn.Module):
    """Full box, voxels and stages, and beside them what the class alone would say: `mean_shapes` (8, 24, 24, 24), the
    share of training things that fill a voxel of the grid over their full box, and `mean_depths` (8,), the mean half
    depth in the shorter side of the box."""

    mean_shapes: Tensor
    mean_depths: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.full_box = FullBox()
        self.voxels = VoxelBranch()
        self.stages = nn.ModuleList(Stage(first=number == 0) for number in range(STAGES))
        self.pool = MultiScaleRoIAlign(list(LEVELS[:4]), 12, 2)
        self.pool_around = MultiScaleRoIAlign(list(LEVELS[:4]), 10, 2)
        self.register_buffer("mean_shapes", torch.zeros(len(THINGS), VOXELS, VOXELS, VOXELS))
        self.register_buffer("mean_depths", torch.zeros(len(THINGS)))

    def full_boxes(self, levels: dict[str, Tensor], boxes: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Of the boxes of each picture, how far the things reach beyond, (N, 4), and their full boxes (N, 4)."""
        all_boxes = torch.cat(list(boxes))
        around = self.pool_around(levels, [grown(each, CONTEXT) for each in boxes], [(SIZE, SIZE)] * len(boxes))
        beyond = self.full_box(around).float()
        return beyond, full_from(all_boxes, beyond)

    def grid(self, levels: dict[str, Tensor], full_boxes: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """For the full boxes of each picture, the branch's map (N, HIDDEN, 24, 24) and logits (N, 24, 24, 24)."""
        regions = self.pool(levels, [grown(each, MARGIN) for each in full_boxes], [(SIZE, SIZE)] * len(full_boxes))
        seen, logits = self.voxels(regions)
        return seen, logits.float()

    def refine(
        self, meshes: Sequence[tuple[Tensor, Tensor]], full_boxes: Tensor, fine: Tensor, picture: Tensor, seen: Tensor
    ) -> Batch:
        """The stages of some meshes.

        Args:
            meshes: as from `cubify`, vertices in voxels and faces, one for each of R regions.
            full_boxes: (R, 4). fine: P2 (n, C, h, w). picture: (R,) int64, which of them each region is in.
            seen: the voxel branch's maps (R, HIDDEN, 24, 24).
        """
        counts = torch.tensor([len(vertices) for vertices, _ in meshes], device=full_boxes.device)
        region = torch.repeat_interleave(torch.arange(len(meshes), device=full_boxes.device), counts)
        first = counts.cumsum(0) - counts
        faces = torch.cat([faces + start for (_, faces), start in zip(meshes, first, strict=True)])
        edges = graph_convolution.edges_of(faces)
        corner, voxel = (each[region] for each in grids(full_boxes))
        middle = torch.cat([(full_boxes[:, :2] + full_boxes[:, 2:]) / 2, full_boxes.new_zeros(len(meshes), 1)], 1)[
            region
        ]
        length = longest(full_boxes)[region][:, None]
        places = (corner + torch.cat([vertices for vertices, _ in meshes]) * voxel - middle) / length
        stages, told = [places], None
        for stage in self.stages:
            points = (stages[-1].detach() * length + middle)[:, :2]
            looked = [
                graph_convolution.vertex_alignment(fine, points, picture[region], CELL),
                # In the grid's own units, in which its map has cells of 1 by 1.
                graph_convolution.vertex_alignment(seen, (points - corner[:, :2]) / voxel[:, :2], region, 1.0),
            ]
            places, told = stage(stages[-1], torch.cat(looked, dim=1), told, edges)
            stages.append(places)
        return Batch([each * length + middle for each in stages], faces, region)


def full_from(boxes: Tensor, beyond: Tensor) -> Tensor:
    """Full boxes from boxes (N, 4) and how far things reach beyond them, in their longer sides."""
    return boxes + beyond * longest(boxes)[:, None] * boxes.new_tensor([-1, -1, 1, 1])


def beyond_of(boxes: Tensor, full_boxes: Tensor) -> Tensor:
    """The reverse of `full_from`."""
    return (full_boxes - boxes) / longest(boxes)[:, None] * boxes.new_tensor([-1, -1, 1, 1])


def blocky(occupancy: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Cubify at the threshold, or just below the fullest voxel where none is above: there is always a mesh."""
    return cubify.cubify(occupancy, min(threshold, float(occupancy.max()) * 0.999))
