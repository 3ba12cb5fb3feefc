"""The training loop's checkpoints."""

import pytest
import torch

from models import training


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
