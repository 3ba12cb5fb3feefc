"""Saliency methods: against autograd by hand and captum, on a network of each kind, and side by side in threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from captum import attr
from torch import nn

from labs import saliency as lab
from models import catalog
from models.inside import saliency
from models.inside.attribution import replica
from models.inside.saliency import GRADIENT, GUIDED, INPUT, INTEGRATED, METHODS, SMOOTHGRAD
from models.networks.classifier import FILL, Classifier, LoadedClassifier
from models.networks.efficientnet_lite import ReLU6
from scenes import render_image, sample

DOG, LITE = 2, "efficientnet-lite0"


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(5)
    return LoadedClassifier("untrained", Classifier("average", 8).eval(), torch.device("cpu"), {})


@pytest.fixture(scope="module")
def picture():
    return render_image(sample(7), 224)


def by_hand(network, module, x, target):
    """∂S/∂x of pixels 0 to 1 by autograd."""
    x = x[None].clone().requires_grad_()
    seen = x if isinstance(network, LoadedClassifier) else (x * 255 - 127) / 128
    return torch.autograd.grad(module(seen)[0, target], x)[0][0]


def near(ours, theirs):
    """Equal but for a few places: rounding of the picture carries a unit over the corner of its ReLU."""
    assert ours.shape == theirs.shape and float((ours - theirs).norm() / theirs.norm()) < 0.05


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4 * float(theirs.abs().max()))


@pytest.mark.parametrize("name", ["lab", LITE])
def test_the_gradient_is_that_of_pixels_from_0_to_1(name, model, picture):
    network = model if name == "lab" else catalog.load(LITE)
    x = saliency.pixels(network, picture)
    torch.testing.assert_close(x, torch.from_numpy(picture).permute(2, 0, 1) / 255, rtol=0, atol=1e-5)
    with replica(network) as module:
        theirs = by_hand(network, module, x, DOG)
    near(saliency.gradient(network, x, DOG), theirs)
    assert saliency.saliency(network, picture, DOG, GRADIENT).shape == (224, 224)
    near(saliency.saliency(network, picture, DOG, GRADIENT), theirs.abs().amax(0))


def test_scores_and_probabilities_are_those_of_a_call(model, picture):
    for network in (model, catalog.load(LITE)):
        logits = saliency.scores(network, saliency.pixels(network, picture)[None])[0]
        said = network(picture)
        close(logits, said.logits)
        close(saliency.probabilities(network, logits), said.probabilities)


def test_grey_is_what_the_normalisation_makes_zero(model):
    assert saliency.neutral(model).flatten().tolist() == pytest.approx(list(FILL))
    assert saliency.neutral(catalog.load(LITE)).flatten().tolist() == pytest.approx([127 / 255] * 3)


class _Guided(torch.autograd.Function):
    """max(x, 0), which lets only positive gradients back."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, gradient):
        return gradient.clamp(min=0) * (ctx.saved_tensors[0] > 0)


class _Relu(nn.Module):
    def __init__(self, most):
        super().__init__()
        self.most = most

    def forward(self, x):
        return _Guided.apply(x).clamp(max=self.most)


@pytest.mark.parametrize("name", ["lab", LITE])
def test_guided_backpropagation_passes_no_relu_by(name, model, picture):
    """By an autograd function of its own in the place of every ReLU, ReLU6 too, which captum alone would not see."""
    network = model if name == "lab" else catalog.load(LITE)
    x, swapped = saliency.pixels(network, picture), 0
    with replica(network) as module:
        for part in list(module.modules()):
            for child, layer in part.named_children():
                if isinstance(layer, nn.ReLU):
                    setattr(part, child, _Relu(6.0 if isinstance(layer, ReLU6) else float("inf")))
                    swapped += 1
        theirs = by_hand(network, module, x, DOG)
    assert swapped >= 7
    near(saliency.guided_backpropagation(network, x, DOG), theirs)
    near(saliency.saliency(network, picture, DOG, GUIDED), theirs.abs().amax(0))


def test_gradient_x_input_is_captums_once_grey_is_black(model, picture, monkeypatch):
    x = saliency.pixels(model, picture)
    with replica(model) as module:
        theirs = attr.InputXGradient(module).attribute(x[None].requires_grad_(), target=DOG)[0].sum(0).detach()
    monkeypatch.setattr(saliency, "neutral", lambda network: torch.zeros(3, 1, 1))
    close(saliency.saliency(model, picture, DOG, INPUT), theirs)


@pytest.mark.parametrize("steps", [2, 5])
def test_integrated_gradients_are_the_labs_riemann_sum(model, picture, steps):
    x, baseline = saliency.pixels(model, picture), torch.full((3, 1, 1), 0.25)
    found = saliency.integrated_gradients(model, x, DOG, baseline, steps)
    gradients = torch.stack([saliency.gradient(model, at, DOG) for at in lab.straight_path(x, baseline, steps)])
    close(found.heat, lab.integrated_gradients(x, baseline, gradients))
    ends = torch.stack([x, baseline.expand_as(x)])
    assert [found.score, found.start] == pytest.approx(model.forward_batch(ends)[:, DOG].tolist(), abs=1e-6)
    assert found.missing == pytest.approx(found.score - found.start - float(found.heat.sum()), abs=1e-5)


def test_with_many_steps_little_is_missing(model, picture):
    x, baseline = saliency.pixels(model, picture), torch.full((3, 1, 1), 0.25)
    few, many = (saliency.integrated_gradients(model, x, DOG, baseline, n) for n in (2, 32))
    assert abs(many.missing) < 0.2 * abs(few.missing)


def test_one_step_is_refused_in_a_sentence(model, picture):
    x = saliency.pixels(model, picture)
    with pytest.raises(ValueError, match="at least two steps, not 1"):
        saliency.integrated_gradients(model, x, DOG, saliency.neutral(model), 1)


def test_smoothgrad_is_the_mean_of_the_first_copies(model, picture):
    x, copies = saliency.pixels(model, picture), []
    for index, found in zip(range(saliency.SAMPLES), saliency.noisy_gradients(model, x, DOG), strict=False):
        if index < 2:
            close(found, saliency.gradient(model, lab.noisy_copy(x, saliency.DEVIATION, index), DOG))
        copies.append(found)
    close(saliency.saliency(model, picture, DOG, SMOOTHGRAD), torch.stack(copies).mean(0).abs().amax(0))


@pytest.mark.parametrize("value", [0, 124, 255])
@pytest.mark.parametrize("method", METHODS)
def test_a_picture_of_one_colour_has_a_map(model, value, method):
    heat = saliency.saliency(model, np.full((224, 224, 3), value, np.uint8), DOG, method)
    assert heat.shape == (224, 224) and heat.isfinite().all()


def test_a_picture_of_one_pixel_has_a_map(model):
    for network in (model, catalog.load(LITE)):
        assert saliency.saliency(network, np.full((1, 1, 3), 90, np.uint8), DOG).isfinite().all()


def test_another_name_is_refused(model, picture):
    with pytest.raises(ValueError, match="no method 'LIME': choose one of gradient, "):
        saliency.saliency(model, picture, DOG, "LIME")


def test_many_at_once_get_what_one_gets_and_leave_no_trace(model, picture):
    alone = {(method, target): saliency.saliency(model, picture, target, method)
             for method in (GRADIENT, GUIDED, INTEGRATED) for target in (0, DOG)}  # fmt: skip
    with ThreadPoolExecutor(8) as threads:
        jobs = [(key, threads.submit(saliency.saliency, model, picture, key[1], key[0])) for key in list(alone) * 3]
        for key, job in jobs:
            assert torch.equal(job.result(), alone[key]), key
    for part in model.module.modules():
        assert not part._forward_hooks and not part._backward_hooks and not part._forward_pre_hooks
    assert all(p.grad is None for p in model.module.parameters())


@pytest.mark.parametrize("name", ["lab", LITE])
def test_twenty_that_ask_of_different_pictures_at_once_get_what_one_gets(name, model):
    network = model if name == "lab" else catalog.load(LITE)
    asked = [(render_image(sample(seed), 224), (GRADIENT, GUIDED)[seed % 2]) for seed in range(20)]
    alone = [saliency.saliency(network, picture, DOG, method) for picture, method in asked]
    assert not torch.equal(alone[0], alone[2])
    with ThreadPoolExecutor(20) as threads:
        together = threads.map(lambda each: saliency.saliency(network, each[0], DOG, each[1]), asked)
        assert all(map(torch.equal, together, alone))
