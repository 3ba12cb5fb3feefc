"""The first hundred steps, taken here: with the prior on the last bias, and without."""

import math

import plotly.graph_objects as go
import streamlit as st

from labs.focal_loss import ALPHA, PRIOR, prior_bias
from models import catalog
from models.recipes.retinanet_steps import PRIORS, SCENES, Looked, Progress, Settings, learn, looked
from pages.focal_loss.shared import BLUE, FOCAL, VERMILION
from pages.shared.swatches import swatches
from pages.shared.watched import AT_ONCE, Watched
from ui import page
from ui.components import words
from ui.pictures import KEPT

RUN = "_focal_run"  # in the session: a run with its settings
REFRESH = 0.5  # seconds between two looks
GAMMAS = (0.0, 0.5, 1.0, 2.0, 5.0)
SAID = {
    "waiting": f"{AT_ONCE} runs are under way on this machine already: yours begins when one of them ends.",
    "running": "Learning.",
    "stopped": "Stopped. *Start* goes on from here.",
    "done": "Done. Another γ, and *Start* again, begins anew.",
    "failed": "It broke off; the server log says why. *Start* begins anew.",
}
COLOURS = dict(zip(PRIORS, (BLUE, VERMILION), strict=True))


@st.cache_resource(show_spinner=False)
def seen() -> Looked:
    """What the frozen trunk says of the scenes, once for all visitors of this process."""
    return looked(catalog.load(FOCAL))


@st.fragment
@page.guard()
def first_steps() -> None:
    page.section(
        "The first hundred steps",
        "A network that knows nothing says 0.5 everywhere: thousands of negatives at once. A bias can know better.",
    )
    run: tuple[Settings, Watched[Progress]] | None = st.session_state.get(RUN)
    running = run is not None and run[1].running
    with st.container(horizontal=True, vertical_alignment="bottom"):
        gamma = st.segmented_control("γ of the training", GAMMAS, default=2.0, required=True, key="focal_train_gamma",
                                     format_func=lambda each: f"{each:g}", **KEPT)  # fmt: skip
        seed = st.number_input("Seed", 0, 99, 0, key="focal_train_seed", width=110, **KEPT)
        settings = Settings(gamma=gamma, alpha=ALPHA, seed=seed)
        if st.button("Start", type="primary", icon=":material/play_arrow:", key="focal_start", disabled=running):
            if run is None or run[1].over or run[0] != settings:
                run = st.session_state[RUN] = (settings, Watched(steps(settings)))
            run[1].start()
            st.rerun()
        if st.button("Stop", icon=":material/stop:", key="focal_stop", disabled=not running):
            run[1].stop(wait=5.0)
            st.rerun()
    st.caption(
        f"Two heads for the classes, equal but for the bias of the last layer: −log((1 − π) / π) = "
        f"{minus(prior_bias(PRIOR))} for π = {PRIOR:g}, and 0. {settings.steps} steps of SGD at a rate of "
        f"{settings.learning_rate:g}, as in the paper, on {SCENES} scenes; α = {ALPHA:g}."
    )
    if running:
        watch()
    elif run is not None:
        draw(*run)


def steps(settings: Settings):
    """The trunk looks in the thread of the run, so the page does not wait for it."""
    yield from learn(settings, seen())


@st.fragment(run_every=REFRESH)
@page.guard()
def watch() -> None:
    """Only this fragment runs again while the heads learn; when they rest, the section."""
    run = st.session_state.get(RUN)
    if run is None or not run[1].running:
        st.rerun()
    draw(*run)


def draw(settings: Settings, run: Watched[Progress]) -> None:
    now = run.look()
    words(f"{SAID[run.state]} Step **{now.step if now else 0}** of {settings.steps}, γ = {settings.gamma:g}",
          "focal_progress")  # fmt: skip
    if now is None:
        return
    left, right = st.columns(2, gap="large")
    with left:
        curves(now, settings)
    with right:
        answers(now, settings)
    st.html(swatches((colour, name) for name, colour in COLOURS.items()))
    st.caption("Right: solid where a thing of that class is, dotted for all else.")
    starts = [now.losses[name][0] for name in PRIORS]
    words(
        f"The first loss is **{starts[1]:,.2f}** nats for each positive without the prior and **{starts[0]:,.2f}** "
        f"with it, **{starts[1] / starts[0]:,.1f} times** less.{ending(now)}",
        "focal_first_words",
    )


def minus(value: float) -> str:
    """A number with two decimals and a true minus sign."""
    return f"{value:.2f}".replace("-", "−")


def ending(now: Progress) -> str:
    """What has become of the two."""
    last = [now.losses[name][-1] for name in PRIORS]
    if not math.isfinite(last[1]):
        return f" Without the prior the loss is no number any more after {len(now.losses[list(PRIORS)[1]])} steps."
    return f" After {now.step} steps: {last[1]:,.2f} and {last[0]:,.2f}."


def curves(now: Progress, settings: Settings) -> None:
    figure = go.Figure()
    for name, losses in now.losses.items():
        figure.add_scatter(x=list(range(1, len(losses) + 1)), y=losses, name=name, mode="lines",
                           line={"color": COLOURS[name], "width": 2})  # fmt: skip
    figure.update_layout(
        xaxis={"title": "step", "range": [0, settings.steps]}, yaxis={"title": "loss, nats", "type": "log"},
        showlegend=False,
    )  # fmt: skip
    page.figure(figure, "focal_first_losses", height=340, alt="Loss of both heads over the steps")


def answers(now: Progress, settings: Settings) -> None:
    """The mean answer where a thing is, and where none is."""
    figure = go.Figure()
    for name, said in now.said.items():
        for index, (kind, dash) in enumerate((("things", "solid"), ("all else", "dot"))):
            figure.add_scatter(
                x=list(range(1, len(said) + 1)), y=[each[index] for each in said], name=f"{kind}, {name.split()[0]}",
                mode="lines", line={"color": COLOURS[name], "dash": dash, "width": 2},
            )  # fmt: skip
    figure.update_layout(
        xaxis={"title": "step", "range": [0, settings.steps]},
        yaxis={"title": "mean probability said", "type": "log"},
        showlegend=False,
    )  # fmt: skip
    page.figure(figure, "focal_first_answers", height=340, alt="Mean answers of both heads over the steps")
