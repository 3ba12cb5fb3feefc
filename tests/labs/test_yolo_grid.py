"""The grid of YOLO: the lecture's sizes, one worked example, properties, and torchvision as the oracle of overlap."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import batched_nms, box_iou

import scenes
from labs import yolo_grid, yolo_loss
from labs.yolo_grid import Grid, assign, encode, responsible_cells

GRID = Grid(7, 224, 224)
ANCHORS = torch.tensor([[20.0, 40.0], [40.0, 40.0], [90.0, 60.0]])
CLASSES = 8
DOG = torch.tensor([[40.0, 64.0, 72.0, 128.0]])  # centre (56, 96): column 1.75, row 3; 32 wide, 64 tall
LAYOUTS = pytest.mark.parametrize("anchors", [None, ANCHORS], ids=yolo_grid.LAYOUTS)


def channels(anchors):
    return yolo_grid.channels("cell" if anchors is None else "anchor", 3, CLASSES)


def random_raw(anchors, pictures=1, seed=0):
    return torch.randn(pictures, 7, 7, channels(anchors), generator=torch.Generator().manual_seed(seed))


def raw_for(boxes, labels, anchors):
    """What a network would have to say for `decode` to give these boxes: the formulas of `decode` solved for t."""
    raw = torch.zeros(7, 7, channels(anchors))
    assignment = assign(boxes, labels, GRID, anchors)
    for row, column, place in (assignment.owner >= 0).nonzero().tolist():
        x1, y1, x2, y2 = boxes[assignment.owner[row, column, place]].double()
        centre = torch.tensor([(x1 + x2) / 2 / 32 - column, (y1 + y2) / 2 / 32 - row]).logit()
        sides = torch.tensor([x2 - x1, y2 - y1])
        sides = (sides / 224).logit() if anchors is None else (sides / anchors[place]).log()
        start = 0 if anchors is None else place * (5 + CLASSES)
        raw[row, column, start : start + 4] = torch.cat([centre, sides])
    return raw, assignment


@st.composite
def truths(draw):
    """One to six boxes whose centres lie inside a cell of GRID, with labels."""
    count = draw(st.integers(1, 6))
    boxes = []
    for _ in range(count):
        column, row = draw(st.integers(0, 6)), draw(st.integers(0, 6))
        x, y = ((cell + draw(st.floats(0.02, 0.98))) * 32 for cell in (column, row))
        w, h = draw(st.floats(4, 200)), draw(st.floats(4, 200))
        boxes.append([x - w / 2, y - h / 2, x + w / 2, y + h / 2])
    return torch.tensor(boxes), torch.tensor(draw(st.lists(st.integers(1, 8), min_size=count, max_size=count)))


@pytest.mark.parametrize(
    ("layout", "predictors", "classes", "numbers"),
    [("cell", 2, 20, 30), ("cell", 3, 8, 23), ("anchor", 3, 8, 39), ("anchor", 5, 20, 125)],
)
def test_the_sizes_of_both_layouts(layout, predictors, classes, numbers):
    # 7×7×30 is YOLOv1's and 13×13×125 YOLOv2's own output on PASCAL VOC
    assert yolo_grid.channels(layout, predictors, classes) == numbers


def test_bad_sizes_are_refused_in_words():
    with pytest.raises(ValueError, match="layout"):
        yolo_grid.channels("round", 3, 8)
    with pytest.raises(ValueError, match="at least one cell"):
        Grid(0, 224, 224)
    with pytest.raises(ValueError, match="too few"):
        yolo_grid.decode(torch.zeros(7, 7, 15), GRID, 3)
    with pytest.raises(ValueError, match="not 3 times"):
        yolo_grid.decode(torch.zeros(7, 7, 40), GRID, anchors=ANCHORS)
    with pytest.raises(ValueError, match="k-means"):
        yolo_grid.anchor_shapes(torch.ones(2, 2), 3)


def test_a_dog_in_numbers():
    target = encode(DOG, torch.tensor([2]), GRID)
    assert responsible_cells(DOG, GRID).tolist() == [[3, 1]]
    assert target.owner[3, 1, 0] == 0 and (target.owner >= 0).sum() == 1
    assert target.values[3, 1, 0].tolist() == pytest.approx([0.75, 0.0, math.sqrt(32 / 224), math.sqrt(64 / 224)])
    with_anchors = encode(DOG, torch.tensor([2]), GRID, ANCHORS)
    assert with_anchors.owner[3, 1].tolist() == [-1, 0, -1]  # shape IoUs .39, .57, .33
    expected = [0.75, 0.0, math.log(32 / 40), math.log(64 / 40)]
    assert with_anchors.values[3, 1, 1].tolist() == pytest.approx(expected, abs=1e-6)
    assert with_anchors.labels[3, 1].tolist() == [0, 2, 0]


def test_a_zero_output_in_numbers():
    cell = yolo_grid.decode(torch.zeros(7, 7, 23), GRID, 3)
    assert cell.boxes[3, 1, 0].tolist() == [48 - 56, 112 - 56, 48 + 56, 112 + 56]  # mid-cell, half the picture
    assert cell.scores[3, 1, 2].tolist() == [0.5 / 8] * 8
    anchor = yolo_grid.decode(torch.zeros(7, 7, 39), GRID, anchors=ANCHORS)
    assert anchor.boxes[3, 1, 2].tolist() == [48 - 45, 112 - 30, 48 + 45, 112 + 30]
    assert anchor.scores.shape == (7, 7, 3, 8)


@pytest.mark.parametrize(
    ("x", "y", "cell"),
    [(0, 0, [0, 0]), (31.99, 0, [0, 0]), (32, 0, [0, 1]), (0, 32, [1, 0]), (224, 224, [6, 6]), (-3, 300, [6, 0])],
)
def test_a_centre_on_a_line_belongs_to_the_cell_after_it(x, y, cell):
    assert responsible_cells(torch.tensor([[x - 4.0, y - 4, x + 4, y + 4]]), GRID).tolist() == [cell]


def test_a_grid_follows_the_shape_of_the_picture():
    box = torch.tensor([[90.0, 90.0, 110.0, 110.0]])
    assert responsible_cells(box, Grid(4, height=200, width=400)).tolist() == [[2, 1]]


def test_the_larger_thing_gets_the_cell():
    small, large = [50.0, 90.0, 62.0, 102.0], [36.0, 76.0, 76.0, 116.0]
    assignment = assign(torch.tensor([small, large]), torch.tensor([1, 2]), GRID)
    row, column = assignment.cells[1].tolist()
    assert assignment.cells[0].tolist() == [row, column]
    assert assignment.owner[row, column].tolist() == [1] and assignment.labels[row, column].tolist() == [2]
    assert assignment.collisions.tolist() == [0]


def test_anchors_hold_as_many_things_as_they_are():
    boxes = torch.tensor([[46.0 - k, 90.0 - k, 66.0 + k, 102.0 + k] for k in range(4)])
    assignment = assign(boxes, torch.tensor([1, 2, 3, 4]), GRID, ANCHORS)
    row, column = assignment.cells[0].tolist()
    assert sorted(assignment.owner[row, column].tolist()) == [1, 2, 3]
    assert assignment.collisions.tolist() == [0]  # the smallest


def test_yolo_v2_gives_a_thing_to_its_best_anchor_only():
    """Two things of one shape in one cell: the second finds its anchor taken, and the others free."""
    boxes = torch.tensor([[46.0, 76, 66, 116], [45, 77, 66, 118], [16, 66, 106, 126]])  # 20×40, 21×41, 90×60
    labels = torch.tensor([1, 2, 3])
    best = assign(boxes, labels, GRID, ANCHORS, "best")
    assert best.cells.tolist() == [[3, 1]] * 3
    assert best.owner[3, 1].tolist() == [1, -1, 2] and best.labels[3, 1].tolist() == [2, 0, 3]
    assert best.collisions.tolist() == [0]
    free = assign(boxes, labels, GRID, ANCHORS, "free")
    assert free.owner[3, 1].tolist() == [1, 0, 2] and free.collisions.tolist() == []
    assert torch.equal(free.owner, assign(boxes, labels, GRID, ANCHORS).owner)
    assert torch.equal(encode(boxes, labels, GRID, ANCHORS, "best").owner, best.owner)
    assert torch.equal(encode(boxes, labels, GRID, ANCHORS).owner, free.owner)
    with pytest.raises(ValueError, match="no rule 'first'"):
        assign(boxes, labels, GRID, ANCHORS, "first")


@given(truths(), st.integers(1, 8))
@settings(max_examples=40, deadline=None)
def test_under_yolo_v2s_rule_everything_sits_at_its_best_anchor(truth, cells):
    boxes, labels = truth
    grid = Grid(cells, 224, 224)
    best, free = (assign(boxes, labels, grid, ANCHORS, rule) for rule in yolo_grid.ANCHOR_RULES)
    fit = yolo_grid.shape_iou(boxes[:, 2:] - boxes[:, :2], ANCHORS).argmax(1)
    places = {(*best.cells[i].tolist(), int(fit[i])) for i in range(len(boxes))}
    assert {tuple(place) for place in (best.owner >= 0).nonzero().tolist()} == places
    assert len(best.collisions) == len(boxes) - len(places) >= len(free.collisions)
    alone = assign(boxes, labels, grid, ANCHORS[:1], "best").collisions.tolist()
    assert alone == assign(boxes, labels, grid).collisions.tolist()  # one anchor is one thing per cell


@given(truths(), st.integers(1, 20), st.booleans(), st.sampled_from(yolo_grid.ANCHOR_RULES))
@settings(max_examples=40, deadline=None)
def test_every_truth_has_one_place_or_collides(truth, cells, anchored, rule):
    boxes, labels = truth
    assignment = assign(boxes, labels, Grid(cells, 224, 224), ANCHORS if anchored else None, rule)
    owned = assignment.owner[assignment.owner >= 0].tolist()
    assert sorted(owned + assignment.collisions.tolist()) == list(range(len(boxes)))
    for row, column, place in (assignment.owner >= 0).nonzero().tolist():
        index = assignment.owner[row, column, place]
        assert assignment.cells[index].tolist() == [row, column]
        assert assignment.labels[row, column, place] == labels[index]


@given(truths(), st.booleans())
@settings(max_examples=40, deadline=None)
def test_what_encode_asks_for_decode_gives_back(truth, anchored):
    boxes, labels = truth
    anchors = ANCHORS if anchored else None
    raw, assignment = raw_for(boxes, labels, anchors)
    target, found = encode(boxes, labels, GRID, anchors), yolo_grid.decode(raw, GRID, 3, anchors)
    there = assignment.owner >= 0
    first = found.boxes[..., :1, :] if anchors is None else found.boxes
    values = found.values[..., :1, :] if anchors is None else found.values
    assert torch.allclose(first[there], boxes[assignment.owner[there]], atol=2e-2)
    assert torch.allclose(values[there], target.values[there], atol=1e-3)


def test_a_thing_of_any_size_comes_back_from_any_anchor():
    """From half a pixel to the whole picture, on anchors of 8 to 150 px: 1.8 px on 150 px is a share of 1/83."""
    sides = [0.5, 1.8, 2.5, 10.0, 60.0, 224.0]
    for anchor in (8.0, 19.0, 150.0):
        anchors = torch.tensor([[anchor, anchor]])
        for width in sides:
            for height in sides:
                box = torch.tensor([[100 - width / 2, 101 - height / 2, 100 + width / 2, 101 + height / 2]])
                target = encode(box, torch.tensor([1]), GRID, anchors)
                raw = torch.zeros(7, 7, 6)
                x, y, *sizes = target.values[3, 3, 0].tolist()
                raw[3, 3, :4] = torch.tensor([math.log(x / (1 - x)), math.log(y / (1 - y)), *sizes])
                found = yolo_grid.decode(raw, GRID, anchors=anchors)
                assert torch.allclose(found.boxes[3, 3, 0], box[0], atol=2e-3), (anchor, width, height)
                assert torch.allclose(found.values[3, 3, 0], target.values[3, 3, 0], atol=1e-4)


def test_every_thing_that_lab_world_draws_comes_back_from_every_anchor():
    extremes = torch.tensor([[6.0, 6.0], [19.0, 37.0], [150.0, 150.0]])
    boxes = [thing.box for seed in range(60) for thing in scenes.sample(seed).objects]
    boxes = torch.tensor(np.clip(np.array(boxes), 0, 224), dtype=torch.float32)
    sizes = (boxes[:, None, 2:] - boxes[:, None, :2]).expand(-1, 3, 2)
    raw = torch.zeros(len(boxes), 1, 1, 3, 6)
    raw[:, 0, 0, :, 2:4] = (sizes / extremes).log()
    found = yolo_grid.decode(raw.flatten(-2), Grid(1, 224, 224), anchors=extremes).boxes[:, 0, 0]
    assert torch.allclose(found[..., 2:] - found[..., :2], sizes, atol=1e-3)


def test_no_output_enlarges_an_anchor_beyond_torchvisions_guard():
    raw = torch.zeros(1, 1, 6)
    raw[..., 2:4] = 50.0
    found = yolo_grid.decode(raw, Grid(1, 224, 224), anchors=torch.tensor([[10.0, 20.0]]))
    assert (found.boxes[0, 0, 0, 2:] - found.boxes[0, 0, 0, :2]).tolist() == pytest.approx([625, 1250])


@LAYOUTS
def test_an_empty_scene_asks_for_silence(anchors):
    target = encode(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64), GRID, anchors)
    raw = random_raw(anchors)
    found = yolo_loss.loss(raw, [target], GRID, 3, anchors)
    for name in ("coordinates", "object_confidence", "classes"):
        assert found.terms[name].sum() == 0
    confidence = yolo_grid.decode(raw, GRID, 3, anchors).confidence
    assert torch.allclose(found.no_object_confidence, 0.5 * confidence.square().sum(-1))
    assert not found.responsible.any()


@LAYOUTS
def test_target_confidence_is_the_iou(anchors):
    raw = random_raw(anchors)
    found = yolo_loss.loss(raw, [encode(DOG, torch.tensor([2]), GRID, anchors)], GRID, 3, anchors)
    boxes = yolo_grid.decode(raw, GRID, 3, anchors).boxes[0, 3, 1]
    oracle = box_iou(boxes, DOG)[:, 0]
    winner = int(oracle.argmax()) if anchors is None else 1
    assert found.responsible[0, 3, 1].nonzero().tolist() == [[winner]] and found.responsible.sum() == 1
    assert found.target_confidence[0, 3, 1, winner].item() == pytest.approx(oracle[winner].item(), abs=1e-5)
    assert found.target_confidence.sum() == found.target_confidence[0, 3, 1, winner]


def test_a_cells_best_box_answers_and_the_closest_where_none_meets():
    raw = torch.zeros(1, 7, 7, 23)
    raw[0, 3, 1, 2:4] = -1.5  # nearest to the dog's size
    raw[0, 3, 1, 12:14] = 4.0
    target = encode(DOG, torch.tensor([2]), GRID)
    assert yolo_loss.loss(raw, [target], GRID).responsible[0, 3, 1].tolist() == [True, False, False]
    tiny = raw.clone()
    tiny[0, 3, 1, :15] = torch.tensor([-9.0, 9, -9, -9, 0] * 3)  # dots in a corner of the cell, none meets the dog
    tiny[0, 3, 1, 5] = -2.0
    assert box_iou(yolo_grid.decode(tiny[0], GRID).boxes[3, 1], DOG + 100).max() == 0
    far = encode(torch.tensor([[60.0, 97.0, 64.0, 99.0]]), torch.tensor([2]), GRID)
    assert yolo_loss.loss(tiny, [far], GRID).responsible[0, 3, 1].tolist() == [False, True, False]


@LAYOUTS
def test_the_other_boxes_of_an_object_cell_pay_the_no_object_loss(anchors):
    raw = random_raw(anchors)
    found = yolo_loss.loss(raw, [encode(DOG, torch.tensor([2]), GRID, anchors)], GRID, 3, anchors, lambda_noobj=0.25)
    confidence = yolo_grid.decode(raw, GRID, 3, anchors).confidence[0, 3, 1]
    answers = found.responsible[0, 3, 1]
    expected = 0.25 * confidence[~answers].square().sum()
    assert (~answers).sum() == 2
    assert found.no_object_confidence[0, 3, 1].item() == pytest.approx(expected.item())
    wanted = (confidence[answers] - found.target_confidence[0, 3, 1][answers]).square().sum()
    assert found.object_confidence[0, 3, 1].item() == pytest.approx(wanted.item())


@LAYOUTS
def test_the_terms_sum_to_the_total_and_follow_their_weights(anchors):
    generator = torch.Generator().manual_seed(1)
    corner = torch.rand(2, 3, 2, generator=generator) * 150
    boxes = torch.cat([corner, corner + 10 + torch.rand(2, 3, 2, generator=generator) * 60], dim=-1)
    targets = [encode(each, torch.tensor([1, 5, 8]), GRID, anchors) for each in boxes]
    raw = random_raw(anchors, pictures=2)
    found = yolo_loss.loss(raw, targets, GRID, 3, anchors)
    assert all(term.shape == (2, 7, 7) and (term >= 0).all() for term in found.terms.values())
    assert found.total.item() == pytest.approx(sum(float(term.sum()) for term in found.terms.values()) / 2, rel=1e-5)
    doubled = yolo_loss.loss(raw, targets, GRID, 3, anchors, lambda_coord=10.0, lambda_noobj=1.0)
    assert torch.allclose(doubled.coordinates, 2 * found.coordinates)
    assert torch.allclose(doubled.no_object_confidence, 2 * found.no_object_confidence)
    assert torch.equal(doubled.classes, found.classes)
    alone = yolo_loss.loss(raw[1:], targets[1:], GRID, 3, anchors)
    assert torch.allclose(alone.coordinates[0], found.coordinates[1])


@LAYOUTS
def test_a_perfect_answer_costs_nothing_but_its_confidence(anchors):
    raw, _ = raw_for(DOG + 4, torch.tensor([2]), anchors)
    width = 5 if anchors is None else 5 + CLASSES
    raw[..., 4 : 3 * width : width] = -30.0
    raw[3, 1, 4 if anchors is None else width + 4] = 30.0
    start = 15 if anchors is None else width + 5
    raw[3, 1, start : start + CLASSES] = torch.where(torch.arange(CLASSES) == 1, 30.0, 0.0)
    found = yolo_loss.loss(raw[None], [encode(DOG + 4, torch.tensor([2]), GRID, anchors)], GRID, 3, anchors)
    assert found.total.item() == pytest.approx(0, abs=1e-6)


@LAYOUTS
def test_the_target_confidence_sends_no_gradient_into_the_box(anchors):
    raw = random_raw(anchors).requires_grad_()
    found = yolo_loss.loss(raw, [encode(DOG, torch.tensor([2]), GRID, anchors)], GRID, 3, anchors)
    found.object_confidence.sum().backward()
    width = 5 if anchors is None else 5 + CLASSES
    touched = {int(index) % width for index in raw.grad[0, 3, 1].nonzero()}
    assert touched == {4}
    assert not found.target_confidence.requires_grad


def test_the_class_loss_is_cross_entropy():
    raw = random_raw(None)
    found = yolo_loss.loss(raw, [encode(DOG, torch.tensor([2]), GRID)], GRID)
    expected = torch.nn.functional.cross_entropy(raw[0, 3, 1, 15:], torch.tensor(1))
    assert found.classes.sum().item() == pytest.approx(expected.item(), rel=1e-5)


def test_the_papers_class_term_is_the_squared_error():
    """Σ (p − p̂)² of eq. 3, beside the cross entropy that is trained with."""
    classes = torch.tensor([0.1, 0.7, 0.2])
    assert float(yolo_loss.squared_class_error(classes, 2)) == pytest.approx(0.1**2 + 0.3**2 + 0.2**2)
    assert float(yolo_loss.squared_class_error(torch.tensor([0.0, 1.0]), 2)) == 0.0
    assert float(yolo_loss.squared_class_error(torch.tensor([0.0, 1.0]), 1)) == 2.0


@LAYOUTS
def test_a_step_down_the_gradient_lowers_the_loss(anchors):
    raw = random_raw(anchors, seed=3).requires_grad_()
    targets = [encode(DOG, torch.tensor([2]), GRID, anchors)]
    before = yolo_loss.loss(raw, targets, GRID, 3, anchors).total
    before.backward()
    after = yolo_loss.loss(raw.detach() - 0.02 * raw.grad, targets, GRID, 3, anchors).total
    assert after < before


def test_anchor_shapes_find_what_is_there():
    random = torch.Generator().manual_seed(0)
    shapes = torch.tensor([[20.0, 40.0], [60.0, 30.0], [100.0, 100.0]])
    sizes = (shapes[:, None] * (1 + 0.05 * torch.randn(3, 50, 2, generator=random))).reshape(-1, 2)
    found = yolo_grid.anchor_shapes(sizes, 3)
    assert torch.allclose(found, shapes, rtol=0.05)
    assert torch.equal(found, yolo_grid.anchor_shapes(sizes, 3))
    assert torch.allclose(yolo_grid.anchor_shapes(sizes, 1)[0], sizes.mean(0))
    same = torch.ones(4, 2)
    assert torch.allclose(yolo_grid.anchor_shapes(same, 3), torch.ones(3, 2))


def test_more_anchor_shapes_fit_better():
    sizes = torch.rand(200, 2, generator=torch.Generator().manual_seed(2)) * 100 + 5
    fit = [yolo_grid.shape_iou(sizes, yolo_grid.anchor_shapes(sizes, k)).amax(1).mean() for k in (1, 3, 9)]
    assert fit[0] < fit[1] < fit[2]


def test_shape_iou_is_the_iou_on_one_centre():
    sizes = torch.tensor([[10.0, 30.0], [25.0, 5.0]])
    around = [torch.cat([-each / 2, each / 2], dim=1) for each in (sizes, ANCHORS)]
    assert torch.allclose(yolo_grid.shape_iou(sizes, ANCHORS), box_iou(*around))


@LAYOUTS
def test_detections_are_torchvisions_nms_of_confidence_times_class(anchors):
    prediction = yolo_grid.decode(random_raw(anchors)[0] * 2, GRID, 3, anchors)
    boxes, labels, scores = yolo_grid.detect(prediction, GRID, 0.3, 0.5)
    assert len(boxes) > 3 and (scores > 0.3).all() and (scores.diff() <= 0).all()
    assert boxes.min() >= 0 and boxes.max() <= 224
    assert len(batched_nms(boxes, scores, labels, 0.5)) == len(boxes)
    assert set(scores.tolist()) <= set(prediction.scores.flatten().tolist())
    best = prediction.scores.flatten().argmax()
    assert labels[0] == best % CLASSES + 1 and scores[0] == prediction.scores.max()
    assert len(yolo_grid.detect(prediction, GRID, 1.0, 0.5)[0]) == 0


def test_a_score_exactly_at_the_threshold_is_no_detection():
    raw = torch.full((7, 7, 15 + 1), -40.0)
    raw[3, 1, [4, 15]] = torch.tensor([0.0, 1.0])  # confidence ½, and one class is sure of itself
    prediction = yolo_grid.decode(raw, GRID, 3)
    assert prediction.scores[3, 1, 0].tolist() == [0.5]
    assert len(yolo_grid.detect(prediction, GRID, 0.5, 0.5)[0]) == 0
    assert len(yolo_grid.detect(prediction, GRID, 0.4999, 0.5)[0]) == 1


def test_anchor_shapes_are_those_of_seed_zero_unless_told_otherwise():
    sizes = torch.rand(60, 2, generator=torch.Generator().manual_seed(1)) * 100 + 1
    found = [yolo_grid.anchor_shapes(sizes, 7, seed) for seed in range(-1, 2)]
    assert torch.equal(yolo_grid.anchor_shapes(sizes, 7), found[1])
    assert not torch.equal(found[0], found[1]) and not torch.equal(found[1], found[2])
