"""The sentences of the things of a scene, kept: what a network that learns to speak is told, and judged by."""

import json
import os
from collections.abc import Callable

import numpy as np

import scenes
from models.device import cache_folder
from models.recipes.scene_cache import SIZE, cached_scenes, fingerprint
from scenes.render import FIRST_THING, _instances

CHUNK = 50


def captions(
    seeds: range, count: int, report: Callable[[int, int], None] = lambda _done, _count: None
) -> list[dict[int, str]]:
    """Of the first `count` scenes of `cached_scenes(seeds)`, the sentence of every thing by its `id`, as
    `scenes.Instance.caption`.

    Written on first use, and going on where it was stopped; other scenes start a new cache.
    """
    folder = cache_folder() / f"captions-{seeds.start}-{fingerprint()}"
    folder.mkdir(parents=True, exist_ok=True)
    found: list[dict[int, str]] = []
    for start in range(0, count, CHUNK):
        file = folder / f"{start:06d}.json"
        if not file.exists():
            rows = range(start, min(start + CHUNK, len(seeds)))
            panoptic = cached_scenes(seeds).panoptic
            said = [of_scene(scenes.sample(seeds[row]), np.asarray(panoptic[row])) for row in rows]
            part = file.with_suffix(".part")  # moved when whole
            part.write_text(json.dumps(said))
            os.replace(part, file)
        found += [{int(key): said for key, said in scene.items()} for scene in json.loads(file.read_text())]
        report(min(start + CHUNK, count), count)
    return found[:count]


def of_scene(scene: scenes.Scene, panoptic: np.ndarray) -> dict[int, str]:
    """The sentence of every thing by its id, without painting the picture again: its `panoptic` map is known."""
    placed = sorted([*scene.trees, *scene.objects], key=lambda each: each.y)
    identity = {id(thing): FIRST_THING + number for number, thing in enumerate(scene.objects)}
    things = _instances(scene, placed, identity, panoptic.astype(np.int32), SIZE)
    return {thing.id: thing.caption for thing in things}
