"""How SPP-net learns: labels by the paper's rules, SVMs equal to scikit-learn's, negatives that are hard."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.svm import LinearSVC

from labs import box_regression, region_svm
from models.networks.spp import LENGTH
from models.recipes.scene_cache import InstanceRecord
from models.recipes.spp import (
    Examples,
    Recipe,
    build,
    fit_regressors,
    fit_svms,
    gathered,
    label_matrix,
    mined,
    pooled,
    scene_of,
    svms,
)  # fmt: skip
from models.recipes.trunk_features import TrunkFeatures
from scenes import THINGS

CAR = THINGS.index("car")
SMALL = Recipe(scenes=2, negatives=3, mined=2, hardest=1, near=2)
FOUND = [np.array([[8.0, 8, 60, 60], [10, 12, 60, 62], [100, 100, 220, 220], [150, 10, 200, 50], [0, 150, 90, 224]],
                  np.float32)] * 2  # fmt: skip


@pytest.fixture(scope="module")
def seen() -> TrunkFeatures:
    """Random maps of two scenes with a car at 8, 8, 60, 60."""
    maps = np.random.default_rng(0).normal(size=(2, 2, 64, 28, 28)).astype(np.float16)
    car = InstanceRecord(1, CAR + 1, [8.0, 8, 60, 60], 1.0, [])
    return TrunkFeatures({"P3": maps}, [[car], [car]])


def test_a_true_box_is_positive_what_overlaps_is_left_out_the_rest_negative(seen):
    labels = label_matrix(torch.from_numpy(FOUND[0]), seen.truth(0, False))
    assert labels[:, CAR].tolist() == [1, 0, -1, -1, -1]
    others = [k for k in range(len(THINGS)) if k != CAR]
    assert (labels[:, others] == -1).all()


def test_every_second_scene_is_mirrored_map_regions_and_truth(seen):
    features, boxes, truth = scene_of(seen, FOUND, 1, SMALL)
    assert torch.equal(features, torch.from_numpy(seen.levels["P3"][1, 1]).float())
    assert boxes[0].tolist() == [164, 8, 216, 60] and truth["boxes"].tolist() == [[164, 8, 216, 60]]
    features, boxes, truth = scene_of(seen, FOUND, 0, SMALL)
    assert torch.equal(features, torch.from_numpy(seen.levels["P3"][0, 0]).float())
    assert boxes[0].tolist() == [8, 8, 60, 60] and truth["boxes"].tolist() == [[8, 8, 60, 60]]


def test_examples_are_the_truths_and_regions_far_from_them(seen):
    examples, near, transforms, classes = gathered(seen, FOUND, SMALL)
    assert examples.vectors.shape == (2 * (1 + 3), LENGTH)
    assert examples.labels[:, CAR].tolist() == [1, -1, -1, -1] * 2
    assert torch.equal(examples.vectors[0], pooled(*scene_of(seen, FOUND, 0, SMALL)[:2])[0])
    assert len(near) == len(transforms) == 4 and (classes == CAR + 1).all()
    sides = sorted(float(t.abs().sum()) for t in transforms)
    assert sides[0] == sides[1] == 0 and sides[2] > 0  # one of the two regions is the car's own box


def test_the_svms_are_those_of_scikit_learn():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 12)).astype(np.float32)
    labels = np.where(x @ rng.normal(size=(12, 3)) + 0.3 * rng.normal(size=(200, 3)) > 0.5, 1, -1)
    labels[:50, 1] = 0  # left out of the second
    weights, bias = svms(torch.from_numpy(x), torch.from_numpy(labels), 0.1, (torch.zeros(3, 12), torch.zeros(3)))
    for k in range(3):
        asked = labels[:, k] != 0
        theirs = LinearSVC(C=0.1, tol=1e-6, max_iter=20000, random_state=0).fit(x[asked], labels[asked, k])
        np.testing.assert_allclose(weights[k], theirs.coef_[0], atol=5e-3)
        np.testing.assert_allclose(bias[k], theirs.intercept_[0], atol=5e-3)


def test_hard_negatives_are_the_wrongest_of_each_class(seen):
    module = build("spp")
    torch.nn.init.zeros_(module.svm.weight)
    torch.nn.init.constant_(module.svm.bias, -5.0)  # beyond the margin: nothing is hard
    assert all(len(each.vectors) == 0 for each in mined(module, seen, FOUND, SMALL))
    torch.nn.init.normal_(module.svm.weight[CAR], std=0.1)
    torch.nn.init.zeros_(module.svm.bias[CAR : CAR + 1])
    for scene, each in enumerate(mined(module, seen, FOUND, SMALL)):
        features, boxes, truth = scene_of(seen, FOUND, scene, SMALL)
        vectors, labels = pooled(features, boxes), label_matrix(boxes, truth)
        with torch.inference_mode():
            hard = region_svm.hard(module(vectors)[0][:, CAR], labels[:, CAR])
        assert torch.equal(each.vectors, vectors[hard[:1]])


def test_svms_and_regressors_find_their_places_in_the_network():
    rng = torch.Generator().manual_seed(0)
    vectors = torch.randn(60, LENGTH, generator=rng)
    labels = torch.full((60, len(THINGS)), -1)
    labels[:6, CAR] = 1
    module = build("spp")
    recipe = replace(SMALL, C=1.0)
    fit_svms(module, Examples(vectors, labels), recipe)
    classes = torch.arange(60) % len(THINGS) + 1
    transforms = torch.randn(60, 4, generator=rng)
    fit_regressors(module, vectors, transforms, classes, recipe)
    with torch.inference_mode():
        margins, moves = module(vectors)
    assert ((margins[:, CAR] > 0) == (labels[:, CAR] > 0)).all()
    own = classes == CAR + 1
    theirs = box_regression.ridge(vectors[own].double(), transforms[own].double(), recipe.penalty)
    torch.testing.assert_close(moves[own][:, CAR].double(), theirs(vectors[own].double()), atol=1e-4, rtol=1e-3)
