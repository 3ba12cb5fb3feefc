"""The rule opened: one thing after the other takes its pixels, then stuff fills what is left; and the other order."""

from dataclasses import replace

import numpy as np
import streamlit as st

from labs import panoptic
from labs.panoptic import VOID, Panoptic, Turn
from pages.panoptic.shared import (
    CONFLICT,
    Seen,
    Thresholds,
    colours_of,
    drawn,
    thing_colour,
    xyxy,
)
from pages.shared.swatches import swatches
from scenes import CLASSES, STUFF
from ui import page
from ui.components import Box, Boxes, Labels, following, live_slider, stage, words
from ui.pictures import Picture

FAINT = "#3A3F47"
ANSWERS = 7  # things that can be chosen: those that lose most


def by_turns(picture: Picture, found: Seen, masks: np.ndarray, at: Thresholds, result: Panoptic) -> None:
    """Turn after turn, and who lost most."""
    page.section("Turn by turn", "The surest thing takes its pixels first; each later one gets what is left.")
    had = [turn for turn in result.turns if turn.verdict != "score too low"]
    if not had:
        words("No thing is sure enough to have a turn: all that is left is stuff. Lower the least score.",
              "panoptic_turn_told")  # fmt: skip
        return
    names = numbered(found, had)
    nobody = "none loses a pixel"
    losses = {names[turn.thing]: turn.taken for turn in had[1:]}
    most = sorted(losses, key=lambda name: -losses[name])[:ANSWERS]
    options = [name for name in losses if name in most]
    with page.predict(
        "panoptic-loser", "Which thing loses most pixels to surer ones?",
        [*options, nobody] if options else [],
    ) as prediction:  # fmt: skip
        with live_slider("Turn", 1, len(had) + 1, 1, key="panoptic_turn", play="once", window=2) as number:
            left, right = st.columns([4, 5], gap="large")
            with left:
                turn_drawn(found, masks, had, result, number)
            with right:
                words(story(found, had, names, result, at, number), "panoptic_turn_told")
        if not following():
            st.html(swatches([(CONFLICT, "wanted, but taken already"), (FAINT, "nobody’s yet")]))
        prediction.outcome(*answer(most[0] if most else nobody, losses, nobody))
    reversed_order(found, masks, at, result)


def answer(worst: str, losses: dict[str, int], nobody: str) -> tuple[str, str]:
    if not losses.get(worst):
        return nobody, "No two masks share a pixel here. Lower the least score, or choose a more crowded scene."
    return worst, f"When its turn comes, {losses[worst]:,} of its pixels are taken."


def numbered(found: Seen, had: list[Turn]) -> dict[int, str]:
    """A name for each thing that had a turn: its place in the order, class and score."""
    return {turn.thing: f"{place}. {found.name(turn.thing)}" for place, turn in enumerate(had, start=1)}


def turn_drawn(found: Seen, masks: np.ndarray, had: list[Turn], result: Panoptic, number: int) -> None:
    """The map as it is after a turn, what this turn's thing wanted and did not get, and its box."""
    height, width = found.semantic.shape
    if number > len(had):
        stage("panoptic_after", zoom=False, window=2).show(
            None, [drawn(result)], size=(width, height), alt="The panoptic map, stuff filled in",
            caption="The last turn: stuff fills what no thing took.",
        )  # fmt: skip
        return
    turn = had[number - 1]
    box = Box("turn", xyxy(found.boxes[turn.thing]), found.name(turn.thing), thing_colour(turn.thing), width=2)
    before = [each.segment for each in had[: number - 1] if each.segment != VOID]
    painted = np.where(np.isin(result.segments, before), result.segments, 0).astype(np.uint8)
    gained = result.segments == turn.segment if turn.segment != VOID else np.zeros(masks.shape[1:], bool)
    palette = [FAINT, *colours_of(result)[1:], thing_colour(turn.thing), CONFLICT]
    painted[masks[turn.thing] & ~gained] = len(palette) - 1
    painted[gained] = len(palette) - 2
    stage("panoptic_after", zoom=False, window=2).show(
        None, [Labels(painted, palette, 1.0), Boxes([box])], size=(width, height), alt=f"The map after turn {number}",
        caption="Blue: what this thing wants and does not get.",
    )  # fmt: skip


def story(found: Seen, had: list[Turn], names: dict[int, str], result: Panoptic, at: Thresholds, number: int) -> str:
    """What happens in a turn, with its numbers."""
    if number > len(had):
        kinds = [f"{CLASSES[label]} **{int((result.segments == row).sum()):,}**"
                 for row, label in enumerate(result.classes.tolist(), start=1) if label < len(STUFF)]  # fmt: skip
        small = [f"{CLASSES[kind]} has {area:,} pixels left, fewer than {at.least_area}: dropped."
                 for kind, area in result.dropped.items()]  # fmt: skip
        void = int((result.segments == VOID).sum())
        return "\n\n".join([
            f"**Stuff.** Pixels that no thing took: {', '.join(kinds) or 'none'}.", *small,
            f"**{void:,}** pixels are void: no thing took them, and the map of classes says a thing, or stuff that is "
            "too small.",
        ])  # fmt: skip
    turn = had[number - 1]
    lines = [f"**{names[turn.thing]}.** Its mask has **{turn.area:,}** pixels."]
    if turn.verdict == "mask empty":
        lines.append(f"No pixel of its mask reaches {at.mask:.2f}: it is dropped.")
        return "\n\n".join(lines)
    compared = f"{turn.taken:,} / {turn.area:,} = **{turn.covered:.2f}**"
    if turn.verdict == "kept":
        lines.append(f"Taken already: {compared}, at most {at.most_taken:.2f}: it stays and gets the other "
                     f"**{turn.area - turn.taken:,}**.")  # fmt: skip
    elif turn.taken == turn.area:
        lines.append(f"Taken already: {compared}. Nothing is left, so it is dropped.")
    else:
        lines.append(f"Taken already: {compared}, more than {at.most_taken:.2f}: it is dropped, and its other "
                     f"{turn.area - turn.taken:,} pixels go to whoever comes next, or to stuff.")  # fmt: skip
    if (found.scores == found.scores[turn.thing]).sum() > 1:
        lines.append("Another thing has exactly this score: of two alike, the first in the list goes first.")
    return "\n\n".join(lines)


def reversed_order(found: Seen, masks: np.ndarray, at: Thresholds, result: Panoptic) -> None:
    """The same things, the least sure first: which pixels change their owner."""
    page.section("Does the order matter?", "The same masks and thresholds, but the least sure thing goes first.")
    other = turned_round(found, masks, at, result)
    changed = owner(result) != owner(other)
    share = float(changed.mean())
    options = ["none", "under 1 %", "1 to 5 %", "over 5 %"]
    height, width = found.semantic.shape
    with page.predict(
        "panoptic-order", "The least sure thing goes first: how many pixels of the picture change their owner?", options
    ) as prediction:  # fmt: skip
        for place, (name, each) in zip(st.columns(2, gap="medium"), (("surest", result), ("least sure", other)),
                                       strict=True):  # fmt: skip
            layers = [drawn(each)]
            if each is other:
                layers.append(Labels(changed.astype(np.uint8), [None, CONFLICT], 1.0))
            with place:
                stage(f"panoptic_order_{name.split()[0]}", zoom=False, window=2, width=420).show(
                    None, layers, size=(width, height), alt=f"The map with the {name} thing first",
                    caption=f"The {name} first" + (". Blue: another owner than on the left." if each is other else ""),
                )  # fmt: skip
        words(f"**{int(changed.sum()):,}** of {changed.size:,} pixels ({share:.1%}) change their owner, and "
              f"**{kept(result)}** things against **{kept(other)}** are kept.", "panoptic_order_told")  # fmt: skip
        right = options[0] if not changed.any() else options[1 + (share >= 0.01) + (share > 0.05)]
        prediction.outcome(right, "Only where masks overlap does the order matter.")


def turned_round(found: Seen, masks: np.ndarray, at: Thresholds, result: Panoptic) -> Panoptic:
    """The merge with the turns of the things that are sure enough in the opposite order."""
    order = [turn.thing for turn in result.turns if turn.verdict != "score too low"][::-1]
    alike = np.ones(len(order))  # of equal scores, the first in the list goes first
    other = panoptic.merge(
        found.semantic, range(len(STUFF)), masks[order], found.labels[order], alike, most_taken=at.most_taken,
        least_area=at.least_area,
    )  # fmt: skip
    return replace(other, turns=tuple(replace(turn, thing=order[turn.thing]) for turn in other.turns))


def owner(found: Panoptic) -> np.ndarray:
    """Of every pixel, the thing that has it, from 1000 on, else its class; -1 for void: the same for both orders."""
    things = {turn.segment: 1000 + turn.thing for turn in found.turns if turn.segment != VOID}
    names = [-1, *(things.get(number, label) for number, label in enumerate(found.classes.tolist(), 1))]
    return np.array(names)[found.segments]


def kept(found: Panoptic) -> int:
    return sum(turn.segment != VOID for turn in found.turns)
