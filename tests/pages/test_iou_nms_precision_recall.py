"""The IoU, NMS and Precision-Recall page: the chain from two boxes to mAP, with a network and without, at every end."""

import functools
import re

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

import scenes
from labs import average_precision as ap
from labs import boxes as geometry
from labs.matching import KINDS, Detections, Truths, judge
from models import catalog
from models.inside import raw_boxes
from models.inside.raw_boxes import Raw
from models.networks import detector
from models.recipes import detector as detector_recipe
from pages.iou_nms_precision_recall import (
    by_hand,
    judged_scenes,
    mean_ap,
    notebook,
    ranking,
    rankings,
    shared,
    stored_errors,
    suppression,
    two_boxes,
    verdicts,
)
from pages.iou_nms_precision_recall import drawn as drawn_boxes
from ui import components, figures, page

PAGE = "iou_nms_precision_recall"
trained = pytest.mark.skipif(not (catalog.WEIGHTS / "detector.json").exists(), reason="the detector has no weights")


CACHES = (
    shared.raw_boxes, shared.held_out, shared.drawn_scene, shared.detections_of, stored_errors.sorted_errors,
    stored_errors.paired, rankings.comparisons_of, rankings.ranked_at,
    mean_ap.per_class, judged_scenes.tiles,
)  # fmt: skip


def forget() -> None:
    for each in CACHES:
        each.clear()
    fresh.cache_clear()  # what it has said is also remembered with it


@pytest.fixture(autouse=True, scope="module")
def last_asked():
    """Which network the test before has asked, by fixture; "" for the trained one."""
    forget()
    yield {"network": ""}
    forget()


@pytest.fixture(autouse=True)
def nothing_remembered_of_another_network(request, last_asked):
    """Of the same network it is: looking at the scenes is what takes the time."""
    now = next((name for name in ("network", "no_weights") if name in request.fixturenames), "")
    if now != last_asked["network"]:
        forget()
    last_asked["network"] = now


@pytest.fixture
def nothing_remembered():
    forget()
    yield
    forget()


@functools.cache
def fresh() -> detector.LoadedDetector:
    torch.manual_seed(3)
    module = detector_recipe.build("detector").eval().requires_grad_(False)
    return detector.LoadedDetector("detector", module, torch.device("cpu"), {})


@pytest.fixture
def network(monkeypatch):
    """The real network, freshly initialised: it knows nothing, but its boxes are as raw as any."""
    monkeypatch.setattr(catalog, "load", lambda name: fresh())
    return fresh()


@pytest.fixture
def no_weights(monkeypatch):
    def refuse(name):
        raise ValueError(f"{name} has no weights yet: python -m models train {name} makes them.")

    monkeypatch.setattr(catalog, "load", refuse)


@pytest.fixture
def run(visit):
    """Function: a visit to the page, which ranks the boxes of few scenes and raises nothing."""

    def opened(**state) -> AppTest:
        at = visit(PAGE, **{"pr_scenes": 10, "fails_scenes": 10} | state)
        assert not at.exception
        return at

    return opened


@pytest.fixture
def words(prose):
    """Function: all that the page says."""
    return lambda at: " ".join([prose(at), *(each.value for kind in (at.caption, at.info) for each in kind)])


# --- two boxes


@pytest.mark.parametrize(
    ("start", "word"),
    [
        ("Decent", "decent"),
        ("Pretty good", "pretty good"),
        ("Almost perfect", "almost perfect"),
        ("Apart", "not a match"),
    ],
)
def test_every_start_deserves_its_name(start, word):
    truth, guess = (torch.tensor(box.xyxy, dtype=torch.float64) for box in two_boxes.start_boxes(start))
    assert geometry.word(float(geometry.iou(truth, guess))) == word
    assert guess.min() >= 0 and guess.max() <= two_boxes.SIDE, "every handle can be caught"


def test_without_weights_one_sentence_and_the_rest_works(run, no_weights, drawn, words):
    at = run()
    assert at.title[0].value == "IoU, NMS and Precision-Recall"
    assert at.error and all("has no weights yet" in e.value and "\n" not in e.value for e in at.error)
    truth, guess = (torch.tensor(box.xyxy, dtype=torch.float64) for box in two_boxes.start_boxes("Decent"))
    assert f"= {float(geometry.iou(truth, guess)):.3f}**" in words(at) and "That is **decent**" in words(at)
    assert "almost perfect ≥ 0.9" in words(at) and "decent ≥ 0.5" in words(at)
    assert {"truth", "prediction", "common"} <= {box.id for box in drawn.boxes("iou_stage")}
    assert any("bx = px + pw · tx" in code.value for code in at.code)


@pytest.mark.parametrize("measure", two_boxes.MEASURES)
@pytest.mark.parametrize("start", two_boxes.STARTS)
def test_every_measure_draws_every_start(run, no_weights, drawn, measure, start):
    run(iou_measure=measure, iou_stage=two_boxes.start_boxes(start), iou_pixels="VOC devkit (+1)")
    names = {box.id for box in drawn.boxes("iou_stage")}
    assert ("common" in names) == (start != "Apart")
    assert ("hull" in names) == (measure != "IoU")


def test_the_boxes_are_in_the_address_and_come_back_from_it(visit, run, no_weights, drawn):
    moved = two_boxes.pair((10.0, 20.5, 90.0, 120.0), (30.1, 40.0, 100.7, 150.3))
    at = run(iou_stage=moved)
    assert at.query_params["iou_boxes"] == "10,20.5,90,120,30.1,40,100.7,150.3"
    other = visit(PAGE, {"iou_boxes": "10,20.5,90,120,30.1,40,100.7,150.3"})
    assert [box for box in drawn.boxes("iou_stage") if box.editable] == moved
    other.session_state["iou_stage"] = two_boxes.start_boxes("Decent")
    other.run()
    assert "iou_boxes" not in other.query_params


@pytest.mark.parametrize("measure", ["GIoU", "DIoU", "CIoU"])
def test_the_chosen_measure_stands_beside_the_picture(run, no_weights, words, measure):
    """Apart, IoU is 0 at any distance, and the chosen measure still changes."""
    near = two_boxes.pair((10.0, 10.0, 50.0, 50.0), (60.0, 10.0, 100.0, 60.0))
    far = two_boxes.pair((10.0, 10.0, 50.0, 50.0), (160.0, 10.0, 200.0, 60.0))
    numbers = []
    for boxes in (near, far):
        said = words(run(iou_measure=measure, iou_stage=boxes))
        value = float(two_boxes.MEASURES[measure](*(torch.tensor(box.xyxy, dtype=torch.float64) for box in boxes)))
        assert f"**{measure} = {value:.3f}**".replace("-", "−") in said and "px² = 0.000**" in said
        numbers.append(value)
    assert numbers[1] < numbers[0] < 0


def test_an_iou_and_its_word_agree_in_every_digit(run, no_weights, words):
    said = words(run(iou_stage=two_boxes.pair((0.0, 0.0, 200.0, 200.0), (0.0, 0.0, 199.9, 100.0))))
    assert "px² = 0.4998**" in said and "That is **not a match**" in said


def test_detectors_without_nms_are_not_denied(run, prose):
    found = prose(run())
    assert "Most detectors end in NMS" in found and "Every detector" not in found


def test_exactly_half_is_a_match_in_words(run, no_weights, words):
    whole, half = (0.0, 0.0, 100.0, 100.0), (0.0, 0.0, 100.0, 50.0)
    said = words(run(iou_stage=two_boxes.pair(whole, half)))
    assert "= 0.500**" in said and "That is **decent**" in said and ":green-badge[decent ≥ 0.5]" in said
    assert "The lecture writes > 0.5" in said


def test_voc_is_said_to_be_the_matching_rule_only(run, network):
    helps = {each.key: each.proto.help for each in run().get("button_group")}
    assert all("VOC" in helps[key] and "matching rule only" in helps[key] for key in ("judge_rule", "pr_rule"))


@trained
def test_cocos_trap_is_named(run, words):
    assert "0.35 lies a hair above 7/20" in words(run()) and "35/101 = 0.347" in words(run())


def test_the_page_has_one_rule_of_suppression(network):
    """The ranking over scenes and the story of one picture keep the same boxes."""
    held = shared.held_out(10_000_000)
    (found,) = shared.detections_of((10_000_000,), 0.3)
    kept = suppression.suppress(held.raw, suppression.GREEDY, 0.3, 0.0).kept
    kept = [index for index in kept if held.raw.scores[index] > shared.HEAD_SCORE][: shared.HEAD_MOST]
    assert np.array_equal(found.boxes, held.raw.boxes[kept].numpy())


@pytest.mark.parametrize("link", ["here", "1,2,3", "9,9,1,1,0,0,5,5", "nan,0,1,1,0,0,5,5", ""])
def test_a_link_without_two_boxes_is_answered_in_a_sentence(visit, no_weights, drawn, link):
    at = visit(PAGE, {"iou_boxes": link})
    assert not at.exception and any("are not two boxes" in error.value for error in at.error)
    assert [box for box in drawn.boxes("iou_stage") if box.editable] == two_boxes.start_boxes("Decent")


def test_a_box_without_area_is_answered_in_words(run, no_weights, words):
    flat = components.Box("prediction", (20.0, 20.0, 20.0, 90.0), editable=True)
    at = run(iou_stage=[two_boxes.start_boxes("Decent")[0], flat])
    assert "width and a height above 0" in words(at)


def test_a_start_is_a_button_that_always_brings_it_back(run, no_weights, drawn):
    """Also when its boxes were dragged away since; what is dragged away is no longer marked."""
    moved = two_boxes.pair((10.0, 20.5, 90.0, 120.0), (30.1, 40.0, 100.7, 150.3))
    at = run(iou_stage=moved)
    starts = [button for button in at.button if (button.key or "").startswith("iou_start_")]
    assert len(starts) == 5 and {button.proto.type for button in starts} == {"secondary"}
    at.button(key="iou_start_Decent").click().run()
    assert [box for box in drawn.boxes("iou_stage") if box.editable] == two_boxes.start_boxes("Decent")


@pytest.mark.parametrize("start", two_boxes.STARTS)
def test_a_link_may_name_a_start(visit, no_weights, drawn, start):
    at = visit(PAGE, {"iou_start": start, "pr_scenes": "10"})
    assert [box for box in drawn.boxes("iou_stage") if box.editable] == two_boxes.start_boxes(start)
    assert "iou_start" not in at.query_params


@pytest.mark.parametrize("measure", ["GIoU", "DIoU", "CIoU"])
def test_what_a_measure_adds_to_the_picture_is_named(run, no_weights, drawn, measure):
    run(iou_measure=measure)
    caption = drawn.options["iou_stage"]["caption"]
    lines = sum(len(layer.segments) for layer in drawn.every("iou_stage", components.Lines))
    assert lines == {"GIoU": 0, "DIoU": 2, "CIoU": 4}[measure]
    assert ("centres" in caption) == (measure != "GIoU") and ("angles" in caption) == (measure == "CIoU")


# --- from raw boxes to verdicts


def raw(rows) -> Raw:
    table = torch.tensor(rows, dtype=torch.float32).reshape(-1, 6)
    table = table[torch.argsort(table[:, 5], descending=True, stable=True)]
    return Raw(table[:, :4], table[:, 4].long(), table[:, 5], 2400, 0.05, "cpu")


THREE = raw([(0, 0, 10, 10, 1, 0.9), (0, 0, 10, 8, 1, 0.8), (0, 0, 10, 10, 2, 0.7), (50, 50, 60, 60, 1, 0.2)])


def test_greedy_outcome_names_the_winner_and_leaves_other_classes_alone():
    outcome = suppression.suppress(THREE, suppression.GREEDY, 0.5, 0.0)
    assert outcome.kept == [0, 2, 3] and outcome.before == 4
    assert outcome.winner == {1: (0, pytest.approx(0.8))}
    assert suppression.suppress(THREE, suppression.GREEDY, 0.5, 0.3).before == 3
    assert suppression.suppress(THREE, suppression.GREEDY, 1.0, 0.0).winner == {}
    assert suppression.suppress(THREE, suppression.GREEDY, 0.5, 1.0).kept == []


def test_soft_outcome_keeps_the_loser_with_a_smaller_score():
    outcome = suppression.suppress(THREE, suppression.LINEAR, 0.5, 0.1)
    assert outcome.kept == [0, 2, 3, 1]
    assert outcome.scores.tolist() == pytest.approx([0.9, 0.7, 0.2, 0.16])
    assert suppression.suppress(THREE, suppression.LINEAR, 0.5, 0.19).winner == {1: (0, pytest.approx(0.8))}
    gaussian = suppression.suppress(THREE, suppression.GAUSSIAN, 0.5, 0.0)
    assert min(gaussian.scores.tolist()) == pytest.approx(0.2)  # 0.8 · exp(-0.64 / 0.5) = 0.222


def test_every_kind_of_verdict_has_its_sentence():
    truths = Truths(np.array([[0.0, 0, 10, 10], [50, 50, 60, 60]]), np.array([1, 2]))
    rows = np.array([
        (0, 0, 10, 10, 1, 0.9), (0, 0, 10, 8, 1, 0.7), (0, 0, 10, 4, 1, 0.6), (50, 50, 60, 60, 1, 0.8),
        (50, 50, 60, 53, 3, 0.5), (200, 0, 220, 20, 2, 0.4),
    ])  # fmt: skip
    detections = Detections(rows[:, :4], rows[:, 4].astype(int), rows[:, 5])
    verdicts = judge(detections, truths).verdicts
    said = [shared.because(v, i, detections, truths, 0.5) for i, v in enumerate(verdicts)]
    expected = ["is **true**", "**duplicate**", "**badly placed**", "**class confusion**", "**class and place**",
                "**background**"]  # fmt: skip
    assert all(part in sentence for part, sentence in zip(expected, said, strict=True))
    assert "already found by person 0.90" in said[1] and "0.800 (pretty good)" in said[1]
    assert "a cat with IoU 1.000" in said[3]
    assert set(KINDS) - {v.kind for v in verdicts} == {"ignored"}


@pytest.mark.parametrize(
    ("iou", "said"), [(0.4999, "0.4999 (not a match)"), (0.5, "0.500 (decent)"), (0.8999, "0.8999 (pretty good)")]
)
def test_a_word_never_stands_beside_a_number_that_belongs_to_another(iou, said):
    assert shared.in_words(iou, 0.5) == said


def test_an_iou_just_below_the_threshold_is_not_rounded_up_to_it():
    truths = Truths(np.array([[0.0, 0, 100, 100]]), np.array([1]))
    low = Detections(np.array([[0.0, 0, 100, 74.97]]), np.array([1]), np.array([0.9]))
    (verdict,) = judge(low, truths, 0.75).verdicts
    assert "is 0.7497, and 0.75 is asked" in shared.because(verdict, 0, low, truths, 0.75)


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (["true", "duplicate", "background"], "1 true · 2 false (1 duplicate) · 3 missed"),
        (["duplicate", "duplicate"], "0 true · 2 false (2 duplicates) · 3 missed"),
        (["true", "localisation"], "1 true · 1 false · 3 missed"),
        (["true", "ignored"], "1 true · 0 false · 1 not counted · 3 missed"),
    ],
)
def test_a_duplicate_is_one_way_of_being_false(kinds, said):
    assert verdicts.tally(kinds, 3) == said


def test_what_does_not_count_is_not_in_the_precision():
    """One hit, and one detection on a thing that is hardly seen."""
    truths = Truths(np.array([[0.0, 0, 10, 10], [50, 50, 60, 60]]), np.array([1, 1]), crowd=np.array([False, True]))
    found = Detections(truths.boxes, np.array([1, 1]), np.array([0.9, 0.8]))
    said = verdicts.shares(judge(found, truths), truths)
    assert said[:2] == [
        "Precision = true / all detections = 1 / 1 = **1.00**", "Recall = true / ground truths = 1 / 1 = **1.00**",
    ]  # fmt: skip


def test_the_networks_own_detections_are_the_pages(network):
    """Raw boxes, then the page's NMS at the heads' thresholds, equal what torchvision's heads return."""
    held = shared.held_out(10_000_000)
    (ours,) = shared.detections_of((10_000_000,), 0.5)
    theirs = network(held.image, masks=False, keypoints=False)
    np.testing.assert_allclose(ours.boxes, theirs.boxes, atol=1e-3)
    np.testing.assert_array_equal(ours.labels, theirs.labels)
    np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-5)


def test_the_network_runs_once_per_picture(nothing_remembered, run, network, monkeypatch):
    seen = []
    call = type(network).__call__
    monkeypatch.setattr(
        type(network), "__call__", lambda self, image, **o: (seen.append(image), call(self, image, **o))[1]
    )
    at = run()
    first = len(seen)
    assert first == 12  # the picture, the one for published detectors, and ten scenes (all detectors are one network)
    for key in ("nms_threshold", "score_threshold", "pr_nms", "pr_iou", "fails_score", "fails_iou"):
        at.session_state[key] = 0.55
        at.run()
    assert len(seen) == first and not at.exception


@pytest.mark.parametrize("method", [suppression.GREEDY, suppression.LINEAR, suppression.GAUSSIAN])
@pytest.mark.parametrize(
    ("nms_threshold", "score_threshold"), [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.5, 0.1)]
)
def test_no_end_of_a_slider_breaks_the_page(run, network, drawn, words, method, nms_threshold, score_threshold):
    at = run(nms_method=method, nms_threshold=nms_threshold, score_threshold=score_threshold)
    assert not at.error
    said = words(at)
    assert ("Score threshold 0:" in said) == (score_threshold == 0)
    assert ("NMS threshold 1:" in said) == (method == suppression.GREEDY and nms_threshold == 1)
    if score_threshold == 1:
        judged = drawn.boxes("judge_stage")
        assert "Nothing reaches the score threshold" in said and not any("found" in box.id for box in judged)
        assert "missed" in " ".join(box.label for box in judged)


def test_crowds_of_boxes_do_not_hide_the_picture_behind_labels(run, network, drawn):
    run(nms_threshold=1.0, score_threshold=0.0)
    for stage in ("nms_stage", "judge_stage"):
        found = [box for box in drawn.boxes(stage) if box.id.startswith(("raw", "found"))]
        assert len(found) == raw_boxes.MOST and all(box.note for box in found)
        assert sum(len(box.label) > 2 for box in found) == shared.NAMED
    found = [box for box in drawn.boxes("judge_stage") if box.id.startswith("found")]
    assert sum(bool(box.label) for box in found) == verdicts.SIGNED


def test_a_scene_without_objects(run, network, words):
    at = run(nms_objects=(0, 0))
    assert "No object is in this scene" in words(at)


def test_a_photograph_has_no_judge(run, network, words):
    assert "no known truth" in words(run(nms_source="Photograph"))


def test_step_by_step_begins_with_the_best_box(run, network, drawn):
    run(nms_stepwise=True, score_threshold=0.0, nms_threshold=0.3)
    assert [box.colour for box in drawn.boxes("nms_stage")].count(shared.BLUE) == 1
    kept = next(box for box in drawn.boxes("nms_stage") if box.colour == shared.BLUE)
    assert kept.id == "raw-0"


def test_a_held_out_scene_can_be_opened_and_left(visit, network, prose):
    at = visit(PAGE, {"nms_held": "10000003", "pr_scenes": "10"})
    assert "**Scene 10000003**" in prose(at)
    taken = lambda: "".join(cell.source for cell in notebook.cells(at.session_state))  # noqa: E731
    assert "scenes.sample(10000003)" in taken() and "scenes.sample(3147)" not in taken()
    at = at.button(key="nms_held_back").click().run()
    assert "**Scene 10000003**" not in prose(at) and "nms_held" not in at.query_params
    assert "scenes.sample(3147)" in taken() and "10000003)" not in taken()


@pytest.mark.parametrize("seed", ["7", "10000050", "x"])
def test_no_other_scene_is_opened_by_its_number(visit, network, prose, seed):
    at = visit(PAGE, {"nms_held": seed, "pr_scenes": "10"})
    assert "from the ranking" not in prose(at) and "nms_held" not in at.query_params and not at.exception


@trained
def test_the_first_scene_shows_what_the_threshold_is_for(run, words):
    """Three motorcycles: all found once; too strict loses a neighbour, too loose finds each again and again."""
    assert "3 true · 0 false · 0 missed" in words(run())
    assert "1 missed" in words(run(nms_threshold=0.1))
    assert "duplicates" in words(run(nms_threshold=0.9))


def test_soft_nms_is_not_said_to_suppress(run, network, words):
    said = words(run(nms_method=suppression.GAUSSIAN, nms_raw=0, score_threshold=0.01, nms_threshold=0.3))
    assert "is kept and suppresses" not in said


# --- by hand


def test_by_hand_is_the_lectures_sequence(run, no_weights, words):
    """True, true, false (a duplicate), false (badly placed), true: AP = 1/3 + 1/3 + 1/3 · 3/5."""
    said = words(run())
    assert [bool(re.search(rf"\*\*{i}\. true\*\*", said)) for i in range(1, 6)] == [True, True, False, False, True]
    assert "**3. false, taken by 1**" in said and "**4. false, below 0.5**" in said
    assert "= **0.867**" in said and "precision 3/5 · recall 3/3" in said


def test_by_hand_goes_step_by_step(run, no_weights, words, drawn):
    state = {"predict-hand-true": "shown"}
    at = run(hand_step=2, **state)
    assert "**2. true**" in words(at) and "**3. false" not in words(at) and "= **0.667**" in words(at)
    colours = {box.id: box.colour for box in drawn.boxes("hand_stage") if box.id.startswith("detection")}
    assert list(colours.values()) == [shared.GREEN, shared.GREEN, shared.ORANGE, shared.ORANGE, shared.ORANGE]


def test_a_box_moved_by_hand_changes_its_verdict_and_is_in_the_address(visit, run, no_weights, words, drawn):
    boxes = by_hand.start_boxes()
    boxes[2] = by_hand.placed([box.xyxy for box in boxes[:2]] + [(0, 0, 9, 9)] + [box.xyxy for box in boxes[3:]])[2]
    at = run(hand_stage=boxes)
    assert "**3. false, below 0.5** · IoU 0.000" in words(at)
    other = visit(PAGE, {"hand_boxes": at.query_params["hand_boxes"], "pr_scenes": "10"})
    assert "**3. false, below 0.5** · IoU 0.000" in words(other)


# --- the ranking


@trained
@pytest.mark.parametrize("score", [0.05, 0.5, 0.99, 1.0])
def test_one_threshold_moves_counts_curve_and_scenes(run, prose, drawn, monkeypatch, score):
    """Recounted from the boxes of the pictures themselves, one scene at a time."""
    figures_drawn, figure = {}, page.figure

    def watch(fig, key, **more):
        figures_drawn[key] = fig
        figure(fig, key, **more)

    monkeypatch.setattr(page, "figure", watch)
    at = run(pr_score=score)
    dog, seeds = 3, tuple(range(10_000_000, 10_000_010))
    hits = false = missed = 0
    for found, truths in zip(shared.detections_of(seeds, 0.5), shared.truths_of_scenes(seeds), strict=True):
        mine = found.subset((found.labels == dog) & (found.scores >= score))
        judgement = judge(mine, truths, 0.85)
        hits += sum(verdict.kind == "true" for verdict in judgement.verdicts)
        false += sum(verdict.kind not in ("true", "ignored") for verdict in judgement.verdicts)
        missed += sum(truths.labels[g] == dog for g in judgement.missed)
    assert f"**TP {hits} · FP {false} · FN {missed}**" in prose(at)
    boxes = drawn.boxes("pr_scenes_judged")
    assert len(boxes) <= hits + false + missed and (len(boxes) > 0)
    ring = figures_drawn["pr_curve"].data[-1]
    assert len(ring.x) == (1 if hits + false else 0)
    if hits + false:
        assert ring.x[0] == pytest.approx(hits / (hits + missed)) and ring.y[0] == pytest.approx(hits / (hits + false))
    else:
        assert "precision undefined" in prose(at)


@trained
def test_a_click_on_a_box_of_the_scenes_opens_its_detection(run, monkeypatch, words):
    begun = components.stage

    def clicked(key, *rest, **more):
        view = begun(key, *rest, **more)
        view.clicked, view.click = True, components.Spot(5.0, 5.0, "ranked-1")
        return view

    monkeypatch.setattr(judged_scenes, "stage", clicked)
    assert "**Detection 2 of" in words(run(pr_step=1))


def test_a_class_that_no_scene_has_is_said_so(nothing_remembered, run, network, monkeypatch, words):
    monkeypatch.setattr(
        scenes, "sample", lambda seed, *a, real=scenes.sample: real(seed, scenes.Knobs(classes=("cat",)))
    )
    said = words(run(pr_class="duck"))
    assert "None of these 10 scenes has a duck" in said
    assert "Without a truth in these scenes" in said and "duck" in said.split("Without a truth")[1]


def test_the_curve_marks_every_detection_and_the_current_one(network):
    held = [shared.held_out(seed) for seed in range(10_000_000, 10_000_003)]
    true = np.array([True, False, True, False])
    numbers = np.zeros(4, int)
    ranked = ap.Ranking(np.array([0.9, 0.8, 0.7, 0.6]), true, numbers, numbers, numbers, np.ones(4), 4)
    curve = ap.precision_recall(true, 4)
    fig = ranking.curve(ranked, *curve, 3, held, "VOC07 11-point")
    traces = {trace.name: trace for trace in fig.data if trace.name}
    assert list(traces["11 samples"].y) == pytest.approx([1] * 3 + [2 / 3] * 3 + [0] * 5)
    assert list(traces["true"].x) == [0.25, 0.5] and list(traces["false"].marker.opacity) == [1.0, 0.4]
    assert list(traces["true"].customdata[1][:2]) == [3, 0.7]
    assert (fig.data[-1].x[0], fig.data[-1].y[0]) == (0.5, pytest.approx(2 / 3))


def test_the_area_drawn_is_the_exact_ap(network):
    """The filled steps of VOC's all-point rule enclose the number on the page."""
    held = [shared.held_out(10_000_000)]
    true = np.array([False, True, True, False, True])
    numbers = np.zeros(5, int)
    ranked = ap.Ranking(np.linspace(0.9, 0.5, 5), true, numbers, numbers, numbers, np.ones(5), 4)
    filled = ranking.curve(ranked, *ap.precision_recall(true, 4), 5, held, "VOC all-point").data[0]
    assert filled.line.shape == "vh" and filled.fill == "tozeroy"
    area = float((np.diff(filled.x) * np.asarray(filled.y)[1:]).sum())  # vh: first up or down, then across
    assert area == pytest.approx(ap.average_precision(ranked, "VOC all-point"))


@trained
def test_the_trained_detector_finds_most_things(run, words):
    at = run()
    values = [float(found) for found in re.findall(r"-point\]\s+\*\*(\S+)\*\*", words(at))]
    assert len(values) == 3 and min(values) > 0.5
    assert "precision = 1 / 1 = **1.00**" in words(run(pr_step=1))


@trained
@pytest.mark.parametrize("name", [each for each in ("yolo-anchor", "ssd") if each in catalog.shipped()])
def test_another_detector_is_thinned_out_and_judged_alike(run, words, name):
    at = run(nms_detector=name, pr_detector=name)
    raw = raw_boxes.raw_boxes(catalog.load(name), scenes.render(scenes.sample(3147)).image)
    assert f"**{int((raw.scores >= 0.3).sum())} raw boxes → " in words(at)
    held = shared.evaluation_scenes(10, name)
    found = shared.detections_of(tuple(each.seed for each in held), 0.5, name)
    ranked = ap.rank(ap.compare(found, [each.truths for each in held], scenes.THINGS.index("dog") + 1), 0.85, "COCO")
    assert f"VOC all-point\n\n**{ap.average_precision(ranked, 'VOC all-point'):.3f}**" in words(at).replace(
        ":gray[VOC all-point]", "VOC all-point"
    )
    assert any(each.value.startswith(f"{name} ·") for each in at.caption)


@trained
@pytest.mark.parametrize("iou", [0.5, 0.75])
def test_the_table_of_all_classes_follows_the_slider_and_says_so(run, words, prose, iou):
    """The dog's three numbers above the table are the dog's row in it."""
    at = run(pr_iou=iou)
    assert f"The first three columns are at **IoU ≥ {iou:.2f}**, the slider above" in prose(at)
    above = [float(found) for found in re.findall(r"-point\]\s+\*\*(\S+)\*\*", words(at))]
    table = at.dataframe[0].value.set_index("class")
    assert table.loc["dog", list(ap.AP_RULES)].tolist() == pytest.approx(above, abs=6e-4)


@trained
def test_the_table_is_the_labs_own_evaluation():
    """The page's cached, per-class way gives what labs.average_precision.summarise gives in one go."""
    seeds = tuple(each.seed for each in shared.evaluation_scenes(10))
    rows = mean_ap.per_class(seeds, 0.5, 0.75, "COCO")
    whole = ap.summarise(shared.detections_of(seeds, 0.5), shared.truths_of_scenes(seeds), range(1, 9))
    assert np.nanmean([row["AP@[.5:.95]"] for row in rows]) == pytest.approx(whole.mean_ap)
    assert np.nanmean([row["AR"] for row in rows]) == pytest.approx(whole.average_recall)


@trained
def test_a_point_of_the_curve_shows_its_detection_and_a_click_goes_there(run, monkeypatch, words):
    monkeypatch.setattr(figures, "touched", lambda key: figures.Touch(under=2))
    at = run(pr_step=1)
    assert "**Detection 2 of" in words(at) and at.session_state["pr_step"] == 1
    monkeypatch.setattr(figures, "touched", lambda key: figures.Touch(under=3, clicked=3))
    at = run(pr_step=1)
    assert "**Detection 3 of" in words(at) and at.session_state["pr_step"] == 3


def test_a_box_is_drawn_and_a_pixel_costs_a_small_thing_more(visit, sound, drawn, said, network):
    found = {}
    for which in (drawn_boxes.LARGE, drawn_boxes.SMALL):
        at = sound(visit(PAGE, {"predict-iou-drawn": "60,120,150,200", "drawn_which": which}))
        boxes = {box.id: torch.tensor(box.xyxy).double() for box in drawn.boxes("iou_drawn_truth")}
        found[which] = drawn_boxes.slipped(boxes["truth"], 1)
        width, height = (boxes["truth"][2:] - boxes["truth"][:2]).tolist()
        assert found[which] == pytest.approx(width * height / ((width + 2) * (height + 2)))
        text = said(at)
        assert f"IoU of **{float(geometry.iou(boxes['truth'], boxes['guess'])):.2f}**" in text
        assert f"| 1 px | {found[which]:.2f} |" in text and f"{width:.0f} × {height:.0f} px" in text
    assert found[drawn_boxes.LARGE] > found[drawn_boxes.SMALL] + 0.05
