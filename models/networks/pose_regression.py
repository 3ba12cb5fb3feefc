"""Joints as numbers: a network that says 28 of them for a person's box, and a second stage that looks again.

The first stage sees the whole person and ends in a fully connected layer; the second sees a small square around each
joint, finer than the first, and moves the joint (DeepPose: Toshev and Szegedy 2014).
"""

from dataclasses import dataclass
from time import perf_counter

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from labs import pose
from models.device import LoadedNetwork, out_of_memory_said
from models.networks import classifier
from models.networks.classifier import WIDTHS, convolution
from models.networks.encoder import normalised
from scenes import JOINTS

SIZE = 64  # side of the square that the first stage sees, pixels
PATCH = 40  # side of what the second stage sees around a joint, pixels
REACH = 0.36  # side of that patch, in sides of the person's square
HIDDEN = 192
NUMBERS = 2 * len(JOINTS)
# What the loss did, in training, with joints out of sight: one last layer each, all else shared.
NO_LOSS, TRUE_PLACE, ZEROS = RULES = ("no loss", "a loss at their true place", "a loss at (0, 0)")


@dataclass(frozen=True, eq=False)
class Pose:
    """What the network said of one person. Float32 tensors on the CPU, positions in pixels of the picture.

    Attributes:
        first, second: (14, 2), the joints in the order of `labs.pose.JOINTS`, of each stage.
        numbers: (28,), what the first stage says: x and y of each joint in the frame of `square`.
        square: (4,), xyxy, what the first stage saw.
        patches: (14, 4), xyxy, what the second stage saw around each joint.
        seconds: wall-clock time of both forward passes. device: where they ran.
    """

    first: Tensor
    second: Tensor
    numbers: Tensor
    square: Tensor
    patches: Tensor
    seconds: float
    device: str


class FirstStage(nn.Module):
    """Float images (N, 3, 64, 64) in 0 to 1 to a dict of poses (N, 14, 2) in the frame of the image, one for each rule.

    Only the last layer of `NO_LOSS` teaches the layers below; the others learn from what these see.
    """

    def __init__(self):
        super().__init__()
        self.trunk = trunk(5)
        self.see = nn.Sequential(
            convolution(WIDTHS[2], 64, stride=2),
            nn.Flatten(),
            nn.Linear(64 * (SIZE // 16) ** 2, HIDDEN),
            nn.ReLU(),
            nn.Dropout(0.1),
        )
        self.say = nn.ModuleList(nn.Linear(HIDDEN, NUMBERS) for _ in RULES)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        seen = self.see(self.trunk(normalised(images)))
        with torch.autocast(seen.device.type, enabled=False):  # a position has more digits than bfloat16
            seen = seen.float()
            return {
                rule: say(seen if rule == NO_LOSS else seen.detach()).view(-1, len(JOINTS), 2)
                for rule, say in zip(RULES, self.say, strict=True)
            }


class SecondStage(nn.Module):
    """Float patches (N · 14, 3, 40, 40) in 0 to 1, joint by joint, to where each joint lies in its own, (N, 14, 2) in
    sides of the patch from its middle. All joints share the layers; each has two outputs of its own."""

    def __init__(self):
        super().__init__()
        self.trunk = trunk(3)
        self.see = nn.Sequential(
            convolution(WIDTHS[1], 56, stride=2), nn.Flatten(), nn.Linear(56 * (PATCH // 8) ** 2, 96), nn.ReLU()
        )
        self.say = nn.Linear(96, NUMBERS)

    def forward(self, patches: Tensor) -> Tensor:
        seen = self.see(self.trunk(normalised(patches)))
        with torch.autocast(seen.device.type, enabled=False):
            said = self.say(seen.float()).view(-1, len(JOINTS), len(JOINTS), 2)
        return said.diagonal(dim1=1, dim2=2).transpose(1, 2)


class PoseRegression(nn.Module):
    """Both stages; each is called by itself."""

    def __init__(self):
        super().__init__()
        self.first, self.second = FirstStage(), SecondStage()


class LoadedPoseRegression(LoadedNetwork):
    """Both stages with their weights, ready to be called with a picture and the box of a person.

    Attributes:
        name, device, card: what a page's footer says of it. module: the network, in eval mode.
    """

    def __init__(self, name: str, module: PoseRegression, device: torch.device, card: dict):
        self.name, self.module, self.device, self.card = name, module, str(device), card

    @out_of_memory_said
    def __call__(self, image: np.ndarray, box: Tensor, rule: str = NO_LOSS) -> Pose:
        """The joints of the person whose box, float (4,) xyxy in pixels, lies in a uint8 RGB picture (H, W, 3).

        Args:
            rule: one of `RULES`, the last layer of the first stage.
        """
        around = pose.square(box.float())
        with torch.inference_mode():
            start = perf_counter()
            whole = as_batch([look(image, around, SIZE)]).to(self.device)
            numbers = self.module.first(whole)[rule][0].float().cpu()
            first = pose.in_pixels(numbers, around)
            side = (around[2] - around[0]) * REACH
            seen = pose.patches(first, side)
            parts = as_batch([look(image, patch, PATCH) for patch in seen]).to(self.device)
            second = pose.refined(first, self.module.second(parts)[0].float().cpu(), side)
            seconds = perf_counter() - start
        return Pose(first, second, numbers.flatten(), around, seen, seconds, self.device)


def trunk(layers: int) -> nn.Sequential:
    """The first layers of `classifier-gap-28`, with which both stages begin."""
    return nn.Sequential(*list(classifier.trunk(8))[:layers])


def look(image: np.ndarray, square: Tensor, size: int) -> np.ndarray:
    """A square of a uint8 picture, xyxy in pixels, as size × size pixels; outside it its edge goes on."""
    x1, y1, x2, _ = (float(at) for at in square)
    zoom = size / max(x2 - x1, 1e-3)
    matrix = np.array([[zoom, 0, zoom * (0.5 - x1) - 0.5], [0, zoom, zoom * (0.5 - y1) - 0.5]])
    return cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def as_batch(images: list[np.ndarray]) -> Tensor:
    """uint8 pictures (H, W, 3) of one size as a float tensor (N, 3, H, W) in 0 to 1."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255
