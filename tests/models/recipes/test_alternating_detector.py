"""Alternating training: four steps, what learns in each and what rests, and where it goes on after a stop."""

import pytest
import torch
from torch import nn

from models.recipes import alternating_detector as recipes
from models.recipes import milestones, narrow_detector, training
from models.recipes.scene_cache import cached_scenes

NAME = recipes.NAMES[0]
SMALL = recipes.Recipe(scenes=4, steps=6, shares=(1, 2, 1, 2), batch=2)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECEPTIVE_CACHE", str(tmp_path_factory.mktemp("cache")))
        return cached_scenes(range(50, 54), workers=1)


@pytest.fixture
def small(monkeypatch, scenes):
    """The recipe, six steps long, on four real scenes, with a checkpoint and a milestone after every step."""
    for module in (recipes, milestones):
        monkeypatch.setattr(module, "cached_scenes", lambda _seeds: scenes)
    monkeypatch.setattr(recipes, "Recipe", lambda: SMALL)
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 1)
    monkeypatch.setattr(milestones, "SCENES", 2)
    monkeypatch.setattr(milestones, "EVERY", 1)


def test_it_differs_from_joint_training_in_the_order_alone():
    ours, joint = recipes.Recipe(), narrow_detector.Recipe()
    assert sum(ours.shares) == ours.steps == joint.steps
    for key, value in vars(joint).items():
        assert getattr(ours, key) == value
    start = recipes.fresh(ours).state_dict()
    torch.manual_seed(joint.seed)
    theirs = narrow_detector.build("detector-narrow").state_dict()
    assert all(torch.equal(start[key], theirs[key]) for key in theirs)


def test_a_stopped_training_goes_on_in_its_step_and_the_curve_is_whole(small, tmp_path):
    seen = []

    def stop(step, steps, loss):
        seen.append((step, steps))
        if step == 3 and len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recipes.train(NAME, torch.device("cpu"), tmp_path, stop, None)
    module, facts = recipes.train(NAME, torch.device("cpu"), tmp_path, stop, None)
    assert [step for step, _ in seen] == [1, 2, 3, 3, 4, 5, 6] and {steps for _, steps in seen} == {6}
    assert [stage["steps"] for stage in facts["stages"]] == [1, 2, 1, 2]
    marks = [(point["stage"], point["step"]) for point in facts["curve"]]
    assert marks == [(1, 0), (1, 1), (2, 1), (2, 2), (2, 3), (3, 3), (3, 4), (4, 4), (4, 5), (4, 6)]
    assert all("box_ap50" in point and "loss_classifier" in point for point in facts["curve"] if point["stage"] > 1)
    assert all("box_ap50" not in point and "loss_objectness" in point for point in facts["curve"][:2])
    assert not module.training and all(each.requires_grad for each in module.parameters())
    recipes.build(NAME).load_state_dict(module.state_dict())  # the trunk of step 1 is not in it


def test_what_learns_in_each_step_and_what_rests(small, tmp_path, monkeypatch):
    """The trunk moves in steps 1 and 2, each a trunk of its own; statistics of a frozen trunk rest as well."""
    learned = []

    def watch(part, *args, **kwargs):
        whole = watched[-1]
        before = {key: value.clone() for key, value in whole.state_dict().items()}
        seconds = fit(part, *args, **kwargs)
        moved = {key for key, value in whole.state_dict().items() if not torch.equal(value, before[key])}
        learned.append({key.split(".")[0] + ("*" if ".trunk." in key else "") for key in moved})
        return seconds

    watched, fit, mark = [], training.fit, milestones.Curve.mark

    def remember(self, step, stage, module, *args):
        watched.append(module)
        mark(self, step, stage, module, *args)

    monkeypatch.setattr(training, "fit", watch)
    monkeypatch.setattr(milestones.Curve, "mark", remember)
    recipes.train(NAME, torch.device("cpu"), tmp_path, lambda *_: None, None)
    assert learned == [{"backbone", "rpn"}, {"backbone", "roi_heads"}, {"rpn"}, {"roi_heads"}]


def test_the_losses_of_both_halves_are_those_of_the_whole(scenes):
    """With everything in one network and at rest, the four losses are what torchvision's own forward says."""
    module = recipes.fresh(recipes.Recipe())
    for child in module.modules():
        if isinstance(child, nn.modules.batchnorm._BatchNorm):
            child.eval()
    images, targets, _ = narrow_detector.batch(scenes, SMALL, 0, torch.device("cpu"))
    torch.manual_seed(1)
    whole = module(images, targets)
    torch.manual_seed(1)
    rpn = recipes.rpn_losses(module, images, targets)
    assert set(rpn) == set(milestones.RPN) and all(torch.equal(rpn[key], whole[key]) for key in rpn)
    module.rpn.eval()
    heads = recipes.head_losses(module, images, targets)
    assert set(heads) == set(milestones.HEADS)
    torch.stack(list(heads.values())).sum().backward()
    assert all(each.grad is None for each in module.rpn.parameters()), "the RPN learns nothing from the heads"
    assert all(each.grad is not None for each in module.roi_heads.parameters())


def test_milestones_leave_a_network_as_it_was(small):
    module = recipes.fresh(recipes.Recipe())
    module.rpn.eval()
    modes, state = (
        [child.training for child in module.modules()],
        {k: v.clone() for k, v in module.state_dict().items()},
    )
    first = milestones.measure(module, torch.device("cpu"), milestones.HEADS)
    torch.rand(3)
    assert first == milestones.measure(module, torch.device("cpu"), milestones.HEADS)
    assert set(first) == {*milestones.HEADS, "box_ap50"}
    assert modes == [child.training for child in module.modules()]
    assert all(torch.equal(value, state[key]) for key, value in module.state_dict().items())
