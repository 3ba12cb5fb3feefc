"""Boxes, pyramids, their AP and the central pixel: what the page draws is what the network says, window by window."""

import re
import time

import numpy as np
import pytest
import streamlit as st
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from streamlit.testing.v1 import AppTest
from torchvision import ops

import scenes
from labs import image_pyramid, segmentation_metrics
from labs.sliding_window import CLASSES
from models import catalog
from models.recipes.scene_cache import held_out_seeds
from pages.shared import offered
from pages.sliding_window import boxes, evaluated, pixels, pyramid, searched
from ui import components, pictures

SEED = 7


SECTION = """
from pages.sliding_window import {name}
from ui import page, pictures

page.begin("Sliding Window")
{name}.{name}({picture})
"""


@pytest.fixture
def run():
    """Function: a visit to one section of the page, with nothing asked and thresholds that let something through."""
    quick = {"window_seed": SEED, "window_box_score": 0.3, "pyramid_score": 0.4}

    def opened(name: str, query: dict | None = None, **state) -> AppTest:
        picture = "" if name == "evaluated" else "pictures.choose('window', seed=7)"
        at = AppTest.from_string(SECTION.format(name=name, picture=picture), default_timeout=600)
        for key, value in ({"predict": "off"} | (query or {})).items():
            at.query_params[key] = value
        for key, value in (quick | state).items():
            at.session_state[key] = value
        return at.run()

    return opened


def picture(seed: int = SEED):
    return pictures.from_lab_world(seed)


def truth(seed: int = SEED) -> list[tuple[str, np.ndarray]]:
    return [(thing.label, thing.box) for thing in picture(seed).view.instances if thing.label in CLASSES[:-1]]


def of_the_network(name: str, side: int, threshold: float, seed: int = SEED) -> tuple[torch.Tensor, ...]:
    """Windows, boxes, labels and scores above a threshold, by the network's own call: windows of `side` pixels."""
    seen = catalog.load(name)(picture(seed).image, round(224 * 28 / side))
    scores, labels = seen.probabilities[:-1].max(0)
    there = scores >= threshold
    moved = seen.windows if seen.boxes is None else seen.boxes
    return seen.windows[there], moved[there].clamp(0, 224), labels[there], scores[there]


def places(found: list[components.Box], prefix: str) -> np.ndarray:
    rows = sorted(box.xyxy for box in found if box.id.startswith(prefix))
    return np.array(rows).reshape(-1, 4)


def sorted_rows(found: torch.Tensor) -> np.ndarray:
    return np.array(sorted(map(tuple, found.double().tolist()))).reshape(-1, 4)


@pytest.mark.parametrize("side", [56, 112])
def test_windows_and_boxes_are_those_of_the_network(run, sound, drawn, prose, side):
    windows, moved, labels, _ = of_the_network(searched.LOCALIZER, side, 0.9)
    at = sound(run("boxes", window_box_side=side, window_box_score=0.9))
    assert 0 < len(windows) <= boxes.SHOWN
    np.testing.assert_allclose(places(drawn.boxes("window_box_before"), "window-"), sorted_rows(windows), atol=1e-3)
    np.testing.assert_allclose(places(drawn.boxes("window_box_after"), "window-"), sorted_rows(moved), atol=1e-2)
    assert f"**{len(windows)}** say a thing" in prose(at)
    shown = [box for box in drawn.boxes("window_box_after") if box.id.startswith("truth-")]
    assert len(shown) == len(truth())
    overlaps = []
    for found in (windows, moved):
        best = [
            max([float(ops.box_iou(box[None], torch.tensor(there)[None].float())) for name, there in truth()
                 if name == CLASSES[label]], default=0.0)
            for box, label in zip(found, labels.tolist(), strict=True)
        ]  # fmt: skip
        overlaps.append(np.array(best))
    touching = overlaps[0] > 0
    if touching.any():
        means = [each[touching].mean() for each in overlaps]
        assert f"Mean IoU {means[0]:.2f} before, **{means[1]:.2f}** after" in prose(at)


def test_the_opened_window_makes_its_box(run, sound, drawn, prose):
    """The surest window stands open; its four lines are the box transform of the numbers in the grid."""
    windows, _, labels, scores = of_the_network(searched.LOCALIZER, 56, 0.3)
    best = int(scores.argmax())
    said = prose(sound(run("boxes", window_box_side=56, window_box_score=0.3))).replace("−", "-")
    outputs = drawn.grids["window_box_outputs"]["outputs"]
    assert outputs.values.shape == (1, 8) and list(outputs.columns[:4]) == list(CLASSES)
    tx, ty, tw, th = outputs.values[0, 4:]
    x1, y1, x2, y2 = windows[best].tolist()
    lines = dict(re.findall(r"(centre x|centre y|width|height) = .*= \*\*(-?[\d.]+)\*\*", said))
    assert float(lines["centre x"]) == pytest.approx((x1 + x2) / 2 + (x2 - x1) * tx, abs=0.051)
    assert float(lines["centre y"]) == pytest.approx((y1 + y2) / 2 + (y2 - y1) * ty, abs=0.051)
    assert float(lines["width"]) == pytest.approx((x2 - x1) * np.exp(tw), abs=0.051)
    assert float(lines["height"]) == pytest.approx((y2 - y1) * np.exp(th), abs=0.051)
    assert f"**{CLASSES[int(labels[best])]}**, p = {float(scores[best]):.2f}" in said


def test_a_link_opens_its_window_and_a_wrong_one_says_so(run, sound, drawn, prose):
    sound(run("boxes"))
    thin = [box for box in drawn.boxes("window_box_before") if box.id.startswith("window-") and box.width < 4]
    other = min(thin, key=lambda box: box.id)
    row, column = other.id.removeprefix("window-").split("-")
    sound(run("boxes", {"window_box_at": f"{row},{column}"}))
    bold = [box.id for box in drawn.boxes("window_box_before") if box.width == 4]
    assert bold == [other.id]
    at = run("boxes", {"window_box_at": "a,b"})
    assert [error.value for error in at.error] == ["The link's window_box_at is not a window like 4,4: click on one "
                                                   "instead."]  # fmt: skip


def test_no_window_above_the_threshold_is_no_defect(run, sound, drawn, prose):
    boxes_said = prose(sound(run("boxes", window_box_score=0.99, window_box_side=160, window_seed=1)))
    assert "**0** say a thing with a score of 0.99" in boxes_said and not drawn.grids
    assert "4 class scores + 4 coordinates = 8 channels" in boxes_said
    at = sound(run("pyramid", pyramid_score=0.99, pyramid_count=1, window_seed=1))
    assert "**0** boxes above the score threshold, **0** after NMS" in prose(at)
    assert [box.dash for box in drawn.boxes("pyramid_levels")] == [True]


@pytest.mark.parametrize("name", pyramid.NETWORKS)
def test_nms_goes_over_all_levels(run, sound, drawn, prose, name):
    """By the network's own call, level by level, and torchvision's NMS."""
    threshold, overlap, count, step = 0.6, 0.3, 3, 1.6
    parts = [of_the_network(name, 28 * step**level, threshold) for level in range(count)]
    every = [torch.cat(column) for column in zip(*parts, strict=True)]
    kept = ops.batched_nms(every[1], every[3], every[2], overlap)
    at = sound(run("pyramid", pyramid_network=name, pyramid_score=threshold, pyramid_nms=overlap, pyramid_count=count,
                   pyramid_step=step))  # fmt: skip
    assert len(every[1]) <= searched.MOST
    assert f"**{len(every[1])}** boxes above the score threshold, **{len(kept)}** after NMS." in prose(at)
    np.testing.assert_allclose(places(drawn.boxes("pyramid_kept"), "kept-"), sorted_rows(every[1][kept]), atol=1e-2)
    hit = sum(
        any(float(ops.box_iou(every[1][i][None], torch.tensor(box)[None].float())) >= 0.5
            and CLASSES[int(every[2][i])] == label for i in kept.tolist())
        for label, box in truth()
    )  # fmt: skip
    assert f"find **{hit} of {len(truth())}** things" in prose(at)


def test_the_strip_shows_every_level_and_its_window(run, sound, drawn):
    sound(run("pyramid", pyramid_count=3, pyramid_step=2.0))
    strip, shown = drawn.pictures["pyramid_levels"], drawn.boxes("pyramid_levels")
    assert strip.shape == (224, 224 + 112 + 56 + 2 * pyramid.GAP, 3)
    np.testing.assert_array_equal(strip[:, :224], picture().image)
    assert {box.colour for box in shown} == set(pyramid.COLOURS[:3])
    for box in shown:
        x1, y1, x2, y2 = box.xyxy
        assert (x2 - x1, y2 - y1) == (28, 28)
        left, side = {0: (0, 224), 1: (230, 112), 2: (348, 56)}[pyramid.COLOURS.index(box.colour)]
        assert left <= x1 and x2 <= left + side and 224 - side <= y1 and y2 <= 224


def test_the_price_is_the_series(run, sound, prose):
    said = prose(sound(run("pyramid", pyramid_count=2, pyramid_step=2.0)))
    assert "2 levels, each 2 times smaller" in said and "**25 %**" in said and "stays below 1.33" in said
    assert "Windows: 2,500 + 484 = **2,984**" in said


def test_a_photograph_has_no_truth(run, sound, drawn, prose):
    said = "".join(prose(sound(run(name, window_source="Photograph"))) for name in ("boxes", "pyramid", "pixels"))
    assert "IoU with the nearest" not in said and "mIoU windows" not in said and "find **" not in said
    for key in ("window_box_before", "window_box_after", "pyramid_kept"):
        assert not [box for box in drawn.boxes(key) if box.id.startswith("truth-")]
        assert "truth" not in drawn.options[key]["caption"]
    assert "window_pixels_truth" not in drawn.pictures


# --- AP over scenes


@pytest.fixture
def two(monkeypatch):
    """Two scenes are all there are, two scales, one stride."""
    monkeypatch.setattr(evaluated, "STRIDES", (4, 8, 16))
    monkeypatch.setattr(evaluated, "SCALES", 2)
    st.cache_resource.clear()


def test_the_scenes_are_judged_once_and_the_rest_after_a_stop(two, monkeypatch):
    seen, tables, looked = {}, {}, []
    judged = evaluated.judged
    monkeypatch.setattr(evaluated, "judged", lambda seed: looked.append(seed) or judged(seed))
    begun = evaluated.work(2, seen, tables)
    first = next(begun)
    begun.close()  # as when it is stopped
    assert first[0] == 1 and looked == [held_out_seeds(2)[0]] and not tables
    told = [(done, parts) for done, parts, _ in evaluated.work(2, seen, tables)]
    assert looked == list(held_out_seeds(2))
    assert [done for done, _ in told] == list(range(1, told[-1][1] + 1)), "one part after the other, up to all"
    table = tables[2]
    assert len(table.ways) == len(evaluated.WAYS) * 3 * 2
    every = [seen[seed] for seed in held_out_seeds(2)]
    way = (evaluated.FIRST, 4, 2)
    assert table.ways[way] == evaluated.mean_ap([each.found[way] for each in every], [each.truths for each in every])


def test_fewer_scales_and_a_coarser_stride_leave_windows_out():
    sizes = [(224, 224), (160, 160)]
    image = picture().image
    levels = [searched.search(searched.LOCALIZER, image, size, number, 4) for number, size in enumerate(sizes)]
    every = searched.sure(image_pyramid.together(levels), 0.05)
    whole = evaluated.left_of(every, False, 4, 2)
    assert {round(x2 - x1) for x1, _, x2, _ in whole.boxes.tolist()} == {28, 39}
    one = evaluated.left_of(every, False, 4, 1)
    assert {round(x2 - x1) for x1, _, x2, _ in one.boxes.tolist()} == {28}
    coarse = evaluated.left_of(every, False, 28, 1)
    assert np.all(coarse.boxes % 28 == 0), "windows that only touch"
    assert set(one.labels.tolist()) <= set(evaluated.LABELS) and len(one.labels) <= evaluated.BEST
    moved = evaluated.left_of(every, True, 4, 1)
    assert not np.array_equal(moved.boxes[:5], one.boxes[:5])


def test_labels_are_those_of_the_truth():
    assert [scenes.THINGS[label - 1] for label in evaluated.LABELS] == ["car", "motorcycle", "street sign"]


def fake(best: float, few: float, coarse: float) -> evaluated.Table:
    """A table in which only three of the first way's figures differ from 0.1."""
    ways = {(way, stride, scales): 0.1 for way in evaluated.WAYS for stride in evaluated.STRIDES
            for scales in range(1, evaluated.SCALES + 1)}  # fmt: skip
    ways[evaluated.FIRST, 4, evaluated.SCALES], ways[evaluated.FIRST, 4, 1] = best, few
    ways[evaluated.FIRST, 16, evaluated.SCALES] = coarse
    return evaluated.Table(ways, 0.987)


@pytest.mark.parametrize(
    ("few", "coarse", "answer"), [(0.2, 0.3, "Six scales instead of one"), (0.4, 0.3, "Stride 4 instead of 16")]
)
def test_the_curves_show_what_was_judged(run, sound, prose, few, coarse, answer):
    st.cache_resource.clear()
    at = sound(run("evaluated", window_scenes=20))
    assert "Judge the scenes" in [button.label for button in at.button]
    evaluated.known()[1][20] = fake(0.5, few, coarse)
    said = prose(sound(run("evaluated", window_scenes=20)))
    assert f"**“{answer}”**" in said and "The detector: **0.987**" in said and "reaches AP **0.500**" in said
    figure = evaluated.figure_of(fake(0.5, few, coarse), 4)
    lines = {trace.name: list(trace.y) for trace in figure.data}
    assert lines[evaluated.FIRST] == [few, 0.1, 0.1, 0.1, 0.1, 0.5]
    assert set(lines["the lab's detector"]) == {0.987}


# --- the central pixel


def test_the_thirteen_classes_are_folded_into_four():
    names = {name: CLASSES[label] for name, label in zip(scenes.CLASSES, pixels.FOLDED, strict=True)}
    assert [name for name, label in names.items() if label == name] == ["car", "motorcycle", "street sign"]
    assert {label for name, label in names.items() if label != name} == {"other"}


@pytest.mark.parametrize("stride", [1, 4])
def test_each_pixel_has_the_class_of_the_window_around_it(stride):
    image = picture().image
    found = pixels.label_by_windows(searched.CLASSIFIER, image, 28, stride).labels
    assert found.shape == (224, 224) and found.max() < len(CLASSES)
    wide = np.pad(image, ((28, 28), (28, 28), (0, 0)), mode="reflect")
    model = catalog.load(searched.CLASSIFIER)
    random = np.random.default_rng(0)
    for row, column in random.integers(0, 224, (12, 2)).tolist():
        top, left = (at // stride * stride + stride // 2 + 14 for at in (row, column))
        scores = model.classify(wide[top : top + 28, left : left + 28])
        if float(scores.topk(2).values.diff().abs()) > 1e-4:  # rounding decides nothing
            assert int(scores.argmax()) == found[row, column]


def test_the_page_scores_both_maps(run, sound, drawn, prose):
    said = prose(
        sound(run("pixels", window_pixels_network=searched.WIDE, window_pixels_side=56, window_pixels_stride=4))
    )
    true = pixels.FOLDED[picture().view.semantic]
    slid = drawn.layer("window_pixels_slid", components.Labels).values
    whole = drawn.layer("window_pixels_whole", components.Labels).values
    np.testing.assert_array_equal(slid, pixels.label_by_windows(searched.WIDE, picture().image, 56, 4).labels)
    np.testing.assert_array_equal(whole, pixels.FOLDED[catalog.load("segmenter-bilinear")(picture().image).labels])
    np.testing.assert_array_equal(drawn.layer("window_pixels_truth", components.Labels).values, true)
    means = []
    for labels in (slid, whole):
        there = [c for c in range(4) if (true == c).any()]
        means.append(
            np.mean([((labels == c) & (true == c)).sum() / ((labels == c) | (true == c)).sum() for c in there])
        )
    assert f"mIoU windows **{means[0]:.3f}** · segmenter-bilinear **{means[1]:.3f}**" in said
    assert f"| {searched.WIDE} | 1 |" in said and "| segmenter-bilinear | 1 |" in said


@settings(deadline=None, max_examples=10)
@given(some.sampled_from([28, 40, 56, 112]), some.sampled_from(pixels.STRIDES))
def test_a_finer_stride_costs_more(side, stride):
    size = pixels.size_for(picture().image, side)
    one = pixels.price_of_windows(searched.CLASSIFIER, size, 4)
    assert pixels.price_of_windows(searched.CLASSIFIER, size, stride) == one * {1: 16, 2: 4}.get(stride, 1)


def test_over_scenes_the_counts_add_up(monkeypatch, run, sound, prose):
    monkeypatch.setattr(pixels, "COUNT", 2)
    st.cache_resource.clear()
    what = (searched.CLASSIFIER, 56, 8)
    told = list(pixels.work(*what, pixels.known()))
    assert [each[:2] for each in told] == [(1, 2), (2, 2)]
    ours = np.zeros((4, 4), np.int64)
    for seed in held_out_seeds(2):
        view = scenes.render(scenes.sample(seed), 224)
        labels = pixels.label_by_windows(searched.CLASSIFIER, view.image, 56, 8).labels
        ours += segmentation_metrics.confusion_matrix(pixels.FOLDED[view.semantic], labels, 4)
    np.testing.assert_array_equal(pixels.known()[what][0], ours)
    said = prose(
        sound(run("pixels", window_pixels_network=what[0], window_pixels_side=what[1], window_pixels_stride=what[2]))
    )
    assert "IoU over 2 scenes" in said and f"**{segmentation_metrics.mean_iou(ours):.3f}** |" in said


# --- in the background


def test_the_button_begins_the_work_and_stop_ends_it(run, monkeypatch):
    """A click begins a run of its own; a second click stops it, and the page says so."""

    def endless(*_):
        while True:
            yield 3, 10, "Scenes"

    st.cache_resource.clear()
    monkeypatch.setattr(evaluated, "work", endless)
    at = run("evaluated")
    at.button(key="window_judge").click().run()
    _, job = at.session_state["_window_judge"]
    assert job.running and "Scenes: 3 of 10" in str([each.proto for each in at.get("progress")]) + str(job.look())
    at.button(key="window_judge_stop").click().run()
    assert not job.running and offered.SAID["stopped"] in [each.value for each in at.caption]


def test_other_settings_stop_the_work(run, monkeypatch):
    st.cache_resource.clear()
    monkeypatch.setattr(evaluated, "work", lambda *_: iter(lambda: (1, 2, "Scenes"), None))
    at = run("evaluated", window_scenes=20)
    at.button(key="window_judge").click().run()
    _, job = at.session_state["_window_judge"]
    job.patience = 3600  # that nobody looks at it any more would end it as well
    at.segmented_control(key="window_scenes").set_value(50).run()
    end = time.monotonic() + 60
    while job.running and time.monotonic() < end:
        time.sleep(0.02)
    stopped = job.state
    job.stop(wait=60)
    assert stopped == "stopped"
