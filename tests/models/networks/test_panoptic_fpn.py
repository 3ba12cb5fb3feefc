"""Panoptic FPN: its things are the detector's, its stuff follows from the pyramid's sum, and both are merged."""

import numpy as np
import pytest
import torch

from labs import panoptic
from models.networks import panoptic_fpn, rcnn_taps
from models.networks.detector import LEVELS, LoadedDetector
from models.networks.encoder import normalised
from models.networks.panoptic_fpn import OTHER, LoadedPanopticFpn, PanopticFound, PanopticFpn, merged, on_the_picture
from models.recipes.panoptic_fpn import fine_features
from scenes import CLASSES, STUFF, Knobs, render, sample

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def network() -> LoadedPanopticFpn:
    torch.manual_seed(0)
    return LoadedPanopticFpn("panoptic-fpn", PanopticFpn().eval().requires_grad_(False), CPU, {})


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return render(sample(3, Knobs(objects=4))).image


@pytest.fixture(scope="module")
def found(network, image) -> PanopticFound:
    return network(image)


def test_things_are_those_of_the_detector_and_the_keypoint_head_comes_back(network, image, found):
    theirs = LoadedDetector("detector", network.module.detector, CPU, {})(image, keypoints=False)
    assert len(found.boxes), "an untrained network finds something as well"
    for ours, own in (("boxes", theirs.boxes), ("labels", theirs.labels), ("scores", theirs.scores)):
        torch.testing.assert_close(getattr(found, ours), own)
    torch.testing.assert_close(found.masks, theirs.masks)
    assert rcnn_taps.heads_of(network.module.detector).has_keypoint()


def test_stuff_is_the_classified_sum_of_the_levels(network, image, found):
    x = torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255
    trunk = network.module.detector.backbone
    with torch.no_grad():
        pyramid, finer = trunk(normalised(x)), fine_features(trunk, x)
        levels = [pyramid[name] for name in LEVELS[:4]]
        logits = network.module.stuff(levels, finer)[0]
    assert [each.shape[1:] for each in finer] == [(32, 112, 112), (16, 224, 224)]
    torch.testing.assert_close(found.logits, logits, atol=1e-4, rtol=1e-4)
    np.testing.assert_array_equal(found.semantic, found.logits.argmax(0))
    assert found.semantic.dtype == np.uint8 and found.logits.shape == (len(STUFF) + 1, 224, 224)
    assert [name for name, _ in found.summands] == ["P2", "P3", "P4", "P5"]
    for (_, summand), rise, level in zip(found.summands, network.module.stuff.rise, levels, strict=True):
        assert summand.shape == (64, 56, 56)
        with torch.no_grad():
            torch.testing.assert_close(summand, rise(level)[0], atol=1e-4, rtol=1e-4)
    assert 0 < found.stuff_seconds < found.seconds and found.device == "cpu"


@pytest.mark.parametrize("size", [(224, 112), (100, 224), (448, 448)])
def test_a_picture_of_any_size_is_answered_in_its_own_pixels(network, image, size):
    rows, columns = (np.arange(side) * 224 // side for side in size)
    said = network(image[rows][:, columns])
    assert said.semantic.shape == size and said.masks.shape[1:] == size


def test_the_padding_of_a_picture_is_cut_off_before_it_is_resized():
    logits = torch.zeros(1, 1, 32, 16)
    logits[..., :12] = 1.0  # the picture, the other 4 columns are padding
    assert on_the_picture(logits, (32, 12), (64, 24)).min() == 1.0
    assert on_the_picture(logits, (32, 13), (64, 24)).min() == 0.0
    assert on_the_picture(logits, (32, 16), (64, 32)).min() == 0.0


def test_the_merge_is_the_labs_with_the_classes_of_the_scenes(found):
    by_hand = panoptic.merge(
        found.semantic, range(5), found.masks.numpy() >= 0.25, found.labels.numpy() + 4, found.scores.numpy(),
        0.1, 0.75, 30,
    )  # fmt: skip
    ours = merged(found.semantic, found, 0.25, 0.1, 0.75, 30)
    np.testing.assert_array_equal(ours.segments, by_hand.segments)
    assert ours.classes.tolist() == by_hand.classes.tolist() and ours.turns == by_hand.turns
    assert CLASSES[1 + panoptic_fpn.FIRST_THING] == "person" and OTHER == 5


def test_the_branch_is_small(network):
    assert sum(p.numel() for p in network.module.stuff.parameters()) * 2 < 0.7e6, "bytes in half precision"
