"""Lab World in COCO's format: JSON that pycocotools loads, and an export of images that can be stopped and resumed.

Source: the COCO data format, https://cocodataset.org/#format-data (Lin et al. 2014).
"""

import json
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


def to_coco(views: Sequence[View], file_names: Sequence[str] | None = None) -> dict:
    """COCO's dictionary (images, annotations, categories) for rendered scenes.

    Args:
        views: rendered scenes; image ids count from 1 in their order.
        file_names: one per view; `scene-SEED.png` where not given.

    Returns:
        A dict that `json.dump` takes. Boxes are COCO's xywh of the visible pixels; segmentations are uncompressed
        run-length codes; captions, attributes, `full_bbox` (xywh, hidden and outside parts included) and `visible`
        (share) come along.
    """
    images, annotations = [], []
    for number, view in enumerate(views, start=1):
        name = file_names[number - 1] if file_names else f"scene-{view.scene.seed}.png"
        image, found = image_record(view, number, name)
        images.append(image)
        annotations += [found_one | {"id": len(annotations) + i} for i, found_one in enumerate(found, start=1)]
    return {
        "info": {"description": "Lab World"},
        "images": images,
        "annotations": annotations,
        "categories": CATEGORIES,
    }


def image_record(view: View, image_id: int, file_name: str) -> tuple[dict, list[dict]]:
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
            "segmentation": run_lengths(instance.mask),
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


def export(
    folder: Path, count: int, first_seed: int = 0, size: int = 224, knobs: Knobs = DEFAULT_KNOBS
) -> Iterator[int]:
    """Write `count` scenes to `folder/images` and `folder/annotations.json`, yielding after each scene how many exist.

    A stopped export goes on where it was when it is called again with the same arguments.

    Raises:
        ValueError: the folder holds an export that was begun with other arguments.
    """
    folder = Path(folder)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    plan = json.dumps({"count": count, "first_seed": first_seed, "size": size, "knobs": asdict(knobs)}, sort_keys=True)
    plan_file, journal = folder / "export.json", folder / "annotations.partial.jsonl"
    if plan_file.exists() and plan_file.read_text() != plan:
        raise ValueError(f"{folder} holds an export begun with other arguments: name another folder or empty this one.")
    plan_file.write_text(plan)
    if (folder / "annotations.json").exists():
        yield count
        return
    records = _read_journal(journal)
    with journal.open("a") as log:
        for index in range(len(records), count):
            view = render(sample(first_seed + index, knobs), size)
            name = f"{first_seed + index:08d}.png"
            cv2.imwrite(str(folder / "images" / name), cv2.cvtColor(view.image, cv2.COLOR_RGB2BGR))
            records.append(image_record(view, index + 1, name))
            log.write(json.dumps(records[-1]) + "\n")
            log.flush()
            yield index + 1
    annotations = [record for _, found in records for record in found]
    for number, record in enumerate(annotations, start=1):
        record["id"] = number
    whole = {
        "info": {"description": "Lab World"},
        "images": [image for image, _ in records],
        "annotations": annotations,
        "categories": CATEGORIES,
    }
    (folder / "annotations.json").write_text(json.dumps(whole))
    journal.unlink()


def _read_journal(journal: Path) -> list:
    """The records written so far; a last line that was cut off in the middle is dropped from the file."""
    if not journal.exists():
        return []
    whole = [line for line in journal.read_text().splitlines(keepends=True) if line.endswith("\n")]
    journal.write_text("".join(whole))
    return [tuple(json.loads(line)) for line in whole]


def _xywh(box: np.ndarray) -> list[float]:
    return [round(float(v), 2) for v in (box[0], box[1], box[2] - box[0], box[3] - box[1])]
