"""Whole silhouettes: those of things in plain sight are their masks, and nothing in front or outside takes any away."""

import numpy as np
import pytest

import scenes
from models.recipes import scene_cache
from scenes import silhouettes
from scenes.render import FIRST_THING


def test_what_is_in_plain_sight_is_its_mask():
    seen = 0
    for seed in range(12):
        view = scenes.render(scenes.sample(seed))
        for each in view.instances:
            whole = silhouettes.silhouette(silhouettes.thing_of(view.scene, each.id), 40)
            area, full = whole.coverage.sum() * whole.cell**2, each.full_box
            if each.visible == 1 and full.min() > 0 and full.max() < 224:
                assert area == pytest.approx(each.mask.sum(), rel=0.08, abs=12)
                seen += 1
    assert seen > 20


def test_hidden_and_cut_off_parts_belong_to_it():
    view = next(
        view for view in map(scenes.render, map(scenes.sample, range(200)))
        if any(0.3 < each.visible < 0.6 for each in view.instances)
    )  # fmt: skip
    hidden = min(view.instances, key=lambda each: each.visible)
    whole = silhouettes.silhouette(silhouettes.thing_of(view.scene, hidden.id))
    assert whole.coverage.sum() * whole.cell**2 > 1.5 * hidden.mask.sum()
    rows, columns = np.nonzero(whole.coverage > 0.5)
    box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    found = np.array(box) * whole.cell + np.tile(whole.corner, 2)
    np.testing.assert_allclose(found, hidden.full_box, atol=1.5 * whole.cell)


@pytest.mark.parametrize("cells", [8, 48, 64])
def test_the_longer_side_has_that_many_cells_and_a_margin_is_empty(cells):
    for thing in scenes.sample(5).objects:
        whole = silhouettes.silhouette(thing, cells)
        side = (thing.box[2:] - thing.box[:2]).max() / whole.cell
        assert side == pytest.approx(cells, abs=0.3 * cells / 8)
        edge = np.concatenate([whole.coverage[[0, -1]].ravel(), whole.coverage[:, [0, -1]].ravel()])
        assert not edge.any() and 0 < whole.coverage.max() <= 1


@pytest.mark.parametrize("identity", [0, FIRST_THING - 1, FIRST_THING + 40])
def test_no_such_thing_is_one_sentence(identity):
    with pytest.raises(ValueError, match="no thing with the identity"):
        silhouettes.thing_of(scenes.sample(3), identity)


def test_the_cache_of_scenes_does_not_depend_on_it(monkeypatch, tmp_path):
    kept = scene_cache.fingerprint()
    monkeypatch.setattr(scenes, "__file__", str(tmp_path / "__init__.py"))
    for name in ("__init__.py", "silhouettes.py"):
        (tmp_path / name).write_text("1")
    before = scene_cache.fingerprint()
    (tmp_path / "silhouettes.py").write_text("2")
    assert scene_cache.fingerprint() == before != kept
