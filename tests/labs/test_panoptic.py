"""The panoptic merge: who is sure goes first, a pixel has one owner, and each threshold stands where it says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from labs.panoptic import VOID, claims, merge, take_turns

SKY, GRASS, DOG = 0, 1, 7


def strip(*rows: str) -> np.ndarray:
    """Masks (N, 1, W) from texts such as "..##"."""
    return np.array([[[letter == "#" for letter in row]] for row in rows], bool)


def library(semantic, stuff, masks, labels, scores, least_score, most_taken, least_area):
    """detectron2's `combine_semantic_and_instance_outputs`: (class, pixels) of each segment. Here a thing of which
    nothing is left is dropped as well; there it becomes a segment without pixels."""
    free = np.ones(semantic.shape, bool)
    found = []
    for thing in sorted(range(len(scores)), key=lambda row: -scores[row]):
        if scores[thing] < least_score:
            break
        area = masks[thing].sum()
        if area == 0:
            continue
        shared = (masks[thing] & ~free).sum()
        if shared / area > most_taken or shared == area:
            continue
        found.append((int(labels[thing]), masks[thing] & free))
        free &= ~masks[thing]
    for kind in sorted(stuff):
        region = (semantic == kind) & free
        if region.sum() and region.sum() >= least_area:
            found.append((kind, region))
    return found


@given(
    seed=some.integers(0, 10_000),
    things=some.integers(0, 7),
    least_score=some.sampled_from([0.0, 0.25, 0.5, 1.0]),
    most_taken=some.sampled_from([0.0, 0.25, 0.5, 1.0]),
    least_area=some.integers(0, 12),
)
def test_it_is_the_rule_of_the_library(seed, things, least_score, most_taken, least_area):
    random = np.random.default_rng(seed)
    semantic = random.integers(0, 4, (6, 5))
    masks = random.random((things, 6, 5)) < random.random((things, 1, 1))
    labels, scores = random.integers(2, 4, things), random.integers(0, 5, things) / 4  # many scores are equal
    found = merge(semantic, {0, 1}, masks, labels, scores, least_score, most_taken, least_area)
    theirs = library(semantic, {0, 1}, masks, labels, scores, least_score, most_taken, least_area)
    assert found.classes.tolist() == [label for label, _ in theirs]
    for number, (_, pixels) in enumerate(theirs, start=1):
        np.testing.assert_array_equal(found.segments == number, pixels)
    assert found.segments.max(initial=0) == len(theirs) and len(found.turns) == things


def test_the_surest_takes_first_and_of_two_alike_the_first_in_the_list():
    masks = strip("##..", "##..", "####")
    segments, turns = take_turns(masks, np.array([0.6, 0.6, 0.9]), most_taken=1.0)
    assert segments.tolist() == [[1, 1, 1, 1]] and [turn.thing for turn in turns] == [2, 0, 1]
    segments, turns = take_turns(masks[:2], np.array([0.6, 0.6]))
    assert segments.tolist() == [[1, 1, 0, 0]]
    assert [(turn.thing, turn.verdict) for turn in turns] == [(0, "kept"), (1, "too much taken")]


@pytest.mark.parametrize(
    ("score", "kept"), [(0.5, True), (np.nextafter(0.5, 0), False), (0.0, False), (1.0, True)]
)  # fmt: skip
def test_the_least_score_itself_suffices(score, kept):
    segments, (turn,) = take_turns(strip("#."), np.array([score]), least_score=0.5)
    assert (turn.verdict == "kept") == kept and turn.area == 1
    assert segments.tolist() == [[int(kept), 0]]


@pytest.mark.parametrize(
    ("second", "verdict", "covered"),
    [("..####", "kept", 0.5), (".####.", "too much taken", 0.75), ("....##", "kept", 0.0),
     ("####..", "too much taken", 1)],
)  # fmt: skip
def test_a_thing_of_which_half_is_taken_stays_and_of_which_more_is_taken_goes(second, verdict, covered):
    segments, turns = take_turns(strip("####..", second), np.array([0.9, 0.8]))
    assert turns[1].verdict == verdict and turns[1].covered == covered
    assert (segments == 2).sum() == (round(turns[1].area * (1 - covered)) if verdict == "kept" else 0)
    assert (segments == 1).sum() == 4, "what is taken stays taken"


def test_of_a_thing_that_is_taken_whole_nothing_is_left_to_keep():
    _, turns = take_turns(strip("###", ".#."), np.array([0.9, 0.8]), most_taken=1.0)
    assert turns[1].verdict == "too much taken" and turns[1].segment == VOID


def test_an_empty_mask_is_dropped_and_divides_nothing():
    segments, (turn,) = take_turns(strip("..."), np.array([0.9]))
    assert turn.verdict == "mask empty" and turn.covered == 0.0 and not segments.any()


@pytest.mark.parametrize(("least", "kept"), [(3, True), (4, False), (0, True), (1, True)])
def test_stuff_of_exactly_the_least_area_stays(least, kept):
    semantic = np.array([[SKY, SKY, SKY, DOG, DOG]])
    found = merge(semantic, {SKY, GRASS}, strip("....#"), np.array([DOG]), np.array([0.9]), least_area=least)
    assert found.classes.tolist() == ([DOG, SKY] if kept else [DOG])
    assert found.dropped == ({} if kept else {SKY: 3})
    assert found.segments.tolist() == [[2, 2, 2, 0, 1] if kept else [0, 0, 0, 0, 1]]


def test_things_win_over_stuff_and_a_thing_without_a_mask_is_void():
    semantic = np.array([[SKY, SKY, DOG, DOG]])
    found = merge(semantic, {SKY}, strip("##.."), np.array([DOG]), np.array([0.9]), least_area=1)
    assert found.segments.tolist() == [[1, 1, 0, 0]] and found.dropped == {}, (
        "a kind that lost all its pixels is no loss"
    )
    assert found.pairs()[0].tolist() == [[DOG, 1], [DOG, 1], [-1, 0], [-1, 0]]


def test_a_scene_without_things_is_stuff_and_a_crowd_of_forty_fits():
    none = np.zeros((0, 2, 3), bool), np.zeros(0, int), np.zeros(0)
    found = merge(np.zeros((2, 3), int), {SKY}, *none, least_area=1)
    assert found.turns == () and found.classes.tolist() == [SKY] and (found.segments == 1).all()
    masks = np.eye(40, dtype=bool)[:, None]
    found = merge(np.full((1, 40), GRASS), {GRASS}, masks, np.full(40, DOG), np.linspace(0.5, 1, 40))
    assert len(found.classes) == 40 and found.segments[0].tolist() == list(range(40, 0, -1))


def test_a_thing_cannot_be_stuff():
    one = np.array([DOG]), np.array([0.9])
    with pytest.raises(ValueError, match="Class 7 is stuff"):
        merge(np.zeros((1, 2), int), {SKY, DOG}, strip("##"), *one)


def test_claims_count_the_things_that_are_sure_enough():
    masks = strip("##.", ".##", "###")
    assert claims(masks, np.array([0.9, 0.5, 0.4])).tolist() == [[1, 2, 1]]
    assert not claims(masks[:0], np.zeros(0)).any()
