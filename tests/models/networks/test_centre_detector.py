"""Objects as points: where a map is warm there is a thing, and its box is read off there."""

import numpy as np
import torch

import scenes
from models import catalog
from models.networks.centre_detector import CentreDetector, LoadedCentreDetector, boxes_everywhere, peaks
from scenes import THINGS
from scenes.film import film


def warm(**places: tuple[int, int, int, float]) -> tuple[torch.Tensor, torch.Tensor]:
    """Cold maps of 8 x 8 places, sides 6 pixels away everywhere, and some warm places: class, row, column, heat."""
    heat = torch.zeros(len(THINGS), 8, 8)
    for label, row, column, value in places.values():
        heat[label, row, column] = value
    return heat, torch.full((4, 8, 8), 6.0)


def test_a_peak_is_a_box_around_its_place():
    boxes, labels, scores = peaks(*warm(one=(2, 1, 3, 0.9), beside=(2, 1, 4, 0.8), faint=(0, 6, 6, 0.04)))
    assert labels.tolist() == [3] and scores.tolist() == [np.float32(0.9)], "the neighbour is no peak, the other cold"
    assert boxes.tolist() == [[14 - 6, 6 - 6, 14 + 6, 6 + 6]]
    assert torch.equal(boxes_everywhere(warm()[1][None])[0, :, 1, 3], boxes[0])


def test_two_peaks_of_one_large_thing_are_one_and_two_classes_are_two():
    heat, sides = warm(one=(2, 4, 2, 0.9), again=(2, 4, 4, 0.6), other=(5, 4, 4, 0.5))
    boxes, labels, _ = peaks(heat, 10 * sides)  # 8 pixels apart, 120 wide: IoU 0.875
    assert labels.tolist() == [3, 6] and len(boxes) == 2
    assert peaks(heat, 10 * sides, overlap=0.88)[1].tolist() == [3, 3, 6]
    assert peaks(torch.zeros(8, 8, 8), sides)[0].shape == (0, 4)


def test_a_picture_of_another_size_gets_boxes_of_its_own():
    torch.manual_seed(0)
    network = LoadedCentreDetector("x", CentreDetector().eval(), torch.device("cpu"), {})
    image = scenes.render(scenes.sample(7)).image
    small = network(image, least=0.0)
    large = network(np.repeat(np.repeat(image, 2, axis=0), 3, axis=1), least=0.0)
    assert small.heat.shape == (8, 56, 56) and 0.001 < float(small.heat.mean()) < 0.1, "rare before training"
    torch.testing.assert_close(large.boxes, small.boxes * torch.tensor([3.0, 2, 3, 2]), atol=0.2, rtol=1e-3)
    assert small.boxes.min() >= 0 and small.boxes.max() <= 224 and bool((small.scores.diff() <= 0).all())


def test_the_shipped_one_finds_what_walks_by():
    network, shown = catalog.load("detector-film"), film(80_002)
    said, truth = network(shown.frame(50)), shown.truth(50)
    for each in (one for one in truth if one.visible > 0.6 and min(one.box[2:] - one.box[:2]) > 6):
        low, high = torch.maximum(said.boxes[:, :2], torch.tensor(each.box[:2])), torch.minimum(
            said.boxes[:, 2:], torch.tensor(each.box[2:])
        )  # fmt: skip
        common = (high - low).clamp(min=0).prod(1)
        union = (said.boxes[:, 2:] - said.boxes[:, :2]).prod(1) + np.prod(each.box[2:] - each.box[:2]) - common
        fits = (common / union > 0.5) & (said.labels == THINGS.index(each.label) + 1) & (said.scores > 0.4)
        assert bool(fits.any()), f"{each.label} at {each.box.round()}"
    assert (catalog.WEIGHTS / "detector-film.safetensors").stat().st_size < 2_500_000
