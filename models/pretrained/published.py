"""Networks that others trained on photographs: torchvision's, with ImageNet's and COCO's classes.

Which weights, their address and hash, and how a picture is prepared come from torchvision's own list of weights. The
file is fetched once (`models.pretrained.fetching`); `models.catalog.load` opens it.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from threading import Lock

import torch
from torch import nn
from torchvision import models
from torchvision.models import WeightsEnum

from models.device import best_device, in_half_precision, multiply_adds_per_second, placed
from models.networks.published import (
    PretrainedClassifier,
    PretrainedDetector,
    PretrainedNetwork,
    PretrainedSegmenter,
)
from models.pretrained import fetching, own_weights
from models.pretrained.fetching import Source

KEPT = 4  # networks in memory at once: the largest holds half a gigabyte
EFFICIENCY = 0.6  # of what one convolution alone reaches; measured over the ten networks it is 0.15 to 0.9


@dataclass(frozen=True)
class Entry:
    """A network of the list: torchvision's name for it, the tasks of the course it does, and a line for the reader."""

    name: str
    tasks: tuple[str, ...]
    line: str

    @property
    def weights(self) -> WeightsEnum:
        """torchvision's best weights for it."""
        return models.get_model_weights(self.name)["DEFAULT"]

    @property
    def source(self) -> Source:
        """Where they are. torch.hub's rule: the file name ends in the first digits of the sha256."""
        url = self.weights.url
        return Source(url, url.rpartition("-")[2].partition(".")[0], int(self.weights.meta["_file_size"] * 2**20))


ENTRIES = {
    entry.name: entry
    for entry in (
        Entry("mobilenet_v3_large", ("classification",), "1000 ImageNet classes, small and quick"),
        Entry("resnet50", ("classification",), "1000 ImageNet classes"),
        Entry("vgg16", ("classification",), "1000 ImageNet classes, the plain stack of 2014"),
        Entry("fasterrcnn_mobilenet_v3_large_320_fpn", ("detection",), "80 COCO classes, small and quick"),
        Entry("fasterrcnn_resnet50_fpn_v2", ("detection",), "80 COCO classes, two stages"),
        Entry("retinanet_resnet50_fpn_v2", ("detection",), "80 COCO classes, one stage"),
        Entry("maskrcnn_resnet50_fpn_v2", ("detection", "instance segmentation"), "80 COCO classes with masks"),
        Entry("keypointrcnn_resnet50_fpn", ("detection", "keypoints"), "persons with 17 joints"),
        Entry("deeplabv3_mobilenet_v3_large", ("segmentation",), "20 VOC classes, small and quick"),
        Entry("fcn_resnet50", ("segmentation",), "20 VOC classes"),
    )
}
NAMES = tuple(ENTRIES)
_WRAPPERS = {
    "classification": PretrainedClassifier,
    "detection": PretrainedDetector,
    "segmentation": PretrainedSegmenter,
}

_loading = {name: Lock() for name in NAMES}
_loaded: OrderedDict[tuple[str, str], PretrainedNetwork] = OrderedDict()
_kept = Lock()
_seconds: dict[tuple[str, str], float] = {}


def names(task: str | None = None) -> list[str]:
    """The pretrained networks, or those that do one task; the quick ones first."""
    return [name for name, entry in ENTRIES.items() if task is None or task in entry.tasks]


def on_disk(name: str) -> bool:
    """Whether the weights are on this machine."""
    return fetching.find(ENTRIES[name].source) is not None


def card(name: str) -> dict:
    """What is known of a network: tasks, parameters, classes, weights and the metrics their makers state."""
    entry = ENTRIES[name]
    meta = entry.weights.meta
    (dataset, metrics), *_ = meta["_metrics"].items()
    return {
        "name": name,
        "task": entry.tasks[0],
        "tasks": list(entry.tasks),
        "architecture": f"torchvision.models.{name}",
        "parameters": meta["num_params"],
        "weights": str(entry.weights),
        "classes": list(meta["categories"]),
        "keypoint_names": list(meta.get("keypoint_names", ())),
        "evaluated_on": dataset,
        "metrics": dict(metrics),
        "multiply_adds": meta["_ops"] * 1e9,
        "bytes": entry.source.size,
    }


def load(name: str) -> PretrainedNetwork:
    """The network with its weights on the best device; loaded once, and kept while it is among the last used.

    Raises:
        ValueError: the weights are not on this machine.
    """
    device = best_device()
    key = (name, str(device))
    with _loading[name]:  # thirty students load it once, and the others wait for nobody
        with _kept:
            if key in _loaded:
                _loaded.move_to_end(key)
                return _loaded[key]
        file = fetching.find(ENTRIES[name].source)
        if file is None:
            size = megabytes(ENTRIES[name].source.size)
            raise ValueError(f"{name} is not on this machine yet: python -m models fetch {name} brings it ({size}).")
        network = wrap(name, torch.load(file, map_location="cpu", weights_only=True), device)
        network.let_go = partial(release, name)
        with _kept:
            _loaded[key] = network
            while len(_loaded) > KEPT:
                _, oldest = _loaded.popitem(last=False)
                _remember(oldest)
        return network


def release(name: str) -> None:
    """Let the network go; whoever still holds it may finish with it."""
    with _kept:
        for key in [key for key in _loaded if key[0] == name]:
            _remember(_loaded.pop(key))


def blank(name: str) -> nn.Module:
    """The architecture on torch's meta device: names and shapes without numbers."""
    tasks = ENTRIES[name].tasks
    options: dict[str, object] = {} if "classification" in tasks else {"weights_backbone": None}
    if "segmentation" in tasks:
        options["aux_loss"] = True  # the published weights have that head
    with torch.device("meta"):
        module = models.get_model(name, weights=None, **options)
    if name == "keypointrcnn_resnet50_fpn":  # as torchvision does for these weights, which were trained without it
        for child in module.modules():
            if isinstance(child, nn.BatchNorm2d):
                child.eps = 0.0
    return module


def wrap(name: str, state: Mapping[str, object], device: torch.device, called: str | None = None) -> PretrainedNetwork:
    """The network with the weights of `state` behind the interface that pages call.

    Args:
        name: of the architecture.
        state: its state_dict, float32 or narrower, on the CPU.
        device: where it will run; on CUDA the convolutions run in half precision and channels last.
        called: its name on the page, where that is not the architecture's.

    Raises:
        ValueError: names or shapes do not fit.
    """
    module = blank(name)
    own_weights.fill(module, state, name)
    placed(module, device)
    # Boxes are computed outside the backbone: half precision cannot tell pixel 700 from 700.4.
    in_half_precision(getattr(module, "backbone", module) if "detection" in ENTRIES[name].tasks else module, device)
    facts = card(name) | ({"weights": called, "metrics": {}} if called else {})
    wrapper = _WRAPPERS[ENTRIES[name].tasks[0]]
    return wrapper(called or name, module, device, facts, ENTRIES[name].weights.transforms())


def seconds_per_picture(name: str) -> tuple[float, bool]:
    """How long a picture takes on the best device, and whether that was measured on a picture before.

    If not, it is an estimate: the multiply-adds that torchvision states, over EFFICIENCY times what one convolution
    reaches here. Networks were seen to reach 0.15 to 0.9 of that convolution's speed, so a picture may take two thirds
    of the estimate or four times as long.
    """
    device = str(best_device())
    with _kept:
        network = _loaded.get((name, device))
        measured = network.seconds if network and network.seconds else _seconds.get((name, device))
    if measured:
        return measured, True
    return ENTRIES[name].weights.meta["_ops"] * 1e9 / (EFFICIENCY * multiply_adds_per_second(device)), False


def megabytes(size: int) -> str:
    """Bytes in words."""
    return f"{max(1, round(size / 1e6))} MB"


def _remember(network: PretrainedNetwork) -> None:
    if network.seconds:
        _seconds[network.name, network.device] = network.seconds
