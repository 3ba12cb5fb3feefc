"""A sentence for every region of a picture (after DenseCap: Johnson, Karpathy, Fei-Fei 2016), on the frozen detector.

The detector finds the regions; its trunk, RPN and heads stay as they are. What is new speaks: the region's part of the
finest map of the pyramid and its pixels become 7x7 cells; a recurrent layer (GRU) remembers the words that were said,
and before each word it looks at the cells with an attention of its own (Lu et al. 2017).
"""

import math
from dataclasses import dataclass
from threading import Lock

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.ops import nms, roi_align

from labs import caption_decoding
from models.device import LoadedNetwork, out_of_memory_said
from models.networks.caption_words import END, LONGEST, START, WORDS, sentence
from models.networks.detector import FEATURES, LEVELS, SIZE, Detection, LoadedDetector, build_detector
from models.networks.encoder import normalised

STRIDE = 4  # pixels of the picture per cell of the finest map
GRID, CELLS = 14, 7  # places a side at which a region is read, and cells a side that the words look at
FINER = 4  # pixels a side that are cut out for each of these places: patterns and second colours are fine
AROUND = 0.15  # of its width and height, on every side: what a thing stands on is said too
OVERLAP, LEAST, MOST = 0.5, 0.05, 40  # of regions of a picture: highest IoU, least score, and how many
EDGES, PIXELS, MIXED, WIDTH, EMBEDDED, MEMORY = 32, 64, 96, 128, 48, 192  # channels


@dataclass(frozen=True, eq=False)
class Seen:
    """What one look at a picture gives: everything that a sentence about any region of it needs.

    Attributes:
        detection: what the detector found, boxes xyxy in pixels of the picture.
        finest (1, 64, h, w): the finest map of the pyramid. pixels (1, 3, 224, 224): the normalised picture.
        scale (4,): pixels that the network saw per pixel of the picture, for xyxy.
    """

    detection: Detection
    finest: Tensor
    pixels: Tensor
    scale: Tensor


@dataclass(frozen=True, eq=False)
class Regions:
    """What the speaker has of R regions: `cells` (R, 49, 128), row by row, and `memory` (R, 192) before the first word.

    `read` (R, 128, 14, 14) is what the cells were made of: 64 channels of the trunk and 64 of the pixels.
    """

    cells: Tensor
    memory: Tensor
    read: Tensor

    def __len__(self) -> int:
        return len(self.cells)


@dataclass(frozen=True, eq=False)
class Caption:
    """A sentence: `words` (L,) as numbers up to the full stop, the log probability of each, and `looks` (L, 7, 7): the
    share of the attention that each word gave to each cell."""

    words: tuple[int, ...]
    log_probabilities: tuple[float, ...]
    looks: Tensor

    @property
    def text(self) -> str:
        """As it is written."""
        return sentence(self.words)

    @property
    def mean(self) -> float:
        """The geometric mean of the words' probabilities, 0 to 1."""
        return math.exp(sum(self.log_probabilities) / max(len(self.words), 1))


class Speaker(nn.Module):
    """What has been trained: regions to cells, and cells and the words so far to the next word."""

    def __init__(self):
        super().__init__()
        self.see = nn.Sequential(
            nn.Conv2d(3, EDGES, 5, stride=2, padding=2), nn.BatchNorm2d(EDGES), nn.ReLU(),
            nn.Conv2d(EDGES, PIXELS, 3, stride=2, padding=1), nn.BatchNorm2d(PIXELS), nn.ReLU(),
        )  # fmt: skip
        self.mix = nn.Sequential(nn.Conv2d(FEATURES + PIXELS, MIXED, 3, padding=1), nn.BatchNorm2d(MIXED), nn.ReLU())
        self.fold = nn.Sequential(nn.Conv2d(MIXED, WIDTH, 3, stride=2, padding=1), nn.BatchNorm2d(WIDTH), nn.ReLU())
        self.place = nn.Parameter(0.02 * torch.randn(WIDTH, CELLS, CELLS))
        self.begin = nn.Linear(2 * WIDTH + 7, MEMORY)
        self.embed = nn.Embedding(len(WORDS), EMBEDDED)
        self.remember = nn.GRU(EMBEDDED, MEMORY, batch_first=True)
        self.ask = nn.Linear(MEMORY, WIDTH)
        self.answer = nn.Linear(WIDTH, WIDTH)
        self.join = nn.Linear(MEMORY + WIDTH, MEMORY)
        self.say = nn.Linear(MEMORY, len(WORDS))

    def read(self, maps: Tensor, pixels: Tensor) -> Tensor:
        """What `cut` gives of R regions to (R, 128, 14, 14)."""
        both = torch.cat([maps, self.see(pixels)], 1)
        return both.contiguous(memory_format=torch.channels_last)  # four times as fast on a CPU in half precision

    def regions(self, read: Tensor, where: Tensor) -> Regions:
        """What was read, and what `placed` says of R regions, to cells and a first memory."""
        cells = (self.fold(self.mix(read)) + self.place).flatten(2).transpose(1, 2)
        memory = self.begin(torch.cat([cells.mean(1), cells.amax(1), where], 1)).tanh()
        return Regions(cells, memory, read)

    def next(self, states: Tensor, cells: Tensor) -> tuple[Tensor, Tensor]:
        """Memories (R, L, 192) and cells to the logits of the next words (R, L, words), and the looks (R, L, 49)."""
        looks = (self.ask(states) @ self.answer(cells).transpose(1, 2) / WIDTH**0.5).softmax(-1)
        return self.say(self.join(torch.cat([states, looks @ cells], -1)).relu()), looks

    def forward(self, regions: Regions, said: Tensor, memory: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (R, L, words) of what follows each of the words `said` (R, L), the attention (R, L, 49) with which
        each was chosen, and the last memory (R, 192). `memory` (R, 192): of what was said before, if anything was."""
        before = regions.memory if memory is None else memory
        states, last = self.remember(self.embed(said), before[None].contiguous())
        logits, looks = self.next(states, regions.cells)
        return logits, looks, last[0]


def cut(finest: Tensor, pixels: Tensor, boxes: list[Tensor]) -> tuple[Tensor, Tensor]:
    """The finest maps (N, 64, h, w), the pictures (N, 3, H, W) and the boxes of each (xyxy, pixels) to what the R
    regions show of both: (R, 64, 14, 14) and (R, 3, 56, 56)."""
    wider = [widened(each) for each in boxes]
    maps = roi_align(finest, wider, GRID, 1 / STRIDE, 2, aligned=True)
    return maps, roi_align(pixels, wider, FINER * GRID, 1.0, 2, aligned=True)


def placed(pixels: Tensor, boxes: list[Tensor]) -> Tensor:
    """Seven numbers of each region: its box, as parts of the picture, and the picture's mean colour; (R, 7)."""
    light = torch.cat([mean.expand(len(each), 3) for mean, each in zip(pixels.mean((2, 3)), boxes, strict=True)])
    return torch.cat([torch.cat(boxes).to(light) / SIZE, light], 1)


def widened(boxes: Tensor) -> Tensor:
    """Boxes (R, 4), grown by AROUND of their sides on every side."""
    grow = AROUND * (boxes[:, 2:] - boxes[:, :2])
    return torch.cat([boxes[:, :2] - grow, boxes[:, 2:] + grow], 1)


class DenseCaptioner(nn.Module):
    """The detector, which finds regions, and the speaker. The detector is not in the weights of this network."""

    def __init__(self):
        super().__init__()
        self.detector = build_detector()
        self.speaker = Speaker()


class LoadedDensecap(LoadedNetwork):
    """Dense captioning with its weights, on a device. Safe to call from many threads.

    Attributes:
        name, device, card: what a page's footer says of it.
        module: the network, in eval mode.
    """

    def __init__(self, name: str, module: DenseCaptioner, device: torch.device, card: dict):
        self.name, self.module, self.device, self.card = name, module, str(device), card
        self._detect = LoadedDetector(name, module.detector, device, card)
        self._detect.let_go = self._let_all_go
        self._lock = Lock()  # gradients on a shared module are not thread-safe

    def _let_all_go(self) -> None:
        if self.let_go:
            self.let_go()

    @property
    def speaker(self) -> Speaker:
        """What was trained."""
        return self.module.speaker

    @out_of_memory_said
    def __call__(self, image: np.ndarray) -> Seen:
        """Look at a uint8 RGB picture (H, W, 3) of any size, once: regions and sentences are asked of what it saw."""
        found = self._detect(image, masks=False, keypoints=False)
        x = torch.from_numpy(np.array(image)).to(self.device).permute(2, 0, 1).float()[None] / 255
        if x.shape[-2:] != (SIZE, SIZE):
            x = nn.functional.interpolate(x, (SIZE, SIZE), mode="bilinear", antialias=True)
        finest = next(level for level in found.levels if level.name == LEVELS[0]).features
        height, width = image.shape[:2]
        scale = torch.tensor([SIZE / width, SIZE / height] * 2)
        return Seen(found, finest[None].to(self.device), normalised(x), scale)

    def proposed(self, seen: Seen, overlap: float = OVERLAP, least: float = LEAST) -> tuple[Tensor, Tensor]:
        """The regions of a picture that are worth a sentence, best first: boxes (R, 4), and scores (R,), how sure the
        detector is that there is a thing at all. `overlap`: two with a higher IoU do not both stay."""
        score, label = seen.detection.raw_scores[:, 1:].max(1)
        boxes = seen.detection.raw_boxes[torch.arange(len(score)), label].clamp(min=0)
        something = 1 - seen.detection.raw_scores[:, 0]
        fit = (something >= least) & ((boxes[:, 2:] - boxes[:, :2]).amin(1) > 1)
        boxes, something = boxes[fit], something[fit]
        kept = nms(boxes, something, overlap)[:MOST]
        return boxes[kept], something[kept]

    def regions(self, seen: Seen, boxes: Tensor) -> Regions:
        """What the speaker has of regions (R, 4), xyxy in pixels of the picture. R ≥ 1."""
        there = [(boxes * seen.scale).to(self.device)]
        with torch.inference_mode():
            read = self.speaker.read(*cut(seen.finest, seen.pixels, there))
            return self.speaker.regions(read, placed(seen.pixels, there))

    def follow(self, regions: Regions, said: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        """Of one region: log probabilities (L + 1, words) of what follows nothing, the first word, ..., all the words
        `said`, and the looks (L + 1, 7, 7) with which that was chosen."""
        with torch.inference_mode():
            logits, looks, _ = self.speaker(regions, torch.tensor([[START, *said]], device=self.device))
        return logits[0].log_softmax(-1).float().cpu(), looks[0].unflatten(-1, (CELLS, CELLS)).float().cpu()

    def caption(self, regions: Regions, said: tuple[int, ...]) -> Caption:
        """The words `said` of one region as a `Caption`: what each cost, and where each looked."""
        log_p, looks = self.follow(regions, said)
        chosen = log_p[:-1].gather(1, torch.tensor(said, dtype=torch.int64)[:, None])[:, 0]
        return Caption(tuple(said), tuple(chosen.tolist()), looks[:-1])

    def greedy(self, regions: Regions) -> list[Caption]:
        """The sentence of every region, word by word the most probable one; all regions go side by side."""
        speak, count = self.speaker, len(regions)
        with torch.inference_mode():
            word = torch.full((count, 1), START, device=self.device)
            memory, words, costs, looks = regions.memory, [], [], []
            for _ in range(LONGEST):
                logits, look, memory = speak(regions, word, memory)
                cost, word = logits[:, -1].log_softmax(-1).max(-1, keepdim=True)
                words.append(word[:, 0]), costs.append(cost[:, 0]), looks.append(look[:, -1])
                if all(END in each for each in torch.stack(words, 1).tolist()):
                    break
        said, cost, look = (torch.stack(each, 1).cpu() for each in (words, costs, looks))
        ends = [row.index(END) + 1 if END in row else len(row) for row in said.tolist()]
        return [
            Caption(tuple(said[i, :n].tolist()), tuple(cost[i, :n].tolist()), look[i, :n].unflatten(-1, (CELLS, CELLS)))
            for i, n in enumerate(ends)
        ]

    def step(self, regions: Regions) -> caption_decoding.Step:
        """How `labs.caption_decoding` asks for the next word of one region: words so far to log probabilities. What was
        asked before is remembered, so several ways to a sentence share their beginnings."""
        known: dict[tuple[int, ...], tuple[Tensor, Tensor]] = {}  # log probabilities, and the memory after the words

        def log_probabilities(said: tuple[int, ...]) -> Tensor:
            said = tuple(said)
            start = next((n for n in range(len(said), -1, -1) if said[:n] in known), -1)
            for length in range(start + 1, len(said) + 1):
                before = known[said[: length - 1]][1] if length else regions.memory
                word = torch.tensor([[said[length - 1] if length else START]], device=self.device)
                with torch.inference_mode():
                    logits, _, after = self.speaker(regions, word, before)
                known[said[:length]] = (logits[0, -1].log_softmax(-1).float().cpu(), after)
            return known[said][0]

        return log_probabilities

    @out_of_memory_said
    def gradient(self, seen: Seen, box: Tensor, said: tuple[int, ...], at: int) -> Tensor:
        """How much each of 14x14 places of a region (4,) counted for word `at` of those `said`: what was read there
        times the gradient of the word's log probability, summed over channels, without sign; (14, 14)."""
        there = [(box[None] * seen.scale).to(self.device)]
        with self._lock, torch.enable_grad():
            finest, pixels = seen.finest.clone(), seen.pixels.clone()  # what inference made cannot be differentiated
            read = self.speaker.read(*cut(finest, pixels, there)).detach().requires_grad_()
            regions = self.speaker.regions(read, placed(pixels, there))
            logits, _, _ = self.speaker(regions, torch.tensor([[START, *said[:at]]], device=self.device))
            (slope,) = torch.autograd.grad(logits[0, -1].log_softmax(-1)[said[at]], read)
        return (slope * read.detach()).sum(1)[0].abs().cpu()
