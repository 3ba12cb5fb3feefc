"""Real handwritten digits: LeNet-5 learns them in the open, and its 120 numbers are plotted beside the raw pixels."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch
from numpy.typing import NDArray

from labs import nearest_neighbours, t_sne
from labs.principal_components import principal_components, project
from models.recipes import lenet
from models.recipes.lenet import Digits, Progress
from pages.feature_space.thumbnails import Thumbnails, fitted, inked, painted
from pages.shared.watched import AT_ONCE, Watched
from ui import page
from ui.components import live_slider, stage, words
from ui.pictures import KEPT

RUN = "_space_digits"  # in the session: a run with its settings
REFRESH = 0.2  # seconds between two looks
EPOCHS = (1, 2, 4, 8)
SIDE, TILE, MOST = 400, 16, 30  # pixels of a plot and of a digit on it; neighbours
BLUE, ORANGE = "#0072B2", "#E69F00"
COLOURS = (BLUE, ORANGE, "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442", "#882255", "#999999", "#4D4D4D")
BANDS = {"under 80 %": 0.8, "80 to 90 %": 0.9, "90 to 97 %": 0.97, "over 97 %": 1.0}
SAID = {
    "new": "Nothing learned yet: the weights are random.",
    "waiting": f"{AT_ONCE} runs are under way on this machine already: yours begins when one of them ends.",
    "stopped": "Stopped. *Start* goes on from here.",
    "done": "Done.",
    "failed": "It broke off; the server log says why. *Reset* begins anew.",
}


@dataclass(frozen=True, eq=False)
class Step:
    """How far it is: what LeNet has learned, then the plots of raw pixels and of its 120 numbers on their way."""

    learned: Progress
    plots: tuple[t_sne.Frame, t_sne.Frame] | None = None


def learn_and_plot(settings: lenet.Settings) -> Iterator[Step]:
    """A training, and after it both plots of the held-out digits, step by step."""
    _, held_out = lenet.split(settings.seed)
    for learned in lenet.learn(settings):
        last = learned
        yield Step(last)
    runs = (t_sne.descend(vectors, t_sne.Settings(30.0, iterations=400, exaggerated=100), every=10)
            for vectors in (held_out.pixels, last.signatures))  # fmt: skip
    for plots in zip(*runs, strict=True):
        yield Step(last, plots)


@st.fragment
@page.guard()
def digits() -> None:
    page.section(
        "Real handwriting: LeNet-5",
        "The lecture's example: 120 numbers a digit from LeNet-5, trained here, beside the raw pixels.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kept: tuple[lenet.Settings, Watched[Step]] | None = st.session_state.get(RUN)
        epochs = st.segmented_control("Epochs", EPOCHS, default=4, required=True, key="digits_epochs",
                                      disabled=kept is not None, **KEPT)  # fmt: skip
        seed = st.number_input("Seed", 0, 99, 0, key="digits_seed", width=110, disabled=kept is not None, **KEPT)
        settings = lenet.Settings(epochs, seed=seed) if kept is None else kept[0]
        run = kept[1] if kept is not None else None
        if st.button("Start", type="primary", icon=":material/play_arrow:", key="digits_start",
                     disabled=run is not None and (run.running or run.over)):  # fmt: skip
            if run is None:
                run = Watched(learn_and_plot(settings))
                st.session_state[RUN] = (settings, run)
            run.start()
            st.rerun()
        if st.button("Stop", icon=":material/stop:", key="digits_stop", disabled=run is None or not run.running):
            run.stop(wait=5.0)
            st.rerun()
        if st.button("Reset", icon=":material/restart_alt:", key="digits_reset", disabled=run is None):
            run.stop(wait=5.0)
            del st.session_state[RUN]
            st.rerun()
    with live_slider("Neighbours k of a digit", 1, MOST, 10, key="digits_k") as k:
        raw = precisions(held_out(settings.seed).pixels, held_out(settings.seed).labels)[k - 1]
        with page.predict(
            "space-digits", f"A digit that was held out: which share of its {k} nearest by raw pixels show the same "
            "digit?", list(BANDS),
        ) as prediction:  # fmt: skip
            if run is not None and run.running:
                watch(settings, run, k)
            else:
                draw(settings, run, k)
            prediction.outcome(
                next(name for name, most in BANDS.items() if raw <= most),
                f"It is {raw:.1%}: handwriting that looks alike mostly is alike. Little is left for a network to gain.",
            )  # fmt: skip


@st.fragment(run_every=REFRESH)
@page.guard()
def watch(settings: lenet.Settings, run: Watched[Step], k: int) -> None:
    """Only this fragment is rerun while it learns and plots; when it ends, the section."""
    if not run.running:
        st.rerun()
    draw(settings, run, k)


def draw(settings: lenet.Settings, run: Watched[Step] | None, k: int) -> None:
    """How far it is, both plots, and whose neighbours agree."""
    step = (run.look() if run is not None else None) or Step(untrained(settings.seed))
    unseen = held_out(settings.seed)
    words(told(settings, run, step), "digits_told")
    both = {"64 raw pixels": unseen.pixels, "120 numbers of LeNet-5": step.learned.signatures}
    for column, (name, vectors), at in zip(st.columns(2, gap="medium"), both.items(), (0, 1), strict=True):
        with column:
            places = project(vectors, principal_components(vectors)) if step.plots is None else step.plots[at].places
            way = "PCA" if step.plots is None else f"t-SNE, iteration {step.plots[at].iteration}"
            agreed = precisions(vectors, unseen.labels)[k - 1]
            words(f"**{name}**, {way} · the {k} nearest by all numbers agree: **{agreed:.1%}**", f"digits_title_{at}")
            stage(f"digits_plot_{at}", width=SIDE).show(
                None, [painted(tiles(settings.seed), fitted(places, SIDE, TILE), SIDE)], size=(SIDE, SIDE),
                alt=f"{len(places)} held-out digits as points, {way} of {name}",
            )  # fmt: skip
    if step.plots is not None and (run is None or not run.running):
        seen = [precisions(plot.places, unseen.labels)[k - 1] for plot in step.plots]
        words(f"The {k} nearest **on the plots** agree: raw pixels **{seen[0]:.1%}**, LeNet-5 **{seen[1]:.1%}**.",
              "digits_on_plots")  # fmt: skip
    else:
        blind = nearest_neighbours.chance(torch.from_numpy(unseen.labels))
        words(f"One colour is one digit. Of neighbours drawn blindly {blind:.0%} would agree.", "digits_on_plots")
    curves(step.learned, settings.steps)


def told(settings: lenet.Settings, run: Watched[Step] | None, step: Step) -> str:
    """State, step, loss, and the share of held-out digits that are named right."""
    learned, state = step.learned, run.state if run is not None else "new"
    said = SAID.get(state, "Learning." if step.plots is None else "Learned; t-SNE is on its way.")
    loss = f" · loss **{np.mean(learned.losses[-10:]):.3f}** nats" if learned.losses else ""
    return (
        f"{said} Step **{learned.step}** of {settings.steps}{loss} · named right of {lenet.HELD_OUT} held-out digits "
        f"**{learned.accuracies[-1][1]:.1%}**"
    )


def curves(learned: Progress, steps: int) -> None:
    """Loss of every step, and the share named right on an axis of its own."""
    figure = go.Figure()
    figure.add_scatter(x=list(range(1, len(learned.losses) + 1)), y=learned.losses, name="loss", mode="lines",
                       line={"color": BLUE, "width": 1.5})  # fmt: skip
    figure.add_scatter(
        x=[at for at, _ in learned.accuracies], y=[share for _, share in learned.accuracies],
        name="named right, held out", mode="lines+markers", line={"color": ORANGE, "dash": "dash"}, yaxis="y2",
    )  # fmt: skip
    figure.update_layout(
        xaxis={"title": "step", "range": [0, steps]}, yaxis={"title": "loss, nats", "range": [0, 3]},
        yaxis2={"overlaying": "y", "side": "right", "range": [0, 1], "tickformat": ".0%", "showgrid": False},
    )  # fmt: skip
    page.figure(figure, "digits_curves", height=260, alt="Loss and share named right over the steps of the training")


@st.cache_resource(max_entries=4, show_spinner=False)  # shared and only read
def held_out(seed: int) -> Digits:
    return lenet.split(seed)[1]


@st.cache_resource(max_entries=4, show_spinner=False)
def untrained(seed: int) -> Progress:
    return next(lenet.learn(lenet.Settings(seed=seed)))


@st.cache_resource(max_entries=4, show_spinner=False)
def tiles(seed: int) -> Thumbnails:
    return inked(held_out(seed).pictures, list(COLOURS), held_out(seed).labels, TILE)


@st.cache_data(max_entries=128, show_spinner=False)
def precisions(vectors: NDArray[np.floating], labels: NDArray[np.int64]) -> list[float]:
    """Neighbours' agreement: the share of the k nearest that show the same digit, for k from 1 to MOST."""
    distances = nearest_neighbours.euclidean(*[torch.from_numpy(vectors.astype(np.float32))] * 2)
    near = nearest_neighbours.nearest(distances, MOST, torch.eye(len(vectors), dtype=torch.bool)).numpy()
    return nearest_neighbours.precision_at_k(torch.from_numpy(labels[near] == labels[:, None])).tolist()
