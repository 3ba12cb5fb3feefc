from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from models import catalog
from models.networks.classifier import FILL
from models.recipes import classifier as classifier_recipe
from models.recipes import training
from models.recipes.classifier import (
    NAMES,
    WAYS,
    Pretraining,
    augmented,
    average_precision,
    cross_entropy,
    pointing_loss,
    present,
    turned,
    turned_back,
)
from models.recipes.scene_cache import InstanceRecord, cached_scenes
from scenes import THINGS, Knobs

SMALL = classifier_recipe.Recipe(
    scenes=4,
    single_scenes=2,
    batch=2,
    small_steps=1,
    small_size=64,
    shared_steps=2,
    steps=1,
    last_steps=2,
    last_batch=2,
)


@pytest.fixture(scope="module")
def scenes_of_both_kinds(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECEPTIVE_CACHE", str(tmp_path_factory.mktemp("cache")))
        return cached_scenes(range(50, 54), workers=1), cached_scenes(range(60, 62), 1, Knobs(objects=1))


@pytest.fixture
def small(monkeypatch, scenes_of_both_kinds):
    """The recipe, three steps long, on six real scenes, with a checkpoint after every step."""
    several, single = scenes_of_both_kinds
    monkeypatch.setattr(classifier_recipe, "Recipe", lambda: SMALL)
    monkeypatch.setattr(
        classifier_recipe, "cached_scenes", lambda seeds, knobs=None: single if knobs == Knobs(objects=1) else several
    )
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 1)


def record(label: str, visible: float) -> InstanceRecord:
    return InstanceRecord(1, THINGS.index(label) + 1, [0, 0, 1, 1], visible, [])


def test_the_catalogue_has_the_three():
    assert set(NAMES) <= set(catalog.names("classification"))
    shapes = {
        name: (catalog.family(name).build(name).pooling, catalog.family(name).build(name).stride) for name in NAMES
    }
    assert shapes == {
        "classifier-gap": ("average", 16), "classifier-gmp": ("max", 16), "classifier-gap-28": ("average", 8)
    }  # fmt: skip


def test_a_stopped_training_goes_on_and_the_three_share_one_trunk(small, tmp_path):
    seen = []

    def stop(step, steps, loss):
        seen.append((step, steps))
        if step == 2:
            raise KeyboardInterrupt

    device = torch.device("cpu")
    with pytest.raises(KeyboardInterrupt):
        classifier_recipe.train("classifier-gap", device, tmp_path / "gap", stop)
    module, facts = classifier_recipe.train("classifier-gap", device, tmp_path / "gap", lambda *s: seen.append(s[:2]))
    assert seen == [(1, 5), (2, 5), (2, 5), (3, 5), (4, 5), (5, 5)]
    assert not module.training and facts["recipe"]["shared_steps"] == 2
    assert all(torch.isfinite(value).all() for value in module.state_dict().values())
    seen.clear()
    larger, _ = classifier_recipe.train("classifier-gap-28", device, tmp_path / "28", lambda *s: seen.append(s[:2]))
    assert seen == [(3, 5), (4, 5), (5, 5)]  # the trunk was there
    assert larger.stride == 8
    assert len(list(tmp_path.glob("classifier-trunk-*"))) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_network_starts_as_the_trunk_and_head_that_were_trained_together(name):
    torch.manual_seed(0)
    together, images = Pretraining().eval(), torch.rand(2, 3, 64, 64)
    targets = torch.tensor([[1.0, 0, 0, 0, 1, 0, 0, torch.nan], [0.0] * 8])
    losses = [cross_entropy(together.classifier(n).eval()(images), targets) for n in NAMES]
    torch.testing.assert_close(together.losses(images, targets), sum(losses))
    assert together.classifier(name)(images).shape == (2, 8)


def test_seven_ways_to_turn_a_square_and_back():
    square = torch.arange(9.0).reshape(3, 3)
    assert turned(square, 1, False).tolist() == [[2, 5, 8], [1, 4, 7], [0, 3, 6]]
    assert turned(square, 0, True).tolist() == [[2, 1, 0], [5, 4, 3], [8, 7, 6]]
    assert turned(square, 1, True).tolist() == [[0, 3, 6], [1, 4, 7], [2, 5, 8]]  # the mirror first
    assert len({tuple(turned(square, *way).flatten().tolist()) for way in WAYS} | {tuple(range(9))}) == 8
    for way in WAYS:
        assert torch.equal(turned_back(turned(square, *way), *way), square)


class Drawn(torch.nn.Module):
    """Stands where a classifier does: the first channel of a picture is its one feature map."""

    pooling = "average"

    def __init__(self, weights: list[float]):
        super().__init__()
        self.classify = torch.nn.Linear(1, 8, bias=False)
        with torch.no_grad():
            self.classify.weight[:, 0] = torch.tensor(weights)

    def features(self, images):
        return images[:, :1]

    def pool(self, features):
        return features.mean((2, 3))


def drawn(picture) -> torch.Tensor:
    return torch.tensor(picture, dtype=torch.float32).expand(1, 3, 2, 2)


def terms(net, images, targets, way, **weights) -> float:
    """What is added to the cross-entropy of the pictures as they are."""
    recipe = replace(SMALL, **{"absent": 0.0, "turned": 0.0, "gathered": 0.0} | weights)
    plain = cross_entropy(net.classify(net.pool(net.features(images[: len(targets)]))), targets)
    return (pointing_loss(net, images, targets, way, recipe) - plain).item()


def test_evidence_for_what_is_not_there_costs_and_evidence_against_it_does_not():
    picture, way = drawn([[4, 0], [0, 0]]), (2, False)
    images, targets = torch.cat([picture, turned(picture, *way)]), torch.tensor([[1.0, 0, 0, 0, 0, 0, 0, torch.nan]])
    net = Drawn([3.0, -3.0, 3.0, 0, 0, 0, 0, 9.0])
    # Of six absent classes one has 12 in one of four cells. What is there costs nothing, nor does what is not judged.
    assert terms(net, images, targets, way, absent=1.0) == pytest.approx(12 / 4 / 6)


def test_a_map_that_does_not_turn_with_the_picture_costs():
    way, targets, net = (0, True), torch.tensor([[1.0] + [0] * 7]), Drawn([2.0] * 8)
    picture = drawn([[1, 0], [0, 0]])
    along, still = torch.cat([picture, turned(picture, *way)]), torch.cat([picture, picture])
    assert terms(net, along, targets, way, turned=0.5) == pytest.approx(0, abs=1e-6)
    # About their means the maps are (3 −1 −1 −1) / 4 and (−1 3 −1 −1) / 4, with a cosine of −4/12.
    assert terms(net, still, targets, way, turned=0.5) == pytest.approx(0.5 * 4 / 3, rel=1e-4)


@pytest.mark.parametrize(
    ("picture", "spread"), [([[5, 0], [0, 0]], 0.25), ([[5, 5], [0, 0]], 0.5), ([[5, -9], [5, 5]], 0.75)]
)
def test_evidence_that_lies_in_many_cells_costs(picture, spread):
    images, targets = torch.cat([drawn(picture)] * 2), torch.tensor([[1.0] + [0] * 7])
    found = terms(Drawn([2.0] * 8), images, targets, (2, False), gathered=1.0)
    assert found == pytest.approx(np.log(spread + 0.001), rel=1e-3)


def test_a_batch_with_everything_or_nothing_in_it_has_a_loss():
    net, images = Drawn([1.0] * 8), torch.rand(2, 3, 4, 4)
    for targets in (torch.ones(1, 8), torch.zeros(1, 8)):
        assert torch.isfinite(pointing_loss(net, images, targets, (1, False), SMALL))


def test_the_larger_map_is_trained_more_gently():
    assert set(classifier_recipe.GENTLER) == {"classifier-gap-28"}
    assert replace(classifier_recipe.Recipe(), **classifier_recipe.GENTLER["classifier-gap-28"]).absent == 0.03


def test_what_is_not_judged_has_no_say_in_the_loss():
    logits = torch.tensor([[2.0, -1.0, 50.0]], requires_grad=True)
    loss = cross_entropy(logits, torch.tensor([[1.0, 0.0, torch.nan]]))
    torch.testing.assert_close(loss, F.softplus(torch.tensor([-2.0, -1.0])).mean())
    loss.backward()
    assert logits.grad[0, 2] == 0 and logits.grad[0, 0] < 0 < logits.grad[0, 1]


def test_a_class_is_present_if_enough_of_one_thing_is_seen():
    truth = present([record("cat", 0.1), record("dog", 0.1), record("dog", 0.9), record("ball", 0.15)], 0.15)
    expected = np.zeros(8)
    expected[[THINGS.index("dog"), THINGS.index("ball")]] = 1
    expected[THINGS.index("cat")] = np.nan
    np.testing.assert_array_equal(truth, expected)
    warped = present([record("dog", 0.9), record("cat", 0.5), record("duck", 1)], 0.15, np.array([0.1, 0.5, 0]))
    assert np.isnan(warped[THINGS.index("dog")]) and warped[THINGS.index("cat")] == 1 and warped.sum() != warped.sum()
    assert warped[THINGS.index("duck")] == 0  # shifted out of the picture


@given(st.lists(st.tuples(st.integers(0, 50), st.sampled_from([0.0, 1.0, np.nan])), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_average_precision_is_the_mean_precision_at_the_hits(rows):
    scores = np.array([score + 0.001 * row for row, (score, _) in enumerate(rows)])
    targets = np.array([target for _, target in rows])
    hits = []
    for score in scores[targets == 1]:
        above = targets[scores >= score]
        hits.append((above == 1).sum() / (~np.isnan(above)).sum())
    expected = np.mean(hits) if hits else np.nan
    assert average_precision(scores, targets) == pytest.approx(expected, nan_ok=True)


def test_average_precision_of_a_worked_example():
    # Hits at ranks 1 and 3: (1 + 2/3) / 2. The unjudged picture at rank 2 is left out of the count.
    scores, targets = np.array([0.9, 0.8, 0.7, 0.6, 0.5]), np.array([1, np.nan, 0, 1, 0])
    assert average_precision(scores, targets) == pytest.approx(5 / 6)


def test_augmented_pictures_are_turned_shifted_filled_and_still_labelled(scenes_of_both_kinds):
    data = scenes_of_both_kinds[0]
    always = replace(SMALL, warped=1.0, brightness=0.0)
    fill = np.round(np.array(FILL) * 255)
    kept = 0
    for seed in range(12):
        image, truth = augmented(data.images[0], data.panoptic[0], data.records[0], always, np.random.default_rng(seed))
        assert image.shape == (224, 224, 3) and image.dtype == np.uint8 and truth.shape == (8,)
        assert 0.005 < (image == fill).all(axis=2).mean() < 0.5
        kept += np.nansum(truth)
    assert 0 < kept <= 12 * np.nansum(present(data.records[0], 0.15))
    never = replace(SMALL, warped=0.0, brightness=0.0)
    plain, truth = augmented(data.images[0], data.panoptic[0], data.records[0], never, np.random.default_rng(0))
    assert (plain == data.images[0]).all() or (plain == data.images[0][:, ::-1]).all()
    np.testing.assert_array_equal(truth, present(data.records[0], 0.15))


def test_a_thing_that_was_shifted_out_is_no_longer_asked_for(scenes_of_both_kinds):
    image = np.zeros((224, 224, 3), np.uint8)
    panoptic = np.zeros((224, 224), np.uint8)
    panoptic[100:124, :8] = 7
    thing = InstanceRecord(7, 1, [0, 100, 8, 124], 1.0, [])
    turn = replace(SMALL, warped=1.0, angle=0.0, shift=30.0)
    answers = []
    for seed in range(20):
        dx = np.random.default_rng(seed).uniform(size=3)  # whether, angle, then the shift to the right
        truth = augmented(image, panoptic, [thing], turn, np.random.default_rng(seed))[1]
        answers.append(truth[0])
        if dx[2] > 0.5:
            assert truth[0] == 1  # to the right: all of it is still there
        elif dx[2] < 0.3:
            assert truth[0] == 0  # more than eight pixels to the left: gone
    assert {0.0, 1.0} <= set(answers)


def test_a_batch_is_a_function_of_its_step(scenes_of_both_kinds):
    recipe = replace(SMALL, batch=6)
    one, again, other = (classifier_recipe.batch(list(scenes_of_both_kinds), recipe, step) for step in (3, 3, 4))
    assert torch.equal(one[0], again[0]) and torch.equal(one[1].nan_to_num(-1), again[1].nan_to_num(-1))
    assert not torch.equal(one[0], other[0])
    assert one[0].shape == (6, 3, 224, 224) and one[1].shape == (6, 8)


def test_evaluation_reports_the_bars(small):
    torch.manual_seed(0)
    model = classifier_recipe.wrap("classifier-gmp", classifier_recipe.build("classifier-gmp").eval(), "cpu", {})
    seen = []
    metrics = classifier_recipe.evaluate(model, lambda *now: seen.append(now), count=2)
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert 0 < metrics["map_single"] <= 1 and 0 < metrics["map_multi"] <= 1
    assert set(metrics["ap_multi_per_class"]) == set(THINGS) and metrics["forward_ms_p50"] > 0
