"""The Speed and Accuracy page: the points are the cards', the budget chooses, two points are compared on a scene."""

import re

import pytest
import torch

from labs import speed_accuracy
from models import catalog
from models.inside import settings
from models.inside.settings import Setting
from pages.speed_accuracy import claims, compare, published, scatter, shared
from ui import pictures

PAGE = "speed_accuracy"
pytestmark = pytest.mark.skipif("settings" not in catalog.card("detector"), reason="no card knows other settings yet")


@pytest.fixture
def every() -> tuple[shared.Point, ...]:
    return shared.points()


def test_every_setting_of_every_card_is_a_point(every):
    for name in shared.LOOKS:
        mine = [point for point in every if point.setting.network == name]
        kept = catalog.card(name).get("settings", []) if name in catalog.shipped() else []
        assert [point.ap for point in mine] == [each["box_ap"] for each in kept]
        assert [point.card_milliseconds for point in mine] == [each["milliseconds"] for each in kept]
    assert len({point.name for point in every}) == len(every)


@pytest.mark.parametrize("size", list(shared.SIZES))
def test_the_budget_names_the_most_accurate_that_is_fast_enough(visit, sound, prose, every, size, monkeypatch):
    monkeypatch.setattr(shared, "timed", dict)
    for budget in (scatter.BUDGETS[0], 25, scatter.BUDGETS[-1]):
        at = sound(visit(PAGE, trade_budget=budget, trade_size=size))
        able = [point for point in every if point.card_milliseconds <= budget]
        said = prose(at)
        if not able:
            assert f"Within **{budget} ms** there is no detector here." in said
            continue
        best = max(able, key=lambda point: (point.ap_of(size), -point.card_milliseconds))
        assert f"**{best.name}**" in said and f"**{best.ap_of(size):.3f}**" in said


def test_the_figure_holds_all_points_and_the_front(every):
    figure = scatter.figure_of(every, 0, 40, "all", "milliseconds")
    marked = sorted(row[0] for trace in figure.data if trace.customdata is not None for row in trace.customdata)
    assert marked == list(range(len(every)))
    times, accuracy = shared.as_tensors(every, "all")
    front = speed_accuracy.pareto_front(times, accuracy)
    assert sorted(figure.data[0].y) == pytest.approx(sorted(accuracy[front].tolist()))
    assert len(figure.layout.shapes) == 1 and figure.layout.shapes[0].x0 == 40
    sums = scatter.figure_of(every, None, 40, "small", "multiply-adds")
    assert not sums.layout.shapes, "a budget of milliseconds says nothing of multiply-adds"
    assert max(max(t.x) for t in sums.data) == pytest.approx(max(p.multiply_adds for p in every), rel=1e-6)
    held = scatter.figure_of(every, None, 40, "all", "memory")
    assert min(min(t.x) for t in held.data) == pytest.approx(min(p.peak_bytes for p in every), rel=1e-6)


def test_measuring_here_replaces_the_times_of_the_card(every, monkeypatch):
    found: dict[Setting, float] = {}
    monkeypatch.setattr(shared, "timed", lambda: found)
    wanted = tuple(point for point in every if point.setting.network.startswith("yolo"))
    steps = list(shared.measure(wanted))
    assert steps[-1][:2] == (len(wanted), len(wanted)) and set(found) == {point.setting for point in wanted}
    assert all(shared.milliseconds(point) == found[point.setting] for point in wanted)
    before = dict(found)
    list(shared.measure(wanted))
    assert found == before, "what is known is not measured again"


def test_the_chosen_and_the_pinned_point_look_at_the_same_scene(visit, sound, drawn, said, every):
    first = next(i for i, p in enumerate(every) if p.setting == Setting("detector", 128, 10))
    second = next(i for i, p in enumerate(every) if p.setting.network == "yolo-anchor")
    at = sound(visit(PAGE, {"trade_point": str(first), "trade_pin": str(second)}, trade_threshold=0.3))
    scene = pictures.from_lab_world(compare.SEED)
    for key, index in (("trade_chosen", first), ("trade_pinned", second)):
        found = compare.at_size(scene, every[index])
        boxes = [box for box in drawn.boxes(key) if not box.id.startswith("truth")]
        assert len(boxes) == int((found.scores >= 0.3).sum())
        assert f"{every[index].name}: {len(boxes)} boxes" in drawn.options[key]["caption"]
    assert [box.value for box in at.selectbox if box.key in ("trade_point_box", "trade_pin_box")] == [first, second]
    assert re.search(r"Both find: |Only the |Neither", said(at))


def test_a_scene_is_drawn_again_at_the_size_that_the_network_sees(every):
    scene = pictures.from_lab_world(compare.SEED)
    point = next(p for p in every if p.setting == Setting("detector", 320, 300))
    image = compare.rendered(scene.scene, 320)
    assert image.shape == (320, 320, 3)
    direct = settings.detect(catalog.load("detector"), image, point.setting)
    assert torch.allclose(compare.at_size(scene, point).boxes, direct.boxes * (224 / 320))


def test_what_only_one_finds_is_named(every):
    scene = pictures.from_lab_world(compare.SEED)
    point = next(p for p in every if p.setting == Setting("detector", 224, 300))
    text = compare.differences(scene, point, point, 0.5)
    assert text.startswith("Both find: **") and "only" not in text
    assert compare.differences(pictures.Picture(scene.image, "mine"), point, point, 0.5).startswith("This picture has")
    assert compare.listed([1, 2, 1]) == "2 × person, cat"


@pytest.mark.parametrize("text", ["-1", "9999", "nan", "1,2", "x"])
def test_a_point_that_is_none_is_the_default(visit, sound, text):
    plain, odd = sound(visit(PAGE)), sound(visit(PAGE, {"trade_point": text}))
    assert [s.value for s in odd.selectbox] == [s.value for s in plain.selectbox]


def test_the_questions_follow_the_budget(visit, sound, prose, every):
    for budget in (claims.BUDGETS[0], claims.BUDGETS[-1]):
        said = prose(sound(visit(PAGE, {"predict": "off"}, trade_deploy=budget)))
        there = [p for p in every if p.setting.side == 224 and shared.milliseconds(p) <= budget]
        asked = f"At 224 px and {budget} ms a picture, which is the most accurate?"
        best = max(there, key=lambda p: p.ap, default=None)
        assert (f"{asked} **“{best.title}”**" in said) if best else (asked not in said)


def test_torchvisions_detectors_come_from_its_metadata():
    known = {each.name: each for each in published.known()}
    assert known["fasterrcnn_resnet50_fpn"].ap == 37.0
    assert known["ssd300_vgg16"].parameters == 35_641_826
    assert not any(name.startswith("keypoint") for name in known), "their AP is that of persons"
    assert {published.family(name) for name in known} == set(published.FAMILIES)
