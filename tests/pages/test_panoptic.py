"""The panoptic page: the merge follows its thresholds, its turns are told, and one network stands beside two."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from labs import panoptic, panoptic_quality
from models import catalog
from pages.panoptic import merging, one_network, shared, turns
from pages.panoptic.shared import ONE, TWO, Seen, Thresholds
from scenes import CLASSES
from ui import components, pictures
from ui.components import Labels

PAGE = "panoptic"
pytestmark = pytest.mark.skipif("panoptic-fpn" not in catalog.shipped(), reason="it has no weights yet")


def scene(seed: int = shared.SEED) -> pictures.Picture:
    return pictures.from_lab_world(seed, objects=(2, 6))


def by_hand(source: str, at: Thresholds) -> panoptic.Panoptic:
    image = scene().image
    if source == ONE:
        things = catalog.load("panoptic-fpn")(image)
        semantic = things.semantic
    else:
        things, semantic = catalog.load("detector")(image), catalog.load("segmenter-bilinear")(image).labels
    masks = things.masks.numpy() >= at.mask
    return panoptic.merge(
        semantic, range(5), masks, things.labels.numpy() + 4, things.scores.numpy(), at.least_score, at.most_taken,
        at.least_area,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("source", "at"),
    [(ONE, Thresholds()), (ONE, Thresholds(0.8, 0.05, 0.1, 4992)), (TWO, Thresholds(0.2, 0.9, 0.9, 0))],
)
def test_the_map_is_the_labs_merge_at_the_sliders(visit, sound, drawn, prose, source, at):
    page = sound(visit(
        PAGE, {"predict": "off"}, panoptic_turn=99, panoptic_networks=source, panoptic_mask=at.mask,
        panoptic_score=at.least_score, panoptic_taken=at.most_taken, panoptic_area=at.least_area,
    ))  # fmt: skip
    wanted = by_hand(source, at)
    shown = drawn.layer("panoptic_map", Labels)
    np.testing.assert_array_equal(shown.values, wanted.segments)
    for number, label in enumerate(wanted.classes, start=1):
        if label < 5:
            assert shown.palette[number] == shared.OF_CLASSES[label]
    kept = [turn for turn in wanted.turns if turn.verdict == "kept"]
    assert [shown.palette[turn.segment] for turn in kept] == [shared.thing_colour(turn.thing) for turn in kept]
    void, kinds = int((wanted.segments == 0).sum()), int((wanted.classes < 5).sum())
    told = prose(page)
    assert f"**{len(kept)}** thing" in told and f"**{kinds}** kind" in told and f"void **{void:,}** of 50,176" in told
    if wanted.dropped:
        assert f"of stuff ({len(wanted.dropped)} too small)" in told
        kind, area = next(iter(wanted.dropped.items()))
        assert f"{CLASSES[kind]} has {area:,} pixels left, fewer than {at.least_area}: dropped." in told
    boxes = [box for box in drawn.boxes("panoptic_things") if box.id.startswith("thing")]
    assert len(boxes) == sum(turn.verdict != "score too low" for turn in wanted.turns)
    both = {name: by_hand(name, Thresholds()) for name in (ONE, TWO)}
    truth = np.stack([scene().view.semantic, scene().view.panoptic], -1).astype(np.int64)
    for name, key in ((ONE, "panoptic_by_one"), (TWO, "panoptic_by_two")):
        np.testing.assert_array_equal(drawn.every(key, Labels)[0].values, both[name].segments)
        judged = panoptic_quality.judge(truth, both[name].pairs(), range(5, 13))
        value = panoptic_quality.quality(panoptic_quality.tally(judged, 13)).mean()[0]
        assert f"{name}: PQ **{value:.3f}**" in told


def crowd(*scores: float) -> Seen:
    """Three things on one strip of sky: the second shares half of its pixels with the first, the third has none."""
    masks = torch.zeros(3, 224, 224)
    masks[0, :10, :40], masks[1, :10, 20:60], masks[2, 100, 100] = 1.0, 1.0, 0.01
    boxes = np.array([[0, 0, 40, 10], [20, 0, 60, 10], [100, 100, 101, 101]], float)
    return Seen(np.zeros((224, 224), np.uint8), boxes, masks, np.array([7, 7, 8]), np.array(scores), 0.01, "cpu")


@pytest.fixture
def stand_in(monkeypatch):
    """Function: from now on the first sections merge this."""
    return lambda seen: monkeypatch.setattr(merging, "seen", lambda image, source: seen)


@pytest.mark.parametrize(
    ("turn", "taken", "sentence"),
    [
        (1, 0.5, "**1. dog 0.90.** Its mask has **400** pixels."),
        (2, 0.5, "Taken already: 200 / 400 = **0.50**, at most 0.50: it stays and gets the other **200**."),
        (2, 0.45, "200 / 400 = **0.50**, more than 0.45: it is dropped, and its other 200 pixels go to whoever"),
        (3, 0.5, "No pixel of its mask reaches 0.50: it is dropped."),
        (4, 0.5, "**Stuff.** Pixels that no thing took: sky **49,576**."),
    ],
)
def test_a_turn_is_told_with_its_numbers(visit, sound, drawn, prose, stand_in, turn, taken, sentence):
    stand_in(crowd(0.9, 0.8, 0.7))
    page = sound(visit(PAGE, {"predict-panoptic-loser": "2. dog 0.80"}, panoptic_turn=turn, panoptic_taken=taken))
    told = prose(page)
    assert sentence in told and "You said **2. dog 0.80**, and that is right" in told
    assert "**2** things (1 dropped: mask empty)" in told or taken < 0.5
    if turn == 2:
        shown = drawn.layer("panoptic_after", Labels)
        want, got = len(shown.palette) - 1, len(shown.palette) - 2
        assert (shown.values[:10, 20:40] == want).all() and (shown.values[:10, :20] == 1).all()
        assert (shown.values[:10, 40:60] == (got if taken >= 0.5 else want)).all()
        assert not shown.values[10:].any()


def test_of_two_things_of_one_score_the_first_goes_first_and_the_order_matters(visit, sound, drawn, prose, stand_in):
    stand_in(crowd(0.8, 0.8, 0.1))
    told = prose(sound(visit(PAGE, {"predict-panoptic-order": "under 1 %"}, panoptic_turn=2)))
    assert "Another thing has exactly this score: of two alike, the first in the list goes first." in told
    assert "**200** of 50,176 pixels (0.4%) change their owner, and **2** things against **2** are kept." in told
    assert "You said **“under 1 %”**, and that is right" in told
    changed = drawn.every("panoptic_order_least", Labels)[1].values
    assert changed.sum() == 200 and changed[:10, 20:40].all()


def test_nothing_sure_enough_has_no_turn_and_all_is_stuff(visit, sound, prose, stand_in):
    stand_in(crowd(0.4, 0.3, 0.2))
    told = prose(sound(visit(PAGE, {"predict": "off"})))
    assert (
        "No thing is sure enough to have a turn" in told and "**0** things · **1** kind of stuff · void **0**" in told
    )


def test_an_empty_and_a_crowded_scene_and_a_photograph_make_sense(visit, sound, drawn, prose):
    told = prose(sound(visit(PAGE, {"predict": "off"}, panoptic_objects=(0, 0))))
    assert "**0** things" in told and "PQ **" in told
    sound(visit(PAGE, {"predict": "off"}, panoptic_objects=(12, 12), panoptic_score=0.05))
    assert len([box for box in drawn.boxes("panoptic_things")]) > shared.NAMED
    assert not any(box.label for box in drawn.boxes("panoptic_things")), "too many to be named"
    at = sound(visit(PAGE, {"predict": "off"}, panoptic_source="Photograph"))
    assert "drawn Lab World scenes only" in "\n".join(each.value for each in at.info) and "PQ **" not in prose(at)
    assert len(drawn.every("panoptic_by_one", Labels)) == 1, "no pixel is wrong where no truth is known"


@pytest.mark.parametrize("feature", [1, 40])
def test_the_sum_of_the_levels_is_shown(visit, sound, drawn, feature):
    sound(visit(PAGE, panoptic_feature=feature))
    found = catalog.load("panoptic-fpn")(scene().image)
    maps = [each[feature - 1].numpy() for _, each in found.summands]
    for name, each in zip(("P2", "P3", "P4", "P5"), maps, strict=True):
        np.testing.assert_allclose(drawn.layer(f"panoptic_{name}", components.Heat).values, each, atol=1e-5)
    np.testing.assert_allclose(drawn.layer("panoptic_sum", components.Heat).values, sum(maps), atol=1e-5)


def test_cards_stand_side_by_side(visit, sound, prose):
    told = prose(sound(visit(PAGE, {"predict-panoptic-parameters": "5"})))
    card = catalog.card("panoptic-fpn")
    figures, own = card["metrics"], card["parameters"] - catalog.card("detector")["parameters"]
    assert f"| {own:,} | {figures['pq']:.3f} | {figures['pq_things']:.3f} | {figures['pq_stuff']:.3f} |" in told
    assert f"| {figures['pq_merged']:.3f} | {figures['pq_things']:.3f} | {figures['pq_stuff_merged']:.3f} |" in told
    assert f"**{100 * own / catalog.card('detector')['parameters']:.1f} %**" in told
    assert card["trunk"]["of"] == "detector" and figures["scenes"] == 500


def test_every_pixel_has_an_owner_that_both_orders_share():
    found = replace(crowd(0.9, 0.8, 0.7))
    masks = shared.masks_of(found, 0.5)
    result = shared.merged(found, masks, Thresholds())
    other = turns.turned_round(found, masks, Thresholds(), result)
    first, last = turns.owner(result), turns.owner(other)
    assert first[0, 0] == last[0, 0] == 1000 and first[0, 30] == 1000 and last[0, 30] == 1001 and first[200, 0] == 0
    assert one_network.SAME not in (ONE, TWO)
