"""The four losses opened: what each box adds sums up to torchvision's own numbers, and the network stays as it was."""

from typing import cast

import pytest
import torch

import scenes
from models import catalog
from models.inside import four_losses
from models.inside.four_losses import KINDS, open_losses
from models.networks.detector import LoadedDetector
from models.networks.narrow_detector import build_narrow_detector


@pytest.fixture(scope="module")
def untrained() -> LoadedDetector:
    torch.manual_seed(0)
    return LoadedDetector("untrained", build_narrow_detector().eval(), torch.device("cpu"), {})


@pytest.mark.parametrize("seed", [0, 16])
@pytest.mark.parametrize("name", ["untrained", "detector"])
def test_what_the_boxes_add_are_the_four_losses(untrained, name, seed):
    detector = untrained if name == "untrained" else cast(LoadedDetector, catalog.load("detector"))
    view = scenes.render(scenes.sample(seed), 224)
    opened, theirs = open_losses(detector, view.image, view.instances), detector.losses(view.image, view.instances)
    for kind in KINDS:
        batch, added = opened.of(kind)
        assert opened.losses[kind] == pytest.approx(theirs[kind], rel=1e-5)
        assert float(added.sum()) == pytest.approx(theirs[kind], rel=1e-3, abs=1e-5), kind
        assert len(batch.boxes) == len(added) == (128 if batch is opened.anchors else 96)
    assert set(opened.anchors.label.tolist()) == {0, 1}
    assert int((opened.regions.label > 0).sum()) <= 24, "at most a quarter of the regions are things"
    assert bool((opened.anchors.right > 0).all() and (opened.anchors.right <= 1).all())


def test_a_scene_without_things_has_only_background(untrained):
    view = scenes.render(scenes.sample(3, scenes.Knobs(objects=0)), 224)
    opened = open_losses(untrained, view.image, view.instances)
    assert int(opened.anchors.label.sum()) == int(opened.regions.label.sum()) == 0
    assert opened.losses[four_losses.RPN_BOX] == opened.losses[four_losses.BOX] == 0
    for kind in KINDS:
        assert float(opened.of(kind)[1].sum()) == pytest.approx(opened.losses[kind], rel=1e-3, abs=1e-6)


def test_the_network_is_left_as_it_was(untrained):
    view = scenes.render(scenes.sample(0), 224)
    module, sampler = untrained.module, untrained.module.rpn.fg_bg_sampler
    state = {key: value.clone() for key, value in module.state_dict().items()}
    open_losses(untrained, view.image, view.instances)
    assert module.rpn.fg_bg_sampler is sampler and not any(child.training for child in module.modules())
    assert all(torch.equal(value, state[key]) for key, value in module.state_dict().items())
    assert not module.roi_heads.box_roi_pool._forward_pre_hooks
