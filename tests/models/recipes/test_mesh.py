"""The recipe of meshes: a stopped training goes on, the detector stays, voxels are those of the solid."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from labs import cubify
from models.networks import mesh_head
from models.recipes import mesh, mesh_scores, solids
from models.recipes.scene_cache import InstanceRecord
from models.recipes.trunk_features import KEPT, TrunkFeatures
from scenes import THINGS

BOX = [60.0, 60.0, 130.0, 140.0]
RADIUS = 30.0


def ball() -> dict[str, np.ndarray]:
    """A row of `Solids`: a ball that fills its box."""
    random = np.random.default_rng(0)
    normals = random.normal(size=(solids.POINTS, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    middles = (np.arange(solids.CELLS) + 0.5) / solids.CELLS - 0.5
    squares = np.maximum(0.25 - middles[:, None] ** 2 - middles**2, 0)
    return {
        "points": (normals / 2).astype(np.float16),
        "normals": (normals * 127).round().astype(np.int8),
        "squares": squares.astype(np.float16),
        "boxes": np.array([60.0, 65, 60 + 2 * RADIUS, 65 + 2 * RADIUS], np.float32),
    }


def some(count: int) -> solids.Solids:
    rows = {name: np.stack([value] * count) for name, value in ball().items()}
    return solids.Solids(**rows, start=np.arange(count + 1))


@pytest.fixture
def small(monkeypatch) -> mesh.Recipe:
    """Eight scenes with one ball each, and a thing that is hardly seen; a recipe of four steps."""
    rng = np.random.default_rng(0)
    sides = {name: 56 // 2**i for i, name in enumerate(KEPT)}
    levels = {name: rng.normal(size=(2, 8, 64, side, side)).astype(np.float16) for name, side in sides.items()}
    hidden = InstanceRecord(9, 5, [0.0, 0.0, 9.0, 9.0], 0.1, [[0.0] * 3] * 14)
    records = [[InstanceRecord(1, 1 + i, BOX, 1.0, [[0.0] * 3] * 14), hidden] for i in range(len(THINGS))]
    features = TrunkFeatures(levels, records)
    recipe = replace(mesh.Recipe(), steps=4, voxels_alone=2, batch=2, meshes=1, scenes=8, points=60)
    monkeypatch.setattr(mesh, "Recipe", lambda: recipe)
    monkeypatch.setattr(mesh, "trunk_features", lambda detector, count: features)
    monkeypatch.setattr(mesh, "solids", lambda seeds, records: some(len(records)))
    monkeypatch.setattr(mesh.training, "CHECKPOINT_EVERY", 1)
    blocky = mesh_head.blocky  # of untrained voxels only the fullest: there are thousands above 0.5
    monkeypatch.setattr(mesh_head, "blocky", lambda occupancy, _: blocky(occupancy, 1.0))
    return recipe


def test_a_stopped_training_goes_on_and_the_detector_stays(small, start, tmp_path):
    cpu, seen = torch.device("cpu"), []
    whole, facts = mesh.train("mesh", cpu, tmp_path / "a", lambda step, steps, loss: seen.append((step, loss)), start)

    def stop(step: int, _steps: int, _loss: float) -> None:
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mesh.train("mesh", cpu, tmp_path / "b", stop, start)
    resumed, _ = mesh.train("mesh", cpu, tmp_path / "b", lambda *_: None, start)
    for key, value in whole.state_dict().items():
        assert_close(resumed.state_dict()[key], value, atol=1e-4, rtol=1e-3)
    assert [step for step, _ in seen] == [1, 2, 3, 4] and all(np.isfinite(loss) for _, loss in seen)
    theirs, ours = start.module.state_dict(), whole.detector.state_dict()
    assert theirs.keys() == ours.keys() and all(torch.equal(ours[key], theirs[key]) for key in theirs)
    torch.manual_seed(0)
    fresh = mesh.build("mesh").head
    for part in ("full_box.say", "voxels.say", "stages.0.step", "stages.2.step"):
        assert not torch.equal(fresh.get_submodule(part).weight, whole.head.get_submodule(part).weight), part
    assert float(whole.head.mean_shapes[2].max()) == 1 and facts["recipe"]["trunk"] == "detector"


def test_the_voxels_of_a_ball_are_those_within_its_radius():
    truth = some(1)
    box = torch.from_numpy(truth.boxes)
    region = box + torch.tensor([[-4.0, -2, 7, 1]])
    filled = mesh.occupancy(truth.of([0], [False])[2], box, region)[0]
    corner, voxel = (each[0] for each in mesh_head.grids(region))
    z, y, x = torch.meshgrid(*[torch.arange(24) + 0.5] * 3, indexing="ij")
    middles = corner + torch.stack([x, y, z], -1) * voxel
    radius = (middles - torch.tensor([90.0, 95, 0])).norm(dim=-1)
    assert filled[radius < RADIUS - 1.5].all() and not filled[radius > RADIUS + 1.5].any()


def test_a_mirrored_row_is_mirrored():
    truth = some(2)
    truth.squares[0][:, :20] = 0
    points, normals, squares = truth.of([0, 0], [False, True])
    assert_close(points[1] * torch.tensor([-1.0, 1, 1]), points[0])
    assert_close(normals[1] * torch.tensor([-1.0, 1, 1]), normals[0])
    assert torch.equal(squares[1].flip(-1), squares[0]) and not torch.equal(squares[1], squares[0])
    assert truth.boxes_of([0, 1], [False, True]).tolist() == [[60, 65, 120, 125], [104, 65, 164, 125]]


def test_a_perfect_ball_costs_little_and_a_shifted_one_more(small):
    truth = some(1)
    points, normals, squares = truth.of([0], [False])
    box = torch.from_numpy(truth.boxes)
    seen = mesh.Step({}, [box], box, points, normals, squares)
    vertices, faces = cubify.cubify(mesh.occupancy(squares, box, box)[0].float())
    corner, voxel = (each[0] for each in mesh_head.grids(box))
    placed = corner + vertices * voxel
    costs = []
    for moved in (0.0, 3.0, 9.0):
        stages = [placed, *[placed + torch.tensor([moved, 0, 0])] * 3]
        batch = mesh_head.Batch(stages, faces, torch.zeros(len(placed), dtype=torch.int64))
        costs.append(float(mesh.mesh_loss(batch, replace(small, points=600), seen, torch.tensor([0]), 0)))
    assert costs[0] < costs[1] < costs[2]


def test_the_scores_of_a_mesh_are_1_for_itself_and_fall_with_distance():
    vertices, faces = mesh_head.blocky(torch.ones(24, 24, 24), 0.5)
    cube = mesh_scores.surface(vertices, faces)
    same = mesh_scores.compare(cube, cube, 24.0)
    assert same["f1"] == same["f1_close"] == same["normal_consistency"] == 1 and same["chamfer"] == 0
    moved = mesh_scores.compare(mesh_scores.surface(vertices + torch.tensor([1.0, 0, 0]), faces), cube, 24.0)
    # The two sides across x are a voxel off, 4.2 %: a third of the points, less what is near an edge.
    assert 0.5 < moved["f1_close"] < moved["f1"] < 0.75 and moved["f1_far"] == 1
    # ... and points drawn on the other four sides are a little apart.
    assert 1 <= moved["chamfer"] / (2 / 3 * (10 / 24) ** 2) < 1.5


def test_an_extruded_mask_has_its_outline_and_depth():
    mask = torch.zeros(9, 9, dtype=torch.bool)
    mask[2:5, 3:8] = True
    vertices, _ = mesh_scores.extruded(mask, 4.0)
    assert vertices.amin(0).tolist() == [3, 2, -4] and vertices.amax(0).tolist() == [8, 5, 4]


def test_the_summary_counts_hidden_things_apart():
    rows = {"f1": np.array([0.9, 0.5, 0.4]), "visible": np.array([1.0, 0.98, 0.97]), "category": np.array([1, 1, 2])}
    found = mesh_scores.summary(rows)
    assert (found["f1"], found["f1_whole"], found["f1_hidden"]) == (0.6, 0.7, 0.4)
    assert found["f1_per_class"]["person"] == 0.7 and found["f1_per_class"]["cat"] == 0.4
