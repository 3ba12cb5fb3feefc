"""How each network was trained and is judged."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from models.device import LoadedNetwork


class Family(Protocol):
    """What a module of this folder offers: networks that are built, trained and judged alike.

    A module or a loaded network is Any here: each family has its own class for it.
    """

    @property
    def TASK(self) -> str:
        """What the networks do, in a word or two."""
        ...

    @property
    def NAMES(self) -> tuple[str, ...]:
        """The networks."""
        ...

    @property
    def STARTS_FROM(self) -> str | None:
        """The network that `train` is handed, if it wants one."""
        ...

    def build(self, name: str) -> nn.Module:
        """The network of that name, freshly initialised."""
        ...

    def wrap(self, name: str, module: Any, device: torch.device, card: dict) -> LoadedNetwork:
        """A built network behind the interface that pages call."""
        ...

    def train(
        self, name: str, device: torch.device, folder: Path, report: Callable[[int, int, float], None], start: Any
    ) -> tuple[nn.Module, dict]:
        """The trained network, in eval mode, and the facts for its card; goes on from a checkpoint in `folder`."""
        ...

    def evaluate(self, model: Any, report: Callable[[int, int], None]) -> dict:
        """The metrics for its card, on held-out scenes."""
        ...
