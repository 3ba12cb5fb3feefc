"""One picture's drawing as COCO JSON: written, and read again from files that nobody has looked at before.

A file speaks of a picture of its own size. The lab shows the centre square of a picture, so what is read is moved
there: cut, and scaled. Boxes are xyxy in pixels here, xywh in the file.

Source: the COCO data format, https://cocodataset.org/#format-data (Lin et al. 2014).
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool

LARGEST = 2_000_000  # bytes of a file
MOST = 200  # annotations of one picture
LONGEST_SIDE = 20_000  # pixels of the file's picture
LONGEST_OUTLINE = 50_000  # pixels of what is shown, of the polygons of one thing
PARTS = ("images", "annotations", "categories")
SLACK = 1.0  # pixels that tools round a box over the edge
LONG = 3.0  # a picture longer than this is not cut to its centre square

Box = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Mark:
    """One thing or one class: `name`, `box` xyxy in pixels of the picture, and where it was drawn, `mask` (H, W)."""

    name: str
    box: Box
    mask: Bool[np.ndarray, "h w"] | None = None


@dataclass(frozen=True, eq=False)
class Drawing:
    """What a file holds for one picture. `notes`: sentences on what was scaled, cut or left out."""

    marks: tuple[Mark, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Window:
    """The square of a file's picture that is shown, `size` = (height, width) pixels large: x' = (x - left) · scale."""

    left: float
    top: float
    scale: float
    size: tuple[int, int]

    def place(self, points: np.ndarray) -> np.ndarray:
        """(..., 2) x, y of the file as x, y of what is shown."""
        return (points - [self.left, self.top]) * self.scale


def write(marks: Sequence[Mark], size: tuple[int, int], picture: str) -> dict:
    """COCO's dictionary for one picture of `size` (height, width); masks as uncompressed run-length codes.

    >>> file = write([Mark("dog", (10.0, 20.0, 40.0, 60.0))], (224, 224), "park.jpg")
    >>> file["annotations"][0]["bbox"], file["categories"]
    ([10.0, 20.0, 30.0, 40.0], [{'id': 1, 'name': 'dog'}])
    """
    names = list(dict.fromkeys(mark.name for mark in marks))
    annotations = []
    for number, mark in enumerate(marks, start=1):
        x1, y1, x2, y2 = (float(value) for value in mark.box)
        area = (x2 - x1) * (y2 - y1) if mark.mask is None else int(mark.mask.sum())
        annotations.append(
            {"id": number, "image_id": 1, "category_id": names.index(mark.name) + 1, "bbox": [x1, y1, x2 - x1, y2 - y1],
             "area": area, "iscrowd": 0}
            | ({} if mark.mask is None else {"segmentation": run_lengths(mark.mask)})
        )  # fmt: skip
    return {
        "info": {"description": "A truth drawn by hand"},
        "images": [{"id": 1, "file_name": picture, "height": size[0], "width": size[1]}],
        "annotations": annotations,
        "categories": [{"id": number, "name": name} for number, name in enumerate(names, start=1)],
    }


def run_lengths(mask: Bool[np.ndarray, "h w"]) -> dict:
    """COCO's uncompressed run-length code: lengths of runs of 0 and 1 in turn, down the columns, 0 first.

    >>> run_lengths(np.array([[False, True], [False, True]]))
    {'size': [2, 2], 'counts': [2, 2]}
    """
    flat = mask.ravel(order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate([[0], edges, [flat.size]])).tolist()
    return {"size": list(mask.shape), "counts": [0, *runs] if flat[0] else runs}


def read(data: bytes, known: Collection[str], size: tuple[int, int], picture: str, masks: bool = False) -> Drawing:
    """The marks of a COCO file for the picture called `picture`, which is shown with `size` (height, width) pixels.

    A file with several pictures must name this one; one with a single picture is taken as it is. `known`: the classes
    that may occur. With `masks` every mark has one, and annotations without a segmentation are left out, which is
    noted; crowds are left out in any case.

    Errors: ValueError with one sentence for whatever cannot be taken: too large, no JSON, not COCO's, an unknown class,
    a box outside the file's picture, a broken segmentation. Nothing of such a file is taken.

    >>> read(b'{"images": [], "annotations": [], "categories": []}', ("dog",), (224, 224), "mine.png")
    Traceback (most recent call last):
    ValueError: ...
    """
    if len(data) > LARGEST:
        raise ValueError(f"The file has {len(data) / 1e6:.1f} MB, and a drawing at most {LARGEST / 1e6:g} MB.")
    try:
        file = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise ValueError("The file is no JSON: choose a COCO JSON file, as this page downloads it.") from None
    if not isinstance(file, dict) or not all(
        _dicts(file.get(part)) for part in ("images", "annotations", "categories")
    ):
        raise ValueError(f"The file is JSON, but not COCO's: it needs the lists {', '.join(PARTS)}.")
    image = _image(file["images"], picture)
    height, width = _side(image, "height"), _side(image, "width")
    names = {_hashed(each.get("id")): each.get("name") for each in file["categories"]}
    mine = [each for each in file["annotations"] if each.get("image_id") == image.get("id")]
    if len(mine) > MOST:
        raise ValueError(f"The file has {len(mine)} annotations for this picture, and the page takes at most {MOST}.")
    window, notes = _window((height, width), size)
    marks, left_out = [], {"crowd regions": 0, "things outside what is shown": 0, "boxes without a mask": 0}
    for number, each in enumerate(mine, start=1):
        if each.get("iscrowd") == 1:
            left_out["crowd regions"] += 1
            continue
        name = names.get(_hashed(each.get("category_id")))
        if not isinstance(name, str):
            raise ValueError(f"Annotation {number} names a category that the file does not list.")
        if name not in known:
            raise ValueError(f"“{name[:40]}” is no class of this page, so the file was not taken: rename its category.")
        drawn = each.get("segmentation")
        box = None if each.get("bbox") is None else _box(each["bbox"], number, height, width)
        mask = None
        if drawn and (masks or box is None):
            mask = _mask(drawn, number, (height, width), window)
        if masks and mask is None:
            left_out["boxes without a mask"] += 1
            continue
        place = _around(mask) if box is None or masks else _placed(box, window)
        if box is None and mask is None:
            raise ValueError(f"Annotation {number} has neither a bbox nor a segmentation.")
        if place is None:
            left_out["things outside what is shown"] += 1
            continue
        marks.append(Mark(name, place, mask if masks else None))
    if some := ", ".join(f"{count} {what}" for what, count in left_out.items() if count):
        notes.append(f"Left out: {some}.")
    return Drawing(tuple(marks), tuple(notes))


def _dicts(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(each, dict) for each in found)


def _hashed(found: Any) -> Any:
    """An id as a key; what is none of COCO's kinds is no id."""
    return found if isinstance(found, int | str) else None


def _image(images: list[dict], picture: str) -> dict:
    if len(images) == 1:
        return images[0]
    called = [each for each in images if each.get("file_name") == picture]
    if len(called) != 1:
        raise ValueError(f"The file has {len(images)} pictures, and not exactly one is called “{picture}”.")
    return called[0]


def _side(image: dict, name: str) -> int:
    found = image.get(name)
    if type(found) is not int or not 1 <= found <= LONGEST_SIDE:
        raise ValueError(f"The file's picture has no {name} between 1 and {LONGEST_SIDE:,} pixels.")
    return found


def _window(there: tuple[int, int], size: tuple[int, int]) -> tuple[_Window, list[str]]:
    """The centre square of the file's picture, or all of it where its shape is that of what is shown; and a note."""
    (height, width), (rows, columns) = there, size
    if there == size:
        return _Window(0.0, 0.0, 1.0, size), []
    said = f"The file's picture has {width} × {height} pixels, this one {columns} × {rows}"
    if height * columns == width * rows:
        return _Window(0.0, 0.0, columns / width, size), [f"{said}: all was scaled."]
    if max(there) > LONG * min(there):
        raise ValueError(f"{said}: a picture that long is not shown as its centre square, so nothing can be placed.")
    scale = max(rows / height, columns / width)
    window = _Window((width - columns / scale) / 2, (height - rows / scale) / 2, scale, size)
    return window, [f"{said}, taken as its centre square: all was cut and scaled."]


def _numbers(found: Any) -> bool:
    return isinstance(found, list) and all(type(each) in (int, float) and abs(each) < 1e7 for each in found)


def _box(found: Any, number: int, height: int, width: int) -> Box:
    """xyxy in the file's picture."""
    if not (_numbers(found) and len(found) == 4):
        raise ValueError(f"Annotation {number} has no bbox of four numbers.")
    x, y, w, h = map(float, found)
    if not (w > 0 and h > 0):
        raise ValueError(f"The box of annotation {number} has no area.")
    if min(x, y) < -SLACK or x + w > width + SLACK or y + h > height + SLACK:
        raise ValueError(f"The box of annotation {number} lies outside the picture of {width} × {height} pixels.")
    return x, y, x + w, y + h


def _placed(box: Box, window: _Window) -> Box | None:
    """In what is shown, cut to it; None where nothing of it is left."""
    corners = window.place(np.array(box).reshape(2, 2))
    height, width = window.size
    x1, y1, x2, y2 = np.clip(corners, 0, [width, height]).ravel().tolist()
    return (x1, y1, x2, y2) if x1 < x2 and y1 < y2 else None


def _around(mask: np.ndarray | None) -> Box | None:
    """The box around the pixels of a mask."""
    if mask is None or not mask.any():
        return None
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def _mask(found: Any, number: int, there: tuple[int, int], window: _Window) -> np.ndarray:
    """bool (H, W) of what is shown."""
    if isinstance(found, dict):
        return _from_runs(found, number, there, window)
    shapes = isinstance(found, list) and all(_numbers(part) and len(part) >= 6 and len(part) % 2 == 0 for part in found)
    if not shapes:
        raise ValueError(f"The segmentation of annotation {number} is neither polygons nor a run-length code.")
    from pycocotools import mask as coco_mask

    height, width = window.size
    # A corner far outside would make the drawing of a line long.
    parts = [np.clip(window.place(np.array(part, float).reshape(-1, 2)), -width, 2 * width) for part in found]
    if sum(np.hypot(*np.diff(part, axis=0, append=part[:1]).T).sum() for part in parts) > LONGEST_OUTLINE:
        raise ValueError(
            f"The polygons of annotation {number} are longer than {LONGEST_OUTLINE:,} pixels: simplify them."
        )
    codes = coco_mask.frPyObjects([part.ravel().tolist() for part in parts], height, width)
    return coco_mask.decode(coco_mask.merge(codes)).astype(bool)


def _from_runs(found: dict, number: int, there: tuple[int, int], window: _Window) -> np.ndarray:
    """The value of the file's mask under the middle of every pixel that is shown: no picture of the file's size."""
    said, counts = f"The run-length code of annotation {number}", found.get("counts")
    if found.get("size") != list(there):
        raise ValueError(f"{said} is not for the file's picture of {there[1]} × {there[0]} pixels.")
    if isinstance(counts, str):
        counts = unpacked(counts)
    whole = there[0] * there[1]
    right = isinstance(counts, list) and all(type(each) is int and 0 <= each <= whole for each in counts)
    if not right or sum(counts) != whole:
        raise ValueError(f"{said} does not add up to its {whole:,} pixels.")
    rows, columns = (np.arange(side) + 0.5 for side in window.size)
    y = np.floor(rows / window.scale + window.top).astype(np.int64).clip(0, there[0] - 1)
    x = np.floor(columns / window.scale + window.left).astype(np.int64).clip(0, there[1] - 1)
    places = x[None] * there[0] + y[:, None]
    return np.searchsorted(np.cumsum(counts), places, side="right") % 2 == 1


def unpacked(text: str) -> list[int] | None:
    """The run lengths in COCO's compressed code, as pycocotools writes it; None where it is none.

    Six bits a character from "0" on: five of the number, the sixth says that more follow; from the fourth number on
    the difference to the one before the last.

    >>> unpacked("234"), unpacked("2P"), unpacked("2é")
    ([2, 3, 4], None, None)
    """
    counts: list[int] = []
    value = shift = 0
    for letter in text:
        code = ord(letter) - 48
        if not 0 <= code < 64 or shift > 30:
            return None
        value |= (code & 31) << shift
        shift += 5
        if code & 32:
            continue
        value -= (1 << shift) if code & 16 else 0
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = shift = 0
    return counts if shift == 0 else None
