"""The training loop that every recipe shares: AdamW, one-cycle learning rate, checkpoints to go on from."""

import os
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import torch
from torch import Tensor, nn

CHECKPOINT_EVERY = 100


def half_precision(device: torch.device) -> bool:
    """Whether the forward pass runs under bfloat16 autocast there."""
    return device.type == "cuda" or (device.type == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported())


def precision(device: torch.device) -> str:
    """The same in words, for a card."""
    return "bfloat16 autocast" if half_precision(device) else "float32"


def fit(
    module: nn.Module,
    loss_at: Callable[[int], Tensor],
    recipe: dict,
    steps: int,
    learning_rate: float,
    weight_decay: float,
    device: torch.device,
    folder: Path,
    report: Callable[[int, float], None],
    largest_gradient: float | None = None,
) -> float:
    """Minimise `loss_at(step)`, from the checkpoint in `folder` if it has one of the same recipe.

    Args:
        module: the network, moved to the device here and left in train mode.
        loss_at: the loss of a step, counted from 0; a function of the step alone, so that a resumed training sees what
            an unbroken one would have seen.
        recipe: plain values; a checkpoint of another recipe is not used.
        report: called after each step with the number of steps done and the loss.
        largest_gradient: the norm to which gradients are clipped, if at all.

    Raises:
        ValueError: the checkpoint is damaged.

    Returns:
        The seconds that the training took in all, those before an interruption included.
    """
    module.to(device).to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(module.parameters(), learning_rate, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, steps, pct_start=0.1)
    parts = {"net": module, "optimizer": optimizer, "schedule": schedule}
    checkpoint, begin, seconds = folder / "checkpoint.pt", 0, 0.0
    if checkpoint.exists():
        try:
            saved = torch.load(checkpoint, map_location=device, weights_only=True)
        except Exception as error:  # a damaged file fails in a dozen ways
            raise ValueError(f"{checkpoint} is damaged: train with --restart to begin anew.") from error
        if saved["recipe"] == recipe:
            begin, seconds = saved["step"], saved["seconds"]
            for key, part in parts.items():
                part.load_state_dict(saved[key])
    start = perf_counter()
    for step in range(begin, steps):
        with torch.autocast(device.type, torch.bfloat16, enabled=half_precision(device)):
            loss = loss_at(step)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if largest_gradient is not None:
            nn.utils.clip_grad_norm_(module.parameters(), largest_gradient)
        optimizer.step()
        schedule.step()
        report(step + 1, float(loss.detach()))
        if (step + 1) % CHECKPOINT_EVERY == 0 or step + 1 == steps:
            state = {key: part.state_dict() for key, part in parts.items()}
            elapsed = seconds + perf_counter() - start
            folder.mkdir(parents=True, exist_ok=True)
            part = checkpoint.with_suffix(".part")  # moved when whole: who is killed while writing keeps the last one
            torch.save(state | {"step": step + 1, "seconds": elapsed, "recipe": recipe}, part)
            os.replace(part, checkpoint)
    return seconds + perf_counter() - start
