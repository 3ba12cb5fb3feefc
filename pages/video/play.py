"""Play a film and let a detector look at it: at every frame or at every k-th, with tracks that carry the boxes on."""

from collections import Counter

import streamlit as st

from labs.tracking import KALMAN, STILL, Settings
from pages.video import chain, shared, stored
from pages.video.shared import Choice
from scenes import THINGS
from ui import page
from ui.components import Mark, Marked, Reel, live_slider, player, words
from ui.pictures import KEPT

BETWEEN = {"predicted": KALMAN, "held": STILL}
SHOWN = ("Tracks", "Truth too", "Film alone")
R_CNN, FASTER = 47.0, 0.2  # seconds per picture, as the lectures have it


@st.fragment
@page.guard()
def play(choice: Choice, network: str) -> None:
    page.section("Play", "Press Space. A network looks at every k-th frame while the film plays; tracks do the rest.")
    left, right = st.columns([3, 2], gap="medium")
    with right:
        what = st.segmented_control(
            "On the film", SHOWN, default=SHOWN[0], required=True, key="video_shown", label_visibility="collapsed",
            **KEPT,
        )  # fmt: skip
        slot = st.container()
        between = st.segmented_control(
            "Between two looks a box is", list(BETWEEN), default="predicted", required=True, key="video_between", **KEPT
        )
        said = st.container()
    with (
        slot,
        live_slider("Look at every k-th frame", 1, shared.LONGEST_PAUSE, shared.EVERY, key="video_every", window=1)
        as every,
        live_slider("Score of a detection, at least", 0.1, 0.95, Settings().least_score, step=0.05, key="video_least",
                    format="%.2f") as least,
        left,
    ):  # fmt: skip
        view = player("video_play", tall=430)
        watched = stored.looks(choice, network)
        found = watched.at(min(view.frame, len(watched.found) - 1) // every * every)
        settings = Settings(least_score=least, predict=BETWEEN[between])
        sure = Counter(THINGS[label - 1] for label in found.labels[found.scores >= least].tolist())
        seen = ", ".join(f"{count} {label}" for label, count in sure.items()) or "nothing"
        view.show(
            reel(choice, network, every, settings, what),
            alt=f"Film {choice.seed}, frame {view.frame + 1}: {shared.NAMES[network]} finds {seen}",
        )
        with said:
            budget(watched.typical or 0.0, choice.film.rate, every)
            page.footer(shared.NAMES[network], watched.device, watched.typical)


def reel(choice: Choice, network: str, every: int, settings: Settings, what: str) -> Reel:
    """The film with what is to be seen on it."""
    film, size = choice.film, (shared.SIZE, shared.SIZE)
    if what == "Film alone":
        return Reel(choice.name, len(film), film.rate, size, choice.frame)
    tracks, truth = chain.chain(choice, network, every, settings), what == "Truth too"

    def marks(first: int, last: int) -> Marked:
        told = tracks.marks(first, last)
        if not truth:
            return told
        both: list[list[Mark]] = [
            [*chain.true_marks(choice, first + at), *frame] for at, frame in enumerate(told.frames)
        ]
        return Marked(both, told.rate, told.milliseconds)

    name = f"{network} {every} {settings} {truth}"
    return Reel(choice.name, len(film), film.rate, size, choice.frame, marks, tracks.ready, name)


def budget(milliseconds: float, rate: float, every: int) -> None:
    """What a network may take, and what it takes."""
    allowed = 1000 * every / rate
    words(
        f"**{allowed:.0f} ms** from one look to the next: a film has {rate:g} frames a second, {1000 / rate:g} ms "
        f"each, and you let it look at {'every frame' if every == 1 else f'one of {every}'}. "
        f"This network takes about **{milliseconds:.0f} ms**, so it "
        f"{'keeps up' if milliseconds <= allowed else 'falls behind, and the film waits'}.",
        "video_budget",
    )
    words(
        f":gray[In the lectures: pedestrians and cars are what detection is for. R-CNN took {R_CNN:g} s a picture, "
        f"{R_CNN * rate:,.0f} frames of this film; Faster R-CNN {FASTER:g} s, {FASTER * rate:g} frames.]",
        "video_lectures",
    )
