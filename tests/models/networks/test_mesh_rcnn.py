"""Mesh R-CNN behind its interface: the detector's own boxes, shapes in pixels of any picture, stages at a threshold."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from models.networks import mesh_head
from models.networks.mesh_rcnn import LoadedMeshRcnn, MeshRcnn
from scenes import Knobs, render, sample


@pytest.fixture(scope="module")
def network() -> LoadedMeshRcnn:
    torch.manual_seed(0)
    module = MeshRcnn().eval().requires_grad_(False)
    torch.nn.init.normal_(module.head.voxels.say.weight, std=1.0)
    return LoadedMeshRcnn("mesh", module, torch.device("cpu"), {})


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return render(sample(3, Knobs(objects=4))).image


@pytest.fixture(scope="module")
def found(network, image):
    return network(image)


def test_its_boxes_are_the_detectors_and_each_has_a_shape(network, image, found):
    detection, shapes = found
    assert torch.equal(detection.boxes, network.detector(image, keypoints=False).boxes)
    assert torch.equal(shapes.boxes, detection.boxes) and shapes.voxels.shape == (len(detection.boxes), 24, 24, 24)
    assert float(shapes.voxels.min()) >= 0 and float(shapes.voxels.max()) <= 1 and shapes.scale == 1
    corners, sides = mesh_head.grids(shapes.full_boxes)
    assert_close(shapes.corners, corners)
    assert_close(shapes.sides, sides)


def test_the_stages_begin_at_the_voxels_above_the_threshold(network, found):
    _, shapes = found
    few, many = (network.refine(shapes, 0, threshold) for threshold in (0.7, 0.3))
    assert len(few.vertices) == 4 and len(few.faces) != len(many.faces)
    vertices, faces = mesh_head.blocky(shapes.voxels[0], 0.7)
    assert torch.equal(few.faces, faces)
    assert_close(few.vertices[0], shapes.corners[0] + vertices * shapes.sides[0], atol=1e-3, rtol=1e-4)


def test_any_regions_may_be_asked_and_none(network, image, found):
    boxes = torch.tensor([[40.0, 50, 90, 150]])
    one = network.shapes(found[0], boxes, image.shape[:2])
    both = network.shapes(found[0], torch.cat([boxes, boxes.flip(0) + 30]), image.shape[:2])
    assert_close(one.voxels[0], both.voxels[0], atol=1e-4, rtol=1e-4)
    none = network.shapes(found[0], torch.zeros(0, 4), image.shape[:2])
    assert none.voxels.shape == (0, 24, 24, 24) and none.full_boxes.shape == (0, 4)


def test_a_larger_picture_has_larger_shapes(network, image, found):
    large = np.repeat(np.repeat(image, 2, axis=0), 2, axis=1)
    boxes = torch.tensor([[40.0, 50, 90, 150]])
    small_shapes = network.shapes(found[0], boxes, image.shape[:2])
    shapes = network.shapes(network.detector(large, keypoints=False), 2 * boxes, large.shape[:2])
    assert shapes.scale == 0.5
    assert_close(shapes.full_boxes, 2 * small_shapes.full_boxes, atol=1.0, rtol=0.02)
    assert_close(shapes.sides, 2 * small_shapes.sides, atol=0.1, rtol=0.02)
    middles = [network.refine(each, 0).vertices[-1].mean(0) for each in (small_shapes, shapes)]
    assert_close(middles[1], 2 * middles[0], atol=2.0, rtol=0.05)


def test_masks_of_regions_are_those_of_the_detector(network, image, found):
    detection, _ = found
    masks = network.masks(detection, detection.boxes, detection.labels, image.shape[:2])
    assert_close(masks, network.detector(image).masks, atol=1e-4, rtol=1e-4)
