"""The heat map benchmark, small: real figures of the solver, and rows of a network that was never trained."""

import json

import numpy as np
import pytest
import torch

from benchmarks import heatmaps
from benchmarks.__main__ import main
from models import catalog
from models.networks.classifier import Classifier, LoadedClassifier

COLUMNS = ["map", "pointing game", "energy / area", "IoU at 20 %", "best IoU", "deletion ↓", "insertion ↑",
           "random net |ρ|", "random net SSIM", "ms"]  # fmt: skip


def untrained() -> LoadedClassifier:
    torch.manual_seed(0)
    return LoadedClassifier("untrained", Classifier().eval().requires_grad_(False), torch.device("cpu"), {})


def test_known_maps_come_sharp_and_soft():
    sharp, soft, *_ = heatmaps.known_maps(2)
    assert sharp.shape == soft.shape == (56, 56)
    assert sharp.max() == pytest.approx(1) and soft.max() == 1 and sharp.min() == 0
    steepest = [np.abs(np.diff(part)).max() for part in (sharp, soft)]
    assert steepest[1] < 0.5 * steepest[0]


def test_decibels():
    assert heatmaps.decibels(np.full((2, 2), 0.1), np.zeros((2, 2))) == pytest.approx(20)


def test_the_solver_meets_its_bars_on_a_few_maps():
    found = heatmaps.solver_figures(count=2, patience=300)
    assert found["gain_db"] >= 8 and found["gain_db"] > found["gain_of_mean_db"]
    assert found["gain_lowest_db"] <= found["gain_sharp_db"] and found["solver_s"] > 0
    assert found["speedup_vs_subgradient"] > 1 and found["subgradient_reached"] is False
    assert heatmaps.solver_figures(count=2, views=2, patience=1)["gain_db"] < found["gain_db"] - 3


def test_a_descent_that_arrives_is_told_from_one_that_gives_up(monkeypatch):
    from labs import augmented_grad_cam, super_resolution

    warps = augmented_grad_cam.random_warps(2)
    operator = augmented_grad_cam.view_operator(warps, 56, 14)
    maps = torch.from_numpy(operator @ next(heatmaps.known_maps(1)).ravel()).view(2, 14, 14)
    posed = augmented_grad_cam.pose(maps, warps)
    real = super_resolution.primal_dual
    monkeypatch.setattr(super_resolution, "primal_dual", lambda problem, start: real(problem, 0 * start, 1))
    assert heatmaps.speedup(posed, 400)[1] is True
    monkeypatch.undo()
    assert heatmaps.speedup(posed, 3)[1] is False


def test_rows_of_controls_and_networks():
    found = heatmaps.quality(untrained(), 1, least=0.0, methods=("CAM", "Grad-CAM", "Sobel filter", "random"))
    assert found["scenes"] == 1
    rows = {row["map"]: row for row in found["quality"]}
    assert list(rows["CAM"]) == COLUMNS
    assert rows["Sobel filter"]["random net |ρ|"] == rows["random"]["random net SSIM"] == 1.0
    assert rows["CAM"]["random net |ρ|"] < 1
    assert rows["CAM"]["pointing game"] == rows["Grad-CAM"]["pointing game"], "their maxima are in one place"
    assert all(0 <= rows[name][column] <= 1 for name in rows for column in ("best IoU", "deletion ↓", "insertion ↑"))


def test_cases_are_things_that_can_be_judged():
    found = heatmaps.cases(untrained(), 3, least=0.0)
    assert len(found) == 3 and len({case.seed for case in found}) == 3
    for case in found:
        x1, y1, x2, y2 = case.box
        outside = case.mask.copy()
        outside[round(y1) : round(y2), round(x1) : round(x2)] = False
        assert case.mask.mean() >= heatmaps.SMALLEST and not outside.any()
    assert heatmaps.cases(untrained(), 1, least=0.99) == []


def test_without_weights_the_rest_is_still_measured(monkeypatch, capsys):
    def refuse(name):
        raise ValueError(f"{name} has no weights yet: python -m models train {name} makes them.")

    monkeypatch.setattr(catalog, "load", refuse)
    monkeypatch.setattr(heatmaps, "solver_figures", lambda: dict.fromkeys(("gain_db", "solver_s"), 9.0)
                        | {"speedup_vs_subgradient": 30.0})  # fmt: skip
    assert main(["heatmaps", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["total_s"] is None and "no weights yet" in found["total_s_reason"] and found["quality"] == []
    assert main(["heatmaps"]) == 0
    table = capsys.readouterr().out
    assert "| gain_db " in table and "| no" in table, "9 seconds are above the bar"


def test_bars():
    rows = heatmaps.with_bars({"gain_db": 8.0, "solver_s": 0.5, "speedup_vs_subgradient": 19.9, "total_s": 2.0})
    assert [row["met"] for row in rows] == ["yes", "no", "no", "yes"]
