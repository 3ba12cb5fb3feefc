"""The window networks: one pass gives what every crop gives alone, and windows lie in pixels of the picture."""

import numpy as np
import pytest
import torch

from labs import boxes as box_lab
from labs import nms, sliding_window
from models.networks.window import LoadedWindow, WindowNetwork, resized, to_tensor
from scenes import Knobs, render, sample


def loaded(box: bool = False) -> LoadedWindow:
    torch.manual_seed(0)
    module = WindowNetwork(box).eval().requires_grad_(False)
    last = module.layers[5]
    torch.nn.init.normal_(last.weight, std=1.0)  # answers that differ from window to window
    return LoadedWindow("window", module, torch.device("cpu"), {})


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return render(sample(3, Knobs(objects=4))).image


def test_it_has_exactly_the_layers_of_the_lectures():
    weights = [tuple(each.shape) for each in WindowNetwork().parameters() if each.ndim == 4]
    assert weights == [(4, 3, 5, 5), (100, 4, 6, 6), (4, 100, 1, 1)]
    assert tuple(WindowNetwork(box=True).layers[5].weight.shape) == (8, 100, 1, 1)


def test_every_window_of_one_pass_is_its_crop_alone(image):
    network = loaded()
    found = network(image, 56)
    assert found.picture.shape == (56, 56, 3) and found.logits.shape == (4, 8, 8)
    torch.testing.assert_close(found.probabilities.sum(0), torch.ones(8, 8))
    for row, column in ((0, 0), (3, 5), (7, 7)):
        crop = found.picture[4 * row : 4 * row + 28, 4 * column : 4 * column + 28]
        torch.testing.assert_close(network.classify(crop), found.logits[:, row, column], atol=1e-4, rtol=1e-4)


def test_windows_lie_in_pixels_of_the_picture_that_was_given(image):
    found = loaded()(image, 112)  # half as large: a window is 56 of its pixels
    assert found.windows[0, 0].tolist() == [0, 0, 56, 56] and found.windows[2, 1].tolist() == [8, 16, 64, 72]
    assert loaded()(image).windows[0, 0].tolist() == [0, 0, 28, 28]
    wide = np.repeat(image, 2, axis=1)
    assert loaded()(wide, 56).logits.shape == (4, 8, 22)
    assert loaded()(wide, 56).windows[0, 1].tolist() == [16, 0, 128, 112]


def test_the_box_moves_the_window(image):
    network = loaded(box=True)
    found, raw = network(image, 80), None
    with torch.inference_mode():
        raw = network.module(to_tensor(found.picture)[None])[0, 4:].permute(1, 2, 0)
    torch.testing.assert_close(found.boxes, box_lab.decode(raw, found.windows))
    assert found.logits.shape[0] == 4 and loaded()(image, 80).boxes is None


def test_a_picture_without_room_for_a_window_is_refused(image):
    with pytest.raises(ValueError, match="27 pixels has no room for a window of 28"):
        loaded()(image, 27)
    assert loaded()(image, 28).logits.shape == (4, 1, 1)
    assert resized(image, 224) is image and resized(image[:100], 50).shape == (50, 112, 3)


@pytest.mark.parametrize("move", [True, False])
def test_a_detection_is_nms_over_the_windows_of_all_sizes(image, move):
    network = loaded(box=True)
    found = network.detect(image, sides=(56, 80), threshold=0.4, overlap=0.3, move=move)
    parts = []
    for side in (56, 80):
        seen = network(image, side)
        parts.append(sliding_window.above(seen.probabilities, seen.boxes if move else seen.windows, 0.4))
    boxes, labels, scores = (torch.cat(each) for each in zip(*parts, strict=True))
    boxes = boxes.clamp(0, 224)
    kept = nms.survivors(boxes, scores, 0.3, labels)
    assert len(kept) > 0 and torch.equal(found.boxes, boxes[kept]) and torch.equal(found.labels, labels[kept])
    assert torch.equal(found.scores, scores[kept]) and found.labels.max() < 3
    assert (network.detect(image, (56,), move=True).boxes != network.detect(image, (56,), move=False).boxes[:1]).any()
