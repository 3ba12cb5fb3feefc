"""The Sliding Window page: the hand's window, the count, all windows and NMS, the conversion, and the price."""

import re

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labs import nms, sliding_window
from labs.sliding_window import CLASSES
from models import catalog
from models.networks import window
from pages.sliding_window import convolution, hand, price, shared
from ui import components, pictures
from ui.components import Box

PAGE = "sliding_window"
pytestmark = pytest.mark.skipif(
    not {"window-classifier", "window-classifier-wide"} <= set(catalog.shipped()), reason="they have no weights yet"
)


def scene(seed: int = shared.SEED) -> pictures.Picture:
    return pictures.from_lab_world(seed)


def held(left: float, top: float, right: float, bottom: float) -> list[Box]:
    """What the session holds after a hand has moved the window, or pulled a handle of it."""
    return [Box("window", (left, top, right, bottom), editable=True)]


@pytest.mark.parametrize("label", list(shared.NETWORKS))
def test_the_window_of_the_hand_is_asked_of_the_network(visit, sound, drawn, prose, label):
    at = sound(visit(PAGE, {"window_place": "31,50"}, window_network=label, window_side=96))
    crop = drawn.pictures["window_crop"]
    np.testing.assert_array_equal(crop, window.resized(scene().image, 96)[50:78, 31:59])
    scores = catalog.load(shared.NETWORKS[label]).classify(crop)
    shown = np.array(drawn.grids["window_hand_scores"]["scores"].values)
    np.testing.assert_allclose(shown, torch.stack([scores, scores.softmax(0)], 1), atol=1e-6)
    assert list(drawn.grids["window_hand_scores"]["scores"].rows) == list(CLASSES)
    assert shown[:, 1].sum() == pytest.approx(1, abs=1e-5)
    told = catalog.card(shared.NETWORKS[label])
    assert any(f"{told['metrics']['accuracy']:.0%} of {told['metrics']['crops']:,}" in c.value for c in at.caption)


def test_the_window_keeps_its_size_and_stays_in_the_picture(visit, sound, drawn):
    at = sound(visit(PAGE, window_hand=held(0, 0, 60, 30)))
    assert [box.xyxy for box in drawn.boxes("window_hand")] == [(16, 1, 44, 29)]
    assert at.query_params["window_place"] in ("16,1", ["16,1"])
    sound(visit(PAGE, window_hand=held(300, -90, 310, -80)))
    assert [box.xyxy for box in drawn.boxes("window_hand")] == [(84, 0, 112, 28)]
    assert hand.corner((10.0, 10.0, 38.0, 38.0), 112) == (10, 10)


def test_the_first_window_is_over_the_thing_that_fits_it_best(visit, sound, drawn):
    at = sound(visit(PAGE))
    assert "window_place" not in at.query_params, "nobody has moved it"
    (box,) = drawn.boxes("window_hand")
    things = shared.Look(scene(), 112, "window-classifier").things
    best = min(things, key=lambda thing: abs(shared.longer(thing[1]) - 0.8 * 28))[1]
    for axis in (0, 1):
        assert abs((best[axis] + best[axis + 2]) / 2 - (box.xyxy[axis] + 14)) <= 2
        assert box.xyxy[axis] % 4 == 0
    nothing = shared.Look(pictures.Picture(scene().image, "a photograph"), 56, "window-classifier")
    assert nothing.things == [] and nothing.start in ((12, 12), (16, 16)), "in the middle, between two places"


def test_another_size_begins_anew(visit, sound, drawn):
    at = sound(visit(PAGE, {"window_place": "3,5"}))
    assert drawn.boxes("window_hand")[0].xyxy == (3, 5, 31, 33)
    at.session_state["window_side"] = 80
    sound(at.run())
    start = shared.Look(scene(), 80, "window-classifier").start
    assert drawn.boxes("window_hand")[0].xyxy[:2] == start and "window_place" not in at.query_params


def test_nonsense_in_a_link_is_answered_in_a_sentence(visit, sound, drawn):
    at = visit(PAGE, {"window_place": "here", "window_at": "there"})
    assert not at.exception
    told = "\n".join(error.value for error in at.error)
    assert "window_place is no place like" in told and "window_at is no output like" in told
    sound(visit(PAGE, {"window_place": "999,-7", "window_at": "999,999"}))
    assert drawn.boxes("window_hand")[0].xyxy == (84, 0, 112, 28)
    assert [box.xyxy for box in drawn.boxes("window_of_output")] == [(84, 84, 112, 112)]


def test_one_size_all_sizes_and_the_errata(visit, sound, prose):
    told = prose(sound(visit(PAGE)))
    assert "(600 − 28 + 1) · (800 − 28 + 1) = **442,929** places" in told
    assert "600 + 599 + … + 1 = 600 · 601 / 2 = 180,300" in told and "800 · 801 / 2 = 320,400" in told
    assert "600 · 601 / 2 · 800 · 801 / 2 = **57,768,120,000**" in told
    assert "57,768,120,000 boxes, about 58 **billion**" in told and "about 58 million boxes" in told
    assert "50 × 50 = 4 sets of outputs" in told and "50 × 50 = 2500" in told
    assert "4 class scores and 4 coordinates, 8 channels" in told


def test_all_places_of_a_window_are_drawn(visit, sound, drawn, prose):
    state = {"picture_height": 300, "picture_width": 400, "window_height": 100, "window_width": 40}
    sound(visit(PAGE, **{f"window_count_{name}": value for name, value in state.items()}))
    boxes = {box.id: box.xyxy for box in drawn.boxes("window_count_picture")}
    left, top, right, bottom = boxes["places"]
    assert (right - left) * (bottom - top) == sliding_window.positions(300, 400, 100, 40)
    assert boxes["last"] == (360, 200, 400, 300) and boxes["window"] == (0, 0, 40, 100)
    told = prose(sound(visit(PAGE, window_count_window_height=1000)))
    assert "**0** places." in told and "larger than the picture" in told
    assert {box.id for box in drawn.boxes("window_count_picture")} == {"picture", "window"}


@pytest.mark.parametrize(("side", "per_axis"), [(56, 8), (80, 14), (112, 22), (224, 50)])
def test_maps_of_all_windows_and_their_number(visit, sound, drawn, said, side, per_axis):
    at = sound(visit(PAGE, {"predict": "off"}, window_side=side))
    found = catalog.load("window-classifier")(scene().image, side)
    for index in range(4):
        shown = drawn.layer(f"window_map_{index}", components.Heat)
        np.testing.assert_array_equal(shown.values, found.probabilities[index].numpy())
        assert (shown.vmin, shown.vmax) == (0, 1) and shown.values.shape == (per_axis, per_axis)
    assert f"{per_axis} × {per_axis} = {per_axis**2:,} windows of 28 × 28 pixels" in said(at)
    last = {box.id: box.xyxy for box in drawn.boxes("window_places")}["last"]
    assert last == (4 * (per_axis - 1),) * 2 + (4 * (per_axis - 1) + 28,) * 2 and max(last) <= side


@pytest.mark.parametrize(("threshold", "overlap"), [(0.5, 0.3), (0.05, 0.0), (0.99, 1.0), (0.3, 0.7)])
def test_thresholds_and_nms(visit, sound, drawn, prose, threshold, overlap):
    at = sound(visit(PAGE, window_threshold=threshold, window_overlap=overlap))
    found = catalog.load("window-classifier")(scene().image, 112)
    boxes = sliding_window.window_boxes(22, 22) * 2  # drawn on 224 pixels
    above = sliding_window.above(found.probabilities, boxes, threshold)
    kept = nms.survivors(above.boxes, above.scores, overlap, above.labels)
    assert f"**{len(above.scores):,}** of 484 windows say a class with p ≥ {threshold:.2f}" in prose(at)
    assert f"NMS keeps **{len(kept)}**" in prose(at)
    windows = [box for box in drawn.boxes("window_kept") if box.id.startswith("w")]
    assert len(windows) == min(len(kept), 80)
    if len(kept):
        best = windows[-1]
        assert best.xyxy == tuple(above.boxes[kept[0]].tolist())
        assert best.label == f"{CLASSES[int(above.labels[kept[0]])]} {float(above.scores[kept[0]]):.2f}"
    truth = [box.xyxy for box in drawn.boxes("window_above") if box.id.startswith("truth")]
    there = [t.box for t in scene().view.instances if t.label in CLASSES[:3]]
    np.testing.assert_allclose(truth, there)


def test_the_questions_have_what_is_drawn_as_their_answers(visit, sound, drawn, prose):
    asked = {"predict-window-count": "441", "predict-window-nms": "fewer", "predict-window-stride": "6",
             "predict-window-price": "1"}  # fmt: skip
    told = prose(sound(visit(PAGE, asked)))
    rows, columns = drawn.layer("window_map_0", components.Heat).values.shape
    assert rows * columns == 484 and "You said **441**. It is **484**, because (112 − 28) / 4 + 1 = 22" in told
    left = len([box for box in drawn.boxes("window_kept") if box.id.startswith("w")])
    true = len([box for box in drawn.boxes("window_kept") if box.id.startswith("truth")])
    assert left > true == 3 and f"“more”**. {left} boxes, {true} things." in told
    assert "You said **6**. It is **4**, because strides are multiplied: 1 · 4 · 1 · 1 = 4." in told
    slid, once = price.prices(4, 100)[112]
    assert f"You said **1**. It is **{round(slid / once)}**. {slid / once:.1f} times" in told


def test_the_cards_of_the_three_networks_stand_side_by_side(visit, sound, prose):
    told = prose(sound(visit(PAGE)))
    for name in (*shared.NETWORKS.values(), shared.BOXES):
        card = catalog.card(name)
        found = card["metrics"]
        boxes = f"{found['box_ap50']:.2f}" if name == "window-localizer" else "–"
        row = f"| {name} | {card['parameters']:,} | {found['accuracy']:.0%} | {found['window_ap50']:.2f} | {boxes} |"
        assert row in told


def test_crop_and_map_agree_to_the_last_digit_printed(visit, sound, drawn):
    sound(visit(PAGE, {"window_at": "13,16"}))
    both = drawn.grids["window_same"]["scores"]
    assert both.values.shape == (4, 2) and np.ptp(both.values) > 1
    printed = [[both.format % value for value in row] for row in both.values]
    assert all(left == right for left, right in printed)
    own = catalog.load("window-classifier")(scene().image, 112).logits[:, 13, 16]
    np.testing.assert_allclose(both.values[:, 1], own, atol=1e-4)
    assert [box.xyxy for box in drawn.boxes("window_of_output")] == [(64, 52, 92, 80)]
    assert [box.xyxy for box in drawn.boxes("window_output")] == [(16, 13, 17, 14)]


def test_an_output_under_the_pointer_shows_its_window(visit, sound, drawn):
    point = {"x": 3.7, "y": 5.2, "what": None}
    sound(visit(PAGE, **{"window_output.live": {"message": {"sequence": 1, "hover": point}}}))
    assert [box.xyxy for box in drawn.boxes("window_of_output")] == [(12, 20, 40, 48)]
    click = {"x": 2.2, "y": 7.9, "what": None, "when": 1}
    at = sound(visit(PAGE, **{"window_output.live": {"message": {"sequence": 1, "click": click}}}))
    assert [box.xyxy for box in drawn.boxes("window_of_output")] == [(8, 28, 36, 56)]
    assert at.query_params["window_at"] in ("7,2", ["7,2"])


@pytest.mark.parametrize("unit", [1, 57, 100])
def test_one_unit_is_a_filter_of_6_by_6_by_4(visit, sound, drawn, prose, unit):
    told = prose(sound(visit(PAGE, {"window_at": "4,9"}, window_unit=unit)))
    weights = np.stack([drawn.grids["window_unit_weights"][f"w{k}"].values for k in range(4)])
    patch = np.stack([drawn.grids["window_unit_patch"][f"x{k}"].values for k in range(4)])
    assert weights.shape == patch.shape == (4, 6, 6) and weights.size == 144
    trained = catalog.load("window-classifier").module.layers[3]
    np.testing.assert_allclose(weights, trained.weight[unit - 1], atol=1e-7)
    value = float((weights * patch).sum() + trained.bias[unit - 1])
    assert f"= **{value:.4f}**, after ReLU {max(value, 0):.4f}" in told
    terms = (weights * patch).sum((1, 2))
    assert all(f"{abs(term):.4f}" in told for term in terms)


def test_the_lectures_table_of_maps(visit, sound, prose, said):
    at = sound(visit(PAGE))
    told = prose(at)
    assert "| map | window, stride on it | 28² input | 32² input | 112² input | 224² input |" in told
    assert "| picture | 28 × 28, 4 | 28² | 32² | 112² | 224² |" in told
    assert "| after conv 5×5×3 | 24 × 24, 4 | 24² | 28² | 108² | 220² |" in told
    assert "| after max pool 4 | 6 × 6, 1 | 6² | 7² | 27² | 55² |" in told
    assert "| after conv 6×6×4 | 1 × 1, 1 | 1² | 2² | 22² | 50² |" in told
    assert "| after conv 1×1×100 | scores | 1² | 2² | 22² | 50² |" in told
    assert "28² gives 1 × 1 = 1 windows. 32² gives 2 × 2 = 4 windows." in said(at)
    assert "224² gives 50 × 50 = 2,500 windows." in said(at)


@pytest.mark.parametrize(("side", "per_axis"), [(28, 1), (32, 2), (224, 50)])
def test_the_lectures_pictures_give_equal_scores_both_ways(side, per_axis):
    image = scene().image
    scores = convolution.maps_of(image, side)[2]
    assert scores.shape == (4, per_axis, per_axis)
    for row, column in {(0, 0), (per_axis - 1, 0), (per_axis // 2, per_axis - 1)}:
        alone, mapped = convolution.compared(image, side, row, column).T
        assert [f"{a:.6f}" for a in alone] == [f"{b:.6f}" for b in mapped]
        np.testing.assert_allclose(mapped, scores[:, row, column], atol=1e-12)


def test_the_price_of_both_ways(visit, sound, drawn, prose):
    told = prose(sound(visit(PAGE, window_side=224)))
    assert "At 224 × 224: **469.0 M** multiply-adds window by window, **51.5 M** at once" in told
    once = drawn.layer("window_times_once", components.Heat).values
    slid = drawn.layer("window_times_slid", components.Heat).values
    assert once[112, 112] == 25 and slid.max() == 900 and once[0, 0] == slid[0, 0] == 1
    counted = price.prices(4, 100)
    assert counted[28] == (187_600, 187_600)
    assert counted[224] == (187_600 * 2500, 75 * 4 * 220**2 + (144 * 100 + 400) * 2500)


def test_both_ways_are_timed_on_growing_pictures(visit, sound, prose, monkeypatch):
    monkeypatch.setattr(price, "GROWING", (28, 40))
    at = sound(visit(PAGE))
    at.button(key="window_measure").click().run()
    told = prose(sound(at))
    assert re.search(r"40 × 40 pixels.*: \*\*[\d.]+ m?s\*\* one by one", told)
    assert float(re.search(r"differ by at most \*\*(\S+)\*\*", told)[1]) < 1e-4


def test_a_photograph_has_no_truth_and_a_warning(visit, sound, drawn, prose):
    at = sound(visit(PAGE, {"predict": "off"}, window_source="Photograph"))
    assert any("drawn Lab World scenes only" in each.value for each in at.info)
    assert not [box for box in drawn.boxes("window_above") if box.id.startswith("truth")]
    assert "The scene has" not in prose(at)


@settings(deadline=None, max_examples=3, suppress_health_check=list(HealthCheck))
@given(
    st.fixed_dictionaries(
        {
            "window_seed": st.integers(0, 40), "window_side": st.sampled_from(shared.SIDES),
            "window_network": st.sampled_from(list(shared.NETWORKS)), "window_threshold": st.floats(0.05, 0.99),
            "window_overlap": st.floats(0, 1), "window_unit": st.integers(1, 100), "window_objects": st.just((0, 12)),
            "window_count_window_width": st.integers(1, 1000),
        }
    )
)  # fmt: skip
def test_no_control_state_breaks_the_page(visit, sound, state):
    sound(visit(PAGE, **state))
