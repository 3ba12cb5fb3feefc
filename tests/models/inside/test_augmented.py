"""Augmented Grad-CAM on a small classifier that was never trained: the plumbing, not the quality."""

import threading

import numpy as np
import pytest
import torch
from skimage import data

import scenes
from labs.augmented_grad_cam import pose, warp_pictures
from labs.super_resolution import primal_dual
from models import catalog
from models.inside import photograph_attribution
from models.inside.attribution import grad_cam_views
from models.inside.augmented import augmented_grad_cam
from models.networks.classifier import FILL, SIZE, Classifier, LoadedClassifier, to_tensor


def loaded(seed: int = 0, stride: int = 16) -> LoadedClassifier:
    torch.manual_seed(seed)
    module = Classifier(stride=stride).eval().requires_grad_(False)
    return LoadedClassifier("untrained", module, torch.device("cpu"), {})


@pytest.fixture(scope="module")
def model():
    return loaded()


@pytest.fixture(scope="module")
def image():
    return scenes.render_image(scenes.sample(7), SIZE)


@pytest.fixture(scope="module")
def found(model, image):
    return augmented_grad_cam(model, image, 1, views=5)


def test_what_comes_back(found, image):
    assert [tuple(part.shape) for part in (found.fine, found.one_map, found.mean_map)] == [(56, 56)] * 3
    assert found.maps.shape == found.believed.shape == (5, 14, 14)
    assert found.views.shape == (5, SIZE, SIZE, 3) and found.views.dtype == np.uint8
    assert np.array_equal(found.views[0], image), "view 0 is untouched"
    assert set(found.seconds) == {"views", "forwards", "solver"} and min(found.seconds.values()) > 0
    assert found.device == "cpu"
    assert (found.maps >= 0).all() and (found.fine >= 0).all()
    assert found.scale == pytest.approx(float(found.maps.max()))


def test_every_map_is_grad_cam_of_its_view(model, image, found):
    pictures = warp_pictures(to_tensor(image), found.warps, FILL)
    assert np.abs(pictures.permute(0, 2, 3, 1).numpy() * 255 - found.views).max() <= 0.501
    expected = grad_cam_views(model, pictures, 1, relu=True)
    assert torch.allclose(found.maps, expected, rtol=1e-3, atol=1e-4 * found.scale)


def test_believed_cells_hold_no_fill(found):
    fill = np.round(255 * np.array(FILL))
    blocks = found.views.reshape(5, 14, 16, 14, 16, 3)
    filled = (np.abs(blocks - fill) <= 1).all(-1).any((2, 4))
    rim = torch.zeros(14, 14, dtype=torch.bool)  # inside, the fill's colour may be the scene's own
    rim[[0, 0, -1, -1], [0, -1, 0, -1]] = True
    assert filled[1:, rim].any(), "no view shows any fill: any mask would pass"
    assert not (filled & found.believed.numpy())[:, rim].any()


def test_the_map_minimises_the_problem_of_the_lab(found):
    posed = pose(found.maps, found.warps)
    again = primal_dual(posed.problem, (posed.mean / posed.scale).numpy())
    assert torch.allclose(found.fine, torch.from_numpy(again.fine) * posed.scale, atol=1e-6 * posed.scale)
    assert found.objectives == pytest.approx(again.objectives)
    assert found.objectives[-1] < found.objectives[0]


def test_a_28_cell_network_works_too(image):
    found = augmented_grad_cam(loaded(stride=8), image, 1, views=2, iterations=3)
    assert found.maps.shape == (2, 28, 28) and found.fine.shape == (56, 56)


def test_no_positive_evidence_gives_zeros(image):
    model = loaded()
    model.module.classify.weight.data.fill_(-1)
    found = augmented_grad_cam(model, image, 0, views=2)
    assert found.scale == 1.0 and not found.fine.any() and not found.mean_map.any()


def test_progress_is_told_to_the_end(model, image):
    told = []
    augmented_grad_cam(model, image, 1, views=18, iterations=4, progress=lambda *what: told.append(what))
    assert told == [("forwards", 16, 18), ("forwards", 18, 18)] + [("solver", k, 4) for k in (1, 2, 3, 4)]


def test_more_lambda_flattens_and_another_seed_turns_otherwise(model, image, found):
    flat = augmented_grad_cam(model, image, 1, views=5, lam=1.0)
    assert flat.fine.diff(dim=0).abs().sum() < 0.5 * found.fine.diff(dim=0).abs().sum()
    other = augmented_grad_cam(model, image, 1, views=5, seed=1, iterations=1)
    assert not torch.equal(other.warps.angles, found.warps.angles)


@pytest.mark.parametrize("wrong", [{"views": 0}, {"angle": 4.0}, {"shift": 200.0}, {"lam": -1.0}, {"target": 8}])
def test_values_out_of_range_are_refused(model, image, wrong):
    with pytest.raises(ValueError):
        augmented_grad_cam(model, image, **({"target": 1, "views": 2} | wrong))


def test_threads_get_what_one_alone_gets(model):
    pictures = [scenes.render_image(scenes.sample(seed), SIZE) for seed in range(4)]
    alone = [augmented_grad_cam(model, picture, 1, views=3, iterations=5).fine for picture in pictures]
    together = [None] * 8

    def work(index):
        together[index] = augmented_grad_cam(model, pictures[index % 4], 1, views=3, iterations=5).fine

    threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(together[index], alone[index % 4]) for index in range(8))
    assert not any(parameter.requires_grad for parameter in model.module.parameters())


def test_a_network_for_photographs_explains_its_window_of_a_photograph():
    network, photograph = catalog.load("efficientnet-lite0"), data.astronaut()
    target = network.classes.index("space shuttle")
    found = augmented_grad_cam(network, photograph, target, views=3)
    assert found.maps.shape == found.believed.shape == (3, 7, 7) and found.fine.shape == (56, 56)
    expected = photograph_attribution.explain(network, photograph, target).grad_cam.clamp(min=0)
    assert torch.allclose(found.maps[0], expected, atol=1e-3 * found.scale)
    assert np.array_equal(found.views[0], network.pixels(network.tensor(photograph)[None])[0])
    turned = network.tensor(found.views[1])[None]  # from the colours on: they are rounded to 256 steps
    again = photograph_attribution.grad_cam_views(network, turned, target)[0]
    assert torch.allclose(found.maps[1], again, atol=0.1 * found.scale)
    corners = found.views[1:, [0, 0, -1, -1], [0, -1, 0, -1]].reshape(-1, 3)
    assert (corners == 127).all(-1).any(), "what lies beyond the picture is the mean colour of the weights"
    row, column = divmod(int(found.fine.argmax()), 56)
    assert row < 28 and column > 35, "the shuttle stands at the upper right"
    posed = pose(found.maps, found.warps)
    again = primal_dual(posed.problem, (posed.mean / posed.scale).numpy())
    assert torch.allclose(found.fine, torch.from_numpy(again.fine) * posed.scale, atol=1e-6 * posed.scale)


def test_the_picture_is_resized_as_the_model_does(model):
    large = scenes.render_image(scenes.sample(7), 2 * SIZE)
    found = augmented_grad_cam(model, large, 1, views=1, iterations=1)
    shown = to_tensor(large).permute(1, 2, 0).numpy() * 255
    assert np.abs(found.views[0] - shown).max() <= 0.5 + 1e-4
