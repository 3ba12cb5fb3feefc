"""What a page can offer for a task: the lab's networks and the pretrained ones, each with all that `ui.model_choice`
asks of it."""

import builtins
import functools
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from torch import nn

from models import catalog
from models.device import LoadedNetwork, best_device
from models.pretrained import fetching, own_weights, packaged, published


@dataclass(frozen=True)
class Offer:
    """One network of the choice.

    Attributes:
        name: the catalogue's name; also what stands in the address of the page.
        line: what it knows, in a few words.
        bytes: of the file to fetch; 0 for a network whose weights are here: of the lab, or from a package.
        comes_from: for the page, the package and its licence; empty for the lab's own and for what is fetched.
    """

    name: str
    line: str
    bytes: int = 0
    comes_from: str = ""

    def here(self) -> bool:
        """Whether its weights are on this machine."""
        return self.bytes == 0 or published.on_disk(self.name)

    def running(self) -> fetching.Download | None:
        """The download that is under way, whoever started it."""
        return fetching.running(published.ENTRIES[self.name].source) if self.bytes else None

    def fetch(self, who: Hashable) -> fetching.Download:
        """Start to fetch the weights, or join those who do."""
        return fetching.start(published.ENTRIES[self.name].source, who)

    def seconds(self) -> tuple[float, bool] | None:
        """On a CPU, how long a picture takes and whether that was measured; None where nobody has to wait."""
        if self.bytes == 0 or best_device().type != "cpu":
            return None
        return published.seconds_per_picture(self.name)

    def load(self) -> LoadedNetwork:
        """The network with its weights. Raises ValueError with one sentence."""
        return catalog.load(self.name)

    def load_own(self, data: builtins.bytes, file_name: str) -> LoadedNetwork:
        """The same architecture with somebody's own weights. Raises ValueError with one sentence."""
        return load_own(self.name, data, file_name)

    def largest_own(self) -> int:
        """Bytes that a file of own weights may have; 0 where it would be too large to bring along (vgg16)."""
        needed = _largest(self.name)
        return needed if needed <= own_weights.LARGEST else 0


def offers(task: str, lab: Sequence[str] | None = None) -> list[Offer]:
    """The networks for a task: the lab's, those that come with a package, those to fetch.

    Args:
        task: see `catalog.pretrained_names`.
        lab: the lab's networks to offer; by default all of that task.
    """
    ours = [Offer(name, "Lab World") for name in (catalog.names(task) if lab is None else lab)]
    carried = [packaged.ENTRIES[name] for name in packaged.names(task)]
    fetched = [published.ENTRIES[name] for name in published.names(task)]
    return [
        *ours,
        *(Offer(entry.name, entry.line, comes_from=entry.comes_from) for entry in carried),
        *(Offer(entry.name, entry.line, entry.source.size) for entry in fetched),
    ]


def load_own(architecture: str, data: bytes, file_name: str = "own weights") -> LoadedNetwork:
    """A network with weights that somebody brings along, on the best device.

    Args:
        architecture: the catalogue's name, of the lab or pretrained.
        data: a file written by torch.save(module.state_dict(), ...), or safetensors.
        file_name: for the network's name and the sentences.

    Raises:
        ValueError: in one sentence: no such architecture, not a state_dict, code in it, too large, or the first entry
            that does not fit.
    """
    module, needed = _blank(architecture), _largest(architecture)
    if needed > own_weights.LARGEST:
        raise ValueError(f"Own weights for {architecture} are too large to bring along: choose a smaller network.")
    state = own_weights.read(data, file_name, needed)
    called, device = f"{architecture} with {file_name}", best_device()
    if architecture in catalog.pretrained_names():
        return catalog.pretrained(architecture).wrap(architecture, state, device, called)
    own_weights.fill(module, state, architecture)
    family = catalog.family(architecture)
    facts = {
        "name": called,
        "task": family.TASK,
        "architecture": f"{type(module).__module__}.{type(module).__qualname__}",
        "parameters": sum(p.numel() for p in module.parameters()),
        "metrics": {},
    }
    return family.wrap(called, catalog.ready(architecture, module, device), device, facts)


def _blank(name: str) -> nn.Module:
    if name in catalog.pretrained_names():
        return catalog.pretrained(name).blank(name)
    return catalog.family(name).build(name)


@functools.cache
def _largest(name: str) -> int:
    return own_weights.largest(_blank(name))
