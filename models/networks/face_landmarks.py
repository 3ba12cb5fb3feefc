"""A network for landmarks: convolutions, then fully connected layers that end in two numbers for each landmark."""

from dataclasses import dataclass
from time import perf_counter

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from labs import landmarks
from models.device import LoadedNetwork, out_of_memory_said
from models.networks.classifier import convolution
from models.networks.encoder import normalised
from models.networks.segmenter import folded
from scenes.faces import LANDMARKS

SIDE = 96  # pixels of what the network sees
WIDTHS = (16, 32, 64, 96)  # of the maps of 48, 24, 12 and again 12 pixels
KEPT = 24  # maps that the fully connected layers see
HIDDEN = 96


@dataclass(frozen=True, eq=False)
class Landmarks:
    """What the network said of one face.

    Attributes:
        landmarks: float32 tensor (5, 2) on the CPU, x and y in pixels of the picture, in the order of
            `scenes.faces.LANDMARKS`.
        numbers: float32 tensor (10,), the outputs of the last layer, in sides of the picture.
        seconds: wall-clock time of the forward pass.
        device: where it ran.
    """

    landmarks: Tensor
    numbers: Tensor
    seconds: float
    device: str


class FaceLandmarks(nn.Module):
    """Float images (N, 3, 96, 96) in 0 to 1 to ten numbers (N, 10), x and y of each landmark in sides of the picture.

    No pooling before the fully connected layers: where something is on the last map is the answer.
    """

    def __init__(self):
        super().__init__()
        a, b, c, d = WIDTHS
        self.trunk = nn.Sequential(
            convolution(3, a, stride=2),
            convolution(a, b, stride=2),
            convolution(b, b),
            convolution(b, c, stride=2),
            convolution(c, c),
            convolution(c, d),
            convolution(d, KEPT),
        )
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(KEPT * (SIDE // 8) ** 2, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * len(LANDMARKS))
        )

    def forward(self, images: Tensor) -> Tensor:
        found = self.head(self.trunk(normalised(images)).contiguous())
        return found.float() + 0.5  # zero is the middle of the picture, and the sum is beyond half precision


class LoadedFaceLandmarks(LoadedNetwork):
    """The network with its weights, on a device, ready to be called with a picture of one face.

    Attributes:
        name, device, card: what a page's footer says of it.
        module: the network, in eval mode. What runs is a copy with its batch normalisations folded in.
    """

    def __init__(self, name: str, module: FaceLandmarks, device: torch.device, card: dict):
        self.name, self.module, self.device, self.card = name, module, str(device), card
        self._folded = folded(module)

    @out_of_memory_said
    def __call__(self, image: np.ndarray) -> Landmarks:
        """The landmarks of the face in a uint8 RGB picture (H, W, 3), which is resized to 96x96. It answers with five
        points whatever is in the picture: it cannot say that there is no face."""
        x = to_tensor(image)[None].to(self.device)
        with torch.inference_mode():
            start = perf_counter()
            numbers = self._folded(x)[0].float().cpu()  # waits for the device
            seconds = perf_counter() - start
            found = landmarks.to_landmarks(numbers, *image.shape[1::-1])
            return Landmarks(found.clone(), numbers.clone(), seconds, self.device)


def seen(image: np.ndarray) -> np.ndarray:
    """A uint8 RGB picture (H, W, 3) as the network sees it, (96, 96, 3): by area where it shrinks."""
    if image.shape[:2] == (SIDE, SIDE):
        return image
    shrinks = max(image.shape[:2]) > SIDE
    return cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def to_tensor(image: np.ndarray) -> Tensor:
    """The same as a float32 tensor (3, 96, 96) in 0 to 1."""
    return torch.from_numpy(np.array(seen(image))).permute(2, 0, 1).float() / 255
