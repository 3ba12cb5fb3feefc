"""Which device a network runs on, and the cache folder outside the repository."""

import os
from pathlib import Path

import torch


def best_device() -> torch.device:
    """CUDA, then Apple's MPS, then the CPU; the environment variable RECEPTIVE_DEVICE overrides.

    Raises:
        ValueError: RECEPTIVE_DEVICE names a device that torch does not know or that is not there.
    """
    if wanted := os.environ.get("RECEPTIVE_DEVICE"):
        try:
            return torch.zeros(1, device=wanted).device
        except (RuntimeError, AssertionError) as error:
            raise ValueError(f"RECEPTIVE_DEVICE={wanted} cannot be used: name cuda, mps or cpu.") from error
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def cache_folder() -> Path:
    """Where rendered scenes and unfinished trainings live: RECEPTIVE_CACHE, or ~/.cache/receptive."""
    return Path(os.environ.get("RECEPTIVE_CACHE", Path.home() / ".cache" / "receptive"))
