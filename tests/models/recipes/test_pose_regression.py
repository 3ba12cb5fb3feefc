"""The pose recipe: pictures moved and mirrored with their joints, hidden ones by rule, patches by chance, the card."""

import functools

import numpy as np
import pytest
import torch

from labs import pose as lab
from models import catalog
from models.networks.pose_regression import (
    NO_LOSS,
    PATCH,
    RULES,
    SIZE,
    TRUE_PLACE,
    ZEROS,
    LoadedPoseRegression,
    PoseRegression,
)
from models.recipes import pose_people, pose_regression, training
from models.recipes.pose_people import CROP, ROOM, People
from scenes import render

trained = pytest.mark.skipif("pose-regression" not in catalog.shipped(), reason="it has no weights yet")
SMALL = functools.partial(
    pose_regression.Recipe, people=6, steps=2, batch=4, second_steps=2, second_batch=3, spread_on=4
)


@pytest.fixture(scope="module")
def people() -> People:
    """Crops with a bright square at each joint's place and one dark hidden joint."""
    rng = np.random.default_rng(0)
    crops = np.full((6, CROP, CROP, 3), 60, np.uint8)
    joints = np.concatenate([rng.uniform(40, 120, (6, 14, 2)), np.full((6, 14, 1), 2.0)], -1).astype(np.float32)
    joints[:, 4, 2] = 1
    joints[:, 9, 2] = 0
    for crop, each in zip(crops, joints, strict=True):
        x, y = each[10, :2].round().astype(int)  # the left hand
        crop[y - 2 : y + 3, x - 2 : x + 3] = 255
    return People(crops, joints, np.tile(np.array([-30, -20, 210, 220], np.float32), (6, 1)))


def seed_with(mirrored: bool, people: People) -> int:
    """A seed that mirrors the picture, or leaves it."""
    recipe = SMALL()
    for seed in range(20):
        each = pose_regression.sample(people, 0, recipe, np.random.default_rng(seed))
        if (each.joints[0] != torch.from_numpy(people.joints[0][0])).any() == mirrored:
            return seed
    raise AssertionError("chance never did")


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_picture_and_its_joints_are_moved_together(people, mirrored):
    seed = seed_with(mirrored, people)
    each = pose_regression.sample(people, 0, SMALL(), np.random.default_rng(seed))
    hand = lab.JOINTS.index("right hand" if mirrored else "left hand")
    x, y = each.joints[hand, :2].round().int().tolist()
    assert each.image[y, x if not mirrored else x - 1].min() > 150, "the bright square is at the hand"
    assert each.joints[5 if mirrored else 4, 2] == 1, "left and right are exchanged, and what is hidden goes along"
    side = CROP / ROOM
    width = float(each.square[2] - each.square[0])
    assert 0.9 * side <= width <= 1.1 * side and abs(float(each.square[0] + each.square[2]) / 2 - 80) <= 0.08 * side
    assert each.corner.tolist() == ([-50, -20] if mirrored else [-30, -20])


def test_hidden_joints_count_by_rule(people):
    images, targets = pose_regression.batch(people, SMALL(), 0)
    assert images.shape == (4, 3, SIZE, SIZE) and list(targets) == list(RULES)
    truth, seen = targets[NO_LOSS]
    assert seen.sum(1).tolist() == [12] * 4
    assert targets[TRUE_PLACE][0].equal(truth) and targets[TRUE_PLACE][1].all()
    zeros, counts = targets[ZEROS]
    assert counts.all() and zeros[seen].equal(truth[seen])
    hidden = zeros[~seen].view(4, 2, 2)
    torch.testing.assert_close(hidden[:, 0], hidden[:, 1])  # all in the picture's corner
    assert (hidden < -0.5).all(), "which lies outside the person's square"


def test_a_step_sees_the_same_again(people):
    one, other = (pose_regression.batch(people, SMALL(), 7) for _ in range(2))
    assert one[0].equal(other[0]) and one[1][ZEROS][0].equal(other[1][ZEROS][0])
    assert not one[0].equal(pose_regression.batch(people, SMALL(), 8)[0])


def test_offsets_lead_back_to_the_true_joint_and_far_ones_do_not_count(people):
    spread = torch.full((14,), 0.08)
    patches, offsets, counts = pose_regression.second_batch(people, SMALL(), 0, spread)
    assert patches.shape == (3 * 14, 3, PATCH, PATCH)
    assert not counts[(offsets.abs() > 0.5).any(-1)].any()
    assert (counts.sum(1) <= 12).all() and counts.sum() > 10
    found = 0
    for person in range(3):
        for hand in (10, 11):  # left, or right in the mirror
            u, v = offsets[person, hand].tolist()
            if counts[person, hand] and abs(u) < 0.4 and abs(v) < 0.4:
                x, y = int((u + 0.5) * PATCH), int((v + 0.5) * PATCH)
                found += bool(patches[person * 14 + hand][:, y - 1 : y + 2, x - 1 : x + 2].max() > 0.6)
    assert found >= 1, "the bright square lies where the offset points"


def test_a_training_goes_on_where_it_was_stopped_and_ends_the_same(people, monkeypatch, tmp_path):
    monkeypatch.setattr(pose_regression, "Recipe", SMALL)
    monkeypatch.setattr(pose_regression, "cached_people", lambda seeds: people)
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 1)
    start = catalog.load(pose_regression.STARTS_FROM)
    run = functools.partial(pose_regression.train, "pose-regression", torch.device("cpu"))
    whole, facts = run(tmp_path / "a", lambda *_: None, start)

    def stop(step, total, loss):
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "b", stop, start)
    resumed, _ = run(tmp_path / "b", lambda *_: None, start)
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], value, msg=name)
    assert facts["recipe"]["starts_from"] == "classifier-gap-28" and len(facts["recipe"]["first_stage_spread"]) == 14
    assert not whole.training


class Told(LoadedPoseRegression):
    """Says the truth of each scene, the first stage 30 pixels beside it."""

    def __call__(self, image, box, rule=NO_LOSS):
        found = super().__call__(image, box, rule)
        views = (render(pose_people.compose(seed), 224) for seed in pose_regression.held_out_seeds(2))
        view = next(view for view in views if np.array_equal(view.image, image))
        truth = torch.from_numpy(pose_people.person_of(view).keypoints[:, :2]).float()
        off = 1000.0 if rule == ZEROS else 15.0
        return type(found)(
            truth + torch.tensor([off, 0.0]), truth, found.numbers, found.square, found.patches, 0.001, ""
        )


def test_the_card_tells_the_stages_and_the_rules_apart():
    model = Told("told", PoseRegression().eval(), torch.device("cpu"), {})
    found = pose_regression.evaluate(model, lambda *_: None, count=2)
    assert found["pck"] == found["pck_strict"] == found["oks"] == 1
    assert found["pck_first_stage"] == 1 and found["pck_strict_first_stage"] == 0 and 0 < found["oks_first_stage"] < 1
    assert found["pck_first_stage_true_place"] == 1 and found["pck_first_stage_zeros"] == 0
    assert found["scenes"] == 2 and found["forward_ms_p50"] == 1.0


@trained
def test_the_card_holds_the_bars():
    metrics = catalog.card("pose-regression")["metrics"]
    assert metrics["pck"] >= 0.9
    assert metrics["pck_strict"] > metrics["pck_strict_first_stage"] and metrics["oks"] > metrics["oks_first_stage"]
    assert metrics["pck_first_stage_zeros"] < metrics["pck_first_stage"]


def test_a_composed_scene_has_one_whole_person_close_to_the_viewer():
    for seed in range(12):
        scene = pose_people.compose(seed)
        persons = [each for each in scene.objects if each.label == "person"]
        assert len(persons) == 1 and len(scene.objects) <= 2
        x1, y1, x2, y2 = persons[0].box
        assert pose_people.LEAST - 0.1 <= max(x2 - x1, y2 - y1) <= pose_people.TALLEST + 0.1
        assert 0 < (x1 + x2) / 2 < 224


def test_the_cache_keeps_a_crop_around_the_person_and_is_read_again(monkeypatch, tmp_path):
    monkeypatch.setenv("RECEPTIVE_CACHE", str(tmp_path))
    found = pose_people.cached_people(range(2))
    view = render(pose_people.compose(0), 224)
    person = pose_people.person_of(view)
    x1, y1, x2, _ = lab.square(torch.from_numpy(person.box).float(), 1.25 * ROOM).tolist()
    zoom = CROP / (x2 - x1)
    expected = (person.keypoints[:, :2] - (x1, y1)) * zoom
    np.testing.assert_allclose(found.joints[0][:, :2], expected, atol=1e-2)
    np.testing.assert_allclose(found.frames[0], (np.array([0, 0, 224, 224]) - (x1, y1, x1, y1)) * zoom, atol=1e-2)
    column, row = expected[12].astype(int)
    at = (np.array([column, row]) + 0.5) / zoom + (x1, y1)
    near = view.image[int(at[1]) - 2 : int(at[1]) + 3, int(at[0]) - 2 : int(at[0]) + 3].reshape(-1, 3).astype(int)
    assert (abs(near - found.crops[0][row, column].astype(int)).max(1) < 40).any(), "the same colour at the neck"
    monkeypatch.setattr(pose_people, "_crop", lambda seed: pytest.fail("rendered again"))
    assert len(pose_people.cached_people(range(2))) == 2
