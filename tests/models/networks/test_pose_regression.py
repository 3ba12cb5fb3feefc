"""Pose regression: both stages add up as the lab says, each joint has its own outputs, one layer teaches the trunk."""

import numpy as np
import pytest
import torch

from labs import pose as lab
from models import catalog
from models.inside import joint_heat_maps
from models.networks.pose_regression import (
    NO_LOSS,
    NUMBERS,
    PATCH,
    REACH,
    RULES,
    SIZE,
    LoadedPoseRegression,
    PoseRegression,
    as_batch,
    look,
)
from models.recipes import pose_people
from scenes import render

BOX = torch.tensor([60.0, 50.0, 130.0, 200.0])


@pytest.fixture(scope="module")
def model() -> LoadedPoseRegression:
    torch.manual_seed(2)
    net = PoseRegression().eval()
    with torch.no_grad():
        net.second.say.weight.mul_(5)
    return LoadedPoseRegression("untrained", net, torch.device("cpu"), {})


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return render(pose_people.compose(3), 224).image


@pytest.mark.parametrize("rule", RULES)
def test_a_call_is_both_stages_one_after_the_other(model, picture, rule):
    found = model(picture, BOX, rule)
    square = lab.square(BOX)
    assert NUMBERS == 28 and found.numbers.shape == (28,) and found.square.equal(square)
    with torch.inference_mode():
        numbers = model.module.first(as_batch([look(picture, square, SIZE)]))[rule][0]
        torch.testing.assert_close(found.numbers, numbers.flatten())
        first = lab.in_pixels(numbers, square)
        side = (square[2] - square[0]) * REACH
        parts = as_batch([look(picture, each, PATCH) for each in lab.patches(first, side)])
        second = first + model.module.second(parts)[0] * side
    torch.testing.assert_close(found.first, first)
    torch.testing.assert_close(found.second, second)
    assert not found.first.allclose(found.second)
    assert found.seconds > 0 and found.device == "cpu"


def test_the_rules_are_last_layers_of_their_own(model, picture):
    said = [model(picture, BOX, rule).numbers for rule in RULES]
    assert not said[0].allclose(said[1]) and not said[0].allclose(said[2])


def test_only_the_layer_without_a_loss_for_hidden_joints_teaches_the_trunk():
    net = PoseRegression().train()
    for rule in RULES:
        net.zero_grad()
        net.first(torch.rand(2, 3, SIZE, SIZE))[rule].square().sum().backward()
        taught = any(p.grad is not None and p.grad.any() for p in net.first.trunk.parameters())
        assert taught == (rule == NO_LOSS)
        assert net.first.say[RULES.index(rule)].weight.grad.any()


def test_a_joints_offset_comes_from_its_own_patch_alone():
    second = PoseRegression().eval().second
    patches = torch.rand(14, 3, PATCH, PATCH)
    with torch.no_grad():
        before = second(patches)
        patches[5] = 0.0
        after = second(patches)
    changed = (before != after).any(-1)[0]
    assert changed.tolist() == [joint == 5 for joint in range(14)] and before.shape == (1, 14, 2)


def test_a_square_is_cut_out_where_it_lies_and_the_edge_goes_on():
    image = np.zeros((50, 60, 3), np.uint8)
    image[20:30, 40:50] = 255
    assert look(image, torch.tensor([40.0, 20.0, 50.0, 30.0]), 10).min() == 255
    cut = look(image, torch.tensor([38.0, 18.0, 48.0, 28.0]), 10)
    assert cut[2:, 2:].min() == 255 and cut[:2].max() == cut[:, :2].max() == 0
    image[:, -1] = 77
    assert (look(image, torch.tensor([70.0, 0.0, 90.0, 20.0]), 20) == 77).all()


def test_a_square_without_a_size_is_no_error(model, picture):
    found = model(picture, torch.tensor([50.0, 50.0, 50.0, 50.0]))
    assert found.second.isfinite().all()


def test_it_is_small():
    size = sum(value.numel() for value in PoseRegression().state_dict().values()) * 2
    assert size < 1_500_000, "bytes of half precision"


def test_the_heat_maps_are_those_of_the_detectors_own_pass(picture):
    detector = catalog.load("detector")
    found = detector(picture, masks=False)
    person = int((found.labels == 1).nonzero()[0])
    maps = joint_heat_maps.heat_maps(detector, picture, found.boxes[person])
    torch.testing.assert_close(maps.joints, found.keypoints[person, :, :2], atol=0.05, rtol=1e-3)
    assert maps.maps.shape[0] == 14 and maps.box.equal(found.boxes[person])
