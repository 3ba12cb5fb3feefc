"""The interfaces around networks for photographs, with stand-ins so small that every number is known."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.ops import batched_nms

from models.networks import published as pretrained_networks
from models.networks.published import PretrainedClassifier, PretrainedDetector, PretrainedSegmenter, TopClasses

CPU = torch.device("cpu")
CARD = {"classes": ["background", "cat", "dog"], "keypoint_names": ["nose", "ear"]}


def shown_at(resized: int, side: int):
    """torchvision's preset: resize the shorter side, cut the middle out."""
    return SimpleNamespace(resize_size=[resized], crop_size=[side])


@pytest.mark.parametrize(
    ("height", "width", "resized", "side", "window"),
    [
        (224, 224, 232, 224, (4 * 224 / 232, 4 * 224 / 232, 228 * 224 / 232, 228 * 224 / 232)),
        (256, 256, 256, 224, (16, 16, 240, 240)),
        (256, 512, 256, 224, (144, 16, 368, 240)),
        (512, 256, 256, 224, (16, 144, 240, 368)),
        # the longer side becomes 310 (310.7 cut off): from 43 to 267 of 310
        (224, 300, 232, 224, (43 * 300 / 310, 4 * 224 / 232, 267 * 300 / 310, 228 * 224 / 232)),
        # 299: (299 - 224) / 2 = 37.5 goes to the even 38, 297: 36.5 to the even 36
        (256, 299, 256, 224, (38, 16, 262, 240)),
        (256, 297, 256, 224, (36, 16, 260, 240)),
        (100, 100, 64, 63, (0, 0, 63 * 100 / 64, 63 * 100 / 64)),  # .5 to the even 0
        (100, 100, 66, 63, (2 * 100 / 66, 2 * 100 / 66, 65 * 100 / 66, 65 * 100 / 66)),  # 1.5 to the even 2
    ],
)
def test_the_window_is_what_the_preset_cuts_out(height, width, resized, side, window):
    network = PretrainedClassifier("x", nn.Identity(), CPU, CARD, shown_at(resized, side))
    assert network.window(height, width) == pytest.approx(window, abs=1e-9)


def test_the_best_classes_come_first_and_no_more_than_there_are():
    names = ("a", "b", "c", "d", "e", "f", "g")
    probabilities = torch.tensor([0.05, 0.3, 0.1, 0.25, 0.04, 0.2, 0.06])
    result = TopClasses(probabilities.log(), probabilities, names, 0.1, "cpu")
    assert [name for name, _ in result.top()] == ["b", "d", "f", "c", "g"]
    assert result.top(2) == [("b", pytest.approx(0.3)), ("d", pytest.approx(0.25))]
    assert len(result.top(20)) == 7


class Lines(nn.Module):
    """Logits: what the picture holds at its first pixel."""

    def forward(self, x):
        return x[:, :, 0, 0]


def test_a_classifier_gives_logits_and_their_softmax(monkeypatch):
    network = PretrainedClassifier("x", Lines(), CPU, CARD, lambda pixels: pixels.float())
    assert network.seconds is None and network.classes == ("background", "cat", "dog")
    assert network.keypoint_names == ("nose", "ear") and (network.name, network.device) == ("x", "cpu")
    times = iter([10.0, 10.25])
    monkeypatch.setattr(pretrained_networks, "perf_counter", lambda: next(times))
    result = network(np.full((4, 4, 3), (1, 2, 3), np.uint8))
    assert result.logits.tolist() == [1, 2, 3] and result.logits.dtype == torch.float32
    assert result.probabilities.tolist() == pytest.approx([0.0900306, 0.2447285, 0.6652410], abs=1e-6)
    assert result.seconds == network.seconds == 0.25


def test_a_picture_is_given_channels_first():
    network = PretrainedClassifier("x", nn.Identity(), CPU, CARD, lambda pixels: pixels)
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    given = network.tensor(image)
    assert given.shape == (3, 2, 4) and given[:, 1, 2].tolist() == image[1, 2].tolist()
    assert torch.equal(network.tensor(image[:, ::-1]), given.flip(-1))  # a view of an array will do


class OneStage(nn.Module):
    """Boxes that it was made with, above its own threshold, after its own NMS, as torchvision's one-stage detectors."""

    def __init__(self, **more):
        super().__init__()
        self.nms_thresh, self.score_thresh, self.detections_per_img = 0.5, 0.3, 2
        self.boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10], [20, 20, 30, 30], [40, 0, 50, 9]])
        self.labels, self.scores = torch.tensor([2, 2, 1, 2, 1]), torch.tensor([0.9, 0.8, 0.7, 0.06, 0.05])
        self.more = more

    def forward(self, images):
        keep = self.scores > self.score_thresh
        boxes, labels, scores = self.boxes[keep], self.labels[keep], self.scores[keep]
        kept = batched_nms(boxes, scores, labels, self.nms_thresh)[: self.detections_per_img]
        return [{"boxes": boxes[kept], "labels": labels[kept], "scores": scores[kept], **self.more}]


class TwoStages(nn.Module):
    """The same with heads: one for masks, one for keypoints."""

    def __init__(self):
        super().__init__()
        self.roi_heads = OneStage()
        self.roi_heads.mask_roi_pool, self.roi_heads.keypoint_roi_pool = nn.Identity(), nn.Identity()

    def forward(self, images):
        (found,) = self.roi_heads(images)
        count = len(found["boxes"])
        if self.roi_heads.mask_roi_pool is not None:
            found["masks"] = torch.full((count, 1, 4, 4), 0.25)
        if self.roi_heads.keypoint_roi_pool is not None:
            found["keypoints"], found["keypoints_scores"] = torch.ones(count, 2, 3), torch.full((count, 2), 0.75)
        return [found]


IMAGE = np.zeros((4, 4, 3), np.uint8)


@pytest.mark.parametrize("build", [OneStage, TwoStages])
def test_before_nms_come_all_boxes_above_the_lowest_score(build):
    network = PretrainedDetector("x", build(), CPU, CARD, lambda pixels: pixels.float())
    assert network.own_nms == 0.5
    final = network(IMAGE)
    assert final.scores.tolist() == pytest.approx([0.9, 0.7]) and final.names == ["dog", "cat"]
    raw = network.before_nms(IMAGE)  # even boxes that are the same; .05 is not above .05
    assert raw.scores.tolist() == pytest.approx([0.9, 0.8, 0.7, 0.06]) and raw.labels.tolist() == [2, 2, 1, 2]
    assert raw.boxes.tolist() == OneStage().boxes[:4].tolist()
    assert raw.masks is None and raw.keypoints is None and raw.keypoint_scores is None
    assert network.before_nms(IMAGE, 0.04).scores.tolist() == pytest.approx([0.9, 0.8, 0.7, 0.06, 0.05])
    assert network(IMAGE).scores.tolist() == final.scores.tolist()  # its own settings are as before


def test_no_photograph_has_more_raw_boxes_than_are_kept():
    module = OneStage()
    count = 5_000
    corners = torch.arange(count).float()[:, None] * 2
    module.boxes = torch.cat([corners, corners, corners + 1, corners + 1], 1)
    module.labels, module.scores = torch.ones(count, dtype=torch.int64), torch.linspace(0.1, 0.9, count)
    assert len(PretrainedDetector("x", module, CPU, CARD, lambda p: p.float()).before_nms(IMAGE).boxes) == count
    assert pretrained_networks.MOST_RAW == 100_000


@pytest.mark.parametrize("masks", [True, False])
@pytest.mark.parametrize("keypoints", [True, False])
def test_heads_run_where_they_are_asked_for(masks, keypoints):
    network = PretrainedDetector("x", TwoStages(), CPU, CARD, lambda pixels: pixels.float())
    found = network(IMAGE, masks=masks, keypoints=keypoints)
    assert (found.masks is not None, found.keypoints is not None) == (masks, keypoints)
    assert (found.keypoint_scores is not None) == keypoints
    if masks:
        assert found.masks.shape == (2, 4, 4) and found.masks.unique().tolist() == [0.25]
    if keypoints:
        assert found.keypoints.shape == (2, 2, 3) and found.keypoint_scores.unique().tolist() == [0.75]
    assert network(IMAGE).masks is not None and network(IMAGE).keypoints is not None  # both by default


class Halves(nn.Module):
    """Two classes at two positions: left the first, right the second."""

    def forward(self, x):
        return {"out": torch.tensor([[[[4.0, 0.0]], [[0.0, 4.0]], [[-8.0, 3.0]]]])}


def test_a_segmenter_enlarges_its_logits_and_takes_the_largest():
    network = PretrainedSegmenter("x", Halves(), CPU, CARD, lambda pixels: pixels.float())
    result = network(np.zeros((2, 4, 3), np.uint8))
    assert result.logits[0].tolist() == [[4, 3, 1, 0]] * 2  # bilinear between the centres of the cells
    assert result.logits[1].tolist() == [[0, 1, 3, 4]] * 2
    assert result.labels.tolist() == [[0, 0, 1, 1]] * 2 and result.labels.dtype == np.uint8
    assert result.classes == ("background", "cat", "dog")
