"""The network of joint maps and fields: its limbs are a tree, and the lab puts together what it says."""

import numpy as np
import pytest
import torch

from labs import part_affinity_fields as lab
from models.networks.pose_fields import LIMBS, STRIDE, LoadedPoseFields, PoseFields
from scenes import JOINTS, SKELETON, Knobs, render, sample


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    module = PoseFields()
    torch.nn.init.normal_(module.predict.weight, std=0.3)  # peaks, so that there is something to put together
    return LoadedPoseFields("pose-fields", module.eval(), torch.device("cpu"), {})


@pytest.fixture(scope="module")
def image():
    return render(sample(3, Knobs(objects=3, classes=("person",)))).image


def test_the_limbs_are_a_tree_of_the_skeleton_from_the_neck():
    assert len(LIMBS) == len(JOINTS) - 1 == 13
    assert {frozenset(limb) for limb in LIMBS} < {frozenset(limb) for limb in SKELETON}
    reached = {JOINTS.index("neck")}
    for first, second in LIMBS:
        assert first in reached and second not in reached
        reached.add(second)
    assert reached == set(range(14))


def test_maps_and_fields_of_a_batch():
    maps, fields = PoseFields()(torch.rand(2, 3, 64, 96))
    assert maps.shape == (2, 14, 16, 24) and fields.shape == (2, 13, 2, 16, 24)


def test_what_the_network_says_is_put_together_by_the_lab(network, image):
    found = network(image)
    assert found.maps.shape == (14, 56, 56) and found.fields.shape == (13, 2, 56, 56)
    x = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        maps, fields = network.module(x)
    torch.testing.assert_close(found.maps, maps[0], atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(found.fields, fields[0], atol=1e-3, rtol=1e-3)
    again = lab.assemble(found.maps, found.fields, LIMBS, STRIDE)
    assert torch.equal(again.persons, found.keypoints) and torch.equal(again.person_scores, found.scores)
    assert sum(map(len, again.candidates)) > 14 and found.seconds > 0 < found.assembly_seconds


def test_another_size_gives_joints_in_its_own_pixels(network, image, monkeypatch):
    wide = np.repeat(np.repeat(image, 2, axis=0), 3, axis=1)  # shrinks back to the same pixels
    torch.testing.assert_close(network(wide).maps, network(image).maps, atol=1e-3, rtol=1e-3)
    one = torch.tensor([[[10.0, 20, 0.5]] * 14])
    monkeypatch.setattr(lab, "assemble", lambda *_: lab.Assembled([], [], [], one, torch.ones(1)))
    assert network(image).keypoints[0, 0].tolist() == [10, 20, 0.5]
    assert network(wide).keypoints[0, 0].tolist() == [30, 40, 0.5]
