from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from models.networks import rcnn_taps
from models.networks.detector import LoadedDetector, build_detector, targets_of
from models.recipes.detector import MIRRORED_JOINTS, mirrored
from scenes import JOINTS, THINGS, Knobs, render, sample


@pytest.fixture(scope="module")
def detector():
    torch.manual_seed(0)
    return LoadedDetector("detector", build_detector().eval(), torch.device("cpu"), {})


@pytest.fixture(scope="module")
def view():
    return render(sample(3, Knobs(objects=4)))


def test_a_detection_holds_what_the_pages_need(detector, view):
    found = detector(view.image)
    n, p = len(found.boxes), len(found.proposals)
    assert found.labels.shape == found.scores.shape == (n,)
    assert found.masks.shape == (n, 224, 224) and found.keypoints.shape == (n, 14, 3)
    assert found.raw_boxes.shape == (p, len(THINGS), 4) and found.raw_scores.shape == (p, len(THINGS) + 1)
    assert torch.allclose(found.raw_scores.sum(1), torch.ones(p), atol=1e-5)
    assert found.roi_features.shape == (p, 64, 7, 7)
    assert [level.stride for level in found.levels] == [4, 8, 16, 32, 56]
    assert found.seconds > 0 and found.device == "cpu"


def test_heads_that_are_not_asked_for_do_not_run_and_come_back(detector, view):
    found = detector(view.image, masks=False, keypoints=False)
    assert found.masks is None and found.keypoints is None
    assert detector(view.image).masks is not None


def test_another_size_gives_boxes_in_its_own_pixels(detector):
    image = np.random.default_rng(0).integers(0, 256, (448, 448, 3), dtype=np.uint8)
    small = detector(image[::2, ::2].copy())
    large = detector(image)
    assert large.anchors.max() == pytest.approx(2 * small.anchors.max().item())


def test_anchor_labels_are_the_matchers(detector, view):
    found = detector(view.image)
    truth = torch.tensor(np.array([i.box for i in view.instances]))
    labels = detector.label_anchors(found, truth)
    assert set(labels.tolist()) <= {-1, 0, 1} and (labels == 1).sum() >= len(truth)
    from torchvision.ops import box_iou

    best = box_iou(truth.float(), found.anchors).max(0).values
    assert (labels[best >= 0.7] == 1).all()
    assert (labels[(best >= 0.3) & (best < 0.7)] != 0).all()


def test_losses_repeat_and_leave_the_network_as_it_was(detector, view):
    before = {key: value.clone() for key, value in detector.module.state_dict().items()}
    random = torch.get_rng_state()
    first, second = (detector.losses(view.image, view.instances) for _ in range(2))
    assert first == second
    assert set(first) == {
        "loss_objectness", "loss_rpn_box_reg", "loss_classifier", "loss_box_reg", "loss_mask", "loss_keypoint",
    }  # fmt: skip
    assert not any(m.training for m in detector.module.modules())
    assert all(torch.equal(value, before[key]) for key, value in detector.module.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)


def test_losses_of_an_empty_scene_are_finite(detector):
    empty = render(sample(3, Knobs(objects=0)))
    losses = detector.losses(empty.image, empty.instances)
    assert all(np.isfinite(value) for value in losses.values())
    assert losses["loss_rpn_box_reg"] == 0


def test_many_threads_get_what_one_gets(detector):
    images = [render(sample(seed)).image for seed in range(4)]
    alone = [detector(image).raw_scores for image in images]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda i: detector(images[i % 4]).raw_scores, range(12)))
    assert all(torch.allclose(t, alone[i % 4], atol=1e-5) for i, t in enumerate(together))


def test_targets_follow_the_truth(view):
    target = targets_of(view.instances)
    for row, instance in enumerate(view.instances):
        assert THINGS[target["labels"][row] - 1] == instance.label
        assert (target["masks"][row].bool().numpy() == instance.mask).all()
        assert target["boxes"][row].tolist() == instance.box.tolist()
        assert (target["keypoints"][row, :, 2].sum() > 0) == (instance.keypoints is not None)


def test_a_mirrored_target_swaps_left_and_right():
    for index, name in enumerate(JOINTS):
        other = name.replace("left", "*").replace("right", "left").replace("*", "right")
        assert JOINTS[MIRRORED_JOINTS[index]] == other
    person = render(sample(1, Knobs(objects=1, classes=("person",))))
    target = targets_of(person.instances)
    back = mirrored(mirrored(target, 224), 224)
    assert all(torch.allclose(back[key].float(), target[key].float(), atol=1e-4) for key in target)
    once = mirrored(target, 224)
    assert once["boxes"][0, 0] == 224 - target["boxes"][0, 2]


def test_losses_are_those_of_the_seed_zero_whatever_was_drawn_before(detector, view):
    """Which anchors and proposals are sampled is drawn; a page that is shown twice must say the same."""
    torch.manual_seed(11)
    first = detector.losses(view.image, view.instances)
    torch.manual_seed(12)
    assert detector.losses(view.image, view.instances) == first
    with torch.no_grad(), rcnn_taps.training_mode(detector.module), torch.random.fork_rng():
        torch.manual_seed(0)
        image = torch.from_numpy(view.image).permute(2, 0, 1) / 255
        expected = detector.module([image], [targets_of(view.instances)])
    assert first == pytest.approx({name: float(value) for name, value in expected.items()}, rel=1e-5)


def test_the_target_of_an_empty_picture_has_no_rows():
    target = targets_of([])
    assert {key: tuple(value.shape) for key, value in target.items()} == {
        "boxes": (0, 4), "labels": (0,), "masks": (0, 224, 224), "keypoints": (0, 14, 3),
    }  # fmt: skip
