"""Where does it fail? What the section shows is recounted from the stored detections, and every cell and bar leads to
its pictures."""

import re

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from labs import confusion_matrix, detection_errors
from labs.average_precision import mean_of_defined
from models import catalog
from models.recipes.scene_cache import held_out_seeds
from pages.iou_nms_precision_recall import failure_bars, failure_matrix, failures, shared, stored_errors
from pages.shared.detectors import NAMES
from scenes import THINGS
from ui import figures, page

SEEDS = tuple(held_out_seeds(10))
pytestmark = pytest.mark.skipif(
    not {"detector", "ssd", "yolo-cell"} <= set(catalog.shipped()), reason="the detectors have no weights"
)


SECTION = "from pages.iou_nms_precision_recall import failures\nfailures.where_it_fails()"


@pytest.fixture
def look(sound):
    """Function: the section alone with few scenes, nothing veiled, with this in its address and this state."""

    def opened(view, query=None, /, **state):
        at = AppTest.from_string(SECTION, default_timeout=600)
        for key, value in {"predict": "off", **(query or {})}.items():
            at.query_params[key] = value
        for key, value in {"fails_scenes": 10, "fails_view": view, **state}.items():
            at.session_state[key] = value
        return sound(at.run())

    return opened


@pytest.fixture
def charts(monkeypatch):
    found, figure = {}, page.figure

    def watch(fig, key, **more):
        found[key] = fig
        figure(fig, key, **more)

    monkeypatch.setattr(page, "figure", watch)
    return found


def errors_of(network="ssd", iou=0.5, score=0.3):
    found, truths = shared.detections_of(SEEDS, 0.5, network), shared.truths_of_scenes(SEEDS)
    return detection_errors.sort_out([each.subset(each.scores >= score) for each in found], truths, iou)


@pytest.mark.parametrize(("score", "iou"), [(0.3, 0.5), (0.0, 0.1), (1.0, 1.0)])
def test_matrices_and_counts_follow_the_sliders(look, drawn, prose, score, iou):
    at = look("Confusion matrix", fails_score=score, fails_iou=iou)
    said, truths = prose(at), shared.truths_of_scenes(SEEDS)
    for name, network in zip("ab", ("ssd", "yolo-cell")):
        found = shared.detections_of(SEEDS, 0.5, network)
        counts = confusion_matrix.matrix(confusion_matrix.entries(found, truths, iou, score), 8)
        grid = drawn.grids["fails_matrix"][name]
        assert [[int(text or 0) for text in row] for row in grid.text] == counts.tolist()
        errors = errors_of(network, iou, score)
        ap = mean_of_defined(detection_errors.average_precisions(errors, 8))
        true = (errors.kind == "true").sum()
        assert f"**{NAMES[network]}**: AP **{ap:.3f}** · {true} true" in said
    boxes = drawn.boxes("fails_scenes_shown")
    assert boxes and all(box.dash == box.id.startswith("truth") for box in boxes)


def test_a_chosen_cell_shows_its_pictures(look, drawn, prose):
    entries = confusion_matrix.entries(
        shared.detections_of(SEEDS, 0.5, "yolo-cell"), shared.truths_of_scenes(SEEDS), 0.5, 0.3
    )
    counts = confusion_matrix.matrix(entries, 8)
    row = int(counts[:-1, -1].argmax())
    assert counts[row, -1] > 0
    at = look("Confusion matrix", {"fails_matrix_at": f"b,{row},8"})
    assert f"**{NAMES['yolo-cell']}: {THINGS[row]} missed, {counts[row, -1]}×**" in prose(at)
    boxes = drawn.boxes("fails_scenes_shown")
    assert len(boxes) == counts[row, -1] and all(box.dash and box.label == THINGS[row] for box in boxes)


def test_shares_are_those_of_a_row(look, drawn):
    look("Confusion matrix", fails_cells="Shares", fails_first="detector", fails_second="detector")
    grids = drawn.grids["fails_matrix"]
    assert list(grids) == ["a"], "one detector chosen twice is shown once"
    assert set(text for row in grids["a"].text for text in row) > {""}
    sums = grids["a"].values[:-1].sum(axis=1)
    assert np.isclose(sums, 1).all()


def test_bars_say_what_each_kind_costs_and_a_click_shows_them(look, charts, prose, drawn, monkeypatch):
    monkeypatch.setattr(figures, "touched", lambda key: figures.Touch(clicked=105 if key == "fails_lost" else None))
    at = look("AP lost", fails_iou=0.75)
    for trace, network in zip(charts["fails_lost"].data[:2], ("ssd", "yolo-cell"), strict=True):
        costs = detection_errors.lost(errors_of(network, 0.75), 8)
        assert list(trace.y) == pytest.approx(list(costs.values()))
    missed = detection_errors.count(errors_of("yolo-cell", 0.75))["missed"]
    assert f"**{NAMES['yolo-cell']}: missed, {missed}×**" in prose(at)
    assert at.query_params["fails_lost_at"] == "0,1,5"
    assert missed == 0 or all(box.dash for box in drawn.boxes("fails_scenes_shown"))
    dearest = max(detection_errors.KINDS, key=detection_errors.lost(errors_of("ssd", 0.75), 8).get)
    assert f"**“{failure_bars.NAMED[dearest]}”**" in prose(at)


@pytest.mark.parametrize("by", stored_errors.SLICES)
def test_slices_are_whole_and_say_their_truths(look, charts, prose, by):
    at = look("Slices", fails_by=by, fails_figure="AP")
    errors = stored_errors.sorted_errors(SEEDS, "ssd", 0.5)
    cut = stored_errors.parts(errors, SEEDS, "ssd", by)
    counted = int((errors.truth_kind != "ignored").sum())
    assert sum(part.truths for part in cut) == counted, "every truth is in one slice"
    found = sum(int((part.errors.kind == "true").sum()) for part in cut)
    assert found == (errors.kind == "true").sum()
    names = list(charts["fails_slice"].data[0].x)
    assert names == [f"{part.name}<br>{part.truths} truths" for part in cut]
    assert re.search(rf"\*\*{by}, .*\*\*", prose(at)) or "No truth of these scenes" in prose(at)


def test_a_slice_without_a_truth_is_said_so(look, prose):
    by, bar = next(
        (by, bar)
        for by in stored_errors.SLICES
        for bar, part in enumerate(stored_errors.parts(errors_of(), SEEDS, "ssd", by))
        if not part.truths
    )
    place = f"{stored_errors.SLICES.index(by)},0,{bar}"
    at = look("Slices", {"fails_slice_at": place}, fails_by=by)
    assert "neither AP nor recall is defined" in prose(at)


def test_classes_alone_are_the_aps_by_class():
    errors = errors_of()
    whole = detection_errors.average_precisions(errors, 8)
    cut = stored_errors.parts(errors, SEEDS, "ssd", "class")
    np.testing.assert_allclose([part.ap for part in cut], whole)


@pytest.mark.parametrize("link", ["x", "9,9,9", "0,1", "0,0,99", ""])
def test_a_link_that_means_no_bar_shows_the_default(look, prose, link):
    assert f"of {NAMES['ssd']} gains" in prose(look("AP lost", {"fails_lost_at": link}))


def test_every_cell_has_its_sentence():
    last = len(THINGS)
    assert failure_matrix.sentence(0, 0, 3) == "person seen as person, 3×"
    assert failure_matrix.sentence(0, 1, 3) == "person taken for cat, 3×"
    assert failure_matrix.sentence(0, last, 3) == "person missed, 3×"
    assert failure_matrix.sentence(last, 1, 3) == "background taken for cat, 3×"
    assert "not counted" in failure_matrix.sentence(last, last, 0)
    assert list(failures.VIEWS) == ["Confusion matrix", "AP lost", "Slices"]


def test_a_detector_that_says_nothing_breaks_no_view(look, prose):
    """At a score threshold of 1 (which no score reaches) everything is missed."""
    for view in failures.VIEWS:
        at = look(view, fails_score=1.0, fails_by="size")
        assert "0 true, 0 false" in prose(at), view
