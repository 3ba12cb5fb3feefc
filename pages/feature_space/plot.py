"""The signatures as a plot with the pictures as points: principal components at once, t-SNE while one looks on."""

from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch
from numpy.typing import NDArray

from labs import nearest_neighbours, t_sne
from labs.principal_components import Components, principal_components, project
from labs.t_sne import Frame, Settings
from pages.feature_space import pairs
from pages.feature_space.frames import COLOURS, TILE, kinds_of, legend, thumbnails_of
from pages.feature_space.retrieval import AT, FROM, chosen_number, of_gallery
from pages.feature_space.shared import (
    BLUE,
    ORANGE,
    PHOTOGRAPHIC,
    VERMILION,
    Gallery,
    Query,
    query_of,
    signature_of,
    things_in,
)  # fmt: skip
from pages.feature_space.thumbnails import fitted, in_colours_of, painted
from pages.shared.watched import AT_ONCE, Watched
from ui import figures, page
from ui.components import Box, Boxes, Lines, Points, live_slider, stage, words
from ui.pictures import KEPT, Picture

RUN = "_space_plot"  # in the session: the settings of a run, and the run
REFRESH = 0.08  # seconds between two frames
SIDE, YOURS = 512, 48  # pixels of the plot, and of the picture that asks
NEIGHBOURS = 10
WAYS, LOOKS = ("PCA", "t-SNE"), ("Pictures", "Dots")
SHARES = {"under 25 %": 0.25, "25 to 50 %": 0.5, "50 to 75 %": 0.75, "over 75 %": 1.0}
PERPLEXITIES = (2, 5, 10, 20, 30, 50, 100, 200)
RATES = ("n / 12", "10", "50", "200", "1000", "5000")
ITERATIONS = (250, 500, 1000, 2000)
SAID = {
    "new": "Not begun: this is the start, the principal components.",
    "waiting": f"{AT_ONCE} runs are under way on this machine already: yours begins when one of them ends.",
    "running": "On its way.",
    "stopped": "Stopped. *Start* goes on from here.",
    "done": "Done.",
    "failed": "It broke off; the server log says why. *Restart* begins anew.",
}


@dataclass(frozen=True, eq=False)
class Shown:
    """What is plotted: signatures float32 (n, d) of a layer, and the picture that asks with its own, (1, d)."""

    found: Gallery
    layer: str
    vectors: NDArray[np.float32]
    query: Query
    signature: NDArray[np.float32]
    dots: bool


@st.fragment
@page.guard()
def plot(picture: Picture, found: Gallery) -> None:
    page.section("All signatures in one plot", "Pictures are the points. Which pictures does the network put together?")
    with ExitStack() as sliders:
        choices, first, second = st.columns([5, 3, 3], gap="medium")
        with choices, st.container(horizontal=True):
            way = st.segmented_control("Plot", WAYS, default="PCA", required=True, key="plot_way", **KEPT)
            look = st.segmented_control("Points", LOOKS, default="Pictures", required=True, key="plot_look", **KEPT)
        with first:
            layer = sliders.enter_context(
                live_slider("Layer of the plot", options=found.layers, value=found.layers[-1],
                            key="plot_stage" if found.network.name == PHOTOGRAPHIC else "plot_layer")
            )  # fmt: skip
        shown = shown_of(found, layer, picture, look == "Dots")
        settings, run = Settings(), None
        if way == "t-SNE":
            with second:
                perplexity = sliders.enter_context(
                    live_slider("Perplexity", options=PERPLEXITIES, value=30, key="plot_perplexity")
                )
            settings, run = controls(shown, perplexity)
        count, share = shown.vectors.shape[1], min(1.0, float(components_of(shown).shares.sum()))
        with page.predict(
            "space-variance", f"{count} numbers a picture, and a plot has two. Which share of the variance do the two "
            "best directions keep?", list(SHARES) if run is None else [],
        ) as prediction:  # fmt: skip
            if run is not None and run.running:
                watch(shown, settings, run)
            else:
                draw(shown, settings, run)
            prediction.outcome(
                next(name for name, most in SHARES.items() if share <= most),
                f"It is {share:.1%} of all {count} numbers: what lies together on this plot may lie apart in truth; "
                "what lies apart on it does so in truth.",
            )  # fmt: skip
    st.html(legend())


def controls(shown: Shown, perplexity: float) -> tuple[Settings, Watched[Frame]]:
    """How t-SNE shall run, and the run of these settings, which its button begins."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rate = st.selectbox("Learning rate", RATES, key="plot_rate", width=120, **KEPT)
        steps = st.segmented_control("Iterations", ITERATIONS, default=500, required=True, key="plot_iterations",
                                     **KEPT)  # fmt: skip
        settings = Settings(perplexity, None if rate == RATES[0] else float(rate), steps, min(150, steps // 2))
        name = (shown.found.network.name, shown.layer, settings)
        kept, run = st.session_state.get(RUN, (None, None))
        if run is not None and kept != name:
            run.stop()
        if run is None or kept != name:
            run = begun(name, shown, settings)
        if st.button("Start", type="primary", icon=":material/play_arrow:", key="plot_start",
                     disabled=run.running or run.over):  # fmt: skip
            run.start()
            st.rerun()
        if st.button("Stop", icon=":material/stop:", key="plot_stop", disabled=not run.running):
            run.stop(wait=5.0)
            st.rerun()
        if st.button("Restart", icon=":material/restart_alt:", key="plot_restart", disabled=run.state == "new"):
            run.stop(wait=5.0)
            begun(name, shown, settings).start()
            st.rerun()
    return settings, run


def begun(name: tuple, shown: Shown, settings: Settings) -> Watched[Frame]:
    """A new run, kept in the session under what it is of."""
    run = Watched(t_sne.descend(shown.vectors, settings))
    st.session_state[RUN] = (name, run)
    return run


@st.fragment(run_every=REFRESH)
@page.guard()
def watch(shown: Shown, settings: Settings, run: Watched[Frame]) -> None:
    """Only this fragment is rerun while the points move; when they rest, the section."""
    if not run.running:
        st.rerun()
    draw(shown, settings, run)


def draw(shown: Shown, settings: Settings, run: Watched[Frame] | None) -> None:
    """The plot, what lies under the pointer, and how far it is."""
    frame = run.look() if run is not None else None
    moving = run is not None and run.running
    left, right = st.columns([7, 4], gap="medium")
    with left:
        view = stage("plot_points", hover=not moving, width=SIDE)
        if frame is None:
            onto = components_of(shown)
            places, yours = project(shown.vectors, onto), project(shown.signature, onto)
        else:
            places, yours = frame.places, landed(shown, frame, moving)
        xy = fitted(np.concatenate([places, yours]), SIDE, YOURS / 2)
        under = pointed_at(xy[:-1], view.hover)
        view.show(
            None, layers(shown, xy, under), size=(SIDE, SIDE),
            alt=f"{len(places)} pictures as points, {'t-SNE' if run else 'principal components'} of their signatures",
            caption="Orange: the picture that asks. Point at one: lines lead to its nearest by all numbers.",
        )  # fmt: skip
    with right:
        words(told(shown, run, frame), "plot_told")
        number = len(places) if under is None else under
        large = shown.query.image if number == len(places) else shown.found.tiles[number]
        what = f"The picture that asks: {shown.query.name}" if number == len(places) else shown.found.note(number)
        stage("plot_under", zoom=False, width=160).show(large, alt=what, caption=what)
        if run is not None:
            divergence(frame.errors if frame is not None else (), settings)
    if frame is not None and frame.iteration and not moving:
        look_inside(shown, settings, frame, under)


def layers(shown: Shown, xy: NDArray[np.float64], under: int | None) -> list:
    """The points, the picture that asks above all, and lines from what is pointed at to its nearest."""
    pictures = thumbnails_of(shown.found.network.name, shown.found)
    half = YOURS / 2
    x, y = xy[-1].tolist()
    yours = Boxes([Box("yours", (x - half, y - half, x + half, y + half), colour=ORANGE, width=4, note="yours")])
    if shown.dots:
        kinds = kinds_of(shown.found)
        drawn: list = [Points(xy[:-1], radius=4, colours=[COLOURS[kind] for kind in kinds])]
    else:
        drawn = [painted(pictures, xy[:-1], SIDE, (in_colours_of(pictures, shown.query.image, YOURS), xy[-1]))]
    if under is not None:
        ends = xy[nearest_of(shown, under)]
        drawn.append(Lines(np.concatenate([np.repeat(xy[under][None], len(ends), 0), ends], 1), VERMILION))
        drawn.append(Points(xy[under][None], VERMILION, 4))
    return [*drawn, yours]


def look_inside(shown: Shown, settings: Settings, frame: Frame, under: int | None) -> None:
    """What t-SNE compares, for the picture pointed at; without one, for the nearest to the picture that asks."""
    number = under
    if number is None:
        number = int(((shown.vectors - shown.signature) ** 2).sum(1).argmin())
    rows = pairs.pairs(shown.vectors, frame.places, number, settings.perplexity)
    st.markdown(f"**Look inside**: {shown.found.note(number)}, and the {pairs.ROWS} nearest by all numbers")
    st.markdown(pairs.table(rows, [shown.found.note(int(row[0])) for row in rows]))


def pointed_at(xy: NDArray[np.float64], spot) -> int | None:
    """The number of the picture under the pointer."""
    if spot is None:
        return None
    distances = np.abs(xy - [spot.x, spot.y]).max(1)
    return int(distances.argmin()) if distances.min() <= TILE / 2 else None


def nearest_of(shown: Shown, number: int) -> NDArray[np.int64]:
    """Those whose signatures lie nearest to one of the gallery, by all numbers."""
    distances = ((shown.vectors - shown.vectors[number]) ** 2).sum(1)
    return np.argsort(distances, kind="stable")[1 : NEIGHBOURS + 1]


def landed(shown: Shown, frame: Frame, moving: bool) -> NDArray[np.float64]:
    """Where the picture that asks lies: its own place, or among its nearest; at rest it is let down with care."""
    if shown.query.number is not None:
        return frame.places[shown.query.number][None]
    if moving or not frame.iteration:
        return t_sne.median_of_nearest(shown.vectors, frame.places, shown.signature)
    return let_down(shown.vectors, frame.places, shown.signature)


@st.cache_data(max_entries=64, show_spinner=False)
def let_down(
    vectors: NDArray[np.float32], places: NDArray[np.float64], signature: NDArray[np.float32]
) -> NDArray[np.float64]:
    return t_sne.land(vectors, places, signature)


@st.cache_data(max_entries=64, show_spinner=False)
def agreement(vectors: NDArray[np.floating], kinds: NDArray[np.int64]) -> float:
    """Share of the NEIGHBOURS nearest that are of the same class, over all things."""
    distances = nearest_neighbours.euclidean(*[torch.from_numpy(vectors.astype(np.float32))] * 2)
    near = nearest_neighbours.nearest(distances, NEIGHBOURS, torch.eye(len(vectors), dtype=torch.bool)).numpy()
    return float((kinds[near] == kinds[:, None]).mean())


def told(shown: Shown, run: Watched[Frame] | None, frame: Frame | None) -> str:
    """How far it is, and whether neighbours on the plot are of one class as they are by all numbers."""
    text = ""
    if run is not None:
        text = SAID[run.state]
        if frame is not None:
            error = "" if frame.kl is None else f" · KL(P‖Q) **{frame.kl:.3f}** nats"
            early = " · p_ij × 12" if frame.exaggerated and frame.iteration else ""
            text += f" Iteration **{frame.iteration}**{error}{early}"
    else:
        shares = components_of(shown).shares
        text = f"**PCA**: exact, no knobs. The two directions keep {shares[0]:.1%} + {shares[1]:.1%} of the variance."
    if run is not None and run.running:
        return text
    places = project(shown.vectors, components_of(shown)) if frame is None else frame.places
    things = slice(0, len(shown.found.things))
    kinds = kinds_of(shown.found)[things]
    return text + (
        f"\n\nOf the {NEIGHBOURS} nearest on the plot **{agreement(places[things], kinds):.0%}** are of its class, "
        f"by all {shown.vectors.shape[1]} numbers **{agreement(shown.vectors[things], kinds):.0%}**."
    )


def divergence(errors: tuple[tuple[int, float], ...], settings: Settings) -> None:
    """KL over the iterations."""
    figure = go.Figure()
    figure.add_scatter(x=[at for at, _ in errors], y=[error for _, error in errors], mode="lines", name="KL",
                       line={"color": BLUE, "width": 2})  # fmt: skip
    figures.across(figure, x=settings.exaggerated, text="p × 12 until here")
    figure.update_layout(
        xaxis={"title": "iteration", "range": [0, settings.iterations]},
        yaxis={"title": "KL, nats", "range": [0, max([3.0, *(error for _, error in errors)]) * 1.05]},
        showlegend=False, margin={"t": 24},
    )  # fmt: skip
    page.figure(figure, "plot_divergence", height=220, alt="KL divergence over the iterations")


def shown_of(found: Gallery, layer: str, picture: Picture, dots: bool) -> Shown:
    """What is plotted of a network's layer, with the picture that asks."""
    query = asking(found, picture)
    vectors, signature = found.signatures[layer].numpy(), signature_of(found, query)[layer].numpy()
    return Shown(found, layer, vectors, query, signature, dots)


def asking(found: Gallery, picture: Picture) -> Query:
    """The picture that asks in the first section."""
    start = chosen_number(FROM, len(found.tiles))
    if start is not None:
        return of_gallery(found, start)
    things = things_in(picture)
    return query_of(picture, things[chosen_number(AT, len(things)) or 0] if things else None)


def components_of(shown: Shown) -> Components:
    return components(shown.found.network.name, shown.layer, shown.vectors)


@st.cache_resource(max_entries=64, show_spinner=False)
def components(network: str, layer: str, vectors: NDArray[np.float32]) -> Components:
    return principal_components(vectors)
