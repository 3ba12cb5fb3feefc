"""The localizer: what a call says adds up, and boxes are in pixels of the picture it was given."""

import numpy as np
import pytest
import torch

from labs import localization
from models import catalog
from models.networks.localizer import FIRST_BOX, HIDDEN, LoadedLocalizer, Localizer
from models.recipes.localizer import NAMES
from scenes import THINGS

trained = pytest.mark.skipif(not set(NAMES) <= set(catalog.shipped()), reason="they have no weights yet")


@pytest.fixture(scope="module")
def network() -> LoadedLocalizer:
    torch.manual_seed(2)
    net = Localizer().eval().requires_grad_(False)
    with torch.no_grad():
        net.heads.box_last.weight.mul_(5)
    return LoadedLocalizer("localizer-joint", net, torch.device("cpu"), {})


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (224, 224, 3), dtype=np.uint8)


def test_a_call_is_the_forward_pass_and_its_last_layers_add_up(network, image):
    said = network(image)
    x = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    scores, numbers = network.module(x)
    torch.testing.assert_close(said.scores, scores[0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(said.numbers, numbers[0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(said.probabilities, scores[0].softmax(0), rtol=1e-4, atol=1e-5)
    for head, values in ((said.class_head, said.scores), (said.box_head, said.numbers)):
        assert head.hidden.shape == (HIDDEN,) and bool((head.hidden >= 0).all())
        for output, value in enumerate(values):
            terms = localization.last_layer(head.hidden, head.weights, head.bias, output)
            assert float(terms.output) == pytest.approx(float(value), abs=1e-5)
    assert said.label == THINGS[int(scores[0].argmax())]


def test_the_box_is_in_pixels_of_the_picture_and_inside_it(network, image):
    wide = np.repeat(image, 2, axis=1)  # its 224x224 is the same but for the way it is shrunk
    said = network(wide)
    expected = localization.to_box(said.numbers, 448, 224)
    torch.testing.assert_close(said.box, localization.inside(expected, 448, 224))
    beyond = LoadedLocalizer("far", Localizer().eval(), torch.device("cpu"), {})
    with torch.no_grad():
        beyond.module.heads.box_last.bias.copy_(torch.tensor([1.0, 0.0, 1.0, 1.0]))
        beyond.module.heads.box_last.weight.zero_()
    assert beyond(image).box.tolist() == [112, 0, 224, 112]


def test_untrained_it_says_a_box_in_the_middle_of_every_picture(image):
    torch.manual_seed(0)
    numbers = Localizer().eval()(torch.zeros(1, 3, 224, 224))[1][0]
    assert numbers.tolist() == pytest.approx(FIRST_BOX, abs=0.2)


def test_where_a_thing_is_does_not_matter_for_the_class_head(network):
    maps = torch.rand(1, 128, 28, 28)
    mixed = maps.flatten(2)[:, :, torch.randperm(784)].reshape(maps.shape)
    (for_class, for_box), (same, other) = network.module.heads.hidden(maps), network.module.heads.hidden(mixed)
    torch.testing.assert_close(for_class, same, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(for_box, other)


@trained
@pytest.mark.parametrize("name", NAMES)
def test_both_are_small(name):
    assert (catalog.WEIGHTS / f"{name}.safetensors").stat().st_size <= 1.5e6
