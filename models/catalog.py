"""The only door to a network: `catalog.load("segmenter-bilinear")`, `catalog.load("resnet50")`.

Two families: the networks of the lab (`names`), with their weights here, and those that others trained on photographs
(`pretrained_names`): one comes with a package, the others are fetched on first use. A card of the lab is a JSON file
beside the weights: task, architecture, recipe and seed, training time and device, metrics on held-out scenes, and the
sha256 of the weights.
"""

import hashlib
import json
import os
from functools import cache, partial
from pathlib import Path
from threading import Lock
from types import ModuleType

import torch
from safetensors.torch import load_file, save_file

from models.device import LoadedNetwork, best_device, in_half_precision, placed
from models.pretrained import packaged, published
from models.recipes import Family
from models.recipes import alternating_detector as alternating_detector_recipe
from models.recipes import centre_detector as centre_detector_recipe
from models.recipes import classifier as classifier_recipe
from models.recipes import densecap as densecap_recipe
from models.recipes import detector as detector_recipe
from models.recipes import face_landmarks as face_landmarks_recipe
from models.recipes import fast_rcnn as fast_rcnn_recipe
from models.recipes import localizer as localizer_recipe
from models.recipes import mask_heads as mask_heads_recipe
from models.recipes import mesh as mesh_recipe
from models.recipes import narrow_detector as narrow_detector_recipe
from models.recipes import narrow_ssd as narrow_ssd_recipe
from models.recipes import panoptic_fpn as panoptic_fpn_recipe
from models.recipes import pose_fields as pose_fields_recipe
from models.recipes import pose_regression as pose_regression_recipe
from models.recipes import r_fcn as r_fcn_recipe
from models.recipes import rcnn as rcnn_recipe
from models.recipes import retinanet as retinanet_recipe
from models.recipes import retinanet_compared as retinanet_compared_recipe
from models.recipes import segmenter as segmenter_recipe
from models.recipes import shortcut as shortcut_recipe
from models.recipes import spp as spp_recipe
from models.recipes import ssd as ssd_recipe
from models.recipes import window as window_recipe
from models.recipes import yolo as yolo_recipe
from models.weight_bytes import from_bytes, to_bytes

WEIGHTS = Path(__file__).parent / "weights"
FAMILIES: tuple[Family, ...] = (
    segmenter_recipe, detector_recipe, narrow_detector_recipe, alternating_detector_recipe, fast_rcnn_recipe,
    spp_recipe, rcnn_recipe, r_fcn_recipe, classifier_recipe, shortcut_recipe, localizer_recipe, face_landmarks_recipe,
    pose_regression_recipe, pose_fields_recipe, window_recipe, yolo_recipe, ssd_recipe, narrow_ssd_recipe,
    retinanet_recipe, retinanet_compared_recipe, mask_heads_recipe, panoptic_fpn_recipe,
    mesh_recipe, densecap_recipe, centre_detector_recipe,
)  # fmt: skip
# The parts that run in half precision on CUDA, by task, or by name. Boxes are computed outside, in full: half cannot
# tell pixel 200 from 200.1. Nor the classifiers: pages add their maps up to the last digit.
HALF = {
    "segmentation": ("",), "detection": ("backbone",), "grid detection": ("encoder", "meet", "fold", "head"),
    "one-stage detection": ("backbone",), "ssd": ("backbone.trunk",), "ssd-narrow": ("backbone.trunk",),
    "panoptic segmentation": ("detector.backbone",),
    "dense captioning": ("detector.backbone",), "centre detection": ("trunk",),
}  # fmt: skip
CARD = ("name", "metrics")  # what every card has from the start
# Networks that stand on the frozen trunk of another: that part is not in their weights, but in the other's.
# network: (part, the other network, its part; "" is the whole), or several parts that both name alike, for both
BORROWED: dict[str, tuple[str | tuple[str, ...], str, str | tuple[str, ...]]] = {
    "ssd": ("backbone.trunk", "detector", "backbone"),
    "ssd-narrow": ("backbone.trunk", "detector-narrow", "backbone"),
    **dict.fromkeys(
        ("r-fcn", *retinanet_recipe.NAMES, *retinanet_compared_recipe.NAMES), ("backbone", "detector", "backbone")
    ),
    "rcnn": ("trunk", "localizer-joint", "trunk"),
    "spp": ("backbone", "detector", "backbone"),
    **dict.fromkeys(mask_heads_recipe.NAMES, (mask_heads_recipe.LENT, "detector", mask_heads_recipe.LENT)),
    "panoptic-fpn": ("detector", "detector", ""),
    "mesh": ("detector", "detector", ""),  # all of it
    "densecap": ("detector", "detector", ""),  # all of it
}
IN_BYTES = ("yolo-cell", "yolo-anchor")  # the largest: their weights are stored in a byte each
EXACT = ("segmenter-max-unpool",)  # rounding makes neighbours equal, and the maximum moves to another pixel

_loading = Lock()


def names(task: str | None = None) -> list[str]:
    """The networks of the lab, or those for one task."""
    return [name for family in FAMILIES if task in (None, family.TASK) for name in family.NAMES]


def pretrained_names(task: str | None = None) -> list[str]:
    """The networks for photographs, or those for one task: classification, detection, instance segmentation, keypoints,
    segmentation. First those that need no download."""
    return [*packaged.names(task), *published.names(task)]


def shipped() -> list[str]:
    """The networks that have been trained."""
    return [name for name in names() if (WEIGHTS / f"{name}.json").exists()]


def family(name: str) -> Family:
    """The module that builds, trains, evaluates and wraps the network of that name.

    Raises:
        ValueError: there is no such network, or it is a pretrained one, which nobody here trains.
    """
    for module in FAMILIES:
        if name in module.NAMES:
            return module
    if name in pretrained_names():
        raise ValueError(f"{name} was trained by others, on photographs: this lab only uses it.")
    raise ValueError(f"There is no network {name!r}. The catalogue has {', '.join([*names(), *pretrained_names()])}.")


def pretrained(name: str) -> ModuleType:
    """The module that knows the pretrained network of that name: `card`, `load`, `release`, `blank`, `wrap`."""
    return packaged if name in packaged.NAMES else published


def card(name: str) -> dict:
    """What is known of a network.

    Raises:
        ValueError: there is no such network, it was never trained here, or the card is damaged.
    """
    if name in pretrained_names():
        return pretrained(name).card(name)
    family(name)
    file = WEIGHTS / f"{name}.json"
    if not file.exists():
        raise ValueError(f"{name} has no weights yet: python -m models train {name} makes them.")
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):  # no JSON, or no text at all
        facts = None
    if not isinstance(facts, dict) or any(key not in facts for key in CARD):
        raise ValueError(f"The card models/weights/{file.name} is damaged: restore it, or train {name} again.")
    return facts


def load(name: str) -> LoadedNetwork:
    """The network of that name with its weights, in eval mode on the best device, loaded once per process and device.

    Raises:
        ValueError: no such network, no weights, or weights that are not those of the card.
    """
    if name in pretrained_names():
        return pretrained(name).load(name)
    with _loading:  # thirty students that open a page at once load it once
        return _load(name, str(best_device()))


def release(name: str) -> None:
    """Let the network go, so that its memory is free once the last call is over; the next `load` reads it again."""
    if name in pretrained_names():
        pretrained(name).release(name)
    elif name in names():
        with _loading:
            _load.cache_clear()  # all of the lab's, which are small


def ready(name: str, module: torch.nn.Module, device: torch.device) -> torch.nn.Module:
    """A network of the lab as it is used: `device.placed`, and on CUDA in half precision where its results allow it."""
    placed(module, device)
    for part in halved(name):
        in_half_precision(module.get_submodule(part), device)
    return module


def halved(name: str) -> tuple[str, ...]:
    """The parts of a lab network that run in half precision on CUDA; "" is the whole."""
    return () if name in EXACT else HALF.get(name, HALF.get(family(name).TASK, ()))


def save(name: str, module: torch.nn.Module, facts: dict) -> None:
    """Write weights as safetensors, fp16 or bytes (`IN_BYTES`), without a borrowed trunk, and the card beside them."""
    WEIGHTS.mkdir(exist_ok=True)
    state = {
        key: value.detach().cpu().contiguous().to(torch.float16 if value.is_floating_point() else value.dtype)
        for key, value in module.state_dict().items()
        if name not in BORROWED or _within(key, _parts(BORROWED[name][0])) is None
    }
    if name in BORROWED:
        facts = facts | {"trunk": {"of": BORROWED[name][1], "sha256": card(BORROWED[name][1])["sha256"]}}
    part = WEIGHTS / f"{name}.part"
    save_file(to_bytes(state) if name in IN_BYTES else state, part)
    os.replace(part, WEIGHTS / f"{name}.safetensors")
    write_card(name, facts | {"sha256": _sha256(WEIGHTS / f"{name}.safetensors")})
    with _loading:
        _load.cache_clear()


def write_card(name: str, facts: dict) -> None:
    """Write a card as indented JSON."""
    part = WEIGHTS / f"{name}.json.part"
    part.write_text(json.dumps(facts, indent=2) + "\n")
    os.replace(part, WEIGHTS / f"{name}.json")


@cache
def _load(name: str, device: str) -> LoadedNetwork:
    facts, module_family = card(name), family(name)
    state = _weights(name, facts)
    if name in BORROWED:
        part, owner, theirs = BORROWED[name]
        if facts.get("trunk", {}).get("sha256") != card(owner).get("sha256"):
            raise ValueError(f"{name} was trained on the trunk of another {owner}: train {name} again.")
        ours = dict(zip(_parts(theirs), _parts(part), strict=True))
        for key, value in _weights(owner, card(owner)).items():
            if (lent := _within(key, tuple(ours))) is not None:
                state[f"{ours[lent]}.{key.removeprefix(lent).removeprefix('.')}"] = value
    module = module_family.build(name)
    module.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()})
    where = torch.device(device)
    network = module_family.wrap(name, ready(name, module, where), where, facts)
    network.let_go = partial(release, name)
    return network


def _parts(named: str | tuple[str, ...]) -> tuple[str, ...]:
    return (named,) if isinstance(named, str) else named


def _within(key: str, parts: tuple[str, ...]) -> str | None:
    """The part that a weight belongs to, if to any of them; all belong to the whole, ""."""
    return next((part for part in parts if not part or key.startswith(part + ".")), None)


def _weights(name: str, facts: dict) -> dict[str, torch.Tensor]:
    file = WEIGHTS / f"{name}.safetensors"
    if not file.exists() or _sha256(file) != facts.get("sha256"):
        raise ValueError(f"The weights of {name} are not those of its card: restore {file.name} or train it again.")
    return from_bytes(load_file(file))


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
