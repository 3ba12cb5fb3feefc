"""How good are the tracks? Thresholds live on stored detections, MOTA, IDF1 and HOTA with their counts, a timeline."""

import functools

import plotly.graph_objects as go
import streamlit as st

from labs import tracking, tracking_metrics
from labs.tracking import COUNTED, Settings, Tracked
from labs.tracking_metrics import Frame, Place
from pages.video import shared, stored
from pages.video.shared import Choice
from scenes import THINGS
from ui import page
from ui.components import live_slider, words

# Okabe and Ito's colours: a track's number chooses, so neighbours in time differ.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8A8F98")


@st.fragment
@page.guard()
def scores(choice: Choice, network: str) -> None:
    page.section("How good are the tracks?", "Turn the tracker's settings: the detections are stored, the tracks and "
                 "their scores are made anew at every move.")  # fmt: skip
    first = Settings()
    left, right = st.columns([2, 3], gap="medium")
    with (
        left,
        live_slider("Score of a detection, at least", 0.1, 0.95, first.least_score, step=0.05, key="video_score",
                    format="%.2f") as least_score,
        live_slider("IoU of a pair, at least", 0.0, 0.9, first.least_iou, step=0.05, key="video_score_iou",
                    format="%.2f") as least_iou,
        live_slider("Patience in frames", 0, 75, first.patience, key="video_score_patience") as patience,
        live_slider("Seen before it counts", 1, 5, first.confirm, key="video_score_confirm") as confirm,
        live_slider("Look at every k-th frame", 1, shared.LONGEST_PAUSE, shared.EVERY, key="video_score_every",
                    ) as every,
        right,
    ):  # fmt: skip
        found = stored.detections(choice.seed, choice.knobs, choice.seconds, network, every)
        if found is None:
            return
        settings = Settings(least_score, least_iou, patience, confirm)
        frames = compared(choice, tracking.track(found, settings, every))
        mota, idf1, hota = (rule(frames) for rule in (tracking_metrics.mota, tracking_metrics.idf1,
                                                      tracking_metrics.hota))  # fmt: skip
        words(told(mota, idf1, hota), "video_scores")
        with page.predict("video-switches", f"Film {choice.seed}, these settings: how often does a thing get another "
                          "track than before?", options(mota.switches)) as prediction:  # fmt: skip
            names = {each.track: f"{each.label} {each.track}" for index in range(len(choice.film))
                     for each in shared.truth_at(choice, index)}  # fmt: skip
            page.figure(
                timeline(frames, names, mota.switched),
                "video_timeline",
                height=110 + 26 * len(names),
                alt="Who is tracked when: a row for each thing, coloured by the track that it was given",
            )
            prediction.outcome(str(mota.switches), "because each × is one: the row changes its colour.")


def options(switches: int) -> list[str]:
    """Numbers around the right one."""
    first = max(0, switches - 2)
    return [str(number) for number in range(first, first + 5)]


def compared(choice: Choice, tracks: list[list[Tracked]]) -> list[Frame]:
    """The truth of every frame beside the tracks that count there."""
    return [
        tracking_metrics.frame(true_places(choice, index), [
            Place(each.track, each.label, each.box) for each in frame if each.state in COUNTED
        ])
        for index, frame in enumerate(tracks)
    ]  # fmt: skip


@functools.lru_cache(maxsize=2048)
def true_places(choice: Choice, index: int) -> list[Place]:
    """What is in a frame."""
    return [Place(each.track, THINGS.index(each.label) + 1, each.box) for each in shared.truth_at(choice, index)]


def shown(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def told(mota, idf1, hota) -> str:
    """The three scores, and the counts that they are made of."""
    middle = len(tracking_metrics.ALPHAS) // 2  # 0.5
    return "\n\n".join([
        f"**MOTA {shown(mota.value)}**: {mota.truths} truths, {mota.misses} misses, "
        f"{mota.false_positives} false positives, {mota.switches} identity switches",
        f"**IDF1 {shown(idf1.value)}**: IDTP {idf1.idtp}, IDFP {idf1.idfp}, IDFN {idf1.idfn}",
        f"**HOTA {hota.value:.3f}**: DetA {hota.det.mean():.3f}, AssA {hota.ass.mean():.3f}; at IoU 0.5 "
        f"TP {hota.tp[middle]}, FN {hota.fn[middle]}, FP {hota.fp[middle]}",
    ])  # fmt: skip


def timeline(frames: list[Frame], names: dict[int, str], switched: tuple[tuple[int, int], ...]) -> go.Figure:
    """A row for each thing: gray where it is there, coloured by its track where it has one, × at a switch."""
    there: dict[int, list[int]] = {}
    given: dict[int, dict[str, list]] = {}
    for index, frame in enumerate(frames):
        for thing in frame.things.tolist():
            there.setdefault(thing, []).append(index)
    for index, thing, track in tracking_metrics.matches(frames):
        row = given.setdefault(track, {"x": [], "y": []})
        row["x"].append(index)
        row["y"].append(names[thing])
    figure = go.Figure([
        go.Scatter(x=[index for each in there.values() for index in each],
                   y=[names[thing] for thing, each in there.items() for _ in each], mode="markers", name="not tracked",
                   marker={"color": "#C8CCD2", "size": 5, "symbol": "line-ns-open"})
    ])  # fmt: skip
    for track, places in sorted(given.items()):
        figure.add_scatter(**places, mode="markers", name=f"track {track}", marker={
            "color": COLOURS[track % len(COLOURS)], "size": 9, "symbol": "square"})  # fmt: skip
    figure.add_scatter(x=[index for index, _ in switched], y=[names[thing] for _, thing in switched], mode="markers",
                       name="identity switch", marker={
                           "color": "#000000", "size": 12, "symbol": "x",
                           "line": {"color": "#FFFFFF", "width": 1.5}})  # fmt: skip
    figure.update_xaxes(title="frame", range=[-2, len(frames) + 1])
    figure.update_yaxes(type="category", dtick=1)
    figure.update_layout(showlegend=False)  # a colour only tells one track from the next in its row
    return figure
