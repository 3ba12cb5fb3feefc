"""The training loop against torch's own optimizer and schedule, and what a checkpoint keeps."""

import pytest
import torch
from torch import nn

from models.recipes import training

CPU = torch.device("cpu")
RECIPE = {"seed": 0, "steps": 7}


class Clock:
    """A clock that only work moves on: a second a step."""

    now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(training, "perf_counter", clock)
    return clock


def bowl() -> nn.Module:
    """Two numbers to be brought to zero."""
    module = nn.Module()
    module.point = nn.Parameter(torch.tensor([3.0, -2.0]))
    return module


def loss_of(module, step: int):
    return (module.point**2).sum() * (1 + step % 3)


def fitted(folder, steps=7, recipe=RECIPE, clock=None, stop_at=None, **settings):
    module, told = bowl().eval(), []

    def loss_at(step):
        if clock:
            clock.now += 1
        assert module.training
        return loss_of(module, step)

    def report(step, loss):
        told.append((step, loss))
        if step == stop_at:
            raise KeyboardInterrupt

    try:
        seconds = training.fit(module, loss_at, recipe, steps, 0.1, 0.05, CPU, folder, report, **settings)
    except KeyboardInterrupt:
        seconds = None
    return module, told, seconds


@pytest.mark.parametrize(("largest", "steps"), [(None, 7), (0.5, 7), (1.0, 20)])
def test_a_training_is_adamw_under_one_cycle(tmp_path, largest, steps):
    module, told, _ = fitted(tmp_path, steps, largest_gradient=largest)
    oracle, losses = bowl(), []
    optimizer = torch.optim.AdamW(oracle.parameters(), lr=0.1, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=steps, pct_start=0.1)
    for step in range(steps):
        optimizer.zero_grad()
        loss = loss_of(oracle, step)
        loss.backward()
        if largest is not None:
            nn.utils.clip_grad_norm_(oracle.parameters(), largest)
        optimizer.step()
        schedule.step()
        losses.append((step + 1, loss.item()))
    assert torch.equal(module.point, oracle.point)
    assert told == losses and module.training


def test_clipping_changes_something_only_where_it_is_asked_for(tmp_path):
    free, clipped, wide = (
        fitted(tmp_path / name, largest_gradient=largest)[0].point
        for name, largest in (("a", None), ("b", 0.5), ("c", 1e6))
    )
    assert torch.equal(free, wide) and not torch.equal(free, clipped)


def test_a_checkpoint_is_kept_after_every_hundred_steps(tmp_path, clock):
    whole, _, seconds = fitted(tmp_path / "whole", 230, clock=clock)
    assert seconds == 230
    _, told, _ = fitted(tmp_path / "net", 230, stop_at=99)
    assert not (tmp_path / "net" / "checkpoint.pt").exists()
    _, told, _ = fitted(tmp_path / "net", 230, clock=clock, stop_at=199)
    assert [told[0][0], told[-1][0]] == [1, 199]
    resumed, told, seconds = fitted(tmp_path / "net", 230, clock=clock)
    assert [told[0][0], told[-1][0]] == [101, 230]
    assert seconds == 100 + 130  # those before the interruption, up to the checkpoint, and those after
    assert torch.equal(resumed.point, whole.point)
    again, told, seconds = fitted(tmp_path / "net", 230, clock=clock)  # all done: nothing is left to do
    assert told == [] and seconds == 230 and torch.equal(again.point, whole.point)


def test_a_checkpoint_of_another_recipe_is_not_used(tmp_path):
    fitted(tmp_path, 7)
    _, told, _ = fitted(tmp_path, 7, recipe=RECIPE | {"seed": 1})
    assert [step for step, _ in told] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("supported", [True, False])
def test_half_precision_is_for_cuda_and_for_cpus_that_know_it(monkeypatch, supported, tmp_path):
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: supported, raising=False)
    table = {"cuda": True, "cpu": supported, "mps": False}
    words = {True: "bfloat16 autocast", False: "float32"}
    for device, expected in table.items():
        assert training.half_precision(torch.device(device)) == expected
        assert training.precision(torch.device(device)) == words[expected]
    layer, seen = nn.Linear(2, 1), []

    def loss_at(step):
        out = layer(torch.ones(1, 2))
        seen.append(out.dtype)
        return out.float().sum()

    training.fit(layer, loss_at, RECIPE, 1, 0.1, 0.0, CPU, tmp_path, lambda *_: None)
    assert seen == [torch.bfloat16 if supported else torch.float32]


def fit(folder, steps, seen):
    net = torch.nn.Linear(1, 1)

    def loss_at(step):
        seen.append(step)
        return net(torch.ones(1, 1)).square().mean()

    return training.fit(net, loss_at, {"a": 1}, steps, 0.01, 0.0, torch.device("cpu"), folder, lambda *_: None)


def test_who_is_killed_while_a_checkpoint_is_written_goes_on_from_the_last(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 2)
    whole = torch.save

    def killed(content, file):
        if content["step"] == 4:
            with open(file, "wb") as half:
                half.write(b"half a file")
            raise KeyboardInterrupt
        whole(content, file)

    monkeypatch.setattr(torch, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path, 6, [])
    monkeypatch.setattr(torch, "save", whole)
    seen = []
    fit(tmp_path, 6, seen)
    assert seen == [2, 3, 4, 5]


def test_a_damaged_checkpoint_is_said(tmp_path):
    (tmp_path / "checkpoint.pt").write_bytes(b"half a file")
    with pytest.raises(ValueError, match=r"checkpoint\.pt is damaged: train with --restart"):
        fit(tmp_path, 1, [])
