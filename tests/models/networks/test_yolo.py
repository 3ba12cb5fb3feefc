from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from labs import yolo_grid
from models.networks.yolo import LoadedYolo, Yolo, target_of
from models.recipes.coco_metrics import Judge
from models.recipes.scene_cache import InstanceRecord
from scenes import THINGS, Knobs, render, sample

ANCHORS = torch.tensor([[19.0, 38.0], [32.0, 25.0], [55.0, 39.0], [38.0, 72.0], [93.0, 64.0]])


@pytest.fixture(scope="module", params=["cell", "anchor"])
def yolo(request):
    torch.manual_seed(0)
    module = Yolo("cell", 3) if request.param == "cell" else Yolo("anchor", 5, ANCHORS)
    torch.nn.init.normal_(module.predict.weight, std=2.0)  # answers that differ from cell to cell
    return LoadedYolo(f"yolo-{request.param}", module.eval(), torch.device("cpu"), {})


@pytest.fixture(scope="module")
def view():
    return render(sample(3, Knobs(objects=4)))


def test_a_detection_holds_what_the_pages_need(yolo, view):
    found = yolo(view.image, threshold=0.002)
    n, b = len(found.boxes), found.predictors
    assert n > 0 and found.labels.shape == found.scores.shape == (n,)
    assert found.labels.min() >= 1 and found.labels.max() <= len(THINGS)
    assert found.raw.shape == (7, 7, yolo_grid.channels(yolo.module.layout, b, len(THINGS)))
    assert found.prediction.boxes.shape == (7, 7, b, 4) and found.prediction.confidence.shape == (7, 7, b)
    assert found.prediction.classes.shape == ((7, 7, 8) if yolo.module.layout == "cell" else (7, 7, b, 8))
    assert found.seconds > 0 and found.device == "cpu"


def test_the_model_decodes_and_detects_with_the_labs_functions(yolo, view):
    found = yolo(view.image, threshold=0.02, overlap=0.4)
    again = yolo_grid.decode(found.raw, found.grid, found.predictors, found.anchors)
    assert torch.equal(again.boxes, found.prediction.boxes)
    boxes, labels, scores = yolo_grid.detect(again, found.grid, 0.02, 0.4)
    assert torch.equal(boxes, found.boxes) and torch.equal(labels, found.labels) and torch.equal(scores, found.scores)


def test_another_size_gives_boxes_in_its_own_pixels(yolo, view):
    wide = np.repeat(np.repeat(view.image, 2, axis=0), 3, axis=1)  # 448 high, 672 wide; shrinks back to the same pixels
    small, large = yolo(view.image), yolo(wide)
    assert torch.allclose(large.raw, small.raw, atol=1e-4)
    expected = small.prediction.boxes * torch.tensor([3.0, 2, 3, 2])
    assert torch.allclose(large.prediction.boxes, expected, atol=0.05)


def test_losses_are_those_of_the_instances_and_repeat(yolo, view):
    first, second = (yolo.losses(view.image, view.instances) for _ in range(2))
    assert torch.equal(first.total, second.total) and first.coordinates.shape == (1, 7, 7)
    target = target_of(view.instances, yolo.grid_of(view.image), yolo.anchors_of(view.image))
    assert first.responsible.sum() == (target.owner >= 0).sum() > 0
    wide = np.repeat(np.repeat(view.image, 2, axis=0), 2, axis=1)
    doubled = [type(i)(**{**vars(i), "box": i.box * 2}) for i in view.instances]
    assert yolo.losses(wide, doubled).total.item() == pytest.approx(first.total.item(), rel=1e-3)


def test_losses_of_an_empty_scene_are_the_no_object_loss(yolo):
    empty = render(sample(3, Knobs(objects=0)))
    losses = yolo.losses(empty.image, empty.instances)
    assert losses.total == losses.no_object_confidence.sum() > 0


def test_many_threads_get_what_one_gets(yolo):
    images = [render(sample(seed)).image for seed in range(3)]
    alone = [yolo(image).raw for image in images]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda i: yolo(images[i % 3]).raw, range(9)))
    assert all(torch.allclose(t, alone[i % 3], atol=1e-5) for i, t in enumerate(together))


def test_an_untrained_network_is_shy():
    torch.manual_seed(0)
    for module in (Yolo("cell", 3), Yolo("anchor", 5)):
        prediction = yolo_grid.decode(
            module.eval()(torch.rand(1, 3, 224, 224)), yolo_grid.Grid(7, 224, 224), 3, module.anchors
        )
        assert prediction.confidence.max() < 0.1
        assert module.eval()(torch.rand(1, 3, 288, 288)).shape[1:3] == (9, 9)


def test_anchors_travel_with_the_weights():
    fresh = Yolo("anchor", 5)
    fresh.load_state_dict(Yolo("anchor", 5, ANCHORS).state_dict())
    assert torch.equal(fresh.anchors, ANCHORS)
    assert "anchors" not in Yolo("cell").state_dict()


def test_the_judge_takes_its_detections(yolo, view):
    found = yolo(view.image)
    truth = view.instances[0]
    object.__setattr__(found, "boxes", torch.tensor(np.array([truth.box])))
    object.__setattr__(found, "labels", torch.tensor([THINGS.index(truth.label) + 1]))
    object.__setattr__(found, "scores", torch.tensor([0.9]))
    judge = Judge()
    record = InstanceRecord(truth.id, int(found.labels[0]), truth.box.tolist(), 1.0, np.zeros((14, 3)).tolist())
    judge.add(found, view.panoptic, [record])
    assert judge.metrics()["box_ap50"] == 1.0
