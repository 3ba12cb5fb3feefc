"""The network's sections of the Mesh R-CNN page: stages at a threshold, what a corner reads, scores, and files."""

import io

import numpy as np
import pytest
import torch
import trimesh

from labs import cubify, graph_convolution, mesh_losses
from models import catalog
from pages.mesh_rcnn import export, predicted, shared
from pages.mesh_rcnn.predicted import NAMES
from pages.mesh_rcnn.stages import WITHIN
from ui import pictures
from ui.components import Boxes, Heat

PAGE = "mesh_rcnn"
QUIET = {"predict": "off"}


@pytest.fixture
def cat() -> tuple[pictures.Picture, torch.Tensor]:
    """The first scene, and the box of the detector around the cat behind the ball."""
    picture = pictures.from_lab_world(shared.SEED, objects=(2, 6), occlusion=0.35, **dict.fromkeys(pictures.LEVELS))
    thing = picture.view.instances[2]
    found, shapes = catalog.load("mesh")(picture.image)
    rows = [i for i in range(len(found.boxes)) if found.labels[i] == 2]
    row = min(rows, key=lambda i: float((found.boxes[i] - torch.tensor(thing.box)).abs().sum()))
    return picture, shapes, row


def test_the_stages_are_the_networks_at_the_threshold_of_the_slider(visit, sound, drawn, prose, cat):
    picture, shapes, row = cat
    told = prose(sound(visit(PAGE, QUIET, mesh_step=0, mesh_threshold=0.3, mesh_layer=9, mesh_vertex=11)))
    stages = catalog.load("mesh").refine(shapes, row, 0.3)
    shown = drawn.solids["mesh_stages"]
    assert list(shown) == [*NAMES, "truth"]
    for name, vertices in zip(NAMES, stages.vertices, strict=True):
        np.testing.assert_allclose(shown[name].vertices, vertices.numpy(), atol=1e-3)
        np.testing.assert_array_equal(shown[name].faces, stages.faces.numpy())
    blocky, faces = cubify.cubify(shapes.voxels[row], 0.3)
    np.testing.assert_allclose(shown["voxels"].vertices, shapes.corners[row] + blocky * shapes.sides[row], atol=1e-3)
    full = int((shapes.voxels[row] > 0.3).sum())
    assert f"**{full:,}** of 13,824" in told and f"and {len(faces):,} triangles" in told
    np.testing.assert_allclose(drawn.layer("mesh_slice", Heat).values, shapes.voxels[row, 8], atol=1e-5)
    # F1 of every stage, on the points that the page draws
    truth = shared.truth_of(picture, picture.view.instances[2], 48)
    points, _ = mesh_losses.sample_points(truth.mesh.vertices, truth.mesh.faces, predicted.POINTS)
    for name, vertices in zip(NAMES, stages.vertices, strict=True):
        mine, _ = mesh_losses.sample_points(vertices, stages.faces, predicted.POINTS)
        assert f"{name} **{mesh_losses.f1(mine, points, WITHIN * float(truth.sides[:2].max())):.2f}**" in told
    # the corner of the slider, the cells that it reads, and what arrives
    place = stages.vertices[-1][11, :2]
    cells, shares = (each[0] for each in graph_convolution.corners_read(place[None], 4.0, (56, 56)))
    (boxes,) = drawn.every("mesh_below", Boxes)
    assert [box.xyxy[:2] for box in boxes.boxes] == [(4.0 * column, 4.0 * line) for column, line in cells.tolist()]
    read = graph_convolution.vertex_alignment(shapes.fine[None], place[None], torch.zeros(1, dtype=torch.int64), 4.0)
    np.testing.assert_allclose(drawn.grids["mesh_channels"]["corner"].values[0], read[0, :8], atol=1e-4)
    assert drawn.options["mesh_align"]["mark"].vertex == 11 and shares.sum() == pytest.approx(1)
    assert "extruded **" in told and "mean shape of the class **" in told
    card = catalog.card("mesh")["metrics"]
    assert (
        f"| Mesh R-CNN | {card['f1']:.2f} |" in told
        and f"| its mask, extruded | {card['f1_extruded_mask']:.2f} |" in told
    )


def test_colours_tell_the_distance_and_a_photograph_has_stages_but_no_score(visit, sound, drawn, prose):
    sound(visit(PAGE, QUIET, mesh_step=0, mesh_colour="By error", mesh_export="truth"))
    shown = drawn.solids["mesh_stages"]
    assert all(shown[name].colours is not None for name in NAMES) and shown["truth"].colours is None
    told = prose(sound(visit(PAGE, QUIET | {"mesh_source": "Photograph"}, mesh_step=0)))
    assert "nothing is scored here" in told and "truth" not in drawn.solids["mesh_stages"]


@pytest.mark.parametrize("kind", ["obj", "glb"])
def test_a_file_holds_the_mesh_upright_and_not_mirrored(kind):
    vertices, faces = cubify.cubify(torch.ones(2, 3, 4))
    vertices[vertices[:, 1] == 0] *= torch.tensor([0.5, 1, 1])  # narrow above: y counts down
    loaded = trimesh.load(io.BytesIO(export.exported(vertices, faces, kind)), file_type=kind, force="mesh")
    assert len(loaded.faces) == len(faces) and loaded.is_watertight and loaded.volume > 0
    assert loaded.extents.max() == pytest.approx(1, abs=1e-4)
    wide = [
        np.ptp(loaded.vertices[loaded.vertices[:, 1] == end, 0]) for end in (loaded.bounds[0, 1], loaded.bounds[1, 1])
    ]
    assert wide[1] < wide[0]  # narrow above: y counts up
