from types import SimpleNamespace

import numpy as np
import pytest
import torch

from models import catalog
from models.recipes import held_out_boxes, training
from models.recipes import yolo as yolo_recipe
from models.recipes.scene_cache import CachedScenes, InstanceRecord, cached_scenes
from models.recipes.yolo import Recipe, batch_at, mirrored, moved, truth_of

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
    for module in (yolo_recipe, held_out_boxes):
        monkeypatch.setattr(module, "cached_scenes", lambda _seeds: data)
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 1)


@pytest.mark.parametrize("name", yolo_recipe.NAMES)
def test_a_stopped_training_goes_on_after_its_checkpoint(small, data, tmp_path, name):
    seen = []

    def stop(step, steps, loss):
        seen.append((step, steps))
        if step == 2:
            raise KeyboardInterrupt

    device, start = torch.device("cpu"), catalog.load(yolo_recipe.STARTS_FROM)
    with pytest.raises(KeyboardInterrupt):
        yolo_recipe.train(name, device, tmp_path / "net", stop, start)
    module, facts = yolo_recipe.train(name, device, tmp_path / "net", lambda *now: seen.append(now[:2]), start)
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


SQUARES = {1: (10, 10, 60, 60), 2: (100, 100, 180, 180)}


def two_scenes(things=SQUARES) -> CachedScenes:
    """Two pictures with the same dog (1) and cat (2), drawn as squares."""
    panoptic = np.zeros((2, 224, 224), np.uint8)
    records = []
    for number, (x1, y1, x2, y2) in things.items():
        panoptic[:, y1:y2, x1:x2] = number
        box = [float(v) for v in (x1, y1, x2, y2)]
        records.append(InstanceRecord(number, 3 if number == 1 else 2, box, 1.0, np.zeros((14, 3)).tolist()))
    return CachedScenes(np.zeros((2, 224, 224, 3), np.uint8), panoptic, panoptic, [records, records])


def test_the_figures_of_a_network_that_finds_half(monkeypatch):
    """The dog is found in both scenes, the cat in none; the median of its times in milliseconds."""
    asked = []

    def model(image, threshold):
        asked.append(threshold)
        boxes, labels = torch.tensor([[10.0, 10, 60, 60]]), torch.tensor([3])
        seconds = (1.23456, 1.2347)[len(asked) - 1]
        return SimpleNamespace(
            boxes=boxes, labels=labels, scores=torch.tensor([0.5]), masks=None, keypoints=None, seconds=seconds
        )

    monkeypatch.setattr(held_out_boxes, "cached_scenes", lambda seeds: two_scenes())
    metrics = yolo_recipe.evaluate(model, lambda *_: None, count=2)
    assert (metrics["box_ap"], metrics["box_ap50"], metrics["box_ar"]) == (0.5, 0.5, 0.5)
    assert (metrics["box_ap_per_class"]["dog"], metrics["box_ap_per_class"]["cat"]) == (1.0, 0.0)
    assert metrics["forward_ms_p50"] == 1234.6 and metrics["scenes"] == 2 and asked == [0.01, 0.01]


def test_the_scenes_of_a_card_are_500_that_no_network_has_seen(monkeypatch):
    asked = []

    def stop(seeds):
        asked.append(seeds)
        raise KeyboardInterrupt

    monkeypatch.setattr(held_out_boxes, "cached_scenes", stop)
    with pytest.raises(KeyboardInterrupt):
        yolo_recipe.evaluate(None, lambda *_: None)
    assert asked == [range(10_000_000, 10_000_500)]


@pytest.mark.parametrize(("visible", "kept"), [(0.15, 1), (0.1499, 0), (1.0, 1)])
def test_a_thing_is_asked_for_from_15_percent_on(visible, kept):
    record = InstanceRecord(4, 7, [10.0, 20.0, 30.0, 50.0], visible, [])
    boxes, labels = truth_of([record], Recipe())
    assert boxes.tolist() == [[10, 20, 30, 50]] * kept and labels.tolist() == [7] * kept


@pytest.mark.parametrize(("left", "kept"), [(0.25, True), (0.2501, False)])
def test_a_box_of_which_the_smallest_share_is_left_is_kept(left, kept):
    """At twice the size, lower right, a quarter of this box is left."""
    _, boxes, there = moved(
        np.zeros((200, 200, 3), np.uint8), torch.tensor([[80.0, 80, 120, 120]]), 2.0, np.array([1, 1]), left
    )
    assert there.tolist() == [kept] and boxes.tolist() == [[0, 0, 40, 40]] * kept


@pytest.mark.parametrize(
    ("shift", "box"), [((-1, -1), [40, 80, 120, 200]), ((1, 1), [-160, -120, -80, 0]), ((0, 1), [-60, -120, 20, 0])]
)
def test_where_a_move_takes_a_box(shift, box):
    """Of 200 × 200 the half is seen, from 0, 50 or 100 on; what lies outside is clipped."""
    start = torch.tensor([[20.0, 40, 60, 100]])
    _, boxes, kept = moved(np.zeros((200, 200, 3), np.uint8), start, 2.0, np.array(shift), 0.0)
    assert kept.tolist() == [True] and boxes.tolist() == [[min(max(v, 0), 200) for v in box]]


def test_anchors_are_in_whole_pixels_and_near_the_boxes():
    shapes = yolo_recipe.anchors_of(two_scenes({1: (10, 10, 60, 40), 2: (100, 100, 180, 200)}), Recipe(), 2)
    assert sorted(shapes.tolist()) == [[50, 30], [80, 100]]
