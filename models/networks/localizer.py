"""A network that says what one thing is and where: one trunk, and two fully connected heads.

The trunk is that of `classifier-gap-28`. Both heads end in one linear layer over 64 numbers, so that every score and
every number of the box can be written out as a sum.
"""

from dataclasses import dataclass
from time import perf_counter

import numpy as np
import torch
from torch import Tensor, nn

from labs import localization
from models.device import LoadedNetwork, out_of_memory_said
from models.networks.classifier import WIDTHS, convolution, pool, to_tensor, trunk
from models.networks.encoder import normalised
from scenes import THINGS

HIDDEN = 64  # numbers before the last layer of each head
MAPS, CELLS = 64, 7  # what the box head flattens: so many maps of 7x7 places
FIRST_BOX = (0.5, 0.5, 0.3, 0.3)  # what an untrained network says of every picture


@dataclass(frozen=True, eq=False)
class Head:
    """The last layer of a head and what it was given: `hidden` (64,), `weights` (outputs, 64), `bias` (outputs,)."""

    hidden: Tensor
    weights: Tensor
    bias: Tensor


@dataclass(frozen=True, eq=False)
class Localization:
    """What the network said of one picture; all tensors float32 on the CPU.

    Attributes:
        scores: (8,), one for each of `scenes.THINGS`, before the softmax.
        probabilities: (8,), their softmax: it takes exactly one thing for granted.
        numbers: (4,), x, y, w, h in sides of the picture.
        box: (4,), the same as xyxy in pixels of the picture it was given, as far as it lies inside.
        class_head, box_head: the last layers.
        seconds: wall-clock time of the forward pass.
        device: where it ran.
    """

    scores: Tensor
    probabilities: Tensor
    numbers: Tensor
    box: Tensor
    class_head: Head
    box_head: Head
    seconds: float
    device: str

    @property
    def label(self) -> str:
        """The class with the largest score."""
        return THINGS[int(self.scores.argmax())]


class Heads(nn.Module):
    """Maps (N, 128, 28, 28) to scores (N, 8) and box numbers (N, 4); the two share nothing.

    Where a thing is does not matter for its class, so the class head averages each map. The box head may not: it
    shrinks the maps to 7x7 places and flattens those.
    """

    def __init__(self):
        super().__init__()
        width = WIDTHS[2]
        self.class_hidden = nn.Sequential(nn.Linear(width, HIDDEN), nn.ReLU())
        self.class_last = nn.Linear(HIDDEN, len(THINGS))
        self.shrink = nn.Sequential(convolution(width, MAPS, stride=2), convolution(MAPS, MAPS, stride=2))
        self.box_hidden = nn.Sequential(nn.Linear(MAPS * CELLS * CELLS, HIDDEN), nn.ReLU())
        self.box_last = nn.Linear(HIDDEN, len(FIRST_BOX))
        nn.init.normal_(self.box_last.weight, std=0.01)
        with torch.no_grad():
            self.box_last.bias.copy_(torch.tensor(FIRST_BOX))

    def hidden(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """What the two last layers see, (N, 64) each."""
        return self.class_hidden(pool(maps, "average")), self.box_hidden(self.shrink(maps).flatten(1))

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        for_class, for_box = self.hidden(maps)
        return self.class_last(for_class), self.box_last(for_box)


class Localizer(nn.Module):
    """Float images (N, 3, 224, 224) in 0 to 1 to scores (N, 8) and box numbers (N, 4)."""

    def __init__(self):
        super().__init__()
        self.trunk = trunk(8)
        self.heads = Heads()

    def maps(self, images: Tensor) -> Tensor:
        """What both heads see, (N, 128, 28, 28)."""
        return self.trunk(normalised(images))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return self.heads(self.maps(images))


class LoadedLocalizer(LoadedNetwork):
    """A localizer with its weights, on a device, ready to be called with a picture. Safe to call from many threads.

    Attributes:
        name, device, card: what a page's footer says of it.
        module: the network, in eval mode.
    """

    def __init__(self, name: str, module: Localizer, device: torch.device, card: dict):
        self.name, self.module, self.device, self.card = name, module, str(device), card

    @out_of_memory_said
    def __call__(self, image: np.ndarray) -> Localization:
        """Localize the one thing in a uint8 RGB picture (H, W, 3); any other size than 224x224 is resized to it."""
        x = to_tensor(image)[None].to(self.device)
        with torch.inference_mode():
            start = perf_counter()
            hidden = self.module.heads.hidden(self.module.maps(x))
            for_class, for_box = (each[0].float().cpu() for each in hidden)  # waits for the device
            heads = self.module.heads
            class_head, box_head = opened(for_class, heads.class_last), opened(for_box, heads.box_last)
            scores = class_head.weights @ for_class + class_head.bias
            numbers = box_head.weights @ for_box + box_head.bias
            seconds = perf_counter() - start
            height, width = image.shape[:2]
            box = localization.inside(localization.to_box(numbers, width, height), width, height)
        return Localization(scores, scores.softmax(0), numbers, box, class_head, box_head, seconds, self.device)


def opened(hidden: Tensor, layer: nn.Linear) -> Head:
    """The last layer of a head, on the CPU."""
    return Head(hidden, layer.weight.float().cpu().clone(), layer.bias.float().cpu().clone())
