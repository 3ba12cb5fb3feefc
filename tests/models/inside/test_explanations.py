import pytest
import torch

from models.inside import attribution, explanations, saliency
from models.inside.explanations import METHODS, OCCLUSION, explain
from models.networks.classifier import Classifier, LoadedClassifier
from scenes import render_image, sample

DOG = 2


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(5)
    return LoadedClassifier("untrained", Classifier("average", 8).eval(), torch.device("cpu"), {})


@pytest.fixture(scope="module")
def picture():
    return render_image(sample(7), 224)


@pytest.mark.parametrize("method", METHODS)
def test_every_map_has_the_size_of_the_picture_and_says_something(model, picture, method):
    heat = explain(model, picture, DOG, method)
    assert heat.shape == (224, 224) and heat.dtype == torch.float32 and not heat.requires_grad
    assert torch.isfinite(heat).all() and heat.min() < heat.max()
    assert (heat.min() < 0) == (method in ("gradient × input", "integrated gradients", OCCLUSION, attribution.GRAD_CAM))


def test_a_map_is_the_one_of_its_own_module(model, picture):
    assert torch.equal(explain(model, picture, DOG, "gradient"), saliency.saliency(model, picture, DOG, "gradient"))
    assert torch.equal(explain(model, picture, DOG, OCCLUSION), attribution.attribute(model, picture, DOG, OCCLUSION))
    seen = model(picture)
    cam = torch.einsum("k,kyx->yx", seen.weights[DOG], seen.features) / seen.features[0].numel()
    torch.testing.assert_close(
        explain(model, picture, DOG, attribution.GRAD_CAM), attribution.enlarged(cam, (224, 224)), rtol=1e-3, atol=1e-6
    )


def test_an_unknown_method_is_refused(model, picture):
    with pytest.raises(ValueError, match="There is no method 'tea leaves': choose one of gradient"):
        explanations.explain(model, picture, DOG, "tea leaves")
