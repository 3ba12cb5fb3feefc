"""Which detection is which track? The costs beside the frame, and a detection that you drag away."""

from dataclasses import replace

import numpy as np
import streamlit as st

from labs import tracking
from labs.matching import Detections
from labs.tracking import GREEDY, HUNGARIAN, KALMAN, STILL, Settings, Step
from pages.video import stored
from pages.video.scores import COLOURS
from pages.video.shared import EVERY, SIZE, Choice
from scenes import THINGS
from ui import page
from ui.components import Box, Boxes, Grid, address, following, live_slider, matrices, resting, stage, words
from ui.pictures import KEPT

LINK = "video_moved"  # in the address: the frame, then x1, y1, x2, y2 of every detection
RULES = {"Hungarian": HUNGARIAN, "Greedy": GREEDY}
PREDICTIONS = {"predicted": KALMAN, "held": STILL}
EXAMPLE = np.array([[0.1, 0.2], [0.3, 0.9]])  # greedy takes 0.1 and is left with 0.9


@st.fragment
@page.guard()
def assign(choice: Choice, network: str) -> None:
    page.section("Assign", "Every track predicts its box (dashed). Drag a detection (solid): which track gets it now?")
    left, right = st.columns([2, 3], gap="medium")
    with right:
        rule = st.segmented_control("Pairs", list(RULES), default="Hungarian", required=True, key="video_rule", **KEPT)
        way = st.segmented_control("A track's box is", list(PREDICTIONS), default="predicted", required=True,
                                   key="video_way", **KEPT)  # fmt: skip
    with (
        right,
        live_slider("Look number", 1, 66, 20, key="video_look") as look,
        live_slider("IoU of a pair, at least", 0.0, 0.9, 0.3, step=0.05, key="video_pair_iou", format="%.2f") as least,
        left,
    ):
        found = stored.detections(choice.seed, choice.knobs, choice.seconds, network, EVERY)
        if found is None:
            return
        settings = Settings(least_iou=least, predict=PREDICTIONS[way], assignment=RULES[rule])
        frame = min(look * EVERY, (len(found) - 1) // EVERY * EVERY)
        before = before_frame(found, frame, settings)
        here = found[frame].subset(found[frame].scores >= settings.least_score)
        start = detected(here)
        name = f"{choice.name} {network} {frame}"
        if st.session_state.get("video_pairs_of") != name:
            arrived = "video_pairs_of" not in st.session_state  # only then does the address speak of this frame
            st.session_state["video_pairs_of"] = name
            st.session_state["video_pairs"] = (linked(start, frame) if arrived else None) or start
        view = stage("video_pairs", start, window=2, width=420)
        if resting("video_pairs") and not following():
            moved = view.boxes != start
            address.keep(LINK, ",".join([str(frame), *(f"{at:g}" for each in view.boxes for at in each.xyxy)])
                         if moved and view.boxes else None)  # fmt: skip
        places = np.array([each.xyxy for each in view.boxes], float).reshape(-1, 4)
        now = tracking.step(before, Detections(places, here.labels, here.scores), settings)
        draw(view, choice.frame(frame), now, frame)
        with right:
            beside(now, settings)
    st.button("As detected", key="video_unmoved", icon=":material/undo:", on_click=unmove)
    by_hand()


def unmove() -> None:
    """The next run begins with the boxes as the network gave them."""
    st.session_state.pop("video_pairs_of", None)
    address.keep(LINK, None)


def before_frame(found: list[Detections], frame: int, settings: Settings) -> tracking.Tracks:
    """The tracks that are alive just before this frame."""
    alive = tracking.nobody()
    for index in range(frame):
        if index % EVERY == 0:
            alive = tracking.step(alive, found[index], settings).after
        else:
            alive = tracking.between(alive, settings)
    return alive


def letter(column: int) -> str:
    """a, b, ..., z, then numbers: what a detection is called."""
    return chr(ord("a") + column) if column < 26 else str(column)


def detected(here: Detections) -> list[Box]:
    """The detections as boxes for a hand, to a tenth of a pixel."""
    return [
        Box(letter(i), tuple(round(float(min(max(at, 0), SIZE)), 1) for at in box), f"{letter(i)} {THINGS[label - 1]}",
            editable=True, width=3)
        for i, (box, label) in enumerate(zip(here.boxes, here.labels.tolist()))
    ]  # fmt: skip


def linked(start: list[Box], frame: int) -> list[Box] | None:
    """The boxes that the address names for this frame, if any."""
    try:
        told = address.numbers(LINK, 1 + 4 * len(start))
    except ValueError:
        page.problem("The link's boxes do not belong to this frame: here they are as detected.")
        return None
    if told is None or told[0] != frame:
        return None
    places = [tuple(min(max(at, 0.0), float(SIZE)) for at in told[i : i + 4]) for i in range(1, len(told), 4)]
    return [replace(box, xyxy=(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)))
            for box, (x1, y1, x2, y2) in zip(start, places)]  # fmt: skip


def colour_of(track: int) -> str:
    return COLOURS[track % len(COLOURS)]


def draw(view, picture: np.ndarray, now: Step, frame: int) -> None:
    """Predicted boxes dashed, detections in the colour of the track that got them, white if none did."""
    owner = {int(column): int(now.before.ids[row]) for row, column in now.pairs.pairs}
    boxes = [Box(f"track-{track}", tuple(map(float, box)), f"#{track}", colour_of(track), dash=True)
             for track, box in zip(now.before.ids.tolist(), now.before.boxes)]  # fmt: skip
    boxes += [replace(box, label=f"{box.label} → {f'#{owner[i]}' if i in owner else 'new'}",
                      colour=colour_of(owner[i]) if i in owner else "#FFFFFF")
              for i, box in enumerate(view.boxes)]  # fmt: skip
    view.show(
        picture, [Boxes(boxes)], alt=f"Frame {frame}: predicted tracks and detections",
        caption="Dashed: where a track is expected. Solid: a detection; drag it, or use the arrow keys.",
    )  # fmt: skip


def beside(now: Step, settings: Settings) -> None:
    """The costs as a grid with the chosen pairs marked, and what becomes of everybody."""
    ids, other = now.before.ids.tolist(), tracking.assign if settings.assignment == GREEDY else tracking.greedy
    if not now.costs.size:
        words("There are no tracks or no detections in this frame: nothing to pair.", "video_pairs_said")
        return
    matrices("video_costs", window=2).show(
        [Grid("costs", now.costs, title="1 − IoU", rows=[f"#{each}" for each in ids],
              columns=[letter(i) for i in range(now.costs.shape[1])], colour="sequential", vmin=0, vmax=1,
              format="%.2f")],
        highlight=[("costs", int(r), int(c)) for r, c in now.pairs.pairs],
        caption="Rows: tracks. Columns: detections. Marked: the pairs. Another class costs 1.",
    )  # fmt: skip
    rival = other(now.costs, 1 - settings.least_iou).pairs.tolist()
    lines = [f"{len(now.pairs.pairs)} pairs, **{total(now.costs, now.pairs.pairs):.2f}** together."]
    lines.append(
        "The other rule makes the same pairs."
        if rival == now.pairs.pairs.tolist()
        else f"The other rule makes other pairs, {total(now.costs, np.array(rival).reshape(-1, 2)):.2f} together."
    )
    lost = ", ".join(f"#{ids[i]}" for i in now.pairs.lost) or "none"
    new = ", ".join(letter(int(i)) for i in now.pairs.new) or "none"
    words(" ".join(lines) + f"\n\nTracks without a detection (lost): {lost}. Detections that begin a track: {new}.",
          "video_pairs_said")  # fmt: skip


def total(costs: np.ndarray, pairs: np.ndarray) -> float:
    return float(sum(costs[r, c] for r, c in pairs))


def by_hand() -> None:
    """Two tracks, two detections, costs to type: where greedy and Hungarian differ."""
    with page.predict(
        "video-greedy", "Two detections cost one track 0.10 and 0.20, the other 0.30 and 0.90. Greedy takes the "
        "cheapest pair first: what do its two pairs cost together?", ["0.40", "0.50", "1.00", "1.10"],
    ) as prediction:  # fmt: skip
        grid = matrices("video_by_hand", editable={"hand": EXAMPLE}, minimum=0.0, maximum=0.99)
        costs = grid["hand"]
        found = {name: rule(costs, 1.0).pairs for name, rule in (("Hungarian", tracking.assign),
                                                                 ("Greedy", tracking.greedy))}  # fmt: skip
        grid.show(
            [Grid("hand", costs, title="costs, yours to change", rows=["#1", "#2"], columns=["a", "b"], editable=True,
                  colour="sequential", vmin=0, vmax=1, format="%.2f")],
            highlight=[("hand", int(r), int(c)) for r, c in found["Hungarian"]], caption="Marked: Hungarian.",
        )  # fmt: skip
        words(" ".join(f"**{name}** {total(costs, pairs):.2f}." for name, pairs in found.items()), "video_hand_said")
        prediction.outcome("1.00", "because after 0.10 only 0.90 is left; Hungarian pays 0.20 + 0.30.")
