"""The YOLO Grid page: the assignment, the target, the loss and both layouts in numbers; no control state breaks it."""

import re

import numpy as np
import pytest
import streamlit
import torch

import scenes
from labs import yolo_grid
from labs.yolo_grid import Grid
from models import catalog
from models.networks.detector import LoadedDetector, build_detector
from models.recipes import yolo as yolo_recipe
from models.recipes.scene_cache import held_out_seeds
from pages.shared import known_truth
from pages.yolo_grid import assignment, collisions, comparison, losses, target
from ui import course, outside_lab_world, pictures

PAGE = "yolo_grid"
ANCHORS = torch.tensor([[19.0, 37.0], [32.0, 24.0], [65.0, 43.0], [41.0, 79.0], [104.0, 70.0]])


@pytest.fixture(scope="module")
def networks():
    """The networks as they are before training, the grids with louder heads: a few scores are high, most are low."""
    torch.manual_seed(0)
    some = torch.from_numpy(pictures.from_lab_world(14).image.copy()).permute(2, 0, 1)[None] / 255
    found = {"detector": LoadedDetector("detector", build_detector().eval(), torch.device("cpu"), {})}
    for name in yolo_recipe.NAMES:
        module = yolo_recipe.build(name).eval()
        with torch.no_grad():
            raw = module(some)
            louder = 2 / raw.std(dim=(0, 1, 2))
            module.predict.weight.mul_(louder[:, None, None, None])
            module.predict.bias.copy_(-louder * raw.mean(dim=(0, 1, 2)))
            if module.anchors is None:
                module.predict.bias[4 : 5 * module.predictors : 5] -= 2
            else:
                module.predict.bias.view(module.predictors, -1)[:, 4] -= 2
                module.anchors.copy_(ANCHORS)
        found[name] = yolo_recipe.wrap(name, module, torch.device("cpu"), {})
    return found


@pytest.fixture(autouse=True)
def three_scenes(monkeypatch):
    """AP over three scenes: the page's own counts only take longer."""
    monkeypatch.setattr(comparison, "held_out_seeds", lambda count: held_out_seeds(min(count, 3)))


@pytest.fixture
def untrained(monkeypatch, networks):
    monkeypatch.setattr(catalog, "load", networks.__getitem__)
    monkeypatch.setattr(catalog, "card", lambda name: networks[name].card)


@pytest.fixture
def absent(monkeypatch):
    def refuse(name):
        raise ValueError(f"{name} has no weights yet.")

    streamlit.cache_resource.clear()  # what the networks said in other tests
    for door in ("load", "card"):
        monkeypatch.setattr(catalog, door, refuse)


def ids(drawn, key) -> list[str]:
    return [box.id for box in drawn.boxes(key)]


def test_it_comes_after_the_two_stages():
    lessons = [lesson.file for lesson in course.LESSONS if lesson.section == "Detect"]
    assert lessons.index("roi_pooling") < lessons.index("yolo_grid")


def test_without_weights_only_the_network_sections_say_so(visit, absent, drawn, prose):
    at = visit(PAGE)
    assert not at.exception
    # four sections, and the two choices of a network among the published ones
    assert len(at.error) == 6 and all("no weights yet" in each.value for each in at.error)
    assert "yolo_grid" in drawn.layers and "yolo_target" in drawn.grids
    assert "**7×7×(5·3 + 8) = 7×7×23 = 1,127 numbers**" in prose(at)


@pytest.mark.parametrize(
    ("preset", "shape"),
    [
        ("This lab: S 7 · B 3 · C 8", "7×7×(5·3 + 8) = 7×7×23 = 1,127"),
        ("YOLOv1: S 7 · B 2 · C 20", "7×7×(5·2 + 20) = 7×7×30 = 1,470"),
        ("YOLOv2: S 13 · B 5 · C 20", "13×13×5×(5 + 20) = 13×13×125 = 21,125"),
    ],
)
def test_layouts_of_the_lectures_and_papers(visit, absent, prose, preset, shape):
    at = visit(PAGE, yolo_s=3, yolo_b=1)
    at.button(key=f"yolo_preset_{preset}").click().run()
    assert f"**{shape} numbers**" in prose(at)


def test_no_background_class_and_no_base_boxes_in_the_first_layout(visit, absent, prose):
    found = prose(visit(PAGE))
    assert "YOLO has **no background class**" in found and "which has **no base boxes** either" in found


def test_sources_are_what_the_page_uses(visit, absent, prose):
    assert "Single Shot MultiBox" not in prose(visit(PAGE))


def test_a_photograph_is_outside_what_the_networks_know(visit, absent):
    wanted = lambda at: any(outside_lab_world.SENTENCE in each.value for each in at.info)  # noqa: E731
    assert wanted(visit(PAGE, yolo_source="Photograph")) and not wanted(visit(PAGE))


def test_both_layouts_stand_side_by_side(visit, absent, prose):
    found = prose(visit(PAGE, yolo_layout="anchor"))
    assert ":gray[7×7×(5·3 + 8) = 7×7×23 = 1,127 numbers" in found
    assert "**7×7×3×(5 + 8) = 7×7×39 = 1,911 numbers**" in found


def test_the_first_scene_has_a_collision_and_free_anchors_solve_it(visit, absent, drawn, prose):
    cell = prose(visit(PAGE))
    assert "6 things, 5 of 49 cells answer: **1 collision**" in cell
    assert "dog and ball share row 5, column 2" in cell and "**lost: ball**" in cell
    assert "cell-5-2" in ids(drawn, "yolo_grid")
    anchor = prose(visit(PAGE, yolo_layout="anchor"))
    assert "dog and ball share row 5, column 2" in anchor and "**lost: ball**" in anchor  # of one shape
    assert "only the anchor that fits it best" in anchor and "the papers name no order" in anchor
    free = prose(visit(PAGE, yolo_layout="anchor", yolo_rule="free"))
    assert "A cell answers for 3 things, one per anchor" in free and "nothing is lost" in free


def test_yolo_v2s_rule_loses_what_the_kinder_rule_keeps(visit, absent, drawn, prose):
    """One cell for the whole picture: things whose best anchor is the same meet."""
    found = {rule: prose(visit(PAGE, yolo_layout="anchor", yolo_s=1, yolo_b=6, yolo_rule=rule))
             for rule in yolo_grid.ANCHOR_RULES}  # fmt: skip
    assert "**lost: " in found["best"] and "nothing is lost" in found["free"]


def test_all_three_rules_are_counted_side_by_side(visit, absent, prose):
    tables, things = collisions.lost(50)
    told = [int(tables[rule][k, 6]) for rule, k in (("free", 0), ("best", 2), ("free", 2))]
    assert things == 205 and told[1] == 4 and told[2] == 0
    assert tables["best"][4, 6] == 2
    found = prose(visit(PAGE))
    for count in told:
        assert f"**{count} ({count / things:.1%})**" in found
    assert "YOLOv2's rule" in found and "this lab's kinder rule" in found


def test_one_cell_answers_for_one_thing(visit, absent, prose):
    found = prose(visit(PAGE, yolo_s=1))
    assert "6 things, 1 of 1 cell answers" in found
    assert "**car, person, person, dog and ball** have their centres here as well and are not in the target" in found


@pytest.mark.parametrize(
    ("layout", "rule", "owned"), [("cell", "free", 1), ("anchor", "best", 1), ("anchor", "free", 2)]
)
def test_the_opened_cell_shows_what_encode_asks(visit, absent, drawn, prose, layout, rule, owned):
    at = visit(PAGE, {"yolo_at": "92,164"}, yolo_layout=layout, yolo_rule=rule)
    picture = pictures.from_lab_world(14, objects=(2, 6), classes=scenes.THINGS, occlusion=0.35)
    truth, grid = known_truth.truth_of(picture), Grid(7, 224, 224)
    anchors = collisions.typical_shapes(3) if layout == "anchor" else None
    asked = yolo_grid.encode(truth.boxes, truth.labels, grid, anchors, rule)
    shown = drawn.grids["yolo_target"]
    owners = (asked.owner[5, 2] >= 0).nonzero()[:, 0].tolist()
    assert len(owners) == owned
    for k in owners:
        np.testing.assert_allclose(shown["boxes"].values[:4, k], asked.values[5, 2, k])
        assert shown["boxes"].text[4][k] == "IoU"
        assert shown["classes"].values[:, k].argmax() == asked.labels[5, 2, k] - 1
    assert shown["boxes"].values.shape == (5, 3)
    assert shown["boxes"].values[4, [k for k in range(3) if k not in owners]].tolist() == [0] * (3 - len(owners))
    results = [float(x.replace("−", "-")) for x in re.findall(r"= \*\*(−?[\d.]+)\*\*", prose(at))]
    expected = asked.values[5, 2, owners[0]].tolist()
    assert results[:4] == pytest.approx(expected, abs=0.006)


def test_the_written_arithmetic_is_the_encoding():
    """x = 92.5 / 32 − 2 and so on, evaluated as a reader would."""
    truth = known_truth.Truth(torch.tensor([[60.0, 140.0, 125.0, 188.0]]), torch.tensor([3]))
    choice = assignment.Choice("cell", Grid(7, 224, 224), 3, 8, None)
    asked = yolo_grid.encode(truth.boxes, truth.labels, choice.grid)
    line = target.sentences(truth, asked, choice, (5, 2))[1]
    assert line == (
        "x = 92.5 / 32.00 − 2 = **0.89**; y = 164.0 / 32.00 − 5 = **0.12**; "
        "√(w/W) = √(65 / 224) = **0.54**; √(h/H) = √(48 / 224) = **0.46**"
    )


def test_an_empty_cell_is_asked_for_confidence_zero(visit, absent, drawn, prose):
    found = prose(visit(PAGE, {"yolo_at": "1,1"}))
    assert "Row 0, column 0 answers for nothing" in found
    assert drawn.grids["yolo_target"]["boxes"].values[4].tolist() == [0, 0, 0]


@pytest.mark.parametrize(("cells", "places"), [(3, 1), (7, 1), (7, 2), (1, 5)])
def test_losses_counted_at_once_are_those_of_assign(cells, places):
    tables, things = collisions.lost(20)
    anchors = collisions.typical_shapes(places) if places > 1 else None
    for rule in yolo_grid.ANCHOR_RULES:
        grid, lost, count = Grid(cells, 224, 224), 0, 0
        for seed in held_out_seeds(20):
            boxes = torch.from_numpy(collisions.boxes_of(seed))
            lost += len(yolo_grid.assign(boxes, torch.ones(len(boxes)).long(), grid, anchors, rule).collisions)
            count += len(boxes)
        assert (tables[rule][places - 1, cells - 1], things) == (lost, count)
        assert lost > 0 or cells == 7


def test_boxes_without_drawing_are_those_of_the_picture():
    """The whole extent of every thing that is seen, cut at the edge."""
    for seed in held_out_seeds(4):
        cheap = collisions.boxes_of(seed)
        for thing in scenes.render(scenes.sample(seed)).instances:
            assert np.abs(cheap - np.clip(thing.full_box, 0, 224)).max(1).min() < 1.5


@pytest.mark.parametrize(("layout", "pieces"), [("cell", [5, 5, 5, 8]), ("anchor", [13] * 5)])
def test_the_fibre_of_the_block_is_what_the_network_says_of_the_cell(visit, sound, untrained, drawn, networks, prose,
                                                                     layout, pieces):  # fmt: skip
    streamlit.cache_resource.clear()
    at = sound(visit(PAGE, {"yolo_cell": "92,164"}, yolo_layout=layout, yolo_threshold=0.1, yolo_nms=0.4))
    picture = pictures.from_lab_world(14, objects=(2, 6), classes=scenes.THINGS, occlusion=0.35)
    found = networks[f"yolo-{layout}"](picture.image)
    boxes = [box for box in drawn.boxes("yolo_block") if box.id.startswith("number-")]
    assert [sum(box.id.startswith(f"number-{k}-") for box in boxes) for k in range(len(pieces))] == pieces
    assert len(boxes) == found.raw.shape[-1] == sum(pieces)
    read = {box.note.rsplit(": ", 1)[0]: float(box.note.rsplit(": ", 1)[1]) for box in boxes}
    assert read["box 2, confidence"] == pytest.approx(float(found.prediction.confidence[5, 2, 1]), abs=0.006)
    assert read["box 1, x"] == pytest.approx(float(found.prediction.values[5, 2, 0, 0]), abs=0.006)
    scores = found.prediction.scores
    left = len(yolo_grid.detect(found.prediction, found.grid, 0.1, 0.4)[0])
    assert (
        f"**{found.raw.numel():,}** numbers → **{49 * found.predictors}** boxes, times 8 classes → "
        f"**{scores.numel():,}** scores → **{int((scores > 0.1).sum()):,}** above 0.10 → NMS → **{left:,}** box"
    ) in prose(at)


def test_the_loss_names_the_networks_own_anchors(visit, untrained, prose):
    assert "own 5 anchors count here, not those of *Play*: 19×37, 32×24" in prose(visit(PAGE, yolo_layout="anchor"))
    assert "not those of *Play*" not in prose(visit(PAGE))


def test_a_scene_without_objects(visit, sound, untrained, prose):
    at = sound(visit(PAGE, yolo_objects=(0, 0)))
    found = prose(at)
    assert "No thing in this scene" in found and "coordinates **0.000** (0%)" in found
    assert "no-object" in found


def test_a_photograph_has_neither_assignment_nor_loss(visit, sound, untrained, prose):
    at = sound(visit(PAGE, yolo_source="Photograph"))
    assert "Nobody has boxed the things in this picture" in prose(at)
    assert sum("choose Lab World" in each.value for each in at.info) == 2


@pytest.mark.parametrize("layout", yolo_grid.LAYOUTS)
def test_thresholds_work_on_one_pass(visit, sound, untrained, drawn, monkeypatch, networks, layout):
    streamlit.cache_resource.clear()
    calls, network = [], networks[f"yolo-{layout}"]
    forward = type(network.module).forward
    monkeypatch.setattr(type(network.module), "forward", lambda *given: calls.append(1) or forward(*given))
    at = sound(visit(PAGE, yolo_layout=layout, yolo_threshold=0.95))
    before, passes = len(ids(drawn, "yolo_map_found")), len(calls)
    at.session_state["yolo_threshold"] = 0.1
    at.run()
    assert len(ids(drawn, "yolo_map_found")) > before
    assert len(calls) == passes
    scores = drawn.grids["yolo_scores"]
    product = scores["confidence"].values * scores["class"].values
    np.testing.assert_allclose(scores["score"].values, product, rtol=1e-5)


@pytest.mark.parametrize("layout", yolo_grid.LAYOUTS)
def test_the_loss_written_out_is_the_loss(untrained, networks, layout):
    view = pictures.from_lab_world(14).view
    found = networks[f"yolo-{layout}"](view.image)
    truth = known_truth.truth_of(pictures.from_lab_world(14))
    asked = yolo_grid.encode(truth.boxes, truth.labels, found.grid, found.anchors)
    cost = losses.cost_of(found, asked, 3.0, 0.7)
    own = networks[f"yolo-{layout}"].losses(view.image, view.instances)
    assert float(losses.cost_of(found, asked, 5.0, 0.5).total) == pytest.approx(float(own.total))
    for cell in map(tuple, torch.from_numpy(np.argwhere((asked.owner >= 0).any(-1).numpy())).tolist()):
        lines = losses.arithmetic(found, asked, cost, cell, 3.0)
        numbers = [float(re.search(r"= \*\*([\d.]+)\*\*(?: :gray.*)?$", line)[1]) for line in lines]
        assert sum(numbers[::2]) == pytest.approx(float(cost.coordinates[0][cell]), abs=0.002)
        assert sum(numbers[1::2]) == pytest.approx(float(cost.classes[0][cell]), abs=0.002)


@pytest.mark.parametrize("layout", yolo_grid.LAYOUTS)
def test_the_page_says_where_its_loss_is_not_the_papers(visit, untrained, prose, layout):
    at = visit(PAGE, yolo_layout=layout)
    said = prose(at) + " ".join(each.value for each in at.caption)
    assert "As in YOLOv1's paper but for this. Classes: cross entropy" in said
    assert "squared error of all class probabilities" in said and "IoU with some truth is above 0.6" in said
    assert "the paper's Σ (p − p̂)² would be" in said


def test_lambdas_scale_their_terms(visit, untrained, drawn, prose):
    def part(found, name):
        return float(re.search(rf"{name} \*\*([\d.]+)\*\*", found)[1])

    one, two = prose(visit(PAGE)), prose(visit(PAGE, yolo_lambda_coord=10.0, yolo_lambda_noobj=0.0))
    assert part(two, "coordinates") == pytest.approx(2 * part(one, "coordinates"), abs=0.002)
    assert part(one, "confidence, all others") > 0 == part(two, "confidence, all others")
    assert part(two, "classes") == part(one, "classes")
    table = drawn.grids["yolo_loss_cell"]["confidence"].values
    np.testing.assert_allclose(table[:, 3] * table[:, 2], table[:, 4], rtol=1e-5)
    assert set(table[:, 3].tolist()) == {0.0, 1.0}  # λ noobj, and 1 for the box that answers


def test_other_boxes_of_an_object_cell_get_the_no_object_loss(visit, untrained, prose):
    found = prose(visit(PAGE))
    assert "5 cells answer for a thing, but 10 other boxes of these same cells" in found
    assert "147 boxes, 5 things in the target" in found


def test_the_claim_about_one_pass_is_measured(visit, untrained, prose):
    found = prose(visit(PAGE))
    rows = comparison.figures(10)
    for name in ("yolo-cell", "yolo-anchor"):
        assert f"{rows[name]['ms']:.1f} against {rows['detector']['ms']:.1f} ms" in found
    assert "slower and more accurate" in found and "faster and less accurate" in found and "Huang et al. 2017" in found


@pytest.mark.parametrize(
    ("one", "two", "said"), [(20.0, 40.0, "2.0 times as fast as"), (40.0, 20.0, "2.0 times as slow as")]
)
def test_the_claim_follows_the_figures(one, two, said):
    rows = {name: {"AP": 0.5, "AP50": 0.7, "ms": one} for name in ("yolo-cell", "yolo-anchor")}
    text = comparison.claims(rows | {"detector": {"AP": 0.4, "AP50": 0.6, "ms": two}})
    assert said in text and "not less accurate" in text and ":material/close: **yolo-cell** is **not less" in text


def test_a_link_with_nonsense_is_answered_in_a_sentence(visit, untrained):
    at = visit(PAGE, {"yolo_at": "here", "yolo_cell": "1,nan", "yolo_loss_at": "9999,-5"})
    assert not at.exception
    assert [each.value.split(" is not")[0] for each in at.error] == ["The link's yolo_at", "The link's yolo_cell"]


@pytest.mark.parametrize(
    "state",
    [
        {"yolo_s": 32, "yolo_b": 6, "yolo_c": 100, "yolo_layout": "anchor", "yolo_threshold": 0.01, "yolo_nms": 1.0},
        {"yolo_s": 1, "yolo_b": 1, "yolo_c": 8, "yolo_layout": "anchor", "yolo_threshold": 0.99, "yolo_nms": 0.0},
        {"yolo_s": 32, "yolo_b": 1, "yolo_objects": (12, 12), "yolo_lambda_coord": 0.0, "yolo_lambda_noobj": 0.0},
        {"yolo_objects": (0, 0), "yolo_layout": "anchor", "yolo_s": 1, "yolo_b": 6},
    ],
)
def test_extreme_controls_do_not_break_the_page(visit, sound, untrained, state):
    sound(visit(PAGE, **state))
