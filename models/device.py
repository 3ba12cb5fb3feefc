"""Which device a network runs on and what that means for it, and the cache folder outside the repository."""

import functools
import logging
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter
from types import MethodType
from typing import Concatenate, ParamSpec, Protocol, TypeVar

import torch
from torch import nn


class LoadedNetwork(Protocol):
    """What every network has that is ready to be called.

    Attributes:
        name, device, card: what a page's footer says of it.
        let_go: lets go of it where it was loaded, once its device has no memory left; None where nobody holds it.
    """

    name: str
    device: str
    card: dict
    let_go: Callable[[], None] | None = None


Loaded = TypeVar("Loaded", bound=LoadedNetwork)
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


_starting = threading.Lock()


class OutOfMemory(ValueError):
    """A network did not fit into the memory of its device, in one sentence."""


def best_device() -> torch.device:
    """CUDA, then Apple's MPS, then the CPU: the first on which a trial runs. The environment variable RECEPTIVE_DEVICE
    overrides.

    Raises:
        ValueError: RECEPTIVE_DEVICE names a device that torch does not know or that is not there.
    """
    if wanted := os.environ.get("RECEPTIVE_DEVICE"):
        try:
            return torch.zeros(1, device=wanted).device
        except (RuntimeError, AssertionError) as error:
            raise ValueError(f"RECEPTIVE_DEVICE={wanted} cannot be used: name cuda, mps or cpu.") from error
    for name, available in (("cuda", torch.cuda.is_available), ("mps", torch.backends.mps.is_available)):
        if available() and runs(name):
            return torch.device(name)
    return torch.device("cpu")


@functools.cache
def runs(device: str) -> bool:
    """Whether a small convolution runs there, tried once per process: torch finds GPUs for which it has no kernels."""
    try:
        x = torch.ones(1, 1, 3, 3, device=device)
        return float(nn.functional.conv2d(x, x).sum()) == 9
    except (RuntimeError, AssertionError) as error:
        log = logging.getLogger(__name__)
        log.warning("torch found %s and cannot use it, so the lab runs without %s: %s", device, device, error)
        return False


def start_on_one_core(run: Callable[[], None], name: str) -> threading.Thread:
    """Start a thread in which torch computes on one core; all others keep their number."""
    ready = threading.Event()

    def alone() -> None:
        torch.set_num_threads(1)
        ready.set()
        run()

    with _starting:  # the setting also holds for threads to come, so it is put back once this thread has its own
        before = torch.get_num_threads()
        thread = threading.Thread(target=alone, name=name, daemon=True)
        thread.start()
        ready.wait()
        torch.set_num_threads(before)
    return thread


def cache_folder() -> Path:
    """Where rendered scenes and unfinished trainings live: RECEPTIVE_CACHE, or ~/.cache/receptive."""
    return Path(os.environ.get("RECEPTIVE_CACHE", Path.home() / ".cache" / "receptive"))


def placed(module: nn.Module, device: torch.device) -> nn.Module:
    """The module as it is used: in eval mode, frozen, on its device, channels last."""
    return module.eval().requires_grad_(False).to(device).to(memory_format=torch.channels_last)


def in_half_precision(module: nn.Module, device: torch.device) -> None:
    """On CUDA, from now on the module's convolutions and products run in float16 (torch.autocast), and the floating
    point tensors that it returns are float32 again. Elsewhere nothing changes."""
    if device.type == "cuda":
        # A bound method goes with a copy of the module; a plain function would still run the original.
        module.forward = MethodType(_autocast(type(module).forward, device.type), module)


def out_of_memory_said(
    call: Callable[Concatenate[Loaded, Arguments], Result],
) -> Callable[Concatenate[Loaded, Arguments], Result]:
    """For the call of a loaded network: when the memory of its device runs out, OutOfMemory says so, and who loaded the
    network lets it go, with the function that was left there as `let_go`."""

    @functools.wraps(call)
    def guarded(self: Loaded, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        try:
            return call(self, *args, **kwargs)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
        # Here, not above: the error's traceback holds the tensors of the failed pass.
        if self.let_go:
            self.let_go()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        raise OutOfMemory(
            f"{self.name} needs more memory than {self.device} has free, so it was unloaded: choose a smaller network "
            "or picture, or try again in a moment."
        )

    return guarded


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether torch failed for want of memory: CUDA has a class of its own, MPS and the CPU only words."""
    words = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in words or "can't allocate memory" in words


@functools.cache
def multiply_adds_per_second(device: str) -> float:
    """What one 3x3 convolution of 128 channels on 56x56 positions reaches on the device, best of five; about 50 ms."""
    conv = nn.Conv2d(128, 128, 3, padding=1, bias=False).to(device).to(memory_format=torch.channels_last)
    x = torch.zeros(1, 128, 56, 56, device=device).to(memory_format=torch.channels_last)
    best = float("inf")
    with torch.inference_mode():
        for _ in range(6):  # the first prepares
            start = perf_counter()
            conv(x)[0, 0, 0, 0].item()  # waits for the device
            best = min(best, perf_counter() - start)
    return conv.weight.numel() * 56 * 56 / best


def _autocast(forward: Callable, device_type: str) -> Callable:
    def half(*args, **kwargs):
        with torch.autocast(device_type, torch.float16):
            output = forward(*args, **kwargs)
        return _single(output)

    return half


def _single(output):
    """The same with every floating point tensor in float32."""
    if isinstance(output, Mapping):
        return type(output)((key, _single(value)) for key, value in output.items())
    if isinstance(output, list | tuple):
        return type(output)(map(_single, output))
    return output.float() if isinstance(output, torch.Tensor) and output.is_floating_point() else output
