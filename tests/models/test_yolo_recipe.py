import numpy as np
import pytest
import torch

from models import training, yolo_recipe
from models.scene_cache import cached_scenes
from models.yolo_recipe import Recipe, batch_at, mirrored, moved, truth_of

SMALL = Recipe(scenes=4, steps=2, batch=2)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Four real scenes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECEPTIVE_CACHE", str(tmp_path_factory.mktemp("cache")))
        return cached_scenes(range(50, 54), workers=1)


@pytest.fixture
def small(monkeypatch, data):
    """The recipe, two steps long, with a checkpoint after every step."""
    monkeypatch.setattr(yolo_recipe, "Recipe", lambda: SMALL)
    monkeypatch.setattr(yolo_recipe, "cached_scenes", lambda _seeds: data)
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 1)


@pytest.mark.parametrize("name", yolo_recipe.NAMES)
def test_a_stopped_training_goes_on_after_its_checkpoint(small, data, tmp_path, name):
    seen = []

    def stop(step, steps, loss):
        seen.append((step, steps))
        if step == 2:
            raise KeyboardInterrupt

    device = torch.device("cpu")
    with pytest.raises(KeyboardInterrupt):
        yolo_recipe.train(name, device, tmp_path / "net", stop)
    module, facts = yolo_recipe.train(name, device, tmp_path / "net", lambda *now: seen.append(now[:2]))
    assert seen == [(1, 2), (2, 2), (2, 2)]
    assert not module.training and facts["recipe"]["steps"] == 2
    assert all(torch.isfinite(value).all() for value in module.state_dict().values())
    if name == "yolo-anchor":
        assert facts["anchors"] == module.anchors.tolist() == yolo_recipe.anchors_of(data, SMALL, 5).tolist()


def test_evaluate_gives_the_figures_of_the_card(small):
    torch.manual_seed(0)
    model = yolo_recipe.wrap("yolo-cell", yolo_recipe.build("yolo-cell").eval(), torch.device("cpu"), {})
    seen = []
    metrics = yolo_recipe.evaluate(model, lambda *now: seen.append(now), count=2)
    assert seen == [(1, 2), (2, 2)]
    assert {"box_ap", "box_ap50", "forward_ms_p50", "box_ap_per_class", "box_ap_per_size"} <= set(metrics)
    assert 0 <= metrics["box_ap50"] < 0.5 and metrics["forward_ms_p50"] > 0  # untrained


def test_a_batch_is_a_function_of_the_step(data):
    first, again, other = (batch_at(data, SMALL, step) for step in (3, 3, 4))
    assert first[0].shape == (2, 3, 224, 224) and first[0].min() >= 0 and first[0].max() <= 1
    assert torch.equal(first[0], again[0]) and all(map(torch.equal, first[1], again[1]))
    assert not torch.equal(first[0], other[0])


def test_a_mirror_moves_boxes_with_their_pixels():
    image = np.zeros((40, 60, 3), np.uint8)
    image[5:15, 10:30] = 200
    there, boxes = mirrored(image, torch.tensor([[10.0, 5.0, 30.0, 15.0]]))
    assert boxes.tolist() == [[30, 5, 50, 15]]
    assert (there[5:15, 30:50] == 200).all() and there.sum() == image.sum()


@pytest.mark.parametrize("shift", [(-1, -1), (0, 0), (1, -0.5)])
def test_a_move_carries_boxes_with_their_pixels(shift):
    image = np.zeros((224, 224, 3), np.uint8)
    image[80:120, 100:130] = 200
    there, boxes, kept = moved(image, torch.tensor([[100.0, 80.0, 130.0, 120.0]]), 1.5, np.array(shift), 0.15)
    rows, columns = np.where(there[..., 0] > 100)
    seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert kept.tolist() == [True]
    assert boxes[0].tolist() == pytest.approx(seen, abs=1.5)


def test_what_a_move_pushes_out_is_dropped_and_what_is_cut_is_clipped():
    image = np.zeros((200, 200, 3), np.uint8)
    boxes = torch.tensor([[0.0, 0.0, 40.0, 40.0], [90.0, 90.0, 110.0, 110.0], [150.0, 150.0, 200.0, 200.0]])
    _, left, kept = moved(image, boxes, 2.0, np.array([1, 1]), 0.15)  # the lower right quarter
    assert kept.tolist() == [False, True, True]
    assert left.tolist() == [[0, 0, 20, 20], [100, 100, 200, 200]]


def test_hidden_things_are_not_asked_for(data):
    everything = [record for scene in data.records for record in scene]
    boxes, labels = truth_of(everything, Recipe(smallest_visible=0.5))
    assert len(boxes) == len(labels) == sum(record.visible >= 0.5 for record in everything) > 0
    assert truth_of([], SMALL)[0].shape == (0, 4)
