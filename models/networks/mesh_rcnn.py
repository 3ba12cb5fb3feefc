"""Mesh R-CNN: the detector as it is, and a head that gives each of its regions a mesh (Gkioxari et al. 2019)."""

from dataclasses import dataclass
from time import perf_counter

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models.detection.roi_heads import paste_masks_in_image

from models.device import LoadedNetwork, out_of_memory_said
from models.networks import mesh_head, rcnn_taps
from models.networks.detector import LEVELS, SIZE, Detection, LoadedDetector, build_detector
from models.networks.mesh_head import MeshHead

THRESHOLD = 0.5  # a voxel is full above it


class MeshRcnn(nn.Module):
    """The detector and the mesh head. The detector is frozen, and its weights are not kept twice."""

    def __init__(self) -> None:
        super().__init__()
        self.detector = build_detector().requires_grad_(False)
        self.head = MeshHead()


@dataclass(frozen=True, eq=False)
class Shapes:
    """What the head said of some regions of a picture. Float32 tensors on the CPU, boxes xyxy in pixels of the picture.

    Attributes:
        boxes (N, 4): the regions asked for. full_boxes (N, 4): how far the whole things reach, by the head.
        voxels (N, 24, 24, 24) in 0 to 1, as z, y, x: the grids over the full boxes.
        corners (N, 3), sides (N, 3): where each grid begins, and the sides of its voxels, as x, y, z in pixels.
        fine (64, h, w): P2 of the pyramid, which the vertices look at. maps (N, 64, 24, 24): the voxel branch's map of
            each grid, which they look at as well.
        scale: pixels that the network saw per pixel of the picture. seconds: wall-clock time. device: where it ran.
    """

    boxes: Tensor
    full_boxes: Tensor
    voxels: Tensor
    corners: Tensor
    sides: Tensor
    fine: Tensor
    maps: Tensor
    scale: float
    seconds: float
    device: str


@dataclass(frozen=True, eq=False)
class Stages:
    """One mesh while it is refined: `vertices`, per stage (V, 3) as x, y, z in pixels of the picture, the blocky mesh
    first, and the `faces` (F, 3) that all of them share; `seconds`: wall-clock time of the stages."""

    vertices: tuple[Tensor, ...]
    faces: Tensor
    seconds: float


class LoadedMeshRcnn(LoadedNetwork):
    """Mesh R-CNN with its weights, on a device. Safe to call from many threads.

    Attributes:
        name, device, card: what a page's footer says of it.
        module: the network, in eval mode. detector: its detector, ready to be called.
    """

    def __init__(self, name: str, module: MeshRcnn, device: torch.device, card: dict):
        self.name, self.module, self.device, self.card = name, module, str(device), card
        self.detector = LoadedDetector(name, module.detector, device, card)
        self.detector.let_go = self._let_all_go

    def _let_all_go(self) -> None:
        if self.let_go:
            self.let_go()

    @out_of_memory_said
    def __call__(self, image: np.ndarray) -> tuple[Detection, Shapes]:
        """The things in a uint8 RGB picture (H, W, 3) of any size, with their masks, and their shapes."""
        found = self.detector(image, keypoints=False)
        return found, self.shapes(found, found.boxes, image.shape[:2])

    @out_of_memory_said
    def shapes(self, found: Detection, boxes: Tensor, size: tuple[int, int]) -> Shapes:
        """The shapes of regions (N, 4) of a picture of that height and width that the detector has seen. The voxels are
        here, the meshes not yet: they depend on a threshold (`refine`)."""
        scale = SIZE / max(size)
        start = perf_counter()
        with torch.inference_mode():
            levels = {
                name: each.features[None].to(self.device) for name, each in zip(LEVELS, found.levels, strict=True)
            }
            regions = boxes.float().reshape(-1, 4).to(self.device) * scale
            _, full_boxes = self.module.head.full_boxes(levels, [regions])
            maps, logits = self.module.head.grid(levels, [full_boxes])
            corners, sides = mesh_head.grids(full_boxes)
            voxels = logits.sigmoid().cpu()
        return Shapes(
            boxes=boxes.float().reshape(-1, 4),
            full_boxes=full_boxes.cpu() / scale,
            voxels=voxels,
            corners=corners.cpu() / scale,
            sides=sides.cpu() / scale,
            fine=levels["P2"][0].cpu(),
            maps=maps.float().cpu(),
            scale=scale,
            seconds=perf_counter() - start,
            device=self.device,
        )

    @out_of_memory_said
    def refine(self, shapes: Shapes, row: int, threshold: float = THRESHOLD) -> Stages:
        """The mesh of one region: blocky at that threshold of its voxels, and after each stage. Where no voxel reaches
        the threshold, the fullest ones count."""
        start = perf_counter()
        with torch.inference_mode():
            vertices, faces = mesh_head.blocky(shapes.voxels[row], threshold)
            batch = self.module.head.refine(
                [(vertices.to(self.device), faces.to(self.device))],
                shapes.full_boxes[row : row + 1].to(self.device) * shapes.scale,
                shapes.fine[None].to(self.device),
                torch.zeros(1, dtype=torch.int64, device=self.device),
                shapes.maps[row : row + 1].to(self.device),
            )
        stages = tuple(each.cpu() / shapes.scale for each in batch.vertices)
        return Stages(stages, batch.faces.cpu(), perf_counter() - start)

    @out_of_memory_said
    def masks(self, found: Detection, boxes: Tensor, labels: Tensor, size: tuple[int, int]) -> Tensor:
        """What the detector's mask head says of regions (N, 4) as things of these labels from 1, pasted into the
        picture: (N, H, W) in 0 to 1."""
        heads = rcnn_taps.heads_of(self.module.detector)
        scale = SIZE / max(size)
        with torch.inference_mode():
            levels = {
                name: each.features[None].to(self.device) for name, each in zip(LEVELS, found.levels, strict=True)
            }
            regions = [boxes.float().reshape(-1, 4).to(self.device) * scale]
            logits = rcnn_taps.mask_logits(heads, levels, regions, SIZE)
            chosen = logits[torch.arange(len(logits)), labels.to(self.device)].sigmoid()
            return paste_masks_in_image(chosen[:, None].cpu(), boxes.float().reshape(-1, 4), size)[:, 0]

    def _levels(self, found: Detection) -> dict[str, Tensor]:
        return {name: each.features[None].to(self.device) for name, each in zip(LEVELS, found.levels, strict=True)}

    def mean_shape(self, label: int) -> Tensor:
        """For a label from 1, the share of training things of the class that fill each voxel of a grid (24, 24, 24)."""
        return self.module.head.mean_shapes[label - 1].cpu()

    def mean_depth(self, label: int) -> float:
        """For a label from 1, the mean half depth of training things, in the shorter side of their boxes."""
        return float(self.module.head.mean_depths[label - 1])
