"""How the sentences of `densecap` are trained, on the detector's frozen trunk, and judged on held-out scenes."""

import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.ops import box_iou

from labs import caption_scores
from models.networks.caption_words import START, WORDS, tokens
from models.networks.densecap import DenseCaptioner, LoadedDensecap, Seen, Speaker, cut, placed
from models.networks.detector import LoadedDetector
from models.networks.encoder import normalised
from models.recipes import caption_facts, training
from models.recipes.captions import captions
from models.recipes.scene_cache import SIZE, cached_scenes, held_out_seeds, training_seeds
from models.recipes.trunk_features import RENDERED, TrunkFeatures, trunk_features

TASK = "dense captioning"
NAMES = ("densecap",)
STARTS_FROM = "detector"
HELD_OUT = 500
NEVER = (("blue", "duck"), ("purple", "car"), ("orange", "motorcycle"), ("green", "ball"))  # pairs no training has
SMALLEST_VISIBLE = 0.15
PADDING = -100  # what cross-entropy does not count


@dataclass(frozen=True)
class Recipe:
    """AdamW with a one-cycle learning rate, cross-entropy of every word after the true ones before it (teacher
    forcing). Regions are those of the truth and of its mirror image, each side shifted by up to `jitter` of the box,
    and cut out once: the trunk stays as it is."""

    seed: int = 0
    trunk: str = STARTS_FROM
    scenes: int = 6000
    steps: int = 9000
    batch: int = 48
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    jitter: float = 0.05
    never: tuple[str, ...] = tuple(" ".join(pair) for pair in NEVER)


def build(name: str) -> DenseCaptioner:
    """The network, freshly initialised."""
    return DenseCaptioner()


def wrap(name: str, module: DenseCaptioner, device: torch.device, card: dict) -> LoadedDensecap:
    """The network behind the interface that pages call."""
    return LoadedDensecap(name, module, device, card)


def train(
    name: str, device: torch.device, folder: Path, report: Callable[[int, int, float], None], start: LoadedDetector
) -> tuple[DenseCaptioner, dict]:
    """Train the speaker on the trunk of `start`, or go on from the last checkpoint in `folder`."""
    recipe = Recipe()
    seeds = training_seeds(max(RENDERED, recipe.scenes))
    data = cuttings(
        recipe, trunk_features(start, recipe.scenes), cached_scenes(seeds).images, captions(seeds, recipe.scenes)
    )
    torch.manual_seed(recipe.seed)
    module = build(name).to(device)
    module.detector.load_state_dict(start.module.state_dict())
    module.requires_grad_(False).eval()
    module.speaker.requires_grad_(True)
    settings = asdict(recipe) | {"never": list(recipe.never)}

    def loss_at(step: int) -> Tensor:
        rng = np.random.default_rng([recipe.seed, step])
        rows = rng.choice(len(data.sentences), min(recipe.batch, len(data.sentences)), replace=False)
        return loss_of(module.speaker, *data.of(rows, device))

    seconds = training.fit(
        module.speaker, loss_at, settings, recipe.steps, recipe.learning_rate, recipe.weight_decay, device, folder,
        lambda step, loss: report(step, recipe.steps, loss), largest_gradient=5.0,
    )  # fmt: skip
    facts = {"recipe": settings | {"precision": training.precision(device)}, "training_seconds": round(seconds)}
    return module.eval(), facts | {"regions": len(data.sentences)}


@dataclass(frozen=True, eq=False)
class Cuttings:
    """R regions of the training scenes: `maps` float16 (R, 64, 14, 14) and `pixels` float16 (R, 3, 56, 56) as
    `densecap.cut` gives them, `where` (R, 7) as `densecap.placed` does, and the true `sentences` as words."""

    maps: Tensor
    pixels: Tensor
    where: Tensor
    sentences: list[list[int]]

    def of(self, rows: np.ndarray, device: torch.device) -> tuple[Tensor, Tensor, Tensor, list[list[int]]]:
        """Some of them, float32, the longest sentence first."""
        order = sorted(rows.tolist(), key=lambda row: -len(self.sentences[row]))
        maps, pixels, where = (table[order].to(device).float() for table in (self.maps, self.pixels, self.where))
        return maps, pixels, where, [self.sentences[row] for row in order]


def cuttings(recipe: Recipe, data: TrunkFeatures, images: np.ndarray, said: list[dict[int, str]]) -> Cuttings:
    """Every thing of the scenes and of their mirror images that is to be told: none that is all but hidden, and none of
    the pairs that are held out."""
    rng = np.random.default_rng(recipe.seed)
    tables: list[tuple[Tensor, Tensor, Tensor]] = []
    sentences: list[list[int]] = []
    for mirrored in (0, 1):
        for scene in range(len(data)):
            kept = [
                record for record in data.records[scene]
                if record.visible >= SMALLEST_VISIBLE and pair_of(said[scene][record.id]) not in NEVER
            ]  # fmt: skip
            if not kept:
                continue
            boxes = np.array([record.box for record in kept], np.float32)
            if mirrored:
                boxes[:, [0, 2]] = SIZE - boxes[:, [2, 0]]
            sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
            boxes += (rng.uniform(-recipe.jitter, recipe.jitter, boxes.shape) * sides).astype(np.float32)
            image = images[scene][:, ::-1] if mirrored else images[scene]
            pixels = normalised(torch.from_numpy(image.copy()).permute(2, 0, 1).float()[None] / 255)
            finest = torch.from_numpy(data.levels["P2"][mirrored, scene].copy()).float()[None]
            there = [torch.from_numpy(boxes)]
            maps, crops = cut(finest, pixels, there)
            tables.append((maps.half(), crops.half(), placed(pixels, there)))
            sentences += [tokens(said[scene][record.id]) for record in kept]
    maps, crops, where = (torch.cat(table) for table in zip(*tables, strict=True))
    return Cuttings(maps, crops, where, sentences)


def pair_of(sentence: str) -> tuple[str, str]:
    """Colour and class."""
    return caption_facts.attributes_of(sentence).get("colour", ""), caption_facts.class_of(sentence)


def loss_of(speaker: Speaker, maps: Tensor, pixels: Tensor, where: Tensor, sentences: list[list[int]]) -> Tensor:
    """Cross-entropy of a word, in nats, over all words of all sentences, the longest of which comes first: each after
    the true words before it."""
    regions = speaker.regions(speaker.read(maps, pixels), where)
    lengths = [len(each) for each in sentences]
    heard = nn.utils.rnn.pad_sequence([torch.tensor([START, *each[:-1]]) for each in sentences], batch_first=True)
    packed = nn.utils.rnn.pack_padded_sequence(speaker.embed(heard.to(maps.device)), lengths, batch_first=True)
    states, _ = nn.utils.rnn.pad_packed_sequence(speaker.remember(packed, regions.memory[None])[0], batch_first=True)
    logits, _ = speaker.next(states, regions.cells)
    wanted = nn.utils.rnn.pad_sequence(
        [torch.tensor(each) for each in sentences], batch_first=True, padding_value=PADDING
    )
    return nn.functional.cross_entropy(
        logits.float().flatten(0, 1), wanted.flatten().to(maps.device), ignore_index=PADDING
    )


def evaluate(model: LoadedDensecap, report: Callable[[int, int], None], count: int = HELD_OUT) -> dict:
    """Sentences on true boxes and dense captioning's mAP, on held-out scenes.

    `exact`: share of sentences without a wrong word. `class_accuracy`: of the class word. `attribute_accuracy`: over
    all attributes that the sentences of a class can tell, also those that are rightly not told. `unseen_pairs`: things
    with a pair of colour and class that no training had, and `seen_pairs`: other colours of the same classes.
    """
    data, said = cached_scenes(held_out_seeds(count)), captions(held_out_seeds(count), count)
    spoken: list[tuple[str, str]] = []
    milliseconds, pictures, alone = [], [], []
    for index in range(count):
        seen = model(np.asarray(data.images[index]))
        milliseconds.append(seen.detection.seconds * 1000)
        records = [record for record in data.records[index] if record.visible >= SMALLEST_VISIBLE]
        boxes = torch.tensor([record.box for record in records], dtype=torch.float32).reshape(-1, 4)
        truths = [said[index][record.id] for record in records]
        if truths:
            sentences = [each.text for each in model.greedy(model.regions(seen, boxes))]
            spoken += zip(truths, sentences, strict=True)
        with_words, by_box = compared(model, seen, boxes, truths)
        pictures.append(with_words), alone.append(by_box)
        report(index + 1, count)
    return (
        sentence_metrics(spoken)
        | {"dense_map": round(caption_scores.dense_map(pictures)[0], 4)}
        | {"dense_map_box_score": round(caption_scores.dense_map(alone)[0], 4)}
        | {"forward_ms_p50": round(statistics.median(milliseconds), 1), "scenes": count}
    )


def compared(
    model: LoadedDensecap, seen: Seen, boxes: Tensor, truths: list[str]
) -> tuple[caption_scores.Compared, caption_scores.Compared]:
    """What the network says of a picture of its own accord, against the truth: ranked by the joint score, and by that
    of the box alone."""
    found, scores = model.proposed(seen)
    said = model.greedy(model.regions(seen, found)) if len(found) else []
    words = [[WORDS[word] for word in each.words] for each in said]
    told = [[WORDS[word] for word in tokens(each)] for each in truths]
    overlap = box_iou(found, boxes).numpy()
    joint = caption_scores.joint(scores.numpy(), np.array([each.mean for each in said]))
    return (
        caption_scores.compare(overlap, joint, words, told),
        caption_scores.compare(overlap, scores.numpy(), words, told),
    )


def sentence_metrics(spoken: list[tuple[str, str]]) -> dict:
    """The figures of pairs of a true sentence and what was said of its thing."""
    classes, exact, every = [], [], []
    by_name: dict[str, list[bool]] = {}
    places: dict[str, list[bool]] = {}
    pairs: dict[str, list[tuple[bool, bool]]] = {"unseen_pairs": [], "seen_pairs": []}
    for truth, sentence in spoken:
        label = caption_facts.class_of(truth)
        same = label == caption_facts.class_of(sentence)
        exact.append(truth == sentence), classes.append(same)
        wanted, told = caption_facts.attributes_of(truth), caption_facts.attributes_of(sentence)
        for name, value in wanted.items():
            every.append(same and told[name] == value)
            by_name.setdefault(f"{label}: {name}", []).append(every[-1])
        for name, value in caption_facts.place_of(truth).items():
            places.setdefault(name, []).append(caption_facts.place_of(sentence)[name] == value)
        if label in dict(map(reversed, NEVER)) and wanted.get("colour"):
            which = "unseen_pairs" if (wanted["colour"], label) in NEVER else "seen_pairs"
            pairs[which].append((same, same and told["colour"] == wanted["colour"]))
    return {
        "attribute_accuracy": share(every), "class_accuracy": share(classes), "exact": share(exact),
        "attributes": {name: share(right) for name, right in sorted(by_name.items())},
        "place": {name: share(right) for name, right in places.items()},
        "things": len(spoken),
    } | {
        which: {"things": len(found), "class": share([same for same, _ in found]),
                "colour": share([colour for _, colour in found])}
        for which, found in pairs.items()
    }  # fmt: skip


def share(right: list[bool]) -> float:
    """0 to 1; 0 of nothing."""
    return round(sum(right) / len(right), 4) if right else 0.0
