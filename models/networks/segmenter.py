"""Five fully convolutional segmenters that differ in one thing: how the decoder gets its resolution back.

An encoder of 3x3 convolutions and four 2x2 max pools goes from 224 to 14 pixels, where residual blocks look far
around; the decoder mirrors it. Each of its four steps upsamples by two with one of `labs.upsampling`'s methods, adds
the encoder's features of that size (Long et al. 2015; Chaurasia and Culurciello 2017) and convolves. The last step, to
full resolution, adds nothing: there the upsampling is on its own. What is added can be left out at a call, to see what
it brings.
"""

import copy
from dataclasses import dataclass, field
from itertools import pairwise
from time import perf_counter

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from labs import upsampling
from models.device import LoadedNetwork, out_of_memory_said
from models.networks.encoder import WIDTHS, Encoder, block, normalised
from scenes import CLASSES

UPSAMPLINGS = ("nearest", "bed-of-nails", "bilinear", "max-unpool", "transposed")
SKIPS = 3  # steps of the decoder that add the encoder's features; the fourth, to full resolution, does not


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What a segmenter said of one picture.

    Attributes:
        labels: uint8 array (H, W), the winning class of each pixel, indices into `scenes.CLASSES`.
        logits: float32 tensor (13, H, W) on the CPU.
        stages: (name, float32 tensor (C, h, w) on the CPU) after every upsampling and every convolution of the decoder.
        seconds: wall-clock time of the forward pass.
        device: where it ran.
        encoded: (name, float32 tensor (C, h, w) on the CPU) on the way down: what each level of the encoder makes, from
            the picture's size to the smallest maps.
    """

    labels: np.ndarray
    logits: Tensor
    stages: list[tuple[str, Tensor]]
    seconds: float
    device: str
    encoded: list[tuple[str, Tensor]] = field(default_factory=list)


class Segmenter(nn.Module):
    """Float images (N, 3, H, W) in 0 to 1, H and W multiples of 16, to logits (N, 13, H, W).

    Args:
        method: one of UPSAMPLINGS.
    """

    def __init__(self, method: str):
        super().__init__()
        if method not in UPSAMPLINGS:
            raise ValueError(f"There is no decoder {method!r}: choose one of {', '.join(UPSAMPLINGS)}.")
        self.method = method
        a, b, c, d = WIDTHS
        self.encoder = Encoder()
        self.decoder = nn.ModuleList([block(d, c), block(c, b), block(b, a), block(a, a)])
        self.classify = nn.Conv2d(a, len(CLASSES), 1)
        # Made last: with one seed, all that the five networks share starts from the same numbers.
        self.transposed = nn.ModuleList(
            nn.ConvTranspose2d(n, n, 3, stride=2, padding=1, output_padding=1)
            for n in (reversed(WIDTHS) if method == "transposed" else ())
        )

    def forward(
        self,
        images: Tensor,
        stages: list[tuple[str, Tensor]] | None = None,
        skips: int = SKIPS,
        encoded: list[tuple[str, Tensor]] | None = None,
    ) -> Tensor:
        """Logits; where lists are given, the decoder's and the encoder's features are appended to them by name.

        `skips` is how many of the SKIPS steps add the encoder's features, the smallest maps first. All of them do in
        training; 0, 1, 2 are for looking at what they bring (the ladder of Long et al. 2015: FCN-32s, 16s, 8s).
        """
        x, down, positions = self.encoder(normalised(images))
        if encoded is not None:
            encoded += [(f"encoded at {each.shape[-2]}×{each.shape[-1]}", each) for each in (*down, x)]
        for step, convolve in enumerate(self.decoder):
            skip = down.pop()
            x = self._upsample(x, step, positions.pop(), skip.shape[-2:])
            if stages is not None:
                stages.append((f"upsampled to {x.shape[-2]}×{x.shape[-1]}", x))
            if step < skips:
                x = x + skip
            x = convolve(x)
            if stages is not None:
                stages.append((f"convolved at {x.shape[-2]}×{x.shape[-1]}", x))
        return self.classify(x)

    def _upsample(self, x: Tensor, step: int, positions: Tensor, size: tuple[int, int]) -> Tensor:
        if self.method == "transposed":
            return self.transposed[step](x)
        if self.method == "max-unpool":
            return upsampling.max_unpool(x, positions, tuple(size), distinct=True)
        return {
            "nearest": upsampling.nearest,
            "bed-of-nails": upsampling.bed_of_nails,
            "bilinear": upsampling.bilinear,
        }[self.method](x, 2)


class LoadedSegmenter(LoadedNetwork):
    """A segmenter with its weights, on a device, ready to be called with a picture.

    Attributes:
        name, device, card: what a page's footer says of it.
        module: the network, in eval mode. What runs is a copy of it, `folded`: a fifth faster on a CPU.
    """

    def __init__(self, name: str, module: Segmenter, device: torch.device, card: dict):
        self.name, self.module, self.device, self.card = name, module, str(device), card
        self._folded = folded(module)

    @out_of_memory_said
    def __call__(self, image: np.ndarray, keep_stages: bool = False, skips: int = SKIPS) -> Segmentation:
        """Segment a uint8 RGB picture (H, W, 3). Sides that are no multiples of 16 are padded by repeating the edge,
        and the padding is cut off again. `stages` and `encoded` are filled only where asked for; with fewer than SKIPS
        `skips` it does without those of the larger maps, which it has never practised.

        Errors: ValueError for skips outside 0 to SKIPS.
        """
        if not 0 <= skips <= SKIPS:
            raise ValueError(f"A segmenter has {SKIPS} skip connections: 0 to {SKIPS} can be added, not {skips}.")
        height, width = image.shape[:2]
        pad = ((0, -height % 16), (0, -width % 16), (0, 0))
        padded = np.pad(image, pad, mode="edge") if pad[0][1] or pad[1][1] else image
        x = torch.from_numpy(np.array(padded)).to(self.device).permute(2, 0, 1)[None].float() / 255
        stages, encoded = ([], []) if keep_stages else (None, None)
        with torch.inference_mode():
            start = perf_counter()
            logits = self._folded(x, stages, skips, encoded)[0, :, :height, :width]
            labels = logits.argmax(0).to(torch.uint8).cpu().numpy()  # waits for the device
            seconds = perf_counter() - start
            kept, below = (
                [(name, each[0].float().cpu()) for name, each in features or []] for features in (stages, encoded)
            )
            return Segmentation(labels, logits.float().cpu(), kept, seconds, self.device, below)


def folded(module: nn.Module) -> nn.Module:
    """A copy, in eval mode, in which every convolution that a batch normalisation follows in an `nn.Sequential` has
    taken over its scale and shift: the same function up to rounding, with one pass over the features less."""
    module = copy.deepcopy(module).eval()
    for sequence in [each for each in module.modules() if isinstance(each, nn.Sequential)]:
        for i, (first, second) in enumerate(pairwise(sequence)):
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                sequence[i], sequence[i + 1] = fuse_conv_bn_eval(first, second), nn.Identity()
    return module.requires_grad_(False)
