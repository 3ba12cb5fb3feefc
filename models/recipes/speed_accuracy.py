"""What a detector's card says of it at other settings: AP by picture size and number of proposals, and what they cost.

The scenes are drawn at the size that the network sees, and what it finds is judged at 224 pixels: one truth for all.
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import scenes
from models.inside import settings
from models.inside.settings import Setting
from models.recipes import coco_metrics
from models.recipes.scene_cache import SIZE, cached_scenes, held_out_seeds

HELD_OUT, TIMED = 200, 15
RENDERED = 500  # held-out scenes that every card needs; these are the first of them
SIDES = (128, 160, 224, 320)
PROPOSALS = (10, 50, 300)
KEPT = ("box_ap", "box_ap50", "box_ap_per_size")


def all_settings(network: Any) -> list[Setting]:
    """The settings that a network is judged at."""
    if not settings.adjustable(network):
        return [Setting(network.name)]
    counts: Sequence[int | None] = PROPOSALS if settings.has_proposals(network) else (None,)
    return [Setting(network.name, side, count) for side in SIDES for count in counts]


def judge(network: Any, report: Callable[[int, int], None], count: int = HELD_OUT) -> list[dict]:
    """For every setting `side`, `proposals`, `box_ap`, `box_ap50`, `box_ap_per_size`, `milliseconds` (median), and of
    one picture `multiply_adds` and `peak_bytes`, the most that is held at once beside the network's numbers."""
    seeds, data = held_out_seeds(RENDERED), cached_scenes(held_out_seeds(RENDERED))
    wanted = all_settings(network)
    judges = {setting: coco_metrics.Judge() for setting in wanted}
    times: dict[Setting, list[float]] = {setting: [] for setting in wanted}
    sums: dict[Setting, int] = {}
    held: dict[Setting, int] = {}
    for index in range(count):
        for side in dict.fromkeys(setting.side for setting in wanted):
            image = np.asarray(data.images[index])
            if side != SIZE:
                image = scenes.render(scenes.sample(seeds[index]), side).image
            for setting in (each for each in wanted if each.side == side):
                found = settings.detect(network, image, setting)
                times[setting].append(found.seconds * 1000)
                at_224 = replace(found, boxes=found.boxes * (SIZE / side))
                judges[setting].add(at_224, np.asarray(data.panoptic[index]), data.records[index])
                if index == 0:
                    sums[setting] = settings.multiply_adds(network, image, setting)
                    held[setting] = settings.peak_bytes(network, image, setting)
        report(index + 1, count)
    return [
        {
            "side": setting.side,
            "proposals": setting.proposals,
            **{key: value for key, value in judges[setting].metrics().items() if key in KEPT},
            "milliseconds": round(statistics.median(times[setting]), 1),
            "multiply_adds": sums[setting],
            "peak_bytes": held[setting],
        }
        for setting in wanted
    ]


def times(network: Any, report: Callable[[int, int], None], count: int = TIMED) -> dict[Setting, float]:
    """The median milliseconds of every setting over some scenes: to be asked of a machine that does nothing else."""
    wanted, found = all_settings(network), {}
    for done, setting in enumerate(wanted, start=1):
        images = [scenes.render(scenes.sample(seed), setting.side).image for seed in held_out_seeds(count)]
        runs = [settings.detect(network, image, setting).seconds * 1000 for image in (images[0], *images)]
        found[setting] = round(statistics.median(runs[1:]), 1)  # the first prepares
        report(done, len(wanted))
    return found


def parameter_bytes(network: Any) -> int:
    """What its numbers take in memory, as they are held: 4 bytes each in single precision."""
    return sum(value.numel() * value.element_size() for value in network.module.state_dict().values())
