"""Weights of the right shapes for published networks, and a cache that holds them as if they had been fetched."""

import hashlib
import io
from pathlib import Path

import torch

from models.pretrained import published
from models.pretrained.fetching import Source


def random_state(name: str) -> dict[str, torch.Tensor]:
    """Weights of the right shapes that let signals through: small numbers, variances around one."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    for key, value in published.blank(name).state_dict().items():
        fan_in = value[0].numel() if value.dim() > 1 else 1
        noise = torch.randn(value.shape, generator=generator) if value.is_floating_point() else None
        if noise is None:
            state[key] = torch.zeros(value.shape, dtype=value.dtype)
        elif value.dim() > 1:
            state[key] = noise * (2 / fan_in) ** 0.5
        else:
            state[key] = 1 + 0.1 * noise if key.endswith(("running_var", "weight")) else 0.1 * noise
    return state


def knowing(state: dict[str, torch.Tensor], label: int) -> dict[str, torch.Tensor]:
    """A detector that sees `label` everywhere and leaves every anchor where it is, so that boxes are sure to come."""
    found = dict(state)
    for key in state:
        if "cls_score" in key or "bbox_pred" in key:
            found[key] = torch.zeros_like(state[key])
    found["roi_heads.box_predictor.cls_score.bias"][label] = 9.0
    return found


def empty_cache(monkeypatch, folder: Path) -> None:
    """No published weights on this machine, the CPU, and no network kept from another test."""
    monkeypatch.setenv("RECEPTIVE_CACHE", str(folder / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(folder / "torch"))
    monkeypatch.setenv("RECEPTIVE_DEVICE", "cpu")
    monkeypatch.setattr(published, "_loaded", type(published._loaded)())
    monkeypatch.setattr(published, "_seconds", {})


def publish(monkeypatch, states: dict[str, dict[str, torch.Tensor]]) -> None:
    """Put these weights into the cache under the names of the published ones, whose hashes become theirs."""
    real, digests = published.Entry.source.fget, {}
    for name, state in states.items():
        out = io.BytesIO()
        torch.save(state, out)
        data = out.getvalue()
        source = real(published.ENTRIES[name])
        digests[name] = Source(source.url, hashlib.sha256(data).hexdigest()[:8], len(data))
        file = published.fetching.folder() / source.file_name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    monkeypatch.setattr(published.Entry, "source", property(lambda entry: digests.get(entry.name) or real(entry)))
