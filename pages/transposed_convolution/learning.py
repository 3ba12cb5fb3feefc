"""A filter that learns to upsample: gradient steps on small pictures and their large originals."""

from dataclasses import dataclass, field

import numpy as np
import plotly.graph_objects as go
import streamlit as st
import torch
from torch import Tensor

import scenes
from labs import learned_upsampling as lu
from models.recipes.scene_cache import held_out_seeds, training_seeds
from ui import page
from ui.components import Grid, matrices, stage, words

REFRESH = 0.5  # seconds between two looks
AT_ONCE = 5  # steps between two looks
STEPS = 200
RATE = 2.0  # at which neither size of filter diverges on these pictures
SCENES, SIDE = 3, 96
STARTS = ("Random", "Zero", "Bilinear")
LEARNER = "_learned_filter"


@dataclass
class Learner:
    """A visitor's filter (k, k) and all its losses; steps are taken only while `running`."""

    kernel: int
    start: str
    weight: Tensor
    velocity: Tensor
    losses: list[float] = field(default_factory=list)
    running: bool = False

    def learn(self, steps: int) -> None:
        small, large = pictures()
        for _ in range(min(steps, STEPS - len(self.losses))):
            self.weight, self.velocity, loss = lu.step(small, large, self.weight, self.velocity, RATE)
            self.losses.append(loss)
        self.running = self.running and len(self.losses) < STEPS


def planes(seeds: range) -> Tensor:
    """Red, green and blue of these scenes as planes (3n, SIDE, SIDE), -0.5 to 0.5."""
    images = np.stack([scenes.render_image(scenes.sample(seed), SIDE) for seed in seeds])
    return torch.from_numpy(images).permute(0, 3, 1, 2).reshape(-1, SIDE, SIDE) / 255 - 0.5


@st.cache_resource(show_spinner=False)  # shared and only read
def pictures() -> tuple[Tensor, Tensor]:
    """What it learns from: small planes and their originals."""
    large = planes(training_seeds(SCENES))
    return lu.halve(large), large


@st.cache_resource(show_spinner=False)
def unseen() -> tuple[Tensor, Tensor]:
    """One scene that it does not learn from."""
    large = planes(held_out_seeds(1))
    return lu.halve(large), large


@st.cache_data(max_entries=4, show_spinner=False)
def best(kernel: int) -> Tensor:
    return lu.best_filter(*pictures(), kernel)


def grey_levels(loss: float) -> float:
    """Root of a mean squared error, in grey levels of 255."""
    return 255 * loss**0.5


def error(weight: Tensor, small: Tensor, large: Tensor) -> float:
    return float((lu.double(small, weight) - large).square().mean())


def started(kernel: int, start: str) -> Learner:
    if start == "Random":
        weight = 0.3 * torch.randn(kernel, kernel, generator=torch.Generator().manual_seed(0))
    else:
        weight = lu.bilinear_filter(kernel) * (start == "Bilinear")
    return Learner(kernel, start, weight, torch.zeros(kernel, kernel))


@st.fragment
@page.guard()
def learn() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kernel = st.segmented_control(
            "Size of the filter", sorted(lu.GEOMETRY), default=4, required=True, format_func=lambda k: f"{k}×{k}",
            key="learn_kernel", bind="query-params",
        )  # fmt: skip
        start = st.segmented_control("It begins", STARTS, default=STARTS[0], required=True, key="learn_start",
                                     bind="query-params", help="Bilinear is how FCN begins such layers.")  # fmt: skip
        learner: Learner | None = st.session_state.get(LEARNER)
        if learner is None or (learner.kernel, learner.start) != (kernel, start):
            learner = st.session_state[LEARNER] = started(kernel, start)
        over = len(learner.losses) >= STEPS
        if st.button("Start", type="primary", icon=":material/play_arrow:", key="learn_go",
                     disabled=learner.running or over):  # fmt: skip
            learner.running = True
            st.rerun()
        if st.button("Stop", icon=":material/stop:", key="learn_stop", disabled=not learner.running):
            learner.running = False
            st.rerun()
        begun = learner.running or bool(learner.losses)
        if st.button("Reset", icon=":material/restart_alt:", key="learn_reset", disabled=not begun):
            st.session_state[LEARNER] = started(kernel, start)
            st.rerun()
    sums = lu.phase_sums(best(kernel)).flatten().tolist()
    with page.predict(
        "learned-sums", "Each output pixel is a weighted sum of a few inputs. Which total of these weights will the "
        "filter learn?", [0, 0.5, 1, 2],
    ) as prediction:  # fmt: skip
        if learner.running:
            watch()
        else:
            draw(learner)
        prediction.outcome(
            1, "because what is flat must stay as bright as it was. The best filter's four totals are "
            + ", ".join(f"{value:.2f}" for value in sums) + ": one for each parity of row and column.",
        )  # fmt: skip


@st.fragment(run_every=REFRESH)
@page.guard()
def watch() -> None:
    """Only this fragment is rerun while the filter learns; when it ends, the page."""
    learner: Learner = st.session_state[LEARNER]
    if not learner.running:
        st.rerun()
    learner.learn(AT_ONCE)
    draw(learner)


def draw(learner: Learner) -> None:
    bilinear, target = lu.bilinear_filter(learner.kernel), best(learner.kernel)
    errors = {"bilinear": error(bilinear, *pictures()), "least possible": error(target, *pictures())}
    now = error(learner.weight, *pictures())
    words(
        f"Step **{len(learner.losses)}** of {STEPS}. Error of the learned filter **{grey_levels(now):.1f}** grey "
        "levels; " + ", ".join(f"{name} {grey_levels(loss):.1f}" for name, loss in errors.items()) + ".",
        "learn_progress",
    )
    left, right = st.columns([2, 3], gap="large")
    with left:
        curve(learner, errors)
    with right:
        filters(learner, bilinear)
    doubled(learner, bilinear)


def curve(learner: Learner, errors: dict[str, float]) -> None:
    """The error of every step, against that of the bilinear filter and the least that any filter can have."""
    figure = go.Figure()
    at = list(range(len(learner.losses)))
    figure.add_scatter(x=at, y=[grey_levels(loss) for loss in learner.losses], mode="lines", name="learned",
                       line={"color": "#0072B2", "width": 2.5})  # fmt: skip
    for name, colour, dash in (("bilinear", "#D55E00", "dash"), ("least possible", "#009E73", "dot")):
        figure.add_scatter(x=[0, STEPS], y=[grey_levels(errors[name])] * 2, mode="lines", name=name,
                           line={"color": colour, "dash": dash})  # fmt: skip
    figure.update_layout(
        xaxis={"title": "gradient step", "range": [0, STEPS]},
        yaxis={"title": "error, grey levels", "type": "log", "range": [0.9, 2.3], "tickvals": [10, 20, 50, 100, 200]},
    )
    figure.update_layout(legend={"x": 1, "xanchor": "right", "y": 1, "yanchor": "top"})
    page.figure(figure, "learn_curve", height=300, alt="Error of the learned filter over the gradient steps")


def filters(learner: Learner, bilinear: Tensor) -> None:
    look = {"format": "%.2f", "vmin": -1, "vmax": 1, "cell": 44}
    totals = lu.phase_sums(learner.weight).flatten().tolist()
    leaning = "A 3×3 filter has its centre on one pixel, but a small pixel is the mean of 2×2: what is learned leans "
    matrices("learn_filters", window=2).show(
        [
            Grid("learned", learner.weight.numpy(), title="learned", **look),
            Grid("bilinear", bilinear.numpy(), title="bilinear", **look),
        ],
        caption="Totals for the four parities: learned " + ", ".join(f"{value:.2f}" for value in totals)
        + ", bilinear 1, 1, 1, 1. "
        + (leaning + "half a pixel to the right and down." if learner.kernel == 3 else
           "Learned from pictures, it lands near the bilinear filter, a little sharper."),
    )  # fmt: skip


def doubled(learner: Learner, bilinear: Tensor) -> None:
    """A picture that it never saw: small, doubled by both filters, and the original."""
    small, large = unseen()
    both = {"learned": lu.double(small, learner.weight), "bilinear": lu.double(small, bilinear)}
    shown = {"small": small, **both, "original": large}
    for place, (name, picture) in zip(st.columns(4, gap="small"), shown.items(), strict=True):
        height, width = picture.shape[1:]
        told = f"{height}×{width}"
        if name in both:
            told += f", error {grey_levels(float((picture - large).square().mean())):.1f}"
        with place:
            words(f"**{name.capitalize()}**: {told}", f"learn_{name}_words")
            image = ((picture + 0.5).clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
            stage(f"learn_{name}", zoom=False).show(image, alt=f"{name}, {height} by {width}")
