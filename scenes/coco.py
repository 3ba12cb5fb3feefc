"""Lab World in COCO's format: JSON that pycocotools loads, and an export of images that can be stopped and resumed.

Source: the COCO data format, https://cocodataset.org/#format-data (Lin et al. 2014).
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np

from scenes.classes import JOINTS, SKELETON, THINGS
from scenes.render import View, render
from scenes.scene import DEFAULT_KNOBS, Knobs, sample

CATEGORIES = [
    {"id": i, "name": name, "supercategory": "thing"}
    | ({"keypoints": list(JOINTS), "skeleton": [[a + 1, b + 1] for a, b in SKELETON]} if name == "person" else {})
    for i, name in enumerate(THINGS, start=1)
]


MASKS = ("polygons", "rle")  # how a mask is written


def to_coco(views: Sequence[View], file_names: Sequence[str] | None = None, masks: str = "polygons") -> dict:
    """COCO's dictionary (images, annotations, categories) for rendered scenes.

    Args:
        views: rendered scenes; image ids count from 1 in their order.
        file_names: one per view; `scene-SEED.png` where not given.
        masks: "polygons", which COCO has for single things, or "rle", uncompressed run-length codes.

    Returns:
        A dict that `json.dump` takes. Boxes are COCO's xywh of the visible pixels; captions, attributes,
        `full_bbox` (xywh, hidden and outside parts included) and `visible` (share) come along.
    """
    images, annotations = [], []
    for number, view in enumerate(views, start=1):
        name = file_names[number - 1] if file_names else f"scene-{view.scene.seed}.png"
        image, found = image_record(view, number, name, masks)
        images.append(image)
        annotations += [found_one | {"id": len(annotations) + i} for i, found_one in enumerate(found, start=1)]
    return {
        "info": {"description": "Lab World"},
        "images": images,
        "annotations": annotations,
        "categories": CATEGORIES,
    }


def image_record(view: View, image_id: int, file_name: str, masks: str = "polygons") -> tuple[dict, list[dict]]:
    """One image's entry and its annotations, without annotation ids."""
    height, width = view.semantic.shape
    image = {"id": image_id, "file_name": file_name, "height": height, "width": width, "seed": view.scene.seed}
    annotations = []
    for instance in view.instances:
        record = {
            "image_id": image_id,
            "category_id": THINGS.index(instance.label) + 1,
            "bbox": _xywh(instance.box),
            "full_bbox": _xywh(instance.full_box),
            "area": int(instance.mask.sum()),
            "segmentation": polygons(instance.mask) if masks == "polygons" else run_lengths(instance.mask),
            "iscrowd": 0,
            "visible": round(instance.visible, 4),
            "attributes": instance.attributes,
            "caption": instance.caption,
        }
        if instance.keypoints is not None:
            seen = np.where(instance.keypoints[:, 2:] > 0, instance.keypoints, 0)
            record["keypoints"] = [round(float(v), 2) if i % 3 < 2 else int(v) for i, v in enumerate(seen.ravel())]
            record["num_keypoints"] = int((seen[:, 2] > 0).sum())
        annotations.append(record)
    return image, annotations


def run_lengths(mask: np.ndarray) -> dict:
    """COCO's uncompressed run-length code of a bool mask (H, W): lengths of alternating runs of 0 and 1, down the
    columns, starting with 0."""
    flat = np.concatenate([[False], mask.ravel(order="F"), [False]])
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    runs = np.diff(np.concatenate([[0], changes, [mask.size]])).tolist()
    return {"size": list(mask.shape), "counts": runs if runs[-1] or len(runs) == 1 else runs[:-1]}


def polygons(mask: np.ndarray) -> list[list[float]]:
    """A bool mask (H, W) as COCO's polygons [x0, y0, x1, y1, ...] in pixels: one for each part that hangs together.

    COCO's polygons know no holes, so a part with a hole is cut in two through it. pycocotools draws every pixel of the
    mask again, and none beside it.
    """
    found = []
    count, parts = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    for part in range(1, count):
        found += _outlines(parts == part)
    return found


def _outlines(part: np.ndarray) -> list[list[float]]:
    ground, outside = cv2.connectedComponents(np.pad(~part, 1, constant_values=True).astype(np.uint8), connectivity=4)
    if ground > 2:  # more than the outside
        row = int(np.argwhere(outside[1:-1, 1:-1] > 1)[0, 0])  # the first component is met first: the padding's
        above, below = part.copy(), part.copy()
        above[row:], below[:row] = False, False
        return polygons(above) + polygons(below)
    # Twice as large: the outline then has the half pixels that COCO's drawing needs.
    large = part.astype(np.uint8).repeat(2, axis=0).repeat(2, axis=1)
    (outline,), _ = cv2.findContours(large, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [(outline / 2).ravel().tolist()]


def export(
    folder: Path,
    count: int,
    first_seed: int = 0,
    size: int = 224,
    knobs: Knobs = DEFAULT_KNOBS,
    masks: str = "polygons",
) -> Iterator[int]:
    """Write `count` scenes to `folder/images` and `folder/annotations.json`, yielding after each scene how many exist.

    A stopped export goes on where it was when it is called again with the same arguments; pictures that are missing or
    have another size than when they were written are drawn again, and so is everything if the annotations are damaged.

    Raises:
        ValueError: the folder holds an export that was begun with other arguments.
        OSError: a file cannot be written; names it.
    """
    folder = Path(folder)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    arguments = {"count": count, "first_seed": first_seed, "size": size, "knobs": asdict(knobs), "masks": masks}
    plan = json.dumps(arguments, sort_keys=True)
    plan_file, journal, whole = (folder / n for n in ("export.json", "annotations.partial.jsonl", "annotations.json"))
    if plan_file.exists() and plan_file.read_text() != plan:
        raise ValueError(f"{folder} holds an export begun with other arguments: name another folder or empty this one.")
    _write(plan_file, plan.encode())

    def picture(index: int) -> Path:
        return folder / "images" / f"{first_seed + index:08d}.png"

    def draw(index: int) -> tuple[dict, list[dict]]:
        view = render(sample(first_seed + index, knobs), size)
        data = cv2.imencode(".png", cv2.cvtColor(view.image, cv2.COLOR_RGB2BGR))[1].tobytes()
        _write(picture(index), data)
        image, found = image_record(view, index + 1, picture(index).name, masks)
        return image | {"bytes": len(data)}, found

    complete = _read_images(whole, count)
    records = _read_journal(journal) if complete is None else []
    for index, image in enumerate(complete or [image for image, _ in records]):
        file = picture(index)
        if not file.is_file() or file.stat().st_size != image.get("bytes"):
            draw(index)
    if complete is not None:
        yield count
        return
    for index in range(len(records), count):
        records.append(draw(index))
        try:
            with journal.open("a") as log:
                log.write(json.dumps(records[-1]) + "\n")
        except OSError as error:
            raise _refusal(journal, error) from error
        yield index + 1
    annotations = [record for _, found in records for record in found]
    for number, record in enumerate(annotations, start=1):
        record["id"] = number
    content = {
        "info": {"description": "Lab World"},
        "images": [image for image, _ in records],
        "annotations": annotations,
        "categories": CATEGORIES,
    }
    _write(whole, json.dumps(content).encode())
    journal.unlink(missing_ok=True)


def _write(file: Path, data: bytes) -> None:
    """Written beside and moved into place, so that what has the name is whole."""
    part = file.with_name(f"{file.name}.part")
    try:
        part.write_bytes(data)
        os.replace(part, file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise _refusal(file, error) from error


def _refusal(file: Path, error: OSError) -> OSError:
    return OSError(f"{file} cannot be written ({error.strerror}): mend that, and the same command goes on from here.")


def _read_images(whole: Path, count: int) -> list[dict] | None:
    """The pictures of a complete export; None without one, or if its annotations are damaged."""
    try:
        images = json.loads(whole.read_text())["images"]
        return images if len(images) == count else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _read_journal(journal: Path) -> list:
    """The records written so far; a last line that was cut off in the middle is dropped from the file."""
    if not journal.exists():
        return []
    lines = [line for line in journal.read_text().splitlines(keepends=True) if line.endswith("\n")]
    _write(journal, "".join(lines).encode())
    return [tuple(json.loads(line)) for line in lines]


def _xywh(box: np.ndarray) -> list[float]:
    return [round(float(v), 2) for v in (box[0], box[1], box[2] - box[0], box[3] - box[1])]
