import cv2
import numpy as np
import pytest
import torch
from skimage import data

from models.networks.classifier import FILL, Classifier, LoadedClassifier, normalised, to_tensor
from scenes import THINGS, render_image, sample

BUILDS = [("average", 16), ("max", 16), ("average", 8)]


def loaded(pooling: str, stride: int) -> LoadedClassifier:
    torch.manual_seed(3)
    return LoadedClassifier("untrained", Classifier(pooling, stride).eval(), torch.device("cpu"), {})


@pytest.fixture(scope="module")
def picture():
    return render_image(sample(7), 224)


@pytest.mark.parametrize(("pooling", "stride"), BUILDS)
def test_a_call_returns_what_the_lesson_needs(pooling, stride, picture):
    model = loaded(pooling, stride)
    result = model(picture)
    side = 224 // stride
    assert (model.pooling, model.stride, result.device) == (pooling, stride, "cpu")
    assert result.features.shape == (192 if stride == 16 else 128, side, side)
    assert result.weights.shape == (len(THINGS), len(result.features))
    assert result.features.min() == 0 and result.features.max() > 0
    assert result.features.dtype == result.logits.dtype == torch.float32
    assert torch.equal(result.probabilities, result.logits.sigmoid())
    assert result.seconds > 0
    views = to_tensor(picture)[None]
    torch.testing.assert_close(model.forward_batch(views)[0], result.logits)
    torch.testing.assert_close(model.features_of(views)[0], result.features)


@pytest.mark.parametrize(("pooling", "stride"), BUILDS)
def test_the_score_is_the_mean_of_the_class_activation_map(pooling, stride, picture):
    result = loaded(pooling, stride)(picture)
    maps = torch.einsum("ck,kyx->cyx", result.weights, result.features)
    if pooling == "average":  # no bias: nothing is left over
        torch.testing.assert_close(maps.mean((1, 2)), result.logits, rtol=1e-5, atol=1e-8)
    else:
        torch.testing.assert_close(result.weights @ result.features.amax((1, 2)), result.logits, rtol=1e-5, atol=1e-8)
        assert not torch.allclose(maps.mean((1, 2)), result.logits, rtol=1e-2)


def test_the_first_two_differ_in_the_pooling_alone():
    gap, gmp, larger = (loaded(*build).module.state_dict() for build in BUILDS)
    assert gap.keys() == gmp.keys() and all(torch.equal(gap[key], gmp[key]) for key in gap)
    assert all(torch.equal(gap[key], larger[key]) for key in larger if key != "classify.weight")


def test_other_sizes_are_resized(picture):
    model = loaded("average", 16)
    assert to_tensor(picture).shape == (3, 224, 224)
    assert torch.equal(to_tensor(picture), torch.from_numpy(picture).permute(2, 0, 1) / 255)
    doubled = np.repeat(np.repeat(picture, 2, axis=0), 2, axis=1)
    assert torch.equal(model(doubled).logits, model(picture).logits)  # by area: exactly the picture again
    assert model(data.astronaut()[:300]).features.shape == (192, 14, 14)
    assert model(picture[:, :50]).features.shape == (192, 14, 14)
    assert torch.isfinite(model(picture[::-1, ::-1]).logits).all()  # a view of an array will do


def test_what_a_warped_picture_is_filled_with_counts_as_nothing():
    fill = torch.tensor(FILL).view(1, 3, 1, 1).expand(1, 3, 32, 32)
    assert normalised(fill).abs().max() == 0


def test_wrong_heads_are_refused():
    with pytest.raises(ValueError, match="no pooling 'mean'"):
        Classifier("mean")
    with pytest.raises(ValueError, match="16 or 8, not 32"):
        Classifier("average", 32)


@pytest.mark.parametrize(
    ("height", "width", "rule"),
    [
        (448, 112, cv2.INTER_AREA), (112, 448, cv2.INTER_AREA), (300, 300, cv2.INTER_AREA), (225, 10, cv2.INTER_AREA),
        (224, 100, cv2.INTER_LINEAR), (100, 224, cv2.INTER_LINEAR), (60, 90, cv2.INTER_LINEAR),
    ],
)  # fmt: skip
def test_a_picture_is_resized_by_area_where_its_longer_side_shrinks(height, width, rule):
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    expected = torch.from_numpy(cv2.resize(image, (224, 224), interpolation=rule)).permute(2, 0, 1).float() / 255
    assert torch.equal(to_tensor(image), expected)
