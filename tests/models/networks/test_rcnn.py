"""R-CNN: what it says of a region does not depend on the others, and its parts are those that a page takes."""

import numpy as np
import pytest
import torch

from labs import region_warp
from models import catalog
from models.networks.encoder import normalised
from models.networks.rcnn import BATCH, FEATURES, GRID, PADDING, SIZE, LoadedRcnn, Rcnn
from scenes import THINGS, Knobs, render, sample


@pytest.fixture(scope="module")
def network() -> LoadedRcnn:
    torch.manual_seed(0)
    module = Rcnn().eval().requires_grad_(False)
    torch.nn.init.normal_(module.head.svms.weight, std=0.05)
    return LoadedRcnn("rcnn", module, torch.device("cpu"), {})


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return render(sample(3, Knobs(objects=4))).image


def boxes(count: int) -> torch.Tensor:
    random = torch.Generator().manual_seed(count)
    corner = torch.rand(count, 2, generator=random) * 150
    return torch.cat([corner, corner + 10 + torch.rand(count, 2, generator=random) * 60], 1)


def test_its_crops_are_those_of_the_lab_with_the_papers_border(network, image):
    assert (SIZE, GRID, FEATURES) == (48, 3, 1152) and pytest.approx(16 / 227) == PADDING / SIZE
    some = boxes(3)
    picture = normalised(torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255)[0]
    torch.testing.assert_close(network.crops(image, some), region_warp.crops(picture, some, SIZE, PADDING))


def test_a_region_is_seen_on_its_own(network, image):
    some = boxes(BATCH + 3)
    every = network.features(network.crops(image, some))
    assert every.shape == (BATCH + 3, FEATURES)
    for index in (0, BATCH, BATCH + 2):
        alone = network.features(network.crops(image, some[index : index + 1]))[0]
        torch.testing.assert_close(every[index], alone, atol=1e-4, rtol=1e-4)


def test_features_are_the_means_of_the_trunks_maps(network, image):
    crop = network.crops(image, boxes(1))
    maps = network.module.trunk(crop)[0]
    assert maps.shape == (128, 6, 6)
    means = maps.view(128, 3, 2, 3, 2).mean((2, 4)).flatten()
    torch.testing.assert_close(network.features(crop)[0], means, atol=1e-5, rtol=1e-5)


def test_a_call_is_its_parts_one_after_the_other(network, image):
    some = boxes(BATCH + 5)
    found = network(image, some)
    margins, transforms = network.judge(network.features(network.crops(image, some)))
    assert len(found.boxes) and found.scores.tolist() == sorted(found.scores.tolist(), reverse=True)
    for score, label, region in zip(found.scores, found.labels.tolist(), found.regions.tolist(), strict=True):
        assert float(score) == pytest.approx(float(margins[region, label - 1]), abs=1e-4)
    assert transforms.shape == (BATCH + 5, 8, 4)
    assert list(found.steps) == ["crops", "network", "SVMs and boxes"] and min(found.steps.values()) > 0
    assert found.seconds == pytest.approx(sum(found.steps.values()))


def test_without_proposals_nothing_is_found(network, image):
    found = network(image, torch.zeros(0, 4))
    assert len(found.boxes) == len(found.scores) == 0 and found.boxes.shape == (0, 4)


@pytest.mark.skipif("rcnn" not in catalog.shipped(), reason="it has no weights yet")
def test_the_shipped_one_stands_on_the_localizers_trunk_and_knows_true_boxes():
    rcnn, localizer = catalog.load("rcnn"), catalog.load("localizer-joint")
    for ours, theirs in zip(rcnn.module.trunk.parameters(), localizer.module.trunk.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    right = total = 0
    for seed in range(20):
        view = render(sample(seed, Knobs(objects=(1, 3))), 224)
        things = torch.from_numpy(np.array([thing.box for thing in view.instances], np.float32)).reshape(-1, 4)
        if len(things):
            margins, _ = rcnn.judge(rcnn.features(rcnn.crops(view.image, things)))
            names = [THINGS[i] for i in margins.argmax(1).tolist()]
            right += sum(a == thing.label for a, thing in zip(names, view.instances, strict=True))
            total += len(things)
    assert right / total > 0.8, f"{right} of {total}"
