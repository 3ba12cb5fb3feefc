"""Weights that somebody brings along: read without running anything in them, and held against the architecture.

A file of a stranger is looked into by a process of its own (`models.pretrained.weights_reader`): this one unpickles
nothing and copies the numbers from the places that the other found.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from threading import BoundedSemaphore

import torch
from torch import Tensor, nn

READER = Path(__file__).with_name("weights_reader.py")
SECONDS = 4.0  # that reading may take
LARGEST = 250_000_000  # bytes of a file at most: uploads lie in the memory of the server, those of every student
SPARE = 1 << 20  # bytes of a file beyond its numbers
STRANGE = re.compile(r"[^\w.\-/ ]", re.ASCII)  # in a name: what a page could take for Markdown, or cannot show
COUNT = "n_averaged"  # beside the weights of torch.optim.swa_utils.AveragedModel

_at_once = BoundedSemaphore(2)


def largest(module: nn.Module) -> int:
    """Bytes that a file with this module's state_dict may have: its numbers, and some for names and shapes."""
    return SPARE + sum(value.numel() * value.element_size() + 1024 for value in module.state_dict().values())


def read(data: bytes, file_name: str, limit: int) -> dict[str, Tensor | None]:
    """The state_dict in a file's bytes, by torch.save or safetensors, on the CPU.

    Args:
        data: the file.
        file_name: for the sentences.
        limit: bytes; a longer file, or one that unpacks to more, is refused before it is read.

    Returns:
        Tensors that lie in memory as in the file; None in the place of what is no plain tensor.

    Raises:
        ValueError: one sentence; nothing of the file was executed.
    """
    file = f"“{file_name}”"
    if not data:
        raise ValueError(f"{file} is empty (0 bytes): choose another file.")
    sentences = {
        "large": f"has more than the {limit / 1e6:.0f} MB that this network's weights need: save those alone.",
        "code": "holds more than weights and is not opened: save model.state_dict(), not the model.",
        "memory": "asks for more memory than weights need and is not opened: save model.state_dict() alone.",
        "slow": f"takes longer than {SECONDS:.0f} s to read and was given up: try again, or save it as safetensors.",
        "other": "is no state_dict: save model.state_dict() and choose that file.",
        "cut": "is damaged or cut off: save or download it again.",
        "damaged": "is not a file of weights, or damaged: choose a state_dict by torch.save, or safetensors.",
    }
    if len(data) > limit:
        raise ValueError(f"{file} {sentences['large']}")
    found = _look(data, limit)
    if "refused" in found:
        reason, *named = found["refused"]
        if reason == "type":
            raise ValueError(f"{file} holds numbers of the type {_shown(named[0])}: save them as float32 or float16.")
        raise ValueError(f"{file} {sentences[reason]}")
    content = memoryview(data)
    storages = [bytearray(content[begin:end]) for begin, end in found["storages"]]
    return {key: entry and _tensor(storages[entry[0]], *entry[1:]) for key, entry in found["entries"].items()}


def fill(module: nn.Module, state: Mapping[str, object], name: str) -> None:
    """Put a state_dict into a module, which may be on the meta device; floating point becomes float32.

    Names may all begin with the same words (`module._orig_mod.`, `model.`): what wraps a network adds them.

    Raises:
        ValueError: one sentence that names the first entry, in the module's order, that does not fit.
    """
    expected = module.state_dict()
    state, prefix = _bare(state, expected)
    begins = f" (the names in the file begin with “{_shown(prefix)}”)" if prefix else ""
    plain: dict[str, Tensor] = {}
    for key, own in expected.items():
        if key not in state:
            if _counter(key):
                continue
            raise ValueError(f"These weights do not fit {name}: {key} is missing{begins}.")
        given = state[key]
        if not isinstance(given, Tensor) or given.layout != torch.strided or given.is_quantized or given.is_meta:
            raise ValueError(f"These weights do not fit {name}: {key} is no plain tensor.")
        if given.shape != own.shape:
            shapes = f"{_shape(given)} in the file and {_shape(own)} in the network"
            raise ValueError(f"These weights do not fit {name}: {key} is {shapes}.")
        if given.is_complex() or (given.is_floating_point() != own.is_floating_point()):
            raise ValueError(f"These weights do not fit {name}: {key} holds {given.dtype} instead of {own.dtype}.")
        if given.is_floating_point() and not given.isfinite().all():
            raise ValueError(f"These weights cannot be used: {key} holds numbers that are infinite or undefined.")
        plain[key] = given
    for key in state:
        if key not in expected and not _counter(key):
            raise ValueError(f"These weights do not fit {name}, which has no {_shown(key)}.")
    filled = {}
    for key, own in expected.items():
        given = plain.get(key)
        filled[key] = torch.zeros(own.shape, dtype=own.dtype) if given is None else given.to(own.dtype).contiguous()
    module.load_state_dict(filled, assign=True)


def _look(data: bytes, limit: int) -> dict:
    """The reader's answer, or the reason why there is none."""
    command = [sys.executable, "-I", "-S", str(READER), str(limit)]
    try:
        with _at_once, tempfile.TemporaryFile() as file:
            file.write(data)
            file.seek(0)
            done = subprocess.run(
                command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=SECONDS
            )
    except subprocess.TimeoutExpired:
        return {"refused": ["slow"]}
    except OSError as error:
        raise ValueError(f"Own weights cannot be read here now ({error.strerror}): tell who runs this lab.") from error
    if done.returncode != 0:  # the file has crashed it
        return {"refused": ["damaged"]}
    return json.loads(done.stdout)


def _tensor(storage: bytearray, dtype: str, offset: int, shape: list[int], stride: list[int]) -> Tensor:
    if not storage or 0 in shape:
        return torch.empty(shape, dtype=getattr(torch, dtype))
    kind = getattr(torch, dtype)
    return torch.frombuffer(storage, dtype=kind, count=len(storage) // kind.itemsize).as_strided(shape, stride, offset)


def _bare(state: Mapping[str, object], expected: Mapping[str, Tensor]) -> tuple[Mapping[str, object], str]:
    """The state_dict under the network's own names if the file's names are those behind a prefix, and the prefix that
    could not be taken away."""
    first = next(iter(expected))
    if first in state:
        return state, ""
    counted = [key for key in state if key.rpartition(".")[2] != COUNT]
    prefix = min((key.removesuffix(first) for key in counted if key.endswith(f".{first}")), key=len, default="")
    if prefix and all(key.startswith(prefix) for key in counted):
        return {key.removeprefix(prefix): state[key] for key in counted}, ""
    common = re.match(r"(.*)\.", _beginning(counted))
    return state, common[0] if common else prefix


def _beginning(names: list[str]) -> str:
    """What all of them begin with."""
    least, most = min(names, default=""), max(names, default="")
    same = next((i for i, (a, b) in enumerate(zip(least, most, strict=False)) if a != b), min(len(least), len(most)))
    return least[:same]


def _counter(key: str) -> bool:
    """Of batch normalisation's training; files by older versions and frozen networks lack it."""
    return key.endswith("num_batches_tracked")


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "a single number"


def _shown(name: str) -> str:
    """A name out of a file, as a page may show it: nothing in it is Markdown, and it is short."""
    plain = STRANGE.sub("?", name)
    return plain if len(plain) <= 60 else f"{plain[:60]} …"
