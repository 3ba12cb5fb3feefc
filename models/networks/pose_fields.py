"""Bottom-up pose on Lab World: one pass gives maps of 14 joints and fields of 13 limbs, of all persons at once.

The trunk is that of `classifier-gap-28`. Its last features, of stride 8, are brought to stride 4 and meet the finer
ones there; three 3x3 convolutions later a 1x1 convolution says both (OpenPose, Cao et al. 2017, with one stage in place
of six). How joints become persons is `labs.part_affinity_fields`.
"""

from dataclasses import dataclass
from time import perf_counter

import numpy as np
import torch
from torch import Tensor, nn

from labs import part_affinity_fields, upsampling
from labs.part_affinity_fields import Assembled
from models.device import LoadedNetwork, out_of_memory_said
from models.networks.classifier import WIDTHS, Residual, convolution, to_tensor, trunk
from models.networks.encoder import normalised
from models.networks.segmenter import folded
from scenes import JOINTS

SIZE, STRIDE = 224, 4
FEATURES = 64
# A tree from the neck outwards: the skeleton without its bars from hip to hip and from shoulder to shoulder.
LIMBS = (
    (12, 13), (12, 6), (12, 7), (6, 8), (8, 10), (7, 9), (9, 11), (6, 4), (7, 5), (4, 2), (2, 0), (5, 3), (3, 1),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class People:
    """What the network said of one picture. Float32 tensors on the CPU; coordinates in pixels of the picture.

    Attributes:
        maps (14, 56, 56): one per joint, near 1 at a joint of that kind and near 0 elsewhere.
        fields (13, 2, 56, 56): x, y of the limbs' directions, one field per limb of LIMBS.
        assembled: candidates, scores of pairs, connections and persons, in pixels of the 224x224 picture that was seen.
        keypoints (N, 14, 3), scores (N,): the persons, best first: x, y, height of the peak; 0, 0, 0 for a joint that
            was not found.
        seconds, assembly_seconds: wall-clock time of the forward pass, and of all that came after it.
        device: where the forward pass ran.
    """

    maps: Tensor
    fields: Tensor
    assembled: Assembled
    keypoints: Tensor
    scores: Tensor
    seconds: float
    assembly_seconds: float
    device: str


class PoseFields(nn.Module):
    """Float images (N, 3, H, W) in 0 to 1, H and W multiples of 8, to joint maps (N, 14, H / 4, W / 4) and part
    affinity fields (N, 13, 2, H / 4, W / 4)."""

    def __init__(self):
        super().__init__()
        self.trunk = trunk(8)
        self.coarse = nn.Conv2d(WIDTHS[2], FEATURES, 1)
        self.fine = nn.Conv2d(WIDTHS[1], FEATURES, 1)
        self.head = nn.Sequential(convolution(FEATURES, FEATURES), Residual(FEATURES, FEATURES, dilation=2))
        self.predict = nn.Conv2d(FEATURES, len(JOINTS) + 2 * len(LIMBS), 1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        x = normalised(images)
        for name, layer in self.trunk.named_children():
            x = layer(x)
            if name == "conv56b":
                fine = x
        x = torch.relu(upsampling.bilinear(self.coarse(x), 2) + self.fine(fine))
        said = self.predict(self.head(x))
        maps, fields = said[:, : len(JOINTS)], said[:, len(JOINTS) :]
        return maps, fields.reshape(len(fields), len(LIMBS), 2, *fields.shape[2:])


class LoadedPoseFields(LoadedNetwork):
    """The network with its weights, on a device, ready to be called with a picture.

    Attributes:
        name, device, card: what a page's footer says of it.
        module: the network, in eval mode. What runs is a copy of it, `folded`, faster on a CPU.
    """

    def __init__(self, name: str, module: PoseFields, device: torch.device, card: dict):
        self.name, self.module, self.device, self.card = name, module, str(device), card
        self._folded = folded(module)

    @out_of_memory_said
    def __call__(self, image: np.ndarray) -> People:
        """Find the persons of a uint8 RGB picture (H, W, 3); any other size than 224x224 is resized to it first."""
        x = to_tensor(image)[None].to(self.device)
        with torch.inference_mode():
            start = perf_counter()
            maps, fields = (each[0].float().cpu().contiguous() for each in self._folded(x))  # waits for the device
            forwarded = perf_counter()
            found = part_affinity_fields.assemble(maps, fields, LIMBS, STRIDE)
            keypoints = found.persons * torch.tensor([image.shape[1] / SIZE, image.shape[0] / SIZE, 1.0])
            end = perf_counter()
        return People(
            maps, fields, found, keypoints, found.person_scores, forwarded - start, end - forwarded, self.device
        )  # fmt: skip
