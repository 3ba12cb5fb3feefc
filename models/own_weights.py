"""Weights that somebody brings along: opened without running anything in them, and held against the architecture."""

import io
import json
import pickle
import zipfile
from collections.abc import Mapping

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from torch import Tensor, nn

WRAPPERS = ("state_dict", "model_state_dict", "model")  # under which training scripts like to file it
FORBIDDEN = ("GLOBAL ", "Can only create", "Can only build")  # torch's words for a class or function in a file
SPARE = 1 << 20  # bytes of a file beyond its numbers


def largest(module: nn.Module) -> int:
    """Bytes that a file with this module's state_dict may have: its numbers, and some for names and shapes."""
    return SPARE + sum(value.numel() * value.element_size() + 1024 for value in module.state_dict().values())


def read(data: bytes, file_name: str, limit: int) -> dict[str, Tensor]:
    """The state_dict in a file's bytes, by torch.save (read with weights_only) or safetensors, on the CPU.

    Args:
        data: the file.
        file_name: for the sentences.
        limit: bytes; a longer file, or one that unpacks to more, is refused before it is read.

    Raises:
        ValueError: one sentence; nothing of the file was executed.
    """
    file = f"“{file_name}”"
    if not data:
        raise ValueError(f"{file} is empty (0 bytes): choose another file.")
    too_large = f"{file} has more than the {limit / 1e6:.0f} MB that this network's weights need: save those alone."
    if len(data) > limit:
        raise ValueError(too_large)
    if _is_safetensors(data):
        try:
            return load_safetensors(data)
        except SafetensorError as error:
            raise ValueError(f"{file} is damaged or cut off: save or download it again.") from error
    if _unpacked(data) > limit:
        raise ValueError(too_large)
    try:
        content = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # a file that is none fails in a dozen ways
        refused = isinstance(error, pickle.UnpicklingError) and any(each in str(error) for each in FORBIDDEN)
        if refused:
            message = f"{file} holds more than weights and is not opened: save model.state_dict(), not the model."
        else:
            message = f"{file} is not a file of weights, or damaged: choose a state_dict by torch.save, or safetensors."
        raise ValueError(message) from error
    for key in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not content or not all(isinstance(key, str) for key in content):
        raise ValueError(f"{file} is no state_dict: save model.state_dict() and choose that file.")
    if all(key.startswith("module.") for key in content):  # from DataParallel
        content = {key.removeprefix("module."): value for key, value in content.items()}
    return dict(content)


def fill(module: nn.Module, state: Mapping[str, object], name: str) -> None:
    """Put a state_dict into a module, which may be on the meta device; floating point becomes float32.

    Raises:
        ValueError: one sentence that names the first entry, in the module's order, that does not fit.
    """
    expected = module.state_dict()
    for key, own in expected.items():
        if key not in state:
            if _counter(key):
                continue
            raise ValueError(f"These weights do not fit {name}: {key} is missing.")
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
    for key in state:
        if key not in expected and not _counter(key):
            raise ValueError(f"These weights do not fit {name}, which has no {key}.")
    filled = {}
    for key, own in expected.items():
        given = state.get(key)
        filled[key] = torch.zeros(own.shape, dtype=own.dtype) if given is None else given.to(own.dtype).contiguous()
    module.load_state_dict(filled, assign=True)


def _counter(key: str) -> bool:
    """Of batch normalisation's training; files by older versions and frozen networks lack it."""
    return key.endswith("num_batches_tracked")


def _shape(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "a single number"


def _unpacked(data: bytes) -> int:
    """Bytes that a zip archive, which is what torch.save writes, would unpack to; 0 for anything else."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile:
        return 0


def _is_safetensors(data: bytes) -> bool:
    length = int.from_bytes(data[:8], "little")
    try:
        return length < len(data) and isinstance(json.loads(data[8 : 8 + length]), dict)
    except ValueError:
        return False
