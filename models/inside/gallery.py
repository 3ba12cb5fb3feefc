"""A thousand things of Lab World, each cut out of a held-out scene, and what the scene knows of it.

The list is shipped (`models/features/gallery.json`), because only the rendered truth says which things are large and
in full view. Their small pictures are shipped too, as one sheet; any of them can be drawn again from its seed.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from itertools import count
from pathlib import Path

import cv2
import numpy as np

import scenes

FEATURES = Path(__file__).resolve().parent.parent / "features"
LIST, SHEET = FEATURES / "gallery.json", FEATURES / "gallery.jpg"
COUNT, FIRST_SEED = 1000, 10_000_000  # as many of each class; seeds that no network was trained on
SIZE, DRAWN = 224, 448  # pixels of a cut-out, and of the scene that it is cut from
CONTEXT = 1.3  # side of the cut-out over the longer side of the thing
SMALLEST, VISIBLE = 34, 0.8  # pixels of the longer side in a scene of 224, and the least share in view
TILE, ACROSS = 96, 40  # pixels of a small picture, and how many stand in a row of the sheet
QUALITY = 80  # of the sheet's JPEG
# The eleven basic colour terms (Berlin and Kay 1969) for the names of Lab World's paints, coats and cloths.
COLOURS = {
    "white": ("white", "cream"), "black": ("black",), "grey": ("grey", "charcoal", "silver"),
    "red": ("red",), "orange": ("orange", "ginger"), "yellow": ("yellow", "golden"),
    "brown": ("brown", "red-brown", "chocolate", "chestnut", "beige"), "green": ("green", "mint", "teal", "lime"),
    "blue": ("blue", "light blue", "sky blue", "navy"), "purple": ("purple", "lilac"), "pink": ("pink",),
}  # fmt: skip
TERMS = {name: term for term, names in COLOURS.items() for name in names}


@dataclass(frozen=True)
class Thing:
    """One thing of the gallery.

    Attributes:
        seed: of its scene.
        window: xyxy of the square cut-out, in pixels of a scene of DRAWN pixels.
        label: its class, of `scenes.THINGS`.
        colour: its main colour, one of COLOURS; of a person, that of the top.
        pose: a word, "" where its class has none.
        light: "night", "dusk" or "day".
    """

    seed: int
    window: tuple[int, int, int, int]
    label: str
    colour: str
    pose: str
    light: str


@cache
def things() -> tuple[Thing, ...]:
    """The gallery, in order of its numbers 0 to COUNT - 1.

    Raises:
        ValueError: the list is not there.
    """
    if not LIST.exists():
        raise ValueError("The gallery's list is missing: python -m models features makes it.")
    return tuple(Thing(**row | {"window": tuple(row["window"])}) for row in json.loads(LIST.read_text()))


@cache
def thumbnails() -> np.ndarray:
    """The small pictures, uint8 (COUNT, TILE, TILE, 3) RGB, read-only."""
    sheet = cv2.imread(str(SHEET))
    if sheet is None:
        raise ValueError("The gallery's pictures are missing: python -m models features makes them.")
    rows, columns = sheet.shape[0] // TILE, sheet.shape[1] // TILE
    tiles = sheet[..., ::-1].reshape(rows, TILE, columns, TILE, 3).swapaxes(1, 2).reshape(-1, TILE, TILE, 3)
    tiles = np.ascontiguousarray(tiles[: len(things())])
    tiles.flags.writeable = False
    return tiles


def picture(thing: Thing) -> np.ndarray:
    """A thing with what stands around it, drawn again from its seed: uint8 (SIZE, SIZE, 3)."""
    return cut_out(scenes.render_image(scenes.sample(thing.seed), DRAWN), thing.window)


def cut_out(image: np.ndarray, window: tuple[int, int, int, int]) -> np.ndarray:
    """A window xyxy of a uint8 picture, brought to SIZE×SIZE."""
    x1, y1, x2, y2 = window
    shrinks = x2 - x1 > SIZE
    cut = np.ascontiguousarray(image[y1:y2, x1:x2])
    return cv2.resize(cut, (SIZE, SIZE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def window_around(box: np.ndarray, size: int) -> tuple[int, int, int, int]:
    """The square with CONTEXT around a box xyxy, moved into a picture of size×size pixels.

    >>> window_around(np.array([0.0, 10, 20, 20]), 100)
    (0, 2, 26, 28)
    """
    side = int(min(round(CONTEXT * max(box[2] - box[0], box[3] - box[1])), size))
    x, y = ((low + high - side) / 2 for low, high in ((box[0], box[2]), (box[1], box[3])))
    left, top = (round(min(max(float(at), 0), size - side)) for at in (x, y))
    return left, top, left + side, top + side


def found_in(view: scenes.View) -> list[Thing]:
    """Things of a rendered scene that are large and in full view, as the gallery would hold them."""
    zoom = DRAWN / len(view.image)
    smallest = SMALLEST * len(view.image) / SIZE
    light = "night" if view.scene.light < 0.3 else "dusk" if view.scene.light < 0.7 else "day"
    rows = []
    for instance in view.instances:
        x1, y1, x2, y2 = instance.box
        if max(x2 - x1, y2 - y1) < smallest or instance.visible < VISIBLE:
            continue
        look = instance.attributes
        colour = TERMS[look["top" if instance.label == "person" else "colour"]]
        pose = look.get("pose") or (look["view"] if instance.label == "car" else "")
        window = window_around(instance.box * zoom, DRAWN)
        rows.append(Thing(view.scene.seed, window, instance.label, colour, pose, light))
    return rows


def gather(report: Callable[[int, int], None]) -> np.ndarray:
    """Choose the things, write the list and the sheet, and return the cut-outs, uint8 (COUNT, SIZE, SIZE, 3)."""
    rows: list[Thing] = []
    pictures: list[np.ndarray] = []
    room = dict.fromkeys(scenes.THINGS, COUNT // len(scenes.THINGS))
    for seed in count(FIRST_SEED):
        scene = scenes.sample(seed)
        if any(room[thing.label] for thing in scene.objects):
            found = [thing for thing in found_in(scenes.render(scene, SIZE)) if room[thing.label]]
            image = scenes.render_image(scene, DRAWN)
            for thing in found:
                if room[thing.label]:  # the one before may have taken the last place
                    room[thing.label] -= 1
                    rows.append(thing)
                    pictures.append(cut_out(image, thing.window))
        report(len(rows), COUNT)
        if not any(room.values()):
            break
    FEATURES.mkdir(exist_ok=True)
    LIST.write_text("[\n" + ",\n".join(json.dumps(asdict(row)) for row in rows) + "\n]\n")
    small = np.array([cv2.resize(each, (TILE, TILE), interpolation=cv2.INTER_AREA) for each in pictures])
    sheet = small.reshape(-1, ACROSS, TILE, TILE, 3).swapaxes(1, 2).reshape(-1, ACROSS * TILE, 3)
    cv2.imwrite(str(SHEET), sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    things.cache_clear()
    thumbnails.cache_clear()
    return np.array(pictures)
