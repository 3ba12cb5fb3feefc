"""Mask heads on the detector: the same boxes, and a softmax that torchvision asks like a sigmoid."""

import numpy as np
import pytest
import torch

from models import catalog
from models.inside import mask_region
from models.inside.pooling_swap import find_regions
from models.networks import rcnn_taps
from models.networks.detector import LoadedDetector
from models.networks.mask_heads import LENT, SIGMOID, SOFTMAX, build_with_masks, mask_logits
from scenes import Knobs, render, sample

BOXES = torch.tensor([[20.0, 30, 90, 120], [100.0, 20, 140, 60], [0.0, 0, 224, 224]])


@pytest.fixture(scope="module")
def networks() -> dict[str, LoadedDetector]:
    found = {}
    for name in (SIGMOID, SOFTMAX):
        torch.manual_seed(3)
        module = build_with_masks(name).eval().requires_grad_(False)
        found[name] = LoadedDetector(name, module, torch.device("cpu"), {})
    return found


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return render(sample(3, Knobs(objects=4))).image


def test_what_the_head_says_of_a_box_is_what_torchvision_pastes(networks, image):
    for name, network in networks.items():
        regions = find_regions(network, image)
        said = mask_region.look(network, regions, BOXES)
        assert said.pooled.shape == (3, 64, 14, 14) and said.logits.shape == (3, 9, 28, 28)
        assert [each.shape for each in said.layers] == [(3, 64, 14, 14)] * 3 and said.upsampled.shape == (3, 64, 28, 28)
        assert said.levels == ["P2", "P2", "P4"]
        torch.testing.assert_close(said.scores.sum(1), torch.ones(3))
        heads = rcnn_taps.heads_of(network.module)
        with torch.inference_mode():
            theirs = heads.mask_predictor(heads.mask_head(said.pooled)).sigmoid()
        ours = said.logits.softmax(1) if mask_region.is_softmax(network) else said.logits.sigmoid()
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)
        assert mask_region.is_softmax(network) == (name == SOFTMAX)
        with torch.inference_mode():
            torch.testing.assert_close(mask_logits(network.module, said.pooled), said.logits, atol=1e-5, rtol=1e-4)


def test_it_detects_with_masks_and_without_joints(networks, image):
    found = networks[SOFTMAX](image)
    assert found.keypoints is None and found.masks.shape[1:] == (224, 224) and float(found.masks.max()) <= 1


@pytest.mark.skipif(SOFTMAX not in catalog.shipped(), reason="it has no weights yet")
def test_trunk_proposals_and_boxes_are_the_detectors():
    ours, theirs = catalog.load(SOFTMAX).module, catalog.load("detector").module
    for part in LENT:
        lent = theirs.get_submodule(part).state_dict()
        assert all(torch.equal(value, lent[key]) for key, value in ours.get_submodule(part).state_dict().items())
    own = theirs.get_submodule("roi_heads.mask_head").state_dict()
    assert not torch.equal(ours.get_submodule("roi_heads.mask_head").state_dict()["0.0.weight"], own["0.0.weight"])
    assert (catalog.WEIGHTS / f"{SOFTMAX}.safetensors").stat().st_size < 700_000
