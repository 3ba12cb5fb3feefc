"""The R-FCN page: parts and votes of a dragged box, the shift, the number of maps, both networks and their time."""

import numpy as np
import pytest
import torch

from labs import boxes as box_lab
from labs import position_sensitive as ps
from models import catalog
from models.networks.r_fcn import UNITS
from pages.position_sensitive import found, price, shared, shifted
from pages.position_sensitive.shared import NAMES, PERFECT, TRAINED
from scenes import THINGS
from ui import components, pictures
from ui.components import Box

PAGE = "position_sensitive"
pytestmark = pytest.mark.skipif("r-fcn" not in catalog.shipped(), reason="it has no weights yet")
HELD = (30.0, 60.0, 120.0, 180.0)


def scene(seed: int = shared.SEED) -> pictures.Picture:
    return pictures.from_lab_world(seed, objects=(2, 6))


def hand(*xyxy: float) -> list[Box]:
    return [Box("rfcn", xyxy, editable=True)]


@pytest.mark.parametrize(("name", "box"), [("dog", HELD), ("car", (57.0, 129.0, 167.0, 182.0)), ("background", HELD)])
def test_each_part_of_the_hands_box_reads_its_own_trained_map(visit, sound, drawn, said, name, box):
    at = sound(visit(PAGE, rfcn_scene=hand(*box), rfcn_class=name))
    seen = catalog.load("r-fcn")(scene().image)
    label = NAMES.index(name)
    parts = ps.align(seen.score_maps[label][None], torch.tensor([box]), 0.25, 2)[0, 0]
    np.testing.assert_allclose(drawn.grids["rfcn_parts"]["parts"].values, parts, atol=1e-4)
    assert f"mean of 9 = **{float(parts.mean()):.2f}**".replace("-", "−") in said(at)
    heat = drawn.layer("rfcn_mosaic", components.Heat)
    assert heat.values.shape == (168, 168)
    np.testing.assert_allclose(heat.values[56:112, 112:168], seen.score_maps[label, 1, 2], atol=1e-5)
    own = {each.id: each.xyxy for each in drawn.boxes("rfcn_mosaic") if each.id.startswith("own")}
    assert len(own) == 9
    third = ps.part_boxes(torch.tensor(box) / 2, 3)[2, 1] + torch.tensor([112.0, 224.0, 112.0, 224.0])
    np.testing.assert_allclose(own["own-2-1"], third, atol=1e-4)


@pytest.mark.parametrize("k", [1, 3, 5, 7])
def test_on_maps_without_mistakes_the_box_of_a_thing_gets_all_votes(visit, sound, drawn, said, k):
    thing = next(each for each in scene().view.instances if each.label == "dog")
    state = {"rfcn_maps": PERFECT, "rfcn_parts_k": k, "rfcn_class": "dog"}
    at = sound(visit(PAGE, rfcn_scene=hand(*map(float, thing.box)), **state))
    grid = drawn.grids["rfcn_parts"]["parts"].values
    assert grid.shape == (k, k) and grid.min() > 0.95
    assert f"mean of {k * k} = **{grid.mean():.2f}**" in said(at)
    sound(visit(PAGE, rfcn_scene=hand(5.0, 5.0, 60.0, 60.0), **state))
    assert not drawn.grids["rfcn_parts"]["parts"].values.any(), "nothing but sky"


def test_nine_classes_vote_and_four_numbers_move_the_box(visit, sound, drawn, said):
    at = sound(visit(PAGE, {"predict-rfcn-class": "background"}, rfcn_scene=hand(*HELD)))
    seen = catalog.load("r-fcn")(scene().image)
    both = torch.cat([seen.score_maps, seen.box_maps])
    votes = ps.vote(ps.align(both, torch.tensor([HELD]), 0.25, 2)[0])
    shown = np.array(drawn.grids["rfcn_votes"]["votes"].values)
    np.testing.assert_allclose(shown[:, 0], votes[:9], atol=1e-4)
    np.testing.assert_allclose(shown[:, 1], votes[:9].softmax(0), atol=1e-5)
    moved = box_lab.decode(votes[9:] / torch.tensor(UNITS), torch.tensor(HELD))
    (after,) = [box for box in drawn.boxes("rfcn_moved") if box.id == "after"]
    np.testing.assert_allclose(after.xyxy, moved, atol=1e-2)
    best = NAMES[int(votes[:9].argmax())]
    assert f"“{best}”" in said(at) and after.label.startswith(best)


def test_the_box_lives_in_the_address_and_another_thing_brings_its_class(visit, sound, drawn):
    sound(visit(PAGE, {"rfcn_box": "150,200,60,90"}))
    assert [box.xyxy for box in drawn.boxes("rfcn_scene") if box.editable] == [(60, 90, 150, 200)]
    at = sound(visit(PAGE, rfcn_scene=hand(10.0, 20.0, 90.0, 100.0)))
    at.button(key="rfcn_next_thing").click()
    sound(at.run())
    first = scene().view.instances[0]
    assert at.session_state["rfcn_class"] == first.label
    held = [box.xyxy for box in drawn.boxes("rfcn_scene") if box.editable]
    assert held == [tuple(np.round(first.box).astype(float))]
    assert at.query_params["rfcn_box"] in (text := ",".join(f"{v:g}" for v in held[0]), [text])


def test_nonsense_in_a_link_is_one_sentence_and_a_tiny_box_is_grown(visit, sound, drawn):
    at = visit(PAGE, {"rfcn_box": "here"})
    assert not at.exception and any("rfcn_box is no box like" in error.value for error in at.error)
    sound(visit(PAGE, {"rfcn_box": "300,300,300,300"}))
    assert [box.xyxy for box in drawn.boxes("rfcn_scene") if box.editable] == [(216, 216, 224, 224)]


@pytest.mark.parametrize(("shift", "width"), [(0.2, 1.0), (0.0, 1.0), (0.5, 1.0), (0.0, 0.5)])
def test_a_shifted_box_loses_its_votes_k_times_as_fast(visit, sound, drawn, prose, shift, width):
    at = sound(visit(PAGE, {"predict-rfcn-shift": "1.0"}, rfcn_shift=shift, rfcn_width=width))
    votes = np.array(drawn.grids["rfcn_shift_votes"]["votes"].values)[0]
    if width == 1:
        np.testing.assert_allclose(votes, [max(0, 1 - k * shift) for k in (1, 3, 5, 7)], atol=1e-3)
        assert f"max(0, 1 − 3 · {shift:.2f}) = {max(0, 1 - 3 * shift):.2f}" in prose(at)
    else:
        np.testing.assert_allclose(votes[:2], [1, 2 / 3], atol=0.03)
        assert "One map alone says 1.00." in prose(at)
    (box,) = [each for each in drawn.boxes("rfcn_alone") if each.id == "box"]
    assert box.xyxy[2] - box.xyxy[0] == pytest.approx(105 * width)
    assert (box.xyxy[0] + box.xyxy[2]) / 2 == pytest.approx(56.5 + 105 * shift)


def test_curves_start_at_one_and_end_at_nothing():
    for parts in shifted.PARTS:
        line = shifted.curve(parts, 1.0)
        assert line[0] == pytest.approx(1, abs=1e-4) and line[-1] == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize(("k", "classes", "answer"), [(3, 20, 189), (1, 1, 2), (9, 80, 6561), (7, 8, 441)])
def test_the_number_of_maps_is_asked_and_told(visit, sound, prose, k, classes, answer):
    told = prose(sound(visit(PAGE, {"predict-rfcn-maps": str(answer)}, rfcn_k=k, rfcn_c=classes)))
    assert f"k² (C + 1) = {k}² · ({classes} + 1) = **{answer}** score maps" in told
    assert f"**{4 * k * k}** for the boxes" in told


def test_both_networks_are_timed_on_the_same_boxes_and_drawn(visit, sound, prose, monkeypatch):
    asked = []

    def timed(ready, count, repeats=5):
        asked.append((ready.network.name, count, ready.boxes[:count]))
        return float(count) if ready.network.name == "detector" else 7.0

    monkeypatch.setattr(price.region_work, "milliseconds", timed)
    known = price.timings(scene().image)
    known.clear()
    steps = list(price.work(scene().image, known))
    assert steps[-1][:2] == (10, 10) and len(known) == 10
    for count in price.COUNTS:
        theirs, ours = [boxes for _, n, boxes in asked[2:] if n == count]
        assert len(ours) == count and torch.equal(theirs, ours)
    told = prose(sound(visit(PAGE, {"predict-rfcn-time": "R-FCN: pool and vote"})))
    assert "Faster R-CNN: pool and layers by 990.0 ms" in told and "R-FCN: pool and vote by 0.0 ms" in told
    assert "| R-FCN: pool and vote, ms | 7.0 | 7.0 | 7.0 | 7.0 | 7.0 |" in told
    known.clear()


@pytest.mark.parametrize("least", [0.05, 0.5, 0.95])
def test_what_both_networks_find(visit, sound, drawn, said, least):
    at = sound(visit(PAGE, rfcn_shown=least))
    image = scene().image
    for name, each in (("r-fcn", catalog.load("r-fcn")(image)), ("detector", catalog.load("detector")(image))):
        boxes = [box for box in drawn.boxes(f"rfcn_found_{name}") if box.id.startswith("found")]
        assert len(boxes) == int((each.scores >= least).sum())
        assert f"**{found.NAMES[name]}**: {len(boxes)} box" in said(at)
        if boxes:
            assert boxes[-1].label == f"{THINGS[each.labels[0] - 1]} {each.scores[0]:.2f}"


def test_the_cards_stand_side_by_side(visit, sound, prose):
    told = prose(sound(visit(PAGE, {"predict": "off"})))
    for name in found.NAMES:
        metrics = catalog.card(name)["metrics"]
        assert f"(`{name}`) | {metrics['box_ap']:.3f} | {metrics['box_ap50']:.3f} |" in told
    card = catalog.card("r-fcn")
    assert card["trunk"]["of"] == "detector" and card["metrics"]["scenes"] == 500
    assert "R-FCN has two stages, as its authors write" in told


def test_a_photograph_has_no_truth_and_a_scene_may_be_empty(visit, sound, drawn, said):
    at = sound(visit(PAGE, rfcn_source="Photograph", rfcn_maps=TRAINED))
    assert "drawn Lab World scenes only" in "\n".join(each.value for each in at.info)
    assert not [box for box in drawn.boxes("rfcn_found_r-fcn") if box.id.startswith("truth")]
    assert [box.xyxy for box in drawn.boxes("rfcn_scene") if box.editable] == [shared.MIDDLE]
    sound(visit(PAGE, rfcn_objects=(0, 0), rfcn_maps=PERFECT, rfcn_class="background"))
    assert np.array(drawn.grids["rfcn_parts"]["parts"].values).min() > 0.999, "all is background"
