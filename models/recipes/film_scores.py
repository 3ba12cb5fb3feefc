"""How well things of films are found and followed with a detector: what a detector of films is judged by."""

import statistics
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from labs import tracking
from labs.matching import Detections
from labs.tracking_metrics import Frame, Place, frame, hota, idf1, mota, pooled, pooled_identities
from models.networks.boxes_alone import boxes_alone
from scenes import THINGS
from scenes.film import Film, Passer, film

HELD_OUT = range(90_001, 90_011)  # seeds of films that no setting was chosen on
SECONDS = 8.0
EVERY = 2  # which frame is looked at
SIZES = {"under 16 px": (0, 16), "16 to 32 px": (16, 32), "over 32 px": (32, 1e9)}  # of the longer side
FOUND = 0.5  # least IoU and least score


# Of a uint8 RGB picture: boxes (N, 4), labels (N,) from 1, scores (N,) as tensors, and the seconds it took.
Finds = Callable[..., Any]


def look(network: Finds, shown: Film, index: int) -> tuple[Detections, float]:
    """What is found in a frame, and the seconds that the network says it took."""
    said = boxes_alone(network, shown.frame(index))
    return Detections(said.boxes.numpy(), said.labels.numpy(), said.scores.numpy()), said.seconds


def evaluate(
    network: Finds,
    report: Callable[[int, int], None],
    seeds: Sequence[int] = HELD_OUT,
    every: int = EVERY,
    seconds: float = SECONDS,
) -> dict:
    """`idf1`, `mota` and `hota_mean` of the tracker's defaults over films of which every `every`-th frame is looked at,
    with the counts behind them; `found`, the share of the true boxes of those frames that are found, also by size, and
    `precision`, the share of the sure detections that are true; `forward_ms_p50`."""
    identities, mistakes, higher, milliseconds = [], [], [], []
    hits: dict[str, list[bool]] = {name: [] for name in SIZES}
    true: list[bool] = []
    for number, seed in enumerate(seeds):
        shown = film(seed, seconds=seconds)
        found: list[Detections] = []
        for index in range(len(shown)):
            if index % every == 0:
                said, took = look(network, shown, index)
                milliseconds.append(1000 * took)
                count(said, shown.truth(index), hits, true)
            found.append(said)  # in a frame that is not looked at, `track` does not either
        frames = followed(shown, found, every)
        identities.append(idf1(frames)), mistakes.append(mota(frames)), higher.append(hota(frames).value)
        report(number + 1, len(seeds))
    who, what = pooled_identities(identities), pooled(mistakes)
    all_hits = [hit for each in hits.values() for hit in each]
    return {
        "idf1": round(who.value or 0.0, 3), "mota": round(what.value or 0.0, 3),
        "hota_mean": round(statistics.mean(higher), 3),
        "found": share(all_hits), "precision": share(true),
        "found_by_size": {name: share(each) for name, each in hits.items()},
        "truths": what.truths, "misses": what.misses, "false_positives": what.false_positives,
        "switches": what.switches, "every": every, "films": len(seeds),
        "idf1_each": {
            str(seed): round(each.value or 0.0, 3) for seed, each in zip(seeds, identities, strict=True)
        },
        "forward_ms_p50": round(statistics.median(milliseconds), 1),
    }  # fmt: skip


def followed(shown: Film, found: Sequence[Detections], every: int) -> list[Frame]:
    """The truth of every frame beside the tracks that count there, as `labs.tracking_metrics` compares them."""
    return [
        frame(
            [Place(each.track, THINGS.index(each.label) + 1, each.box) for each in shown.truth(index)],
            [Place(each.track, each.label, each.box) for each in alive if each.state in tracking.COUNTED],
        )
        for index, alive in enumerate(tracking.track(found, tracking.Settings(), every))
    ]


def count(said: Detections, truth: list[Passer], hits: dict[str, list[bool]], true: list[bool]) -> None:
    """Add to `hits`, by size, which of the truths has a detection of its class, and to `true` which detection has a
    truth; a pair has at least FOUND of IoU, and the detection of score."""
    sure = said.subset(said.scores >= FOUND)
    boxes = np.array([each.box for each in truth]).reshape(-1, 4)
    labels = np.array([THINGS.index(each.label) + 1 for each in truth], int)
    fits = (tracking.costs(boxes, sure.boxes) <= 1 - FOUND) & (labels[:, None] == sure.labels[None])
    for box, hit in zip(boxes, fits.any(1).tolist(), strict=True):
        longer = max(box[2] - box[0], box[3] - box[1])
        hits[next(name for name, (low, high) in SIZES.items() if low <= longer < high)].append(hit)
    true += fits.any(0).tolist()


def share(right: list[bool]) -> float:
    """0 to 1; 0 of nothing."""
    return round(sum(right) / len(right), 3) if right else 0.0
