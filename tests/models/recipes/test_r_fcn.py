"""R-FCN's recipe: trunk and RPN stay those of the detector, a stopped training goes on, and the figures are COCO's."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.networks import rcnn_taps
from models.networks.r_fcn import pool_of
from models.recipes import r_fcn
from models.recipes.trunk_features import KEPT

BOX, LABEL = [60.0, 60.0, 130.0, 140.0], 3  # of the thing in each scene of `features`


@pytest.fixture
def small(monkeypatch, features) -> None:
    """Three scenes with one thing each, whose features are noise, and a recipe of four steps."""
    recipe = replace(r_fcn.Recipe(), steps=4, batch=2, scenes=3)
    monkeypatch.setattr(r_fcn, "Recipe", lambda: recipe)
    monkeypatch.setattr(r_fcn, "trunk_features", lambda detector, count: features)
    monkeypatch.setattr(r_fcn.training, "CHECKPOINT_EVERY", 2)


def test_a_stopped_training_goes_on_and_trunk_and_rpn_stay(small, start, tmp_path):
    cpu, seen = torch.device("cpu"), []
    whole, facts = r_fcn.train("r-fcn", cpu, tmp_path / "a", lambda step, steps, loss: seen.append((step, loss)), start)

    def stop(step: int, _steps: int, _loss: float) -> None:
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        r_fcn.train("r-fcn", cpu, tmp_path / "b", stop, start)
    resumed, _ = r_fcn.train("r-fcn", cpu, tmp_path / "b", lambda *_: None, start)
    for key, value in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[key], value, atol=1e-5, rtol=1e-4)
    assert [step for step, _ in seen] == [1, 2, 3, 4] and all(np.isfinite(loss) for _, loss in seen)
    for part in ("backbone", "rpn"):
        theirs = start.module.get_submodule(part).state_dict()
        ours = whole.get_submodule(part).state_dict()
        assert theirs.keys() == ours.keys() and all(torch.equal(ours[key], theirs[key]) for key in theirs)
    torch.manual_seed(0)
    fresh = pool_of(r_fcn.build("r-fcn")).state_dict()
    assert not torch.equal(fresh["score_maps.mix.weight"], pool_of(whole).state_dict()["score_maps.mix.weight"])
    assert facts["recipe"]["trunk"] == "detector" and not whole.training


def test_the_loss_is_that_of_the_votes_of_the_regions(start):
    """By hand: cross-entropy of all regions, and smooth L1 of those with a thing, over the number of all."""
    torch.manual_seed(0)
    module = r_fcn.build("r-fcn").eval()
    torch.nn.init.normal_(pool_of(module).score_maps.maps.weight, std=0.3)
    features = {name: torch.randn(1, 64, 56 // 2**i, 56 // 2**i) for i, name in enumerate(KEPT)}
    target = {"boxes": torch.tensor([BOX]), "labels": torch.tensor([LABEL])}
    proposals = torch.tensor([[58.0, 60, 131, 141], [0.0, 0, 30, 30], [190.0, 150, 220, 200]])
    loss = r_fcn.region_loss(module, features, [proposals], [target])
    every = torch.cat([proposals, target["boxes"]])  # the truth is a proposal too
    with torch.no_grad():
        heads = rcnn_taps.heads_of(module)
        votes = heads.box_head(heads.box_roi_pool(features, [every], [(224, 224)]))
    labels = torch.tensor([LABEL, 0, 0, LABEL])
    wanted = heads.box_coder.encode([target["boxes"].expand(2, 4)], [every[[0, 3]]])[0]
    by_hand = torch.nn.functional.cross_entropy(votes[:, :9], labels) + (
        torch.nn.functional.smooth_l1_loss(votes[[0, 3], 9:], wanted, beta=1 / 9, reduction="sum") / 4
    )
    torch.testing.assert_close(loss.detach(), by_hand)


def test_picks_follow_the_step_alone():
    recipe = r_fcn.Recipe()
    assert r_fcn.picks(recipe, 3000, 7) == r_fcn.picks(recipe, 3000, 7) != r_fcn.picks(recipe, 3000, 8)
    scenes, mirrored = r_fcn.picks(recipe, 3000, 0)
    assert len(set(scenes)) == len(mirrored) == recipe.batch and max(scenes) < 3000
