"""The dense captioner: its sentences are steps of its speaker, its looks are shares, and the detector stays."""

import math

import numpy as np
import pytest
import torch

import scenes
from labs import caption_decoding
from models import catalog
from models.networks.caption_words import END, LONGEST, START, WORDS, sentence, tokens
from models.networks.densecap import DenseCaptioner, LoadedDensecap, cut, placed, widened
from scenes import THINGS, things


@pytest.fixture(scope="module")
def network() -> LoadedDensecap:
    """Untrained, but with a word that ends sentences now and then."""
    torch.manual_seed(3)
    module = DenseCaptioner().eval()
    with torch.no_grad():
        module.speaker.say.weight.mul_(20)
        module.speaker.say.bias[END] += 1.5
    return LoadedDensecap("densecap", module, torch.device("cpu"), {})


@pytest.fixture(scope="module")
def seen(network):
    return network(scenes.render(scenes.sample(7)).image)


BOXES = torch.tensor([[20.0, 30, 90, 150], [100.0, 60, 220, 140], [0.0, 0, 224, 224]])


def test_greedy_of_many_regions_is_that_of_the_lab_of_each(network, seen):
    together = network.greedy(network.regions(seen, BOXES))
    for box, caption in zip(BOXES, together, strict=True):
        alone = network.regions(seen, box[None])
        wanted = caption_decoding.greedy(network.step(alone), END, LONGEST)
        assert caption.words == wanted.words
        assert sum(caption.log_probabilities) == pytest.approx(wanted.log_probability, abs=1e-3)
        again = network.caption(alone, wanted.words)
        assert again.log_probabilities == pytest.approx(caption.log_probabilities, abs=1e-4)
        torch.testing.assert_close(again.looks, caption.looks, atol=1e-4, rtol=1e-3)
        assert caption.looks.shape == (len(caption.words), 7, 7)
        torch.testing.assert_close(caption.looks.sum((1, 2)), torch.ones(len(caption.words)))
        assert caption.mean == pytest.approx(math.exp(np.mean(caption.log_probabilities)))


def test_a_step_may_begin_anywhere(network, seen):
    regions = network.regions(seen, BOXES[:1])
    said = tuple(tokens("A black cat"))
    fresh = network.step(regions)(said)
    torch.testing.assert_close(fresh, network.follow(regions, said)[0][-1], atol=1e-5, rtol=1e-4)
    assert float(fresh.exp().sum()) == pytest.approx(1, abs=1e-4)


def test_the_gradient_is_that_of_finite_differences(network, seen):
    said = tuple(tokens("A black cat."))
    counted = network.gradient(seen, BOXES[0], said, 2)
    speaker = network.speaker
    with torch.no_grad():
        read = speaker.read(*cut(seen.finest, seen.pixels, [BOXES[:1]]))
        where = placed(seen.pixels, [BOXES[:1]])

        def log_p(values: torch.Tensor) -> float:
            logits, _, _ = speaker(speaker.regions(values, where), torch.tensor([[START, *said[:2]]]))
            return float(logits[0, -1].double().log_softmax(-1)[said[2]])

        row, column = divmod(int(counted.argmax()), 14)
        more, less = read.clone(), read.clone()
        more[0, :, row, column] *= 1.01  # along what was read, the slope is their product
        less[0, :, row, column] *= 0.99
        wanted = abs(log_p(more) - log_p(less)) / 0.02
    assert counted.shape == (14, 14) and float(counted[row, column]) == pytest.approx(wanted, rel=0.1)
    assert all(parameter.grad is None for parameter in network.module.parameters())


def test_regions_are_proposed_best_first_and_apart(network, seen):
    boxes, scores = network.proposed(seen, overlap=0.3, least=0.0)
    assert len(boxes) == len(scores) <= 40 and bool((scores.diff() <= 0).all())
    one, other = boxes[:, None], boxes[None]
    common = (torch.minimum(one[..., 2:], other[..., 2:]) - torch.maximum(one[..., :2], other[..., :2])).clamp(min=0)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    iou = common.prod(-1) / (area[:, None] + area[None] - common.prod(-1))
    assert float((iou - torch.eye(len(boxes))).max()) <= 0.3 + 1e-5
    nothing, _ = network.proposed(seen, least=1.1)
    assert nothing.shape == (0, 4)


def test_a_region_is_read_a_little_wider_and_in_its_own_pixels(network, seen):
    wider = widened(torch.tensor([[10.0, 20, 110, 60]]))
    torch.testing.assert_close(wider, torch.tensor([[-5.0, 14, 125, 66]]))
    image = scenes.render(scenes.sample(7)).image
    large = network(np.repeat(np.repeat(image, 2, axis=0), 2, axis=1))
    assert large.scale.tolist() == [0.5] * 4
    there, here = network.regions(large, 2 * BOXES[:1]).read, network.regions(seen, BOXES[:2]).read
    assert float((there[0] - here[0]).abs().mean()) < float((there[0] - here[1]).abs().mean()) / 3


def test_the_detector_is_borrowed_whole():
    assert catalog.BORROWED["densecap"] == ("detector", "detector", "")
    if "densecap" in catalog.shipped():
        ours, theirs = catalog.load("densecap").module.detector, catalog.load("detector").module
        for key, value in theirs.state_dict().items():
            torch.testing.assert_close(ours.state_dict()[key], value)
        assert (catalog.WEIGHTS / "densecap.safetensors").stat().st_size < 1_300_000


def test_every_sentence_of_lab_world_has_its_words_and_comes_back():
    rng = np.random.default_rng(5)
    for label in THINGS:
        module = things.MODULES[label]
        for _ in range(300):
            phrase = module.phrase(module.sample(rng)) + " on the grass, partly hidden behind a tree."
            said = phrase[0].upper() + phrase[1:]
            numbers = tokens(said)
            assert sentence(numbers) == said and numbers[-1] == END and numbers.count(END) == 1
            assert len(numbers) + 8 <= LONGEST and START not in numbers
    assert len(set(WORDS)) == len(WORDS)
    with pytest.raises(ValueError, match="no word “zebra”"):
        tokens("A zebra on the road.")
