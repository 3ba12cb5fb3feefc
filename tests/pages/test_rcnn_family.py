"""The R-CNN Family page, R-CNN: crops of the proposals, the run over all of them, SVMs and box regression."""

import re
import time

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labs import box_regression, region_svm, region_warp
from labs import boxes as box_lab
from models import catalog
from pages.rcnn_family import crops, crops_boxes, crops_svm, crops_work, shared
from pages.rcnn_family.crop_pictures import crop_of
from pages.rcnn_family.shared import Run, Step
from scenes import THINGS
from ui import pictures

PAGE = "rcnn_family"
pytestmark = pytest.mark.skipif("rcnn" not in catalog.shipped(), reason="it has no weights yet")


def look(seed: int = shared.SEED, mode: str = "fast", most: int = 100) -> shared.Look:
    return shared.Look(pictures.from_lab_world(seed, objects=(2, 6)), mode, most)


def test_the_chosen_proposal_is_shown_warped_in_three_ways(visit, sound, drawn, prose):
    told = prose(sound(visit(PAGE, rcnn_proposal=7, rcnn_padding=0)))
    box = look().boxes[6]
    chosen = {each.id: each.xyxy for each in drawn.boxes("rcnn_proposals")}
    assert chosen["chosen"] == chosen["source"] == tuple(box.tolist())
    for index, way in enumerate(region_warp.WAYS):
        shown = drawn.pictures[f"rcnn_crop_{index}"]
        assert shown.shape == (227, 227, 3)
        np.testing.assert_array_equal(shown, crop_of(look().picture.image, box, 0, way))
    width, height = (box[2:] - box[:2]).tolist()
    assert f"**{width:.0f} × {height:.0f}** pixels become 227 × 227 in a crop of 227 × 227" in told
    assert f"× **{227 / width:.1f}** across and × **{227 / height:.1f}** down" in told


def test_the_border_is_16_pixels_of_the_crop_at_first(visit, sound, drawn):
    sound(visit(PAGE))
    boxes = {each.id: each.xyxy for each in drawn.boxes("rcnn_proposals")}
    wide, wider = (boxes[name][2] - boxes[name][0] for name in ("chosen", "source"))
    assert wider / wide == pytest.approx(227 / 195)
    assert len([name for name in boxes if name.startswith("proposal-")]) == crops.DRAWN


def test_a_click_on_a_proposal_chooses_it(visit, sound, drawn):
    click = {"x": 5.0, "y": 5.0, "what": "proposal-11", "when": 1}
    sound(visit(PAGE, **{"rcnn_proposals.live": {"message": {"sequence": 1, "click": click}}}))
    chosen = {each.id: each.xyxy for each in drawn.boxes("rcnn_proposals")}["chosen"]
    assert chosen == tuple(look().boxes[11].tolist())


def test_all_sections_are_given_the_same_proposals_in_the_same_order():
    both = [shared.in_order(np.array(order, float)) for order in (
        [[0, 0, 50, 50], [0, 0, 10, 10], [5, 5, 9, 9]], [[5, 5, 9, 9], [0, 0, 50, 50], [0, 0, 10, 10]])]  # fmt: skip
    np.testing.assert_array_equal(*both)
    many = np.array([[0, 0, side, side] for side in range(1, 201)], float)
    ordered = shared.in_order(many)
    assert sorted(ordered[:, 2]) == list(range(1, 201))
    assert ordered[:50, 2].mean() > ordered[-50:, 2].mean() + 30, "large ones rather first"


def test_r_cnn_goes_through_the_proposals_and_says_what_it_took(visit, sound, drawn, prose):
    at = sound(visit(PAGE, {"predict": "off"}, rcnn_count=20, rcnn_lowest=-0.6))
    assert not [box for box in drawn.boxes("rcnn_found") if box.id.startswith("found")]
    sound(at.button(key="rcnn_run").click().run())
    chosen = look(most=20)
    for _ in range(600):
        if crops_work.finished(chosen):
            break
        time.sleep(0.1)
    told = prose(sound(at.run()))
    assert re.search(r"One region took \*\*[\d.]+ m?s\*\* here, measured on 20. For 2,000 that makes \*\*[\d.]+", told)
    assert "The lectures' R-CNN, with VGG16: 47 s." in told
    found = catalog.load("rcnn")(chosen.picture.image, chosen.boxes)
    yes = found.scores >= -0.6
    shown = [box for box in drawn.boxes("rcnn_found") if box.id.startswith("found")]
    assert len(shown) == int(yes.sum())
    np.testing.assert_allclose(sorted(b.xyxy for b in shown), sorted(found.boxes[yes].tolist()), atol=1e-2)
    run = crops_work.run_of(chosen)
    assert [step.share for step in run.steps] == [1] * 4 and run.steps[0].seconds == chosen.searched.seconds
    for name in ("car", "duck"):
        index = THINGS.index(name)
        things = [thing.box for thing in chosen.picture.view.instances if thing.label == name]
        truth = torch.from_numpy(np.array(things, np.float32)).reshape(-1, 4)
        label = region_svm.label_regions(chosen.boxes, truth)
        margins = crops_work.margins_of(chosen)[:, index]
        hard = int(((label < 0) & (margins > -1)).sum())
        assert len(crops_svm.hard_ones(chosen, label, name)) == hard
        if name == "car":
            assert f"**{hard}** of the negatives are hard" in told
    fewer = crops_work.run_of(look(most=10))
    assert fewer.steps[2].seconds == pytest.approx(run.steps[2].seconds / 2), "as much of the time as of the regions"


def test_bars_stand_one_after_the_other_in_one_scale():
    nothing = (torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64), torch.zeros(0))
    run = Run("R-CNN", *nothing, (Step("a", 1.0), Step("b", 1.0, 0.5)))
    text = shared._bars_of(run, 4.0)
    assert re.findall(r"left:([\d.]+)%;width:([\d.]+)%", text) == [("0.00", "25.00"), ("25.00", "50.00")]
    assert "together 2.0 s" in text and Step("b", 1.0, 0.0).whole == 0
    assert [shared.duration(each) for each in (0.0008, 0.047, 3.21)] == ["0.8 ms", "47 ms", "3.2 s"]


@pytest.mark.parametrize(("high", "low", "name"), [(1.0, 0.3, "car"), (0.5, 0.1, "duck"), (1.0, 0.5, "person")])
def test_regions_are_sorted_by_the_rule_of_the_sliders(visit, sound, drawn, prose, high, low, name):
    told = prose(sound(visit(PAGE, {"predict": "off"}, rcnn_positive=high, rcnn_negative=low, rcnn_class=name)))
    things = [thing.box for thing in look().picture.view.instances if thing.label == name]
    truth = torch.from_numpy(np.array(things, np.float32)).reshape(-1, 4)
    label = region_svm.label_regions(torch.cat([truth, look().boxes]), truth, high, low)
    yes, no, out = (int((label == each).sum()) for each in (1, -1, 0))
    assert f"For **{name}**: **{yes}** positive, **{no}** negative, **{out}** left out." in told
    assert yes >= len(truth)
    colours = [box.colour for box in drawn.boxes("rcnn_labels")]
    assert colours.count(shared.BLUE) == yes and len(colours) == min(len(label), crops_svm.DRAWN)


def test_a_margin_is_the_sum_of_the_cells_and_the_bias(visit, sound, drawn, prose):
    told = prose(sound(visit(PAGE, rcnn_region=9, rcnn_class="duck")))
    network = catalog.load("rcnn")
    margins = network.judge(network.features(network.crops(look().picture.image, look().boxes[8:9])))[0][0]
    np.testing.assert_allclose(drawn.grids["rcnn_margins"]["margins"].values[0], margins, atol=1e-4)
    cells = np.array(drawn.grids["rcnn_cells"]["cells"].values)
    index = list(drawn.grids["rcnn_margins"]["margins"].columns).index("duck")
    assert cells.shape == (3, 3)
    assert cells.sum() + float(network.module.head.svms.bias[index]) == pytest.approx(float(margins[index]), abs=1e-3)
    assert f"margin **{crops_svm.signed(float(margins[index]))}**. The SVM of duck says **" in told


@pytest.mark.parametrize("penalty", [1, 1_000, 1_000_000])
def test_a_region_is_moved_by_the_ridge_of_the_slider(visit, sound, drawn, prose, penalty):
    told = prose(sound(visit(PAGE, {"predict": "off"}, rcnn_lambda=penalty, rcnn_moved=3, rcnn_class="duck")))
    known, new = (crops_boxes.sample_of("duck", seeds) for seeds in (crops_boxes.LEARN, crops_boxes.NEW))
    assert not set(known.seeds) & set(new.seeds)
    assert float(box_lab.iou(known.regions, known.truths).min()) > 0.6
    learned = box_regression.ridge(known.features, known.targets, float(penalty))
    moved = box_lab.decode(learned(new.features), new.regions)
    boxes = {box.id: box.xyxy for box in drawn.boxes("rcnn_moved_at")}
    assert boxes["after"] == pytest.approx(moved[2].tolist(), abs=1e-2)
    assert boxes["before"] == tuple(new.regions[2].tolist())
    before, after = (float(box_lab.iou(each, new.truths).mean()) for each in (new.regions, moved))
    assert f"on new ones **{before:.3f}** → **{after:.3f}**" in told


def test_questions_follow_the_controls(visit, sound, prose):
    asked = {"predict-rcnn-pixels": "10", "predict-rcnn-ridge": "worse"}
    told = prose(sound(visit(PAGE, asked, rcnn_count=10)))
    assert "10 · 227² = 515,290 pixels, the picture has 50,176: **× 10.3**" in told
    assert "You said **10**" in told
    assert "You said **“worse”**" in told or "**“worse”**" in told


def test_a_photograph_has_no_truth_and_a_warning(visit, sound, drawn):
    at = sound(visit(PAGE, {"predict": "off"}, rcnn_source="Photograph", rcnn_count=10))
    assert any("drawn Lab World scenes only" in each.value for each in at.info)
    assert any("only known where the truth is known" in each.value for each in at.info)
    assert not [box for box in drawn.boxes("rcnn_proposals") if box.id.startswith("truth")]


def test_a_classifier_of_photographs_names_the_regions_without_svms():
    photograph = shared.Look(pictures.photograph("Cat"), "fast", 6)
    work = crops_work.work_on(photograph.picture.image, "fast", crops_work.IMAGENET)
    assert list(crops_work.frames(photograph.picture.image, photograph.searched, crops_work.IMAGENET, work, 6)) == [
        1, 2, 3, 4, 5, 6]  # fmt: skip
    network = catalog.load(crops_work.IMAGENET)
    crop = crop_of(photograph.picture.image, photograph.boxes[4], 16 * 224 / 227, region_warp.WARP, 224)
    torch.testing.assert_close(work.said[4][0], network(crop).probabilities)
    found = crops_work.named(photograph, 0.0)
    assert found.names and set(found.names) <= set(network.classes)
    assert len(crops_work.named(photograph, 1.1).names) == 0


def test_a_picture_of_one_colour_is_one_region():
    plain = np.full((224, 224, 3), 90, np.uint8)
    assert shared.searched(plain, "fast").boxes.tolist() == [[0, 0, 224, 224]]


@pytest.mark.parametrize("count", [0, 1])
def test_one_region_or_none_make_sense(visit, drawn, monkeypatch, count):
    whole = shared.Search(torch.tensor([[0.0, 0, 224, 224]])[:count], 0.1)
    monkeypatch.setattr(shared, "searched", lambda _image, _mode: whole)
    at = visit(PAGE, {"predict": "off"}, rcnn_seed=901, rcnn_objects=(0, 0))
    assert not at.exception
    sentence = "Selective search finds no region in this picture: choose another one."
    assert {error.value for error in at.error} == ({sentence} if not count else set())
    assert len([box for box in drawn.boxes("rcnn_labels") if box.colour == shared.VERMILION]) == count


@settings(deadline=None, max_examples=2, suppress_health_check=list(HealthCheck))
@given(
    st.fixed_dictionaries(
        {
            "rcnn_seed": st.integers(0, 40), "rcnn_count": st.sampled_from(shared.COUNTS),
            "rcnn_proposal": st.integers(1, 300), "rcnn_padding": st.integers(0, 48),
            "rcnn_class": st.sampled_from(["car", "ball"]), "rcnn_lambda": st.sampled_from(crops_boxes.PENALTIES),
            "rcnn_objects": st.just((0, 12)), "rcnn_positive": st.floats(0.5, 1), "rcnn_negative": st.floats(0, 0.5),
        }
    )
)  # fmt: skip
def test_no_control_state_breaks_the_page(visit, sound, state):
    sound(visit(PAGE, **state))
