"""The Mesh R-CNN page: the solid of a chosen thing, what the picture hides of it, the cut, and the fit of a ball."""

import numpy as np
import pytest
import torch

from labs import inflated_solid, mesh_losses
from labs.mesh_fitting import POINTS, Fit, Weights
from pages.mesh_rcnn import fitting, shared
from pages.mesh_rcnn import truth as truth_section
from scenes.silhouettes import silhouette, thing_of
from ui import pictures

PAGE = "mesh_rcnn"


def scene(seed: int = shared.SEED) -> pictures.Picture:
    knobs = dict.fromkeys(pictures.LEVELS)
    return pictures.from_lab_world(seed, objects=(2, 6), occlusion=0.35, **knobs)


def test_at_first_it_is_the_cat_behind_the_ball(visit, sound, drawn, prose):
    told = prose(sound(visit(PAGE, {"predict": "off"}, mesh_step=0)))
    picture = scene()
    cat = picture.view.instances[2]
    assert cat.label == "cat" and shared.first_choice(picture) == 3 and 1 / 3 < cat.visible < 0.8
    whole = silhouette(thing_of(picture.scene, cat.id), shared.CELLS)
    mesh = inflated_solid.inflate(whole.coverage, whole.corner, whole.cell)
    (shown,) = drawn.solids["mesh_truth"].values()
    np.testing.assert_array_equal(shown.vertices, mesh.vertices)
    assert f"**Cat**: {cat.visible:.0%} of it is seen." in told and f"of {len(mesh.faces):,} triangles" in told
    assert "cat after 0 steps" in told
    # what stands behind the ball is orange, and the ear is not
    sky, orange, grey = (np.array(shared.rgb(colour)) for colour in (shared.SKY, shared.ORANGE, shared.GREY))
    front = mesh.vertices[:, 2].numpy() < 0
    assert {tuple(each) for each in shown.colours[front].tolist()} == {tuple(sky), tuple(orange)}
    assert (shown.colours[mesh.vertices[:, 2].numpy() > whole.cell] == grey).all()
    hidden = (shown.colours[front] == orange).all(1).mean()
    assert hidden == pytest.approx(1 - cat.visible, abs=0.12)
    high = mesh.vertices[:, 1].numpy() < cat.box[1] + 20
    assert not (shown.colours[front & high] == orange).all(1).any()


def test_the_slider_chooses_and_the_rest_follows(visit, sound, drawn, prose):
    picture = scene()
    for place, thing in enumerate(picture.view.instances, 1):
        told = prose(sound(visit(PAGE, {"predict": "off"}, mesh_thing=place, mesh_step=0)))
        assert f"**{thing.label.capitalize()}**: {thing.visible:.0%}" in told and f"{thing.label} after 0 steps" in told
        marked = {box.id: box.xyxy for box in drawn.boxes("mesh_scene")}
        np.testing.assert_allclose(marked["whole"], thing.full_box)
        np.testing.assert_allclose(marked["seen"], thing.box)
        assert drawn.options["mesh_truth"]["alt"] == f"The solid of the {thing.label}"
        truth = shared.truth_of(picture, thing)
        assert sum(truth_section.shares(picture, thing, truth)) == pytest.approx(1)
        unit = shared.to_unit(truth.mesh.vertices, truth)
        assert float((unit.amax(0) - unit.amin(0)).max()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("cut", [0, 50, 100])
def test_the_cut_runs_through_the_outline(visit, sound, drawn, prose, cut):
    told = prose(sound(visit(PAGE, {"predict": "off"}, mesh_cut=cut, mesh_step=0)))
    picture = scene()
    truth = shared.truth_of(picture, picture.view.instances[2])
    depth = drawn.layer("mesh_u", truth_section.Heat).values
    np.testing.assert_allclose(np.nan_to_num(depth) ** 2, truth.u, atol=1e-6)
    ((x1, row, x2, again),) = drawn.layer("mesh_u", truth_section.Lines).segments
    assert row == again and (x1, x2) == (0, truth.u.shape[1]) and truth.u[int(row)].any()
    rows = np.flatnonzero(truth.u.any(1))
    assert {0: rows[0], 100: rows[-1]}.get(cut, int(row)) == int(row)
    assert "8 times" in told


def test_the_fit_is_the_labs_and_both_are_judged_on_other_points(visit, sound, drawn, prose):
    told = prose(sound(visit(PAGE, {"predict": "off"}, mesh_step=4, mesh_edge=0.5, mesh_normal=0.01)))
    picture = scene()
    truth = shared.truth_of(picture, picture.view.instances[2])
    unit = shared.to_unit(truth.mesh.vertices, truth)
    points, normals = mesh_losses.sample_points(unit, truth.mesh.faces, POINTS)
    assert list(drawn.solids["mesh_fit"]) == ["Chamfer alone", "with both others", "truth"]
    target, _ = mesh_losses.sample_points(unit, truth.mesh.faces, fitting.JUDGED, seed=2)
    for name, weights in (("Chamfer alone", Weights()), ("with both others", Weights(0.01, 0.5))):
        theirs = Fit(points, normals, weights)
        for _ in range(4):
            theirs.step()
        corners = theirs.vertices.detach()
        np.testing.assert_allclose(drawn.solids["mesh_fit"][name].vertices, corners, atol=1e-4)
        ours, _ = mesh_losses.sample_points(corners, theirs.faces, fitting.JUDGED, seed=1)
        distance = float(mesh_losses.chamfer(ours, target))
        assert f"**{name.capitalize()}**: Chamfer distance {1000 * distance:.2f} · 10⁻³" in told
    assert drawn.options["mesh_fit"]["radius"] == fitting.REACH, "nothing jumps while corners move"


def test_a_film_goes_on_where_it_was_and_remembers():
    picture = scene()
    truth = shared.truth_of(picture, picture.view.instances[2])
    film = fitting.film(truth, Weights(0.0, 0.35))
    first = film.after(0)
    later = film.after(6)
    assert len(film.fit.losses) == 6 and not torch.equal(first, later)
    assert film.after(0) is first and film.after(6) is later and len(film.fit.losses) == 6
    assert fitting.film(truth, Weights(0.0, 0.35)) is film and fitting.film(truth, Weights(0.0, 0.4)) is not film


@pytest.mark.parametrize("objects", [(0, 0), (1, 1)])
def test_one_thing_or_none(visit, sound, drawn, said, objects):
    at = sound(visit(PAGE, mesh_objects=objects, mesh_step=0))
    if objects == (0, 0):
        assert "only a thing of Lab World comes with its whole shape" in said(at) and "mesh_truth" not in drawn.solids
    else:
        assert len(drawn.solids["mesh_truth"]) == 1


def test_a_photograph_has_no_solid(visit, sound, drawn, said):
    at = sound(visit(PAGE, mesh_source="Photograph"))
    assert "only a thing of Lab World" in said(at) and "mesh_truth" not in drawn.solids
