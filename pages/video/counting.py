"""A line across the picture: who crosses it, to which side, and does the tracker count what is true?"""

import numpy as np
import streamlit as st

from labs import line_counting
from labs.line_counting import LEFT, RIGHT
from labs.tracking import COUNTED, FOUND, Settings, Tracked
from pages.video import chain, shared, stored
from pages.video.shared import Choice
from scenes import THINGS
from ui import page
from ui.components import Mark, Marked, Reel, live_slider, player, words

LINE = (112, 90, 112, 224)  # from the middle down to the lower edge
SIDES = {LEFT: "A", RIGHT: "B"}  # as they stand on the picture


@st.fragment
@page.guard()
def count(choice: Choice, network: str) -> None:
    page.section(
        "Count across a line",
        "Drag the two ends of the line. A track is counted where its foot point, the middle of the box's lower side, "
        "changes sides.",
    )
    left, right = st.columns([3, 2], gap="medium")
    with right:
        slot, table = st.container(), st.container()
    with (
        slot,
        live_slider("Look at every k-th frame", 1, shared.LONGEST_PAUSE, shared.EVERY, key="video_count_every")
        as every,
        left,
    ):  # fmt: skip
        view = player("video_count", line=LINE, tall=380)
        line = np.array(view.line, float)
        truth = line_counting.crossings(true_tracks(choice), line)
        with table:
            found = stored.detections(choice.seed, choice.knobs, choice.seconds, network, every)
        tracks = followed(choice, network, every) if found is not None else None
        seen = None if tracks is None else line_counting.crossings(tracks, line)
        view.show(
            reel(choice, tracks, f"{network} {every}"), sides=(SIDES[LEFT], SIDES[RIGHT]),
            alt=f"Film {choice.seed} with a line from {place(line[:2])} to {place(line[2:])}",
        )  # fmt: skip
        with table:
            words(said("In truth", truth), "video_truly")
            if seen is not None:
                words(said(f"{shared.NAMES[network]} and its tracks", seen), "video_counted")
                words(verdict(len(truth), len(seen)), "video_count_verdict")
        asked(choice, every, truth, seen)


def place(point: np.ndarray) -> str:
    """A point in words."""
    return "({:.0f}, {:.0f})".format(*point)


def said(who: str, seen: list) -> str:
    """How many crossed, by class and direction."""
    counts = line_counting.tally(seen)
    rows = [
        f"{THINGS[label - 1]}: {', '.join(f'**{number}** to {SIDES[way]}' for way, number in ways.items())}"
        for label, ways in sorted(counts.items())
    ]
    return "\n\n".join([f"**{who}: {len(seen)}**", *rows])


def verdict(truth: int, seen: int) -> str:
    """What the difference means."""
    if truth == seen:
        return ":gray[The same number: no crossing was missed and none invented, or as many of each.]"
    what = (
        "missed: a track was lost at the line, or it began behind it" if seen < truth else "counted twice or invented"
    )
    return f":gray[{abs(truth - seen)} {what}.]"


def true_tracks(choice: Choice) -> list[list[Tracked]]:
    """The truth as if a tracker had said it."""
    return [
        [Tracked(each.track, THINGS.index(each.label) + 1, np.asarray(each.box, float), 1.0, FOUND)
         for each in shared.truth_at(choice, index)]
        for index in range(len(choice.film))
    ]  # fmt: skip


def followed(choice: Choice, network: str, every: int) -> list[list[Tracked]]:
    """The tracks of the whole film, once all of it has been looked at."""
    return _followed(choice.name, network, every, choice)


@st.cache_resource(max_entries=16, show_spinner=False)  # asked at every move of the line
def _followed(name: str, network: str, every: int, _choice: Choice) -> list[list[Tracked]]:
    return chain.chain(_choice, network, every, Settings()).frames(0, len(_choice.film))


def reel(choice: Choice, tracks: list[list[Tracked]] | None, name: str) -> Reel:
    """The film with the tracks, once they are there."""
    film, size = choice.film, (shared.SIZE, shared.SIZE)
    if tracks is None:
        return Reel(choice.name, len(film), film.rate, size, choice.frame)

    def marks(first: int, last: int) -> Marked:
        shown: list[list[Mark]] = [
            [chain.mark_of(each) for each in frame if each.state in COUNTED] for frame in tracks[first:last]
        ]
        return Marked(shown)

    return Reel(choice.name, len(film), film.rate, size, choice.frame, marks, marked=name)


def asked(choice: Choice, every: int, truth: list, seen: list | None) -> None:
    """A question about the line, and what a look at every frame counts."""
    most = len(truth)
    options = [str(number) for number in range(max(0, most - 2 - choice.seed % 3), most + 4)]
    with page.predict(
        "video-crossings", f"Film {choice.seed}: how often does something cross this line, in truth?", options
    ) as prediction:
        words(
            "\n\n".join(
                f"At {each.frame / choice.film.rate:.2f} s: {THINGS[each.label - 1]} #{each.track} "
                f"to {SIDES[each.direction]}"
                for each in truth
            )
            or "Nothing crosses it.",
            "video_crossings",
        )
        prediction.outcome(str(most), "because every crossing counts, also that of a thing which turns and comes back.")
