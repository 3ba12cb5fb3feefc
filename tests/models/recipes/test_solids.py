"""The solids of training scenes: a row a thing that is seen enough, a ball is a ball, and a stopped run goes on."""

import numpy as np
import pytest
import torch

from models.recipes import solids
from models.recipes.scene_cache import InstanceRecord
from scenes import Knobs, render, sample

JOINTS = [[0.0] * 3] * 14


def records_of(seeds) -> list[list[InstanceRecord]]:
    views = [render(sample(seed)) for seed in seeds]
    return [[InstanceRecord(i.id, 1, i.box.tolist(), i.visible, JOINTS) for i in view.instances] for view in views]


def test_a_ball_of_the_scene_is_a_ball():
    scene = sample(4, Knobs(objects=1, classes=("ball",)))
    row = solids.described(scene, 10)
    radii = np.linalg.norm(row["points"], axis=1)
    assert abs(radii - 0.5).max() < 0.03
    assert ((row["points"] / radii[:, None]) * row["normals"] / 127).sum(1).min() > 0.9  # outwards
    assert row["squares"].max() == pytest.approx(0.25, abs=0.02) and row["squares"][0, 0] == 0
    full = render(scene).instances[0].full_box
    assert abs(row["boxes"] - full).max() < 1.5


def test_a_thing_that_is_hardly_seen_is_not_asked_for():
    seen = [InstanceRecord(i, 1, [0.0, 0, 9, 9], visible, JOINTS) for i, visible in ((10, 0.14), (11, 0.15))]
    assert [each.id for each in solids.asked_for(seen)] == [11]


def test_rows_are_kept_and_a_stopped_run_goes_on(monkeypatch, tmp_path):
    monkeypatch.setenv("RECEPTIVE_CACHE", str(tmp_path))
    for name, value in (("CHUNK", 1), ("CELLS", 16), ("POINTS", 100)):
        monkeypatch.setattr(solids, name, value)
    seeds = range(50, 53)
    records = records_of(seeds)
    real, calls = solids.described, []

    def stopping(scene, identity):
        calls.append(scene.seed)
        if scene.seed == 51 and len(calls) < 90:
            raise KeyboardInterrupt
        return real(scene, identity)

    monkeypatch.setattr(solids, "described", stopping)
    with pytest.raises(KeyboardInterrupt):
        solids.solids(seeds, records)
    calls[:] = [0] * 90
    kept = solids.solids(seeds, records)
    assert 50 not in calls[90:] and 52 in calls[90:]  # the first chunk was done
    assert len(kept.boxes) == kept.start[-1] == sum(len(solids.asked_for(each)) for each in records)
    last = solids.asked_for(records[2])[-1]
    np.testing.assert_allclose(kept.boxes[-1], real(sample(52), last.id)["boxes"])
    assert torch.isfinite(kept.of([0, 1], [True, False])[0]).all() and kept.points[:].any((1, 2)).all()
    calls.clear()
    solids.solids(seeds, records)
    assert not calls
